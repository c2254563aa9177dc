"""Replays: what is compared, what is drawn, what fails, and that every table has one."""

import hashlib
import json
import math
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnet import replay, results
from ncnet.companion.replay import log
from ncnet.companion.replay.running import FAIL, NOT_HERE, PASS
from ncnet.companion.replay.tables import REPLAYS
from ncnet.parts import Parts
from ncnet.replay import __main__ as command
from ncnet.replay import pieces

OF_THE_PROJECT = results.FOLDER
RECORDED = sorted(
    path.relative_to(results.FOLDER).with_suffix("").as_posix()
    for path in results.FOLDER.rglob("*.parquet")
    if path.parent != log.FOLDER
)
TABLE = pd.DataFrame(
    {
        "n": [1, 2, 3, 4],
        "name": ["a", "b", "c", "d"],
        "right": [True, False, True, True],
        "rank": [0.0, 4.0, math.inf, math.inf],
        "s": [0.5, 1.8, math.nan, 2.1],
        "s_low": [0.4, 1.7, math.nan, 2.0],
        "s_high": [0.6, 1.9, math.nan, 2.2],
        "seconds": [1.0, 2.0, 3.0, 4.0],
    }
)
TOLERANCES = {
    **dict.fromkeys(("n", "name", "right", "rank"), replay.same()),
    **replay.intervals("s"),
    "seconds": replay.factor(4, "machines are busy"),
}


def compared(remade, *, equal, table=TABLE, key=("n",), tolerances=TOLERANCES, seed=0):
    return replay.compare(table, remade, key, tolerances, equal=equal, seed=str(seed))


def test_every_recorded_table_has_one_replay():
    assert sorted(one.table for one in REPLAYS) == RECORDED


@pytest.mark.parametrize("one", REPLAYS, ids=lambda one: one.table)
def test_every_column_has_a_tolerance_and_every_row_a_place(one):
    table = one.load().table
    assert set(table.columns) <= set(one.tolerances), "columns without a tolerance"
    assert all(one.tolerances[name].reason for name in table)
    pieces = one.pieces(table)
    if one.key:
        assert not table.duplicated([*one.piece, *one.key]).any()
    for where in (pieces[0], pieces[-1]):
        assert len(one.rows(table, where))
    if one.piece and not one.blocks:
        assert len(pieces) == len(table[list(one.piece)].drop_duplicates())


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("seed", range(10))
def test_the_same_rows_pass_in_any_order_and_every_tampered_cell_is_found(equal, seed):
    """Whichever is drawn: missing and infinite ones as well."""
    found = compared(TABLE[::-1].assign(more=1), equal=equal, seed=seed)
    assert (found.rows, found.failed, found.column, found.equal) == (4, 0, "", True)
    assert found.controls == found.caught == len(TABLE.columns)


@pytest.mark.parametrize("equal", [True, False])
def test_one_more_of_many_is_found(equal):
    """Of numbers with a point, so large ones may be off by more than 1."""
    table = TABLE.assign(games=2**28)
    tolerances = {**TOLERANCES, "games": replay.same()}
    found = compared(table, equal=equal, table=table, tolerances=tolerances)
    assert found.controls == found.caught == len(table.columns)
    changed = table.assign(games=[2**28 + 1, *table["games"][1:]])
    assert compared(changed, equal=equal, table=table, tolerances=tolerances).failed == 1


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize(
    ("name", "value"),
    [("n", 5), ("name", "x"), ("right", False), ("s", 0.6), ("s_high", 0.7), ("seconds", 9.0)],
)
def test_another_value_in_any_column_fails(equal, name, value):
    found = compared(TABLE.assign(**{name: [value, *TABLE[name][1:]]}), equal=equal)
    assert found.failed
    assert found.told


