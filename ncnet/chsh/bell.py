"""Bell tests that are published as counts: S, signalling, and the game that S is.

Each trial has one context there, so that there are no replicas which `ncnet.chsh.report` could
resample.
"""

import math
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import renamed
from ncnet.checks import check, check_number
from ncnet.chsh.betting import Interval
from ncnet.chsh.correlators import ALGEBRAIC_BOUND, CLASSICAL_BOUND, OUTCOMES, SIGNS
from ncnet.chsh.excess import CHANGE_SIGNS
from ncnet.chsh.intervals import S_BOUNDS
from ncnet.chsh.linear_programs import local_fraction
from ncnet.chsh.outcomes import CONTEXTS, SETTINGS, as_array
from ncnet.chsh.signalling import CHANGE_BOUNDS, TASKS, delta_interval
from ncnet.chsh.significance import alpha_of, binomial_tail, holm
from ncnet.chsh.text import aligned, interval_name, number_text, p_value_text, table_of_text

CLASSICAL_WINS = 3 / 4
UNEQUAL = 0.01
"""Contexts count as not equally likely where a chi-squared test of it gives less."""


def from_counts(counts: np.ndarray) -> xr.Dataset:
    """Return correlators and marginals of a Bell test that is published as counts.

    `bell_test` has all in one call, with intervals. Of single statistics, `delta`,
    `marginal_changes`, `excess`, `excess_bound`, `decomposition`, `local_fraction` and
    `coupling_deficit` take what this returns; `s_value`, `s_odd`, `facets` and `arcsine_excess`
    take its `correlator`.

    Parameters
    ----------
    counts
        [2, 2, 2, 2]: Alice's setting, Bob's setting, a, b; outcomes in the order +1, -1.

    Returns
    -------
    xarray.Dataset
        `correlator`, `alice`, `bob`, means in each context, and `trials`, their number.

    Raises
    ------
    ValueError
        For another shape, a count that is negative or no number, or a context without trials.

    Examples
    --------
    >>> means = from_counts(np.full((2, 2, 2, 2), 25))
    >>> float(means.correlator[0, 0]), int(means.trials.sum())
    (0.0, 400)
    """
    counts = read_counts(counts)
    trials = counts.sum(axis=(2, 3))
    means = {
        "correlator": np.einsum("ijab,a,b->ij", counts, OUTCOMES, OUTCOMES) / trials,
        "alice": np.einsum("ijab,a->ij", counts, OUTCOMES) / trials,
        "bob": np.einsum("ijab,b->ij", counts, OUTCOMES) / trials,
        "trials": trials,
    }
    return xr.Dataset({name: (tuple(SETTINGS), value) for name, value in means.items()}, SETTINGS)


def read_counts(counts: np.ndarray, *, whole: bool = False) -> np.ndarray:
    """Return counts [2, 2, 2, 2] of any type of number as floats, or raise ``ValueError``.

    >>> read_counts(np.full((2, 2, 2, 2), 0.5), whole=True)
    Traceback (most recent call last):
    ValueError: `count` is 0.5: expected a whole number
    """
    counts = as_array(counts)
    expected = "an array (2, 2, 2, 2) of Alice's setting, Bob's setting, a, b"
    check(counts.shape == (2, 2, 2, 2), f"counts have shape {counts.shape}", expected)
    for count in counts.ravel().tolist():
        check_number("count", count, 0)
        check(not whole or count % 1 == 0, f"`count` is {count}", "a whole number")
    counts = counts.astype(float)
    for (i, j), trials in np.ndenumerate(counts.sum(axis=(2, 3))):
        check(trials, f"context ({i + 1},{j + 1}) has no trials", "some in each context")
    return counts


@dataclass(frozen=True)
class GameTest:
    """The result of a game: how often it was won, and how likely that is without influence.

    Attributes
    ----------
    p_value
        The p-value of "parties without influence win at most `bound` of the trials".
    bound
        3/4 where the four contexts may be equally likely, else an estimate: the share of the trials
        that were not in the rarest context.
    wins, trials
        The number of trials won, and of all trials.
    contexts_p_value
        The p-value of "the four contexts are equally likely".
    p_value_any_contexts
        The p-value of "no influence", however likely the four contexts are. It is `p_value` where
        they are not equally likely, and else at least as large.
    """

    p_value: float
    bound: float
    wins: int
    trials: int
    contexts_p_value: float
    p_value_any_contexts: float

    @property
    def equal_contexts(self) -> bool:
        """Say whether `p_value` takes the contexts to be equally likely."""
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
    product, _ = _contributions()
    wins = counts[product > 0].sum()
    expected = trials / 4
    contexts = float(chdtrc(3, ((by_context - expected) ** 2 / expected).sum()))
    any_contexts = reach_probability(rarest - (trials - wins), trials)
    equal = contexts >= UNEQUAL
    return GameTest(
        p_value=binomial_tail(wins, trials, CLASSICAL_WINS) if equal else any_contexts,
        bound=CLASSICAL_WINS if equal else float(1 - rarest / trials),
        wins=int(wins),
        trials=int(trials),
        contexts_p_value=max(contexts, sys.float_info.min),
        p_value_any_contexts=any_contexts,
    )


