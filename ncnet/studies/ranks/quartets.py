"""S of all quartets of different tasks at once, looked up in the pairs that were trained.

S of a quartet is the sum of four pair correlators, one of them with a minus sign. So over all
ordered quartets its mean is twice the mean pair correlator, and never above 2: what S says beyond
the pairs is which pair carries the minus sign.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from ncnet.chsh import as_pairs, replica_interval
from ncnet.chsh.intervals import FEWEST_OFF_MODE, S_BOUNDS, off_mode
from ncnet.chsh.pairs import Pair
from ncnet.claims import LEVEL, simultaneous_level
from ncnet.studies.ranks.families import Quartet
from ncnet.studies.ranks.pigeonhole import Drawn

SIGNS = np.array([1, 1, 1, -1])
AT_ONCE = 64
"""Quartets whose resamples are held in memory together."""


def all_quartets(tasks: Sequence[str]) -> list[Quartet]:
    """Return all ordered quartets of different tasks, up to the exchange of Alice and Bob.

    To exchange them leaves every pair, and the one with the minus sign, what it is.

    >>> len(all_quartets(["en", "de", "fr", "ja"]))
    12
    """
    found = []
    for a1, a2, b1, b2 in itertools.permutations(sorted(tasks), 4):
        if (a1, a2) < (b1, b2):
            found.append(((a1, a2), (b1, b2)))
    return found


def correlators(pairs: xr.Dataset) -> tuple[list[str], xr.DataArray]:
    """Return the tasks, and the correlator of each pair on training items, of each replica.

    Returns
    -------
    tuple
        Names of tasks, sorted, and correlators over (first, second, replica), symmetric in the
        tasks; a task beside itself has none. Of items that are no partners (``paired`` is False) a
        replica's is the product of both means.
    """
    tasks, of_pairs = _of_training(pairs)
    first, second = (outcomes.astype(float) for outcomes in of_pairs)
    if pairs.attrs.get("paired", True):
        values = (first * second).mean("item")
    else:
        values = first.mean("item") * second.mean("item")
    return tasks, _square(tasks, _names(pairs), values)


def mean_identity(pairs: xr.Dataset) -> tuple[float, float]:
    """Return the mean of S over all ordered quartets, and twice the mean pair correlator.

    They are the same number, whatever the outcomes are.

    Parameters
    ----------
    pairs
        Outcomes of all pairs at one capacity, as `ncnet.chsh.as_pairs` describes them.
    """
    tasks, values = correlators(pairs)
    s = [_s(values, tasks, quartet).mean() for quartet in all_quartets(tasks)]
    apart = ~np.eye(len(tasks), dtype=bool)
    return float(np.mean(s)), 2 * float(values.values[apart].mean())


def quartet_rows(pairs: xr.Dataset, *, resamples: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """Return S of all quartets at one capacity, with intervals that hold together at 95 %.

    Parameters
    ----------
    pairs
        Outcomes of all pairs at one capacity, as `ncnet.chsh.as_pairs` describes them.
    resamples, seed
        Number of bootstrap resamples of replicas and items, and the seed of their draw.

    Returns
    -------
    pandas.DataFrame
        One row for each of `all_quartets`: ``a1``, ``a2``, ``b1``, ``b2``, and ``s``, the mean over
        replicas, with its interval. As many standard errors to either side as the farthest of all
        quartets is in 95 % of the resamples (sup-t, with the bootstrap's own spread). Where fewer
        than ten replicas differ from the most frequent S, it comes from betting over replicas,
        Bonferroni over all quartets: ``interval_method`` says which.

    Examples
    --------
    >>> from ncnet.chsh import collect_pairs
    >>> rng = np.random.default_rng(0)
    >>> names = ["de", "en", "fr", "ja"]
    >>> outcomes = {
    ...     both: rng.choice([-1, 1], size=(2, 20, 30)) for both in itertools.combinations(names, 2)
    ... }
    >>> table = quartet_rows(collect_pairs(outcomes), resamples=1000)
    >>> len(table), bool(((table["s_low"] < 0) & (table["s_high"] > 0)).all())
    (12, True)
    """
    pairs = as_pairs(pairs)
    tasks, values = correlators(pairs)
    drawn = _drawn_correlators(pairs, Drawn(resamples, seed))
    quartets = all_quartets(tasks)
    s = np.array([_s(values, tasks, quartet) for quartet in quartets])
    spread, farthest = np.zeros(len(quartets)), np.zeros(resamples)
    for start in range(0, len(quartets), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        draws = np.array([_s(drawn, tasks, quartet) for quartet in quartets[part]])
        spread[part] = draws.std(axis=1)
        off = abs(draws - s[part].mean(axis=1)[:, None])
        with np.errstate(divide="ignore", invalid="ignore"):
            in_errors = np.where(spread[part, None] > 0, off / spread[part, None], 0)
        farthest = np.maximum(farthest, in_errors.max(axis=0))
    reach = np.quantile(farthest, LEVEL)
    level, rows = simultaneous_level(len(quartets)), []
    for ((a1, a2), (b1, b2)), of_replicas, error in zip(quartets, s, spread, strict=True):
        mean = float(of_replicas.mean())
        row = {"a1": a1, "a2": a2, "b1": b1, "b2": b2, "s": mean}
        counts = np.unique(of_replicas.round(9), return_counts=True)
        if off_mode(*counts) < FEWEST_OFF_MODE:
            ends, method = replica_interval(of_replicas, bounds=S_BOUNDS, level=level)
        else:
            ends, method = (mean - reach * error, mean + reach * error), "sup-t bootstrap"
        low, high = np.clip(ends, *S_BOUNDS).tolist()
        rows.append(row | {"s_low": low, "s_high": high, "interval_method": method})
    return pd.DataFrame(rows)


def disturbance(pairs: xr.Dataset) -> pd.DataFrame:
    """Return how much less of a task a head gets right beside each partner than alone.

    Parameters
    ----------
    pairs
        Outcomes of pairs and of tasks alone at one capacity.

    Returns
    -------
    pandas.DataFrame
        One row for each task and partner: ``task``, ``partner`` and ``lost``, in percentage points
        of its training items, the mean over replicas, with an interval over replicas at 95 %, each
        by itself.
    """
    pairs = as_pairs(pairs)
    right = {}
    names = _names(pairs)
    _, heads = _of_training(pairs, alone=True)
    for head, outcomes in enumerate(heads):
        shares = (outcomes == 1).mean("item").values
        for place, pair in enumerate(names):
            if head < len(pair):
                right[pair[head], *(set(pair) - {pair[head]})] = shares[place]
    rows = []
    for (task, *partner), share in sorted(right.items()):
        if partner:
            lost = 100 * (right[task,] - share)
            (low, high), _ = replica_interval(lost, bounds=(-100, 100))
            row = {"task": task, "partner": partner[0], "lost": float(lost.mean())}
            rows.append(row | {"lost_low": low, "lost_high": high})
    return pd.DataFrame(rows)


def _of_training(
    pairs: xr.Dataset, *, alone: bool = False
) -> tuple[list[str], tuple[xr.DataArray, xr.DataArray]]:
    """Return the tasks, and both heads' outcomes on training items [pair, replica, item]."""
    pairs = as_pairs(pairs).isel(item=pairs["split"].values == "training")
    if not alone:
        pairs = pairs.isel(pair=pairs["second_task"].values != "")
    tasks = sorted({name for pair in _names(pairs) for name in pair})
    heads = (pairs[head].transpose("pair", "replica", "item") for head in ("first", "second"))
    return tasks, tuple(heads)


def _names(pairs: xr.Dataset) -> list[Pair]:
    both = zip(
        pairs["first_task"].values.tolist(), pairs["second_task"].values.tolist(), strict=True
    )
    return [tuple(filter(None, pair)) for pair in both]


def _drawn_correlators(pairs: xr.Dataset, drawn: Drawn) -> xr.DataArray:
    """Return the correlator of each pair in each resample (first, second, resample)."""
    tasks, (first, second) = _of_training(pairs)
    together = [pair for pair in _names(pairs) if len(pair) > 1]
    replicas = drawn.weights("replica", first.sizes)
    paired = pairs.attrs.get("paired", True)
    items = {name: drawn.weights("item", first.sizes, "" if paired else name) for name in tasks}
    rows = []
    for place, (one, other) in enumerate(together):
        a, b = (outcomes.isel(pair=place).astype(float) for outcomes in (first, second))
        if paired:
            both = (a * b).dot(items[one], "item")
        else:
            both = a.dot(items[one], "item") * b.dot(items[other], "item")
        rows.append(both.dot(replicas, "replica"))
    return _square(tasks, together, xr.concat(rows, "pair"))


def _square(tasks: Sequence[str], names: Sequence[Pair], values: xr.DataArray) -> xr.DataArray:
    """Return values of pairs [pair, ...] over (first, second, ...), symmetric in the tasks."""
    together = [pair for pair in names if len(pair) > 1]
    found = np.full((len(tasks), len(tasks), values.shape[1]), np.nan)
    for pair, of_pair in zip(together, values.values, strict=True):
        i, j = (tasks.index(name) for name in pair)
        found[i, j] = found[j, i] = of_pair
    return xr.DataArray(found, dims=("first", "second", values.dims[1]))


def _s(values: xr.DataArray, tasks: Sequence[str], quartet: Quartet) -> np.ndarray:
    """Return S of a quartet, of each replica or resample."""
    contexts = itertools.product(*quartet)
    at = [[tasks.index(name) for name in pair] for pair in contexts]
    return sum(sign * values.values[i, j] for sign, (i, j) in zip(SIGNS, at, strict=True))
