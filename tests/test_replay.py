"""What a replay is: what is compared, what is drawn, what fails."""

import math
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from ncnet import chsh, replay, results
from ncnet.replay import pieces, reports

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


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("seed", range(10))
def test_the_same_rows_pass_in_any_order_and_every_tampered_cell_is_found(equal, seed):
    """Whichever is drawn: missing and infinite ones as well."""
    found = compared(TABLE[::-1].assign(more=1), equal=equal, seed=seed)
    assert (found.rows, found.failed, found.column, found.equal) == (4, 0, "", True)
    assert found.controls == found.caught == len(TABLE.columns)


@pytest.mark.parametrize("seed", range(5))
def test_true_and_false_are_tampered_with_by_each_other(seed):
    """A text would differ from both, whatever compares them; what differs already is let be."""
    changed, remade = [], TABLE.assign(right=[False, True, False, True])

    class Watched(replay.Tolerance):
        def beyond(self, recorded, remade, name):
            changed.append(recorded[name].tolist())
            return super().beyond(recorded, remade, name)

    watched = {**TOLERANCES, "right": Watched("a few", share=0.75)}
    found = compared(remade, equal=False, tolerances=watched, seed=seed)
    assert found.controls == found.caught == len(TABLE.columns)
    assert changed[-1] == [True, False, True, False]


def test_a_missing_truth_is_tampered_with_as_any_other():
    rows = pd.DataFrame({"diverged": pd.array([pd.NA, pd.NA], dtype="boolean")})
    found = replay.compare(rows, rows, [], {"diverged": replay.same()}, equal=True, seed="0")
    assert (found.failed, found.controls, found.caught) == (0, 1, 1)


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
    assert told in found.told


def test_rows_that_are_recorded_twice_or_not_at_all_fail():
    twice = pd.concat([TABLE, TABLE[:1]])
    assert "tell rows apart" in compared(TABLE, equal=False, table=twice).told
    unnamed = compared(TABLE, equal=False, table=TABLE[1:], key=())
    assert unnamed.told == "1 row is not recorded, such as row = 3"


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


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """Record two tables apart from the project's, and return replays of them that make nothing."""
    monkeypatch.setattr(results, "FOLDER", tmp_path)

    def of(name):
        place = tmp_path / name
        results.save(place.name, TABLE, parameters={}, command="", folder=place.parent)
        return replay.Replay(name, ("n",), (), lambda *_: TABLE, TOLERANCES)

    return [of("one"), of("small/two")]


def test_the_seed_draws_pieces_of_each_table_in_turn(recorded):
    orders = [
        [(one.table, where["n"]) for one, where in replay.draw(recorded, seed)]
        for seed in ("a", "a", "b")
    ]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == [(name, n) for name in ("one", "small/two") for n in (1, 2, 3, 4)]
    rounds = [{table for table, _ in orders[0][i : i + 2]} for i in range(0, 8, 2)]
    assert rounds == [{"one", "small/two"}] * 4


@pytest.mark.parametrize(
    ("missing", "error"), [("peft", replay.NotReplayableError), ("nunpy", ModuleNotFoundError)]
)
def test_only_a_package_of_an_extra_may_be_missing(missing, error, tmp_path, monkeypatch):
    (tmp_path / "needs_more.py").write_text(f"import {missing}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(error, match=missing):
        pieces.import_optional("needs_more", extras="lora")


def test_every_column_of_a_report_has_a_tolerance():
    ones = np.ones((2, 2, 64, 4))
    trained = [chsh.as_dataset((ones, ones)).assign_coords(capacity=n) for n in (2, 3)]
    rows = chsh.by_capacity(xr.concat(trained, "capacity"))
    assert set(rows) - {"capacity"} <= set(reports.REPORT)
