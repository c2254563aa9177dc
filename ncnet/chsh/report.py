"""One call from outcomes to S with its interval, and the signalling beside it."""

from __future__ import annotations

import numbers
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ncnet.checks import check_integer
from ncnet.chsh.bootstrap import resampled_means
from ncnet.chsh.correlators import (
    ALGEBRAIC_BOUND,
    CLASSICAL_BOUND,
    SIGNS,
    TSIRELSON_BOUND,
    delta,
    marginal_changes,
    replica_means,
    s_value,
)
from ncnet.chsh.intervals import S_BOUNDS, interval_of_mean
from ncnet.chsh.outcomes import Outcomes, as_dataset, splits


@dataclass(frozen=True)
class Report:
    """The CHSH statistic of one experiment; printed as a table.

    Attributes
    ----------
    s, interval
        S and its interval for the mean over initialisations.
    interval_method
        "percentile bootstrap", or "betting" where fewer than 10 replicas differ from the most
        frequent S, so that a resample has next to no spread.
    delta, delta_interval
        Delta, the signalling in the marginals, biased upwards near 0, and its interval: added up
        from intervals of the four changes at a quarter of the error each (Bonferroni).
    correlators, correlator_intervals
        C(Ai,Bj) [2, 2] and intervals [2, 2, 2].
    alice, bob
        Marginals <Ai> and <Bj> [2, 2] by context.
    level
        Nominal coverage of each interval by itself.
    readout, split, replicas, items
        What was read.
    diverged
        Networks with a non-finite logit; read as class 0, none is left out.
    s_diverged_against
        S with every diverged network's correlator set against a large S.
    held_out
        The report on held-out items where the outcomes have any, else None.
    """

    s: float
    interval: tuple[float, float]
    interval_method: str
    delta: float
    delta_interval: tuple[float, float]
    correlators: np.ndarray
    correlator_intervals: np.ndarray
    alice: np.ndarray
    bob: np.ndarray
    level: float
    readout: str
    split: str
    replicas: int
    items: int
    diverged: int
    s_diverged_against: float
    held_out: Report | None = None

    @property
    def verdict(self) -> str:
        """Where the interval of S lies, above 2, below 2, or not distinguishable from 2."""
        low, high = self.interval
        if low > CLASSICAL_BOUND:
            return "above 2"
        return "below 2" if high < CLASSICAL_BOUND else "not distinguishable from 2"

    def row(self) -> dict[str, float | int | str]:
        """Return S, Delta, their intervals and the counts as one flat row of a table."""
        return {
            "s": self.s,
            "s_low": self.interval[0],
            "s_high": self.interval[1],
            "interval_method": self.interval_method,
            "verdict": self.verdict,
            "delta": self.delta,
            "delta_low": self.delta_interval[0],
            "delta_high": self.delta_interval[1],
            "replicas": self.replicas,
            "diverged": self.diverged,
            "s_diverged_against": self.s_diverged_against,
        }

    def __str__(self) -> str:
        lines = [
            f"S     = {self.s:.3f} {_range(self.interval)}  {self.interval_method}, "
            f"{self.level:.0%}, {self.replicas:,} replicas",
            f"Delta = {self.delta:.3f} {_range(self.delta_interval)}  signalling in the marginals",
            "note    where parties can influence each other, S > 2 shows no non-classicality",
            f"bounds  classical {CLASSICAL_BOUND:.0f}, Tsirelson {TSIRELSON_BOUND:.3f}, "
            f"algebraic {ALGEBRAIC_BOUND:.0f}",
            f"read    `{self.readout}` on {self.items} {self.split} items",
            "",
            "context  C(Ai,Bj)                   <Ai>    <Bj>",
        ]
        for i, j in np.ndindex(2, 2):
            lines.append(
                f"  ({i + 1},{j + 1})  {self.correlators[i, j]:+.3f} "
                f"{_range(self.correlator_intervals[i, j], sign='+')}  "
                f"{self.alice[i, j]:+.3f}  {self.bob[i, j]:+.3f}"
            )
        networks = 4 * self.replicas
        lines += ["", f"diverged: {self.diverged:,} of {networks:,} networks"]
        if self.diverged:
            lines[-1] += f"; S with them set against it: {self.s_diverged_against:.3f}"
        if self.held_out is not None:
            other = self.held_out
            lines.append(f"{other.split} items: S = {other.s:.3f} {_range(other.interval)}")
        return "\n".join(lines)


