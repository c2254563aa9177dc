"""Conflict along training: by phases, with S, and what a head pays for it."""

import numpy as np
import pytest
import torch
import xarray as xr

import ncnet
from ncnet.gradients import GRADIENTS
from ncnet.gradients import conflict as conflict_by_step
from ncnet.studies.mechanism import conflict
from ncnet.training.aggregators import AGGREGATORS, Products
from tests.refusals import refused
from tests.test_gradients import gradients
from tests.test_network_gradients import GAME

ENDS = ("low", "high")


def test_a_phase_counts_its_own_steps_and_the_weighted_cosine_their_size():
    # 101 traced steps over 1,000: 0-20 early, 30-240 middle, 250-1,000 late. The first and the last
    # stand for half as many steps as the others.
    product = np.where(np.arange(101) < 3, 1.0, np.where(np.arange(101) < 25, -1.0, -1e-6))
    size = np.abs(product)
    phases = conflict.by_phase(conflict_by_step(gradients(size, product, size)))
    assert phases.phase.values.tolist() == ["early", "middle", "late", "whole"]
    np.testing.assert_allclose(phases.conflict_share, [0, 1, 1, 97.5 / 100])
    np.testing.assert_allclose(phases.weighted_cosine, [1, -1, -1, (2.5 - 22) / 24.5], atol=1e-5)
    # Cut off, what was traced is the beginning of the same training.
    begun = conflict_by_step(gradients(size, product, size).isel(step=slice(0, 25)))
    assert conflict.by_phase(begun, steps=1000).phase.values.tolist() == [
        "early",
        "middle",
        "whole",
    ]


@pytest.mark.slow
def test_what_is_logged_now_and_then_tells_what_is_logged_at_every_step():
    options = {"hidden_size": 3, "replicas": 64, "seed": 1, "steps": 2000, "trace": ["gradients"]}
    every = ncnet.train(GAME, trace_steps=range(2001), **options)
    some = ncnet.train(GAME, trace_steps=conflict.steps_to_trace(2000, 7), **options)
    tables = [conflict.conflict(one) for one in (every, some)]
    for name in ("conflict_share", "weighted_cosine", "magnitude_similarity"):
        np.testing.assert_allclose(tables[0][name], tables[1][name], atol=0.01)


def test_a_phase_without_traced_steps_is_left_out():
    phases = conflict.by_phase(conflict_by_step(gradients([1.0, 1.0], [1.0, 1.0], [1.0, 1.0])))
    assert phases.phase.values.tolist() == ["early", "late", "whole"]


def test_gradients_of_zero_oppose_nothing():
    phases = conflict.by_phase(conflict_by_step(gradients([0.0] * 101, [0.0] * 101, [0.0] * 101)))
    np.testing.assert_array_equal(phases.conflict_share, 0)
    np.testing.assert_array_equal(phases.weighted_cosine, 0)


@pytest.fixture(scope="module")
def many():
    return ncnet.train(
        GAME, hidden_size=3, replicas=96, seed=1, steps=100, trace_steps=range(0, 101, 5),
        trace=["gradients"],
    )  # fmt: skip


def test_the_table_has_means_over_replicas_with_their_intervals(many):
    table = conflict.conflict(many)
    assert len(table) == 16
    assert table[["game", "hidden_size"]].drop_duplicates().values.tolist() == [["overlap", 3]]
    for name in ("conflict_share", "weighted_cosine", "magnitude_similarity"):
        assert (table[f"{name}_low"] < table[name]).all()
        assert (table[name] < table[f"{name}_high"]).all()
    phases = conflict.by_phase(conflict_by_step(many.sum("unit")))
    row = table[(table["phase"] == "late") & (table["alice_setting"] == 2)].iloc[1]
    expected = phases.weighted_cosine.sel(alice_setting=2, bob_setting=2, phase="late").mean()
    assert row["weighted_cosine"] == pytest.approx(float(expected))


def test_rank_correlation_is_scipys_and_covers_it():
    from scipy.stats import spearmanr

    generator = np.random.default_rng(0)
    x = generator.standard_normal(300)
    y = (x + generator.standard_normal(300)).round(1)
    rho, (low, high) = conflict.rank_correlation(x, y)
    assert rho == pytest.approx(spearmanr(x, y).statistic)
    assert low < rho < high
    assert high - low == pytest.approx(4 * (1 - rho**2) / np.sqrt(300), rel=0.25)
    assert np.isnan(conflict.rank_correlation(x, np.ones(300))[0])


