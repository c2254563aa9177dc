"""The bootstrap against scipy's, the betting interval against its guarantee."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from ncnet import chsh
from ncnet.chsh.betting import log_evidence, mean_interval
from ncnet.chsh.bootstrap import distinct_columns, percentile_interval, resampled_means
from tests.strategies import correlated_outcomes


def test_bootstrap_of_counts_has_scipys_distribution():
    values = np.random.default_rng(0).choice([-1.0, 0.5, 2.0], size=(2, 200), p=[0.2, 0.5, 0.3])
    ours = resampled_means(*distinct_columns(values), resamples=20_000, seed=1)
    scipys = stats.bootstrap(
        (values,), np.mean, axis=-1, n_resamples=20_000, rng=np.random.default_rng(2)
    ).bootstrap_distribution
    for row, other in zip(ours, scipys, strict=True):
        assert stats.ks_2samp(row, other).pvalue > 1e-3
    assert np.corrcoef(ours)[0, 1] == pytest.approx(np.corrcoef(scipys)[0, 1], abs=0.03)
    np.testing.assert_allclose(
        percentile_interval(ours, 0.95), percentile_interval(scipys, 0.95), atol=0.02
    )


def test_bootstrap_depends_on_the_seed_alone():
    columns, counts = distinct_columns(np.random.default_rng(0).normal(size=(3, 50)))
    first, again, other = (
        resampled_means(columns, counts, resamples=100, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_distinct_columns_keep_every_replica():
    values = np.random.default_rng(0).choice([0.1 + 0.2, 0.3, 1.0], size=(2, 500))
    columns, counts = distinct_columns(values)
    assert columns.shape == (2, 4)  # .1 + .2 counts as .3
    assert counts.sum() == 500
    np.testing.assert_allclose(columns @ counts / 500, values.mean(axis=1))


@given(
    hnp.arrays(
        float, st.integers(1, 60), elements=st.sampled_from([-4.0, -1.0, 0.0, 2.0, 2.5, 4.0])
    )
)
def test_betting_interval_holds_the_mean_and_is_never_empty(values):
    low, high = mean_interval(values, lowest=-4, highest=4, level=0.95)
    assert -4 <= low <= values.mean() <= high <= 4
    assert low < high


def test_betting_interval_is_where_the_bets_are_just_refuted():
    values = np.random.default_rng(0).choice([1.5, 2.0, 2.5], size=400)
    low, high = mean_interval(values, lowest=-4, highest=4, level=0.9)
    assert log_evidence(values, low, -4) == pytest.approx(np.log(20), abs=1e-5)
    assert log_evidence(-values, -high, -4) == pytest.approx(np.log(20), abs=1e-5)


def test_evidence_is_the_formula_written_out():
    values = np.array([2.5, 1.0, 3.0, 2.0])
    y = (values - 2) / 6
    bets = [np.prod(1 + u * y) for u in np.arange(1, 101) / 100]
    expected = 0.5 * np.prod(1 + y) + 0.5 * np.mean(bets)
    assert np.exp(log_evidence(values, 2, -4)) == pytest.approx(expected)


@pytest.mark.parametrize("rare", [0.5, 0.003])
def test_betting_interval_covers_where_most_replicas_are_alike(rare):
    """S_r = 2 but for a rare 1: with 64 replicas often none is seen, and the bootstrap fails."""
    generator = np.random.default_rng(0)
    mean = 2 - rare
    covered = 0
    for _ in range(300):
        values = np.where(generator.random(64) < rare, 1.0, 2.0)
        low, high = mean_interval(values, lowest=-4, highest=4, level=0.9)
        covered += low <= mean <= high
    assert covered >= 0.9 * 300


@pytest.mark.parametrize("delta", [0.0, 0.1])
def test_interval_of_delta_covers_also_where_nothing_signals(delta):
    """A bootstrap of Delta itself would never cover 0."""
    covered = 0
    for seed in range(100):
        a, b = correlated_outcomes(np.zeros((2, 2)), replicas=100, items=4, seed=seed)
        flips = np.random.default_rng(seed).random(a[0, 1].shape) < delta / 2
        a[0, 1] = np.where(flips, 1, a[0, 1])  # <A1> = delta / 2 where Bob's setting is 2
        low, high = chsh.report((a, b), resamples=4000).delta_interval
        covered += low <= delta / 2 <= high
    assert covered >= 85  # 95 nominal; a percentile interval is a little short at 100 replicas


def test_report_bets_only_where_almost_all_replicas_are_alike():
    ones = np.ones((2, 2, 64, 4))
    some_wrong = ones.copy()
    some_wrong[1, 1, :9] = -1
    at_ceiling = chsh.report((ones, some_wrong))
    assert at_ceiling.interval_method == "betting"
    assert at_ceiling.interval[0] < at_ceiling.s < at_ceiling.interval[1]
    assert at_ceiling.delta_interval[1] > at_ceiling.delta > at_ceiling.delta_interval[0]
    some_wrong[1, 1, :10] = -1
    assert chsh.report((ones, some_wrong)).interval_method == "percentile bootstrap"


@pytest.mark.parametrize(
    ("correlators", "verdict"),
    [
        ([[0.9, 0.9], [0.9, 0.3]], "above 2"),
        ([[0.5, 0.5], [0.5, 0.5]], "below 2"),
        ([[0.8, 0.8], [0.8, 0.4]], "not distinguishable from 2"),
    ],
)
def test_verdict_says_where_the_interval_lies(correlators, verdict):
    report = chsh.report(correlated_outcomes(correlators, replicas=500, items=8, seed=3))
    assert report.verdict == verdict
    assert report.row()["verdict"] == verdict


@pytest.mark.parametrize(
    ("values", "options", "line"),
    [
        ([], {}, r"S of replicas have shape \(0,\): expected \(replicas,\)"),
        (np.full((2, 3), 2.0), {}, r"shape \(2, 3\)"),
        ([2.0, np.nan], {}, "S of replica 1 is nan: expected -4 to 4"),
        ([2.0, 4.5], {}, "S of replica 1 is 4.5"),
        ([2.0], {"level": 95}, "`level` is 95: expected a number between 0 and 1"),
        ([2.0], {"resamples": 100}, "expected at least 200 at level 0.95"),
    ],
)
def test_values_that_are_no_s_are_named(values, options, line):
    with pytest.raises(ValueError, match=line):
        chsh.s_interval(values, **options)
