"""Simulated worlds: each rule on the mechanism comes out as the world is."""

import itertools
from collections import Counter

import numpy as np
import pytest

from ncnet.claims import findings
from ncnet.studies.mechanism.claims import CLAIMS
from ncnet.studies.mechanism.worlds import WORLDS


@pytest.mark.slow
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_rule_says_what_is_so_and_leaves_open_what_is_at_the_smallest_effect(claim):
    for world, mostly in {"true": True, "false": False, "in between": None}.items():
        draw, generator = WORLDS[claim.name][world], np.random.default_rng(0)
        drawn = [findings(claim, draw(generator)).values() for _ in range(6)]
        said = Counter(found.holds for found in itertools.chain(*drawn))
        assert said[mostly] >= 0.75 * said.total()
