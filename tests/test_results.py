import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ncnet import machine, results

TABLE = pd.DataFrame({"n": [1, 2], "s": [0.5, 1.8]})
GIVEN = {"parameters": {"seed": 1, "steps": 10}, "command": "papermill one two"}


def test_a_saved_table_comes_back_with_its_provenance(tmp_path):
    results.save("sweep", TABLE, folder=tmp_path, **GIVEN)
    result = results.load("sweep", folder=tmp_path)
    pd.testing.assert_frame_equal(result.table, TABLE)
    assert result.provenance["parameters"] == GIVEN["parameters"]
    assert result.provenance["versions"].keys() >= {"python", "ncnet", "torch", "numpy"}
    assert (result.provenance["commit"], result.provenance["clean"]) == results.checkout()
    assert result.provenance["machine"] == machine.described()
    assert result.provenance["command"] == "papermill one two"
    assert str(result).startswith(f"recorded {result.provenance['date'][:10]} with torch ")
    assert result.made_with(seed=1)
    assert not result.made_with(seed=2)
    assert not result.made_with(unheard_of=None)


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    results.save("sweep", TABLE, folder="~/kept", **GIVEN)
    pd.testing.assert_frame_equal(results.load("sweep", folder=Path("~/kept")).table, TABLE)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_nothing_but_the_two_files_is_left(tmp_path):
    for _ in range(2):
        results.save("sweep", TABLE, folder=tmp_path, **GIVEN)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sweep.json", "sweep.parquet"]


def test_an_altered_table_is_refused(tmp_path):
    results.save("sweep", TABLE, folder=tmp_path, **GIVEN)
    TABLE.assign(s=[2.8, 2.9]).to_parquet(tmp_path / "sweep.parquet")
    with pytest.raises(
        ValueError, match=r"sweep\.parquet has checksum .* remake them by `papermill"
    ):
        results.load("sweep", folder=tmp_path)


def test_an_unknown_result_is_answered_with_those_there_are(tmp_path):
    results.save("sweep", TABLE, folder=tmp_path, **GIVEN)
    with pytest.raises(FileNotFoundError, match=r"no recorded result `sweeep`.*\['sweep'\]"):
        results.load("sweeep", folder=tmp_path)


