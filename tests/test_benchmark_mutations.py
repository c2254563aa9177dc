"""What the measurement of mutants draws and how it judges; the rates are nobody's test."""

import doctest
import itertools
import os
import subprocess
from dataclasses import asdict, replace

import pandas as pd
import pytest

from benchmarks import mutations
from benchmarks.mutations import KILLED, SURVIVED, TIMEOUT, Check, Clone, Mutant
from ncnet import results
from ncnet.companion.replay import mutations as replayed
from ncnet.companion.replay.remaking import PASS, make_again
from ncnet.replay.pieces import NotReplayableError

CODE = """def below(limit):
    n = 1
    while n < limit:
        n = n * 2
    return n
"""
TESTS = """from ncnet.doubling import below

def test_it_doubles():
    assert below(8) == 8
"""
NOT_AFTER_IT = """import sys

def test_it_is_alone():
    assert "test_doubling" not in sys.modules
"""
PROJECT = '[tool.pytest.ini_options]\nmarkers = ["slow: none"]\n'
LINES = CODE.split("\n")


def mutant(line, before, after):
    whole = LINES[line - 1]
    return Mutant(
        "statistics", 0, "ncnet/doubling.py", line, "", whole, whole.replace(before, after)
    )


FOUND = mutant(4, "n * 2", "n * 3")
NOT_FOUND = mutant(2, "1", "2")
ENDLESS = mutant(4, "n * 2", "n / 2")
TEST, LONELY = "tests/test_doubling.py", "tests/test_lonely.py"


def test_modules_are_there_and_tests_of_all_folders_are_asked(monkeypatch):
    for pattern in itertools.chain(*mutations.ROOMS.values()):
        assert list(mutations.ROOT.glob(pattern)), pattern
    monkeypatch.setattr(mutations, "REPLAYS", ())
    names = {name for _, name in mutations.checks(mutations.ROOT, 0)}
    files = (mutations.ROOT / "tests").rglob("test_*.py")
    assert {path.relative_to(mutations.ROOT).as_posix() for path in files} < names


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkout")
    for name, text in (
        ("ncnet/__init__.py", ""),
        ("ncnet/doubling.py", CODE),
        (TEST, TESTS),
        (LONELY, NOT_AFTER_IT),
        ("pyproject.toml", PROJECT),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    author = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def clone(checkout, tmp_path_factory):
    return Clone(checkout, tmp_path_factory.mktemp("clones") / "0")


def judged(clone, one, limit=60):
    return mutations.judged(clone, one, "tests", [TEST], seed=0, limit=limit)


def test_its_examples_run():
    assert doctest.testmod(mutations).failed == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [("a\nb\nc", "a\nB\nc"), ("a\nb", "b"), ("a\na\nb", "a\nb"), ("a\nb\n", "a\nB\n")],
)
def test_a_difference_makes_one_code_of_the_other(before, after):
    line, one, other = mutations.difference(before, after)
    assert mutations.changed(before, Mutant("", 0, "", line, "", one, other)) == after


def test_only_the_lines_that_were_mutated_are():
    with pytest.raises(ValueError, match="line 4: expected 'n = n"):
        mutations.changed(CODE.replace("n * 2", "n + n"), FOUND)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("one", "verdict"), [(FOUND, KILLED), (NOT_FOUND, SURVIVED)], ids=["found", "not found"]
)
def test_tests_judge_a_mutant_in_the_clone(checkout, clone, one, verdict):
    found = judged(clone, one)
    assert found.verdict == verdict
    assert found.found_by == (f"{TEST}::test_it_doubles" if verdict == KILLED else "")
    for folder in (checkout, clone.folder):
        assert (folder / "ncnet" / "doubling.py").read_text(encoding="utf-8") == CODE


@pytest.mark.slow
def test_a_mutant_without_end_is_ended(clone):
    assert judged(clone, ENDLESS, limit=3).verdict == TIMEOUT


@pytest.mark.slow
def test_what_is_no_verdict_is_none(clone):
    with pytest.raises(RuntimeError, match="no verdict"):
        mutations.judged(clone, FOUND, "tests", ["tests/test_none.py"], seed=0, limit=60)
    with pytest.raises(RuntimeError, match=r"(?s)no verdict.*test_it_is_alone"):
        mutations.judged(clone, NOT_FOUND, "tests", [TEST, LONELY], seed=0, limit=60)


