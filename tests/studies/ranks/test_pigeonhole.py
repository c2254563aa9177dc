"""Intervals over replicas and items: against Owen's formula, a closed form, and simulation."""

import numpy as np
import pytest
import xarray as xr

from ncnet import chsh
from ncnet.studies.ranks.pigeonhole import pigeonhole_interval, pigeonhole_means
from tests.strategies import correlated_outcomes


def labelled(a, b, *, paired=True):
    return chsh.as_dataset((a, b)).assign_attrs(paired=paired)


def test_draws_scatter_around_the_means_of_the_outcomes():
    for paired in (True, False):
        outcomes = labelled(*correlated_outcomes([[0.5, 0.2], [0, -0.5]], 40, 50, 0), paired=paired)
        means = chsh.replica_means(outcomes).mean("replica")
        draws = pigeonhole_means(outcomes, resamples=4000)
        error = draws.std("resample") / np.sqrt(4000)
        apart = abs(draws.mean("resample") - means) / error
        assert float(apart.to_array().max()) < 5


def test_the_variance_is_the_pigeonhole_bootstraps():
    """In closed form: the weights of rows and of columns are independent counts (Owen 2007)."""
    replicas, items = 30, 60
    noise = np.random.default_rng(0).choice([-1, 1], size=(2, 2, replicas, items))
    draws = pigeonhole_means(labelled(noise, np.ones_like(noise)), resamples=20_000)
    found = draws.alice.var("resample").values
    exact = []
    for alice in noise.reshape(4, replicas, items):
        centred = alice - alice.mean()
        by_row, by_column = centred.mean(1), centred.mean(0)
        both = (centred**2).mean()
        rows, columns = (by_row**2).mean() / replicas, (by_column**2).mean() / items
        exact.append(
            rows
            + columns
            + (both - (by_row**2).mean() - (by_column**2).mean())
            / (replicas * items)
            * (1 - 1 / replicas)
            * (1 - 1 / items)
        )
    np.testing.assert_allclose(found.ravel(), exact, rtol=0.15)


def test_items_that_differ_widen_what_replicas_alone_would_give():
    """Every replica solves the same half of the items: replicas are alike, items are not."""
    solved = np.where(np.arange(40) < 20, 1, -1)
    a = np.broadcast_to(solved, (2, 2, 25, 40))
    outcomes = labelled(a, np.ones_like(a))
    draws = pigeonhole_means(outcomes, resamples=4000)
    assert float(chsh.replica_means(outcomes).alice.std()) == 0
    low, high = pigeonhole_interval(draws.alice[0, 0], replicas=25, level=0.95)
    assert low < -0.25
    assert high > 0.25


def test_partners_are_drawn_together_and_others_apart():
    rng = np.random.default_rng(1)
    a = rng.choice([-1, 1], size=(2, 2, 20, 30))
    together = pigeonhole_means(labelled(a, a), resamples=500)
    np.testing.assert_allclose(together.correlator, 1)
    unsaid = pigeonhole_means((a, a), resamples=500)
    assert unsaid.equals(together)
    apart = pigeonhole_means(labelled(a, a, paired=False), resamples=500)
    assert float(apart.correlator.std()) > 0.01


def test_contexts_and_capacities_are_drawn_alike():
    rng = np.random.default_rng(2)
    a, b = rng.choice([-1, 1], size=(2, 1, 1, 20, 30)).repeat(2, 1).repeat(2, 2)
    one = labelled(a, b)
    two = xr.concat([one, one], xr.DataArray([1, 2], dims="capacity", name="capacity"))
    draws = pigeonhole_means(two, resamples=300)
    np.testing.assert_allclose(draws.isel(capacity=0).correlator, draws.isel(capacity=1).correlator)
    np.testing.assert_allclose(
        draws.correlator.std(("alice_setting", "bob_setting")), 0, atol=1e-12
    )
    same = pigeonhole_means(two, resamples=300)
    xr.testing.assert_identical(draws, same)


@pytest.mark.parametrize(
    ("change", "options", "parts"),
    [
        ({"cluster": ("replica", [1, 1, 2, 2])}, {}, ["clusters", "independent replicas"]),
        ({}, {"resamples": 0}, ["`resamples` is 0", "at least 1"]),
        ({}, {"seed": -1}, ["`seed` is -1", "at least 0"]),
        ({}, {"split": "held_out"}, ["`held_out`", "`training`"]),
    ],
)
def test_what_cannot_be_resampled_is_refused(change, options, parts):
    outcomes = labelled(np.ones((2, 2, 4, 3)), np.ones((2, 2, 4, 3)))
    with pytest.raises(ValueError) as caught:  # noqa: PT011, its parts are looked for
        pigeonhole_means(outcomes.assign(change), **options)
    assert [part for part in parts if part not in str(caught.value)] == []


@pytest.mark.slow
def test_intervals_cover_where_replicas_and_items_both_have_effects():
    rng = np.random.default_rng(3)
    covered, trials = 0, 100
    for trial in range(trials):
        skill, ease = rng.normal(size=(16, 1)), rng.normal(size=(1, 64))
        right = rng.random((2, 2, 16, 64)) < 1 / (1 + np.exp(-(skill + ease)))
        # Averaged over skill and ease the chance is a half, by symmetry.
        outcomes = labelled(2 * right.astype(int) - 1, np.ones_like(right, int))
        draws = pigeonhole_means(outcomes, resamples=400, seed=trial)
        low, high = pigeonhole_interval(draws.alice[0, 0], replicas=16, level=0.95)
        covered += low <= 0 <= high
    assert covered >= 90
