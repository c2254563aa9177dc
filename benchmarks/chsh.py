"""Times the statistics beside what one would pick instead: ``python -m benchmarks.chsh``.

The report and its bootstrap beside `scipy.stats.bootstrap` and a loop over resamples; how the
bootstrap grows with replicas; large tables, and how long an import takes; the closed forms of an
atlas beside a linear program for each game. One thread. Times are printed only of what was found to
agree, and the shortest of some repeats. With ``--against`` the package as it was at another commit
is timed as well, by turns.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import ncnet
from benchmarks import revisions
from ncnet.chsh.bootstrap import distinct_columns, resampled_means
from ncnet.chsh.inference import CHANGES, CORRELATORS, replica_rows, s_of_rows
from ncnet.studies.atlas import analysis as atlas

ROOT = Path(__file__).resolve().parents[1]
HIDDEN_SIZE = 3
REPLICAS = 1600
RESAMPLES = 10_000
GOAL = 0.3  # seconds for a report
MANY = 1_000_000  # replicas of a large report
ROWS = 2_000_000  # of a large table
GOALS = {
    "report on a million replicas, s": 1.0,
    "DataFrame of two million rows, s": 2.0,
    "the same, MB": 300.0,
    "CSV of two million rows, s": 2.0,
    "the same file, MB": 300.0,
}
STARTS = {"import ncnet.chsh": 1.1, "ncnet report": 2.0}
"""How many times as long as ``import xarray`` these may take, from the start of Python."""
REPEATS = 3
STARTED = 11  # times that a process is started
LOOPED = 1000  # resamples that the loop is timed on
DRAWN_AT_ONCE = 2**17  # replicas in a batch of SciPy's; of 2**11 to 2**21 about the fastest
GROWTH = {100: RESAMPLES, REPLICAS: RESAMPLES, 100_000: 100, 1_000_000: 10}
"""Numbers of replicas, and on how many resamples SciPy is timed with each."""
DIFFERENT = {REPLICAS: RESAMPLES, 25_600: 200}
"""The same for replicas of which no two are alike."""
SAMPLE = 20  # games given to the linear program
PROCESS = Path("/proc/self")
TOLERANCE = 5  # Monte-Carlo errors that a standard error may be off


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chsh", description=__doc__)
    parser.add_argument(
        "--against", metavar="COMMIT", type=revisions.commit, help="an older commit to time as well"
    )
    parser.add_argument("--measure", choices=MEASURED, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(MEASURED[options.measure]()))
        return
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit(_with_one_thread())
    load = f"{os.getloadavg()[0]:.1f} processes" if hasattr(os, "getloadavg") else "unknown"
    print(f"one thread; load of the machine's {os.cpu_count()} cores at the start: {load}\n")
    outcomes = ncnet.train(
        ncnet.games.overlap(), hidden_size=HIDDEN_SIZE, replicas=REPLICAS, seed=0
    )
    rows = game_rows(outcomes)
    _print_report(outcomes, rows)
    _print_growth(rows)
    if options.against is None:
        _print_goals({"now": ROOT})
    else:
        with revisions.checkout(options.against) as folder:
            _print_goals({options.against: folder, "now": ROOT})
    _print_atlas()


def game_rows(outcomes: xr.Dataset) -> np.ndarray:
    """Return S, the four correlators and the four changes of each replica, [9, replicas]."""
    means = ncnet.chsh.replica_means(outcomes)
    rows = replica_rows(means, ncnet.chsh.influence(outcomes))
    return np.vstack([s_of_rows(rows), rows[CORRELATORS], rows[CHANGES]])


def with_ncnet(rows: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    return resampled_means(*distinct_columns(rows), resamples=resamples, seed=seed)


def with_scipy(rows: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    # Imported where it is used, as the report does: its first call is timed with this import.
    from scipy.stats import bootstrap

    found = bootstrap(
        (rows,),
        np.mean,
        n_resamples=resamples,
        batch=max(1, DRAWN_AT_ONCE // rows.shape[1]),
        axis=-1,
        method="percentile",
        rng=seed,
    )
    return found.bootstrap_distribution


def with_loop(rows: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    replicas = rows.shape[1]
    means = [
        rows[:, generator.integers(replicas, size=replicas)].mean(axis=1) for _ in range(resamples)
    ]
    return np.stack(means, axis=1)


BOOTSTRAPS = {"ncnet": with_ncnet, "scipy": with_scipy, "loop": with_loop}
"""Each returns bootstrap means [rows, resamples] of rows [rows, replicas], drawn jointly."""


def errors_apart(rows: np.ndarray, draws: np.ndarray) -> float:
    """Return how far bootstrap standard errors are off, at most, in Monte-Carlo errors.

    With endless resamples they would be the standard deviations of the rows over the root of the
    replicas; of B nearly normal draws, a standard deviation is known to 1 part in sqrt(2 B).
    """
    exact = rows.std(axis=1) / np.sqrt(rows.shape[1])
    known_to = np.maximum(exact / np.sqrt(2 * draws.shape[1]), 1e-12)  # some rows are constant
    return float((abs(draws.std(axis=1) - exact) / known_to).max())


def drawn_pairs(tasks: int, replicas: int, seed: int) -> xr.Dataset:
    """Return outcomes as `atlas.train_pairs` does, but of many contextual games.

    On each pair of tasks the parties nearly always agree, or nearly always disagree, by chance:
    a game is contextual where they disagree in one or three of its contexts.
    """
    generator = np.random.default_rng(seed)
    shape = (tasks, tasks, replicas, 4)
    a = generator.choice([-1, 1], shape)
    agree = generator.choice([-1, 1], (tasks, tasks, 1, 1))
    b = a * agree * generator.choice([-1, 1], shape, p=[0.1, 0.9])
    dimensions = ("alice_task", "bob_task", "replica", "item")
    parties = {"a": a, "b": b}
    return xr.Dataset({name: (dimensions, x.astype(np.int8)) for name, x in parties.items()})


def closed_forms(pairs: xr.Dataset) -> np.ndarray:
    """Return the coupling deficit of all games by formula: half of s_odd - Delta - 2, if above 0.

    Over (A1, A2, B1, B2). The survey has S alone; its other facets are those of the games with
    a party's tasks exchanged, and their negatives.
    """
    found = atlas.survey(pairs)
    s, delta = (
        found[name].to_numpy().reshape((pairs.sizes["alice_task"],) * 4) for name in ("s", "delta")
    )
    exchanges = [(0, 1, 2, 3), (1, 0, 2, 3), (0, 1, 3, 2), (1, 0, 3, 2)]
    s_odd = np.max([abs(s.transpose(exchange)) for exchange in exchanges], axis=0)
    return ((s_odd - delta - ncnet.chsh.CLASSICAL_BOUND) / 2).clip(min=0)


def sampled_games(tasks: int, games: int, seed: int) -> np.ndarray:
    """Return places of A1, A2, B1, B2 among the tasks, [games, 4]."""
    chosen = np.random.default_rng(seed).choice(tasks**4, games, replace=False)
    return np.stack(np.unravel_index(chosen, (tasks,) * 4), axis=1)


def game_means(pairs: xr.Dataset, game: np.ndarray) -> xr.Dataset:
    """Return the means over replicas that `coupling_deficit` takes, of one game."""
    chosen = pairs.isel(alice_task=game[:2], bob_task=game[2:])
    return ncnet.chsh.replica_means((chosen["a"].values, chosen["b"].values)).mean("replica")


def programs(tables: list[xr.Dataset]) -> np.ndarray:
    return np.array([ncnet.chsh.coupling_deficit(means) for means in tables])


def _with_one_thread() -> int:
    command = [sys.executable, "-m", "benchmarks.chsh", *sys.argv[1:]]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


def _timed(work: Callable[[], object], repeats: int = REPEATS) -> tuple[float, object]:
    """Return the shortest time of some repeats, and what the work returned."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def _print_report(outcomes: xr.Dataset, rows: np.ndarray) -> None:
    first, _ = _timed(lambda: ncnet.chsh.report(outcomes), repeats=1)
    report, _ = _timed(lambda: ncnet.chsh.report(outcomes))
    print(
        f"a report on {REPLICAS:,} replicas x 8 items with {RESAMPLES:,} resamples: {report:.2f} s "
        f"(goal {GOAL} s: {'met' if report <= GOAL else 'missed'});\nthe first call, with imports: "
        f"{first:.2f} s\n\nthe bootstrap alone, {RESAMPLES:,} resamples"
    )
    table = pd.DataFrame(
        [
            _bootstrap_times(name, part, engine)
            for name, part in (("S", rows[:1]), ("S, 4 correlators, 4 changes", rows))
            for engine in BOOTSTRAPS
        ]
    )
    ours = table["rows"].map(table[table["engine"] == "ncnet"].set_index("rows")["s"])
    shown = table.assign(
        s=table["s"].map(_figures),
        ours=(table["s"] / ours).map(_figures),
        report=(table["s"] / report).map(_figures),
        apart=table["apart"].map("{:.1f}".format),
    ).rename(columns={"ours": "/ ours", "report": "/ report", "apart": "errors apart"})
    print(shown.to_string(index=False))
    print(
        "timed on: resamples; from fewer, the time is extrapolated\n"
        "/ report: the whole report is the unit, with all its intervals and tests\n"
        "errors apart: standard error from the exact one, in Monte-Carlo errors, the largest\n"
    )


