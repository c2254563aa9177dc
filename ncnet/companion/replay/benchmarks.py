"""Replays the benchmarks and the jobs of a batch: what is measured is compared loosely.

Times of a machine that is busy with something else are several times as long, and not at every
moment alike. They only tell what has become many times slower, or faster than it can be. How time
grows is compared by ratios, which a machine keeps better: with another call, timed in the same
breath.
"""

import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from ncnet import machine
from ncnet.companion import batch as batches
from ncnet.companion.batch.gathering import resources_used
from ncnet.replay.comparison import absolute, factor, same, unchecked
from ncnet.replay.pieces import NotReplayableError, Replay, Selection, import_optional, require
from ncnet.results import ROOT, Result
from ncnet.runs import JOBS

REFERENCES = {"replicas": 100, "hidden_size": 3}
"""What growth is measured against: the first of these that is not itself the row."""


def _benchmark(name: str) -> ModuleType:
    found = all(map(importlib.util.find_spec, ("benchmarks", "tests")))
    require(found, "benchmarks are no part of the package: run it in the root of a checkout")
    return import_optional(f"benchmarks.{name}", extras="train,report,lora,batch,test,dev")


def _check_machine(threads: int, backend: str) -> None:
    """Refuse a machine with fewer cores than the one of the recording, or without a compiler."""
    enough = threads <= (os.cpu_count() or 1)
    require(enough, f"it was measured on {threads} cores: this machine has fewer")
    try:
        machine.find_compiler()
    except machine.CompilerError as error:
        require(backend != "compiled", str(error))


def _engine(recorded: Result, selection: Selection) -> pd.DataFrame:
    ensemble = _benchmark("ensemble")
    engine, device, threads = selection["engine"], selection["device"], selection["threads"]
    _check_machine(threads, engine)
    if engine == "jax":
        require(importlib.util.find_spec("jax"), f"JAX is not installed: {ensemble.EXTRA}")
    return ensemble.measured(device, [engine], [threads], repeats={engine: 1})


def _growth(recorded: Result, selection: Selection) -> pd.DataFrame:
    """Time a call beside another one, by which the table tells how much longer it takes."""
    ensemble = _benchmark("ensemble")
    backend, varied, value = selection["backend"], selection["varied"], selection["value"]
    seconds = recorded.table.set_index(["backend", "varied", "value"])["seconds"]
    cores = int(recorded.table.loc[recorded.table["varied"] == "threads", "value"].max())
    _check_machine(cores, backend)
    beside = next(other for other in REFERENCES.items() if other != (varied, value))
    made, reference = (ensemble.grown(backend, *one, cores) for one in ((varied, value), beside))
    slower = reference["seconds"] / seconds[backend, *beside]
    found = {"seconds": made["seconds"] / slower, "rate": made["rate"] * slower}
    return pd.DataFrame([made | found])


def _batch(recorded: Result, selection: Selection) -> pd.DataFrame:
    batch = _benchmark("batch")
    # A whole batch and its submissions are measured together.
    measurement = "submission" if selection["what"] == "batch" else selection["what"]
    if measurement == "submission" and (missing := batch.one_node_slurm.missing()):
        raise NotReplayableError(missing)
    made = pd.DataFrame(batch.measured(measurement, selection["at"]))
    return made[made["what"] == selection["what"]]


def _job(recorded: Result, selection: Selection) -> pd.DataFrame:
    """Run a job of a batch once more, as Snakemake does; it lies in ``runs/`` like any other."""
    for name in ("papermill", "snakemake"):
        require(importlib.util.find_spec(name), f"{name} is not installed")
    _, _, file = recorded.provenance["command"].partition("batch=")
    batch, job = batches.read(ROOT / file), selection["job"]
    folder = Path("runs", batch.name)
    command = [sys.executable, "-m", "snakemake", "--cores", str(batch.resources.threads)]
    command += ["--force", "--nolock", "--config", f"batch={file}", "--"]
    command += [folder / JOBS / job / f"{batch.tables[0]}.parquet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise RuntimeError(f"Snakemake could not run job {job}: {done.stderr[-200:]}")
    return pd.DataFrame([resources_used(batch, ROOT / folder, job)])


def _memory(recorded: Result, selection: Selection) -> pd.DataFrame:
    memory = _benchmark("memory")
    made_by = "`python -m benchmarks.memory batch` makes it"
    require(memory.is_made(), f"there is no environment as on Binder: {made_by}")
    limit = recorded.provenance["parameters"].get("limit", math.inf)
    variables = memory.WITHOUT_COMPILER if recorded.name.endswith("without_compiler") else {}
    return pd.DataFrame([memory.measure(selection["notebook"], limit, variables)])


# Most kilobytes are those of an executed notebook, which gains and loses figures.
TIMES_OF_QUANTITY = {"files": 1.01, "jobs": 1.01, "kilobytes": 2.5, "megabytes": 1.5}
"""How many times more or less than recorded there may be of what is no time."""


def _times_of_quantity(rows: pd.DataFrame) -> np.ndarray:
    return rows["quantity"].map(TIMES_OF_QUANTITY).fillna(10).to_numpy(float)


BESIDE = "it depends on what else the machine does"
BUSY = "on a machine that is busy everything takes several times as long"
RATE = factor(20, f"machines are not equally fast, and {BUSY}")
GROWTH = factor(10, "it is taken beside another call, but a busy machine is not busy all the time")
ASKED = same("it says what is measured")
MEMORY = {
    "megabytes": factor(1.75, "another Python's libraries take a quarter of a gigabyte more"),
    "fits": same("what would not fit on Binder any more has to be found"),
    "seconds": factor(20, BUSY),
    "processor_seconds": factor(5, "processors differ; other work costs cache, and no time of it"),
}
ENGINES = {
    "label": ASKED,
    **dict.fromkeys(("rate", "slowest"), RATE),
    "cold_seconds": unchecked("it is a difference of two times, of some engines near 0"),
    "peak": factor(50, "another machine, or a busy one, does more or fewer operations"),
    "weights_apart": absolute(1e-4, "float32 rounds otherwise with each processor"),
    "outcomes_differ": absolute(1e-3, "and few outcomes of 1,600 replicas depend on it"),
}
OF_GROWTH = {"steps": ASKED, **dict.fromkeys(("seconds", "rate"), GROWTH)}
OF_BATCH = {"value": factor(_times_of_quantity, f"counts are the same and sizes alike; {BUSY}")}
OF_JOBS = {
    **dict.fromkeys(("game", "hidden_sizes", "hidden_size"), same("the batch file names it")),
    "started": unchecked("no run starts when another did"),
    "seconds": factor(5, BESIDE),
    "cpu_seconds": factor(3, BESIDE),
    "peak_megabytes": factor(2.5, "torch with CUDA takes more; shared pages count twice"),
}
REPLAYS = (
    Replay("small/jobs", ("job",), (), _job, OF_JOBS),
    Replay("benchmark_engines", ("engine", "device", "threads"), (), _engine, ENGINES),
    Replay("benchmark_growth", ("backend", "varied", "value"), (), _growth, OF_GROWTH),
    Replay("benchmark_batch", ("what", "at"), ("quantity",), _batch, OF_BATCH),
    Replay("benchmark_memory", ("notebook",), (), _memory, MEMORY),
    Replay("benchmark_without_compiler", ("notebook",), (), _memory, MEMORY),
)
