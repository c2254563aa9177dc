"""How many faults tests and replay would find: ``python -m benchmarks.mutations``.

A mutant is the package with one small fault in it, such as a + that became a -. cosmic-ray lists
all that it can make of the modules of `ROOMS`; which are made is drawn with a seed. In a clone of
the checkout's commit each is judged twice: by the tests, which stop at the first that fails, and by
the replay of recorded tables, which stops at the first that differs. One tool makes all of them, so
that both judges see the same. The compiled kernel is C++ and is not changed.

Only tests and tables that run the changed line are asked, for no other could notice. Which these
are, coverage measures on the code without a fault, and that has to pass everything; what runs in a
process that a test starts is not seen. Slow tests are left out, as are tables of which the drawn
rows take long, so the rates are those of what runs at every change.

The checkout stays as it is. A run that was cut off goes on where it was; ``pip install -e
'.[bench]'`` brings what is needed. With ``--record`` the table goes to ``results/``.
"""

import argparse
import ast
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

import pandas as pd

from ncnet import results
from ncnet.checks import check_integer
from ncnet.companion.replay import log
from ncnet.companion.replay.tables import REPLAYS
from ncnet.parts import Parts
from ncnet.replay.pieces import draw

ROOT = Path(__file__).resolve().parents[1]
NAME = "benchmark_mutations"
ROOMS = {
    "statistics": ("ncnet/chsh/*.py", "ncnet/studies/ranks/pigeonhole.py"),
    "training": (
        "ncnet/games.py",
        "ncnet/gradients.py",
        "ncnet/training/*.py",
        "ncnet/training/samples/*.py",
        "ncnet/experiment/*.py",
        "ncnet/experiment/probe/*.py",
    ),
    "analysis": (
        "ncnet/claims.py",
        "ncnet/estimates.py",
        "ncnet/sweeps.py",
        "ncnet/studies/*/*.py",
    ),
}
"""Which modules are changed, by what they are for."""
NOT_CHANGED = ("figures.py", "parameters.py", "replay.py")
"""Modules of a study that compute no recorded number."""
Asked, Made = TypeVar("Asked"), TypeVar("Made")
KILLED, SURVIVED, TIMEOUT = "killed", "survived", "timeout"
LONGEST_TABLE = 45
"""Seconds, Python's start included; a table of which the drawn rows take longer is not asked."""
LONGEST_TESTS = 1200
"""Seconds within which the tests of a file pass without a fault."""
PATIENCE, START = 3, 60
"""A mutant may take so many times as long as the code without a fault, and seconds to start."""
MEMORY = 10_000_000
"""Kilobytes of addresses: a loop without end that collects is ended before the machine is full."""
PYTEST = ("-m", "pytest", "-x", "-q", "-m", "not slow", "-p", "no:cacheprovider")
# Examples that hypothesis finds are the same in each run.
SEEDED = "--hypothesis-seed=0"
NO_TESTS = 5  # pytest's exit status where it found none
NO_VERDICT = (4, NO_TESTS)
"""Exit statuses of pytest that say nothing of the code: wrong arguments, no tests."""


@dataclass(frozen=True)
class Mutant:
    """A fault that was drawn.

    Attributes
    ----------
    room, number
        Where it was drawn, and as which.
    module, line
        The file, and the first line that is changed.
    operator
        cosmic-ray's name of the change.
    before, after
        The changed lines.
    left_out
        Why it is not judged; empty where it is.
    """

    room: str
    number: int
    module: str
    line: int
    operator: str
    before: str
    after: str
    left_out: str = ""


@dataclass(frozen=True)
class Check:
    """What may notice a fault: tests of a file, doctests of a folder, or a recorded table.

    Attributes
    ----------
    kind, name
        "tests" or "replay", and which.
    seconds
        What it takes, watched by coverage.
    lines
        Which lines of which module it runs.
    """

    kind: str
    name: str
    seconds: float
    lines: frozenset[tuple[str, int]]


@dataclass(frozen=True)
class Verdict:
    """What a judge says: killed, survived or timeout; by what; and the seconds it took."""

    verdict: str
    found_by: str
    seconds: float


class FailsWithoutFaultError(RuntimeError):
    """A check fails on the code as it is, and so could not tell a fault from none."""


class InterruptedRunError(RuntimeError):
    """The run was ended from outside, and what was begun says nothing."""


