"""Long tables of what became of pairs, and back."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from ncnet.studies.ranks import tables
from tests.small_encoders import TOY, train


def test_outcomes_are_read_back_as_they_were():
    pairs = train(ranks=[0, 2], replicas=3)
    rows = tables.outcome_rows(pairs)
    assert len(rows) == 2 * 10 * 3
    again = tables.from_outcome_rows(rows, paired=False)
    for name in ("first", "second", "split", "first_task", "second_task", "capacity", "replica"):
        xr.testing.assert_equal(again[name], pairs[name])


def test_items_have_rows_of_their_own():
    pairs = train(ranks=[0, 2], replicas=3)
    listed = tables.item_rows(tables.outcome_rows(pairs))
    assert len(listed) == 2 * 10 * 3 * 12
    chosen = listed.query(
        "rank == 2 and first_task == 'toy/mood' and second_task == 'toy/sum' and replica == 1"
    ).sort_values("item")
    place = _place(pairs, ("toy/mood", "toy/sum"))
    of_pair = pairs.sel(capacity=2, replica=1).isel(pair=place)
    for name in ("first", "second", "split", "item"):
        np.testing.assert_array_equal(chosen[name], of_pair[name])


def test_ranks_of_other_pairs_and_more_replicas_share_what_all_have():
    """As in a plan: every pair at one rank, those of a quartet at another, more replicas there."""
    few = [("toy/mood", "toy/sum"), ("toy/same", "toy/which")]
    everything = train(ranks=[1], replicas=2)
    some = train(ranks=[2], replicas=3, pairs=few)
    rows = pd.concat([tables.outcome_rows(one) for one in (everything, some)], ignore_index=True)
    again = tables.from_outcome_rows(rows.sample(frac=1, random_state=0), paired=False)
    assert dict(again.sizes) | {"item": 0} == {"pair": 2, "capacity": 2, "replica": 2, "item": 0}
    for one, rank in ((everything, 1), (some, 2)):
        kept = one.sel(replica=[0, 1]).isel(pair=[_place(one, pair) for pair in few])
        xr.testing.assert_equal(again["first"].sel(capacity=[rank]), kept["first"])


def test_ranks_without_a_pair_in_common_are_refused():
    rows = pd.concat(
        tables.outcome_rows(train(ranks=[rank], replicas=2, pairs=[pair]))
        for rank, pair in ((1, ("toy/mood", "toy/sum")), (2, ("toy/same", "toy/which")))
    )
    with pytest.raises(ValueError, match="no pair is there at every rank"):
        tables.from_outcome_rows(rows, paired=False)


def _place(pairs, names):
    both = zip(pairs["first_task"].values, pairs["second_task"].values, strict=True)
    return list(both).index(names)


def test_looks_are_rows_of_their_own():
    pairs = train(replicas=2, steps=8, looks=[0.25, 0.5])
    rows = tables.outcome_rows(pairs)
    assert sorted(rows["look"].unique()) == [0.25, 0.5, 1]
    at = rows[(rows["look"] == 0.5) & (rows["second_task"] == "toy/sum")]
    pair = [first for first in TOY if first < "toy/sum"]
    assert sorted(at["first_task"].unique()) == pair
    xr.testing.assert_equal(tables.from_outcome_rows(rows, paired=False)["first"], pairs["first"])
    networks = tables.network_rows(pairs)
    assert len(networks) == 10 * 2 * 3
    end = networks["look"] == 1
    assert networks.loc[end, "cosine"].isna().all()
    assert networks.loc[~end, "first_loss"].isna().all()
    alone = networks["second_task"] == ""
    np.testing.assert_array_equal(networks.loc[~end, "cosine"].isna(), alone[~end])
    losses = pairs["first_loss"].isel(capacity=0).to_series()
    assert sorted(networks.loc[end, "first_loss"]) == sorted(losses)


def test_without_looks_all_tables_have_the_same_columns():
    plain, looked = (
        tables.network_rows(train(replicas=2, steps=8, **more)) for more in ({}, {"looks": [0.5]})
    )
    assert list(plain) == list(looked)
    assert pd.concat([plain, looked]).dtypes.to_dict() == looked.dtypes.to_dict()


def test_tasks_say_what_a_head_alone_gets_right():
    pairs = train(ranks=[0, 2], replicas=3)
    rows = tables.task_rows(pairs).set_index(["rank", "task"])
    assert list(rows.index) == [(rank, task) for rank in (0, 2) for task in TOY]
    place = pairs["first_task"].values.tolist().index("toy/sum")
    while pairs["second_task"].values[place]:
        place += 1
    of_task = pairs["first"].isel(pair=place, capacity=1)
    for split, name in (("training", "right"), ("held_out", "held_out_right")):
        share = float((of_task.isel(item=of_task.split.values == split) == 1).mean())
        assert rows.loc[(2, "toy/sum"), name] == share
        assert rows.loc[(2, "toy/sum"), f"{name}_low"] <= share
    assert (rows["training"] == 8).all()
    assert (rows["held_out"] == 4).all()
