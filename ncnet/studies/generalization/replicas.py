"""One row for each capacity and replica: what it says of its training, and what it gets right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import chsh

PLACES = ("11", "12", "21", "22")
"""The contexts, by their settings."""
CORRELATORS = tuple(f"correlator_{place}" for place in PLACES)
ACCURACIES = tuple(f"accuracy_{place}" for place in PLACES)
LOSSES = tuple(f"loss_{place}" for place in PLACES)
TARGETS = ("held_out_accuracy", "held_out_worst")
MEANS = ("accuracy", "loss")
CONTEXTS = (*ACCURACIES, *LOSSES)


def by_replica(outcomes: xr.Dataset) -> pd.DataFrame:
    """Return one row for each capacity and replica.

    Parameters
    ----------
    outcomes
        With training and held-out items, `capacity`, and `alice_loss` and `bob_loss` over the
        settings and replicas, such as `ncnet.training.samples.train` returns them.

    Returns
    -------
    pandas.DataFrame
        `capacity`, `replica`; of the training items `s`, `accuracy` (the share that heads get
        right) and `loss`, means over heads and contexts, and the same context by context
        (``correlator_11`` ..., ``accuracy_11`` ..., ``loss_11`` ...); of the held-out items
        `held_out_s`, `held_out_accuracy`, the mean over contexts, and `held_out_worst`, the lowest
        of the four; `cosine` of the heads' gradients, mean over contexts and traced steps, where
        there is one.

    Raises
    ------
    ValueError
        For outcomes without held-out items, capacity or losses, and for networks that diverged:
        they have no loss to go by.

    Examples
    --------
    >>> from ncnet import games
    >>> from ncnet.training import samples
    >>> population = samples.noisy_game(
    ...     games.overlap(), noise=0.5, training=6, held_out=4, seed=0
    ... )
    >>> outcomes = samples.train(population, hidden_size=3, replicas=range(5), seed=0, steps=10)
    >>> by_replica(outcomes)[["capacity", "replica"]].iloc[-1].tolist()
    [3, 4]
    """
    for name in ("capacity", "alice_loss", "bob_loss"):
        if name not in outcomes.variables:
            raise ValueError(f"outcomes have no `{name}`: expected it beside `a` and `b`")
    outcomes = outcomes if "capacity" in outcomes.dims else outcomes.expand_dims("capacity")
    _check_converged(outcomes)
    training = chsh.replica_means(outcomes)
    held_out = chsh.replica_means(outcomes, split="held_out")
    settings = ("alice_setting", "bob_setting")
    right = _right(held_out)
    accuracy, loss = _right(training), (outcomes["alice_loss"] + outcomes["bob_loss"]) / 2
    columns = {
        "s": chsh.s_value(training.correlator),
        "accuracy": accuracy.mean(settings),
        "loss": loss.mean(settings),
        "held_out_s": chsh.s_value(held_out.correlator),
        "held_out_accuracy": right.mean(settings),
        "held_out_worst": right.min(settings),
    }
    if "cosine" in outcomes:
        # A gradient that is 0 opposes nothing.
        columns["cosine"] = outcomes["cosine"].fillna(0).mean((*settings, "step"))
    by_context = {CORRELATORS: training.correlator, ACCURACIES: accuracy, LOSSES: loss}
    for names, values in by_context.items():
        for name, (i, j) in zip(names, np.ndindex(2, 2), strict=True):
            columns[name] = values.isel(alice_setting=i, bob_setting=j)
    replicas = outcomes.sizes["replica"]
    index = {
        "capacity": np.repeat(outcomes["capacity"].values, replicas),
        "replica": np.tile(outcomes["replica"].values, outcomes.sizes["capacity"]),
    }
    flat = {n: v.transpose("capacity", "replica").values.ravel() for n, v in columns.items()}
    return pd.DataFrame(index | flat)


def by_capacity(
    replicas: pd.DataFrame, *, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> pd.DataFrame:
    """Return the means over replicas at each capacity, with intervals.

    Parameters
    ----------
    replicas
        As `by_replica` returns it.
    level, resamples, seed
        Of the intervals (`ncnet.chsh.replica_interval`).

    Returns
    -------
    pandas.DataFrame
        `capacity`, `replicas`, and of `s`, `held_out_s`, `accuracy`, `held_out_accuracy` and
        `held_out_worst` the mean, `_low` and `_high`; of `loss` and `cosine` the mean.
    """
    options = {"level": level, "resamples": resamples, "seed": seed}
    bounds = dict.fromkeys(("s", "held_out_s"), (-4, 4))
    bounds |= dict.fromkeys(("accuracy", *TARGETS), (0, 1))
    rows = []
    for capacity, part in replicas.groupby("capacity"):
        row = {"capacity": capacity, "replicas": len(part)}
        for name, within in bounds.items():
            values = part[name].to_numpy()
            (low, high), _ = chsh.replica_interval(values, bounds=within, **options)
            row |= {name: values.mean(), f"{name}_low": low, f"{name}_high": high}
        rows.append(row | {n: part[n].mean() for n in ("loss", "cosine") if n in part})
    return pd.DataFrame(rows)


def _check_converged(outcomes: xr.Dataset) -> None:
    finite = np.isfinite(outcomes["alice_loss"] + outcomes["bob_loss"])
    for of_capacity in finite.transpose("capacity", ...):
        count = int((~of_capacity).sum())
        if count:
            raise ValueError(
                f"{count} of {of_capacity.size} networks diverged at capacity "
                f"{of_capacity['capacity'].item():g}: expected none, as with a lower learning rate"
            )


def _right(means: xr.Dataset) -> xr.DataArray:
    """Return the share of items that heads get right, mean over both heads."""
    return (2 + means.alice + means.bob) / 4
