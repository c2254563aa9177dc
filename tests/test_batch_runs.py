"""Batches as a user runs them: edited, killed, on a full disk, with a job that fails."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from ncnet import results, runs
from tests.checkouts import JOBS, JOINED, TINY, Checkout, kill_group

pytestmark = pytest.mark.slow


@pytest.fixture
def done(whole, tmp_path):
    """Return a copy of a checkout whose batch has been run, to be edited."""
    return whole[0].copy(tmp_path / "checkout")


def test_a_batch_leaves_tables_notebooks_and_a_report(whole):
    checkout, output = whole
    assert f"batch tiny: {JOBS} jobs done, 0 cached, 0 failed, 0 not run" in output
    joined = results.load("capacity", folder=checkout.run)
    assert joined.table[["game", "hidden_size"]].values.tolist() == [
        [game, size] for game in ("overlap", "separate") for size in (2, 3)
    ]
    assert joined.provenance["command"] == "snakemake --cores 2 --config batch=batches/tiny.yml"
    assert joined.provenance["parameters"]["game"] == ["overlap", "separate"]
    assert joined.provenance["parameters"]["seed"] == 4
    ran = results.load("jobs", folder=checkout.run).table
    assert (ran["seconds"] > 0).all()
    assert (ran["peak_megabytes"] > 50).all()
    for job in ran["job"]:
        assert (checkout.run / "jobs" / job / "notebook.ipynb").exists()
    report = (checkout.run / "report.html").read_text(encoding="utf-8")
    assert report.count("data:image/svg+xml") >= 2
    assert 'src="http' not in report


def test_nothing_is_run_again_without_a_reason(done):
    """The checkout of `done` is a copy; here its files are touched, and others are edited."""
    assert done.planned() == 0
    for path in [*done.folder.glob("ncnet/**/*"), *done.folder.glob("notebooks/*")]:
        os.utime(path)
    for name in ("studies/atlas/analysis.py", "studies/mechanism/parameters.py"):
        unrelated = done.folder / "ncnet" / name
        unrelated.write_text(
            unrelated.read_text(encoding="utf-8") + "\nANOTHER = 1\n", encoding="utf-8"
        )
    notebook = done.folder / "notebooks" / "rq6.ipynb"
    notebook.write_text(
        notebook.read_text(encoding="utf-8").replace("survive", "last"), encoding="utf-8"
    )
    assert done.planned() == 0


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("ncnet/chsh/bootstrap.py", '"""', '"""In other words: '),
        ("ncnet/studies/capacity/figures.py", '"""', '"""In other words: '),
        ("ncnet/training/compiled.cpp", "\n", "\n// another kernel\n"),
        ("notebooks/rq1.ipynb", "What we saw", "What we see"),
        ("batches/tiny.yml", "seed: 4", "seed: 5"),
    ],
)
def test_an_edit_runs_what_depends_on_it_again(done, name, old, new):
    path = done.folder / name
    assert old in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    os.utime(path, (0, 0))  # content decides, however old the file says it is
    assert done.planned() == JOBS


def test_a_new_value_runs_its_jobs_only(drawn, tmp_path):
    done = drawn.copy(tmp_path / "checkout")
    before = done.finished()
    done.batch.write_text(
        TINY.replace(
            "[3], hidden_size: 3}",
            "[3], hidden_size: 3}\n    - {hidden_sizes: [1], hidden_size: 1}",
        ),
        encoding="utf-8",
    )
    status, output = done.snakemake(JOINED)
    assert status == 0, output
    assert f"2 jobs done, {JOBS} cached, 0 failed" in output
    after = done.finished()
    assert {job: after[job] for job in before} == before
    assert len(results.load("capacity", folder=done.run).table) == JOBS + 2


def test_a_small_rate_runs_in_any_place_and_by_the_command_of_its_table(tmp_path):
    """The place has what a shell, papermill and YAML read otherwise."""
    checkout = Checkout(tmp_path / "a reader's {checkout}", draws=True)
    environment = checkout.folder / ".venv"
    environment.symlink_to(sys.prefix)
    checkout.python = environment / "bin" / Path(sys.executable).name
    checkout.batch.write_text(
        "notebook: rq1\nparameters: {replicas: 32, hidden_sizes: [3]}\n"
        "grid:\n  learning_rate: [0.00001]\nrecord:\n  capacity: results/mine/capacity\n",
        encoding="utf-8",
    )
    status, output = checkout.snakemake("record")
    assert status == 0, output
    recorded = results.load("capacity", folder=checkout.folder / "results" / "mine")
    joined = results.load("capacity", folder=checkout.run)
    chosen = joined.provenance["parameters"] | {"save_to": "the reader's"}
    command = runs.command("rq1", chosen)
    variables = os.environ | {"PYTHONPATH": str(checkout.folder)}
    variables["PATH"] = os.pathsep.join([str(environment / "bin"), os.environ["PATH"]])
    shell = ["bash", "-euc", command]
    subprocess.run(shell, cwd=checkout.folder, env=variables, check=True, capture_output=True)
    again = results.load("capacity", folder=checkout.folder / "the reader's")
    assert again.provenance["command"] == command
    pd.testing.assert_frame_equal(again.table.assign(learning_rate=1e-5), joined.table)
    pd.testing.assert_frame_equal(recorded.table, joined.table)


def test_an_edit_during_a_run_runs_its_jobs_again(tmp_path):
    """What was edited after the run began is not what ran."""
    checkout = Checkout(tmp_path / "checkout", draws=True)
    process = checkout.start(JOINED)
    checkout.wait_for_a_job(process)
    edited = checkout.folder / "ncnet" / "games.py"
    edited.write_text(edited.read_text(encoding="utf-8") + "\nANOTHER = 1\n", encoding="utf-8")
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert checkout.planned() == JOBS


def test_a_failed_job_leaves_its_notebook_and_stops_no_other(tmp_path):
    checkout = Checkout(tmp_path / "checkout", draws=True)
    content = checkout.notebook.read_text(encoding="utf-8")
    broken = content.replace(
        '"import numpy', '"assert hidden_size != 3, \'three\'\\n",\n"import numpy'
    )
    assert broken != content
    checkout.notebook.write_text(broken, encoding="utf-8")
    status, output = checkout.snakemake("--retries", "0")
    assert status != 0
    assert "batch tiny: 2 jobs done, 0 cached, 2 failed, 0 not run" in output
    for job in ("overlap_3", "separate_3"):
        assert f"failed: runs/tiny/jobs/{job}/notebook.ipynb\n    AssertionError: three" in output
        assert (checkout.run / "jobs" / job / "notebook.ipynb").exists()
    assert set(checkout.finished()) == {"overlap_2", "separate_2"}


@pytest.mark.weekly
def test_goes_on_after_a_polite_end(drawn, tmp_path):
    checkout = Checkout(tmp_path / "checkout", draws=True)
    process = checkout.start(JOINED)
    checkout.wait_for_a_job(process)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0, output
    assert _finish(checkout, drawn)


def test_goes_on_after_a_kill(drawn, tmp_path):
    checkout = Checkout(tmp_path / "checkout", draws=True)
    process = checkout.start(JOINED)
    checkout.wait_for_a_job(process)
    kill_group(process)
    status, output = checkout.snakemake(JOINED)
    assert status != 0
    assert "--unlock" in output
    checkout.snakemake("--unlock")
    assert _finish(checkout, drawn)


@pytest.mark.weekly
def test_goes_on_after_a_full_disk(drawn, tmp_path):
    with small_disk(tmp_path) as make_room:
        checkout = Checkout(tmp_path / "checkout", draws=True)
        make_room(100)
        status, output = checkout.snakemake(JOINED, "--retries", "0")
        assert status != 0
        assert "No space left" in output
        assert len(checkout.finished()) < JOBS
        make_room(20_000)
        checkout.snakemake("--unlock")
        _finish(checkout, drawn)


def _finish(checkout, undisturbed):
    """Run on; what Snakemake knows to be finished stays, and all is as if nothing had happened."""
    before, planned = checkout.finished(), checkout.planned()
    status, output = checkout.snakemake(JOINED)
    assert status == 0, output
    after = checkout.finished()
    assert len(after) == JOBS
    kept = [job for job in before if after[job] == before[job]]
    assert len(kept) == JOBS - planned
    assert f"{planned} jobs done, {JOBS - planned} cached, 0 failed" in output
    assert checkout.tables() == undisturbed.tables()
    return kept


@contextmanager
def small_disk(place):
    """Mount a disk in memory; the function it gives leaves so many kilobytes free."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1G", "tmpfs", str(place)]
    mounted = subprocess.run(mount, capture_output=True, encoding="utf-8")
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")

    def make_room(kilobytes):
        used = shutil.disk_usage(place).used // 1024
        size = f"remount,size={used + kilobytes}k"
        subprocess.run(["mount", "-o", size, str(place)], check=True)

    try:
        yield make_room
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