@given(st.floats(-3, 3), st.booleans())
def test_a_statistic_may_be_half_a_standard_error_away_elsewhere_and_nothing_here(away, equal):
    error = 0.2 / (2 * 1.96)
    found = compared(TABLE.assign(s=TABLE["s"] + [away * error, 0, 0, 0]), equal=equal)
    nearest = min(abs(abs(away) - 0.5), abs(away))
    if nearest > 1e-6:
        assert bool(found.failed) == (equal or abs(away) > 0.5)
        assert not found.equal


def test_rounding_is_no_difference_and_is_told():
    found = compared(TABLE.assign(s=TABLE["s"] + 1e-9), equal=True)
    assert (found.failed, found.equal, found.column) == (0, True, "s")
    assert found.difference == pytest.approx(1e-9, rel=1e-3)


@pytest.mark.parametrize("equal", [True, False])
def test_small_p_values_are_compared_however_small(equal):
    table = pd.DataFrame({"n": [1, 2, 3], "p": [1e-44, 0.003, 1.0]})
    tolerances = {"n": replay.same(), "p": replay.p_values()}
    for p, failed in (([5e-8, 0.003, 1.0], 1), ([1e-44, 0.049, 1.0], 1), ([1e-44, 0.003, 0.99], 0)):
        found = compared(table.assign(p=p), equal=equal, table=table, tolerances=tolerances)
        assert found.failed == failed
        assert found.caught == found.controls == 2


@pytest.mark.parametrize("equal", [True, False])
def test_infinities_of_opposite_sign_differ(equal):
    table = TABLE.assign(s=[math.inf, *TABLE["s"][1:]])
    assert compared(table.assign(s=-table["s"]), equal=equal, table=table).failed == 3
    assert compared(table, equal=equal, table=table).failed == 0


def test_a_number_where_one_was_missing_fails():
    assert compared(TABLE.assign(s=TABLE["s"].fillna(2.0)), equal=False).failed == 1


@pytest.mark.parametrize(
    ("remade", "told"),
    [
        (TABLE[1:], "1 row is not made again, such as n = 1"),
        (pd.concat([TABLE, TABLE.assign(n=9)[:1]]), "1 row is not recorded, such as n = 9"),
        (pd.concat([TABLE, TABLE]), "n do not tell rows apart"),
        (TABLE.drop(columns="s"), "no column `s` was made"),
    ],
)
def test_other_rows_or_columns_fail(remade, told):
    found = compared(remade, equal=False)
    assert found.failed == len(TABLE)
    assert found.told == told


def test_rows_that_are_recorded_twice_or_not_at_all_fail():
    twice = pd.concat([TABLE, TABLE[:1]])
    assert "tell rows apart" in compared(TABLE, equal=False, table=twice).told
    unnamed = compared(TABLE, equal=False, table=TABLE[1:], key=())
    assert unnamed.told == "3 rows are recorded, 4 were made again"


def test_a_share_of_the_networks_may_end_elsewhere_but_not_here():
    outcomes = pd.DataFrame({"item": range(1000), "a": np.ones(1000, np.int8)})
    tolerances = {"item": replay.same(), "a": replay.outcomes(0.005)}
    for count, equal, failed in ((0, True, 0), (5, False, 0), (6, False, 6), (1, True, 1)):
        remade = outcomes.assign(a=np.where(np.arange(1000) < count, -1, 1))
        found = compared(remade, equal=equal, table=outcomes, key=("item",), tolerances=tolerances)
        assert found.failed == failed
        assert found.caught == found.controls == 2


def test_what_depends_on_the_place_is_compared_here_alone():
    engine = {**TOLERANCES, "name": replay.of_this_place("another engine")}
    other = TABLE.assign(name="x")
    for equal, failed in ((True, 4), (False, 0)):
        found = compared(other, equal=equal, tolerances=engine)
        assert (found.failed, found.equal) == (failed, False)
        assert found.controls == found.caught == len(TABLE.columns) - (not equal)


def test_a_measurement_is_compared_loosely_even_here():
    slower = TABLE.assign(seconds=TABLE["seconds"] * 3)
    found = compared(slower, equal=True)
    assert (found.failed, found.equal) == (0, True)
    assert compared(TABLE.assign(seconds=TABLE["seconds"] * 6), equal=True).failed


