"""What the recorded outcomes come to, against sums made by hand from the outcomes themselves."""

import itertools

import numpy as np
import pandas as pd
import pytest

from ncnet import results
from ncnet.studies.ranks import recorded
from ncnet.studies.ranks.claims import MIXED
from ncnet.studies.ranks.families import family
from ncnet.studies.ranks.replay import SHARE


@pytest.fixture(scope="module")
def outcomes():
    """Return the recorded outcomes at the end, with the folder of each."""
    folders = {folder for group in recorded.GROUPS.values() for folder in group.folders}
    parts = [results.load(f"{one}real_outcomes").table.assign(folder=one) for one in folders]
    table = pd.concat(parts, ignore_index=True)
    return table[table["look"] == 1]


def correlator(rows, pair, *, paired, replicas):
    """Return the mean over the first replicas of a pair's correlator on training items."""
    of_pair = rows[(rows["first_task"] == min(pair)) & (rows["second_task"] == max(pair))]
    of_pair = of_pair.sort_values("replica")[:replicas]
    first, second = (np.stack(of_pair[name].tolist()).astype(int) for name in ("first", "second"))
    each = (first * second).mean(1) if paired else first.mean(1) * second.mean(1)
    return each.mean()


def s_by_hand(rows, quartet, **how):
    (a1, a2), (b1, b2) = quartet
    c = {pair: correlator(rows, pair, **how) for pair in itertools.product(*quartet)}
    return c[a1, b1] + c[a1, b2] + c[a2, b1] - c[a2, b2]


@pytest.mark.parametrize("group", recorded.GROUPS)
def test_s_of_a_named_quartet_is_the_sum_of_its_correlators(outcomes, group):
    of = recorded.GROUPS[group]
    table = results.load("real_named").table
    table = table[table["group"] == group]
    assert len(table)
    for row in table.itertuples():
        asked = {"family": of.family, "rank": row.rank}
        asked |= {name: getattr(row, name) for name in recorded.OF_RUN}
        rows = outcomes[outcomes["folder"].isin(of.folders)]
        rows = rows[(rows[list(asked)] == list(asked.values())).all(axis=1)]
        tasks = family(of.family)
        how = {"paired": tasks.paired, "replicas": row.replicas}
        assert row.s == pytest.approx(s_by_hand(rows, tasks.named, **how))


def test_s_of_any_quartet_is_the_sum_of_its_correlators(outcomes):
    table = results.load("real_quartets").table
    for row in table.sample(12, random_state=0).itertuples():
        tasks = family(row.family)
        rows = outcomes[(outcomes["family"] == row.family) & (outcomes["rank"] == row.rank)]
        rows = rows[rows["folder"] == recorded.RUNS]
        quartet = (row.alice_1, row.alice_2), (row.bob_1, row.bob_2)
        assert row.s == pytest.approx(s_by_hand(rows, quartet, paired=tasks.paired, replicas=16))


def test_a_dose_of_nothing_is_the_run_without_doses():
    table = results.load("real_named").table.set_index("group")
    at_1 = table.loc[MIXED].query("rank == 1").iloc[0]
    for dose in ("difficulty", "balance"):
        none = table.loc[dose].query("shuffled == 0 and ratio == 1").iloc[0]
        assert (none["s"], none["accuracy"]) == (at_1["s"], at_1["accuracy"])


def test_heads_alone_never_pass_2():
    """At rank 0 nothing is shared that is trained, and one outcome a head leaves S at most 2."""
    table = results.load("real_quartets").table
    at_0 = table[table["rank"] == 0]
    assert (at_0["s"] <= 2).all()
    assert (at_0["delta"].abs() < 1e-12).all()


def test_many_replicas_begin_with_those_of_all_pairs(outcomes):
    """The same networks, which were trained beside fewer pairs: sums are made in another order."""
    asked = (outcomes["family"] == MIXED) & (outcomes["rank"] == 1)
    of_run = [outcomes[asked & (outcomes["folder"] == one)] for one in ("", recorded.REPEATED)]
    of_run[0] = of_run[0].query("shuffled == 0 and ratio == 1")
    both = of_run[0].merge(of_run[1], on=["first_task", "second_task", "replica"])
    assert len(both) == 4 * 16
    for head in ("first", "second"):
        there, again = (np.stack(both[f"{head}_{side}"].tolist()) for side in ("x", "y"))
        assert (there != again).mean() < SHARE