def _bootstrap_times(name: str, rows: np.ndarray, engine: str) -> dict:
    resamples = LOOPED if engine == "loop" else RESAMPLES
    seconds, draws = _timed(lambda: BOOTSTRAPS[engine](rows, resamples, seed=0))
    return {
        "rows": name,
        "engine": engine,
        "timed on": f"{resamples:,}",
        "s": seconds * RESAMPLES / resamples,
        "apart": _checked(rows, draws),
    }


def _checked(rows: np.ndarray, draws: np.ndarray) -> float:
    apart = errors_apart(rows, draws)
    if apart > TOLERANCE:
        raise RuntimeError(f"a standard error is {apart:.1f} Monte-Carlo errors off")
    return apart


def _print_growth(rows: np.ndarray) -> None:
    print(
        f"growth over replicas: S, 4 correlators, 4 changes, {RESAMPLES:,} resamples; values drawn "
        f"from\nthe {REPLICAS:,} trained, of which few are distinct, or all different"
    )
    few = [_growth(_drawn(rows, replicas), resamples) for replicas, resamples in GROWTH.items()]
    many = [
        _growth(np.random.default_rng(0).normal(size=(len(rows), replicas)), resamples)
        for replicas, resamples in DIFFERENT.items()
    ]
    print(pd.DataFrame(few + many).to_string(index=False))
    print("SciPy timed on: resamples; from fewer, its time is extrapolated\n")


