"""Rank correlations of S with held-out accuracy, within each capacity.

Spearman's correlation of S of a replica's training items with its held-out accuracy, at each
capacity by itself, then averaged over the capacities up to the one at which S first reaches 2, and
beyond it. Which one that is, other replicas choose. Capacities with fewer than ten replicas off the
most frequent S are at the ceiling and left out: there are no ranks to correlate.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from scipy.stats import mode, rankdata, spearmanr

from ncnet.checks import check
from ncnet.chsh import CLASSICAL_BOUND
from ncnet.chsh.bootstrap import DIGITS_OF_SUMS, expanded_level, percentile_interval
from ncnet.chsh.intervals import FEWEST_OFF_MODE, check_resampling
from ncnet.claims import LEVEL, MARGIN
from ncnet.studies.generalization.replicas import CONTEXTS, MEANS, TARGETS

MEASURES = {"spearman": (), "given means": MEANS, "given contexts": CONTEXTS}
"""Each with what is held fixed: nothing, mean training accuracy and loss, or each context's."""
UP_TO, BEYOND = "up to 2", "beyond 2"
AT_2 = CLASSICAL_BOUND - MARGIN
VALUES_AT_ONCE = 2**21
EXPLAINED = 1e-6
"""Share of a variable's variance below which what is held fixed leaves nothing of it."""
VARIABLES = ("s", *TARGETS, *MEANS, *CONTEXTS)
"""Of each replica, in the order of the arrays."""


def first_at_2(replicas: pd.DataFrame) -> float:
    """Return the smallest capacity at which the mean of S is at least 1.95, or NaN.

    >>> first_at_2(pd.DataFrame({"capacity": [1, 1, 2, 2], "s": [0.5, 0.7, 2.1, 1.9]}))
    2.0
    """
    means = replicas.groupby("capacity")["s"].mean()
    return float(means.index[means >= AT_2].min())


