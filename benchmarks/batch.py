"""What batches cost, measured on small grids and extrapolated: ``python -m benchmarks.batch``.

Measured are a job (alone, with more and more replicas), Snakemake's planning (with more and more
jobs), the joining of tables, a submission of jobs to a one-node Slurm where it is installed, and a
training step of an encoder. One thread each. A job's memory is the most that it and Snakemake held
together: Snakemake itself looks only every half minute after its first fifteen seconds. With
``--record`` the table goes to ``results/``.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import psutil

from benchmarks.memory import INTERVAL, Watch
from ncnet import results, runs
from ncnet.companion import batch, notebooks
from tests import checkouts, one_node_slurm

REPLICAS = (32, 16_000, 64_000)
PLANNED = (10, 100, 1000)
JOINED = 200
GROUPED = (1, 4)
SLURM_JOBS = 8
SUBMITTED = 10
ENCODER_STEPS = 3
TOKENS = 96
SEQUENCES = 32  # a batch of 16 for each head
RANKS = (1, 64)
ONE_SIZE = """
notebook: rq1
parameters: {{replicas: {replicas}, steps: 2000, hidden_sizes: [3], hidden_size: 3}}
grid:
  seed: [{seeds}]
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the table to results/")
    record = parser.parse_args().record
    print(f"load of the machine's {os.cpu_count()} cores at the start: {os.getloadavg()[0]:.1f}")
    if missing := one_node_slurm.missing():
        print(f"no submissions are measured: {missing}")
    rows = []
    for what, (_, sizes) in MEASURED.items():
        for at in () if missing and what == "submission" else sizes:
            for row in measured(what, at):
                line = "{what:<22}{at:>10,}  {quantity:<18}{value:>12,.4g}".format(**row)
                print(line, flush=True)
                rows.append(row)
    if record:
        results.save(
            "benchmark_batch",
            pd.DataFrame(rows),
            parameters={"tokens": TOKENS, "sequences": SEQUENCES, "steps": 2000, "hidden_size": 3},
            command="python -m benchmarks.batch --record",
        )


def measured(what: str, at: int) -> list[dict]:
    """Return the rows of one measurement at one size: what, at, which quantity, and its value.

    That of a ``submission`` to Slurm has those of the whole ``batch`` as well.
    """
    measure, _ = MEASURED[what]
    with patch.dict(os.environ, {"OMP_NUM_THREADS": "1"}):
        return list(measure(at))


@contextmanager
def _checkout() -> Iterator[checkouts.Checkout]:
    with tempfile.TemporaryDirectory() as folder:
        yield checkouts.Checkout(Path(folder) / "checkout")


def _row(what: str, at: int, quantity: str, value: float) -> dict:
    return {"what": what, "at": at, "quantity": quantity, "value": float(value)}


def write_grid(checkout: checkouts.Checkout, replicas: int, seeds: int) -> None:
    listed = ", ".join(map(str, range(seeds)))
    checkout.batch.write_text(ONE_SIZE.format(replicas=replicas, seeds=listed), encoding="utf-8")
    shutil.rmtree(checkout.run, ignore_errors=True)


def _job(replicas: int) -> Iterator[dict]:
    with _checkout() as checkout:
        write_grid(checkout, replicas, seeds=1)
        peak = peak_of(checkout.start(checkouts.JOINED))
        ran = results.load("jobs", folder=checkout.run).table.iloc[0]
        files = list((checkout.run / "jobs" / ran["job"]).iterdir())
        size = sum(path.stat().st_size for path in files)
    yield _row("job", replicas, "seconds", ran["seconds"])
    yield _row("job", replicas, "megabytes", peak)
    yield _row("job", replicas, "files", len(files))
    yield _row("job", replicas, "kilobytes", size / 1000)


def peak_of(process: subprocess.Popen) -> float:
    """Return the megabytes that a process and all that it starts take at most until it ends."""
    watch = Watch(psutil.Process(process.pid))
    with process:
        while process.poll() is None:
            watch.look()
            time.sleep(INTERVAL)
        if process.returncode:
            raise RuntimeError(process.stdout.read())
    return watch.peak


def _planning(jobs: int) -> Iterator[dict]:
    with _checkout() as checkout:
        write_grid(checkout, 32, seeds=jobs)
        started = time.perf_counter()
        status, output = checkout.snakemake("--dry-run")
        took = time.perf_counter() - started
    if status:
        raise RuntimeError(output)
    yield _row("planning", jobs, "seconds", took)


