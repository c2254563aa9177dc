"""Trains the same ensemble with every engine, side by side: ``python -m benchmarks.ensemble``.

Each measurement is a process of its own, kept to as many cores as it is to use, so that every
library starts cold and none sees another's threads.
"""

import argparse
import importlib.metadata
import importlib.util
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

import ncnet
from benchmarks import agreement, kernels, limit, revisions
from benchmarks.agreement import AGREE_AFTER, STEPS
from benchmarks.engines import ENGINES, Ours
from benchmarks.problem import Problem
from ncnet import results
from ncnet.checks import check_choice

ROOT = Path(__file__).resolve().parents[1]
HIDDEN_SIZE = 3
REPLICAS = {"loop": 2, "vmap": 1600, "jax": 1600, "eager": 1600, "compiled": 1600}
REPEATS = {"loop": 1, "vmap": 1, "jax": 3, "eager": 3, "compiled": 5}
GOALS = {
    ("compiled", "loop"): 3000,
    ("compiled", "vmap"): 60,
    ("compiled", "jax"): 6,
    ("eager", "vmap"): 8,
}
STEPS_OF = {100: 2000, 1000: 2000, 10_000: 1000, 100_000: 400, 1_000_000: 100}
"""Steps for each number of replicas, over which time is seen to grow."""
STOCHASTIC = {
    "batches": {"batch_size": 8},
    "batches, flipped labels": {"batch_size": 8, "label_noise": 0.1},
    "own batches": {"batch_size": 8, "own_batches": True},
    "own batches, flipped labels": {"batch_size": 8, "label_noise": 0.1, "own_batches": True},
    "momentum, weight decay": {"momentum": 0.9, "weight_decay": 0.01},
}
"""What a step may do besides: with batches of as many items as the full batch has."""
MOST_FOR_BATCHES = 1.5
CORES = os.cpu_count() or 1
EXTRA = "pip install -e '.[bench]'"


def main() -> None:
    options = _options()
    if options.measure:
        print(json.dumps(_measure(**json.loads(options.measure))))
        return
    if options.against:
        print(kernels.shown(kernels.against(options.against), options.against))
        return
    devices = ["cpu", "cuda"] if _has_gpu() else ["cpu"]
    rates = pd.concat([_rates(device, options.engines) for device in devices], ignore_index=True)
    _print_stochastic([backend for backend in ("compiled", "eager") if backend in options.engines])
    growth = _growth(options.engines)
    print("\nhow our time grows\n" + growth.to_string(index=False))
    if options.record:
        parameters = {"hidden_size": HIDDEN_SIZE, "steps": STEPS, "replicas": REPLICAS}
        parameters["jax"] = importlib.metadata.version("jax")
        parameters["operations"] = _operations()
        command = "python -m benchmarks.ensemble --record"
        for name, table in (("benchmark_engines", rates), ("benchmark_growth", growth)):
            results.save(name, table, parameters=parameters, command=command)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ensemble", description=__doc__)
    parser.add_argument(
        "--engines", nargs="+", default=list(ENGINES), metavar="ENGINE", help=", ".join(ENGINES)
    )
    parser.add_argument(
        "--record", action="store_true", help="write the tables to results/ as well"
    )
    parser.add_argument(
        "--against",
        metavar="COMMIT",
        type=revisions.commit,
        help="time the compiled kernels beside another commit's, and nothing else",
    )
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        for engine in options.engines:
            check_choice("engine", engine, ENGINES)
    except ValueError as error:
        parser.error(str(error))
    missing = [engine for engine in ENGINES if engine not in options.engines]
    if options.record and not importlib.util.find_spec("jax"):
        missing.append("jax")
    if options.record and missing:
        parser.error(f"--record takes all engines, `{missing[0]}` is missing: {EXTRA} brings JAX")
    return options


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _rates(device: str, engines: list[str]) -> pd.DataFrame:
    chosen = [engine for engine in engines if _usable(engine, device)]
    thread_counts = [1, CORES] if device == "cpu" and CORES > 1 else [CORES]
    print(
        f"\n{device}: overlap, n = {HIDDEN_SIZE}, {STEPS:,} steps, tanh, gradient descent, "
        f"float32; {REPLICAS['compiled']:,} replicas in four contexts;\nthe loop is timed on "
        f"{4 * REPLICAS['loop']} networks: its rate is extrapolated to as many\n"
    )
    rates = measured(device, chosen, thread_counts)
    print(_rate_table(rates), "\n\nratios", _ratio_table(rates), sep="\n")
    print(
        f"\nagreement with float64: largest difference of a weight after {AGREE_AFTER} steps, "
        f"share of outcomes that differ after {STEPS:,}"
    )
    print(rates[["engine", *agreement.COLUMNS]].drop_duplicates().to_string(index=False))
    if device == "cpu":
        print("\n" + _share_table(rates))
    return rates


