"""The bootstrap against scipy's, the betting interval against its guarantee."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import optimize, stats

from ncnet import chsh
from ncnet.chsh import bootstrap
from ncnet.chsh.betting import betting_interval, log_evidence, lower_bound
from ncnet.chsh.bootstrap import (
    distinct_columns,
    expanded_level,
    percentile_interval,
    resampled_means,
)
from tests.refusals import refused
from tests.strategies import DETERMINISTIC, correlated_outcomes


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


@pytest.mark.parametrize("counts", [[50, 10, 30], [1] * 9])
def test_how_many_are_drawn_at_once_changes_nothing(counts, monkeypatch):
    """Not even one at a time, where a single draw is more than should be held at once."""
    columns = np.random.default_rng(0).normal(size=(2, len(counts)))
    found = []
    for at_once in (10**9, 40, 1):
        monkeypatch.setattr(bootstrap, "VALUES_AT_ONCE", at_once)
        found.append(resampled_means(columns, np.array(counts), resamples=50, seed=0))
    np.testing.assert_allclose(found[1:], [found[0]] * 2)


@pytest.mark.parametrize("counts", [[50, 10, 30], [5, 1, 3], [1] * 9])
def test_both_ways_to_draw_have_one_distribution(counts):
    """Counts of few kinds, or replicas: of each kind's count all moments of a multinomial."""
    counts = np.array(counts)
    share = counts / counts.sum()
    covariance = counts.sum() * (np.diag(share) - np.outer(share, share))
    means = resampled_means(np.eye(len(counts)), counts, resamples=40_000, seed=0)
    found = means.T * counts.sum()
    np.testing.assert_allclose(found.sum(axis=1), counts.sum())
    np.testing.assert_allclose(found.mean(axis=0), counts, atol=0.1)
    np.testing.assert_allclose(np.cov(found.T), covariance, rtol=0.03, atol=0.1)


@pytest.mark.parametrize("replicas", [12, 32, 200])
def test_expanded_percentiles_are_a_t_interval_for_normal_values(replicas):
    """Endless resamples of normal values have nearly normal means: their percentiles are known."""
    values = np.random.default_rng(0).normal(size=replicas)
    level = expanded_level(0.95, replicas)
    reach = stats.norm.ppf((1 + level) / 2) * values.std() / np.sqrt(replicas)
    _, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert values.mean() + reach == pytest.approx(high)


def test_the_interval_of_s_covers_at_few_replicas():
    covered = 0
    for seed in range(400):
        values = np.random.default_rng(seed).choice([1.0, 1.5, 2.0, 2.5, 3.0], size=20)
        low, high = chsh.s_interval(values, resamples=2000, seed=seed)[0]
        covered += low <= 2 <= high
    assert covered >= 0.93 * 400  # plain percentiles: about .92


