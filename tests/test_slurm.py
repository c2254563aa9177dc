"""The small grid on a real Slurm, with a submission that is killed."""

import subprocess

import pytest

from tests import one_node_slurm
from tests.checkouts import JOBS, Checkout

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        one_node_slurm.missing() is not None, reason=one_node_slurm.missing() or "Slurm is here"
    ),
]
PROFILE = ["--workflow-profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "3"]


def test_a_killed_submission_is_tried_again(whole, tmp_path):
    (tmp_path / "slurm").mkdir()
    with one_node_slurm.cluster(tmp_path / "slurm") as daemons:
        checkout = Checkout(tmp_path / "checkout")
        process = checkout.start(*PROFILE)
        checkout.wait_for_a_job(process)
        subprocess.run(["scancel", _running()[0]], check=True)
        output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert "Trying to restart job" in output
    # Two submissions of two jobs each, and the one that was killed again.
    assert output.count("has been submitted with SLURM jobid") == JOBS // 2 + 1
    assert f"batch tiny: {JOBS} jobs done, 0 cached, 0 failed, 0 not run" in output
    assert checkout.tables() == whole[0].tables()
    assert all(daemon.poll() is not None for daemon in daemons)
    assert not one_node_slurm.processes_of_jobs()
    assert not one_node_slurm.CONFIGURATION.exists()


def _running() -> list[str]:
    shown = subprocess.run(
        ["squeue", "--noheader", "--states=running", "--format=%i"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return shown.stdout.split()
