"""The AUC that is lost: an exact interval, on scores of which it is known how much that is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from ncnet.chsh.betting import log_evidence, lower_bound
from ncnet.studies.mechanism import auc


def scores(generator, replicas, value, common):
    """Return scores of one task with this AUC, which share with others what is common."""
    own = generator.standard_normal((2, 1, replicas))
    first, second = (common[:, None, :replicas] + own) / np.sqrt(2)
    return first, second + np.sqrt(2) * norm.ppf(value)


@given(st.integers(0, 999))
def test_the_mean_of_wins_is_the_auc(seed):
    generator = np.random.default_rng(seed)
    first, second = generator.integers(5, size=(2, 2, 30))
    settings = np.repeat([0, 1], 30)
    each = [
        roc_auc_score(settings, np.concatenate(pair)) for pair in zip(first, second, strict=True)
    ]
    assert auc.wins(first, second).mean() == pytest.approx(np.mean(each))


def test_e_values_are_those_of_bets_on_each_pairing():
    drawn = np.random.default_rng(0).choice([-1, -0.25, 0, 0.5, 1], size=(3, 40))
    means = np.array([-0.9, 0.0, 0.3, 1.0])
    expected = [np.mean([np.exp(log_evidence(one, m, -1.0)) for one in drawn]) for m in means]
    np.testing.assert_allclose(auc._e_values(drawn, means), expected, rtol=1e-9)


def test_the_bound_of_one_fold_is_that_of_the_bets_on_it():
    pairs = np.random.default_rng(0).choice([-0.5, 0.0, 0.0, 0.5, 0.5], size=(1, 300))
    expected = lower_bound(pairs[0], lowest=-1, alpha=0.025)
    found = auc._lower_bound([pairs], pairs.mean(), 0.025)
    # The same, but for the steps in which means are tried, on the safe side.
    assert expected - 0.1 * (pairs.mean() - expected) < found <= expected + 1e-9


@given(st.integers(0, 999), st.integers(5, 9))
def test_pairs_share_no_replica_and_are_everybody(seed, replicas):
    lost = np.zeros((replicas, replicas))
    lost[0] = 1  # once a pairing, if replica 0 is not the one that is left out
    found = auc._of_pairs(lost, np.random.default_rng(seed))
    assert found.shape == (auc.PAIRINGS, replicas // 2)
    assert set(found.sum(axis=1)) <= ({0.5, 0.0} if replicas % 2 else {0.5})


@pytest.mark.slow
@pytest.mark.parametrize(("whole", "less"), [(0.95, 0.93), (0.9, 0.6), (0.999, 0.999)])
def test_the_interval_covers_what_is_lost_on_average_by_decoders_that_differ(whole, less):
    """In one fold all of the loss, in the other none: an interval for either alone would fail."""
    truth, inside, widths, experiments = (whole - less) / 2, 0, [], 200
    for seed in range(experiments):
        generator = np.random.default_rng(seed)
        common = generator.standard_normal((2, 200))
        pairs = [(whole, less), (whole, whole)]
        folds = [[auc.wins(*scores(generator, 200, one, common)) for one in pair] for pair in pairs]
        of_whole, of_less = zip(*folds, strict=True)
        found = auc.lost_auc(of_less, of_whole, level=0.9, seed=seed)
        inside += found.low <= truth <= found.high
        widths.append(found.high - found.low)
    assert inside / experiments >= 0.9
    assert np.mean(widths) < 0.25


def test_more_replicas_make_a_shorter_interval_and_more_folds_a_longer_one():
    def width(replicas, folds):
        generator = np.random.default_rng(0)
        common = generator.standard_normal((2, replicas))
        whole, less = (
            scores(generator, replicas, 0.95, common),
            scores(generator, replicas, 0.9, common),
        )
        parts = np.array_split(np.arange(replicas), folds)
        made = [[auc.wins(a[:, part], b[:, part]) for part in parts] for a, b in (whole, less)]
        found = auc.lost_auc(made[1], made[0], level=0.95, seed=0)
        return found.high - found.low

    assert width(800, 2) < width(800, 5)
    assert width(800, 2) < width(200, 2)