def report(
    outcomes: Outcomes,
    *,
    split: str = "training",
    readout: str = "correct",
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Report:
    """Return S, Delta, correlators and marginals of one experiment, each with its interval.

    Intervals resample replicas, jointly over the four contexts: they generalise over
    initialisations with the items fixed.

    Parameters
    ----------
    outcomes
        A Dataset as `ncnet.train` returns it, or arrays ``(a, b)`` of +-1 with shape
        [2, 2, replicas, items].
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
        For outcomes that are no complete CHSH experiment, or with more than one capacity.

    Examples
    --------
    Two parties that succeed on every item of every replica:

    >>> ones = np.ones((2, 2, 1600, 8))
    >>> result = report((ones, ones))
    >>> result.s, result.delta, result.interval_method
    (2.0, 0.0, 'betting')
    """
    if not (isinstance(level, numbers.Real) and 0 < level < 1):
        raise ValueError(f"`level` is {level!r}: expected a number between 0 and 1")
    check_integer("resamples", resamples, at_least=1)
    check_integer("seed", seed, at_least=0)
    dataset = _one_capacity(as_dataset(outcomes))
    settings = {"split": split, "readout": readout}
    options = {"level": level, "resamples": resamples, "seed": seed}
    others = [other for other in splits(dataset) if other != split]
    held_out = None
    if split == "training" and others:
        held_out = _report(dataset, {**settings, "split": others[0]}, options, None)
    return _report(dataset, settings, options, held_out)


def _report(dataset: xr.Dataset, settings: dict, options: dict, held_out: Report | None) -> Report:
    means = replica_means(dataset, **settings)
    changes = marginal_changes(means).transpose("task", "replica").values
    correlator = means.correlator.transpose("alice_setting", "bob_setting", "replica")
    correlator_rows = correlator.values.reshape(4, -1)
    s_rows = s_value(correlator).values[None]
    rows = np.concatenate([s_rows, correlator_rows, changes])
    rows = rows.round(12)  # equal values that were summed in another order count as equal
    level = options["level"]
    draws = resampled_means(rows, resamples=options["resamples"], seed=options["seed"])
    s_interval, s_method = interval_of_mean(rows[0], draws[0], S_BOUNDS, level)
    averages = means.mean("replica")
    diverged = _diverged(dataset)
    return Report(
        s=float(s_rows.mean()),
        interval=s_interval,
        interval_method=s_method,
        delta=float(delta(averages)),
        delta_interval=_delta_interval(rows[5:], draws[5:], level),
        correlators=averages.correlator.values,
        correlator_intervals=np.array(
            [
                interval_of_mean(row, draw, (-1.0, 1.0), level)[0]
                for row, draw in zip(rows[1:5], draws[1:5], strict=True)
            ]
        ).reshape(2, 2, 2),
        alice=averages.alice.values,
        bob=averages.bob.values,
        level=level,
        replicas=s_rows.size,
        items=int((dataset["split"] == settings["split"]).sum()),
        diverged=int(diverged.sum()),
        s_diverged_against=float(s_value(correlator.where(~diverged, -SIGNS)).mean()),
        held_out=held_out,
        **settings,
    )


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


def _delta_interval(changes: np.ndarray, draws: np.ndarray, level: float) -> tuple[float, float]:
    # Resampling Delta itself never covers a true 0: each resample adds up absolute values. So the
    # changes get an interval each, whose errors may add up (Bonferroni).
    share = 1 - (1 - level) / len(changes)
    bounds = [
        interval_of_mean(change, draw, (-2.0, 2.0), share)[0]
        for change, draw in zip(changes, draws, strict=True)
    ]
    low = sum(max(0.0, low, -high) for low, high in bounds)
    return low, sum(max(abs(low), abs(high)) for low, high in bounds)


def _range(interval: tuple[float, float], sign: str = "") -> str:
    low, high = interval
    return f"[{low:{sign}.3f}, {high:{sign}.3f}]"
