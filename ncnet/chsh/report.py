"""One call from outcomes to a verdict: S, the signalling beside it, and what is left of S > 2."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import xarray as xr

from ncnet.checks import check
from ncnet.chsh.betting import betting_test, replicas_needed, smallest_mean_shown
from ncnet.chsh.bootstrap import DIGITS_OF_SUMS, distinct_columns, resampled_means
from ncnet.chsh.correlators import (
    CLASSICAL_BOUND,
    SIGNS,
    arcsine_excess,
    by_cluster,
    facets,
    item_means,
    s_value,
)
from ncnet.chsh.excess import excess_bound, excess_tests
from ncnet.chsh.findings import Report
from ncnet.chsh.intervals import S_BOUNDS, check_resampling, interval_of_mean, share_interval
from ncnet.chsh.outcomes import Outcomes, as_dataset, select, splits
from ncnet.chsh.signalling import (
    CHANGE_BOUNDS,
    TASKS,
    delta,
    delta_interval,
    influence_of,
    marginal_changes,
    no_signalling_test,
)
from ncnet.chsh.significance import error_of, holm, sign_test

CORRELATORS, CHANGES, INFLUENCES, DELTA = slice(0, 4), slice(4, 8), slice(8, 12), 12
LINEAR = slice(CORRELATORS.start, CHANGES.stop)
"""Where `replica_rows` has what; what the excess is linear in."""
CORRELATOR_BOUNDS = (-1.0, 1.0)
INFLUENCE_BOUNDS = (0.0, 8.0)
WITHIN_BOUNDS = (-14.0, 2.0)
"""S of a replica less its own Delta, from 0 to 8, less 2; at most what `excess` can be."""


def report(
    outcomes: Outcomes,
    *,
    split: str = "training",
    readout: str = "correct",
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Report:
    """Return what a Bell test of one experiment says: statistics, intervals, tests.

    Intervals resample replicas, jointly over the four contexts: they generalise over
    initialisations with the items fixed.

    Parameters
    ----------
    outcomes
        A Dataset as `ncnet.train` or `from_table` returns it, or arrays ``(a, b)`` of +-1 with
        shape [2, 2, replicas, items].
    split
        Items to read, "training" or "held_out".
    readout
        "correct" (primary), "solved" or "prediction"; see `ncnet.chsh.read`.
    level
        Nominal coverage of the intervals, between 0 and 1.
    resamples, seed
        Number of bootstrap resamples, and the seed of their draw.

    Raises
    ------
    ValueError
        For outcomes that are no complete CHSH experiment, with more than one capacity, or for
        fewer resamples than the level needs.

    Examples
    --------
    Two parties that succeed on every item of every replica:

    >>> ones = np.ones((2, 2, 1600, 8))
    >>> result = report((ones, ones))
    >>> result.s, result.delta, result.interval_method
    (2.0, 0.0, 'betting')
    """
    # The finest bounds are those of Delta's four parts.
    level, resamples, seed = check_resampling(level, resamples, seed, parts=len(TASKS))
    dataset = _one_capacity(as_dataset(outcomes))
    options = {"readout": readout, "level": level, "resamples": resamples, "seed": seed}
    others = [other for other in splits(dataset) if other != split]
    held_out = None
    if split == "training" and others:
        held_out = _report(dataset, others[0], **options)
    return replace(_report(dataset, split, **options), held_out=held_out)


def replica_rows(means: xr.Dataset, influences: xr.DataArray) -> np.ndarray:
    """Return all that the report reads of each replica, [13, replicas].

    `CORRELATORS`, those of (1,1), (1,2), (2,1), (2,2); `CHANGES` of the marginals of A1, A2, B1,
    B2, and `INFLUENCES` on these; the replica's own `DELTA`. From `replica_means` and `influence`.
    """
    correlators = means.correlator.transpose(*SIGNS.dims, "replica").values.reshape(4, -1)
    changes = marginal_changes(means).transpose("task", "replica").values
    influences = influences.transpose("task", "replica").values
    return np.vstack([correlators, changes, influences, abs(changes).sum(axis=0)])


def s_of_rows(rows: np.ndarray) -> np.ndarray:
    """Return S of rows as `replica_rows` has them, equal where it was summed in another order."""
    return (SIGNS.values.ravel() @ rows[CORRELATORS]).round(DIGITS_OF_SUMS)


def summary(distinct: np.ndarray, counts: np.ndarray, draws: np.ndarray, *, level: float) -> dict:
    """Return the intervals and tests of a report, by the names of its attributes.

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
    """Return the interval and tests of S, and what so many replicas can show at all."""
    lowest, highest = S_BOUNDS
    error, replicas = error_of(level), int(counts.sum())
    above_2 = {"mean": CLASSICAL_BOUND, "lowest": lowest}
    interval, method = interval_of_mean(s, draws, counts=counts, bounds=S_BOUNDS, level=level)
    share = int(counts[s > CLASSICAL_BOUND].sum())
    return {
        "interval": interval,
        "interval_method": method,
        "p_value": betting_test(s, counts=counts, **above_2),
        "p_value_below": betting_test(-s, mean=-CLASSICAL_BOUND, lowest=-highest, counts=counts),
        "smallest_s_shown": smallest_mean_shown(replicas, highest=highest, error=error, **above_2),
        # The interval has to lie above 2, too: at either end it bets at half of the error.
        "replicas_needed": replicas_needed(s, counts=counts, error=error / 2, **above_2),
        "share_above": share / replicas,
        "share_above_interval": tuple(map(float, share_interval(share, replicas, level))),
        "sign_p_value": sign_test(s, above=CLASSICAL_BOUND, counts=counts),
    }