def reach_probability(height: float, steps: float) -> float:
    """Return how likely a walk of steps -1, 0, 0, +1 ever reaches a height.

    Twice as many half steps are binomial, and by reflection half of the walks that come so far end
    below.

    >>> reach_probability(1, 1)
    0.25
    """
    if height <= 0:
        return 1.0
    ends = [binomial_tail(steps + height + more, 2 * steps, 1 / 2) for more in (0, 1)]
    return min(1.0, sum(ends))


@renamed.attributes({"contextuality": "excess", "contextuality_interval": "excess_interval"})
@dataclass(frozen=True, eq=False, repr=False)
class BellTest:
    """The result of a Bell test that is published as counts; printed and shown as a table.

    Attributes
    ----------
    s, s_error, interval
        S, the minus sign fixed at (2,2) in advance, its standard error, the root of the sum of
        (1 - E^2) / trials over contexts, and its interval.
    changes, change_errors
        The changes of the marginals of A1, A2, B1, B2 with the other's setting, [4], as
        `marginal_changes` gives them, and their standard errors.
    no_signalling_p_values
        The p-values of "this marginal does not change", for A1, A2, B1, B2: two-sided, adjusted for
        their number by Holm's method.
    delta, delta_interval
        Delta, the sum of the absolute changes, biased upwards near 0, and its interval: added up
        from intervals of the four changes at a quarter of alpha each (Bonferroni).
    excess, excess_interval
        S - Delta - 2, and its interval: the smallest of 16 lower and of 16 upper bounds, one for
        each choice of the signs of the changes, the upper ones at a sixteenth of alpha each.
    local_fraction
        The largest share of the outcomes that parties without influence could produce.
    game
        The trials won, and the p-value of "no influence", as `game_test` gives them.
    correlators, correlator_errors, trials
        E(Ai,Bj), their standard errors, and the trials of each context, [2, 2].
    level
        Nominal coverage of each interval by itself.
    """

    s: float
    s_error: float
    interval: Interval
    changes: np.ndarray
    change_errors: np.ndarray
    no_signalling_p_values: np.ndarray
    delta: float
    delta_interval: Interval
    excess: float
    excess_interval: Interval
    local_fraction: float
    game: GameTest
    correlators: np.ndarray
    correlator_errors: np.ndarray
    trials: np.ndarray
    level: float

    @property
    def signalling(self) -> list[str]:
        """Name the tasks whose marginals change, their p-values being at most 1 - `level`."""
        changed = self.no_signalling_p_values <= alpha_of(self.level)
        return [task for task, changes in zip(TASKS, changed, strict=True) if changes]

    @property
    def statistics(self) -> pd.DataFrame:
        """Return S, signalling and the game as a table of text, a row each."""
        game, digits = self.game, self._digits
        bound = f"at most {number_text(game.bound, digits)} without influence"
        contexts = "are not equally likely"
        if game.equal_contexts:
            p = p_value_text(game.p_value_any_contexts)
            contexts = f"p of the share, were they not equally likely: {p}"
        signalling = f"in {', '.join(self.signalling)}" if self.signalling else "not shown"
        p_values = map(p_value_text, self.no_signalling_p_values)
        changes = zip(TASKS, self.changes, self.change_errors, p_values, strict=True)
        rows = [
            ("S", self.s, self.s_error, self.interval, None, ""),
            *[(f"change of {task}", x, error, None, p, "") for task, x, error, p in changes],
            ("Delta", self.delta, None, self.delta_interval, None, f"signalling {signalling}"),
            ("S - Delta - 2", self.excess, None, self.excess_interval, None, ""),
            ("local fraction", self.local_fraction, None, None, None, ""),
            ("share won", game.wins / game.trials, None, None, p_value_text(game.p_value), bound),
            ("contexts", None, None, None, p_value_text(game.contexts_p_value), contexts),
        ]
        columns = ["value", "error", interval_name(self.level), "p-value", "in words"]
        return table_of_text(rows, columns, digits)

    @property
    def contexts(self) -> pd.DataFrame:
        """Return correlators with their errors, and the number of trials, a row a context."""
        labels = [f"({i},{j})" for i, j in CONTEXTS]
        errors, trials = self.correlator_errors.flat, map("{:,.0f}".format, self.trials.flat)
        correlators = [
            number_text(value, self._digits, sign="+") for value in self.correlators.flat
        ]
        rows = zip(labels, correlators, errors, trials, strict=True)
        return table_of_text(rows, ["E(Ai,Bj)", "error", "trials"], self._digits)

    def __str__(self) -> str:
        return f"{aligned(self.statistics)}\n\n{self.contexts.to_string()}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.statistics.to_html(border=0) + self.contexts.to_html(border=0)

    @property
    def _digits(self) -> int:
        """Return how many digits show two of S's error, which is tiny for billions of trials."""
        return max(3, 1 - math.floor(math.log10(self.s_error))) if self.s_error else 3


