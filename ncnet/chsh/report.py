"""One call from outcomes to a verdict: S, the signalling beside it, and what is left of S > 2."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ncnet.chsh.betting import betting_test, replicas_needed, smallest_mean_shown
from ncnet.chsh.bootstrap import DIGITS_OF_SUMS, distinct_columns, resampled_means
from ncnet.chsh.contextuality import (
    contextuality_bound,
    contextuality_interval,
    contextuality_test,
    within_test,
)
from ncnet.chsh.correlators import (
    CLASSICAL_BOUND,
    SIGNS,
    by_cluster,
    facets,
    means_apart,
    s_value,
)
from ncnet.chsh.findings import Report
from ncnet.chsh.intervals import (
    S_BOUNDS,
    check_resampling,
    interval_of_mean,
    share_interval,
)
from ncnet.chsh.outcomes import Outcomes, as_dataset, splits
from ncnet.chsh.quantum import arcsine_excess
from ncnet.chsh.signalling import (
    CHANGE_BOUNDS,
    TASKS,
    delta,
    influence,
    marginal_changes,
    no_signalling_test,
)
from ncnet.chsh.significance import holm, sign_test

INFLUENCE_BOUNDS = (0.0, 8.0)
WITHIN_BOUNDS = (-14.0, 2.0)
"""S of a replica less its own Delta, from 0 to 8, less 2; at most what `contextuality` can be."""


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
    settings = {"split": split, "readout": readout}
    options = {"level": level, "resamples": resamples, "seed": seed}
    others = [other for other in splits(dataset) if other != split]
    held_out = None
    if split == "training" and others:
        held_out = _report(dataset, {**settings, "split": others[0]}, options, None)
    return _report(dataset, settings, options, held_out)


def replica_rows(means: xr.Dataset, changed: xr.DataArray) -> np.ndarray:
    """Return all that the report reads of each replica, [13, replicas].

    The correlators (1,1), (1,2), (2,1), (2,2), the changes of the marginals of A1, A2, B1, B2, the
    influence on A1, A2, B1, B2, and the replica's own Delta; from `replica_means` and `influence`.
    """
    correlator = means.correlator.transpose(*SIGNS.dims, "replica").values.reshape(4, -1)
    changes = marginal_changes(means).transpose("task", "replica").values
    changed = changed.transpose("task", "replica").values
    return np.concatenate([correlator, changes, changed, abs(changes).sum(axis=0)[None]])


def summary(columns: np.ndarray, counts: np.ndarray, draws: np.ndarray, *, level: float) -> dict:
    """Return the intervals and tests of a report, by the names of its attributes.

    Parameters
    ----------
    columns, counts
        The distinct columns [13, distinct] of `replica_rows`, and how often each is there.
    draws
        Bootstrap means of the rows [13, resamples].
    level
        Nominal coverage.
    """
    correlator, changes, changed, own_delta = columns[:4], columns[4:8], columns[8:12], columns[12]
    values = _s_values(columns)

    def interval(value: np.ndarray, draw: np.ndarray, bounds: tuple[float, float]) -> tuple:
        return interval_of_mean(value, counts, draw, bounds, level)

    s_draws = SIGNS.values.ravel() @ draws[:4]
    s_interval, s_method = interval(values, s_draws, S_BOUNDS)
    within = (values - own_delta - CLASSICAL_BOUND).round(DIGITS_OF_SUMS)
    within_draws = s_draws - draws[12] - CLASSICAL_BOUND
    context_method = contextuality_interval(columns[:8], counts, draws[:8], level)
    above = int(counts[values > CLASSICAL_BOUND].sum())
    replicas = int(counts.sum())
    change_intervals = _change_intervals(changes, counts, draws[4:8], level)
    any_facet = min(contextuality_test(columns[:8], counts, facet=f) for f in range(8))
    return {
        "interval": s_interval,
        "interval_method": s_method,
        "p_value": betting_test(values, mean=CLASSICAL_BOUND, lowest=S_BOUNDS[0], counts=counts),
        "p_value_below": betting_test(
            -values, mean=-CLASSICAL_BOUND, lowest=-S_BOUNDS[1], counts=counts
        ),
        "share_above": above / replicas,
        "share_above_interval": tuple(map(float, share_interval(above, replicas, level))),
        "changes": changes @ counts / replicas,
        "change_intervals": change_intervals,
        "delta_interval": _delta_interval(change_intervals),
        "no_signalling_p_values": holm([no_signalling_test(c, counts) for c in changes]),
        "influence": float(changed.sum(axis=0) @ counts / replicas),
        "influence_interval": interval(
            changed.sum(axis=0), draws[8:12].sum(axis=0), INFLUENCE_BOUNDS
        )[0],
        "contextuality_interval": context_method[0],
        "contextuality_method": context_method[1],
        "contextuality_p_value": contextuality_test(columns[:8], counts),
        "contextuality_p_value_below": within_test(columns[:8], counts),
        "contextuality_within": float(within @ counts / replicas),
        "contextuality_within_interval": interval(within, within_draws, WITHIN_BOUNDS)[0],
        "any_facet_p_value": min(1.0, 8 * any_facet),
        "correlator_intervals": np.array(
            [interval(*pair, (-1.0, 1.0))[0] for pair in zip(correlator, draws[:4], strict=True)]
        ).reshape(2, 2, 2),
    }


def _report(dataset: xr.Dataset, settings: dict, options: dict, held_out: Report | None) -> Report:
    apart = means_apart(dataset, **settings)
    means = by_cluster(apart)
    columns, counts = distinct_columns(replica_rows(means, influence(dataset, **settings)))
    draws = resampled_means(columns, counts, resamples=options["resamples"], seed=options["seed"])
    averages = means.mean("replica").transpose(*SIGNS.dims)
    diverged = _diverged(dataset)
    against = apart.correlator.where(~diverged, -SIGNS)
    odd = facets(averages.correlator)
    s, change = float(s_value(averages.correlator)), float(delta(averages))
    return Report(
        s=s,
        delta=change,
        contextuality=s - change - CLASSICAL_BOUND,
        contextuality_bound=float(contextuality_bound(averages)),
        facets=odd.to_series(),
        any_facet_contextuality=float(odd.max()) - change - CLASSICAL_BOUND,
        arcsine_excess=float(arcsine_excess(averages.correlator)),
        correlators=averages.correlator.values,
        alice=averages.alice.values,
        bob=averages.bob.values,
        level=options["level"],
        replicas=dataset.sizes["replica"],
        clusters=int(counts.sum()) if "cluster" in dataset.coords else None,
        paired=bool(dataset.attrs.get("paired", True)),
        items=int((dataset["split"] == settings["split"]).sum()),
        diverged=int(diverged.sum()),
        s_diverged_against=float(s_value(by_cluster(against)).mean()),
        held_out=held_out,
        **settings,
        **summary(columns, counts, draws, level=options["level"]),
        **_of_few_replicas(columns, counts, options["level"]),
    )


def _of_few_replicas(columns: np.ndarray, counts: np.ndarray, level: float) -> dict:
    """Return what so many replicas can show at all, and the test that says most at few of them."""
    values = _s_values(columns)
    error = round(1 - level, 12)
    bounds = {"mean": CLASSICAL_BOUND, "lowest": S_BOUNDS[0]}
    return {
        "smallest_s_shown": smallest_mean_shown(
            int(counts.sum()), highest=S_BOUNDS[1], error=error, **bounds
        ),
        # The interval has to lie above 2, too: at either end it bets at half of the error.
        "replicas_needed": replicas_needed(values, counts=counts, error=error / 2, **bounds),
        "sign_p_value": sign_test(values, above=CLASSICAL_BOUND, counts=counts),
    }


def _s_values(columns: np.ndarray) -> np.ndarray:
    return (SIGNS.values.ravel() @ columns[:4]).round(DIGITS_OF_SUMS)


def _one_capacity(dataset: xr.Dataset) -> xr.Dataset:
    if "capacity" not in dataset.dims:
        return dataset
    capacities = dataset["capacity"].values.tolist()
    if len(capacities) > 1:
        raise ValueError(
            f"outcomes hold {len(capacities)} capacities, {capacities}: "
            f"select one, as in `outcomes.sel(capacity={capacities[0]})`"
        )
    return dataset.squeeze("capacity")


def _diverged(dataset: xr.Dataset) -> xr.DataArray:
    if "diverged" in dataset:
        return dataset["diverged"]
    return xr.zeros_like(dataset["a"].isel(item=0, drop=True), dtype=bool)


def _change_intervals(
    changes: np.ndarray, counts: np.ndarray, draws: np.ndarray, level: float
) -> np.ndarray:
    """Return intervals [4, 2] of the four changes that hold together (Bonferroni)."""
    share = 1 - (1 - level) / len(changes)
    return np.array(
        [
            interval_of_mean(change, counts, draw, CHANGE_BOUNDS, share)[0]
            for change, draw in zip(changes, draws, strict=True)
        ]
    )


def _delta_interval(change_intervals: np.ndarray) -> tuple[float, float]:
    # Resampling Delta itself never covers a true 0: each resample adds up absolute values. So the
    # intervals of the changes add up, as their errors may.
    low, high = change_intervals.T
    nearest = np.maximum(0, np.maximum(low, -high))
    return float(nearest.sum()), float(np.maximum(abs(low), abs(high)).sum())
