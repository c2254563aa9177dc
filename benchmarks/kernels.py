"""Times the compiled kernels beside another commit's: ``python -m benchmarks.ensemble --against``.

One for each activation and optimizer, on one thread. The two packages take turns, each turn a
process of its own, and a rate is the best of all turns.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import agreement, revisions
from benchmarks.engines import Ours
from benchmarks.problem import Problem
from ncnet.training.network import ACTIVATIONS
from ncnet.training.optimizers import OPTIMIZERS

PROBLEM = Problem(hidden_size=3, replicas=1600, steps=agreement.STEPS)
KERNELS = list(itertools.product(ACTIVATIONS, OPTIMIZERS))
TURNS, REPEATS = 3, 4
GOAL = 1.5


def main() -> None:
    """Time the package of the folder that this runs in, and keep what it trains in another one."""
    rates = {}
    for activation, optimizer in KERNELS:
        engine = Ours("compiled", activation=activation, optimizer=optimizer)
        found = agreement.trained(engine, PROBLEM)  # it compiles, too
        np.savez(Path(sys.argv[1]) / f"{activation} {optimizer}", **found)
        seconds = []
        for _ in range(REPEATS):
            start = time.process_time()
            engine.train(PROBLEM, "cpu", threads=1)
            seconds.append(time.process_time() - start)
        rates[f"{activation} {optimizer}"] = PROBLEM.network_steps / min(seconds)
    print(json.dumps(rates))


def against(revision: str) -> pd.DataFrame:
    """Return a row for each kernel: both packages' rates, their ratio, and their agreement.

    Raises
    ------
    ValueError
        For what names no commit.
    """
    with revisions.checkout(revision) as checkout, tempfile.TemporaryDirectory() as folder:
        roots = {"then": checkout, "now": revisions.ROOT}
        rates = {name: [] for name in roots}
        for _, (name, root) in itertools.product(range(TURNS), roots.items()):
            kept = Path(folder) / name
            kept.mkdir(exist_ok=True)
            rates[name].append(_turn(root, kept))
        best = {name: pd.DataFrame(turns).max() for name, turns in rates.items()}
        rows = [_row(best, Path(folder), *kernel) for kernel in KERNELS]
    return pd.DataFrame(rows)


def _turn(root: Path, kept: Path) -> dict[str, float]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.kernels", str(kept)]
    done = subprocess.run(
        command, cwd=root, env=environment, check=True, stdout=subprocess.PIPE, encoding="utf-8"
    )
    return json.loads(done.stdout.splitlines()[-1])


def _row(best: dict, folder: Path, activation: str, optimizer: str) -> dict:
    kernel = f"{activation} {optimizer}"
    row = {"activation": activation, "optimizer": optimizer}
    row |= {name: rates[kernel] for name, rates in best.items()}
    row["ratio"] = row["now"] / row["then"]
    row["verdict"] = "met" if row["ratio"] >= GOAL else "missed"
    reference = agreement.exact(PROBLEM, activation, optimizer)
    for name in best:
        with np.load(folder / name / f"{kernel}.npz") as found:
            apart = agreement.compared(dict(found), reference, *[PROBLEM.replicas] * 2)
        row |= {f"{column}_{name}": value for column, value in apart.items()}
    return row


def shown(table: pd.DataFrame, revision: str) -> str:
    """Return the table as it is printed."""
    columns = table.assign(
        then=(table["then"] / 1e6).map("{:.1f}".format),
        now=(table["now"] / 1e6).map("{:.1f}".format),
        ratio=table["ratio"].map("{:.2f}".format),
        **{
            name: table[name].map(("{:.1e}" if "weights" in name else "{:.3%}").format)
            for name in table
            if name.startswith(agreement.COLUMNS)
        },
    )
    return (
        f"the compiled kernels then ({revision}) and now: million network-steps/s on one thread, "
        f"goal {GOAL} times;\nlargest difference of a weight from float64 after "
        f"{agreement.AGREE_AFTER} steps, share of outcomes that differ after {agreement.STEPS:,}\n"
        + columns.to_string(index=False)
    )


if __name__ == "__main__":
    main()
