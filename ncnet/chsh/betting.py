"""Tests and bounds for the mean of a bounded variable by betting: exact at any sample size.

A mixture of constant bets against "the mean is at most m" is an e-value: it exceeds 1/p with
probability at most p if the replicas are independent (Waudby-Smith and Ramdas, arXiv 2010.09686;
mixtures as in arXiv 2207.12382). It holds where the bootstrap does not, near the ceiling at which
almost every replica has the same value and a resample shows no spread, and for skewed variables,
where a t-test does not hold.

Values come with `counts`, how often each is there, or without where each is there once.
"""

import sys

import numpy as np

from ncnet.checks import check_values

BETS = np.linspace(0.01, 1, 100)


def log_evidence(
    values: np.ndarray, mean: float, lowest: float, counts: np.ndarray | None = None
) -> float:
    """Return the log e-value against "the mean is at most `mean`", all values >= `lowest`.

    With y = (x - mean) / (mean - lowest) >= -1, the e-value is half the product of 1 + y over
    replicas, plus half the average over u in {.01, .02, ..., 1} of the product of 1 + u y.

    Examples
    --------
    Where every replica has S = s, the best bet gives ((s + 4) / 6)^R against S <= 2:

    >>> best = 62 * np.log(6.3 / 6)
    >>> bool(best + np.log(0.5) < log_evidence(np.full(62, 2.3), 2.0, -4.0) < best)
    True
    """
    if counts is None:
        values, counts = np.unique(values, return_counts=True)
    gains = np.maximum((values - mean) / (mean - lowest), -1)
    with np.errstate(divide="ignore"):  # a bet of everything may lose everything: log 0
        logs = counts @ np.log1p(np.outer(gains, BETS))
    mixture = np.logaddexp.reduce(logs) - np.log(len(BETS))
    return float(np.logaddexp(logs[-1], mixture) - np.log(2))


def betting_test(
    values: np.ndarray, *, mean: float, lowest: float, counts: np.ndarray | None = None
) -> float:
    """Return the p-value of "the mean is at most `mean`": the inverse of the e-value.

    Assumes independent replicas of one distribution, their number fixed beforehand, and no value
    below `lowest`. Nothing else: not the shape of the distribution, nor that R is large.

    Raises
    ------
    ValueError
        For no values, one that is not finite or below `lowest`, or a mean that is not above it.

    Examples
    --------
    71 replicas of S = 2.3 are just enough for 5 %; 62 are the fewest with which any valid test
    that knows no more than the range of S could do:

    >>> [bool(betting_test(np.full(r, 2.3), mean=2, lowest=-4) <= 0.05) for r in (70, 71)]
    [False, True]
    >>> betting_test(np.full(62, 2.0), mean=2, lowest=-4)
    1.0
    """
    values = np.asarray(values, float)
    check_values("value", values, lowest)
    if not mean > lowest:
        raise ValueError(f"`mean` is {mean}: expected more than the lowest value, {lowest}")
    # Each log(1 + u y) is at most u y: where the average is no higher than the mean, neither is
    # the evidence higher than 1.
    if np.average(values, weights=counts) <= mean:
        return 1.0
    p_value = np.exp(min(0.0, -log_evidence(values, mean, lowest, counts)))
    return max(float(p_value), sys.float_info.min)  # no evidence is endless


def mean_interval(
    values: np.ndarray,
    *,
    lowest: float,
    highest: float,
    level: float,
    counts: np.ndarray | None = None,
) -> tuple[float, float]:
    """Return an interval for the mean of independent values in [`lowest`, `highest`].

    Inverts the two one-sided tests, each at half of 1 - `level`. Never of zero width.

    Examples
    --------
    1,600 replicas that all have S = 2 leave room for a mean a little below and above:

    >>> low, high = mean_interval(np.full(1600, 2.0), lowest=-4, highest=4, level=0.95)
    >>> round(low, 3), round(high, 3)
    (1.984, 2.005)
    """
    values = np.asarray(values, float)
    error = (1 - level) / 2
    below = lower_bound(values, lowest=lowest, error=error, counts=counts)
    above = -lower_bound(-values, lowest=-highest, error=error, counts=counts)
    return below, above


def lower_bound(
    values: np.ndarray, *, lowest: float, error: float, counts: np.ndarray | None = None
) -> float:
    """Return a bound that the mean lies below with probability at most `error`.

    >>> lower_bound(np.full(100, 1.0), lowest=0, error=0.05) < 1
    True
    """
    # Imported where it is used: it takes half a second, and few reports bet.
    from scipy.optimize import brentq

    if counts is None:
        values, counts = np.unique(values, return_counts=True)
    needed = -np.log(error)
    average = np.average(values, weights=counts)
    margin = 1e-9 * max(1.0, abs(lowest))

    def excess(mean: float) -> float:
        return log_evidence(values, mean, lowest, counts) - needed

    if average - lowest <= 2 * margin or excess(lowest + margin) <= 0:
        return float(lowest)
    return float(brentq(excess, lowest + margin, average, xtol=1e-9))
