"""Compares S of the same replicas and items under several conditions: ranks, quartets, doses.

A *contrast* is a weighted sum of S over conditions that share replicas and items, such as S at one
rank less S at another. Its interval is the wider of two: one for the mean, which resamples replicas
and items (`ncnet.studies.ranks.pigeonhole`), and one for the median over replicas, with the items
given, which is exact at any number of them (`ncnet.estimates.median_interval`). A dozen replicas
are too few for an exact statement about the mean.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import chsh
from ncnet.claims import LEVEL, simultaneous_level
from ncnet.estimates import Estimate, columns_of, hull, median_interval
from ncnet.studies.ranks.claims import (
    APART,
    BALANCE,
    BEYOND_LOWEST,
    DIFFICULTY,
    FROM_HEADS,
    OF_S,
    TOGETHER,
    TWICE,
)
from ncnet.studies.ranks.pigeonhole import pigeonhole_interval, pigeonhole_means

Measured = Mapping[Hashable, tuple[np.ndarray, np.ndarray]]
"""S of each replica [replicas], and of each resample [resamples], by condition."""


def measure(
    outcomes: xr.Dataset, tasks: Sequence[str], *, resamples: int = 10_000, seed: int = 0
) -> Measured:
    """Return S on the training items of every replica and of every resample, by rank.

    Parameters
    ----------
    outcomes
        Outcomes of one quartet, as `ncnet.encoders.train` returns them, with a dimension
        `capacity`.
    tasks
        Names of A1, A2, B1, B2. A task's items are resampled alike in every quartet that has it.
    resamples, seed
        Number of bootstrap resamples, and the seed of their draw.
    """
    outcomes = chsh.as_dataset(outcomes)
    options = {"tasks": tasks, "resamples": resamples, "seed": seed}
    s = chsh.s_per_replica(outcomes)
    drawn = chsh.s_value(pigeonhole_means(outcomes, **options).correlator)
    return {
        rank: (s.sel(capacity=rank).values, drawn.sel(capacity=rank).values)
        for rank in sorted(outcomes["capacity"].values.tolist())
    }


def measure_doses(
    by_dose: Mapping[float, xr.Dataset], tasks: Sequence[str], **options: int
) -> Measured:
    """Return S on the training items of every replica and of every resample, by dose.

    Parameters
    ----------
    by_dose
        Outcomes of one quartet at one rank, of the same replicas and items at each dose.
    tasks, options
        See `measure`. Replicas and items are resampled alike at every dose.

    Examples
    --------
    >>> ones, tasks = np.ones((2, 1, 16, 8)), ("A1", "A2", "B1", "B2")
    >>> contexts = [("A1", "B1"), ("A1", "B2"), ("A2", "B1"), ("A2", "B2")]
    >>> pairs = chsh.collect_pairs(dict.fromkeys(contexts, ones), capacities=[1])
    >>> outcomes = chsh.quartet(pairs, alice=tasks[:2], bob=tasks[2:])
    >>> measured = measure_doses({0.0: outcomes, 1.0: outcomes}, tasks, resamples=1000)
    >>> contrast(measured, {1.0: 1, 0.0: -1}).value
    0.0
    """
    found = {}
    for dose, outcomes in by_dose.items():
        [(_, found[dose])] = measure(outcomes, tasks, **options).items()
    return found


def contrast(
    measured: Measured, weights: Mapping[Hashable, float], *, level: float = LEVEL
) -> Estimate:
    """Return a weighted sum of S over conditions, with the wider of its two intervals.

    Parameters
    ----------
    measured
        S by condition, of the same replicas.
    weights
        What each condition counts.
    level
        Coverage of either interval; for several contrasts together see `simultaneous_level`.

    Raises
    ------
    KeyError
        For a condition that was not measured.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before, after = ((rng.normal(s, 0.1, 16), rng.normal(s, 0.03, 10_000)) for s in (1.5, 1.9))
    >>> contrast({"before": before, "after": after}, {"after": 1, "before": -1}).beyond(0.05)
    True
    """
    s, drawn = (
        sum(weight * measured[condition][place] for condition, weight in weights.items())
        for place in (0, 1)
    )
    draws = xr.DataArray(drawn, dims="resample")
    of_mean = pigeonhole_interval(draws, replicas=len(s), level=level)
    return Estimate(float(s.mean()), *hull(of_mean, median_interval(s, level=level)))


def contrast_rows(quartets: Mapping[str, Measured]) -> pd.DataFrame:
    """Return the contrasts that the rules on real models read, of recorded quartets.

    Parameters
    ----------
    quartets
        What `measure` returns, by the name of the quartet.

    Returns
    -------
    pandas.DataFrame
        One row a contrast: ``contrast``, ``quartet``, ``rank``, ``s`` with the ends of its
        interval, ``replicas``. `OF_S` is S at each rank above 0; `FROM_HEADS` and `BEYOND_LOWEST`
        are how far S rises up to the largest rank, from rank 0 and from the lowest above it;
        `DIFFICULTY` and `BALANCE` are S of the hard tasks together less S of them apart, and less S
        with twice their items, at each rank above 0. Intervals of `OF_S` hold together over the
        ranks of a quartet at 95 %; of all others a rule reads one.
    """
    rows = []
    for quartet, measured in quartets.items():
        lowest, *_, last = adapted = [rank for rank in measured if rank > 0]
        rises = {FROM_HEADS: {last: 1, 0: -1}, BEYOND_LOWEST: {last: 1, lowest: -1}}
        kinds = {OF_S: {rank: {rank: 1} for rank in adapted}}
        kinds |= {name: {last: weights} for name, weights in rises.items()}
        rows += [row | {"quartet": quartet} for row in _rows(measured, kinds)]
    for name, other in ((DIFFICULTY, APART), (BALANCE, TWICE)):
        if {TOGETHER, other} <= quartets.keys():
            both = {(q, r): s for q in (TOGETHER, other) for r, s in quartets[q].items()}
            ranks = [rank for rank in quartets[TOGETHER] if rank > 0]
            kinds = {name: {r: {(TOGETHER, r): 1, (other, r): -1} for r in ranks}}
            rows += [row | {"quartet": TOGETHER} for row in _rows(both, kinds)]
    return pd.DataFrame(rows)


def dose_rows(
    quartet: str, name: str, measured: Measured, weights: Sequence[Mapping[float, float]]
) -> pd.DataFrame:
    """Return contrasts of one named quartet over doses, whose intervals hold together at 95 %.

    Parameters
    ----------
    quartet, name
        The quartet, and how the names of its contrasts begin: `DIFFICULTY` or `BALANCE`.
    measured
        S by dose, at the rank named beforehand.
    weights
        What each dose counts in each contrast.
    """
    level = simultaneous_level(len(weights))
    found = [columns_of("s", contrast(measured, of_doses, level=level)) for of_doses in weights]
    rows = pd.DataFrame(found)
    names = [f"{name}, contrast {place + 1}" for place in range(len(found))]
    return rows.assign(contrast=names, quartet=quartet, rank=1.0)


def _rows(measured: Measured, kinds: Mapping[str, Mapping[float, Mapping]]) -> Iterator[dict]:
    """Yield a row for each rank of each kind of contrast; `kinds` have the weights by rank."""
    [replicas] = {len(s) for s, _ in measured.values()}
    for name, by_rank in kinds.items():
        level = simultaneous_level(len(by_rank)) if name == OF_S else LEVEL
        for rank, weights in by_rank.items():
            found = columns_of("s", contrast(measured, weights, level=level))
            yield {"contrast": name, "rank": float(rank), **found, "replicas": replicas}
