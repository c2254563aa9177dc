"""Train replicas on samples of their own, and measure S, accuracy and loss of each.

The unit is the replica. Analyses look within a capacity first: over capacities both S and accuracy
grow, so that replicas of several capacities thrown together show a correlation that says nothing of
S.
"""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import mode

from ncnet import chsh
from ncnet.checks import check
from ncnet.chsh.bootstrap import DIGITS_OF_SUMS, drawn_shares, percentile_interval
from ncnet.chsh.intervals import check_resampling, means_with_ends
from ncnet.chsh.outcomes import CONTEXTS, SETTINGS
from ncnet.claims import LEVEL, MARGIN
from ncnet.training import samples

CORRELATORS, ACCURACIES, LOSSES = (
    tuple(f"{name}_{i}{j}" for i, j in CONTEXTS) for name in ("correlator", "accuracy", "loss")
)
"""Columns that describe the training items of one context, in the order of the contexts."""
TARGET = "held_out_accuracy"
TARGETS = (TARGET, "held_out_worst")
"""Columns that S is asked to predict: the mean of the contexts, and the worst of them."""
MEAN_FIT = ("accuracy", "loss")
FIT_BY_CONTEXT = (*ACCURACIES, *LOSSES)
"""Columns that say how well the training items are fitted: on average, or in each context."""
AT_2 = chsh.CLASSICAL_BOUND - MARGIN
"""Mean of S from which on a capacity counts as one at which S has reached 2."""
RESAMPLES = 2000
"""Number of bootstrap resamples, unless told otherwise."""
TRACE_SCHEDULE = (0, 10, 30, 100, 300, 1000)
"""Steps at which gradients are compared, as far as a training goes."""


def trace_steps(steps: int) -> list[int]:
    """Return the steps of a training at which the cosine of both heads' gradients is taken.

    >>> trace_steps(100)
    [0, 10, 30, 100]
    """
    return [step for step in TRACE_SCHEDULE if step <= steps]


def capacities(
    name: str, *, hidden_sizes: Sequence[int], steps: int, steps_tried: Sequence[int] = ()
) -> list[dict[str, int]]:
    """Return the hidden size and the steps of the training at each capacity.

    Parameters
    ----------
    name
        What capacity is: "hidden_size", or "steps", at the largest hidden size.
    hidden_sizes, steps, steps_tried
        Hidden sizes, each trained for so many steps; numbers of steps in place of that.

    Examples
    --------
    >>> capacities("hidden_size", hidden_sizes=[2, 3], steps=10)
    [{'hidden_size': 2, 'steps': 10}, {'hidden_size': 3, 'steps': 10}]
    >>> capacities("steps", hidden_sizes=[2, 3], steps=10, steps_tried=[5])
    [{'hidden_size': 3, 'steps': 5}]
    """
    if name == "steps":
        return [{"hidden_size": max(hidden_sizes), "steps": count} for count in steps_tried]
    return [{"hidden_size": size, "steps": steps} for size in hidden_sizes]


def train_replicas(
    population: samples.Population,
    *,
    steps: int,
    trace: bool = False,
    capacity_name: str = "hidden_size",
    **training: object,
) -> pd.DataFrame:
    """Train replicas of a population, and return `by_replica` of them.

    Parameters
    ----------
    population
        A population of four tasks.
    steps
        Number of training steps.
    trace
        Whether rows have the cosine of the heads' gradients, taken at `trace_steps`.
    capacity_name
        What the capacity of the rows is: "hidden_size" or "steps".
    training
        Replicas, hidden size, seed and the rest, as `ncnet.training.samples.train` takes them.

    Examples
    --------
    >>> population = samples.named("overlap", training=6, held_out=4, seed=0)
    >>> rows = train_replicas(population, replicas=[3, 5], steps=10, hidden_size=2, seed=0)
    >>> rows[["capacity", "replica"]].values.tolist()
    [[2, 3], [2, 5]]
    """
    traced = trace_steps(steps) if trace else ()
    rows = by_replica(samples.train(population, steps=steps, trace_steps=traced, **training))
    return rows.assign(capacity=steps) if capacity_name == "steps" else rows


