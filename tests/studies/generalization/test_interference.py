"""S of a game made of each pair of tasks, and what predicts their loss: against oracles."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, spearmanr

from ncnet import chsh
from ncnet.studies.generalization.interference import (
    PREDICTORS,
    interference_by_replica,
    likeness,
    pairs_with_nothing,
    predictor_correlations,
)
from ncnet.training import samples


def pairs(tasks=("odd", "prime", "square"), replicas=6, seed=0):
    names = (*tasks, samples.NOTHING)
    population = samples.digits(
        [*(samples.NAMED_TASKS[t] for t in tasks), ()], training=40, held_out=30, seed=0
    )
    trained = samples.train_pairs(
        population, pairs_with_nothing(names), hidden_size=1,
        replicas=range(replicas), seed=seed, steps=100, trace_steps=[0, 50],
    )  # fmt: skip
    return trained, names


def test_s_of_a_pair_is_that_of_its_game():
    trained, names = pairs()
    found = interference_by_replica(trained, names)
    places = {pair: k for k, pair in enumerate(pairs_with_nothing(names))}
    trained_on = trained.isel(item=trained["split"].values == "training")

    def outcome(own, other):
        """Return the outcomes of a task, or of nothing, beside another one."""
        digits = "".join(map(str, samples.NAMED_TASKS[names[own]]))
        pair = trained_on.isel(pair=places[min(own, other), max(own, other)])
        return pair["first" if pair.first_task == digits else "second"]

    for s, t in itertools.combinations(range(3), 2):
        # The four contexts as a table of outcomes: what a head says to nothing is +1.
        alone_s, alone_t = outcome(s, 3), outcome(t, 3)
        together_a, together_b = outcome(s, t), outcome(t, s)
        one = np.ones(alone_s.shape)
        alice = np.array([[one, one], [alone_s, together_a]])
        bob = np.array([[one, alone_t], [one, together_b]])
        expected = chsh.s_per_replica((alice, bob))
        rows = found[(found["first"] == names[s]) & (found["second"] == names[t])]
        np.testing.assert_allclose(rows["s"], expected)
        report = chsh.report((alice, bob), resamples=800)
        # All of S - 2 is signalling less common failures.
        common = ((together_a < 0) & (together_b < 0)).mean()
        assert report.s - 2 == pytest.approx(4 * rows["training_drop"].mean() - 4 * float(common))


def test_the_last_task_has_to_be_nothing():
    with pytest.raises(ValueError, match="the last task is `prime`: expected `nothing`"):
        pairs_with_nothing(("odd", "prime"))


def test_likeness_is_how_the_classes_of_two_tasks_correlate_over_the_digits():
    found = likeness(samples.NAMED_TASKS).set_index(["first", "second"])["likeness"]
    assert list(found.index) == list(itertools.combinations(samples.NAMED_TASKS, 2))
    classes = {name: np.isin(range(10), ones) for name, ones in samples.NAMED_TASKS.items()}
    for (first, second), value in found.items():
        expected = pearsonr(classes[first], classes[second]).statistic
        assert value == pytest.approx(abs(expected), abs=1e-12)


def test_predictors_are_rank_correlations_over_the_pairs():
    generator = np.random.default_rng(0)
    names = list(itertools.combinations("abcdefg", 2))
    strength = generator.normal(size=len(names))
    noise = generator.normal(size=len(names))

    def rows(seed):
        draws = np.random.default_rng(seed)
        parts = []
        for (first, second), value, other in zip(names, strength, noise, strict=True):
            part = pd.DataFrame({"first": first, "second": second, "replica": range(30)})
            part["s"] = value + 0.01 * draws.normal(size=30)
            part["training_drop"] = -part["s"]
            part["cosine"] = other + 0.01 * draws.normal(size=30)
            part["held_out_drop"] = value + 0.01 * draws.normal(size=30)
            parts.append(part)
        # Whatever the order of the rows.
        return pd.concat(parts).sample(frac=1, random_state=seed)

    likeness = pd.DataFrame(names, columns=["first", "second"]).assign(likeness=noise**2)
    found = predictor_correlations(rows(1), rows(2), likeness).set_index("predictor")
    assert list(found.index) == list(PREDICTORS)
    assert found.loc["s", "rho"] > 0.98
    assert found.loc["training_drop", "rho"] < -0.98
    expected = spearmanr(-(noise**2), strength).statistic
    assert found.loc["likeness", "rho"] == pytest.approx(expected, abs=0.05)
    ahead = found["s_ahead"]
    np.testing.assert_allclose(ahead, found.loc["s", "rho"] - found["rho"])
    assert ahead["s"] == 0
    assert found.loc["likeness", "s_ahead_low"] > 0
    assert (found["low"] <= found["rho"]).all()
    assert (found["rho"] <= found["high"]).all()
