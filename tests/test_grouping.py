"""What tasks do to each other, and which to train together: against games and all ways."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from ncnet import chsh
from ncnet.experiment import early_signs, group, interference
from ncnet.experiment.grouping import partitions, regrets
from tests.refusals import refused

NAMES = "abcdefg"


def trained(right, replicas=24, items=40, seed=0, **options):
    """Return pairs whose heads get such shares of the items right, by (task, partner or "")."""
    generator = np.random.default_rng(seed)

    def outcomes(task, partner=""):
        share = right.get((task, partner), 0.8)
        return np.where(generator.random((replicas, items)) < share, 1, -1)

    tasks = sorted({task for pair in right for task in pair if task})
    found = {(task,): (outcomes(task),) for task in tasks}
    for one, other in itertools.combinations(tasks, 2):
        found[one, other] = (outcomes(one, other), outcomes(other, one))
    return chsh.collect_pairs(found, **options)


def of_gains(gains, tasks, replicas=20, items=100):
    """Return pairs of tasks that gain exactly so many of a hundred items, all tasks alone 50."""

    def outcomes(count):
        return np.tile(np.where(np.arange(items) < count, 1, -1), (replicas, 1))

    found = {(task,): (outcomes(50),) for task in tasks}
    for (one, other), gain in zip(itertools.combinations(tasks, 2), gains, strict=True):
        found[one, other] = (outcomes(50 + gain), outcomes(50 + gain))
    return chsh.collect_pairs(found)


@given(st.integers(2, 7), st.data())
@settings(max_examples=40, deadline=None)
def test_the_best_of_all_ways_is_found(count, data):
    tasks, pairs = NAMES[:count], count * (count - 1) // 2
    gains = data.draw(st.lists(st.integers(-50, 50), min_size=pairs, max_size=pairs))
    trunks = data.draw(st.integers((count + 1) // 2, count))
    ways, numbers = partitions(count)
    best = (ways @ np.array(gains))[numbers <= trunks].max()
    found = group(of_gains(gains, tasks), trunks=trunks, resamples=20_000)
    assert found.gain.value == pytest.approx(2 / count * best / 100)
    assert len(found.groups) <= trunks
    assert sorted(itertools.chain(*found.groups)) == list(tasks)


@pytest.mark.parametrize(("tasks", "ways"), [(4, 10), (5, 26), (10, 9496)])
def test_all_ways_are_there_once(tasks, ways):
    found, trunks = partitions(tasks)
    assert len(np.unique(found, axis=0)) == len(found) == ways
    pairs = list(itertools.combinations(range(tasks), 2))
    members = np.array([[task in pair for task in range(tasks)] for pair in pairs])
    assert (found @ members.astype(int) <= 1).all()
    np.testing.assert_array_equal(trunks, tasks - found.sum(axis=1))


def test_a_regret_is_what_the_best_way_gains_more():
    generator = np.random.default_rng(0)
    gains = generator.normal(size=10)
    assert set(regrets(gains, gains, tasks=5).values()) == {0.0}
    ways, trunks = partitions(5)
    lost = {k: (ways @ gains)[trunks == k] for k in (3, 4)}
    # Of ways that a measure does not tell apart, the mean.
    expected = {k: true.max() - true.mean() for k, true in lost.items()}
    assert regrets(np.zeros(10), gains, tasks=5) == pytest.approx(expected)


def test_s_of_a_pair_is_that_of_its_game_where_items_are_no_partners_too():
    right = {("a", ""): 0.9, ("b", ""): 0.7, ("a", "b"): 0.8, ("b", "a"): 0.5}
    for paired in (True, False):
        pairs = trained(right, paired=paired)
        [place] = [k for k, second in enumerate(pairs["second_task"].values) if second]
        alone = {name: k for k, name in enumerate(pairs["first_task"].values) if k != place}
        one = np.ones(pairs["first"].shape[1:])
        a, b = pairs["first"].values, pairs["second"].values
        alice = np.array([[one, one], [a[alone["a"]], a[place]]])
        bob = np.array([[one, a[alone["b"]]], [one, b[place]]])
        game = chsh.as_dataset((alice, bob)).assign_attrs(paired=paired)
        rows = interference(pairs)
        np.testing.assert_allclose(rows["s"], chsh.s_per_replica(game))
        wrong = rows["both_wrong"]
        np.testing.assert_allclose(rows["s"], 2 + 4 * rows["training_drop"] - 4 * wrong)


def test_what_is_said_holds_of_the_pairs_that_were_chosen():
    truth = {("a", "b"): 0.82, ("b", "a"): 0.82, ("c", "d"): 0.78, ("d", "c"): 0.8}
    right = {(task, ""): 0.8 for task in "abcd"} | truth
    gains = {
        pair: (right.get(pair, 0.8) + right.get(pair[::-1], 0.8)) / 2 - 0.8
        for pair in itertools.combinations("abcd", 2)
    }
    best = 2 / 4 * max(gains["a", "b"] + gains["c", "d"], gains["a", "b"], 0)
    held = 0
    for seed in range(40):
        found = group(trained(right, seed=seed, replicas=16), resamples=3000, seed=seed)
        true = 2 / 4 * sum(gains[one] for one in found.groups if len(one) == 2)
        held += found.gain.low <= true <= found.gain.high and best - true <= found.regret + 1e-12
    assert held >= 38


def test_rows_that_were_kept_are_grouped_as_the_outcomes_are():
    pairs = trained({("a", ""): 0.9, ("a", "b"): 0.6, ("b", "c"): 0.9, ("c", ""): 0.8})
    rows = interference(pairs)
    assert str(group(rows, resamples=3000)) == str(group(pairs, resamples=3000))
    for lacking in (rows.iloc[1:], rows[rows["second"] != "c"]):
        with pytest.raises(ValueError, match="was not trained: expected every pair"):
            group(pd.concat([lacking, rows[rows["first"] == "b"]]).drop_duplicates())


def test_held_out_items_decide_where_there_are_any():
    pairs = of_gains([30, -10, -10], "abc")
    split = np.where(np.arange(100) < 60, "training", "held_out")
    found = group(pairs.assign_coords(split=("item", split)), resamples=3000)
    assert found.split == "held_out"
    assert found.groups == (("a", "b"), ("c",))
    assert group(pairs, resamples=3000).split == "training"
    assert "a and b" in str(found)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda pairs: group(pairs, trunks=1), ["`trunks` is 1", "at least 2"]),
        (lambda pairs: group(pairs, trunks=4), ["`trunks` is 4", "at most 3"]),
        (lambda pairs: group(pairs.isel(pair=[0, 1, 2, 3, 5])), ["b beside c", "every pair"]),
        (lambda pairs: group(pairs.isel(pair=[1, 2, 3, 4, 5])), ["was not trained alone"]),
        (lambda pairs: interference(pairs.expand_dims(capacity=[1])), ["capacity"]),
        (
            lambda pairs: interference(pairs.isel(pair=pairs["second_task"].values == "")),
            ["only tasks alone"],
        ),
    ],
)
def test_what_cannot_be_grouped_is_refused(change, words):
    refused(lambda: change(of_gains([1, 2, 3], "abc")), words)


def looked(strength, replicas=30, seed=0):
    """Return rows of pairs whose measures follow this at each look, with little noise."""
    generator = np.random.default_rng(seed)
    names = pd.DataFrame(itertools.combinations(NAMES, 2), columns=["first", "second"])
    parts = []
    for look, values in strength.items():
        rows = names.assign(s=values).merge(pd.DataFrame({"replica": range(replicas)}), how="cross")
        noise = 0.01 * generator.normal(size=len(rows))
        rows = rows.assign(s=rows["s"] + noise, look=look)
        parts.append(rows.assign(first_drop=rows["s"], second_drop=0.0))
    return pd.concat(parts, ignore_index=True)


def test_an_early_sign_is_a_rank_correlation_with_what_is_lost_in_the_end():
    generator = np.random.default_rng(1)
    lost, other = generator.normal(size=(2, 21))
    rows = looked({0.1: other, 1.0: lost}).sample(frac=1, random_state=0)
    fresh = looked({1.0: lost}, seed=2).rename(columns={"s": "held_out_drop"})
    found = early_signs(rows, fresh, measures={"s": 1}).set_index("look")
    assert found.loc[0.1, "rho"] == pytest.approx(spearmanr(other, lost).statistic, abs=0.05)
    assert found.loc[1.0, "rho"] > 0.98
    np.testing.assert_allclose(found["short"], found.loc[1.0, "rho"] - found["rho"])
    assert found.loc[0.1, "short_low"] > 0
    turned = early_signs(rows, fresh, measures={"s": -1, "delta": 1}).set_index(["measure", "look"])
    assert turned.loc[("s", 0.1), "rho"] == pytest.approx(-found.loc[0.1, "rho"], abs=1e-12)
    # Delta counts a change to either side.
    expected = spearmanr(abs(other), lost).statistic
    assert turned.loc[("delta", 0.1), "rho"] == pytest.approx(expected, abs=0.05)


def test_a_pair_that_lacks_a_replica_is_refused():
    rows = looked({1.0: np.arange(21.0)})
    fresh = rows.rename(columns={"s": "held_out_drop"})
    refused(lambda: early_signs(rows.iloc[1:], fresh, measures={"s": 1}), ["a beside b", "replica"])


def test_pairs_that_only_rounding_tells_apart_are_tied():
    pairs = pd.DataFrame({"first": "a", "second": list("bcdefg"), "s": 2.0})
    rows = pairs.merge(pd.DataFrame({"replica": range(10)}), how="cross")
    rows = rows.assign(first_drop=0.0, second_drop=0.0, look=1.0)
    fresh = rows.assign(held_out_drop=rows["second"].map("bcdefg".index))
    blurred = rows.assign(s=rows["s"] + 1e-15 * fresh["held_out_drop"])
    for seen in (rows, blurred):
        assert early_signs(seen, fresh, measures={"s": 1})["rho"].tolist() == [0.0]
