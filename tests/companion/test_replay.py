"""Replays: which rows are made again, what is said of them, and that every table has one."""

import hashlib
import json
from dataclasses import replace

import pandas as pd
import pytest

from ncnet import results
from ncnet.companion import replay
from ncnet.companion.replay import command, log
from ncnet.companion.replay.remaking import FAIL, NOT_HERE, PASS
from ncnet.companion.replay.tables import REPLAYS
from ncnet.parts import Parts
from ncnet.replay import NotReplayableError, Replay
from tests.test_replay import TABLE, TOLERANCES

OF_THE_PROJECT = results.FOLDER
RECORDED = sorted(
    path.relative_to(results.FOLDER).with_suffix("").as_posix()
    for path in results.FOLDER.rglob("*.parquet")
    if path.parent != log.FOLDER
)


def test_every_recorded_table_has_one_replay():
    assert sorted(one.table for one in REPLAYS) == RECORDED


@pytest.mark.parametrize("one", REPLAYS, ids=lambda one: one.table)
def test_every_column_has_a_tolerance_and_every_row_a_place(one):
    table = one.load().table
    # Where cells are arrays, all of their items would be millions of rows.
    rows = one.unpack(table.sample(20, random_state=0)) if one.unpack else table
    assert set(rows.columns) <= set(one.tolerances), "columns without a tolerance"
    assert all(one.tolerances[name].reason for name in rows)
    pieces = one.pieces(table)
    if one.key:
        assert not rows.duplicated([*one.piece_columns, *one.key]).any()
    for where in (pieces[0], pieces[-1]):
        assert len(one.rows(table, where))
    if one.piece_columns:
        assert len(pieces) == len(table[list(one.piece_columns)].drop_duplicates())


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Keep tables and log apart from the project's, in a checkout that git knows."""
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    monkeypatch.setattr(log, "FOLDER", tmp_path / "results" / "replays")
    monkeypatch.setattr(results, "checkout", lambda: ("0" * 40, True))


@pytest.fixture
def recorded(house):
    """Record two tables, and return replays of them that count what they make."""
    made = []

    def make(result, where):
        made.append((result.name, where["n"]))
        return result.table[result.table["n"] == where["n"]]

    def of(name):
        place = results.FOLDER / name
        results.save(place.name, TABLE, parameters={}, command="", folder=place.parent)
        return Replay(name, ("n",), (), make, TOLERANCES)

    return [of("one"), of("small/two")], made


def parts(tmp_path):
    return Parts(tmp_path / "parts", {})


def test_enough_rows_of_each_table_are_enough(recorded, tmp_path):
    replays, made = recorded
    found = replay.replay_pieces(replays, seed="a", parts=parts(tmp_path), rows=2)
    assert len(made) == len(found) == 4
    assert found.groupby("table")["rows"].sum().tolist() == [2, 2]
    assert found["verdict"].eq(PASS).all()


def test_nothing_is_begun_that_takes_longer_than_is_left(recorded, tmp_path):
    replays, made = recorded
    known = {("one", json.dumps({"n": 1})): 1e6, ("small/two", json.dumps({"n": 2})): 1e-9}
    replay.replay_pieces(
        replays,
        seed="a",
        parts=parts(tmp_path),
        seconds=1e3,
        expected=replay.ExpectedTimes(replays, known),
    )
    assert sorted(made) == [("small/two", n) for n in (1, 2, 3, 4)]
    assert replay.replay_pieces(replays, seed="a", parts=parts(tmp_path), seconds=1e-9).empty
    made.clear()
    large = {("one", json.dumps({"n": n})): 300.0 if n == 1 else 200.0 for n in (1, 2, 3, 4)}
    some = replay.ExpectedTimes(replays, large)
    replay.replay_pieces(replays, seed="c", parts=parts(tmp_path), seconds=1e3, expected=some)
    assert sorted(made) == [("one", n) for n in (2, 3, 4)]
    made.clear()
    only = {("small/two", json.dumps({"n": 2})): 1e-9}
    replay.replay_pieces(
        replays,
        seed="b",
        parts=parts(tmp_path),
        seconds=1e3,
        expected=replay.ExpectedTimes(replays, only),
    )
    assert {name for name, _ in made} == {"small/two"}
    replay.replay_pieces(
        replays, seed="b", parts=parts(tmp_path), expected=replay.ExpectedTimes(replays, only)
    )
    assert {name for name, _ in made} == {"one", "small/two"}