def test_a_block_of_neighbouring_numbers_is_a_piece_named_by_its_lowest():
    blocks = replay.Replay("one", ("right", "n"), (), lambda *_: TABLE, TOLERANCES, {"n": 2})
    pieces = blocks.pieces(TABLE)
    assert [where["n"] for where in pieces] == [0, 2, 2, 4]
    assert [blocks.rows(TABLE, where)["n"].tolist() for where in pieces] == [[1], [2], [3], [4]]
    assert len(replay.Replay("one", ("n",), (), lambda *_: TABLE, {}, {"n": 4}).pieces(TABLE)) == 2


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
        return replay.Replay(name, ("n",), (), make, TOLERANCES)

    return [of("one"), of("small/two")], made


def parts(tmp_path):
    return Parts(tmp_path / "parts", {})


def test_the_seed_draws_pieces_of_each_table_in_turn(recorded):
    replays, _ = recorded
    orders = [
        [(one.table, where["n"]) for one, where in replay.draw(replays, seed)]
        for seed in ("a", "a", "b")
    ]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == [(name, n) for name in ("one", "small/two") for n in (1, 2, 3, 4)]
    rounds = [{table for table, _ in orders[0][i : i + 2]} for i in range(0, 8, 2)]
    assert rounds == [{"one", "small/two"}] * 4


def test_enough_rows_of_each_table_are_enough(recorded, tmp_path):
    replays, made = recorded
    found = replay.run(replays, seed="a", parts=parts(tmp_path), rows=2)
    assert len(made) == len(found) == 4
    assert found.groupby("table")["rows"].sum().tolist() == [2, 2]
    assert found["verdict"].eq(PASS).all()


def test_nothing_is_begun_that_takes_longer_than_is_left(recorded, tmp_path):
    replays, made = recorded
    known = {("one", json.dumps({"n": 1})): 1e6, ("small/two", json.dumps({"n": 2})): 1e-9}
    replay.run(
        replays, seed="a", parts=parts(tmp_path), seconds=1e3, costs=replay.Costs(replays, known)
    )
    assert sorted(made) == [("small/two", n) for n in (1, 2, 3, 4)]
    assert replay.run(replays, seed="a", parts=parts(tmp_path), seconds=1e-9).empty
    made.clear()
    large = {("one", json.dumps({"n": n})): 300.0 if n == 1 else 200.0 for n in (1, 2, 3, 4)}
    some = replay.Costs(replays, large)
    replay.run(replays, seed="c", parts=parts(tmp_path), seconds=1e3, costs=some)
    assert sorted(made) == [("one", n) for n in (2, 3, 4)]
    made.clear()
    only = {("small/two", json.dumps({"n": 2})): 1e-9}
    replay.run(
        replays, seed="b", parts=parts(tmp_path), seconds=1e3, costs=replay.Costs(replays, only)
    )
    assert {name for name, _ in made} == {"small/two"}
    replay.run(replays, seed="b", parts=parts(tmp_path), costs=replay.Costs(replays, only))
    assert {name for name, _ in made} == {"one", "small/two"}


def test_a_table_made_of_the_same_networks_as_another_costs_as_much(recorded, tmp_path):
    [one, _], made = recorded
    results.save("first", TABLE, parameters={}, command="", folder=results.FOLDER)
    first = replace(one, table="first")
    costs = [(json.dumps({"n": n}), 1.0 if n > 2 else 1e6) for n in (1, 2, 3, 4)]
    known = {("one", where): cost for where, cost in costs}
    known |= {("first", where): 1e-9 for where, _ in costs}
    of_both = replay.Costs([one, first], known)
    for asked in ([first], [first, one]):
        made.clear()
        replay.run(asked, seed="a", parts=parts(tmp_path), seconds=1e3, costs=of_both)
        assert {n for _, n in made} == {3, 4}