def by_replica(outcomes: xr.Dataset) -> pd.DataFrame:
    """Return what was measured of each replica, one row for each capacity and replica.

    Parameters
    ----------
    outcomes
        Outcomes on training and held-out items, with `capacity`, and with `alice_loss` and
        `bob_loss` over settings and replicas, as `ncnet.training.samples.train` returns them.

    Returns
    -------
    pandas.DataFrame
        `capacity`, `replica`, and three groups of columns. Training items: `s`, `accuracy` (the
        share that heads get right) and `loss`, means over heads and contexts, and
        ``correlator_11`` ..., ``accuracy_11`` ..., ``loss_11`` ... of each context. Held-out items:
        `held_out_s`, `held_out_accuracy`, the mean over contexts, and `held_out_worst`, the lowest
        of the four. Where steps were traced: `cosine` of the heads' gradients, the mean over
        contexts and these steps.

    Raises
    ------
    ValueError
        If outcomes have no held-out items, no capacity or no losses, or if networks diverged: they
        have no loss to go by.

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
    losses = (outcomes["alice_loss"] + outcomes["bob_loss"]) / 2
    for of_capacity in losses.transpose("capacity", ...):
        count = f"{int((~np.isfinite(of_capacity)).sum())} of {of_capacity.size} networks"
        found = f"{count} diverged at capacity {of_capacity['capacity'].item():g}"
        check(np.isfinite(of_capacity).all(), found, "none, as with a lower learning rate")
    training = chsh.replica_means(outcomes)
    held_out = chsh.replica_means(outcomes, split="held_out")
    # The share of items that heads get right, mean over both heads.
    accuracy, right = ((2 + means.alice + means.bob) / 4 for means in (training, held_out))
    columns = {
        "s": chsh.s_value(training.correlator),
        "accuracy": accuracy.mean(SETTINGS),
        "loss": losses.mean(SETTINGS),
        "held_out_s": chsh.s_value(held_out.correlator),
        "held_out_accuracy": right.mean(SETTINGS),
        "held_out_worst": right.min(SETTINGS),
    }
    if "cosine" in outcomes:
        # A gradient that is 0 opposes nothing.
        columns["cosine"] = outcomes["cosine"].fillna(0).mean((*SETTINGS, "step"))
    by_context = {"correlator": training.correlator, "accuracy": accuracy, "loss": losses}
    for (name, values), (i, j) in itertools.product(by_context.items(), CONTEXTS):
        columns[f"{name}_{i}{j}"] = values.sel(alice_setting=i, bob_setting=j, drop=True)
    return xr.Dataset(columns).to_dataframe(["capacity", "replica"]).reset_index()


def by_capacity(replicas: pd.DataFrame, *, resamples: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """Return the means over replicas at each capacity, with intervals.

    Parameters
    ----------
    replicas
        Rows as `by_replica` returns them.
    resamples, seed
        Number of resamples for the 95 % intervals, and the seed of their draw.

    Returns
    -------
    pandas.DataFrame
        `capacity`, `replicas`, the means of `s`, `held_out_s`, `accuracy`, `held_out_accuracy` and
        `held_out_worst` with the ends ``_low`` and ``_high`` of their intervals, and the means of
        `loss` and `cosine`.
    """
    bounds = dict.fromkeys(("s", "held_out_s"), (-4, 4))
    bounds |= dict.fromkeys(("accuracy", *TARGETS), (0, 1))
    rows = []
    for capacity, part in replicas.groupby("capacity"):
        row = {"capacity": capacity, "replicas": len(part)}
        row |= means_with_ends(part, bounds, resamples=resamples, seed=seed)
        rows.append(row | {n: part[n].mean() for n in ("loss", "cosine") if n in part})
    return pd.DataFrame(rows)


def split_replicas(replicas: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the replicas that are correlated, and those that choose the capacity.

    Replicas with an odd number are correlated. The others say at which capacity S first reaches 2,
    so that no replica is judged at a capacity which it chose itself.

    >>> correlated, choosing = split_replicas(pd.DataFrame({"replica": [0, 1, 2, 3]}))
    >>> correlated["replica"].tolist(), choosing["replica"].tolist()
    ([1, 3], [0, 2])
    """
    odd = replicas["replica"] % 2 == 1
    return replicas[odd], replicas[~odd]


