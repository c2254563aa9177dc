"""S by dose, from outcomes to the rows that the rules on difficulty and balance read."""

import itertools

import numpy as np
import pytest

from ncnet import chsh
from ncnet.studies.ranks import claims
from ncnet.studies.ranks.contrasts import dose_rows, measure_doses

TASKS = ("a1", "a2", "b1", "b2")


def outcomes(right, *, beside=None, seed=0, replicas=16, items=200):
    """Return outcomes in which a2 and b2 are right in shares, fewer where they meet."""
    rng = np.random.default_rng(seed)
    found = {}
    for pair in itertools.product(TASKS[:2], TASKS[2:]):
        shares = [right if "2" in task else 0.98 for task in pair]
        if pair == ("a2", "b2"):
            shares = [right if beside is None else beside] * 2
        found[pair] = [
            np.where(rng.random((1, replicas, items)) < share, 1, -1) for share in shares
        ]
    pairs = chsh.collect_pairs(found, capacities=[1.0], paired=False)
    return chsh.quartet(pairs, alice=TASKS[:2], bob=TASKS[2:])


@pytest.mark.parametrize(
    ("by_dose", "holds"),
    [
        # Harder tasks disturb each other where they meet, and S rises with the dose.
        ({0.0: (0.97, 0.96), 0.5: (0.9, 0.75), 1.0: (0.85, 0.55)}, True),
        ({0.0: (0.95, 0.95), 0.5: (0.95, 0.95), 1.0: (0.95, 0.95)}, False),
    ],
)
def test_the_rule_on_difficulty_reads_doses(by_dose, holds):
    found = {dose: outcomes(right, beside=beside) for dose, (right, beside) in by_dose.items()}
    measured = measure_doses(found, TASKS, resamples=2000)
    rows = dose_rows("mixed", claims.DIFFICULTY, measured, claims.DOSES_OF_DIFFICULTY)
    assert len(rows) == len(claims.DOSES_OF_DIFFICULTY)
    [claim] = [one for one in claims.CLAIMS if one.name == "mixed-depends-on-difficulty"]
    assert claim.find(rows).holds is holds
    s = {dose: chsh.s_per_replica(one).values.mean() for dose, one in found.items()}
    assert rows["s"][0] == pytest.approx(s[1.0] - s[0.0])


def test_items_are_resampled_alike_at_every_dose():
    one = outcomes(0.9)
    measured = measure_doses({1.0: one, 4.0: one}, TASKS, resamples=500)
    np.testing.assert_array_equal(measured[1.0][1], measured[4.0][1])
    np.testing.assert_array_equal(measured[1.0][0], chsh.s_per_replica(one).values[0])
