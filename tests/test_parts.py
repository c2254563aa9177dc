"""Parts of a run: kept while it lasts, gone when it ends, never those of another run."""

import json
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from ncnet import parts, results, runs
from ncnet.parameters import Notebook
from ncnet.parts import INPUTS, Parts

ROOT = Path(__file__).resolve().parents[1]
TABLE = pd.DataFrame({"n": [1, 2], "s": [0.5, 1.8]})


@pytest.fixture
def begin(tmp_path):
    """Return a function that begins a run, gives some of its parts, and says which were made."""

    def begun(*names, seed=0, code=""):
        run, made = Parts(tmp_path / "parts", {"seed": seed}, code=code), []
        for name in names:
            table = run.part(
                {"n": name}, lambda name=name: made.append(name) or TABLE.assign(n=name)
            )
            pd.testing.assert_frame_equal(table, TABLE.assign(n=name))
        return run, made

    return begun


def test_a_run_that_was_cut_off_goes_on(begin, capsys):
    assert begin(1, 2)[1] == [1, 2]
    assert begin(1, 2, 3)[1] == [3]
    assert capsys.readouterr().err == ""


def test_a_finished_run_leaves_nothing_and_starts_anew(begin, tmp_path):
    run, _ = begin(1, 2)
    run.folder({"quartet": "languages"}).mkdir()
    run.clear()
    assert not list(tmp_path.iterdir())
    assert begin(1, 2)[1] == [1, 2]


def test_a_run_without_parts_leaves_no_folder(begin, tmp_path):
    run, _ = begin()
    assert not list(tmp_path.iterdir())
    run.clear()


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"seed": 1}, "seed was 0, is 1"), ({"code": "return -s"}, "inputs differ: code")],
)
def test_other_inputs_start_anew_and_say_so(begin, tmp_path, capsys, changed, said):
    begin(1, 2)
    assert begin(1, **changed)[1] == [1]
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{tmp_path / 'parts'}: parts of a run that was cut off are deleted")
    assert line.endswith(said)
    assert begin(1)[1] == [1], "the first are gone"


def test_another_version_of_a_package_starts_anew(begin, monkeypatch, capsys):
    begin(1)
    versions = results.installed_versions() | {"torch": "9.9"}
    monkeypatch.setattr(results, "installed_versions", lambda: versions)
    assert begin(1)[1] == [1]
    assert "torch was '" in capsys.readouterr().err


def test_other_code_of_the_package_starts_anew(begin, tmp_path, monkeypatch, capsys):
    package = tmp_path / "ncnet"
    (package / "room").mkdir(parents=True)
    monkeypatch.setattr(parts, "__file__", str(package / "parts.py"))
    for name in ("parts.py", "room/kernel.cpp", "room/kernel.h", "room/figures.mplstyle"):
        for text in ("", "# another"):
            (package / name).write_text(text, encoding="utf-8")
            monkeypatch.setattr(parts, "_package", cache(parts._package.__wrapped__))
            assert begin(1)[1] == [1]
    assert capsys.readouterr().err.count("inputs differ: code\n") == 7
    (package / "room" / "kernel.pyc").write_text("compiled", encoding="utf-8")
    monkeypatch.setattr(parts, "_package", cache(parts._package.__wrapped__))
    assert begin(1)[1] == []


def test_a_part_cut_off_leaves_nothing_behind(begin, tmp_path):
    run, _ = begin()

    def killed():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.part({"n": 1}, killed)
    assert [path.name for path in tmp_path.glob("parts/*/*")] == [INPUTS]


def test_a_full_disk_keeps_what_was_finished(begin, monkeypatch):
    run, _ = begin(1)

    def full_disk(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full_disk)
        with pytest.raises(OSError, match=r"No space left on device: '.*\.parquet'"):
            run.part({"n": 2}, lambda: TABLE)
    assert begin(1, 2)[1] == [2]


def test_of_two_runs_at_once_neither_takes_what_is_not_its_own(begin, tmp_path):
    first, _ = begin(1)
    other, _ = begin(1, seed=1)  # deletes the parts of the first, which goes on
    first.part({"n": 2}, lambda: TABLE)
    assert begin(2, seed=1)[1] == [2]
    same, _ = begin(1, seed=1)
    other.clear()
    same.part({"n": 3}, lambda: TABLE)
    same.clear()
    first.clear()
    assert not list(tmp_path.iterdir())


def test_files_of_the_reader_stay(begin, tmp_path):
    folder = tmp_path / "parts"
    (folder / "mine").mkdir(parents=True)
    for path in (folder / "mine" / INPUTS, folder / "notes.txt"):
        path.write_text("{}", encoding="utf-8")
    begin(1)
    begin(1, seed=1)[0].clear()
    assert {path.name for path in folder.iterdir()} == {"mine", "notes.txt"}