@pytest.mark.slow
def test_faults_of_equal_length_within_one_second_are_told_apart(clone):
    path, call = clone.folder / FOUND.module, "import ncnet.doubling as d; assert d.below(8) == 8"
    clone.restore()
    assert clone.run(["-c", call], 60)[0] == 0
    time = path.stat()
    clone.change(FOUND)
    os.utime(path, ns=(time.st_atime_ns, time.st_mtime_ns))
    assert clone.run(["-c", call], 60)[0] == 1
    clone.restore()


def test_an_interrupted_clone_runs_nothing(checkout, tmp_path):
    ended = Clone(checkout, tmp_path / "clone")
    ended.interrupt()
    with pytest.raises(mutations.InterruptedRunError):
        judged(ended, FOUND)


@pytest.mark.slow
def test_only_what_runs_the_line_is_asked(clone):
    lines = frozenset({(FOUND.module, 2), (FOUND.module, 3)})
    [other] = mutations.row(clone, FOUND, [Check("tests", TEST, 1.0, lines)], 0).to_dict("records")
    assert (other["tests"], other["run_by"]) == (SURVIVED, "")
    here = lines | {(FOUND.module, FOUND.line)}
    [row] = mutations.row(clone, FOUND, [Check("tests", TEST, 1.0, here)], 0).to_dict("records")
    assert (row["tests"], row["run_by"]) == (KILLED, TEST)


@pytest.mark.slow
def test_coverage_says_which_lines_run_and_what_fails(clone):
    pytest.importorskip("coverage")
    rows = mutations.watched(clone, "tests", TEST, 0)
    found = rows.loc[rows["module"] == "ncnet/doubling.py", "line"]
    assert found.to_list() == [1, 2, 3, 4, 5]
    clone.change(FOUND)
    with pytest.raises(mutations.FailsWithoutFaultError, match="does not pass without a fault"):
        mutations.watched(clone, "tests", TEST, 0)
    clone.restore()


@pytest.mark.slow
def test_a_smaller_sample_is_the_beginning_of_a_larger_one():
    pytest.importorskip("cosmic_ray")
    few, more = (list(mutations.drawn(mutations.ROOT, "statistics", n, 0)) for n in (2, 4))
    assert len([one for one in more if not one.left_out]) == 4
    assert few == more[: len(few)]


def recorded(one, tests):
    row = asdict(one) | {
        "tests": tests,
        "test": "",
        "run_by": TEST,
        "tests_seconds": 1.0,
        "replay": SURVIVED,
        "table": "",
        "tables": "",
        "replay_seconds": 0.0,
    }
    provenance = {"parameters": {"seed": 0}, "commit": "HEAD", "checksum": ""}
    return results.Result(pd.DataFrame([row]), provenance)


@pytest.fixture
def again(checkout, monkeypatch):
    """Replay a recorded mutant in the small checkout."""
    monkeypatch.setattr(mutations, "ROOT", checkout)
    monkeypatch.setattr(results, "checkout", lambda: ("HEAD", True))
    [replay] = replayed.REPLAYS

    def make(result):
        monkeypatch.setattr(type(replay), "load", lambda self: result)
        [where] = replay.pieces(result.table)
        return make_again(replay, where, equal=True, seed="0")

    return make


@pytest.mark.slow
def test_a_recorded_verdict_is_replayed(again):
    assert again(recorded(FOUND, KILLED)).verdict == PASS
    assert again(recorded(NOT_FOUND, SURVIVED)).verdict == PASS
    wrong = again(recorded(NOT_FOUND, KILLED))
    assert wrong.told == "tests: recorded 'killed', made again 'survived'"


def test_a_mutant_that_can_no_longer_be_made_is_not_replayable(again, monkeypatch):
    gone = recorded(replace(FOUND, before="n = 2"), KILLED)
    assert "another now: ncnet/doubling.py, line 4" in again(gone).told
    moved = recorded(replace(FOUND, module="ncnet/tripling.py"), KILLED)
    assert "ncnet/tripling.py is no longer there" in again(moved).told
    unknown = recorded(NOT_FOUND, SURVIVED)
    unknown.provenance["commit"] = None
    assert again(unknown).told == replayed.CHANGED_SINCE
    monkeypatch.setattr(results, "checkout", lambda: (None, None))
    with pytest.raises(NotReplayableError, match="the checkout has changes"):
        replayed.REPLAYS[0].make(gone, {"room": "statistics", "number": 0})
