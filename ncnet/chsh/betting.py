"""Tests and bounds for the mean of a bounded variable by betting: exact at any sample size.

A mixture of constant bets against "the mean is at most m" is an e-value: it exceeds 1/p with
probability at most p if the replicas are independent (Waudby-Smith and Ramdas, arXiv 2010.09686;
mixtures as in arXiv 2207.12382). It holds where the bootstrap does not, near the ceiling at which
almost every replica has the same value and a resample shows no spread, and for skewed variables,
where a t-test does not hold.

The e-value is a martingale in the replicas, whatever their order. So a p-value holds whenever one
looks: replicas may be added, and looked at again, until something is shown or one gives up
(Ville's inequality). Bootstrap intervals may not be extended like that.

`counts` say how often each value is there; without them each is there once.
"""

import math
import sys
from bisect import bisect_left
from collections.abc import Callable

import numpy as np

from ncnet import renamed
from ncnet.checks import check, check_integer, check_number, check_values

BETS = np.linspace(0.01, 1, 100)
MOST_REPLICAS = 10_000_000
FINEST = 1e-9
"""A bound is as near as this to where the bets have just won enough."""
Interval = tuple[float, float]
"""The lower end and the upper end."""


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
    return _mixed(_won(values, mean, lowest, counts))


def betting_test(
    values: np.ndarray, *, mean: float, lowest: float, counts: np.ndarray | None = None
) -> float:
    """Return the p-value of "the mean is at most `mean`": the inverse of the e-value.

    It assumes independent replicas of one distribution, and no value below `lowest`. It assumes
    nothing else: neither the shape of the distribution, nor that R is large, nor that R was fixed
    beforehand. After more replicas the test of all of them is as valid as the first was.

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
    values = check_values("value", values, lowest)
    _check_bounds(mean, lowest)
    # Each log(1 + u y) is at most u y: where the average is no higher than the mean, neither is
    # the evidence higher than 1.
    if np.average(values, weights=counts) <= mean:
        return 1.0
    p_value = np.exp(min(0.0, -log_evidence(values, mean, lowest, counts)))
    return max(float(p_value), sys.float_info.min)  # no evidence is endless


def betting_interval(
    values: np.ndarray, *, bounds: Interval, level: float, counts: np.ndarray | None = None
) -> Interval:
    """Return an interval for the mean of independent values within `bounds`.

    It inverts the two one-sided tests, each at half of 1 - `level`, and never has zero width.

    Examples
    --------
    1,600 replicas that all have S = 2 leave room for a mean a little below and above:

    >>> low, high = betting_interval(np.full(1600, 2.0), bounds=(-4, 4), level=0.95)
    >>> round(low, 3), round(high, 3)
    (1.984, 2.005)
    """
    lowest, highest = bounds
    alpha = (1 - level) / 2
    below = lower_bound(values, lowest=lowest, alpha=alpha, counts=counts)
    above = -lower_bound(-values, lowest=-highest, alpha=alpha, counts=counts)
    return below, above


def lower_bound(
    values: np.ndarray, *, lowest: float, alpha: float, counts: np.ndarray | None = None
) -> float:
    """Return a bound that the mean lies below with probability at most `alpha`.

    >>> lower_bound(np.full(100, 1.0), lowest=0, alpha=0.05) < 1
    True
    """
    needed = -math.log(alpha)
    average = np.average(values, weights=counts)
    margin = FINEST * max(1.0, abs(lowest))

    def surplus(mean: float) -> float:
        return log_evidence(values, mean, lowest, counts) - needed

    if average - lowest <= 2 * margin or surplus(lowest + margin) <= 0:
        return float(lowest)
    refuted, _ = _crossing(surplus, lowest + margin, average)
    return float(refuted)


@renamed.keywords(error="alpha")
def smallest_mean_shown(
    replicas: int, *, mean: float, lowest: float, highest: float, alpha: float
) -> float | None:
    """Return the smallest average of so many replicas that could show a mean above `mean`.

    `betting_test` gives at most `alpha` if all replicas have this value; where they differ, their
    average has to be higher. None if not even replicas that all have `highest` would do.

    Raises
    ------
    ValueError
        For less than one replica, or unless lowest < mean < highest and 0 < alpha < 1.

    Examples
    --------
    32 replicas, a run, could show these S to be above 2, and 1,600 those:

    >>> [round(smallest_mean_shown(r, mean=2, lowest=-4, highest=4, alpha=0.05), 3)
    ...  for r in (32, 1600)]
    [2.679, 2.013]
    >>> smallest_mean_shown(10, mean=2, lowest=-4, highest=4, alpha=0.05) is None
    True
    """
    replicas = check_integer("replicas", replicas, at_least=1)
    _check_bounds(mean, lowest, highest)
    needed = _needed(alpha)

    def lacking(value: float) -> float:
        return needed - log_evidence(np.array([value]), mean, lowest, np.array([replicas]))

    if lacking(highest) > 0:
        return None
    _, smallest = _crossing(lacking, mean, highest)
    return float(smallest)


@renamed.keywords(error="alpha")
def smallest_mean_any_test(replicas: int, *, mean: float, lowest: float, alpha: float) -> float:
    """Return the average below which no test can show a mean above `mean`, by so many replicas.

    It is the limit of all tests that know of the values only that none is below `lowest`, and hold
    for any such distribution. If replicas had this value v or `lowest`, with `mean` as their mean,
    all would have v with probability ((mean - lowest) / (v - lowest))^replicas: as seldom as
    `alpha`, and no less. `betting_test` needs somewhat more: `smallest_mean_shown`.

    Raises
    ------
    ValueError
        As `smallest_mean_shown` does.

    Examples
    --------
    No test of 32 replicas, a run, could do with less than the first S, nor one of 1,600 with less
    than the second:

    >>> [round(smallest_mean_any_test(r, mean=2, lowest=-4, alpha=0.05), 3) for r in (32, 1600)]
    [2.589, 2.011]
    """
    replicas = check_integer("replicas", replicas, at_least=1)
    _check_bounds(mean, lowest)
    return lowest + (mean - lowest) * math.exp(_needed(alpha) / replicas)


@renamed.keywords(error="alpha")
def replicas_needed(
    values: np.ndarray,
    *,
    mean: float,
    lowest: float,
    alpha: float,
    counts: np.ndarray | None = None,
) -> int | None:
    """Return how many replicas distributed like these show that the mean is above `mean`.

    It is the fewest for which `betting_test` gives at most `alpha` if each value is there as often,
    in proportion, as here. It is a plan, not a promise: new replicas are another sample. It is None
    where no bet gains by these values, as where their average is no higher than `mean`, and beyond
    ten million.

    Raises
    ------
    ValueError
        For what `betting_test` refuses, or unless 0 < alpha < 1.

    Examples
    --------
    >>> replicas_needed(np.full(5, 2.3), mean=2, lowest=-4, alpha=0.05)
    71
    >>> replicas_needed(np.array([1.5, 2.0, 2.6]), mean=2, lowest=-4, alpha=0.05)
    1190
    """
    values = check_values("value", values, lowest)
    _check_bounds(mean, lowest)
    needed = _needed(alpha)
    each = _won(values, mean, lowest, counts) / (values.size if counts is None else np.sum(counts))

    def enough(replicas: int) -> bool:
        return _mixed(replicas * each) >= needed

    # The evidence is a convex function of their number, 0 for none: once enough, always enough.
    if not enough(MOST_REPLICAS):
        return None
    return bisect_left(range(MOST_REPLICAS), True, lo=1, key=enough)


def _won(values: np.ndarray, mean: float, lowest: float, counts: np.ndarray | None) -> np.ndarray:
    """Return the logarithm of what each of the bets has made of 1."""
    if counts is None:
        values, counts = np.unique(values, return_counts=True)
    present = np.asarray(counts) > 0  # or else none times the logarithm of 0
    values, counts = np.asarray(values)[present], np.asarray(counts)[present]
    gains = np.maximum((values - mean) / (mean - lowest), -1)
    with np.errstate(divide="ignore"):  # a bet of everything may lose everything: log 0
        return counts @ np.log1p(np.outer(gains, BETS))


def _mixed(won: np.ndarray) -> float:
    """Return the logarithm of the mixture of bets: half on the whole bet, half on all alike."""
    mixture = np.logaddexp.reduce(won) - np.log(len(BETS))
    return float(np.logaddexp(won[-1], mixture) - np.log(2))


def _crossing(falling: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Return the neighbours between which a function falls from above 0 to at most 0.

    They are found by regula falsi in the Illinois variant (Dowell and Jarratt, BIT 11, 168, 1971).
    It is as fast as Brent's method, which would take a third of a second to import.
    """
    above, below = falling(low), falling(high)
    moved = 0
    while high - low > FINEST:
        secant = low + (high - low) * above / (above - below)
        middle = min(max(secant, low + FINEST / 2), high - FINEST / 2)
        value = falling(middle)
        if value > 0:
            low, above = middle, value
            below /= 2 if moved == 1 else 1
            moved = 1
        else:
            high, below = middle, value
            above /= 2 if moved == -1 else 1
            moved = -1
    return low, high


def _needed(alpha: float) -> float:
    """Return the log e-value that rejects with probability at most `alpha`."""
    return -math.log(check_number("alpha", alpha, 0, 1, inside=True))


def _check_bounds(mean: float, lowest: float, highest: float = math.inf) -> None:
    """Raise ``ValueError`` unless a mean lies between the lowest and the highest value."""
    check(mean > lowest, f"`mean` is {mean}", f"more than the lowest value, {lowest}")
    check(mean < highest, f"`mean` is {mean}", f"less than the highest value, {highest}")