def test_inputs_are_written_for_a_reader(begin, tmp_path):
    begin(1)
    [path] = tmp_path.glob(f"parts/*/{INPUTS}")
    inputs = json.loads(path.read_text(encoding="utf-8"))
    assert inputs["parameters"] == {"seed": 0}
    assert inputs["versions"] == results.installed_versions()


class Example(Notebook):
    """Parameters of a notebook that saves three tables, and records two, one of them another."""

    NOTEBOOK = "rq1"
    TABLES = ("first", "second", "third")
    RECORDED = ("third", "fourth")


def chosen(save_to, **more):
    return {"seed": 0, "save_to": str(save_to), **more}


def test_a_run_of_a_notebook_ends_with_the_last_of_its_tables(tmp_path):
    first, *others = Example.TABLES
    for _ in range(2):
        made = []
        run = runs.Run(Example, chosen(tmp_path))
        run.part({"n": 1}, lambda made=made: made.append(1) or TABLE)
        assert made == [1]
        run.save(first, TABLE)
        run.save("another", TABLE)
        assert list(tmp_path.glob("parts/*/*.parquet"))
        again = runs.Run(Example, chosen(tmp_path))
        again.part({"n": 1}, lambda made=made: made.append(2) or TABLE)
        assert made == [1], "a run that goes on"
        for name in others:
            run.save(name, TABLE)
        assert not (tmp_path / "parts").exists()


def test_a_run_that_records_keeps_its_parts_in_the_checkout(tmp_path, monkeypatch):
    notebooks = results.FOLDER.parent / "notebooks"
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    (tmp_path / "notebooks").symlink_to(notebooks)
    run = runs.Run(Example, chosen("", record=True))
    run.part({"n": 1}, lambda: TABLE)
    assert list(tmp_path.glob("runs/rq1/parts/*/*.parquet"))
    run.save("first", TABLE)  # which it does not record
    for name in Example.RECORDED:
        assert list(tmp_path.glob("runs/rq1/parts/*/*.parquet"))
        run.save(name, TABLE)
    assert not (tmp_path / "runs" / "rq1" / "parts").exists()


def test_what_runs_share_goes_with_their_batch_or_with_the_only_run(tmp_path):
    jobs = [runs.Run(Example, chosen(tmp_path / "jobs" / name)) for name in ("one", "two")]
    assert {job.shared("states") for job in jobs} == {tmp_path / runs.SHARED / "states"}
    alone = runs.Run(Example, chosen(tmp_path / "alone"))
    alone.shared("states").mkdir(parents=True)
    for name in Example.TABLES:
        alone.save(name, TABLE)
    assert not (tmp_path / "alone" / "parts").exists()


def test_a_run_that_leaves_no_tables_keeps_no_parts():
    run = runs.Run(Example, chosen("", record=False))
    assert run.parts is None
    assert run.folder({"n": 1}) is None
    assert run.part({"n": 1}, lambda: TABLE) is TABLE


RUN = """
import sys, time
from pathlib import Path
import pandas as pd
from ncnet import runs
from ncnet.parameters import Notebook

class Example(Notebook):
    NOTEBOOK = "rq1"
    TABLES = ("first", "second")

run = runs.Run(Example, {"seed": 0, "save_to": sys.argv[1]})
for n in range(4):
    def made():
        print(f"made {n}", flush=True)
        if n == int(sys.argv[2]):
            time.sleep(600)
        return pd.DataFrame({"n": [n]})
    run.part({"n": n}, made)
for name in Example.TABLES:
    run.save(name, pd.DataFrame({"n": [0]}))
"""


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_and_a_finished_one_starts_anew(tmp_path):
    command = [sys.executable, "-c", RUN, tmp_path]
    said = []
    for sleeps_at in (2, 3):
        process = subprocess.Popen(
            [*command, str(sleeps_at)], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8"
        )
        said.append([line.strip() for line in iter(process.stdout.readline, f"made {sleeps_at}\n")])
        process.send_signal(signal.SIGKILL)
        process.communicate()
    for _ in range(2):
        printed = subprocess.check_output([*command, "-1"], cwd=ROOT, encoding="utf-8")
        said.append(printed.splitlines())
    assert said == [["made 0", "made 1"], ["made 2"], ["made 3"], [f"made {n}" for n in range(4)]]
    assert not (tmp_path / "parts").exists()


def test_a_run_takes_the_model_of_its_parameters_and_no_name():
    with pytest.raises(ValueError, match="notebook is 'rq1': expected the model"):
        runs.Run("rq1", {"seed": 0, "save_to": ""})