@given(
    values=hnp.arrays(
        float,
        st.tuples(st.integers(1, 13), st.integers(1, 40)),
        elements=st.sampled_from([-1, 0, 0.25, 1 / 3]),
    ),
    noise=st.sampled_from([0, 1e-15]),
    largest=st.sampled_from([1, 10, bootstrap.LARGEST_NUMBER]),
)
def test_distinct_columns_are_those_that_sorting_finds(values, noise, largest):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "LARGEST_NUMBER", largest)
        columns, counts = distinct_columns(values + noise * np.arange(values.shape[1]))
    expected = np.unique(values, axis=1, return_counts=True)
    np.testing.assert_allclose(columns, expected[0], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(counts, expected[1])


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
    low, high = betting_interval(values, bounds=(-4, 4), level=0.95)
    assert -4 <= low <= values.mean() <= high <= 4
    assert low < high


def test_betting_interval_is_where_the_bets_are_just_refuted():
    values = np.random.default_rng(0).choice([1.5, 2.0, 2.5], size=400)
    low, high = betting_interval(values, bounds=(-4, 4), level=0.9)
    assert log_evidence(values, low, -4) == pytest.approx(np.log(20), abs=1e-5)
    assert log_evidence(-values, -high, -4) == pytest.approx(np.log(20), abs=1e-5)


@given(
    hnp.arrays(float, st.integers(1, 60), elements=st.floats(-4, 4)), st.sampled_from([0.05, 0.001])
)
def test_a_lower_bound_is_where_brents_method_has_it(values, alpha):
    found = lower_bound(values, lowest=-4, alpha=alpha)

    def excess(mean):
        return log_evidence(values, mean, -4) + np.log(alpha)

    if found == -4:
        assert values.mean() < -4 + 1e-8 or excess(-4 + 1e-8) < 1e-6
        return
    assert found == pytest.approx(optimize.brentq(excess, -4 + 4e-9, values.mean()), abs=2e-9)


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
        low, high = betting_interval(values, bounds=(-4, 4), level=0.9)
        covered += low <= mean <= high
    assert covered >= 0.9 * 300


@pytest.mark.slow
@pytest.mark.parametrize("delta", [0.0, 0.1])
def test_interval_of_delta_covers_also_where_nothing_signals(delta):
    """A bootstrap of Delta itself would never cover 0."""
    covered = 0
    for seed in range(100):
        a, b = correlated_outcomes(np.zeros((2, 2)), replicas=100, items=4, seed=seed)
        flips = np.random.default_rng(seed).random(a[0, 1].shape) < delta / 2
        a[0, 1] = np.where(flips, 1, a[0, 1])  # <A1> = delta / 2 where Bob's setting is 2
        low, high = chsh.report((a, b), resamples=1000).delta_interval
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


@pytest.mark.parametrize("items", [3, 6, 7, 11])
def test_thirds_and_sevenths_add_up(items):
    """Two parties without influence, S_r = 2 in every replica, whatever the number of items."""
    generator = np.random.default_rng(items)
    strategies = [s for s in DETERMINISTIC if chsh.s_value(np.outer(*s)) == 2]
    chosen = generator.integers(len(strategies), size=(300, items))
    a, b = (np.array([s[party] for s in strategies])[chosen] for party in (0, 1))
    a = np.moveaxis(a, -1, 0)[:, None].repeat(2, axis=1)
    b = np.moveaxis(b, -1, 0)[None].repeat(2, axis=0)
    report = chsh.report((a, b))
    assert (report.share_above, report.influence) == (0, 0)
    assert report.interval_method == "betting"
    assert report.interval[0] < 2 < report.interval[1]
    assert report.verdict == "not distinguishable from 2"
    assert report.p_value == report.p_value_below == 1


def test_a_verdict_follows_the_betting_interval():
    """Half of the replicas at 2.25, half at 2.5: 30 of them may have come without a rare -4."""
    a, b = (np.ones((2, 2, 30, 8)) for _ in range(2))
    a[1, 1, :, 0] = -1
    a[1, 1, ::2, 1] = -1
    report = chsh.report((a, b))
    assert report.interval[0] > 2
    assert report.betting_interval[0] < 2
    assert report.p_value > 0.05
    assert report.verdict == "not distinguishable from 2"
    many = chsh.report((np.tile(a, (10, 1)), np.tile(b, (10, 1))))
    assert (many.verdict, many.s) == ("above 2", report.s)
    swapped = chsh.report((np.tile(a[:, ::-1], (10, 1)), np.tile(b, (10, 1))))
    assert swapped.verdict == "below 2"


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
    ("values", "options", "parts"),
    [
        ([], {}, ("S of replicas have shape (0,)", "(replicas,)")),
        (np.full((2, 3), 2.0), {}, ("shape (2, 3)",)),
        ([2.0, np.nan], {}, ("S of replica 1 is nan", "-4 to 4")),
        ([2.0, 4.5], {}, ("S of replica 1 is 4.5",)),
        ([2.0], {"level": 95}, ("`level` is 95", "a number between 0 and 1")),
        ([2.0], {"resamples": 100}, ("at least 200 at level 0.95",)),
    ],
)
def test_values_that_are_no_s_are_named(values, options, parts):
    refused(lambda: chsh.s_interval(values, **options), parts)
