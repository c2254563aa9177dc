"""S against held-out accuracy on text: what is measured of a replica, and how it is correlated."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ncnet import chsh
from ncnet.claims import GROUP
from ncnet.studies.ranks import claims as rules
from ncnet.studies.ranks import generalization
from tests.refusals import refused
from tests.studies.ranks.test_analysis import sweep


def outcomes(seed=0, replicas=6, items=20, held_out=8):
    shape = (2, 2, 2, replicas, items)
    a, b = np.random.default_rng(seed).choice([-1, 1], size=(2, *shape))
    return sweep(*zip(a, b, strict=True), values=(0, 1), held_out=held_out, paired=False)


def test_held_out_accuracy_is_that_of_the_two_easy_tasks():
    found = outcomes()
    table = generalization.by_replica(found)
    held_out = found.isel(item=found["split"].values == "held_out")
    a1 = (held_out["a"].sel(alice_setting=1) == 1).mean(("bob_setting", "item"))
    b1 = (held_out["b"].sel(bob_setting=1) == 1).mean(("alice_setting", "item"))
    expected = ((a1 + b1) / 2).values.ravel()
    assert table["held_out_accuracy"].tolist() == pytest.approx(expected.tolist())
    assert table["rank"].tolist() == [0] * 6 + [1] * 6
    s = chsh.s_per_replica(found).values.ravel()
    assert table["s"].tolist() == pytest.approx(s.tolist())


def replicas(count, seed=0, ranks=(0.0, 1.0, 4.0, 16.0, np.inf)):
    index = pd.MultiIndex.from_product([ranks, range(count)], names=["rank", "replica"])
    drawn = np.random.default_rng(seed).normal(size=(len(index), 3))
    return pd.DataFrame(drawn, index, generalization.MEASURED).reset_index()


def test_readings_are_means_of_spearmans_correlation():
    over_ranks, of_many = replicas(16), replicas(3 * GROUP + 4, seed=1)
    found = generalization.correlation_rows(over_ranks, of_many).set_index("reading")
    at_1 = of_many[of_many["rank"] == 1]
    groups = [at_1[place : place + GROUP] for place in range(0, 3 * GROUP, GROUP)]
    within = [stats.spearmanr(one["s"], one["held_out_accuracy"]).statistic for one in groups]
    judged = over_ranks[over_ranks["rank"] <= rules.LARGEST_RANK]
    across = [
        stats.spearmanr(one["s"], one["held_out_accuracy"]).statistic
        for _, one in judged.groupby("replica")
    ]
    assert found.loc[rules.WITHIN, "correlation"] == pytest.approx(np.mean(within))
    assert found.loc[rules.ACROSS, "correlation"] == pytest.approx(np.mean(across))
    assert found["independent"].to_dict() == {
        rules.WITHIN: 3,
        generalization.GIVEN: 3,
        rules.ACROSS: 16,
    }


def test_what_training_accuracy_explains_is_taken_out():
    table = replicas(20 * GROUP, ranks=[1.0])
    noise = np.random.default_rng(2).normal(size=(2, len(table)))
    table["s"], table["held_out_accuracy"] = table["accuracy"].to_numpy() + 0.5 * noise
    found = generalization.correlation_rows(replicas(16), table).set_index("reading")
    assert found.loc[rules.WITHIN, "correlation_low"] > 0.2
    assert abs(found.loc[generalization.GIVEN, "correlation"]) < 0.15


def test_what_does_not_vary_correlates_with_nothing():
    table = replicas(2 * GROUP, ranks=[1.0]).assign(s=2.0)
    found = generalization.correlation_rows(replicas(16), table).set_index("reading")
    assert found.loc[[rules.WITHIN, generalization.GIVEN], "correlation"].tolist() == [0, 0]
    # What follows from training accuracy alone leaves nothing to correlate.
    told = table.assign(s=table["accuracy"])
    found = generalization.correlation_rows(replicas(16), told).set_index("reading")
    assert found.loc[generalization.GIVEN, "correlation"] == 0


def test_fewer_replicas_than_a_group_are_refused():
    few = replicas(GROUP - 1, ranks=[1.0])
    refused(lambda: generalization.correlation_rows(replicas(16), few), ["9 replicas", "at least"])
