"""Counts of Bell tests: what they become, what is published of them, and what is refused."""

import numpy as np
import pytest

from ncnet import chsh
from tests.strategies import correlated_outcomes, singlet_correlators

A, B = correlated_outcomes(singlet_correlators(), replicas=12, items=3, seed=0)
DELFT = np.array(
    [[[[23, 3], [4, 23]], [[33, 11], [5, 30]]], [[[22, 10], [6, 24]], [[4, 20], [21, 6]]]]
)
"""Hensen et al. (Nature 526, 682, 2015): 245 trials, S = 2.42, 196 won, p = .039."""


def test_counts_of_a_published_experiment_give_its_published_statistics():
    means = chsh.from_counts(DELFT)
    assert int(means.trials.sum()) == 245
    assert float(chsh.s_value(means.correlator)) == pytest.approx(2.42, abs=0.005)
    won = float((means.trials * (1 + chsh.SIGNS * means.correlator) / 2).sum())
    assert won == pytest.approx(196)
    assert chsh.game_test(round(won), 245) == pytest.approx(0.039, abs=0.0005)


def test_counts_of_balanced_outcomes_give_the_means_of_replicas():
    counts = np.zeros((2, 2, 2, 2))
    for i, j, x, y in np.ndindex(2, 2, 2, 2):
        counts[i, j, x, y] = ((A[i, j] == 1 - 2 * x) & (B[i, j] == 1 - 2 * y)).sum()
    means, expected = chsh.from_counts(counts), chsh.replica_means((A, B)).mean("replica")
    for name in ("correlator", "alice", "bob"):
        np.testing.assert_allclose(means[name], expected[name], atol=1e-12)


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        (np.ones((2, 2, 4)), r"counts have shape \(2, 2, 4\): expected an array \(2, 2, 2, 2\)"),
        (-np.ones((2, 2, 2, 2)), "a count is -1.0: expected a finite number of at least 0"),
        (np.full((2, 2, 2, 2), np.inf), "a count is inf: expected a finite number"),
        (np.full((2, 2, 2, 2), "7"), "a count is '7': expected a number"),
        ({(1, 1): [1, 2, 3, 4]}, r"counts have shape \(\): expected an array"),
        (1j * DELFT, "a count is 23j: expected a number"),
        (np.full((2, 2, 2, 2), np.nan), "a count is nan"),
        (DELFT * np.array([1, 0])[:, None, None], r"context \(1,2\) has no trials"),
    ],
)
def test_bad_counts_are_named(counts, line):
    with pytest.raises(ValueError, match=line):
        chsh.from_counts(counts)
