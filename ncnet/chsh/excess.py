"""Contextuality: what of S > 2 is left once the change of the marginals is accounted for.

Contextuality-by-default asks whether outcomes could be explained by parties whose outcomes change
with the other's setting only as often as their marginals force them to. They can if and only if
``s_odd - Delta - 2 <= 0`` (Kujala, Dzhafarov, Larsson, PRL 115, 150401, arXiv 1412.4724). With the
facet fixed in advance to S, the quantity is ``S - Delta - 2``.

Replica means enter as rows [8, ...]: the four correlators (1,1), (1,2), (2,1), (2,2), then the
changes of the marginals of A1, A2, B1, B2. For facet f and signs t of the four changes,

    L_ft = (facet f of the correlators) - sum_k t_k (change k) - 2,

and because ``Delta = max_t sum_k t_k (change k)``, the quantity is ``min_t mean(L_ft)``; with the
facet left open it is ``max_f min_t mean(L_ft)``.
"""

import itertools
from functools import lru_cache

import numpy as np
import xarray as xr

from ncnet.chsh.betting import Interval, betting_test, lower_bound
from ncnet.chsh.bootstrap import DIGITS_OF_SUMS, expanded_level
from ncnet.chsh.correlators import (
    ALGEBRAIC_BOUND,
    CLASSICAL_BOUND,
    FACETS,
    SIGNS,
    cells_of,
    s_value,
)
from ncnet.chsh.intervals import FEWEST_OFF_MODE, off_mode
from ncnet.chsh.signalling import TASKS, delta, deterministic_answers, marginal_changes

CHANGE_SIGNS = np.array(list(itertools.product((1, -1), repeat=4)))
"""The 16 signs t that the four changes may take in Delta."""


def excess(means: xr.Dataset) -> xr.DataArray:
    """Return S - Delta - 2, the excess: outcomes are contextual where it is above 0.

    Parameters
    ----------
    means
        Means over replicas of what `replica_means` returns, or what `from_counts` returns.

    Examples
    --------
    >>> counts = np.zeros((2, 2, 2, 2))
    >>> counts[..., [0, 1], [0, 1]] = 50  # a = b, both outcomes equally often ...
    >>> counts[1, 1] = [[0, 50], [50, 0]]  # ... and opposite in (2,2): Popescu and Rohrlich's box
    >>> from ncnet.chsh import from_counts
    >>> float(excess(from_counts(counts)))
    2.0
    """
    return s_value(means.correlator) - delta(means) - CLASSICAL_BOUND


def decomposition(means: xr.Dataset) -> xr.DataArray:
    """Return the eight terms that S - 2 is made of, exactly, in any table of outcomes.

    With <A_i>_j the mean of a, and p_ij probabilities, in context (i, j)::

        S = 2 + (<A1>_2 - <A1>_1) + (<A2>_1 - <A2>_2) + (<B1>_1 - <B1>_2) + (<B2>_1 - <B2>_2)
              + 4 p_12(a = -1, b = -1) - 4 p_11(a = -1, b = +1)
              - 4 p_21(a = +1, b = -1) - 4 p_22(a = -1, b = -1)

    Put ``p(a, b) = (1 + a <A> + b <B> + a b E) / 4`` into it and everything cancels but the four
    correlators. The page on signalling has the proof.

    Returns
    -------
    xarray.DataArray
        Over `term`: the changes of A1, A2, B1, B2 as they enter, then the four cells of (1,2),
        (1,1), (2,1), (2,2).

    Examples
    --------
    >>> from ncnet.chsh import replica_means
    >>> outcomes = np.random.default_rng(0).choice([-1, 1], size=(2, 2, 2, 50, 8))
    >>> means = replica_means(tuple(outcomes)).mean("replica")
    >>> round(float(decomposition(means).sum() + 2 - s_value(means.correlator)), 12)
    0.0
    """
    signs = xr.DataArray([-1, 1, 1, 1], dims="task")
    changes, cell = signs * marginal_changes(means), cells_of(means).clip(0, 1)
    terms = {f"change of {task}": changes.sel(task=task, drop=True) for task in TASKS}
    for name, sign, i, j, a, b in (
        ("(1,2) both wrong", 1, 1, 2, -1, -1),
        ("(1,1) only Bob right", -1, 1, 1, -1, 1),
        ("(2,1) only Alice right", -1, 2, 1, 1, -1),
        ("(2,2) both wrong", -1, 2, 2, -1, -1),
    ):
        terms[name] = sign * 4 * cell.sel(alice_setting=i, bob_setting=j, a=a, b=b, drop=True)
    together = xr.concat(list(terms.values()), "term").assign_coords(term=list(terms))
    return together.rename("terms of S - 2")


def excess_bound(means: xr.Dataset) -> xr.DataArray:
    """Return an upper bound of S - Delta - 2: four times the rarest of eight cells.

    These are the cells that S counts as won: both right and both wrong in (1,1), (1,2), (2,1);
    only Alice and only Bob right in (2,2). Hence a task that is always solved in one of its
    contexts, or never on any item, rules contextuality out, however large S is. It follows from
    `decomposition` and the relabellings that leave S as it is.

    Examples
    --------
    >>> from ncnet.chsh import replica_means
    >>> ones = np.ones((2, 2, 5, 8))
    >>> float(excess_bound(replica_means((ones, ones)).mean("replica")))
    0.0
    """
    outcome = xr.DataArray([1, -1], dims="a")  # of Alice; Bob's makes the product's sign S's
    won = (1 + outcome * (means.alice + SIGNS * means.bob) + SIGNS * means.correlator) / 4
    return 4 * won.min(["a", *SIGNS.dims]).clip(min=0)


