"""Estimates with intervals, and what they say of a smallest effect: yes, no, or nothing yet.

A rule compares a mean over replicas with the smallest effect that would matter, which was fixed
before. The mean is *beyond* it where the whole interval lies beyond, *not* where the whole interval
falls short of it, and open otherwise. Intervals here are exact at any number of replicas: at each
end a one-sided test rejects, at half of 1 - level, whatever is further out. Where many replicas
were trained the test bets (`ncnet.chsh.betting`). A dozen replicas are too few to bet with; there
the sign test speaks, which is about the median, and an interval of the mean that resamples has to
agree with it (`hull`).

Three answers follow Kleene's logic: all of several hold where each does, and one that does not is
enough against it, whatever is open.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ncnet.checks import check_number, check_values
from ncnet.chsh.betting import Interval, betting_interval
from ncnet.chsh.bootstrap import DIGITS_OF_SUMS
from ncnet.chsh.intervals import S_BOUNDS, with_ends
from ncnet.chsh.significance import binomial_tail
from ncnet.chsh.text import interval_text, number_text

Answer = bool | None
"""A rule holds, does not, or is left open (None)."""
WORDS = {True: "holds", False: "does not hold", None: "open"}
"""The answers in words."""
DIFFERENCE_BOUNDS = (S_BOUNDS[0] - S_BOUNDS[1], S_BOUNDS[1] - S_BOUNDS[0])
"""The bounds of a difference of two S."""


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes
    ----------
    value, low, high
        The number, and the ends of the interval that decides.

    Examples
    --------
    >>> gain = Estimate(0.3, 0.1, 0.5)
    >>> gain.beyond(0.05), gain.beyond(0.6), gain.beyond(0.2)
    (True, False, None)
    >>> print(gain)
    0.30 [0.10, 0.50]
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "not defined"
        digits = 2 if self.high - self.low > 0.01 else 3
        return f"{number_text(self.value, digits)} {interval_text((self.low, self.high), digits)}"

    def __neg__(self) -> "Estimate":
        return Estimate(-self.value, -self.high, -self.low)

    def __sub__(self, constant: float) -> "Estimate":
        return Estimate(self.value - constant, self.low - constant, self.high - constant)

    def __mul__(self, factor: float) -> "Estimate":
        return Estimate(self.value * factor, self.low * factor, self.high * factor)

    def beyond(self, effect: float) -> Answer:
        """Return whether it is more than `effect`, by the whole interval."""
        if self.low > effect:
            return True
        return False if self.high < effect else None

    def within(self, effect: float) -> Answer:
        """Return whether it is nearer to 0 than `effect`, by the whole interval.

        >>> Estimate(0.0, -0.01, 0.02).within(0.05), Estimate(0.2, 0.1, 0.3).within(0.05)
        (True, False)
        """
        return all_of(self.beyond(-effect), (-self).beyond(-effect))

    def apart(self, effect: float) -> Answer:
        """Return whether it is further from 0 than `effect`, to whichever side.

        >>> Estimate(-0.2, -0.3, -0.1).apart(0.05), Estimate(0.0, -0.01, 0.02).apart(0.05)
        (True, False)
        """
        return any_of(self.beyond(effect), (-self).beyond(effect))


UNKNOWN = Estimate(math.nan, math.nan, math.nan)
"""What there is nothing to estimate from. Every rule leaves it open."""


def all_of(*answers: Answer) -> Answer:
    """Return whether all hold: False where one does not, else None where one is open.

    >>> all_of(True, True), all_of(True, None), all_of(None, False)
    (True, None, False)
    """
    if False in answers:
        return False
    return None if None in answers else True


def any_of(*answers: Answer) -> Answer:
    """Return whether one of them holds: True where one does, else None where one is open.

    >>> any_of(False, True), any_of(False, None), any_of(False, False)
    (True, None, False)
    """
    if True in answers:
        return True
    return None if None in answers else False


def largest(estimates: Sequence[Estimate]) -> Estimate:
    """Return the largest of several, whose intervals hold together.

    Each end is the largest of the ends, since the largest is at least as large as any of them.

    >>> largest([Estimate(1.0, 0.5, 1.5), Estimate(1.2, 0.2, 2.2)])
    Estimate(value=1.2, low=0.5, high=2.2)
    """
    return Estimate(
        *(max(getattr(one, name) for one in estimates) for name in Estimate.__match_args__)
    )


def smallest(estimates: Sequence[Estimate]) -> Estimate:
    """Return the smallest of several, whose intervals hold together.

    >>> smallest([Estimate(1.0, 0.5, 1.5), Estimate(1.2, 0.2, 2.2)])
    Estimate(value=1.0, low=0.2, high=1.5)
    """
    return -largest([-one for one in estimates])


def returns_to_0(estimates: Sequence[Estimate], effect: float) -> Answer:
    """Return whether one passes an effect and the last is nearer to 0 than that.

    It is the one rule for what tends to 2 as a capacity grows, of hidden units and of ranks.

    Parameters
    ----------
    estimates
        S - 2 in the order of capacity, with intervals that hold together.
    effect
        The smallest effect.

    Examples
    --------
    >>> passes, stays = Estimate(0.3, 0.2, 0.4), Estimate(0.0, -0.01, 0.01)
    >>> returns_to_0([passes, stays], 0.05), returns_to_0([stays, passes], 0.05)
    (True, False)
    """
    *before, last = estimates
    return all_of(largest(before).beyond(effect) if before else False, last.within(effect))


def mean_of_replicas(values: np.ndarray, *, bounds: Interval, level: float) -> Estimate:
    """Return the mean over initialisations, with its interval by betting.

    Parameters
    ----------
    values
        One bounded value a replica [replicas], such as its S, or how much more S it has under one
        condition than under another.
    bounds
        The lowest and the highest value there can be.
    level
        Coverage, exact at any number of independent replicas.

    Raises
    ------
    ValueError
        For no values, or one outside the bounds.

    Examples
    --------
    >>> estimate = mean_of_replicas(np.full(1600, 2.0), bounds=(-4, 4), level=0.95)
    >>> print(estimate)
    2.00 [1.98, 2.01]
    """
    values = check_values("value of replica", values, *bounds).round(DIGITS_OF_SUMS)
    low, high = betting_interval(values, bounds=bounds, level=level)
    return Estimate(float(values.mean()), low, high)


def median_interval(values: np.ndarray, *, level: float) -> Interval:
    """Return the interval for the median over initialisations that inverts the sign test.

    Its ends are values of the sample, as far out as Binomial(R, 1/2) asks for; where so few
    replicas show nothing at this level, it is endless.

    Raises
    ------
    ValueError
        For no values, or a level outside 0 to 1.

    Examples
    --------
    Of 16 replicas, the fourth value from either end:

    >>> median_interval(np.arange(16.0), level=0.95)
    (3.0, 12.0)
    >>> median_interval(np.arange(4.0), level=0.95)
    (-inf, inf)
    """
    values = np.sort(check_values("value of replica", values, -math.inf))
    tail = (1 - check_number("level", level, 0, 1, inside=True)) / 2
    replicas = values.size
    # With k replicas outside an end, as many or fewer lie there by chance seldom enough.
    outside = [
        k for k in range(replicas // 2) if binomial_tail(replicas - k, replicas, 0.5) <= tail
    ]
    if not outside:
        return -math.inf, math.inf
    return float(values[outside[-1]]), float(values[-1 - outside[-1]])


def hull(*intervals: Interval) -> Interval:
    """Return the interval from the lowest of the lower ends to the highest of the upper ones.

    >>> hull((0.0, 2.0), (1.0, 3.0))
    (0.0, 3.0)
    """
    lows, highs = zip(*intervals, strict=True)
    return float(min(lows)), float(max(highs))


def columns_of(name: str, estimate: Estimate) -> dict[str, float]:
    """Return an estimate as the columns of a row: `name`, and the ends of its interval.

    >>> columns_of("lead", Estimate(0.25, 0.2, 0.3))
    {'lead': 0.25, 'lead_low': 0.2, 'lead_high': 0.3}
    """
    return with_ends(name, estimate.value, (estimate.low, estimate.high))


def estimates_in(rows: Iterable, name: str) -> list[Estimate]:
    """Return the estimates that a table has in the columns of `columns_of`, row by row.

    >>> import pandas as pd
    >>> estimates_in(pd.DataFrame([columns_of("s", Estimate(2.0, 1.9, 2.1))]), "s")
    [Estimate(value=2.0, low=1.9, high=2.1)]
    """
    columns = (rows[f"{name}{end}"] for end in ("", "_low", "_high"))
    return [Estimate(*map(float, ends)) for ends in zip(*columns, strict=True)]
