"""Intervals of means over replicas: by bootstrap, or by betting where resamples show no spread."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from ncnet.checks import check, check_integer, check_number, check_values
from ncnet.chsh.betting import Interval, betting_interval
from ncnet.chsh.bootstrap import (
    DIGITS_OF_SUMS,
    distinct_columns,
    percentile_interval,
    resampled_means,
)

FEWEST_OFF_MODE = 10
"""With fewer replicas off the most frequent value, a bootstrap interval is far too short."""
FEWEST_BEYOND = 5
"""The narrowest nominal tail has to hold as many resamples: a bound beyond them would be chance."""
S_BOUNDS = (-4.0, 4.0)


def s_interval(
    values: np.ndarray, *, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> tuple[Interval, str]:
    """Return the interval of the mean of S over initialisations, and how it was made.

    It is what `report` says of S, for tables of many S.

    Parameters
    ----------
    values
        S of every replica [replicas], as `s_per_replica` gives it.
    level
        Nominal coverage.
    resamples, seed
        Number of bootstrap resamples, and the seed of their draw.

    Raises
    ------
    ValueError
        For no values, one outside -4 to 4, a level outside 0 to 1, or fewer resamples than the
        level needs.

    Examples
    --------
    >>> values = np.random.default_rng(0).choice([1.5, 2.0, 3.0], size=400)
    >>> (low, high), method = s_interval(values)
    >>> bool(low < values.mean() < high), method
    (True, 'percentile bootstrap')
    >>> s_interval(np.full(400, 2.0))[1]
    'betting'
    """
    return replica_interval(
        values, bounds=S_BOUNDS, name="S of replica", level=level, resamples=resamples, seed=seed
    )


def replica_interval(
    values: np.ndarray,
    *,
    bounds: Interval,
    name: str = "value of replica",
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> tuple[Interval, str]:
    """Return the interval of the mean over initialisations of any bounded value a replica has.

    Parameters
    ----------
    values
        One value a replica [replicas], such as the change of its S under an intervention.
    bounds
        The lowest and the highest value there can be.
    name
        What the values are, for messages.
    level, resamples, seed
        See `s_interval`.

    Returns
    -------
    tuple
        The interval, and how it was made: "percentile bootstrap" or "betting".

    Raises
    ------
    ValueError
        For no values, one outside the bounds, or what `s_interval` refuses.

    Examples
    --------
    >>> changes = np.random.default_rng(0).choice([-0.5, 0.0, 0.25], size=400)
    >>> (low, high), method = replica_interval(changes, bounds=(-8, 8))
    >>> bool(low < changes.mean() < high), method
    (True, 'percentile bootstrap')
    """
    level, resamples, seed = check_resampling(level, resamples, seed)
    values = check_values(name, values, *bounds)
    columns, counts = distinct_columns(values[None])
    draws = resampled_means(columns, counts, resamples=resamples, seed=seed)
    return interval_of_mean(columns[0], draws[0], counts=counts, bounds=bounds, level=level)


def interval_of_mean(
    values: np.ndarray, draws: np.ndarray, *, counts: np.ndarray, bounds: Interval, level: float
) -> tuple[Interval, str]:
    """Return the interval for values within `bounds` that have bootstrap means `draws`.

    It is made of percentiles of the draws at `expanded_level`, or of bets near the ceiling. The
    second value says how, as `replica_interval` does.
    """
    if off_mode(values, counts) < FEWEST_OFF_MODE:
        return betting_interval(values, bounds=bounds, level=level, counts=counts), "betting"
    low, high = percentile_interval(draws, level, counts.sum()).tolist()
    return (low, high), "percentile bootstrap"


def share_interval(
    successes: np.ndarray | int, trials: np.ndarray | int, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends of the exact binomial interval of a share (Clopper and Pearson, 1934).

    >>> low, high = share_interval(np.array([0, 5]), 10, 0.95)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 0.187], [0.308, 0.813])
    """
    # Imported where it is used: it takes a quarter of a second.
    from scipy.special import betaincinv

    successes, trials, alpha = np.asarray(successes), np.asarray(trials), (1 - level) / 2
    # Where all failed, or none did, the end is exact and the formula has no value.
    low = betaincinv(np.maximum(successes, 1), trials - successes + 1, alpha)
    high = betaincinv(successes + 1, np.maximum(trials - successes, 1), 1 - alpha)
    return np.where(successes > 0, low, 0.0), np.where(successes < trials, high, 1.0)


def check_resampling(
    level: float, resamples: int, seed: int, *, parts: int = 1
) -> tuple[float, int, int]:
    """Return level, resamples and seed as numbers of Python.

    Parameters
    ----------
    level, resamples, seed
        See `s_interval`.
    parts
        How many intervals are put together; each has an equal share of alpha.

    Raises
    ------
    ValueError
        For a level outside 0 to 1, or fewer resamples than it needs.

    Examples
    --------
    >>> check_resampling(0.95, 100, 0)
    Traceback (most recent call last):
    ValueError: `resamples` is 100: expected at least 200 at level 0.95
    """
    level = check_number("level", level, 0, 1, inside=True)
    resamples = check_integer("resamples", resamples, at_least=1)
    fewest = fewest_resamples(level, parts=parts)
    expected = f"at least {fewest:,} at level {level:g}"
    check(resamples >= fewest, f"`resamples` is {resamples}", expected)
    return level, resamples, check_integer("seed", seed, at_least=0)


def fewest_resamples(level: float, *, parts: int) -> int:
    """Return how many resamples a level needs at least; see `check_resampling`.

    >>> fewest_resamples(0.998, parts=4)
    20000
    """
    return math.ceil(FEWEST_BEYOND * 2 * parts / (1 - level) - 1e-6)


def off_mode(values: np.ndarray, counts: np.ndarray) -> int:
    """Return how many replicas differ from the most frequent value.

    >>> off_mode(np.array([1.0, 2.0, 1.0]), np.array([3, 1, 4]))
    1
    """
    _, place = np.unique(values.round(DIGITS_OF_SUMS), return_inverse=True)
    return int(counts.sum() - np.bincount(place, weights=counts).max())


def with_ends(name: str, value: float, interval: Interval) -> dict[str, float]:
    """Return a value and the ends of its interval, as a row has them.

    >>> with_ends("s", 2.0, (1.9, 2.1))
    {'s': 2.0, 's_low': 1.9, 's_high': 2.1}
    """
    low, high = interval
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def means_with_ends(
    values: Mapping[str, ArrayLike], bounds: Mapping[str, Interval], **options: float
) -> dict[str, float]:
    """Return means of bounded values over replicas, each with the ends of its interval.

    Parameters
    ----------
    values
        By name, one a replica [replicas].
    bounds
        The lowest and the highest value there can be, by the names that are asked for.
    options
        See `replica_interval`.

    Examples
    --------
    >>> means_with_ends({"share": np.ones(400)}, {"share": (0, 1)})["share_high"]
    1.0
    """
    found = {}
    for name, within in bounds.items():
        each = np.asarray(values[name], float)
        interval, _ = replica_interval(each, bounds=within, **options)
        found |= with_ends(name, float(each.mean()), interval)
    return found