def test_more_conflict_with_a_larger_s_shows_as_a_negative_correlation(many):
    """Gradients made so that their cosine in one context falls as a replica's S rises."""
    s = ncnet.chsh.s_per_replica(many)
    ones = xr.ones_like(many["alice_gradient"])
    there = (ones.alice_setting == 2) & (ones.bob_setting == 2)
    product = (s / 5 * ones).where(~there, -s / 5 * ones)
    made = many.assign(alice_gradient=ones, bob_gradient=ones, gradient_product=product)
    table = conflict.conflict_and_s(made)
    assert table["phase"].tolist() == ["early", "middle", "late", "whole"]
    np.testing.assert_allclose(table["correlation"], -1)


@pytest.mark.parametrize(
    ("options", "pays"),
    [
        ({"aggregator": "pcgrad"}, False),
        ({"aggregator": "mgda"}, False),
        ({"gradient_weights": (1.0, 0.0)}, True),
        ({}, True),
    ],
)
def test_a_head_pays_where_the_step_goes_against_its_gradient(options, pays):
    common = {"hidden_size": 3, "replicas": 32, "seed": 1, "dtype": "float64", **options}
    traced = ncnet.train(GAME, steps=40, trace_steps=range(41), trace=["gradients"], **common)
    found = conflict.manipulation_check(traced)
    here = traced.sel(alice_setting=2, bob_setting=2).sum("unit")
    alice, both, bob = (here[name].values for name in GRADIENTS)
    products = Products(*(torch.as_tensor(one) for one in (alice, both, bob)))
    rule = AGGREGATORS[options.get("aggregator", "sum")]
    weights = options.get("gradient_weights", (1.0, 1.0))
    by_alice, by_bob = weights if rule is None else (one.numpy() for one in rule(products))
    harms = (by_alice * alice + by_bob * both < -1e-12) | (by_alice * both + by_bob * bob < -1e-12)
    spans = np.array([0.5, *np.ones(39), 0.5])
    assert found["interference_share"] == pytest.approx(
        (harms * spans).sum(1).mean() / 40, abs=0.003
    )
    opposed = ((both < 0) * spans).sum(1).mean() / 40
    assert found["conflict_share"] == pytest.approx(opposed, abs=1e-9)
    ends = [
        found[f"{name}_{end}"] for name in ("interference_share", "conflict_share") for end in ENDS
    ]
    assert 0 <= min(ends) <= max(ends) <= 1
    assert (found["interference_share"] > 0.05) == pays
    assert pays or found["interference_share"] == 0


SHORT = {"hidden_size": 2, "replicas": 4, "seed": 0, "steps": 4}
TRACED = SHORT | {"trace_steps": [0, 2, 4], "trace": ["gradients"]}
THREE = gradients([1.0] * 3, [1.0] * 3, [1.0] * 3)


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda: conflict.steps_to_trace(100, 200), ("`interval`", "200", "at most 100")),
        (lambda: conflict.steps_to_trace(100, 0), ("`interval`", "0", "at least 1")),
        (
            lambda: conflict.conflict(ncnet.train(GAME, **SHORT)),
            ("`alice_gradient` is missing", "trace=['gradients']"),
        ),
        (
            lambda: conflict.conflict(ncnet.train(GAME, **TRACED).sum("unit")),
            ("`alice_gradient`", "no dimension `unit`", "a whole training"),
        ),
        (
            lambda: conflict.conflict_and_s(ncnet.train(GAME, **TRACED).isel(replica=0)),
            ("`alice_gradient`", "no dimension `replica`", "a whole training"),
        ),
        (
            lambda: conflict.manipulation_check(ncnet.train(GAME, **TRACED | {"steps": [2, 4]})),
            ("2 capacities", "one"),
        ),
        (
            lambda: conflict.by_phase(conflict_by_step(THREE.isel(step=[2, 0, 1]))),
            ("`step`", "increasing steps"),
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(call, parts):
    refused(call, parts)
