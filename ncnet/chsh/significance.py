"""Tests of S beside the one by betting, and the correction for many of them."""

import math

import numpy as np

from ncnet.checks import check_integer, check_values

CLASSICAL_WINS = 3 / 4


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
    values = np.asarray(values, float)
    check_values("value", values, lowest, highest)
    excess = max(0.0, values.mean() - mean)
    return math.exp(-2 * values.size * (excess / (highest - lowest)) ** 2)


def game_test(wins: int, trials: int) -> float:
    """Return the p-value of "parties without influence win at most 3/4 of the trials".

    The tail P(Binomial(`trials`, 3/4) >= `wins`). A trial is won where the product of both
    outcomes has the sign of its context in S; winning with probability p is S = 8 p - 4.
    It holds even if trials remember each other (Elkouss and Wehner, npj Quantum Information 2,
    16026, arXiv 1510.07233; Bierhorst, arXiv 1312.2999), on three conditions: each trial's context
    is drawn anew, all four with the same chance, whatever went before; within a trial neither party
    learns of the other's setting; and the number of trials was fixed beforehand. A replica that is
    trained in all four contexts from the same weights is no such trial: use `report` there.

    Raises
    ------
    ValueError
        For counts below 0, or more wins than trials.

    Examples
    --------
    The loophole-free experiment of Hensen et al. (Nature 526, 682, 2015) won 196 of 245:

    >>> round(game_test(196, 245), 3)
    0.039
    """
    from scipy.stats import binom

    check_integer("trials", trials, at_least=1)
    check_integer("wins", wins, at_least=0, at_most=trials)
    return float(binom.sf(wins - 1, trials, CLASSICAL_WINS))


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
    wrong = ~((values >= 0) & (values <= 1))  # NaN too
    if wrong.any():
        raise ValueError(f"a p-value is {values[wrong].flat[0]}: expected 0 to 1")
    order = np.argsort(values, axis=None)
    adjusted = np.empty(values.size)
    steps = values.flat[order] * np.arange(values.size, 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(steps))
    return adjusted.reshape(values.shape)
