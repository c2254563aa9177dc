"""The rules on S along a sweep over hidden sizes, on sweeps whose verdict is plain."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnet.claims import CRITICAL_SIZE, verdict
from ncnet.studies.multiverse.claims import CLAIMS, judge
from tests.refusals import refused
from tests.test_claims import both_games

BY_NAME = {claim.name: claim for claim in CLAIMS}
ALL = {"rises-to-2", "exceeds-2", "peak-at-3", "returns-to-2"}
PAPERS = [0.5, 1.8, 2.3, 2.05, 2.0, 2.0]


def sweep(values, width=0.02):
    """Return a sweep with these S, all intervals as wide, as if S had no spread over replicas."""
    values = np.array(values, float)
    sizes = range(1, len(values) + 1)
    critical = values[CRITICAL_SIZE - 1] if len(values) >= CRITICAL_SIZE else np.nan
    compared = {
        "s": values,
        "rise": np.diff(values, prepend=np.nan),
        "lead": np.where(np.array(sizes) == CRITICAL_SIZE, np.nan, critical - values),
    }
    table = pd.DataFrame({"hidden_size": sizes} | compared)
    for name in compared:
        table[f"{name}_low"], table[f"{name}_high"] = table[name] - width, table[name] + width
    return table


def holding(values, width=0.02):
    return {name for name, holds in judge(sweep(values, width)).items() if holds}


def refuted(values, width=0.02):
    return {name for name, holds in judge(sweep(values, width)).items() if holds is False}


def test_each_statement_is_judged():
    assert set(judge(sweep(PAPERS))) == ALL == set(BY_NAME)


@pytest.mark.parametrize(
    ("values", "expected", "left_open"),
    [
        (PAPERS, ALL, set()),
        ([0.5, 1.8, 2.0, 2.0, 2.0, 2.0], {"rises-to-2"}, set()),  # rises and stays
        ([0.5, 1.8, 2.1, 2.3, 2.0, 2.0], ALL - {"peak-at-3"}, set()),  # peaks later
        ([0.5, 1.8, 2.3, 2.24, 2.0, 2.0], ALL - {"peak-at-3"}, {"peak-at-3"}),  # not told apart
        ([0.5, 1.8, 2.3, 2.3, 2.3, 2.3], {"rises-to-2", "exceeds-2"}, set()),  # stays above
        ([0.5, 1.8, 2.3, 2.0, 1.9, 1.8], ALL - {"returns-to-2"}, set()),  # falls below
        ([0.5, 1.8, 2.3, 1.9, 1.9, 2.0], ALL, set()),  # a dip, then 2
        ([0.5, 1.0, 1.2, 1.4, 1.6, 1.8], set(), set()),  # never arrives
        ([0.5, 1.5, 1.2, 2.0, 2.0, 2.0], set(), set()),  # falls on the way
        ([2.0, 2.0, 2.0, 2.0, 2.0, 2.0], set(), set()),  # no rise to be seen
        ([2.2, 2.2, 2.5, 2.0, 2.0, 2.0], ALL - {"rises-to-2"}, set()),  # from above
        ([0.5, 1.8, 1.9, 1.9, 1.9, 2.3], {"rises-to-2", "exceeds-2"}, set()),  # only at the end
        ([0.5, 1.8, 2.05, 1.9, 1.9, 1.9], {"rises-to-2", "peak-at-3"}, {"exceeds-2"}),  # just so
    ],
)
def test_the_rules_say_what_they_are_for(values, expected, left_open):
    assert holding(values) == expected
    assert refuted(values) == ALL - expected - left_open


def test_what_intervals_leave_open_is_open():
    assert holding(PAPERS, width=1.0) == set()
    assert "exceeds-2" not in refuted(PAPERS, width=1.0)
    # Within 2.05 with its estimate, not with its interval.
    assert judge(sweep([0.5, 1.8, 2.3, 2.04]))["returns-to-2"] is None
    # At the width that 62 replicas leave at the ceiling.
    assert judge(sweep(PAPERS, width=0.08))["returns-to-2"] is None


@given(st.permutations(range(len(PAPERS))))
def test_the_order_of_rows_does_not_matter(order):
    table = sweep(PAPERS)
    assert judge(table.iloc[list(order)]) == judge(table)


@given(st.lists(st.floats(-4, 4), min_size=3, max_size=10), st.floats(0.001, 1), st.floats(1.01, 3))
def test_wider_intervals_decide_nothing_that_narrower_ones_leave_open(values, width, factor):
    narrow, wide = (judge(sweep(values, one)) for one in (width, factor * width))
    assert all(wide[name] in (narrow[name], None) for name in ALL)
    assert wide["exceeds-2"] or not wide["returns-to-2"]


@pytest.mark.parametrize(
    ("table", "parts"),
    [
        (sweep(PAPERS)[lambda table: table["hidden_size"] != 3], ("hidden size 3", "one")),
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
