import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ncnet
from ncnet import results

TABLE = pd.DataFrame({"n": [1, 2], "s": [0.5, 1.8]})
GIVEN = {"parameters": {"seed": 1, "steps": 10}, "command": "papermill one two"}


def test_a_saved_table_comes_back_with_its_provenance(tmp_path):
    assert {ncnet.chsh, ncnet.games}  # loaded, as by whatever makes a table
    results.save("sweep", TABLE, folder=tmp_path, **GIVEN)
    result = results.load("sweep", folder=tmp_path)
    pd.testing.assert_frame_equal(result.table, TABLE)
    assert result.provenance["parameters"] == GIVEN["parameters"]
    assert result.provenance["versions"].keys() >= {"python", "ncnet", "torch", "numpy"}
    assert "ncnet.chsh.bootstrap" in result.provenance["modules"]
    assert "ncnet.plotting" not in result.provenance["modules"]
    assert result.changed_modules == ()
    assert result.provenance["command"] == "papermill one two"
    assert str(result).startswith(f"recorded {result.provenance['date'][:10]} with torch ")
    assert result.made_with(seed=1)
    assert not result.made_with(seed=2)
    assert not result.made_with(unheard_of=None)


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    results.save("sweep", TABLE, folder="~/kept", **GIVEN)
    pd.testing.assert_frame_equal(results.load("sweep", folder=Path("~/kept")).table, TABLE)
    results.kept({"seed": 0}, lambda: TABLE, folder="~/parts")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "parts"]


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


def test_an_older_code_digest_is_said_and_is_no_error(tmp_path):
    results.save("sweep", TABLE, folder=tmp_path, **GIVEN)
    path = tmp_path / "sweep.json"
    provenance = json.loads(path.read_text(encoding="utf-8"))
    provenance["modules"] |= {"ncnet.games": "0" * 16, "ncnet.gone.since": "0" * 16}
    path.write_text(json.dumps(provenance), encoding="utf-8")
    result = results.load("sweep", folder=tmp_path)
    assert set(result.changed_modules) == {"ncnet.games", "ncnet.gone.since"}
    assert "with an earlier version of ncnet.games" in str(result)


def test_an_unknown_result_is_answered_with_those_there_are(tmp_path):
    results.save("sweep", TABLE, folder=tmp_path, **GIVEN)
    with pytest.raises(FileNotFoundError, match=r"no recorded result `sweeep`.*\['sweep'\]"):
        results.load("sweeep", folder=tmp_path)


def test_a_failed_write_leaves_the_old_result(tmp_path, monkeypatch):
    results.save("sweep", TABLE, folder=tmp_path, **GIVEN)

    def full_disk(_):
        raise OSError("No space left on device")

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


def test_words_and_layout_are_no_other_version_and_code_is():
    source = (
        '"""Doc."""\nX = 1\n"""What X is."""\n\n\ndef f(x):\n    """Doc."""\n    return x  # why\n'
    )
    mended = '"""Better."""\n\nX = (1)\n\ndef f(x):\n    return x\n'
    assert results._code(source) == results._code(mended)
    assert results._code(source) != results._code(source.replace("return x", "return -x"))
    assert results._code(source) != results._code(source.replace("X = 1", "X = '1'"))


@pytest.mark.slow
def test_kernels_are_part_of_the_version_of_their_module(tmp_path, monkeypatch):
    before = results.source_digests()
    package = tmp_path / "ncnet"
    shutil.copytree(Path(results.__file__).parent, package)
    (package / "ensemble" / "compiled.cpp").write_text("// another kernel", encoding="utf-8")
    monkeypatch.setattr(results, "__file__", str(package / "results.py"))
    after = results.source_digests()
    assert {module for module in before if before[module] != after[module]} == {
        "ncnet.ensemble.compiled"
    }


def test_a_part_is_made_once_for_its_parameters(tmp_path, monkeypatch):
    made = []

    assert ncnet.games  # loaded

    def part(n):
        return results.kept({"n": n}, lambda: made.append(n) or TABLE.assign(n=n), folder=tmp_path)

    for n in (1, 2, 1):
        pd.testing.assert_frame_equal(part(n), TABLE.assign(n=n))
    assert made == [1, 2]
    monkeypatch.setitem(results.DIGESTS_AT_IMPORT, "ncnet.games", "another version")
    part(1)
    assert made == [1, 2, 1]


def test_a_part_cut_off_leaves_nothing_behind(tmp_path):
    def killed():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        results.kept({"n": 1}, killed, folder=tmp_path)
    assert not list(tmp_path.iterdir())