def _drawn(trained: np.ndarray, replicas: int) -> np.ndarray:
    return trained[:, np.random.default_rng(0).integers(trained.shape[1], size=replicas)]


def _growth(rows: np.ndarray, resamples: int) -> dict:
    finding, (columns, counts) = _timed(lambda: distinct_columns(rows))
    resampling, draws = _timed(
        lambda: resampled_means(columns, counts, resamples=RESAMPLES, seed=0)
    )
    by_scipy, others = _timed(lambda: with_scipy(rows, resamples, seed=0))
    _checked(rows, draws)
    _checked(rows, others)
    by_scipy *= RESAMPLES / resamples
    return {
        "replicas": f"{rows.shape[1]:,}",
        "distinct": f"{len(counts):,}",
        "finding them, s": _figures(finding),
        "resampling, s": _figures(resampling),
        "SciPy, s": _figures(by_scipy),
        "SciPy timed on": f"{resamples:,}",
        "SciPy / both": _figures(by_scipy / (finding + resampling)),
    }


def many_replicas(replicas: int = MANY) -> xr.Dataset:
    """Return outcomes of so many replicas, drawn from few that were trained."""
    game, generator = ncnet.games.overlap(), np.random.default_rng(0)
    trained = ncnet.train(game, hidden_size=HIDDEN_SIZE, replicas=REPLICAS, seed=0)
    drawn = trained.isel(replica=generator.integers(REPLICAS, size=replicas))
    return drawn.assign_coords(replica=np.arange(replicas))