def excess_tests(rows: np.ndarray, counts: np.ndarray, draws: np.ndarray, level: float) -> dict:
    """Return interval and tests of S - Delta - 2 by the names of a report's attributes.

    Parameters
    ----------
    rows, counts, draws, level
        See `excess_interval`.
    """
    interval, method = excess_interval(rows, counts, draws, level)
    p_values = [excess_test(rows, counts, facet=facet) for facet in range(8)]
    return {
        "excess_interval": interval,
        "excess_method": method,
        "excess_p_value": p_values[0],
        "excess_p_value_below": excess_test_below(rows, counts),
        "any_facet_p_value": min(1.0, 8 * min(p_values)),
    }


def excess_test(rows: np.ndarray, counts: np.ndarray, *, facet: int = 0) -> float:
    """Return the p-value of "not contextual through this facet", facet 0 being S.

    It is the largest p-value of 16 betting tests, one for each t, that the mean of L_ft is at most
    0: an intersection-union test, which needs no correction over t (Berger, Technometrics 24, 295,
    1982). It is exact for independent replicas, to which more may be added and looked at again. A
    facet that was not fixed in advance pays eightfold.

    Parameters
    ----------
    rows, counts
        Distinct replica means [8, distinct], and how often each is there.
    facet
        Place in `FACETS`.
    """
    values, ranges = _values(rows, facet)
    if (values @ counts).min() <= 0:
        return 1.0
    return max(
        betting_test(value, mean=0, lowest=lowest, counts=counts)
        for value, (lowest, _) in zip(values, ranges, strict=True)
    )


def excess_test_below(rows: np.ndarray, counts: np.ndarray) -> float:
    """Return the p-value of "S - Delta - 2 is at least 0", that is, of no L_t with a mean below 0.

    It is sixteen times the smallest p-value of as many betting tests: exact for independent
    replicas, looked at whenever one likes.

    Parameters
    ----------
    rows, counts
        See `excess_test`.
    """
    values, ranges = _values(rows)
    tests = [
        betting_test(-value, mean=0, lowest=-highest, counts=counts)
        for value, (_, highest) in zip(values, ranges, strict=True)
    ]
    return min(1.0, len(tests) * min(tests))


def excess_interval(
    rows: np.ndarray, counts: np.ndarray, draws: np.ndarray, level: float
) -> tuple[Interval, str]:
    """Return the interval of S - Delta - 2, and how it was made.

    S - Delta - 2 is a minimum of 16 means, of which several may be nearly equal: resampling the
    minimum itself covers far too seldom. The lower bound is the smallest of 16 lower bounds by
    Student's t, each by itself. The upper one is the smallest of 16 upper bounds that hold
    together, by the bootstrap of their largest studentised error (Chernozhukov, Lee, Rosen,
    Econometrica 81, 667, 2013, arXiv 0907.3503; without their selection of means). Where fewer than
    10 replicas differ from the mode of any L_t, bounds by betting take their place, the upper ones
    at a sixteenth of alpha each.

    Parameters
    ----------
    rows, counts
        Distinct replica means [8, distinct], and how often each is there.
    draws
        Bootstrap means of the rows [8, resamples].
    level
        Nominal coverage.
    """
    # Imported where it is used: it takes a quarter of a second.
    from scipy.special import stdtrit

    values, ranges = _values(rows)
    alpha = (1 - level) / 2
    most = ALGEBRAIC_BOUND - CLASSICAL_BOUND
    if min(off_mode(value, counts) for value in values) < FEWEST_OFF_MODE:
        # Where marginals do not change, several signs make the same mean, and need one bound.
        distinct = np.unique(np.concatenate([values, ranges], axis=1), axis=0)
        pairs = list(zip(distinct[:, :-2], distinct[:, -2:], strict=True))
        low = min(lower_bound(v, lowest=r[0], alpha=alpha, counts=counts) for v, r in pairs)
        alpha /= len(values)
        high = min(-lower_bound(-v, lowest=-r[1], alpha=alpha, counts=counts) for v, r in pairs)
        return (low, min(most, high)), "betting"
    replicas = counts.sum()
    means = values @ counts / replicas
    squares = (values - means[:, None]) ** 2 @ counts
    errors = np.sqrt(squares / (replicas - 1) / replicas)
    resampled = functionals()[0][0] @ draws - CLASSICAL_BOUND
    largest = ((means[:, None] - resampled) / errors[:, None]).max(axis=0)
    low = means - stdtrit(replicas - 1, 1 - alpha) * errors
    high = means + np.quantile(largest, (1 + expanded_level(level, replicas)) / 2) * errors
    return (float(low.min()), min(most, float(high.min()))), "intersection bounds"


def _values(rows: np.ndarray, facet: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return L_ft of a facet in each replica, and their ranges, for all t."""
    weights, ranges = (part[facet] for part in functionals())
    return (weights @ rows - CLASSICAL_BOUND).round(DIGITS_OF_SUMS), ranges


@lru_cache
def functionals() -> tuple[np.ndarray, np.ndarray]:
    """Return all L_ft + 2 as weights [8, 16, 8] of the rows, and the ranges of L_ft [8, 16, 2].

    L is linear in each single outcome, so that its extremes lie at the 256 ways to answer.
    """
    weights = np.empty((8, len(CHANGE_SIGNS), 8))
    weights[..., :4] = FACETS.values.reshape(8, 1, 4)
    weights[..., 4:] = -CHANGE_SIGNS
    alice, bob, changes = deterministic_answers()
    rows = np.vstack([(alice * bob).reshape(-1, 4).T, changes.T])
    values = weights @ rows - CLASSICAL_BOUND
    return weights, np.stack([values.min(axis=-1), values.max(axis=-1)], axis=-1)