def test_a_failed_write_leaves_the_old_result(tmp_path, monkeypatch):
    results.save("sweep", TABLE, folder=tmp_path, **GIVEN)

    def full_disk(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        results.save("sweep", TABLE.assign(s=0.0), folder=tmp_path, **GIVEN)
    monkeypatch.undo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sweep.json", "sweep.parquet"]
    pd.testing.assert_frame_equal(results.load("sweep", folder=tmp_path).table, TABLE)


@pytest.mark.parametrize("wrong", [np.int64(1), float("nan")])
def test_parameters_that_json_cannot_hold_leave_the_old_result(tmp_path, wrong):
    results.save("sweep", TABLE, folder=tmp_path, **GIVEN)
    with pytest.raises((TypeError, ValueError), match="JSON"):
        results.save(
            "sweep", TABLE.assign(s=0.0), folder=tmp_path, parameters={"a": wrong}, command=""
        )
    pd.testing.assert_frame_equal(results.load("sweep", folder=tmp_path).table, TABLE)


def test_a_reader_never_sees_a_half_written_file(tmp_path, monkeypatch):
    results.save("sweep", TABLE, folder=tmp_path, **GIVEN)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    seen = []

    def look(_):
        seen.append({name: (tmp_path / name).read_bytes() for name in before})

    monkeypatch.setattr(results.os, "fsync", look)
    results.save("sweep", TABLE.assign(s=0.0), folder=tmp_path, **GIVEN)
    assert seen[0] == before
    assert seen[1]["sweep.json"] == before["sweep.json"]


def test_results_are_found_wherever_the_reader_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert {"capacity", "along_training"} <= {
        path.stem for path in results.FOLDER.glob("*.parquet")
    }
    for name in ("capacity", "along_training"):
        assert results.load(name).table["s"].between(-4, 4).all()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Return a checkout with one commit, in which the package lies, and a way to run git in it."""
    place = tmp_path / "checkout"
    (place / "results").mkdir(parents=True)
    (place / "module.py").write_text("", encoding="utf-8")

    def git(*arguments):
        named = ["-c", "user.name=reader", "-c", "user.email=reader@example.org"]
        done = subprocess.run(
            ["git", *named, *arguments],
            cwd=place,
            check=True,
            capture_output=True,
            encoding="utf-8",
        )
        return done.stdout.strip()

    git("init", "-q")
    git("add", "module.py")
    git("commit", "-qm", "one")
    monkeypatch.setattr(results, "FOLDER", place / "results")
    results.checkout.cache_clear()
    yield place, git
    results.checkout.cache_clear()


def test_provenance_has_the_commit_and_whether_all_is_in_it(repository, tmp_path):
    place, git = repository
    results.save("one", TABLE, folder=place / "results", **GIVEN)
    provenance = results.load("one", folder=place / "results").provenance
    assert provenance["commit"] == git("rev-parse", "HEAD")
    # Tables that the run itself has recorded are no change.
    results.checkout.cache_clear()
    assert results.checkout() == (provenance["commit"], True)
    (place / "module.py").write_text("edited", encoding="utf-8")
    assert results.checkout() == (provenance["commit"], True), "asked again in the same process"
    results.checkout.cache_clear()
    assert results.checkout() == (provenance["commit"], False)


def test_before_the_first_commit_there_is_none(repository):
    repository[1]("update-ref", "-d", "HEAD")
    assert results.checkout() == (None, None)


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no other readers")
def test_results_can_be_read_by_others_whatever_the_mask(tmp_path):
    before = os.umask(0o077)
    try:
        results.save("one", TABLE, folder=tmp_path, **GIVEN)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("one.*")} == {0o644}


def test_a_new_module_is_a_change(repository):
    place, git = repository
    (place / "another.py").write_text("", encoding="utf-8")
    assert results.checkout() == (git("rev-parse", "HEAD"), False)


def test_a_hook_of_another_repository_does_not_lend_its_commit(repository, tmp_path, monkeypatch):
    head = repository[1]("rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert results.checkout()[0] == head


def test_a_copy_within_another_repository_has_no_commit(repository, monkeypatch):
    place, _ = repository
    (place / "copy").mkdir()
    monkeypatch.setattr(results, "FOLDER", place / "copy" / "results")
    assert results.checkout() == (None, None)


@pytest.mark.parametrize("missing", ["git", "checkout"])
def test_without_git_there_is_no_commit(repository, tmp_path, monkeypatch, missing):
    if missing == "git":
        monkeypatch.setenv("PATH", "")
    else:
        monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    results.save("one", TABLE, folder=tmp_path / "saved", **GIVEN)
    provenance = results.load("one", folder=tmp_path / "saved").provenance
    assert (provenance["commit"], provenance["clean"]) == (None, None)


def test_a_table_is_of_this_place_unless_machine_package_or_compiler_differ(tmp_path):
    results.save("sweep", TABLE, folder=tmp_path, **GIVEN)
    made = results.load("sweep", folder=tmp_path).provenance
    assert results.same_place(made)
    versions = made["versions"]
    for harmless in ({"python": "3.0"}, {"ncnet": "0"}):
        assert results.same_place(made | {"versions": versions | harmless})
    for other in ({"torch": "0"}, {"numpy": "0"}, {"compiler": "g++ 2.7"}):
        assert not results.same_place(made | {"versions": versions | other})
    assert not results.same_place(made | {"machine": "Linux x86_64, 2 cores"})


def test_tables_recorded_without_a_processor_are_of_another_place():
    old = results.load("capacity").provenance | {"machine": "Linux x86_64, 2 cores"}
    assert not results.same_place(old)


def test_the_machine_is_told_with_its_processor(monkeypatch):
    told = machine.described.__wrapped__
    text = "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n\nmodel\t: 2\n"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: text)
    assert told().endswith(" cores, AMD EPYC family 25 model 17")
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "processor\t: 0\n")
    assert told().endswith(" cores")


@pytest.fixture
def name_compiler(monkeypatch):
    """Return a function that names another compiler, as in a new process."""

    def named(name):
        monkeypatch.setenv("CXX", name)
        machine.find_compiler.cache_clear()

    yield named
    machine.find_compiler.cache_clear()


@pytest.mark.parametrize(
    ("macros", "said"),
    [
        ('#define __VERSION__ "12.2.1 20220819 (Red Hat 12.2.1-1)"', "g++ 12.2.1"),
        ('#define __VERSION__ "4.2.1"\n#define __clang_version__ "17.0.6 (14)"', "clang++ 17.0.6"),
        ("#define _MSC_VER 1900", None),
    ],
)
def test_a_compiler_says_what_it_is_whatever_its_name(tmp_path, name_compiler, macros, said):
    path = tmp_path / "my compiler"
    path.write_text(f"#!/bin/sh\necho '{macros}'\n", encoding="utf-8")
    path.chmod(0o755)
    name_compiler(f"'{path}' -O1")
    assert machine.compiler.__wrapped__() == said


@pytest.mark.parametrize("named", ["no-such-compiler", "g++ 'open", "false", "/", "''"])
def test_a_compiler_that_does_not_work_is_none(name_compiler, named):
    name_compiler(named)
    assert machine.compiler.__wrapped__() is None
