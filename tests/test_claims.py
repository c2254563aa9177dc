"""The rules that judge the paper's statements, on sweeps whose verdict is plain."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnet import claims

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
    return {name for name, holds in claims.judge(sweep(values, width)).items() if holds}


ALL = {"rises-to-2", "exceeds-2", "peak-at-3", "returns-to-2"}


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
    assert claims.judge(table.iloc[list(order)]) == claims.judge(table)


@given(st.lists(st.floats(-4, 4), min_size=3, max_size=10), st.floats(0.001, 1), st.floats(1.01, 3))
def test_wider_intervals_never_make_a_peak_or_an_excess(values, width, factor):
    narrow, wide = (claims.judge(sweep(values, one)) for one in (width, factor * width))
    for name in ("exceeds-2", "peak-at-3"):
        assert narrow[name] or not wide[name]
    assert wide["exceeds-2"] or not wide["peak-at-3"]
    assert wide["exceeds-2"] or not wide["returns-to-2"]


def test_a_sweep_without_the_critical_size_or_with_one_twice_is_refused():
    with pytest.raises(ValueError, match="no hidden size 3"):
        claims.judge(sweep(PAPERS)[lambda table: table["hidden_size"] != 3])
    with pytest.raises(ValueError, match="hidden size 1 twice"):
        claims.judge(pd.concat([sweep(PAPERS), sweep(PAPERS)]))


def test_every_claim_says_what_it_is():
    for name, claim in claims.CLAIMS.items():
        assert claim.name == name
        assert claim.statement.endswith(".")
        assert claim.source
        judged = [bool(part) for part in (claim.rule, claim.result, claim.evidence, claim.holds)]
        assert all(judged) or not any(judged)
        assert not claim.rule or claim.rule.endswith(".")
    assert set(claims.CAPACITY_CLAIMS) == ALL


@pytest.mark.parametrize(
    ("peaks", "verdict"),
    [((2.3, 2.2), "reproduced"), ((2.3, 1.9), "partly"), ((2.0, 1.9), "not")],
)
def test_a_verdict_asks_both_games(peaks, verdict):
    table = pd.concat(
        sweep([0.5, 1.8, peak, 2.0]).assign(game=game)
        for game, peak in zip(("overlap", "separate"), peaks, strict=True)
    )
    assert claims.verdict(claims.CLAIMS["exceeds-2"], {"multiverse": table}) == verdict


def test_a_statement_without_a_rule_is_open():
    assert claims.verdict(claims.CLAIMS["competition-causes"], {}) == claims.OPEN


@pytest.mark.parametrize(
    ("values", "left", "holds"),
    [
        (PAPERS, -0.1, False),  # above 2 at n = 3, and the marginals explain it
        (PAPERS, 0.1, True),
        ([0.5, 1.8, 2.0, 2.0], 0.1, False),  # nothing above 2: no evidence for it
    ],
)
def test_above_2_suffices_where_the_marginals_do_not_explain_it(values, left, holds):
    table = sweep(values).assign(contextuality_low=left)
    assert claims.CLAIMS["above-2-suffices"].holds(table) == holds
