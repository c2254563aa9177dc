"""Percentile bootstrap over replicas, the unit of inference."""

import numpy as np
import pandas as pd

VALUES_AT_ONCE = 2**16
"""As many draws stay in a processor's cache."""
DIGITS = 12
"""Means over items are rounded to as many: equal values summed in another order are then equal."""
DIGITS_OF_SUMS = 9
"""Sums of such means are rounded to as many: three thirds to 12 digits are not 1 to 12 digits."""
LARGEST_NUMBER = 2**63 - 1
CHEAP_DRAW = 12
"""Drawing one replica is so many times as fast as drawing the count of one distinct column."""


def distinct_columns(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct columns of values [rows, replicas] in order, and how often each is there.

    Means over replicas need no more than these. A game on a few items has tens of them, however
    many replicas there are. Equal values that were summed in another order count as equal.

    Examples
    --------
    >>> distinct_columns(np.array([[0.0, 1.0, 0.1 + 0.2], [0.0, 0.0, 2.0]]))[1]
    array([1, 1, 1])
    """
    values = values.round(DIGITS)
    # The columns are numbered, row by row, by hashing: sorting a million would take seconds.
    numbers, size = np.zeros(values.shape[1], np.int64), 1
    for row in values:
        codes, distinct = pd.factorize(row)
        if size * len(distinct) > LARGEST_NUMBER:
            numbers, found = pd.factorize(numbers)
            size = len(found)
        numbers = numbers * len(distinct) + codes
        size *= len(distinct)
    numbers, found = pd.factorize(numbers)
    first_places = np.empty(len(found), np.int64)
    first_places[numbers[::-1]] = np.arange(len(numbers))[::-1]
    columns, counts = values[:, first_places], np.bincount(numbers)
    order = np.lexsort(columns[::-1])
    return columns[:, order], counts[order]


def resampled_means(
    columns: np.ndarray, counts: np.ndarray, *, resamples: int, seed: int
) -> np.ndarray:
    """Return bootstrap means over replicas, drawn jointly for all rows.

    Replicas with the same values in every row are exchangeable, so the number of times each
    distinct column is drawn is multinomial: the ordinary bootstrap at a cost that grows with the
    distinct columns instead of with the replicas. Where most are distinct, replicas are drawn.

    Parameters
    ----------
    columns, counts
        [rows, distinct] and [distinct], as `distinct_columns` returns them.
    resamples, seed
        Number of resamples, and the seed of their draw.

    Returns
    -------
    numpy.ndarray
        [rows, resamples]

    Examples
    --------
    >>> means = resampled_means(np.array([[0.0, 1.0]]), np.array([2, 2]), resamples=1000, seed=0)
    >>> means.shape, round(float(means.mean()), 1)
    ((1, 1000), 0.5)
    """
    replicas = counts.sum()
    generator = np.random.default_rng(seed)
    if len(counts) * CHEAP_DRAW > replicas:
        draw, drawn = _draw_replicas, replicas
    else:
        draw, drawn = _draw_counts, len(counts)
    batch = max(1, VALUES_AT_ONCE // drawn)
    means = [
        draw(generator, counts, size) @ columns.T
        for size in np.diff([*range(0, resamples, batch), resamples])
    ]
    return np.concatenate(means).T / replicas


def _draw_counts(generator: np.random.Generator, counts: np.ndarray, size: int) -> np.ndarray:
    """Return how often each column is drawn, [size, distinct]: cheap where there are few."""
    replicas = counts.sum()
    return generator.multinomial(replicas, counts / replicas, size=size).astype(float)


def _draw_replicas(generator: np.random.Generator, counts: np.ndarray, size: int) -> np.ndarray:
    """Return what `_draw_counts` does, drawn replica by replica: cheap where most are distinct."""
    places = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    drawn = places[generator.integers(len(places), size=(size, len(places)))]
    drawn += np.int32(len(counts)) * np.arange(size, dtype=np.int32)[:, None]
    found = np.bincount(drawn.ravel(), minlength=size * len(counts))
    return found.reshape(size, len(counts)).astype(float)


def drawn_shares(units: int, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Return what share of each resample every unit is [resamples, units].

    >>> drawn_shares(4, 3, np.random.default_rng(0)).sum(axis=1)
    array([1., 1., 1.])
    """
    return _draw_counts(generator, np.ones(units, int), resamples) / units


def spearman(one: np.ndarray, other: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return Spearman's correlations along an axis, NaN where all values are the same.

    `scipy.stats.spearmanr` gives one pair's; this gives those of many at once, of all resamples.

    Examples
    --------
    >>> spearman(np.array([[1, 2, 3], [1, 1, 1]]), np.array([[1, 3, 2], [1, 2, 3]]))
    array([0.5, nan])
    """
    # Imported where it is used: it takes a second.
    from scipy.stats import rankdata

    ranks = (rankdata(values, axis=axis) for values in (one, other))
    x, y = (rank - rank.mean(axis=axis, keepdims=True) for rank in ranks)
    spread = np.sqrt((x**2).sum(axis=axis) * (y**2).sum(axis=axis))
    return (x * y).sum(axis=axis) / np.where(spread > 0, spread, np.nan)


def percentile_interval(
    distribution: np.ndarray, level: float, replicas: int | None = None
) -> np.ndarray:
    """Return the central interval of a bootstrap distribution [..., resamples] as [..., 2].

    Where `replicas` says how many were resampled, its level is their `expanded_level`.

    >>> percentile_interval(np.arange(101.0), 0.9)
    array([ 5., 95.])
    """
    tail = (1 - (expanded_level(level, replicas) if replicas else level)) / 2
    return np.moveaxis(np.quantile(distribution, [tail, 1 - tail], axis=-1), 0, -1)


def expanded_level(level: float, replicas: int) -> float:
    """Return the level to take percentiles at so that they are not too short at few replicas.

    A resample of R replicas spreads by a factor of sqrt(1 - 1 / R) too little, and its percentiles
    are the normal distribution's where Student's are due. Each tail is therefore
    ``Phi(-sqrt(R / (R - 1)) t)`` instead of ``(1 - level) / 2``, with t Student's quantile of that
    tail at R - 1 degrees of freedom: right for values of a normal distribution (the expanded
    percentile interval of Hesterberg, The American Statistician 69, 371, 2015, arXiv 1411.5279).

    Examples
    --------
    >>> [round(expanded_level(0.95, replicas), 4) for replicas in (32, 200, 1600)]
    [0.9617, 0.9519, 0.9502]
    """
    # Imported where it is used: it takes a quarter of a second.
    from scipy.special import ndtr, stdtrit

    student = stdtrit(replicas - 1, (1 + level) / 2)
    return float(1 - 2 * ndtr(-student * np.sqrt(replicas / (replicas - 1))))
