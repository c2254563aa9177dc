"""The rules on S along a sweep over hidden sizes, on sweeps whose verdict is plain."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnet import results
from ncnet.claims import CRITICAL_SIZE, GAMES, verdict
from ncnet.studies.multiverse.analysis import has_our_choices
from ncnet.studies.multiverse.claims import CLAIMS, judge
from tests.refusals import refused
from tests.test_claims import both_games

BY_NAME = {claim.name: claim for claim in CLAIMS}
ALL = {"rises-to-2", "exceeds-2", "peak-at-3", "returns-to-2"}
PAPERS = [0.5, 1.8, 2.3, 2.05, 2.0, 2.0]


def sweep(values, width=0.02):
    values = np.array(values, float)
    return pd.DataFrame(
        {
            "hidden_size": range(1, len(values) + 1),
            "s": values,
            "s_low": values - width,
            "s_high": values + width,
        }
    )


def holding(values, width=0.02):
    return {name for name, holds in judge(sweep(values, width)).items() if holds}


def test_each_statement_is_judged():
    assert set(judge(sweep(PAPERS))) == ALL == set(BY_NAME)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (PAPERS, ALL),
        ([0.5, 1.8, 2.0, 2.0, 2.0, 2.0], {"rises-to-2"}),  # rises and stays
        ([0.5, 1.8, 2.1, 2.3, 2.0, 2.0], ALL - {"peak-at-3"}),  # peaks later
        ([0.5, 1.8, 2.3, 2.29, 2.0, 2.0], ALL - {"peak-at-3"}),  # two peaks, not told apart
        ([0.5, 1.8, 2.3, 2.3, 2.3, 2.3], {"rises-to-2", "exceeds-2"}),  # stays above
        ([0.5, 1.8, 2.3, 2.0, 1.9, 1.8], ALL - {"returns-to-2"}),  # falls below
        ([0.5, 1.8, 2.3, 1.9, 1.9, 2.0], ALL),  # a dip, then 2
        ([0.5, 1.0, 1.2, 1.4, 1.6, 1.8], set()),  # never arrives
        ([0.5, 1.5, 1.2, 2.0, 2.0, 2.0], set()),  # falls on the way
        ([2.0, 2.0, 2.0, 2.0, 2.0, 2.0], set()),  # no rise to be seen
        ([2.2, 2.2, 2.5, 2.0, 2.0, 2.0], ALL - {"rises-to-2"}),  # from above
        ([0.5, 1.8, 1.9, 1.9, 1.9, 2.3], {"rises-to-2", "exceeds-2"}),  # above only at the end
    ],
)
def test_the_rules_say_what_they_are_for(values, expected):
    assert holding(values) == expected


def test_what_intervals_leave_open_does_not_hold():
    assert holding(PAPERS, width=1.0) == set()
    # Within 2.05 with its estimate, not with its interval.
    assert "returns-to-2" not in holding([0.5, 1.8, 2.3, 2.04])
    # At the width that 62 replicas leave at the ceiling.
    assert "returns-to-2" not in holding(PAPERS, width=0.08)


@given(st.permutations(range(len(PAPERS))))
def test_the_order_of_rows_does_not_matter(order):
    table = sweep(PAPERS)
    assert judge(table.iloc[list(order)]) == judge(table)


@given(st.lists(st.floats(-4, 4), min_size=3, max_size=10), st.floats(0.001, 1), st.floats(1.01, 3))
def test_wider_intervals_never_make_a_peak_or_an_excess(values, width, factor):
    narrow, wide = (judge(sweep(values, one)) for one in (width, factor * width))
    for name in ("exceeds-2", "peak-at-3"):
        assert narrow[name] or not wide[name]
    assert wide["exceeds-2"] or not wide["peak-at-3"]
    assert wide["exceeds-2"] or not wide["returns-to-2"]


@pytest.mark.parametrize(
    ("table", "parts"),
    [
        (sweep(PAPERS)[lambda table: table["hidden_size"] != 3], ("no hidden size 3",)),
        (pd.concat([sweep(PAPERS), sweep(PAPERS)]), ("hidden size 1 twice",)),
        (sweep([]), ("the sweep has no rows", "one for each hidden size")),
    ],
)
def test_a_sweep_that_no_rule_can_judge_is_refused(table, parts):
    refused(lambda: judge(table), parts)


@pytest.mark.parametrize(
    ("peaks", "expected"),
    [((2.3, 2.2), "reproduced"), ((2.3, 1.9), "partly"), ((2.0, 1.9), "not")],
)
def test_a_verdict_asks_both_games(peaks, expected):
    table = pd.concat(
        sweep([0.5, 1.8, peak, 2.0]).assign(game=game)
        for game, peak in zip(("overlap", "separate"), peaks, strict=True)
    )
    assert verdict(BY_NAME["exceeds-2"], {"multiverse": table}) == expected


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_verdict_does_not_depend_on_the_order_of_rows(claim):
    table = both_games(sweep(PAPERS))
    assert verdict(claim, {"multiverse": table}) == "reproduced"
    assert verdict(claim, {"multiverse": table.iloc[::-1]}) == "reproduced"


@pytest.fixture(scope="module")
def tables():
    """Return the recorded table that the rules read, at the choices of the book."""
    table = results.load("multiverse").table
    return {"multiverse": table[has_our_choices(table)]}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_effects_speak_of_both_games_in_order(tables, claim):
    assert [one.of for one in claim.effect(tables).estimates] == list(GAMES)


def test_the_peak_is_compared_with_the_largest_elsewhere(tables):
    table = tables["multiverse"]
    elsewhere = table[table["hidden_size"] != CRITICAL_SIZE].groupby("game")["s"].max()
    found = BY_NAME["peak-at-3"].effect(tables)
    assert {one.of: one.value for one in found.estimates} == elsewhere.to_dict()
