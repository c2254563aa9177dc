"""Tests of S beside the one by betting, and the correction for many of them."""

import math
import sys
from dataclasses import dataclass

import numpy as np

from ncnet.checks import check_number, check_values
from ncnet.chsh.bootstrap import DIGITS_OF_SUMS
from ncnet.chsh.correlators import SIGNS
from ncnet.chsh.counts import OUTCOMES, read_counts

CLASSICAL_WINS = 3 / 4
UNEQUAL = 0.01
"""Contexts count as not equally likely where the test of it gives less."""


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
    values = np.asarray(values, float)
    check_values("value", values, -math.inf)
    counts = np.ones(values.size, int) if counts is None else np.asarray(counts)
    more = values.round(DIGITS_OF_SUMS) > above
    return _binomial_tail(counts[more].sum(), counts.sum(), 1 / 2)


@dataclass(frozen=True)
class GameTest:
    """How often a game was won, and how likely that is without influence.

    Attributes
    ----------
    p_value
        Of "parties without influence win at most `bound` of the trials".
    bound
        3/4 where the four contexts may be equally likely, else an estimate of it: the share of the
        trials that were not in the rarest context.
    wins, trials
        Trials won, and all of them.
    contexts_p_value
        Of "the four contexts are equally likely".
    p_value_any_contexts
        Of "no influence", however likely the four contexts are. It is `p_value` where they are
        not equally likely, and else at least as large.
    """

    p_value: float
    bound: float
    wins: int
    trials: int
    contexts_p_value: float
    p_value_any_contexts: float

    @property
    def equal_contexts(self) -> bool:
        """Whether `p_value` takes the contexts to be equally likely."""
        return self.contexts_p_value >= UNEQUAL


def game_test(counts: np.ndarray) -> GameTest:
    """Return the p-value of "the parties have no influence" from the trials that they won.

    A trial is won where the product of both outcomes has the sign of its context in S. If each
    context has the same chance, parties without influence win at most 3/4 of the trials, and the
    p-value is the tail of Binomial(trials, 3/4). It holds even if trials remember each other
    (Elkouss and Wehner, npj Quantum Information 2, 16026, arXiv 1510.07233; Bierhorst, arXiv
    1312.2999), on three conditions: each trial's context is drawn anew, whatever went before;
    within a trial neither party learns of the other's setting; and the number of trials was fixed
    beforehand.

    If contexts differ in their chances, parties who know of it do better: they lose in the rarest
    one alone. Where a chi-squared test of equal chances gives less than 1 %, the bound is therefore
    what the rarest context leaves. Of the trials in the context with the smallest chance, less the
    trials lost, each trial adds 1 with a chance of at most 1/4 and takes 1 away with no smaller
    one. Whatever the strategy, the sum gets to d no more often than a walk whose steps are -1, 0,
    0, +1 with equal chance; and the context that turned out rarest has no more trials. So this
    p-value holds for any chances of the contexts that stay the same from trial to trial.

    Counts can refute that contexts are equally likely, but not establish it: that has to follow
    from how settings are drawn. Parties who know of a bias too small for the chi-squared test make
    the first p-value at most 5 % in about half of the experiments. `p_value_any_contexts` does not
    depend on it, and needs more trials.

    A replica that is trained in all four contexts from the same weights is no such trial: use
    `report` there.

    Parameters
    ----------
    counts
        [2, 2, 2, 2]: Alice's setting, Bob's setting, a, b; outcomes in the order +1, -1.

    Raises
    ------
    ValueError
        For another shape, a count that is no whole number of at least 0, or a context without
        trials.

    Examples
    --------
    The loophole-free experiment of Hensen et al. (Nature 526, 682, 2015):

    >>> rows = [[23, 3, 4, 23], [33, 11, 5, 30], [22, 10, 6, 24], [4, 20, 21, 6]]
    >>> test = game_test(np.reshape(rows, (2, 2, 2, 2)))
    >>> test.wins, test.trials, round(test.p_value, 3), test.bound
    (196, 245, 0.039, 0.75)
    """
    from scipy.special import chdtrc

    counts = read_counts(counts, whole=True)
    by_context = counts.sum(axis=(2, 3))
    trials, rarest = by_context.sum(), by_context.min()
    won = np.einsum("ij,a,b->ijab", SIGNS.values, OUTCOMES, OUTCOMES) > 0
    wins = counts[won].sum()
    expected = trials / 4
    contexts = float(chdtrc(3, ((by_context - expected) ** 2 / expected).sum()))
    any_contexts = _reaches(rarest - (trials - wins), trials)
    equal = contexts >= UNEQUAL
    return GameTest(
        p_value=_binomial_tail(wins, trials, CLASSICAL_WINS) if equal else any_contexts,
        bound=CLASSICAL_WINS if equal else float(1 - rarest / trials),
        wins=int(wins),
        trials=int(trials),
        contexts_p_value=max(contexts, sys.float_info.min),
        p_value_any_contexts=any_contexts,
    )


def _reaches(height: float, steps: float) -> float:
    """Return how likely a walk of steps -1, 0, 0, +1 ever reaches a height.

    Twice as many half steps are binomial, and by reflection half of the walks that come so far end
    below.
    """
    if height <= 0:
        return 1.0
    ends = [_binomial_tail(steps + height + more, 2 * steps, 1 / 2) for more in (0, 1)]
    return min(1.0, sum(ends))


def _binomial_tail(successes: float, trials: float, chance: float) -> float:
    """Return P(Binomial(trials, chance) >= successes), never just 0."""
    from scipy.special import betainc

    if successes <= 0:
        return 1.0
    if successes > trials:
        return sys.float_info.min
    return max(float(betainc(successes, trials - successes + 1, chance)), sys.float_info.min)


def error_of(level: float) -> float:
    """Return the largest p-value that rejects at a level."""
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
