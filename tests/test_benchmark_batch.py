"""What the benchmark of batches reads off Slurm; time is nobody's test."""

import pandas as pd
import pytest

from benchmarks import batch

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


@pytest.mark.slow
def test_joining_is_measured_on_real_tables(tmp_path):
    checkout = batch.Checkout(tmp_path / "checkout")
    batch.write_grid(checkout, 32, seeds=batch.JOINED)
    assert batch.seconds_to_join(checkout, tmp_path / "joined") > 0
    joined = pd.read_parquet(tmp_path / "joined" / "capacity.parquet")
    assert joined["seed"].tolist() == list(range(batch.JOINED))