def bell_test(counts: np.ndarray, *, level: float = 0.95) -> BellTest:
    """Return S, signalling, the excess and a test of a Bell test that is published as counts.

    Each trial has one context. Standard errors take the trials to be independent and alike.
    Intervals, and the comparisons of marginals, are normal approximations besides: with fewer than
    some twenty trials in a context they only give an idea. Where E is near 1 the error found is
    too small, or 0; so they take outcomes to be spread as if each cell held half a trial more,
    which no longer shows in larger counts. The p-value of the game assumes none of this;
    `game_test` says what it does.

    Parameters
    ----------
    counts
        [2, 2, 2, 2]: Alice's setting, Bob's setting, a, b; outcomes in the order +1, -1. A detector
        that clicks or does not has outcomes too: +1 and -1.
    level
        Nominal coverage of the intervals, between 0 and 1.

    Raises
    ------
    ValueError
        For another shape, a count that is no whole number of at least 0, a context without
        trials, or a level outside 0 to 1.

    Examples
    --------
    The loophole-free experiment of Hensen et al. (Nature 526, 682, 2015):

    >>> rows = [[23, 3, 4, 23], [33, 11, 5, 30], [22, 10, 6, 24], [4, 20, 21, 6]]
    >>> found = bell_test(np.reshape(rows, (2, 2, 2, 2)))
    >>> f"{found.s:.2f} +- {found.s_error:.2f}, p = {found.game.p_value:.3f}", found.signalling
    ('2.42 +- 0.20, p = 0.039', [])
    """
    level = check_number("level", level, 0, 1, inside=True)
    counts = read_counts(counts, whole=True)
    means = from_counts(counts)
    correlators, trials = means.correlator.values, means.trials.values
    product, change = _contributions()
    turned = product - np.tensordot(CHANGE_SIGNS, change, axes=1)
    s, s_error, wider_s_error = _estimate(product, counts)
    changes, change_errors, wider_change_errors = _estimate(change, counts)
    sums, _, wider_errors = _estimate(turned, counts)
    excesses = sums - CLASSICAL_BOUND
    reach = _normal(level) * wider_s_error
    quarter = _normal(1 - (1 - level) / len(changes)) * wider_change_errors
    low = excesses - _normal(level) * wider_errors
    high = excesses + _normal(1 - (1 - level) / len(CHANGE_SIGNS)) * wider_errors
    most = ALGEBRAIC_BOUND - CLASSICAL_BOUND
    ends = np.stack([changes - quarter, changes + quarter], axis=1)
    return BellTest(
        s=float(s),
        s_error=float(s_error),
        interval=tuple(np.clip([s - reach, s + reach], *S_BOUNDS).tolist()),
        changes=changes,
        change_errors=change_errors,
        no_signalling_p_values=holm(
            [math.erfc(abs(z) / 2**0.5) for z in changes / wider_change_errors]
        ),
        delta=float(abs(changes).sum()),
        delta_interval=delta_interval(ends.clip(*CHANGE_BOUNDS)),
        excess=float(s - abs(changes).sum() - CLASSICAL_BOUND),
        excess_interval=(float(low.min()), float(min(most, high.min()))),
        local_fraction=local_fraction(means),
        game=game_test(counts),
        correlators=correlators,
        correlator_errors=np.sqrt((1 - correlators**2) / trials),
        trials=trials,
        level=level,
    )


def _contributions() -> tuple[np.ndarray, np.ndarray]:
    """Return what a trial adds to S [2, 2, 2, 2] and to each change [4, 2, 2, 2, 2].

    The last four dimensions are context and outcomes, as counts have them. S and the changes are
    the sums over contexts of the means of these values.
    """
    a, b = np.broadcast_arrays(OUTCOMES[:, None], OUTCOMES)
    change = np.zeros((4, 2, 2, 2, 2))
    for setting in (0, 1):
        change[setting, setting] = a, -a
        change[2 + setting, :, setting] = b, -b
    return SIGNS.values[:, :, None, None] * a * b, change


def _estimate(values: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the sums over contexts of the means of values [..., 2, 2, 2, 2], and their errors.

    First their standard errors, then those if values are spread as with half a trial more in each
    cell.
    """

    def means(of: np.ndarray, counts: np.ndarray) -> np.ndarray:
        return (of * counts).sum(axis=(-2, -1)) / counts.sum(axis=(2, 3))

    def errors(spread: np.ndarray) -> np.ndarray:
        variances = (means(values**2, spread) - means(values, spread) ** 2).clip(min=0)
        return np.sqrt((variances / counts.sum(axis=(2, 3))).sum(axis=(-2, -1)))

    return means(values, counts).sum(axis=(-2, -1)), errors(counts), errors(counts + 0.5)


def _normal(level: float) -> float:
    """Return how many standard errors a normal interval reaches to either side."""
    # Imported where it is used, as everybody pays for what is imported above.
    from statistics import NormalDist

    return NormalDist().inv_cdf((1 + level) / 2)
