"""What the benchmark of batches reads off Slurm and of a process; time is nobody's test."""

import subprocess
import sys

import pandas as pd
import pytest

from benchmarks import batch
from tests import checkouts

SHOWN = """JobId=1 JobName=x
   StartTime=2026-01-01T00:00:10 EndTime=2026-01-01T00:00:30 Deadline=N/A
   SuspendTime=None SecsPreSuspend=0 LastSchedEval=2026-01-01T00:00:10 Scheduler=Main

JobId=2 JobName=x
   StartTime=2026-01-01T00:00:40 EndTime=2026-01-01T00:01:10 Deadline=N/A
"""


def test_a_submission_costs_what_it_takes_beyond_its_jobs():
    ran = pd.DataFrame({"seconds": [10.0, 12.0, 11.0, 7.0]})
    rows = {row["quantity"]: row["value"] for row in batch.submissions(SHOWN, 2, ran)}
    assert rows == {"seconds": 25.0, "seconds beyond": 5.0}


def started(code):
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    return subprocess.Popen([sys.executable, "-c", code], **options)


@pytest.mark.slow
def test_the_peak_is_that_of_all_processes_together():
    child = "import time; held = bytearray(100_000_000); time.sleep(1)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    assert 100 < batch.peak_of(started(parent)) < 200


def test_a_process_that_fails_has_no_peak():
    with pytest.raises(RuntimeError, match="no such batch"):
        batch.peak_of(started("raise SystemExit('no such batch')"))


@pytest.mark.slow
def test_joining_is_measured_on_real_tables(tmp_path):
    checkout = checkouts.Checkout(tmp_path / "checkout")
    batch.write_grid(checkout, 32, seeds=batch.JOINED)
    assert batch.seconds_to_join(checkout, tmp_path / "joined") > 0
    joined = pd.read_parquet(tmp_path / "joined" / "capacity.parquet")
    assert joined["seed"].tolist() == list(range(batch.JOINED))
