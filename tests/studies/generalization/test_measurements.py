"""What is measured of replicas, and the tables of it."""

import numpy as np
import pandas as pd
import pytest

from ncnet import chsh, games
from ncnet.studies.generalization.measurements import (
    ACCURACIES,
    CORRELATORS,
    LOSSES,
    by_capacity,
    by_replica,
    split_replicas,
    train_replicas,
)
from ncnet.studies.generalization.parameters import Rq4
from ncnet.studies.generalization.tables import TABLES
from ncnet.training import samples
from tests.studies.generalization.made_up import table


def sampled(hidden_size=3, **changes):
    asked = {"noise": 0.5, "training": 16, "held_out": 10, "seed": 0} | changes
    population = samples.noisy_game(games.overlap(), **asked)
    return samples.train(
        population, hidden_size=hidden_size, replicas=range(12), seed=0, steps=60,
        trace_steps=[0, 60],
    )  # fmt: skip


def test_a_row_a_replica_holds_what_the_outcomes_say():
    outcomes = sampled()
    rows = by_replica(outcomes)
    assert rows["replica"].tolist() == list(range(12))
    np.testing.assert_allclose(rows["s"], chsh.s_per_replica(outcomes))
    np.testing.assert_allclose(rows["held_out_s"], chsh.s_per_replica(outcomes, split="held_out"))
    held_out = outcomes.isel(item=outcomes["split"].values == "held_out")
    right = ((held_out["a"] > 0).mean("item") + (held_out["b"] > 0).mean("item")) / 2
    by_context = right.stack(context=("alice_setting", "bob_setting"))
    np.testing.assert_allclose(rows["held_out_accuracy"], by_context.mean("context"))
    np.testing.assert_allclose(rows["held_out_worst"], by_context.min("context"))
    np.testing.assert_allclose(rows["accuracy"], rows[list(ACCURACIES)].mean(axis=1))
    np.testing.assert_allclose(rows["loss"], rows[list(LOSSES)].mean(axis=1))
    signs = np.array([1, 1, 1, -1])
    np.testing.assert_allclose(rows[list(CORRELATORS)] @ signs, rows["s"])
    cosine = outcomes["cosine"].mean(("alice_setting", "bob_setting", "step"))
    np.testing.assert_allclose(rows["cosine"], cosine)


def test_steps_can_be_the_capacity():
    population = samples.named("overlap", training=6, held_out=4, seed=0)
    asked = {"population": population, "hidden_size": 2, "replicas": range(4), "seed": 0}
    by_steps, by_size = (
        train_replicas(**asked, steps=10, capacity_name=name) for name in ("steps", "hidden_size")
    )
    assert (by_steps["capacity"] == 10).all()
    pd.testing.assert_frame_equal(by_steps.assign(capacity=2), by_size)


def diverged(outcomes):
    losses = outcomes["bob_loss"].copy()
    losses[0, 1, 2] = np.inf
    losses[1, 1, 2] = np.nan
    return outcomes.assign(bob_loss=losses)


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        (lambda outcomes: outcomes.drop_vars("capacity"), ["`capacity`", "beside `a` and `b`"]),
        (lambda outcomes: outcomes.drop_vars("bob_loss"), ["`bob_loss`", "beside `a` and `b`"]),
        (lambda outcomes: outcomes.isel(item=slice(0, 16)), ["`held_out`", "`training`"]),
        (diverged, ["2 of 48 networks", "capacity 3", "none", "learning rate"]),
    ],
)
def test_outcomes_that_cannot_be_measured_are_refused(changed, parts):
    with pytest.raises(ValueError) as caught:  # noqa: PT011, its parts are looked for
        by_replica(changed(sampled()))
    assert [part for part in parts if part not in str(caught.value)] == []


def test_means_by_capacity_come_with_intervals():
    replicas = pd.concat([by_replica(sampled(n)) for n in (2, 3)])
    found = by_capacity(replicas, resamples=500)
    assert found["capacity"].tolist() == [2, 3]
    for name in ("s", "accuracy", "held_out_accuracy", "held_out_worst", "held_out_s"):
        assert (found[f"{name}_low"] <= found[name]).all()
        assert (found[name] <= found[f"{name}_high"]).all()


def test_half_of_the_replicas_are_correlated_and_a_few_of_them_kept_one_by_one():
    replicas = table(np.random.default_rng(0), replicas=500)
    correlated, choosing = split_replicas(replicas)
    assert set(correlated["replica"]) | set(choosing["replica"]) == set(range(500))
    assert tuple(TABLES) == Rq4.TABLES
    one_by_one = TABLES["generalization_replicas"](correlated, choosing)
    assert one_by_one.loc[one_by_one["capacity"] == 2, "replica"].tolist() == [*range(1, 400, 2)]
    assert (one_by_one.dtypes.drop(["capacity", "replica"]) == "float32").all()