def correlations(
    replicas: pd.DataFrame,
    choosing: pd.DataFrame,
    *,
    level: float = LEVEL,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the correlations of S with held-out accuracy, with intervals.

    The bootstrap goes through the whole pipeline: in each resample the replicas that choose and the
    replicas that are correlated are drawn anew, jointly over capacities, the capacity at which S
    first reaches 2 is found again, and so are the capacities at the ceiling.

    Parameters
    ----------
    replicas
        As `by_replica` returns it; the same replicas at every capacity.
    choosing
        Other replicas, of which `capacity`, `replica` and `s` are read: they say at which capacity
        S first reaches 2.
    level
        Nominal coverage of each interval by itself.
    resamples, seed
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row for each `target` ("held_out_accuracy", "held_out_worst"), `measure` ("spearman";
        "given means", Spearman's partial correlation at given mean training accuracy and loss;
        "given contexts", at given accuracies and losses of all four contexts) and `part`: "at" each
        `capacity`, or the means "up to 2" and "beyond 2". `estimate`, `low`, `high`, NaN where
        there is none; `off_mode`, replicas off the most frequent S, and `at_ceiling`; `first`, the
        capacity at which S first reaches 2; `defined`, the share of resamples that have a value.

    Raises
    ------
    ValueError
        If capacities differ between the tables, or replicas between capacities; for fewer resamples
        than the level needs.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> columns = ["s", *TARGETS, *MEANS, *CONTEXTS]
    >>> table = pd.DataFrame(rng.normal(size=(80, len(columns))), columns=columns)
    >>> table = table.assign(capacity=[1] * 40 + [2] * 40, replica=[*range(40)] * 2)
    >>> found = correlations(table, table, resamples=200)
    >>> found.loc[found["capacity"] == 2, "measure"].unique().tolist()
    ['spearman', 'given means', 'given contexts']
    """
    level, resamples, seed = check_resampling(level, resamples, seed)
    capacities, values, s_of_others = arrays_of_both(replicas, VARIABLES, choosing)
    count, of_choosing = values.shape[-1], s_of_others.shape[-1]
    generator = np.random.default_rng(seed)
    found = [_estimates(values[..., None, :], s_of_others[:, None])]
    # [capacities, variables, resamples, replicas] at once.
    batch = max(1, VALUES_AT_ONCE // values[0].size)
    for size in np.diff([*range(0, resamples, batch), resamples]):
        drawn = generator.integers(count, size=(size, count))
        chosen = generator.integers(of_choosing, size=(size, of_choosing))
        found.append(_estimates(values[..., drawn], s_of_others[:, chosen]))
    estimates = np.concatenate(found, axis=-1)
    parts = [*(("at", capacity) for capacity in capacities), (UP_TO, np.nan), (BEYOND, np.nan)]
    rows = pd.DataFrame(itertools.product(TARGETS, MEASURES), columns=["target", "measure"])
    rows = rows.merge(pd.DataFrame(parts, columns=["part", "capacity"]), how="cross")
    low, high = intervals_of_defined(estimates, expanded_level(level, count)).T
    off_modes = np.tile([*off_mode(values[:, 0]), -1, -1], len(TARGETS) * len(MEASURES))
    return rows.assign(
        estimate=estimates[:, 0],
        low=low,
        high=high,
        defined=np.isfinite(estimates[:, 1:]).mean(axis=1),
        replicas=count,
        off_mode=off_modes,
        at_ceiling=(off_modes >= 0) & (off_modes < FEWEST_OFF_MODE),
        first=first_at_2(choosing),
    )


def pooled(replicas: pd.DataFrame, target: str = "held_out_accuracy") -> float:
    """Return Spearman's correlation over replicas of all capacities thrown together.

    Not a result: capacity moves both. It is here to be shown beside those within capacities.

    >>> pooled(pd.DataFrame({"s": [1, 2, 3], "held_out_accuracy": [0.1, 0.2, 0.3]}))
    1.0
    """
    return float(spearmanr(replicas["s"], replicas[target]).statistic)


def across(replicas: pd.DataFrame, target: str = "held_out_accuracy") -> tuple[float, int]:
    """Return Spearman's correlation of the capacities' means, and how many capacities there are.

    Descriptive: a handful of capacities that somebody chose are no sample.

    >>> columns = {"capacity": [1, 1, 2], "s": [1, 2, 3], "held_out_accuracy": [0, 1, 2]}
    >>> table = pd.DataFrame(columns)
    >>> across(table)
    (1.0, 2)
    """
    means = replicas.groupby("capacity")[["s", target]].mean()
    return round(pooled(means, target), 12), len(means)


def arrays(replicas: pd.DataFrame, names: tuple[str, ...]) -> tuple[list, np.ndarray]:
    """Return the capacities, and the columns of these names as [capacities, names, replicas].

    Raises
    ------
    ValueError
        If a capacity lacks replicas that others have.
    """
    wide = replicas.pivot(index="capacity", columns="replica", values=list(names))
    lacks = wide.isna().any(axis=1)
    check(not lacks.any(), f"capacity {lacks.idxmax()} lacks a replica", "the same at all")
    return wide.index.tolist(), wide.to_numpy(float).reshape(len(wide), len(names), -1)


def arrays_of_both(
    replicas: pd.DataFrame, names: tuple[str, ...], choosing: pd.DataFrame
) -> tuple[list, np.ndarray, np.ndarray]:
    """Return what `arrays` does, and S of the replicas that choose [capacities, replicas].

    Raises
    ------
    ValueError
        If they have other capacities.
    """
    capacities, values = arrays(replicas, names)
    others, s_of_others = arrays(choosing, ("s",))
    check(capacities == others, f"capacities are {capacities} and {others}", "the same")
    return capacities, values, s_of_others[:, 0]


def intervals_of_defined(estimates: np.ndarray, level: float) -> np.ndarray:
    """Return the intervals of estimates [rows, 1 + resamples], the sample itself first, [rows, 2].

    They are of the resamples that have a value, and NaN where there is none or the sample has none.
    """
    found = np.full((len(estimates), 2), np.nan)
    for row, interval in zip(estimates, found, strict=True):
        draws = row[1:][np.isfinite(row[1:])]
        if len(draws) and np.isfinite(row[0]):
            interval[:] = percentile_interval(draws, level)
    return found


def _estimates(values: np.ndarray, s_of_others: np.ndarray) -> np.ndarray:
    """Return the estimates of each target, measure and part [rows, resamples].

    Of arrays [capacities, variables, resamples, replicas] and [capacities, resamples, replicas].
    """
    at_2 = s_of_others.mean(-1) >= AT_2
    first = np.where(at_2.any(0), at_2.argmax(0), len(values))
    up_to = np.arange(len(values))[:, None] <= first
    at_ceiling = off_mode(values[:, 0]) < FEWEST_OFF_MODE
    matrices = [_rank_correlations(of_capacity) for of_capacity in values]
    found = []
    for target, given in itertools.product(TARGETS, MEASURES.values()):
        at = np.stack([_partial(matrix, target, given) for matrix in matrices])
        at[at_ceiling] = np.nan
        parts = (np.ma.masked_invalid(np.where(part, at, np.nan)) for part in (up_to, ~up_to))
        found += [*at, *(part.mean(0).filled(np.nan) for part in parts)]
    return np.stack(found)


def off_mode(s: np.ndarray) -> np.ndarray:
    """Return how many of the replicas [..., replicas] differ from the most frequent value."""
    return s.shape[-1] - mode(s.round(DIGITS_OF_SUMS), axis=-1).count


def _rank_correlations(values: np.ndarray) -> np.ndarray:
    """Return the correlations of the ranks of [variables, resamples, replicas], by resample."""
    ranks = rankdata(values, axis=-1)
    ranks -= ranks.mean(-1, keepdims=True)
    spread = np.linalg.norm(ranks, axis=-1, keepdims=True)
    # What never varies correlates with nothing.
    ranks /= np.where(spread > 0, spread, np.inf)
    by_resample = ranks.transpose(1, 0, 2)
    return by_resample @ by_resample.transpose(0, 2, 1)


def _partial(matrices: np.ndarray, target: str, given: tuple[str, ...]) -> np.ndarray:
    """Return the partial correlation of S and the target in each matrix, NaN where undefined."""
    pair = [0, VARIABLES.index(target)]
    held = [VARIABLES.index(name) for name in given]
    left = matrices[:, pair][:, :, pair].copy()
    if held:
        between = matrices[:, pair][:, :, held]
        inverse = np.linalg.pinv(matrices[:, held][:, :, held], rcond=EXPLAINED, hermitian=True)
        left -= between @ inverse @ between.transpose(0, 2, 1)
    variances = left[:, [0, 1], [0, 1]]
    defined = (variances > EXPLAINED).all(-1)
    scale = np.sqrt(np.where(defined, variances.prod(-1), np.nan))
    return (left[:, 0, 1] / scale).clip(-1, 1)