def test_a_run_that_was_cut_off_goes_on(recorded, tmp_path):
    replays, made = recorded
    seen = []

    def tell(piece):
        seen.append(piece)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay.run(replays, seed="a", parts=parts(tmp_path), tell=tell)
    whole = replay.run(replays, seed="a", parts=parts(tmp_path))
    assert len(whole) == len(made) == len(set(made)) == 8


def test_a_table_recorded_anew_is_replayed_anew(recorded, tmp_path):
    replays, made = recorded
    replay.run(replays, seed="a", parts=parts(tmp_path))
    results.save("one", TABLE.assign(s=2.0), parameters={}, command="", folder=results.FOLDER)
    replay.run(replays, seed="a", parts=parts(tmp_path))
    assert len(made) == 12


def test_code_that_cannot_make_the_rows_fails(recorded, tmp_path):
    [one, _], _ = recorded

    def make(*_):
        raise ZeroDivisionError("no networks")

    broken = replay.Replay(one.table, one.piece, one.key, make, TOLERANCES)
    [piece] = replay.run([broken], seed="a", parts=parts(tmp_path), rows=1).to_dict("records")
    assert (piece["verdict"], piece["failed"]) == (FAIL, 1)
    assert piece["told"] == "ZeroDivisionError: no networks"


def test_what_is_missing_here_is_no_pass_and_the_table_is_left_alone(recorded, tmp_path):
    [one, two], _ = recorded

    def make(*_):
        raise replay.NotReplayableError("no weights: `make minilm`")

    broken = replay.Replay(one.table, one.piece, one.key, make, TOLERANCES)
    found = replay.run([broken, two], seed="a", parts=parts(tmp_path))
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
    found = replay.run(replays, seed="a", parts=parts(tmp_path), rows=1)
    verdicts = dict(zip(found["table"], found["verdict"], strict=True))
    assert verdicts == {"one": FAIL, "small/two": PASS}
    [line] = str(replay.Piece(**found.iloc[0].to_dict())).splitlines()
    assert line.startswith("fail: one, ")
    assert told in line
    assert "FAILED: one" in command.summary(found, ["one", "small/two"])


@pytest.mark.parametrize(
    ("missing", "error"), [("peft", replay.NotReplayableError), ("nunpy", ModuleNotFoundError)]
)
def test_only_a_package_of_an_extra_may_be_missing(missing, error, tmp_path, monkeypatch):
    (tmp_path / "needs_more.py").write_text(f"import {missing}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(error, match=missing):
        pieces.imported("needs_more", extras="lora")


def test_nothing_is_kept_of_other_inputs_or_of_what_was_missing(recorded, tmp_path):
    [one, _], made = recorded
    replay.run([one], seed="a", parts=parts(tmp_path))
    replay.run([one], seed="a", parts=parts(tmp_path), equal=lambda *_: False)
    known = one.load()
    other = results.Result(known.table, known.provenance | {"parameters": {"seed": 1}})
    results.write(other, "one", folder=results.FOLDER)
    replay.run([one], seed="a", parts=parts(tmp_path))
    assert len(made) == 3 * len(TABLE)
    asked = []

    def missing(_, where):
        asked.append(where)
        raise replay.NotReplayableError("no weights")

    for _ in range(2):
        found = replay.run([replace(one, make=missing)], seed="b", parts=parts(tmp_path), rows=1)
        assert set(found["verdict"]) == {NOT_HERE}
    assert len(asked) == 6


def test_another_command_leaves_the_parts_of_a_run(house):
    begun = command._parts({"tables": ["one"]})
    table = begun.part({"n": 1}, lambda: TABLE)
    other = command._parts({"tables": ["two"]})
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
        pieces = replay.run(asked, seed=seed, parts=parts(tmp_path), equal=lambda *_: True)
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
    found = replay.run([one], seed="a", parts=parts(tmp_path))
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
    found = replay.run([one], seed="a", parts=parts(tmp_path), equal=lambda *_: False)
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
