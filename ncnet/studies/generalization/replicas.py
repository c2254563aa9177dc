"""What replicas say: one row for each capacity and replica, of its training and held-out items."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import chsh
from ncnet.checks import check
from ncnet.training import samples

PLACES = ("11", "12", "21", "22")
"""The contexts, by their settings."""
CORRELATORS = tuple(f"correlator_{place}" for place in PLACES)
ACCURACIES = tuple(f"accuracy_{place}" for place in PLACES)
LOSSES = tuple(f"loss_{place}" for place in PLACES)
TARGETS = ("held_out_accuracy", "held_out_worst")
MEANS = ("accuracy", "loss")
CONTEXTS = (*ACCURACIES, *LOSSES)
TRACED = (0, 10, 30, 100, 300, 1000)


def traced(steps: int) -> list[int]:
    """Return the steps of a training at which the cosine of both heads' gradients is taken.

    >>> traced(100)
    [0, 10, 30, 100]
    """
    return [step for step in TRACED if step <= steps]


def trained(
    population: samples.Population,
    *,
    replicas: Sequence[int],
    steps: int,
    trace: bool = False,
    **training: object,
) -> pd.DataFrame:
    """Train replicas of a population, and return `by_replica` of them.

    Parameters
    ----------
    population
        Of four tasks.
    replicas
        Indices of the replicas.
    steps
        Training steps.
    trace
        Whether the rows have the cosine of the heads' gradients, at the `traced` steps.
    training
        Hidden size, seed and the rest, as `ncnet.training.samples.train` takes them.

    Examples
    --------
    >>> population = samples.named("overlap", training=6, held_out=4, seed=0)
    >>> rows = trained(population, replicas=[3, 5], steps=10, hidden_size=2, seed=0)
    >>> rows[["capacity", "replica"]].values.tolist()
    [[2, 3], [2, 5]]
    """
    marks = traced(steps) if trace else ()
    outcomes = samples.train(
        population, replicas=replicas, steps=steps, trace_steps=marks, **training
    )
    return by_replica(outcomes)


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
        check(name in outcomes.variables, f"outcomes have no `{name}`", "it beside `a` and `b`")
    outcomes = outcomes if "capacity" in outcomes.dims else outcomes.expand_dims("capacity")
    settings = ("alice_setting", "bob_setting")
    losses = (outcomes["alice_loss"] + outcomes["bob_loss"]) / 2
    for of_capacity in losses.transpose("capacity", ...):
        count = int((~np.isfinite(of_capacity)).sum())
        found = f"{count} networks diverged at capacity {of_capacity['capacity'].item():g}"
        check(not count, found, "none, as with a lower learning rate")
    training = chsh.replica_means(outcomes)
    held_out = chsh.replica_means(outcomes, split="held_out")
    # The share of items that heads get right, mean over both heads.
    accuracy, right = ((2 + means.alice + means.bob) / 4 for means in (training, held_out))
    columns = {
        "s": chsh.s_value(training.correlator),
        "accuracy": accuracy.mean(settings),
        "loss": losses.mean(settings),
        "held_out_s": chsh.s_value(held_out.correlator),
        "held_out_accuracy": right.mean(settings),
        "held_out_worst": right.min(settings),
    }
    if "cosine" in outcomes:
        # A gradient that is 0 opposes nothing.
        columns["cosine"] = outcomes["cosine"].fillna(0).mean((*settings, "step"))
    by_context = {"correlator": training.correlator, "accuracy": accuracy, "loss": losses}
    for (name, values), i, j in itertools.product(by_context.items(), (1, 2), (1, 2)):
        columns[f"{name}_{i}{j}"] = values.sel(alice_setting=i, bob_setting=j, drop=True)
    return xr.Dataset(columns).to_dataframe(["capacity", "replica"]).reset_index()


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


def halves(replicas: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the replicas that are correlated, and those that choose.

    >>> correlated, choosing = halves(pd.DataFrame({"replica": [0, 1, 2, 3]}))
    >>> correlated["replica"].tolist(), choosing["replica"].tolist()
    ([1, 3], [0, 2])
    """
    odd = replicas["replica"] % 2 == 1
    return replicas[odd], replicas[~odd]
