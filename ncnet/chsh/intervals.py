"""The interval of a mean over replicas: bootstrap, or betting where a resample shows no spread."""

import numpy as np

from ncnet.chsh.betting import mean_interval
from ncnet.chsh.bootstrap import distinct_columns, percentile_interval, resampled_means

FEWEST_OFF_MODE = 10
"""Below as many replicas off the most frequent value a bootstrap interval is far too short."""
S_BOUNDS = (-4.0, 4.0)


def s_interval(
    values: np.ndarray, *, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> tuple[tuple[float, float], str]:
    """Return the interval of the mean of S over initialisations, and how it was made.

    The part of `report` that concerns S alone, for tables of many S.

    Parameters
    ----------
    values
        S of every replica [replicas], as `s_per_replica` gives it.
    level
        Nominal coverage.
    resamples, seed
        Number of bootstrap resamples, and the seed of their draw.

    Examples
    --------
    >>> values = np.random.default_rng(0).choice([1.5, 2.0, 3.0], size=400)
    >>> (low, high), method = s_interval(values)
    >>> bool(low < values.mean() < high), method
    (True, 'percentile bootstrap')
    >>> s_interval(np.full(400, 2.0))[1]
    'betting'
    """
    columns, counts = distinct_columns(np.asarray(values, float)[None])
    draws = resampled_means(columns, counts, resamples=resamples, seed=seed)
    return interval_of_mean(columns[0], counts, draws[0], S_BOUNDS, level)


def interval_of_mean(
    values: np.ndarray,
    counts: np.ndarray,
    draws: np.ndarray,
    bounds: tuple[float, float],
    level: float,
) -> tuple[tuple[float, float], str]:
    """Return the interval for values within `bounds` that have bootstrap means `draws`."""
    if off_mode(values, counts) < FEWEST_OFF_MODE:
        lowest, highest = bounds
        interval = mean_interval(values, lowest=lowest, highest=highest, level=level, counts=counts)
        return interval, "betting"
    low, high = percentile_interval(draws, level).tolist()
    return (low, high), "percentile bootstrap"


def off_mode(values: np.ndarray, counts: np.ndarray) -> int:
    """Return how many replicas differ from the most frequent value.

    >>> off_mode(np.array([1.0, 2.0, 1.0]), np.array([3, 1, 4]))
    1
    """
    _, place = np.unique(values.round(12), return_inverse=True)
    return int(counts.sum() - np.bincount(place, weights=counts).max())
