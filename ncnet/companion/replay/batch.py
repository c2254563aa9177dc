"""Replays of what a batch cost, cell by cell."""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from ncnet import runs
from ncnet.companion import batch
from ncnet.companion.batch import gathering
from ncnet.companion.batch.grid import CELLS, NOTEBOOKS
from ncnet.replay.comparison import factor, same, unchecked
from ncnet.replay.pieces import Replay, Where, need
from ncnet.results import ROOT, Result


def _cell(recorded: Result, where: Where) -> pd.DataFrame:
    """Run a cell once more, measured as Snakemake measures it."""
    for name in ("papermill", "snakemake"):
        need(importlib.util.find_spec(name), f"{name} is not installed")
    _, _, file = recorded.provenance["command"].partition("batch=")
    asked = batch.read(ROOT / file)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / CELLS / where["cell"]
        place.mkdir(parents=True)
        _run(asked, where["cell"], place)
        return pd.DataFrame([gathering.ran(asked, Path(folder), where["cell"])])


def _run(asked: batch.Batch, cell: str, place: Path) -> None:
    from snakemake import benchmark

    given = runs.to_yaml(asked.cells[cell] | {"save_to": str(place)})
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", "--kernel", "python3"]
    command += [NOTEBOOKS / f"{asked.notebook}.ipynb", place / "notebook.ipynb"]
    options = {
        "cwd": ROOT,
        "env": os.environ | {"PYTHONPATH": str(ROOT)},
        **dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL),
    }
    with (
        subprocess.Popen([*command, "--parameters_yaml", given], **options) as running,
        benchmark.benchmarked(running.pid) as taken,
    ):
        running.wait()
    if running.returncode:
        raise RuntimeError(f"papermill ended cell {cell} with exit status {running.returncode}")
    benchmark.write_benchmark_records([taken], str(place / "benchmark.tsv"), False)


NAMED = same("the batch file names it")
BESIDE = "it depends on what else the machine does"
COLUMNS = {
    **dict.fromkeys(("game", "hidden_sizes", "hidden_size"), NAMED),
    "started": unchecked("no run starts when another did"),
    "seconds": factor(5, BESIDE),
    "cpu_seconds": factor(3, BESIDE),
    "peak_megabytes": factor(2.5, "torch with CUDA takes more; shared pages count twice"),
}
REPLAYS = (Replay("small/cells", ("cell",), (), _cell, COLUMNS),)