def first_capacity_at_2(replicas: pd.DataFrame) -> float:
    """Return the smallest capacity at which the mean of S is at least 1.95, or NaN.

    >>> first_capacity_at_2(pd.DataFrame({"capacity": [1, 1, 2, 2], "s": [0.5, 0.7, 2.1, 1.9]}))
    2.0
    """
    means = replicas.groupby("capacity")["s"].mean()
    return float(means.index[means >= AT_2].min())


def as_arrays(
    replicas: pd.DataFrame, names: Sequence[str], index: Sequence[str] = ("capacity",)
) -> tuple[list, np.ndarray]:
    """Return the capacities, and columns as an array [capacities, names, replicas].

    Where `index` names other columns than the capacity, their values are returned in its place.

    Raises
    ------
    ValueError
        If a capacity lacks replicas that others have.

    Examples
    --------
    >>> table = pd.DataFrame({"capacity": [1, 1, 2, 2], "replica": [0, 1] * 2, "s": [1, 2, 3, 4]})
    >>> capacities, values = as_arrays(table, ["s"])
    >>> capacities, values.tolist()
    ([1, 2], [[[1.0, 2.0]], [[3.0, 4.0]]])
    """
    wide = replicas.pivot(index=list(index), columns="replica", values=list(names))
    lacks = wide.isna().any(axis=1)
    found = f"{' and '.join(index)} {lacks.idxmax()} lacks a replica"
    check(not lacks.any(), found, "the same at all")
    return wide.index.tolist(), wide.to_numpy(float).reshape(len(wide), len(names), -1)


def as_arrays_with_s(
    replicas: pd.DataFrame, names: Sequence[str], choosing: pd.DataFrame
) -> tuple[list, np.ndarray, np.ndarray]:
    """Return `as_arrays` of replicas, and S of others, which choose, as [capacities, replicas].

    Raises
    ------
    ValueError
        If a capacity lacks replicas that others have, or the two tables have other capacities.
    """
    capacities, values = as_arrays(replicas, names)
    others, s_of_others = as_arrays(choosing, ["s"])
    check(capacities == others, f"capacities are {capacities} and {others}", "the same")
    return capacities, values, s_of_others[:, 0]


def off_mode(values: np.ndarray) -> np.ndarray:
    """Return how many of the replicas [..., replicas] differ from the most frequent value.

    >>> off_mode(np.array([[2.0, 2.0, 1.5], [2.0, 2.0, 2.0]]))
    array([1, 0])
    """
    return values.shape[-1] - mode(values.round(DIGITS_OF_SUMS), axis=-1).count


def resampling_options(
    level: float = LEVEL, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, int, int]:
    """Return the options of a bootstrap as numbers of Python.

    Parameters
    ----------
    level
        Nominal coverage of each interval by itself.
    resamples, seed
        Number of resamples, and the seed of their draw.

    Raises
    ------
    ValueError
        For a level outside 0 to 1, or fewer resamples than it needs.

    Examples
    --------
    >>> resampling_options(seed=4)
    (0.95, 2000, 4)
    """
    return check_resampling(level, resamples, seed)


def resampled_means(
    values: np.ndarray, resamples: int, generator: np.random.Generator
) -> np.ndarray:
    """Return means over replicas of values [capacities, replicas], jointly resampled.

    The result is [1 + resamples, capacities]: the sample itself comes first.

    >>> resampled_means(np.array([[0.0, 1.0]]), 100, np.random.default_rng(0)).shape
    (101, 1)
    """
    shares = drawn_shares(values.shape[-1], resamples, generator)
    return np.concatenate([values.mean(-1)[None], shares @ values.T])


def intervals_of_defined(estimates: np.ndarray, level: float, replicas: int) -> np.ndarray:
    """Return the intervals [rows, 2] of estimates [rows, 1 + resamples], the sample itself first.

    An interval is taken over the resamples that have a value. It is NaN where none has one, or
    where the sample has none.

    >>> intervals_of_defined(np.array([[1.0, np.nan, 1.0], [np.nan, 1.0, 1.0]]), 0.95, 10).tolist()
    [[1.0, 1.0], [nan, nan]]
    """
    found = np.full((len(estimates), 2), np.nan)
    for row, interval in zip(estimates, found, strict=True):
        draws = row[1:][np.isfinite(row[1:])]
        if len(draws) and np.isfinite(row[0]):
            interval[:] = percentile_interval(draws, level, replicas)
    return found