def large_table(rows: int = ROWS) -> pd.DataFrame:
    """Return a table of outcomes with so many rows, eight items a replica."""
    names = {"alice_setting": [1, 2], "bob_setting": [1, 2]}
    names |= {"replica": range(rows // 32), "item": range(8)}
    table = pd.MultiIndex.from_product(names.values(), names=names).to_frame(index=False)
    drawn = np.random.default_rng(0).choice([-1, 1], (2, len(table)))
    return table.assign(a=drawn[0], b=drawn[1])


def _time_report() -> dict[str, float]:
    outcomes = many_replicas()
    return {"report on a million replicas, s": _timed(lambda: ncnet.chsh.report(outcomes))[0]}


def _time_frame() -> dict[str, float]:
    return _time_table(large_table(), "DataFrame of two million rows, s", "the same, MB")


def _time_file() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "outcomes.csv"
        # By another process, whose memory is not counted.
        code = "import sys, benchmarks.chsh as b; b.large_table().to_csv(sys.argv[1], index=False)"
        subprocess.run([sys.executable, "-c", code, str(path)], check=True)
        return _time_table(path, "CSV of two million rows, s", "the same file, MB")


def _time_table(table: pd.DataFrame | Path, *names: str) -> dict[str, float]:
    """Return the seconds that reading a table takes, and the megabytes on top of what was there."""
    work = partial(ncnet.chsh.from_table, table)
    ncnet.chsh.from_table(large_table(rows=320))  # what is imported at the first call is no part
    megabytes = _megabytes_on_top(work)
    return dict(zip(names, (_timed(work)[0], megabytes), strict=True))


def _megabytes_on_top(work: Callable[[], object]) -> float:
    """Return the memory that some work takes at its peak, less what is taken before it.

    Not a number where the system is not Linux. A process has the peak of the one that started it.
    """
    if not PROCESS.exists():
        return float("nan")
    (PROCESS / "clear_refs").write_text("5", encoding="utf-8")  # the peak is what is taken now
    before = _peak_megabytes()
    work()
    return _peak_megabytes() - before


def _peak_megabytes() -> float:
    status = (PROCESS / "status").read_text(encoding="utf-8")
    return int(re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)[1]) * 1024 / 1e6


MEASURED = {"report": _time_report, "frame": _time_frame, "file": _time_file}
"""What is timed in a process of its own, so that another commit's package can be."""


def _print_goals(folders: dict[str, Path]) -> None:
    """Print what was asked of large inputs and of starts, and what was met, for each package."""
    print("large inputs, and starts in units of `import xarray`")
    found = {name: {} for name in folders}
    for measured in MEASURED:
        for name, folder in folders.items():
            command = [sys.executable, "-m", "benchmarks.chsh", "--measure", measured]
            done = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE)
            found[name] |= json.loads(done.stdout)
    with tempfile.TemporaryDirectory() as folder:
        starts = _starts(folders, Path(folder) / "outcomes.csv")
    table = pd.DataFrame({name: found[name] | starts[name] for name in folders})
    table["goal"] = pd.Series(GOALS | STARTS)
    table["verdict"] = np.where(table["now"] <= table["goal"], "met", "missed")
    print(table.map(lambda cell: cell if isinstance(cell, str) else _figures(cell)).to_string())
    print()


def _starts(folders: dict[str, Path], path: Path) -> dict[str, dict[str, float]]:
    """Return the median time of each start over that of ``import xarray``, all by turns."""
    large_table(rows=640).to_csv(path, index=False)
    codes = {code: ["-c", code] for code in ("import xarray", "import ncnet.chsh")}
    codes["ncnet report"] = ["-m", "ncnet", "report", str(path)]
    seconds = {name: {code: [] for code in codes} for name in folders}
    for _ in range(STARTED):
        for name, folder in folders.items():
            for code, arguments in codes.items():
                options = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
                work = partial(subprocess.run, [sys.executable, *arguments], **options)
                seconds[name][code].append(_timed(work, repeats=1)[0])
    medians = {name: pd.DataFrame(times).median() for name, times in seconds.items()}
    return {
        name: (times[list(STARTS)] / times["import xarray"]).to_dict()
        for name, times in medians.items()
    }


def _print_atlas() -> None:
    tasks = atlas.tables(2)
    trained = atlas.train_pairs(tasks, hidden_size=1, replicas=64, seed=0, steps=100)
    games = sampled_games(len(tasks), SAMPLE, seed=0)
    print(f"all {len(tasks) ** 4:,} games over the functions of two bits: contextual or not")
    for name, pairs in (("trained", trained), ("drawn", drawn_pairs(len(tasks), 64, seed=0))):
        looked_up, deficits = _timed(lambda pairs=pairs: closed_forms(pairs))
        tables = [game_means(pairs, game) for game in games]
        solved, found = _timed(lambda tables=tables: programs(tables))
        apart = abs(found - deficits[tuple(games.T)]).max()
        if apart > atlas.ROUNDING:
            raise RuntimeError(f"formula and linear program are {apart:.1g} apart")
        solved *= deficits.size / SAMPLE
        print(
            f"  {name}: survey {looked_up * 1000:.0f} ms; a linear program each {solved:.0f} s, "
            f"extrapolated from {SAMPLE} games: {_figures(solved / looked_up)} times as long;\n"
            f"    at most {apart:.1g} apart on the {SAMPLE}, of which {(found > 1e-9).sum()} are "
            f"contextual"
        )


def _figures(value: float) -> str:
    return f"{float(f'{value:.3g}'):,g}"


if __name__ == "__main__":
    main()
