"""Sweeps over a capacity: each row is of its own networks, and outcomes survive as a long table."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import ncnet
from ncnet import chsh
from ncnet.sweeps import from_rows, outcome_rows, sweep
from tests.refusals import refused
from tests.strategies import correlated_outcomes

SMALL = {"replicas": 64, "seed": 3}


def test_a_sweep_of_two_sizes_is_the_two_sweeps_of_one():
    both = sweep("separate", [3, 1], steps=20, **SMALL)
    alone = [sweep("separate", [n], steps=20, **SMALL) for n in (3, 1)]
    pd.testing.assert_frame_equal(both, pd.concat(alone, ignore_index=True))


def test_a_row_is_the_report_of_its_networks():
    [row] = sweep("separate", [2], steps=30, activation="relu", **SMALL).to_dict("records")
    training = {"hidden_size": 2, "steps": 30, "activation": "relu"}
    outcomes = ncnet.train(ncnet.games.separate(), **training, **SMALL)
    report = chsh.report(outcomes)
    assert (row["game"], row["hidden_size"], row["backend"]) == (
        "separate",
        2,
        outcomes.attrs["backend"],
    )
    assert (row["s"], row["s_low"], row["s_high"]) == (report.s, *report.interval)


def test_a_game_that_is_not_there_is_refused():
    parts = ("unknown game `overlaps`", "did you mean `overlap`")
    refused(lambda: sweep("overlaps", [1], steps=1, **SMALL), parts)


@pytest.mark.parametrize("paired", [True, False])
def test_outcomes_survive_the_long_table(paired):
    split = ["training"] * 40 + ["held_out"] * 20
    of_ranks = [
        chsh.as_dataset(correlated_outcomes([[s, s], [s, s]], 24, 60, seed))
        .assign_coords(capacity=rank, split=("item", split))
        .assign_attrs(paired=paired)
        for seed, (rank, s) in enumerate({0: 0.2, 1: 0.6, 4: 0.95}.items())
    ]
    outcomes = xr.concat(of_ranks, "capacity").assign_coords(replica=range(24), item=range(60))
    rows = outcome_rows(outcomes)
    assert len(rows) == 3 * 4 * 24 * 60
    back = from_rows(rows, paired=paired)
    assert back["capacity"].values.tolist() == [0, 1, 4]
    for name in ("a", "b"):
        there = back[name].transpose(*outcomes[name].dims)
        np.testing.assert_array_equal(there, outcomes[name])
    assert back["split"].values.tolist() == split
    assert back.attrs["paired"] == paired