class Clone:
    """A clone of a checkout's commit, to be changed and run.

    Parameters
    ----------
    root
        The checkout.
    folder
        Where the clone is made.
    """

    def __init__(self, root: Path, folder: Path):
        self.folder = folder
        self._process: subprocess.Popen | None = None
        self._interrupted = False
        quiet = ["-c", "advice.detachedHead=false"]
        subprocess.run(["git", *quiet, "clone", "-q", "--no-hardlinks", root, folder], check=True)
        # Compiled files that are told by content: two faults of equal length within one second
        # would pass for one another.
        compiled = ["-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "ncnet"]
        subprocess.run([sys.executable, *compiled], cwd=folder, check=True)

    def run(
        self, arguments: Sequence[str], limit: float, *, until: str | None = None
    ) -> tuple[int | None, str, float]:
        """Run Python with arguments; return its exit status, what it printed last, and the time.

        It is ended at the first line that begins with `until`, and its status is then 1; after
        `limit` seconds, and its status is then None.
        """
        limited = ["sh", "-c", 'ulimit -v "$0"; exec "$@"', str(MEMORY), sys.executable, *arguments]
        begun, lines, enough = time.monotonic(), deque(maxlen=1000), False
        with subprocess.Popen(
            limited,
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as self._process:
            timer = threading.Timer(max(0, limit * (not self._interrupted)), self._kill)
            timer.start()
            for line in self._process.stdout:
                lines.append(line)
                if until and line.startswith(until):
                    enough = True
                    self._kill()
            timer.cancel()
        seconds = time.monotonic() - begun
        if self._interrupted:
            raise InterruptedRunError
        status = self._process.returncode
        if enough or status == -signal.SIGKILL:
            status = 1 if enough or seconds < limit else None
        return status, "".join(lines), seconds

    def interrupt(self) -> None:
        """End what runs, with all that it started; nothing runs here any more."""
        self._interrupted = True
        self._kill()

    def _kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def change(self, mutant: Mutant) -> None:
        """Put a fault into the clone.

        Raises
        ------
        ValueError
            If the lines that it changes are not there.
        """
        path = self.folder / mutant.module
        path.write_text(changed(path.read_text(encoding="utf-8"), mutant), encoding="utf-8")

    def restore(self) -> None:
        """Undo the fault, and all that was written since but compiled files."""
        for command in (["reset", "-q", "--hard"], ["clean", "-fdq", "-e", "__pycache__"]):
            subprocess.run(["git", *command], cwd=self.folder, check=True)
        # Examples that were found with one fault are not tried on the next.
        shutil.rmtree(self.folder / ".hypothesis", ignore_errors=True)


def changed(code: str, mutant: Mutant) -> str:
    r"""Return a module's code with a fault.

    >>> plus = Mutant("statistics", 0, "x.py", 2, "", "y = x + 1", "y = x - 1")
    >>> changed("x = 1\ny = x + 1\n", plus)
    'x = 1\ny = x - 1\n'
    """
    lines, before = code.split("\n"), mutant.before.split("\n")
    there = slice(mutant.line - 1, mutant.line - 1 + len(before))
    if lines[there] != before:
        raise ValueError(f"{mutant.module}, line {mutant.line}: expected {before[0].strip()!r}")
    lines[there] = mutant.after.split("\n")
    return "\n".join(lines)


def drawn(root: Path, room: str, sample: int, seed: int) -> Iterator[Mutant]:
    """Draw places of a room's code, and one change of each, until `sample` of them can be judged.

    Each place has the same chance, however many changes there are of it. A smaller sample is the
    beginning of a larger one.
    """
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    places = _places(root, room)
    chance = random.Random(f"{seed} {room}")
    chance.shuffle(places)
    judged = 0
    for number, (module, changes) in enumerate(places):
        if judged == sample:
            return
        operator, occurrence = chance.choice(changes)
        code = (root / module).read_text(encoding="utf-8")
        mutated = mutate_code(code, get_operator(operator)(), occurrence)
        line, before, after = difference(code, mutated)
        left_out = why_left_out(code, mutated)
        judged += not left_out
        yield Mutant(
            room, number, module, line, operator.partition("/")[2], before, after, left_out
        )


def _places(root: Path, room: str) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return each place that can be changed: its module, and the operators and occurrences."""
    from cosmic_ray.ast import ast_nodes, get_ast_from_path
    from cosmic_ray.plugins import get_operator, operator_names

    # Those that take arguments change what the arguments name; none is asked for.
    known = {name: get_operator(name) for name in sorted(operator_names())}
    operators = {name: made() for name, made in known.items() if not made.arguments()}
    places = {}
    paths = {path for pattern in ROOMS[room] for path in root.glob(pattern)}
    for path in sorted(path for path in paths if path.name not in NOT_CHANGED):
        module = path.relative_to(root).as_posix()
        nodes = list(ast_nodes(get_ast_from_path(path)))
        for name, operator in operators.items():
            found = (place for node in nodes for place in operator.mutation_positions(node))
            for occurrence, place in enumerate(found):
                places.setdefault((module, place), []).append((name, occurrence))
    return [(module, places[module, place]) for module, place in sorted(places)]


def difference(code: str, mutated: str) -> tuple[int, str, str]:
    r"""Return the first line that differs, and the lines that do, before and after.

    >>> difference("a\nb\nc", "a\nB\nc")
    (2, 'b', 'B')
    >>> difference("a\n@b\nc", "a\nc")
    (2, '@b\nc', 'c')
    """
    one, other = code.split("\n"), mutated.split("\n")
    shorter = min(len(one), len(other))
    first = next((n for n in range(shorter) if one[n] != other[n]), shorter - 1)
    # One line at least is left of each, so that a line which is taken out leaves its next one.
    most = shorter - first - 1
    last = next((n for n in range(most) if one[-1 - n] != other[-1 - n]), most)
    before, after = one[first : len(one) - last], other[first : len(other) - last]
    return first + 1, "\n".join(before), "\n".join(after)


def why_left_out(code: str, mutated: str) -> str:
    """Return why a change is no fault that could be noticed; an empty text where it could be.

    >>> why_left_out("def f(x: int | None): return x", "def f(x: int & None): return x")
    'a type annotation'
    >>> why_left_out("def f(*, x): return x", "def f(/, x): return x")
    'not valid Python'
    >>> why_left_out("y = x + 1", "y = x - 1")
    ''
    """
    try:
        what_runs = [ast.dump(_without_annotations(ast.parse(text))) for text in (code, mutated)]
        compile(mutated, "mutated", "exec")
    except SyntaxError:
        return "not valid Python"
    return "a type annotation" if what_runs[0] == what_runs[1] else ""


def _without_annotations(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return tree


def statement(code: str, line: int) -> range:
    r"""Return the lines of the statement that a line is part of; of a block, those of its head.

    >>> code = "def f(\n    x=1,\n):\n    return (\n        x\n    )"
    >>> list(statement(code, 2)), list(statement(code, 5))
    ([1, 2, 3], [4, 5, 6])
    """
    found = range(line, line + 1)
    for node in ast.walk(ast.parse(code)):  # from the outside inwards
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            lines = _head(node)
            if line in lines:
                found = lines
    return found


def touched(code: str, mutant: Mutant) -> set[int]:
    r"""Return the lines of all statements that a mutant changes.

    >>> code = "x = 1\n\n@f\ndef g():\n    return x"
    >>> sorted(touched(code, Mutant("", 0, "x.py", 2, "", "\n@f\ndef g():", "def g():")))
    [3, 4]
    """
    # A decorator goes with the blank line before it.
    places = [n for n, text in enumerate(mutant.before.split("\n"), mutant.line) if text.strip()]
    return {line for place in places for line in statement(code, place)}


def _head(node: ast.AST) -> range:
    decorators = getattr(node, "decorator_list", [])
    place = node.pattern if isinstance(node, ast.match_case) else node
    first = min(part.lineno for part in (place, *decorators))
    if not getattr(node, "body", None):
        return range(first, node.end_lineno + 1)
    # A head and its body may share a line.
    return range(first, max(_head(node.body[0])[0], place.lineno + 1))


def checks(root: Path, seed: int) -> list[tuple[str, str]]:
    """Return kind and name of all that may be asked."""
    folders = sorted({path.parent for path in root.glob("ncnet/**/*.py")})
    files = sorted(root.glob("tests/**/test_*.py"))
    tests = [("tests", path.relative_to(root).as_posix()) for path in (*folders, *files)]
    known = log.seconds_taken()
    tables = []
    for replay in REPLAYS:
        _, where = next(draw([replay], str(seed)))
        short = known.get((replay.table, json.dumps(where)), 0) <= LONGEST_TABLE
        if short and replay.table != NAME:  # it would judge mutants of mutants
            tables.append(("replay", replay.table))
    return [*tests, *tables]


def asked(clone: Clone, kind: str, names: Sequence[str], seed: int) -> list[str]:
    """Return the arguments that have Python ask tests or tables."""
    if kind == "replay":
        tables = [f"--table={name}" for name in names]
        return ["-m", "ncnet.replay", *tables, "--rows=1", f"--seed={seed}"]
    paths = []
    for name in names:
        folder = clone.folder / name
        inside = sorted(path.as_posix() for path in folder.glob("*.py")) if folder.is_dir() else []
        paths += inside or [name]
    return [*PYTEST, SEEDED, *paths]


def watched(clone: Clone, kind: str, name: str, seed: int) -> pd.DataFrame:
    """Run one check on the code without a fault; return the lines that it runs.

    A check that has nothing to say, since it is too slow or has only slow tests, has no rows.

    Raises
    ------
    FailsWithoutFaultError
        If it fails.
    """
    import coverage

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "lines"
        limit = LONGEST_TABLE if kind == "replay" else LONGEST_TESTS
        watch = ["-m", "coverage", "run", f"--data-file={data}", "--source=ncnet"]
        arguments = [*watch, *asked(clone, kind, [name], seed)]
        status, printed, seconds = clone.run(arguments, limit)
        slow_or_missing = status is None or "not replayable here:" in printed
        if status == NO_TESTS if kind == "tests" else slow_or_missing:
            return pd.DataFrame(columns=["module", "line", "seconds"])
        if status != 0:
            last = "\n".join(printed.splitlines()[-20:])
            raise FailsWithoutFaultError(f"{name} does not pass without a fault:\n{last}")
        found = coverage.CoverageData(str(data))
        found.read()
        lines = [
            {"module": Path(file).relative_to(clone.folder).as_posix(), "line": line}
            for file in found.measured_files()
            for line in sorted(found.lines(file))
        ]
    return pd.DataFrame(lines, columns=["module", "line"]).assign(seconds=seconds)


def judged(
    clone: Clone, mutant: Mutant, kind: str, names: Sequence[str], *, seed: int, limit: float
) -> Verdict:
    """Return what tests or tables say of a mutant: what is found first ends the judgement."""
    if not names:
        return Verdict(SURVIVED, "", 0.0)
    arguments, alone = asked(clone, kind, names, seed), 1
    clone.change(mutant)
    try:
        status, printed, seconds = clone.run(
            arguments, limit, until="fail:" if kind == "replay" else None
        )
        pattern = r"^(?:FAILED|ERROR) (\S+)" if kind == "tests" else r"^fail: ([^ ,]+)"
        found = re.search(pattern, printed, re.MULTILINE)
        if kind == "tests" and found:
            test = found[1].partition("[")[0]  # what is in brackets may have blanks
            alone, _, _ = clone.run(asked(clone, kind, [test], seed), limit)
    finally:
        clone.restore()
    if status == 0:
        return Verdict(SURVIVED, "", seconds)
    # A test that passes alone may fail after others whatever the code is.
    if kind == "tests" and (
        status in NO_VERDICT or (alone == 0 and clone.run(arguments, limit)[0])
    ):
        raise RuntimeError(f"pytest has no verdict:\n{printed}")
    return Verdict(TIMEOUT if status is None else KILLED, found[1] if found else "", seconds)


def row(clone: Clone, mutant: Mutant, known: Sequence[Check], seed: int) -> pd.DataFrame:
    """Return a mutant's row of the table: what it is, and what both judges say."""
    code = (clone.folder / mutant.module).read_text(encoding="utf-8")
    lines = {(mutant.module, line) for line in touched(code, mutant)}
    made = asdict(mutant)
    folder = Path(mutant.module).parent.as_posix()
    for kind, found, tried in (("tests", "test", "run_by"), ("replay", "table", "tables")):
        asking = [check for check in known if check.kind == kind and check.lines & lines]
        # The nearest first: doctests of the folder, then what is quick.
        asking.sort(key=lambda check: (check.name != folder, check.seconds))
        names = [] if mutant.left_out else [check.name for check in asking]
        limit = PATIENCE * sum(check.seconds for check in asking) + START
        verdict = judged(clone, mutant, kind, names, seed=seed, limit=limit)
        made |= {
            kind: "" if mutant.left_out else verdict.verdict,
            found: verdict.found_by,
            tried: " ".join(names),
            f"{kind}_seconds": verdict.seconds,
        }
    return pd.DataFrame([made])


def measure(sample: int, seed: int, workers: int) -> pd.DataFrame:
    """Draw mutants, have each judged, and return the table; print what comes of each.

    Raises
    ------
    RuntimeError
        If anything that is to judge fails without a fault; the message has all that do.
    """
    commit, _ = results.checkout()
    parts = Parts(ROOT / "runs" / "mutations" / "parts", {"seed": seed, "commit": commit})
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        clones = [Clone(ROOT, Path(folder) / str(number)) for number in range(workers)]
        known = _known(clones, parts, seed)
        mutants = [
            mutant for room in ROOMS for mutant in drawn(clones[0].folder, room, sample, seed)
        ]

        def judge(clone: Clone, mutant: Mutant) -> pd.DataFrame:
            described = {"mutant": asdict(mutant)}
            rows = parts.part(described, lambda: row(clone, mutant, known, seed))
            print(_line(rows), flush=True)
            return rows

        rows = _shared_out(clones, judge, mutants)
    parts.clear()
    return pd.concat(rows, ignore_index=True)


def _known(clones: Sequence[Clone], parts: Parts, seed: int) -> list[Check]:
    """Return all that is asked, with the lines that it runs."""
    failures = []

    def watch(clone: Clone, named: tuple[str, str]) -> Check | None:
        kind, name = named
        try:
            rows = parts.part({"check": named}, lambda: watched(clone, kind, name, seed))
        except FailsWithoutFaultError as error:
            failures.append(str(error))
            return None
        lines = frozenset(zip(rows["module"], rows["line"].tolist(), strict=True))
        what = f"passes, runs {len(lines):,} lines" if lines else "is not asked: slow, or silent"
        print(f"without a fault: {name} {what}", flush=True)
        return Check(kind, name, float(rows["seconds"].max()), lines) if lines else None

    found = _shared_out(clones, watch, checks(clones[0].folder, seed))
    if failures:
        raise RuntimeError("\n".join(failures))
    return [check for check in found if check is not None]


def _line(rows: pd.DataFrame) -> str:
    mutant = rows.iloc[0]
    where = f"{mutant['module']}:{mutant['line']} {mutant['operator']}"
    if mutant["left_out"]:
        return f"left out ({mutant['left_out']}): {where}"
    verdicts = [
        f"{kind} {mutant[kind]}{f' ({mutant[by]})' if mutant[by] else ''}, "
        f"{mutant[f'{kind}_seconds']:.0f} s"
        for kind, by in (("tests", "test"), ("replay", "table"))
    ]
    return f"{mutant['room']} {mutant['number']}: {'; '.join(verdicts)}: {where}"


def _shared_out(
    clones: Sequence[Clone], work: Callable[[Clone, Asked], Made], tasks: Sequence[Asked]
) -> list[Made]:
    """Give each task a clone that is free; return what is made of them, in their order."""
    free = SimpleQueue()
    for clone in clones:
        free.put(clone)

    def with_a_clone(task: Asked) -> Made:
        clone = free.get()
        try:
            return work(clone, task)
        finally:
            free.put(clone)

    with ThreadPoolExecutor(len(clones)) as threads:
        waiting = [threads.submit(with_a_clone, task) for task in tasks]
        try:
            for done in as_completed(waiting):
                done.result()
        except BaseException:
            for future in waiting:
                future.cancel()
            for clone in clones:
                clone.interrupt()
            raise
    return [done.result() for done in waiting]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutations", description=__doc__)
    parser.add_argument("--sample", type=int, default=60, help="mutants of each room")
    parser.add_argument("--seed", type=int, default=0, help="draws them, and the rows replayed")
    parser.add_argument("--workers", type=int, default=1, help="clones, each a process at a time")
    parser.add_argument("--record", action="store_true", help="write the table to results/")
    given = parser.parse_args()
    if missing := [name for name in ("cosmic_ray", "coverage") if not find_spec(name)]:
        parser.error(f"{' and '.join(missing)} not found: pip install -e '.[bench]'")
    try:
        for name in ("sample", "workers"):
            check_integer(name, getattr(given, name), at_least=1)
        table = measure(given.sample, given.seed, given.workers)
    except (ValueError, RuntimeError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted: the same command goes on from here")
    judged_ones = table[table["left_out"] == ""]
    for kind in ("tests", "replay"):
        print(judged_ones.groupby("room", sort=False)[kind].value_counts().unstack(fill_value=0))
    if given.record:
        results.save(
            NAME,
            table,
            parameters={"sample": given.sample, "seed": given.seed},
            command=f"python -m benchmarks.mutations --sample {given.sample} "
            f"--seed {given.seed} --record",
        )


if __name__ == "__main__":
    main()
