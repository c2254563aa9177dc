"""No rule can come out one way only: counts in simulated worlds, and how they are made."""

import pytest

from ncnet import results
from ncnet.claims import findings
from ncnet.companion.claims import CLAIMS
from ncnet.companion.worlds import NAMES, SIMULATIONS, WORLDS, simulate
from ncnet.estimates import WORDS
from tests.refusals import refused

HOLDS, NOT, OPEN = WORDS.values()
BY_DEFINITION = "above-2-suffices-by-definition"


def test_every_rule_has_worlds():
    assert set(WORLDS) == set(CLAIMS)
    for claim, worlds in WORLDS.items():
        missing = {"false"} if claim == BY_DEFINITION else set()
        assert set(worlds) == set(NAMES) - missing


@pytest.fixture(scope="module")
def recorded():
    """Return the recorded counts, by claim and world."""
    return results.load("worlds").table.set_index(["claim", "world"])


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_rule_says_what_is_true(recorded, claim):
    of_claim = recorded.loc[claim]
    assert (of_claim["simulations"] == SIMULATIONS).all()
    assert of_claim.loc["true", HOLDS] > 0.8
    assert of_claim.loc["true", NOT] < 0.05
    if claim != BY_DEFINITION:
        assert of_claim.loc["false", HOLDS] < 0.05
        assert of_claim.loc["false", NOT] > 0.1
    # At the smallest effect neither may be said more often than intervals at 95 % miss.
    assert of_claim.loc["in between", HOLDS] < 0.1


def test_worlds_are_counted_by_what_the_rule_finds_in_them():
    rows = simulate("mixed-depends-on-balance", simulations=5, seed=1).set_index("world")
    assert rows[[*WORDS.values()]].sum(axis=1).tolist() == pytest.approx([1, 1, 1])
    assert rows.loc["true", HOLDS] == 1
    again = simulate("mixed-depends-on-balance", simulations=5, seed=1).set_index("world")
    assert rows.equals(again)


def test_an_unknown_claim_is_refused():
    refused(lambda: simulate("peak-at-4", simulations=1, seed=0), ["peak-at-4", "peak-at-3"])


@pytest.mark.parametrize("claim", ["rises-to-2", "fluctuates-at-8"])
def test_a_world_has_what_its_rule_reads(claim):
    import numpy as np

    found = findings(CLAIMS[claim], WORLDS[claim]["true"](np.random.default_rng(0)))
    assert all(one.holds for one in found.values())
