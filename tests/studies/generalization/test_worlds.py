"""What the rules say in simulated worlds: none can come out one way only."""

import numpy as np
import pytest

from ncnet.studies.generalization.claims import CLAIMS
from ncnet.studies.generalization.worlds import WORLDS

BY_NAME = {claim.name: claim for claim in CLAIMS}


def test_each_rule_has_its_worlds():
    assert list(WORLDS) == list(BY_NAME)


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize(("world", "expected"), [("true", True), ("false", False)])
def test_what_is_true_is_found_and_what_is_false_refuted(name, world, expected):
    claim, generator = BY_NAME[name], np.random.default_rng(0)
    said = [claim.find(WORLDS[name][world](generator)[claim.result]).holds for _ in range(6)]
    assert said.count(expected) >= 5


@pytest.mark.parametrize("name", WORLDS)
def test_at_the_smallest_effect_a_rule_says_nothing(name):
    claim, generator = BY_NAME[name], np.random.default_rng(0)
    tables = [WORLDS[name]["in between"](generator) for _ in range(6)]
    assert [claim.find(found[claim.result]).holds for found in tables].count(None) >= 5
