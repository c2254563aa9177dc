"""A copy of what a batch needs, to be edited, killed and filled up without harm."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
TINY = """
notebook: rq1
parameters: {replicas: 32, steps: 20, seed: 4}
grid:
  game: [overlap, separate]
  hidden units:
    - {hidden_sizes: [2], hidden_size: 2}
    - {hidden_sizes: [3], hidden_size: 3}
"""
JOBS = 4
JOINED = "runs/tiny/capacity.parquet"
"""What to ask Snakemake for that wants the joined tables and no report."""
DRAWN = """
import numpy as np
import pandas as pd

from ncnet import chsh, games, runs

outcomes = np.random.default_rng(seed).choice([-1, 1], (2, 2, 2, replicas, 8))
row = chsh.report(tuple(outcomes)).row() | {"game": games.named(game).name}
table = pd.DataFrame([{"hidden_size": n} | row for n in hidden_sizes])
runs.Run(Rq1, chosen).save("capacity", table)
"""
"""Outcomes that are drawn and not trained, and the table that `rq1` saves of them."""


class Checkout:
    """A checkout in a folder, with the batch ``tiny`` of four jobs.

    With `draws` its notebook is cut after the validation of its parameters and goes on as `DRAWN`
    does, for tests that ask what becomes of jobs and not what is in them.
    """

    python = sys.executable

    def __init__(self, folder: Path, draws: bool = False):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        for name in ("ncnet", "notebooks", "profiles", "results"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
        shutil.copy(ROOT / "Snakefile", folder)
        (folder / "batches").mkdir()
        self.batch = folder / "batches" / "tiny.yml"
        self.batch.write_text(TINY, encoding="utf-8")
        self.run = folder / "runs" / "tiny"
        self.notebook = folder / "notebooks" / "rq1.ipynb"
        if draws:
            content = nbformat.read(self.notebook, as_version=4)
            sources = [cell.source for cell in content.cells]
            validation = next(i for i, source in enumerate(sources) if "validate(" in source)
            content.cells = content.cells[: validation + 1]
            content.cells.append(nbformat.v4.new_code_cell(DRAWN.strip(), id="drawn"))
            nbformat.write(content, self.notebook)

    def copy(self, folder: Path) -> "Checkout":
        """Copy the checkout with all that was run in it."""
        shutil.copytree(self.folder, folder, symlinks=True)
        copied = Checkout.__new__(Checkout)
        copied.folder = folder
        copied.batch = folder / "batches" / "tiny.yml"
        copied.run = folder / "runs" / "tiny"
        copied.notebook = folder / "notebooks" / "rq1.ipynb"
        return copied

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start Snakemake on the batch, in a process group of its own."""
        where = [] if "--workflow-profile" in arguments else ["--cores", "2"]
        command = [self.python, "-m", "snakemake", *where, *arguments]
        return subprocess.Popen(
            [*command, "--config", "batch=batches/tiny.yml"],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )

    def snakemake(self, *arguments: str) -> tuple[int, str]:
        """Run Snakemake on the batch to its end; return its exit status and all it printed."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=300)
        return process.returncode, output

    def planned(self) -> int:
        """Return how many jobs Snakemake would run now."""
        status, output = self.snakemake("--dry-run")
        assert status == 0, output
        found = re.search(r"^job +(\d+)$", output, re.MULTILINE)
        return int(found[1]) if found else 0

    def finished(self) -> dict[str, str]:
        """Return when the table of each finished job was made, by name."""
        return {
            path.parent.name: json.loads(path.read_text(encoding="utf-8"))["date"]
            for path in self._written()
        }

    def tables(self) -> dict[str, bytes]:
        """Return the table of each finished job as it is on disk."""
        return {
            path.parent.name: path.with_suffix(".parquet").read_bytes() for path in self._written()
        }

    def wait_for_a_job(self, process: subprocess.Popen) -> None:
        """Wait until a job is finished and others are not."""
        while not self.finished():
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.05)
        time.sleep(0.5)  # Snakemake makes a note of it
        assert len(self.finished()) < JOBS

    def _written(self) -> list[Path]:
        # Written when a job ends, after its tables.
        ended = sorted(self.run.glob("jobs/*/benchmark.tsv"))
        return [path.with_name("capacity.json") for path in ended]


def kill_group(process: subprocess.Popen) -> str:
    """Kill a process with all its children, as a machine that loses power does."""
    os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[0]