def _joining(jobs: int) -> Iterator[dict]:
    """Time the joining of jobs whose tables are small, without running them."""
    with _checkout() as checkout:
        write_grid(checkout, 32, seeds=jobs)
        yield _row(
            "joining", jobs, "seconds", seconds_to_join(checkout, checkout.folder / "joined")
        )


def seconds_to_join(checkout: checkouts.Checkout, folder: Path) -> float:
    read = batch.read(checkout.batch)
    executed = json.loads((checkout.folder / "notebooks" / "rq1.ipynb").read_text(encoding="utf-8"))
    executed["metadata"]["papermill"] = {"start_time": "2026-01-01T00:00:00"}
    for job, given in read.jobs.items():
        place = folder / "jobs" / job
        run = runs.Run(notebooks.of(read.notebook), given | {"save_to": place.as_posix()})
        run.save("capacity", pd.DataFrame({"s": [2.0]}))
        (place / "notebook.ipynb").write_text(json.dumps(executed), encoding="utf-8")
        (place / "benchmark.tsv").write_text("s\tcpu_time\tmax_rss\n1\t1\t1\n", encoding="utf-8")
    started = time.perf_counter()
    batch.gather(read, folder)
    return time.perf_counter() - started


def _slurm(jobs_a_submission: int) -> Iterator[dict]:
    """Run short jobs through Slurm; what a submission takes beyond its jobs is what it costs."""
    profile = ["--workflow-profile", "profiles/slurm", "--jobs", "1"]
    profile += ["--slurm-init-seconds-before-status-checks", "2"]
    profile += ["--group-components", f"jobs={jobs_a_submission}"]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "slurm").mkdir()
        with one_node_slurm.cluster(place / "slurm"):
            checkout = checkouts.Checkout(place / "checkout")
            write_grid(checkout, 32, seeds=SLURM_JOBS)
            started = time.perf_counter()
            process = checkout.start(*profile)
            output, _ = process.communicate()
            took = time.perf_counter() - started
            if process.returncode:
                raise RuntimeError(output)
            shown = subprocess.run(
                ["scontrol", "show", "job"], capture_output=True, encoding="utf-8"
            )
            ran = results.load("jobs", folder=checkout.run).table
            submitting = _submitting()
    yield from submissions(shown.stdout, jobs_a_submission, ran)
    yield _row("submission", jobs_a_submission, "submitting", submitting)
    yield _row("batch", jobs_a_submission, "seconds", took)
    yield _row("batch", jobs_a_submission, "jobs", len(ran))
    yield _row("batch", jobs_a_submission, "job seconds", ran["seconds"].mean())


def _submitting() -> float:
    command = ["sbatch", "--output=/dev/null", "--wrap=true"]
    started = time.perf_counter()
    for _ in range(SUBMITTED):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - started) / SUBMITTED


def submissions(shown: str, jobs_a_submission: int, ran: pd.DataFrame) -> Iterator[dict]:
    starts, ends = (
        pd.to_datetime(re.findall(rf"{name}=(\d\S+)", shown)) for name in ("StartTime", "EndTime")
    )
    took = (ends - starts).total_seconds()
    worked = ran["seconds"].sum() / len(took)
    yield _row("submission", jobs_a_submission, "seconds", took.to_numpy().mean())
    yield _row("submission", jobs_a_submission, "seconds beyond", took.to_numpy().mean() - worked)


def _encoder(rank: int) -> Iterator[dict]:
    """Time a step of LoRA training on a BERT of 110 million weights, at random, on one thread."""
    command = [sys.executable, "-m", "benchmarks.batch_encoder", str(rank)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    for quantity, value in zip(("seconds", "megabytes"), done.stdout.split(), strict=True):
        yield _row("encoder step", rank, quantity, float(value))


MEASURED: dict[str, tuple[Callable[[int], Iterator[dict]], tuple[int, ...]]] = {
    "job": (_job, REPLICAS),
    "planning": (_planning, PLANNED),
    "joining": (_joining, (JOINED,)),
    "submission": (_slurm, GROUPED),
    "encoder step": (_encoder, RANKS),
}
"""What is measured, and at which sizes."""


if __name__ == "__main__":
    main()
