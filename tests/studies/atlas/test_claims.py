"""The rule on what S above 2 means, on rows whose verdict is plain."""

import pandas as pd
import pytest

from ncnet.claims import verdict
from ncnet.studies.atlas.claims import CLAIMS
from tests.test_claims import both_games

[SUFFICES] = CLAIMS
ABOVE, OTHER = "above 2", "not distinguishable from 2"


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
    table = pd.DataFrame(rows, columns=["verdict", "explanation"])
    assert SUFFICES.holds(table) is holds


def test_what_both_games_leave_open_is_not_testable_here():
    rows = pd.DataFrame({"hidden_size": [2, 3], "verdict": OTHER, "explanation": "undecided"})
    assert verdict(SUFFICES, {"capacity": both_games(rows)}) == "not testable here"