def measured(
    device: str,
    engines: Sequence[str],
    thread_counts: Sequence[int],
    repeats: Mapping[str, int] = REPEATS,
) -> pd.DataFrame:
    """Return a row for each engine and number of threads, its agreement with float64 included."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for engine, threads in itertools.product(engines, thread_counts):
            asked = {"engine": engine, "device": device, "threads": threads}
            label = {"label": ENGINES[engine].label}
            found = _in_process(folder=folder, repeats=repeats[engine], **asked)
            rows.append(label | asked | found)
        agreement = _agreement(engines, Path(folder))
    return pd.DataFrame(rows).merge(agreement, on="engine")


def _usable(engine: str, device: str) -> bool:
    if engine == "jax":
        if importlib.util.find_spec("jax") is None:
            print(f"JAX is left out, it is not installed: {EXTRA}")
            return False
        if device == "cuda":
            import jax

            return any(one.platform == "gpu" for one in jax.devices())
    # On a GPU a loop over modules would take an hour, and the compiled backend is for CPUs.
    return device == "cpu" or engine in ("vmap", "jax", "eager")


def _in_process(**asked: object) -> dict:
    environment = os.environ | {"OMP_NUM_THREADS": str(asked["threads"])}
    with tempfile.TemporaryDirectory() as cache:
        # Nothing compiled before is found: the first start is a cold one.
        environment["XDG_CACHE_HOME"] = cache
        command = [sys.executable, "-m", "benchmarks.ensemble", "--measure", json.dumps(asked)]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, encoding="utf-8"
        )
    return json.loads(done.stdout.splitlines()[-1])


def _measure(engine: str, threads: int, device: str, folder: str, repeats: int) -> dict:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    trainer = ENGINES[engine]
    problem = Problem(HIDDEN_SIZE, REPLICAS[engine], STEPS)
    # JAX compiles for a number of networks and steps, the others for none.
    first = problem if engine == "jax" else Problem(HIDDEN_SIZE, replicas=1, steps=1)
    cold = _seconds(lambda: trainer.train(first, device))
    rates = [
        problem.network_steps / _seconds(lambda: trainer.train(problem, device))
        for _ in range(repeats)
    ]
    np.savez(Path(folder) / engine, **agreement.trained(trainer, problem, device))
    return {
        "rate": max(rates),
        "slowest": min(rates),
        "cold_seconds": cold - first.network_steps / max(rates),
        # Measured here and now: other work on the machine slows both down.
        "peak": limit.peak(threads) if device == "cpu" else None,
    }


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _agreement(engines: Sequence[str], folder: Path) -> pd.DataFrame:
    """Compare each engine with the eager one in float64, on the replicas that it trained."""
    most = max(REPLICAS.values())
    reference = agreement.exact(Problem(HIDDEN_SIZE, most, STEPS))
    rows = []
    for engine in engines:
        with np.load(folder / f"{engine}.npz") as found:
            apart = agreement.compared(dict(found), reference, REPLICAS[engine], most)
        rows.append({"engine": engine} | apart)
    return pd.DataFrame(rows)


def _print_stochastic(backends: list[str]) -> None:
    """Time steps that draw batches or labels beside full-batch steps, by turns, on one thread."""
    print(
        f"\nsteps in which items are drawn, beside full-batch steps of as many (goal at most "
        f"{MOST_FOR_BATCHES})"
    )
    for backend in backends:
        times = {name: [] for name in ("full batch", *STOCHASTIC)}
        for _ in range(REPEATS[backend]):
            for name, seconds in times.items():
                work = partial(_stochastic, backend, STOCHASTIC.get(name, {}))
                seconds.append(_seconds(work))
        for name in STOCHASTIC:
            ratio = min(times[name]) / min(times["full batch"])
            verdict = "met" if ratio <= MOST_FOR_BATCHES else "missed"
            print(f"  {backend}, {name}: {ratio:.2f} ({verdict})")


def _stochastic(backend: str, options: Mapping[str, object]) -> None:
    asked = {"hidden_size": HIDDEN_SIZE, "replicas": REPLICAS[backend], "seed": 0}
    steps = STEPS if backend == "compiled" else AGREE_AFTER
    asked |= {"steps": steps, "backend": backend, "threads": 1}
    ncnet.train(ncnet.games.overlap(), **asked, **options)


def _growth(engines: list[str]) -> pd.DataFrame:
    """Time our calls alone over replicas, hidden sizes and threads; eagerly up to 10,000."""
    rows = []
    for backend in (backend for backend in ("compiled", "eager") if backend in engines):
        most = max(STEPS_OF) if backend == "compiled" else 10_000
        for varied, values in {
            "replicas": [replicas for replicas in STEPS_OF if replicas <= most],
            "hidden_size": (1, 2, 3, 4, 8, 16, 32, 64),
            "threads": range(1, CORES + 1),
        }.items():
            rows += [grown(backend, varied, value, CORES) for value in values]
    return pd.DataFrame(rows)


def grown(backend: str, varied: str, value: int, cores: int) -> dict:
    """Return a row of the table on growth: what `backend` takes if one thing is `value`."""
    problem = {
        "replicas": lambda: Problem(HIDDEN_SIZE, value, STEPS_OF[value]),
        "hidden_size": lambda: Problem(value, 1600, 200),
        "threads": lambda: Problem(HIDDEN_SIZE, 1600, STEPS),
    }[varied]()
    threads, trainer = (value if varied == "threads" else cores), Ours(backend)
    trainer.train(Problem(problem.hidden_size, replicas=1, steps=1), "cpu")  # compile first
    seconds = min(_seconds(lambda: trainer.train(problem, "cpu", threads)) for _ in range(2))
    return {
        "backend": backend,
        "varied": varied,
        "value": value,
        "steps": problem.steps,
        "seconds": seconds,
        "rate": problem.network_steps / seconds,
    }


def _rate_table(rates: pd.DataFrame) -> str:
    shown = rates.assign(
        rate=rates["rate"].map(_million),
        slowest=rates["slowest"].map(_million),
        cold_seconds=rates["cold_seconds"].map("{:.1f}".format),
    )
    columns = {
        "label": "engine",
        "threads": "threads",
        "rate": "million network-steps/s",
        "slowest": "slowest repeat",
        "cold_seconds": "cold start, s",
    }
    return shown[list(columns)].rename(columns=columns).to_string(index=False)


def _million(rate: float) -> str:
    return f"{rate / 1e6:.3g}"


def _ratio_table(rates: pd.DataFrame) -> str:
    lines = []
    for threads, of_threads in rates.groupby("threads"):
        rate = of_threads.set_index("engine")["rate"]
        for (ours, other), goal in GOALS.items():
            if {ours, other} <= set(rate.index):
                ratio = rate[ours] / rate[other]
                verdict = "met" if ratio >= goal else "missed"
                lines.append(
                    f"  {threads} thread(s): {ours} / {other} = {ratio:,.1f} "
                    f"(goal {goal:,}: {verdict})"
                )
    return "\n".join(lines)


def _operations() -> int:
    items, features = Problem(HIDDEN_SIZE, replicas=1, steps=1).inputs().shape
    return limit.operations(HIDDEN_SIZE, features + 1, items)


def _share_table(rates: pd.DataFrame) -> str:
    flops = _operations()
    lines = [f"a network-step is {flops:,} floating-point operations, as a textbook has it"]
    for row in rates.itertuples():
        reached = row.rate * flops
        lines.append(
            f"  {row.label}, {row.threads} thread(s): {reached / 1e9:.3g} of {row.peak / 1e9:.0f} "
            f"billion a second, the peak of fused multiply-adds alone: {reached / row.peak:.2%}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