def test_a_table_made_of_the_same_networks_as_another_costs_as_much(recorded, tmp_path):
    [one, _], made = recorded
    results.save("first", TABLE, parameters={}, command="", folder=results.FOLDER)
    first = replace(one, table="first")
    costs = [(json.dumps({"n": n}), 1.0 if n > 2 else 1e6) for n in (1, 2, 3, 4)]
    known = {("one", where): cost for where, cost in costs}
    known |= {("first", where): 1e-9 for where, _ in costs}
    of_both = replay.ExpectedTimes([one, first], known)
    for asked in ([first], [first, one]):
        made.clear()
        replay.replay_pieces(asked, seed="a", parts=parts(tmp_path), seconds=1e3, expected=of_both)
        assert {n for _, n in made} == {3, 4}


def test_a_run_that_was_cut_off_goes_on(recorded, tmp_path):
    replays, made = recorded
    seen = []

    def tell(piece):
        seen.append(piece)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay.replay_pieces(replays, seed="a", parts=parts(tmp_path), tell=tell)
    whole = replay.replay_pieces(replays, seed="a", parts=parts(tmp_path))
    assert len(whole) == len(made) == len(set(made)) == 8


def test_a_table_recorded_anew_is_replayed_anew(recorded, tmp_path):
    replays, made = recorded
    replay.replay_pieces(replays, seed="a", parts=parts(tmp_path))
    results.save("one", TABLE.assign(s=2.0), parameters={}, command="", folder=results.FOLDER)
    replay.replay_pieces(replays, seed="a", parts=parts(tmp_path))
    assert len(made) == 12


def test_code_that_cannot_make_the_rows_fails(recorded, tmp_path):
    [one, _], _ = recorded

    def make(*_):
        raise ZeroDivisionError("no networks")

    broken = Replay(one.table, one.piece_columns, one.key, make, TOLERANCES)
    [piece] = replay.replay_pieces([broken], seed="a", parts=parts(tmp_path), rows=1).to_dict(
        "records"
    )
    assert (piece["verdict"], piece["failed"]) == (FAIL, 1)
    assert piece["told"] == "ZeroDivisionError: no networks"


def test_what_is_missing_here_is_no_pass_and_the_table_is_left_alone(recorded, tmp_path):
    [one, two], _ = recorded

    def make(*_):
        raise NotReplayableError("no weights: `make minilm`")

    broken = Replay(one.table, one.piece_columns, one.key, make, TOLERANCES)
    found = replay.replay_pieces([broken, two], seed="a", parts=parts(tmp_path))
    missing = found[found["table"] == "one"]
    assert missing["verdict"].eq(NOT_HERE).all()
    assert missing["rows"].eq(0).all()
    assert len(missing) < len(TABLE)
    told = command.summary(found, ["one", "small/two", "three"])
    assert "not replayable here: one: no weights: `make minilm`" in told
    assert "no time for: three" in told


def broken(name):
    """Break a recorded table in one of the ways there are; return what should be said of it."""
    table, provenance = (results.FOLDER / f"one.{suffix}" for suffix in ("parquet", "json"))
    if name == "no row":
        results.save("one", TABLE[:0], parameters={}, command="", folder=results.FOLDER)
    elif name == "no column `n`":
        frame = TABLE.drop(columns="n")
        results.save("one", frame, parameters={}, command="", folder=results.FOLDER)
    elif name == "no JSON":
        provenance.write_text("{", encoding="utf-8")
    elif name == "no `checksum`":
        said = json.loads(provenance.read_text(encoding="utf-8"))
        del said["checksum"]
        provenance.write_text(json.dumps(said), encoding="utf-8")
    elif name == "has checksum":
        table.write_bytes(table.read_bytes() + b" ")
    elif name == "no recorded result":
        table.unlink()
    elif name == "is no table":
        content = b"no table"
        table.write_bytes(content)
        said = json.loads(provenance.read_text(encoding="utf-8"))
        said["checksum"] = hashlib.sha256(content).hexdigest()
        provenance.write_text(json.dumps(said), encoding="utf-8")


