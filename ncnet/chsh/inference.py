"""Intervals and tests of a report, from what each replica's outcomes amount to."""

from functools import partial

import numpy as np
import xarray as xr

from ncnet.chsh.betting import (
    betting_interval,
    betting_test,
    replicas_needed,
    smallest_mean_shown,
)
from ncnet.chsh.bootstrap import DIGITS_OF_SUMS
from ncnet.chsh.correlators import CLASSICAL_BOUND, SIGNS
from ncnet.chsh.excess import excess_tests
from ncnet.chsh.intervals import S_BOUNDS, interval_of_mean, share_interval
from ncnet.chsh.signalling import (
    CHANGE_BOUNDS,
    TASKS,
    delta_interval,
    marginal_changes,
    no_signalling_test,
)
from ncnet.chsh.significance import alpha_of, holm, sign_test

CORRELATORS, CHANGES, INFLUENCES, DELTA = slice(0, 4), slice(4, 8), slice(8, 12), 12
LINEAR = slice(CORRELATORS.start, CHANGES.stop)
"""The rows of `replica_rows` by what they hold; the excess is linear in those of `LINEAR`."""
CORRELATOR_BOUNDS = (-1.0, 1.0)
INFLUENCE_BOUNDS = (0.0, 8.0)
WITHIN_BOUNDS = (-14.0, 2.0)
"""S of a replica less its own Delta, from 0 to 8, less 2; at most what `excess` can be."""


def replica_rows(means: xr.Dataset, influences: xr.DataArray) -> np.ndarray:
    """Return all numbers of each replica that a report is made of, [13, replicas].

    The rows are `CORRELATORS` of (1,1), (1,2), (2,1), (2,2); `CHANGES` of the marginals of A1, A2,
    B1, B2; `INFLUENCES` on these; and `DELTA`, the replica's own sum of absolute changes.

    Parameters
    ----------
    means
        What `replica_means` returns.
    influences
        What `influence` returns.

    Examples
    --------
    >>> from ncnet.chsh import influence, replica_means
    >>> outcomes = np.ones((2, 2, 5, 8)), np.ones((2, 2, 5, 8))
    >>> replica_rows(replica_means(outcomes), influence(outcomes)).shape
    (13, 5)
    """
    correlators = means.correlator.transpose(*SIGNS.dims, "replica").values.reshape(4, -1)
    changes = marginal_changes(means).transpose("task", "replica").values
    influences = influences.transpose("task", "replica").values
    return np.vstack([correlators, changes, influences, abs(changes).sum(axis=0)])


def s_of_rows(rows: np.ndarray) -> np.ndarray:
    """Return S of each column of `replica_rows`, rounded: the order of sums plays no part."""
    return (SIGNS.values.ravel() @ rows[CORRELATORS]).round(DIGITS_OF_SUMS)


def inference(distinct: np.ndarray, counts: np.ndarray, draws: np.ndarray, *, level: float) -> dict:
    """Return the intervals and tests of a report, by the names of the attributes of `Report`.

    Parameters
    ----------
    distinct, counts
        The distinct columns [13, distinct] of `replica_rows`, and how often each is there.
    draws
        Bootstrap means of the rows [13, resamples].
    level
        Nominal coverage.
    """
    s, s_draws = s_of_rows(distinct), SIGNS.values.ravel() @ draws[CORRELATORS]
    influence, influence_draws = (rows[INFLUENCES].sum(axis=0) for rows in (distinct, draws))
    within = (s - distinct[DELTA] - CLASSICAL_BOUND).round(DIGITS_OF_SUMS)
    within_draws = s_draws - draws[DELTA] - CLASSICAL_BOUND
    interval = partial(interval_of_mean, counts=counts, level=level)
    correlators = zip(distinct[CORRELATORS], draws[CORRELATORS], strict=True)
    changes = zip(distinct[CHANGES], draws[CHANGES], strict=True)
    # The four hold together (Bonferroni).
    together = {"bounds": CHANGE_BOUNDS, "level": 1 - (1 - level) / len(TASKS)}
    change_intervals = np.array([interval(*change, **together)[0] for change in changes])
    return {
        **_of_s(s, s_draws, counts, level),
        "correlator_intervals": np.reshape(
            [interval(*pair, bounds=CORRELATOR_BOUNDS)[0] for pair in correlators], (2, 2, 2)
        ),
        "changes": distinct[CHANGES] @ counts / counts.sum(),
        "change_intervals": change_intervals,
        "delta_interval": delta_interval(change_intervals),
        "no_signalling_p_values": holm([no_signalling_test(c, counts) for c in distinct[CHANGES]]),
        "influence": float(influence @ counts / counts.sum()),
        "influence_interval": interval(influence, influence_draws, bounds=INFLUENCE_BOUNDS)[0],
        **excess_tests(distinct[LINEAR], counts, draws[LINEAR], level),
        "excess_within": float(within @ counts / counts.sum()),
        "excess_within_interval": interval(within, within_draws, bounds=WITHIN_BOUNDS)[0],
    }


def _of_s(s: np.ndarray, draws: np.ndarray, counts: np.ndarray, level: float) -> dict:
    """Return the intervals and tests of S, and what so many replicas can show at all."""
    lowest, highest = S_BOUNDS
    replicas = int(counts.sum())
    above_2 = {"mean": CLASSICAL_BOUND, "lowest": lowest}
    # The betting interval has to lie above 2: at either end it bets at half of alpha.
    shown = {"alpha": alpha_of(level) / 2, **above_2}
    interval, method = interval_of_mean(s, draws, counts=counts, bounds=S_BOUNDS, level=level)
    share = int(counts[s > CLASSICAL_BOUND].sum())
    return {
        "interval": interval,
        "interval_method": method,
        "betting_interval": betting_interval(s, counts=counts, bounds=S_BOUNDS, level=level),
        "p_value": betting_test(s, counts=counts, **above_2),
        "p_value_below": betting_test(-s, mean=-CLASSICAL_BOUND, lowest=-highest, counts=counts),
        "smallest_s_shown": smallest_mean_shown(replicas, highest=highest, **shown),
        "replicas_needed": replicas_needed(s, counts=counts, **shown),
        "share_above": share / replicas,
        "share_above_interval": tuple(map(float, share_interval(share, replicas, level))),
        "sign_p_value": sign_test(s, above=CLASSICAL_BOUND, counts=counts),
    }
