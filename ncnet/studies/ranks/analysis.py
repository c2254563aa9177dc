"""Tabulate S of an encoder against the rank of its adapters, or a dose: one row each."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from ncnet import chsh
from ncnet.claims import simultaneous_level
from ncnet.studies.ranks.pigeonhole import pigeonhole_interval, pigeonhole_means

BOUNDS = {"s": (-4, 4), "accuracy": (0, 1)}
HELD_OUT = "held_out"


def by_rank(outcomes: xr.Dataset, *, resamples: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """Return the report of each rank's training items, with accuracies beside it.

    Intervals hold together over the ranks at 95 %. Those of S and of accuracies resample replicas
    and items (`ncnet.studies.ranks.pigeonhole`). Where fewer than ten replicas differ from the most
    frequent value, they come from betting, over replicas alone (`ncnet.chsh.replica_interval`).

    Parameters
    ----------
    outcomes
        Outcomes of one quartet, as `ncnet.encoders.train` returns them, with a dimension
        `capacity`.
    resamples, seed
        Number of bootstrap resamples, and the seed of their draw.

    Returns
    -------
    pandas.DataFrame
        One row a rank: `rank`, the columns of `ncnet.chsh.Report.row`, and further columns, each
        with an interval from `_low` to `_high`. `accuracy` is the share that heads get right, the
        mean over both heads and all contexts. Where there are held-out items, `held_out_s` and
        `held_out_accuracy` are S and accuracy on these.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.choice([-1, 1], size=(2, 2, 2, 2, 20, 8))  # two ranks, 20 replicas, 8 items
    >>> dimensions = ("capacity", "alice_setting", "bob_setting", "replica", "item")
    >>> outcomes = xr.Dataset(
    ...     {"a": (dimensions, a), "b": (dimensions, b)},
    ...     {"capacity": [0, 4], "alice_setting": [1, 2], "bob_setting": [1, 2]},
    ... ).assign_coords(split=("item", ["training"] * 8))
    >>> by_rank(outcomes, resamples=2000)["rank"].tolist()
    [0, 4]
    """
    outcomes = chsh.as_dataset(outcomes).sortby("capacity")
    ranks = outcomes["capacity"].values.tolist()
    options = {"resamples": resamples, "seed": seed}
    measured = _measured(outcomes, "training", **options)
    if HELD_OUT in outcomes["split"].values:
        held_out = _measured(outcomes, HELD_OUT, **options)
        measured |= {f"held_out_{name}": held_out[name] for name in ("s", "accuracy")}
    options["level"] = simultaneous_level(len(ranks))
    rows = []
    for place, rank in enumerate(ranks):
        row = {"rank": rank} | chsh.report(outcomes.isel(capacity=place), **options).row()
        for name, both in measured.items():
            values, draws = (x.isel(capacity=place) for x in both)
            bounds = BOUNDS[name.removeprefix("held_out_")]
            (low, high), method = chsh.replica_interval(values.values, bounds=bounds, **options)
            if method != "betting":
                low, high = pigeonhole_interval(draws, replicas=len(values), level=options["level"])
            row |= {name: float(values.mean()), f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def _measured(outcomes: xr.Dataset, split: str, **options: int) -> dict[str, tuple]:
    """Return S and accuracy on a split, of each replica and of each resample."""
    of_replicas = chsh.replica_means(outcomes, split=split)
    both = (of_replicas, pigeonhole_means(outcomes, split=split, **options))
    s = [chsh.s_value(means.correlator) for means in both]
    right = [(2 + means.alice + means.bob) / 4 for means in both]
    return {"s": s, "accuracy": [x.mean(("alice_setting", "bob_setting")) for x in right]}