@pytest.mark.parametrize(
    "told",
    [
        "no row",
        "no column `n`",
        "no JSON",
        "no `checksum`",
        "has checksum",
        "no recorded result",
        "is no table",
    ],
)
def test_a_table_that_cannot_be_read_fails_in_one_line_and_the_others_are_replayed(
    told, recorded, tmp_path
):
    replays, _ = recorded
    broken(told)
    found = replay.replay_pieces(replays, seed="a", parts=parts(tmp_path), rows=1)
    verdicts = dict(zip(found["table"], found["verdict"], strict=True))
    assert verdicts == {"one": FAIL, "small/two": PASS}
    [line] = str(replay.PieceResult(**found.iloc[0].to_dict())).splitlines()
    assert line.startswith("fail: one, ")
    assert told in line
    assert "FAILED: one" in command.summary(found, ["one", "small/two"])


def test_nothing_is_kept_of_other_inputs_or_of_what_was_missing(recorded, tmp_path):
    [one, _], made = recorded
    replay.replay_pieces([one], seed="a", parts=parts(tmp_path))
    replay.replay_pieces([one], seed="a", parts=parts(tmp_path), equal=lambda *_: False)
    known = one.load()
    other = results.Result(known.table, known.provenance | {"parameters": {"seed": 1}})
    results.write(other, "one", folder=results.FOLDER)
    replay.replay_pieces([one], seed="a", parts=parts(tmp_path))
    assert len(made) == 3 * len(TABLE)
    asked = []

    def missing(_, where):
        asked.append(where)
        raise NotReplayableError("no weights")

    for _ in range(2):
        found = replay.replay_pieces(
            [replace(one, make=missing)], seed="b", parts=parts(tmp_path), rows=1
        )
        assert set(found["verdict"]) == {NOT_HERE}
    assert len(asked) == 6


def test_another_command_leaves_the_parts_of_a_run(house):
    begun = command.parts_of({"tables": ["one"]})
    table = begun.part({"n": 1}, lambda: TABLE)
    other = command.parts_of({"tables": ["two"]})
    other.part({"n": 1}, lambda: TABLE[:1])
    other.clear()
    pd.testing.assert_frame_equal(begun.part({"n": 1}, lambda: TABLE[:0]), table)


@pytest.mark.slow
def test_the_command_fails_on_a_tampered_table_whose_checksum_is_right(house, capsys):
    [one] = [one for one in REPLAYS if one.table == "small/capacity"]
    result = results.load("capacity", folder=OF_THE_PROJECT / "small")
    small = results.Result(result.table[result.table["hidden_size"] == 2], result.provenance)
    asked = ["--table", "small/capacity", "--rows", "2", "--seed", "a"]
    for table, status in (
        (small.table, 0),
        (small.table.assign(s=small.table["s"] + [0.05, 0]), 1),
    ):
        tampered = results.Result(table, result.provenance)
        results.write(tampered, "capacity", folder=results.FOLDER / "small")
        assert command.main([*asked, "--record"]) == status
        said = capsys.readouterr().out
        assert ("FAILED: small/capacity" in said) == bool(status)
        [recorded] = log.logs()
        [row] = log.by_table(recorded, [one]).to_dict("records")
        assert (row["replayed"], row["failed"], row["current"]) == (2, status, True)
        assert row["controls"] == row["caught"] > 50


def test_a_log_keeps_what_it_says_of_other_tables_if_it_is_of_this_place(recorded, tmp_path):
    (one, other), _ = recorded
    for seed, asked in (("a", [one, other]), ("b", [other])):
        log.check_extends(whole=False)
        pieces = replay.replay_pieces(
            asked, seed=seed, parts=parts(tmp_path), equal=lambda *_: True
        )
        log.record(pieces, parameters={"seed": seed}, command="replay")
    [found] = log.logs()
    seeds = found.table.groupby("table")["seed"].unique().map(list).to_dict()
    assert seeds == {one.table: ["a"], other.table: ["b"]}
    (results.FOLDER / f"{one.table}.json").unlink()
    log.record(pieces, parameters={"seed": "b"}, command="replay")
    assert set(log.logs()[0].table["table"]) == {other.table}
    elsewhere = found.provenance | {"machine": "another"}
    results.write(results.Result(found.table, elsewhere), log.name(), folder=log.FOLDER)
    log.check_extends(whole=True)
    with pytest.raises(ValueError, match=log.name()):
        log.check_extends(whole=False)
    log.record(pieces, parameters={"seed": "c"}, command="replay")
    assert set(log.logs()[0].table["table"]) == {other.table}


