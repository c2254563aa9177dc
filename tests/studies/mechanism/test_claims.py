"""The rules on the mechanism, on tables whose verdict is plain."""

import numpy as np
import pandas as pd
import pytest

from ncnet.claims import PARTLY, verdict
from ncnet.studies.mechanism.claims import (
    CLAIMS,
    OSCILLATIONS,
    WITHOUT_COMPETITION,
    WITHOUT_OSCILLATION,
)
from tests.refusals import refused
from tests.test_claims import both_games

CAUSES, SENSES = CLAIMS
LOWER = {"s_change_high": -0.1, "s_high": 2.01}


def interventions(**changed):
    rows = {"shared": {"verdict": "above 2"}, **dict.fromkeys(WITHOUT_COMPETITION, LOWER)}
    rows |= changed
    table = pd.DataFrame([{"intervention": name} | row for name, row in rows.items()])
    return table.assign(hidden_size=3)


@pytest.mark.parametrize(
    ("changed", "holds"),
    [
        ({}, True),
        ({"PCGrad": {"s_change_high": 0.01, "s_high": 2.01}}, False),  # may not have fallen
        ({"PCGrad": {"s_change_high": -0.01, "s_high": 2.3}}, PARTLY),  # not all the way
        ({"PCGrad": {"s_change_high": -0.01, "s_high": 2.06}}, PARTLY),  # undecided
        ({"λ = 0": {"s_change_high": 0.3, "s_high": 2.6}}, False),
        ({"MGDA": {"s_change_high": 0.3, "s_high": 2.6}}, True),  # no way to remove conflict
        ({"shared": {"verdict": "not distinguishable from 2"}}, None),  # nothing to remove
    ],
)
def test_competition_causes_what_goes_with_it(changed, holds):
    assert CAUSES.holds(interventions(**changed)) is holds


def without(table, column, value):
    return table[table[column] != value]


OSCILLATING = [f"oscillation ({reading})" for reading in OSCILLATIONS]


def sensing(**changed):
    told = {"auc_low": 0.8, "p_value": 0.01, "lost_low": 0.02}
    rows = {"whole": told, WITHOUT_OSCILLATION: told | {"auc_low": 0.48}}
    for reading in OSCILLATIONS:
        rows[f"oscillation ({reading})"] = told
        rows[f"without oscillation ({reading})"] = told
    rows |= {use: told | row for use, row in changed.items()}
    table = pd.DataFrame([{"use": use} | row for use, row in rows.items()])
    return table.assign(hidden_size=3)


@pytest.mark.parametrize(
    ("changed", "holds"),
    [
        ({}, True),
        ({"whole": {"auc_low": 0.49}}, False),
        ({"whole": {"p_value": 0.06}}, False),
        ({"whole": {"p_value": np.nan}}, None),  # not tested
        ({use: {"p_value": 0.04} for use in OSCILLATING}, False),  # two tests, one has to hold
        ({"oscillation (fast)": {"auc_low": 0.4}}, True),  # the other reading does
        (
            {
                "oscillation (fast)": {"auc_low": 0.4},
                "without oscillation (rises)": {"lost_low": -0.01},
            },
            False,
        ),
        ({WITHOUT_OSCILLATION: {"auc_low": 0.9}}, PARTLY),
    ],
)
def test_a_head_senses_through_oscillation_what_it_does_not_without(changed, holds):
    assert SENSES.holds(sensing(**changed)) is holds


def test_a_rule_that_holds_in_part_makes_a_verdict_in_part():
    part = both_games(sensing(**{WITHOUT_OSCILLATION: {"auc_low": 0.9}}))
    assert verdict(SENSES, {"sensing": part}) == "partly"
    assert verdict(SENSES, {"sensing": both_games(sensing())}) == "reproduced"
    none = both_games(sensing(whole={"auc_low": 0.4}))
    assert verdict(SENSES, {"sensing": none}) == "not"
    mixed = pd.concat([part[part["game"] == "overlap"], none[none["game"] == "separate"]])
    assert verdict(SENSES, {"sensing": mixed}) == "partly"


@pytest.mark.parametrize(
    ("claim", "table", "parts"),
    [
        (CAUSES, interventions().iloc[1:], ("intervention `shared`",)),
        (CAUSES, without(interventions(), "intervention", "PCGrad"), ("intervention `PCGrad`",)),
        (CAUSES, interventions().assign(hidden_size=4), ("no hidden size 3",)),
        (SENSES, without(sensing(), "use", WITHOUT_OSCILLATION), ("use `whole,", "`whole`")),
    ],
)
def test_a_rule_on_the_mechanism_names_what_it_misses(claim, table, parts):
    refused(lambda: claim.holds(table), parts)


def test_an_intervention_that_comes_twice_is_refused():
    twice = both_games(pd.concat([interventions()] * 2))
    with pytest.raises(ValueError, match=r"hidden size 3, .* twice"):
        verdict(CAUSES, {"interventions": twice})
