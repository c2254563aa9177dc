"""The table of S against rank, on outcomes whose numbers are known."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from ncnet import chsh
from ncnet.claims import simultaneous_level
from ncnet.studies.ranks import analysis as ranks
from tests.strategies import correlated_outcomes

DIMENSIONS = ("capacity", "alice_setting", "bob_setting", "replica", "item")


def sweep(*of_ranks, values=(0, 1, 4), paired=True, held_out=0):
    a, b = (np.stack(party).astype(np.int8) for party in zip(*of_ranks, strict=True))
    items = a.shape[-1]
    split = ["training"] * (items - held_out) + ["held_out"] * held_out
    return xr.Dataset(
        {"a": (DIMENSIONS, a), "b": (DIMENSIONS, b)},
        {
            "capacity": list(values[: len(a)]),
            "alice_setting": [1, 2],
            "bob_setting": [1, 2],
            "replica": np.arange(a.shape[3]),
            "item": np.arange(items),
            "split": ("item", split),
        },
        {"paired": paired},
    )


def rising(seed=0, **options):
    parts = [[[s, s], [s, s]] for s in (0.2, 0.6, 0.95)]
    found = [correlated_outcomes(part, 24, 60, seed + place) for place, part in enumerate(parts)]
    return sweep(*found, **options)


def test_a_row_is_the_report_of_its_rank_at_the_simultaneous_level():
    outcomes = rising()
    table = ranks.by_rank(outcomes)
    for place, row in table.iterrows():
        report = chsh.report(outcomes.isel(capacity=place), level=simultaneous_level(3))
        expected = report.row()
        for name in ("s", "delta", "delta_low", "excess", "p_value", "alice_21", "level"):
            assert row[name] == pytest.approx(expected[name]), name


def test_near_the_ceiling_the_interval_is_bettings_and_never_of_no_width():
    ones = np.ones((2, 2, 20, 30))
    table = ranks.by_rank(sweep((ones, ones), (ones, ones)))
    low, high = chsh.s_interval(np.full(20, 2.0), level=simultaneous_level(2))[0]
    assert table["s_low"].tolist() == [low, low]
    assert table["s_high"].tolist() == [high, high]
    assert (table["accuracy_low"] < 1).all()


def test_accuracy_is_the_share_right_over_heads_and_contexts():
    a, b = np.ones((2, 2, 2, 20, 10))
    a[0, 1, :, :5] = -1  # half of one head's items in one of four contexts
    table = ranks.by_rank(sweep((a, b)))
    assert table["accuracy"].item() == pytest.approx(1 - 1 / 16)


@pytest.mark.slow
def test_held_out_items_are_reported_beside_and_do_not_count_in_s():
    outcomes = rising(held_out=20)
    table = ranks.by_rank(outcomes)
    without = ranks.by_rank(outcomes.isel(item=slice(0, 40)))
    shared = without.columns
    pd.testing.assert_frame_equal(table[shared], without)
    held_out = ranks.by_rank(
        outcomes.isel(item=slice(40, 60)).assign_coords(split=("item", ["training"] * 20))
    )
    np.testing.assert_allclose(table["held_out_s"], held_out["s"])
    np.testing.assert_allclose(table["held_out_accuracy"], held_out["accuracy"])


def test_items_that_are_no_partners_are_read_as_such():
    outcomes = rising(paired=False)
    expected = chsh.s_per_replica(outcomes).mean("replica")
    np.testing.assert_allclose(ranks.by_rank(outcomes)["s"], expected)