def test_a_log_needs_a_commit(house, monkeypatch):
    log.check_extends(whole=True)
    monkeypatch.setattr(results, "checkout", lambda: (None, None))
    with pytest.raises(ValueError, match="commit"):
        log.check_extends(whole=True)


def test_a_failure_stays_in_the_log_until_its_piece_or_its_table_is_made_anew(recorded, tmp_path):
    [one, _], _ = recorded
    found = replay.replay_pieces([one], seed="a", parts=parts(tmp_path))
    first, second = found[:1], found[1:2]

    def logged(found):
        log.record(found, parameters={"seed": "a"}, command="replay")
        [of_python] = log.logs()
        return of_python.table["verdict"].tolist()

    assert logged(first.assign(verdict=FAIL)) == [FAIL]
    assert logged(second) == [FAIL, PASS]
    assert logged(first) == [PASS]
    logged(first.assign(verdict=FAIL))
    assert logged(second.assign(checksum="another")) == [PASS]
    missing = second.assign(verdict=NOT_HERE, checksum="another")
    assert logged(missing) == [PASS]
    assert logged(missing.assign(checksum="a third")) == [NOT_HERE]


def test_a_piece_must_be_equal_here_where_a_log_of_this_place_found_it_equal(recorded, tmp_path):
    [one, _], _ = recorded
    known = one.load()
    assert log.must_be_equal(one, {"n": 1})
    elsewhere = results.Result(known.table, known.provenance | {"machine": "another"})
    results.write(elsewhere, "one", folder=results.FOLDER)
    assert not log.must_be_equal(one, {"n": 1})
    found = replay.replay_pieces([one], seed="a", parts=parts(tmp_path), equal=lambda *_: False)
    some = found[found["where"].isin([json.dumps({"n": 1}), json.dumps({"n": 2})])]
    some = some.assign(equal=some["where"] == json.dumps({"n": 1}))
    log.record(some, parameters={"seed": "a"}, command="replay")
    assert [n for n in (1, 2, 3) if log.must_be_equal(one, {"n": n})] == [1]


@pytest.mark.parametrize(
    "asked",
    [["--table", "capcity"], ["--rows", "0"], ["--seconds", "nan"], ["--seed", " "]],
)
def test_what_cannot_be_asked_is_refused(asked, capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(asked)
    assert asked[1].removesuffix(".0") in capsys.readouterr().err


def test_an_unknown_table_is_answered_with_all_there_are(capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(["--table", "?"])
    told = capsys.readouterr().err
    assert all(f"`{one.table}`" in told for one in REPLAYS)


@pytest.mark.parametrize("recorded_log", log.logs(), ids=lambda one: one.name)
def test_a_committed_log_has_every_table_as_it_is_and_no_failure(recorded_log):
    found = log.by_table(recorded_log, REPLAYS).set_index("table")
    assert found.index[~found["current"]].tolist() == []
    assert found.index[found["replayed"] == 0].tolist() == []
    assert found["failed"].sum() == 0
    assert found["controls"].sum() == found["caught"].sum() > 0


@pytest.mark.parametrize("recorded_log", log.logs(), ids=lambda one: one.name)
def test_a_committed_log_says_only_what_can_be(recorded_log):
    """Pieces that there are, with the rows they have and every column compared."""
    logged = recorded_log.table
    assert set(logged["verdict"]) <= {PASS, NOT_HERE}
    assert not logged.duplicated(["table", "where"]).any()
    by_name = {one.table: one for one in REPLAYS}
    for table, of_table in logged[logged["verdict"] == PASS].groupby("table"):
        recorded = by_name[table].load().table
        for _, piece in of_table.iterrows():
            where = json.loads(piece["where"])
            assert piece["rows"] == len(by_name[table].rows(recorded, where)) > 0
            assert 0 < piece["controls"] <= len(recorded.columns)