def _report(
    dataset: xr.Dataset, split: str, *, readout: str, level: float, resamples: int, seed: int
) -> Report:
    chosen = select(dataset, split=split, readout=readout)
    of_replicas = item_means(chosen)
    means = by_cluster(of_replicas)
    distinct, counts = distinct_columns(replica_rows(means, influence_of(chosen)))
    draws = resampled_means(distinct, counts, resamples=resamples, seed=seed)
    mean = means.mean("replica").transpose(*SIGNS.dims)
    diverged = dataset.get("diverged", xr.DataArray(False))
    against = by_cluster(of_replicas.correlator.where(~diverged, -SIGNS))
    s, change = float(s_value(mean.correlator)), float(delta(mean))
    of_facets = facets(mean.correlator).to_series()
    return Report(
        s=s,
        delta=change,
        excess=s - change - CLASSICAL_BOUND,
        excess_bound=float(excess_bound(mean)),
        facets=of_facets,
        any_facet_excess=float(of_facets.max()) - change - CLASSICAL_BOUND,
        arcsine_excess=float(arcsine_excess(mean.correlator)),
        correlators=mean.correlator.values,
        alice=mean.alice.values,
        bob=mean.bob.values,
        level=level,
        readout=readout,
        split=split,
        replicas=dataset.sizes["replica"],
        clusters=int(counts.sum()) if "cluster" in dataset.coords else None,
        paired=bool(dataset.attrs.get("paired", True)),
        items=int((dataset["split"] == split).sum()),
        diverged=int(diverged.sum()),
        s_diverged_against=float(s_value(against).mean()),
        **summary(distinct, counts, draws, level=level),
    )


def _one_capacity(dataset: xr.Dataset) -> xr.Dataset:
    if "capacity" not in dataset.dims:
        return dataset
    capacities = dataset["capacity"].values.tolist()
    found = f"outcomes hold {len(capacities)} capacities, {capacities}"
    one = f"one, as in `outcomes.sel(capacity={capacities[0]})`"
    check(len(capacities) == 1, found, one)
    return dataset.squeeze("capacity")
