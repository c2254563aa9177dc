"""The rules on what S above 2 means, on rows whose verdict is plain."""

import numpy as np
import pandas as pd
import pytest

from ncnet import chsh
from ncnet.claims import OPEN, verdict
from ncnet.studies.atlas.claims import CLAIMS
from tests.test_claims import both_games

BY_DEFINITION, BEYOND_SIGNALLING = CLAIMS
ABOVE, OTHER = "above 2", "not distinguishable from 2"
UNSAID = {
    "s": 2.1,
    "s_betting_low": 2.0,
    "s_betting_high": 2.2,
    "excess": 0.0,
    "excess_low": -1,
    "excess_high": 1,
}


@pytest.mark.parametrize(
    ("rows", "holds"),
    [
        ([(ABOVE, "contextual"), (OTHER, "within 2 + Delta")], True),
        ([(ABOVE, "contextual"), (ABOVE, "within 2 + Delta")], False),  # one counterexample
        ([(ABOVE, "contextual"), (ABOVE, "undecided")], None),
        ([(ABOVE, "undecided"), (ABOVE, "within 2 + Delta")], False),
        ([(OTHER, "contextual"), (OTHER, "within 2 + Delta")], None),  # nothing above 2
    ],
)
def test_above_2_suffices_unless_the_marginals_explain_it(rows, holds):
    table = pd.DataFrame(rows, columns=["verdict", "explanation"]).assign(**UNSAID)
    assert BEYOND_SIGNALLING.find(table).holds is holds


def test_what_both_games_leave_open_is_open():
    rows = pd.DataFrame({"hidden_size": [2, 3], "verdict": OTHER, "explanation": "undecided"})
    for claim in CLAIMS:
        assert verdict(claim, {"capacity": both_games(rows.assign(**UNSAID))}) == OPEN


def reported(share):
    """Return the row of a report in which A2 changes with Bob's setting in a share of the items."""
    a, b = np.ones((2, 2, 2, 400, 8), int)
    a[1, 1] = np.where(np.random.default_rng(0).random((400, 8)) < share, -1, 1)
    return pd.DataFrame([chsh.report((a, b), resamples=2000).row()])


def test_no_joint_distribution_is_behind_s_above_2():
    found = BY_DEFINITION.find(reported(0.3))
    assert found.holds is True
    assert found.estimate.value == pytest.approx(0.6, abs=0.1)
    assert BY_DEFINITION.find(reported(0.0)).holds is None


def test_numbers_that_a_joint_distribution_could_have_refute_the_first_rule():
    # Such a row cannot come of outcomes: it would be an error of ours, and is found.
    wrong = reported(0.0).assign(verdict=ABOVE)
    assert BY_DEFINITION.find(wrong).holds is False
