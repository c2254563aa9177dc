"""Tests beside those by betting, and the correction for several of them."""

import math
import sys

import numpy as np

from ncnet.checks import check_number, check_values
from ncnet.chsh.bootstrap import DIGITS_OF_SUMS


def hoeffding_test(values: np.ndarray, *, mean: float, lowest: float, highest: float) -> float:
    """Return Hoeffding's p-value of "the mean is at most `mean`", for comparison.

    ``exp(-2 R (average - mean)^2 / (highest - lowest)^2)``; for S against 2 that is
    ``exp(-R (S - 2)^2 / 32)``. Valid for independent replicas of any number, and far from sharp:
    it uses nothing of how little S varies (Hoeffding, JASA 58, 13, 1963).

    Raises
    ------
    ValueError
        For no values, or one outside `lowest` to `highest`.

    Examples
    --------
    >>> round(hoeffding_test(np.full(62, 2.3), mean=2, lowest=-4, highest=4), 2)
    0.84
    """
    values = check_values("value", values, lowest, highest)
    above = max(0.0, values.mean() - mean)
    return math.exp(-2 * values.size * (above / (highest - lowest)) ** 2)


def sign_test(values: np.ndarray, *, above: float, counts: np.ndarray | None = None) -> float:
    """Return the exact p-value of "at most half of the replicas are above `above`".

    The tail of Binomial(R, 1/2); a replica that is just at `above` counts as one that is not. It
    is about the median over initialisations, with the items given, and says nothing of the mean,
    which few replicas far below may hold down. With a dozen replicas it is the test that can
    show something: `betting_test` has to allow for rare values that none of them has. Unlike it,
    this test takes a number of replicas that was fixed beforehand.

    Parameters
    ----------
    values
        One value a replica [replicas]; equal up to the rounding of its sums is equal.
    above
        What they are compared with.
    counts
        How often each value is there; once each by default.

    Raises
    ------
    ValueError
        For no values, or one that is not finite.

    Examples
    --------
    13 of 16 replicas:

    >>> round(sign_test([2.1] * 13 + [1.9] * 3, above=2), 4)
    0.0106
    """
    values = check_values("value", values, -math.inf)
    counts = np.ones(values.size, int) if counts is None else np.asarray(counts)
    more = values.round(DIGITS_OF_SUMS) > above
    return binomial_tail(counts[more].sum(), counts.sum(), 1 / 2)


def binomial_tail(successes: float, trials: float, chance: float) -> float:
    """Return P(Binomial(trials, chance) >= successes), never just 0.

    >>> binomial_tail(1, 2, 0.5)
    0.75
    """
    from scipy.special import betainc

    if successes <= 0:
        return 1.0
    if successes > trials:
        return sys.float_info.min
    return max(float(betainc(successes, trials - successes + 1, chance)), sys.float_info.min)


def alpha_of(level: float) -> float:
    """Return alpha, the largest p-value that rejects, at a level of confidence."""
    return round(1 - level, 12)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for their number, in the order given.

    Those at most alpha may be called significant together, with a chance of at most alpha that
    any is so wrongly, whatever the dependence between the tests (Holm, Scandinavian Journal of
    Statistics 6, 65, 1979).

    Raises
    ------
    ValueError
        For values outside 0 to 1.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03, 0.5])
    array([0.04, 0.09, 0.09, 0.5 ])
    """
    values = np.asarray(p_values, float)
    for value in values.flat:
        check_number("p_value", value, 0, 1)
    order = np.argsort(values, axis=None)
    adjusted = np.empty(values.size)
    steps = values.flat[order] * np.arange(values.size, 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(steps))
    return adjusted.reshape(values.shape)
