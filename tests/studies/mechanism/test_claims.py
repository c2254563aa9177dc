"""The rules on the mechanism, on tables whose verdict is plain."""

import numpy as np
import pandas as pd
import pytest

from ncnet.claims import GAMES, verdict
from ncnet.estimates import Estimate, columns_of
from ncnet.studies.mechanism.claims import CLAIMS, OSCILLATIONS
from ncnet.studies.mechanism.interventions import left_less_gone
from tests.refusals import refused

CAUSES, SENSES = CLAIMS
REPLICAS = 1600


def table(column, name, estimates):
    """Return a table of estimates at the critical size, and others elsewhere."""
    rows = [{name: key} | columns_of(column, found) for key, found in estimates.items()]
    there = pd.DataFrame(rows).assign(hidden_size=3)
    return pd.concat([there, there.assign(hidden_size=4, **{column: np.nan})])


def interventions(shared, **others):
    """Return the table of trainings of which all replicas have one S."""
    before = np.full(REPLICAS, shared)
    s = {"shared": before} | {name: np.full(REPLICAS, value) for name, value in others.items()}
    left = {name: left_less_gone(after, before) for name, after in s.items()}
    return table("left_less_gone", "intervention", left)


@pytest.mark.parametrize(
    ("shared", "others", "holds"),
    [
        (2.4, {"PCGrad": 2.05}, True),
        (2.4, {"PCGrad": 1.7}, True),  # more than all of it
        (2.4, {"PCGrad": 2.2}, None),  # half
        (2.4, {"PCGrad": 2.3}, False),
        (2.4, {"PCGrad": 2.6}, False),
        (2.4, {"PCGrad": 2.3, "MGDA": 2.0}, False),  # MGDA does not decide
        (2.4, {"PCGrad": 2.05, "λ = 0": 2.6}, True),  # nor does a head that breaks
        (2.05, {"PCGrad": 1.5}, None),  # there is no violation to lose
        (2.0, {"PCGrad": 2.3}, None),
    ],
)
def test_competition_causes_what_mostly_goes_with_it(shared, others, holds):
    found = CAUSES.find(interventions(shared, **others))
    assert found.holds is holds
    assert found.estimate.value == pytest.approx(2 * others["PCGrad"] - shared - 2)


LITTLE, MUCH, UNKNOWN = Estimate(0.02, 0.0, 0.04), Estimate(0.1, 0.06, 0.2), Estimate(0.05, 0, 0.1)


def sensing(fast, rises, **others):
    lost = dict(zip(OSCILLATIONS, (fast, rises), strict=True))
    uses = {f"without oscillation ({reading})": found for reading, found in lost.items()}
    return table("lost", "use", uses | others)


@pytest.mark.parametrize(
    ("fast", "rises", "holds"),
    [
        (MUCH, LITTLE, True),
        (LITTLE, MUCH, True),
        (MUCH, UNKNOWN, True),
        (LITTLE, LITTLE, False),
        (LITTLE, UNKNOWN, None),
        (UNKNOWN, UNKNOWN, None),
        (-MUCH, LITTLE, False),  # told better without
    ],
)
def test_a_head_senses_through_oscillation_what_it_tells_less_well_without(fast, rises, holds):
    found = SENSES.find(sensing(fast, rises, whole=MUCH, level=MUCH))
    assert found.holds is holds
    assert found.estimate.value == max(fast.value, rises.value)


def test_a_verdict_is_made_of_both_games():
    each = {"overlap": sensing(MUCH, LITTLE), "separate": sensing(LITTLE, LITTLE)}
    both = pd.concat(each[game].assign(game=game) for game in GAMES)
    assert verdict(SENSES, {"sensing": both}) == "partly"


CAUSED, SENSED = interventions(2.4, PCGrad=2.05), sensing(LITTLE, LITTLE)


@pytest.mark.parametrize(
    ("claim", "rows", "parts"),
    [
        (CAUSES, CAUSED[CAUSED["intervention"] != "shared"], ("no rows", "intervention shared")),
        (CAUSES, CAUSED[CAUSED["intervention"] == "shared"], ("no rows", "PCGrad")),
        (CAUSES, CAUSED[CAUSED["hidden_size"] == 4], ("no rows", "intervention shared")),
        (CAUSES, pd.concat([CAUSED, CAUSED]), ("2 rows", "intervention shared", "one")),
        (SENSES, SENSED.iloc[1:], ("no rows", "without oscillation (fast)")),
    ],
)
def test_a_rule_on_the_mechanism_names_what_it_misses(claim, rows, parts):
    refused(lambda: claim.find(rows), parts)
