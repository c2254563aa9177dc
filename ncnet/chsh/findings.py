"""What a report holds, and how it shows it: as text, as HTML, as a row of a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ncnet.chsh.correlators import ALGEBRAIC_BOUND, CLASSICAL_BOUND, TSIRELSON_BOUND
from ncnet.chsh.signalling import TASKS

ROUNDING = 1e-9
"""Tables on the boundary of the quantum set may pass it by as much, by rounding."""


@dataclass(frozen=True)
class Report:
    """The Bell test of one experiment; printed as a table, shown as one in a notebook.

    Every interval is for the mean over initialisations, at `level` by itself.

    Attributes
    ----------
    s, interval
        S, the minus sign fixed at (2,2) in advance, and its interval.
    interval_method
        "percentile bootstrap", or "betting" where fewer than 10 replicas differ from the most
        frequent S, so that a resample has next to no spread.
    p_value
        Of "the mean of S over initialisations is at most 2", by betting. It says nothing about
        locality, which a shared trunk denies by design.
    share_above, share_above_interval
        Share of replicas whose own S is above 2, and its exact binomial interval. Where the
        contexts of a replica share all that is random, it is 0 without influence.
    facets
        The eight sums of correlators with an odd number of minus signs, a Series by their signs.
    delta, delta_interval
        Delta, the signalling in the marginals, biased upwards near 0, and its interval: added up
        from intervals of the four changes at a quarter of the error each (Bonferroni).
    no_signalling_p_values
        Of "this marginal does not change with the other's setting", for A1, A2, B1, B2; betting,
        two-sided, adjusted for their number by Holm's method.
    influence, influence_interval
        How often outcomes differ between contexts, replica by replica and item by item; at least
        S - 2 and at least Delta. It is the other setting's influence where the contexts of a
        replica share all that is random: initial weights, order of the data, noise.
    contextuality, contextuality_interval, contextuality_method
        S - Delta - 2: what of S the marginals do not explain, and its interval, by "intersection
        bounds" or "betting".
    contextuality_p_value
        Of "S - Delta - 2 is at most 0".
    contextuality_bound
        What S - Delta - 2 cannot exceed: four times the rarest cell that S counts as won.
    any_facet_contextuality, any_facet_p_value
        The largest of the eight facets less Delta and 2, and its p-value, which pays eightfold.
    arcsine_excess
        At most 0 where the correlators, taken alone and as estimated, could come from quantum
        parties.
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
    p_value: float
    share_above: float
    share_above_interval: tuple[float, float]
    facets: pd.Series
    delta: float
    delta_interval: tuple[float, float]
    no_signalling_p_values: np.ndarray
    influence: float
    influence_interval: tuple[float, float]
    contextuality: float
    contextuality_interval: tuple[float, float]
    contextuality_method: str
    contextuality_p_value: float
    contextuality_bound: float
    any_facet_contextuality: float
    any_facet_p_value: float
    arcsine_excess: float
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

    @property
    def explanation(self) -> str:
        """Where the interval of S - Delta - 2 lies.

        "contextual" above 0, where the change of the marginals does not explain S; "within 2 +
        Delta" where it does not reach above 0; else "undecided". Of the other facets it says
        nothing.
        """
        low, high = self.contextuality_interval
        if low > 0:
            return "contextual"
        return "within 2 + Delta" if high <= 0 else "undecided"

    def row(self) -> dict[str, float | int | str]:
        """Return everything but the facets and the held-out items as one flat row of a table."""
        row = {
            "s": self.s,
            **_ends("s", self.interval),
            "interval_method": self.interval_method,
            "verdict": self.verdict,
            "p_value": self.p_value,
            "share_above": self.share_above,
            **_ends("share_above", self.share_above_interval),
            "delta": self.delta,
            **_ends("delta", self.delta_interval),
            "no_signalling_p_value": float(self.no_signalling_p_values.min()),
            "influence": self.influence,
            **_ends("influence", self.influence_interval),
            "contextuality": self.contextuality,
            **_ends("contextuality", self.contextuality_interval),
            "contextuality_method": self.contextuality_method,
            "contextuality_p_value": self.contextuality_p_value,
            "contextuality_bound": self.contextuality_bound,
            "explanation": self.explanation,
            "s_odd": float(self.facets.max()),
            "any_facet_contextuality": self.any_facet_contextuality,
            "any_facet_p_value": self.any_facet_p_value,
            "arcsine_excess": self.arcsine_excess,
            "replicas": self.replicas,
            "diverged": self.diverged,
            "s_diverged_against": self.s_diverged_against,
        }
        for name in ("correlators", "alice", "bob"):
            for (i, j), value in np.ndenumerate(getattr(self, name)):
                row[f"{name.removesuffix('s')}_{i + 1}{j + 1}"] = float(value)
        return row

    @property
    def statistics(self) -> pd.DataFrame:
        """S, signalling and contextuality as a table of text, a row each."""
        level = f"{self.level:.0%} interval"
        columns = ["value", level, "p-value", "in words"]
        signalled = [
            task
            for task, p in zip(TASKS, self.no_signalling_p_values, strict=True)
            if p <= 1 - self.level
        ]
        quantum = "within" if self.arcsine_excess <= ROUNDING else "beyond"
        rows = {
            "S": (self.s, self.interval, self.p_value, self.verdict),
            "share of replicas above 2": (
                self.share_above,
                self.share_above_interval,
                None,
                "0 without influence, if contexts start alike",
            ),
            "Delta": (
                self.delta,
                self.delta_interval,
                self.no_signalling_p_values.min(),
                f"signalling in {', '.join(signalled)}" if signalled else "no signalling shown",
            ),
            "influence": (
                self.influence,
                self.influence_interval,
                None,
                "at least S - 2 and Delta",
            ),
            "S - Delta - 2": (
                self.contextuality,
                self.contextuality_interval,
                self.contextuality_p_value,
                f"{self.explanation}; at most {self.contextuality_bound:.3f}",
            ),
            "s_odd - Delta - 2": (
                self.any_facet_contextuality,
                None,
                self.any_facet_p_value,
                f"any facet, paid eightfold; s_odd = {self.facets.max():.3f}",
            ),
            "arcsine excess": (
                self.arcsine_excess,
                None,
                None,
                f"as estimated, {quantum} what quantum parties reach",
            ),
        }
        return pd.DataFrame(
            [
                (f"{value:.3f}", interval and _range(interval), _p_value(p), words)
                for value, interval, p, words in rows.values()
            ],
            index=pd.Index(rows),
            columns=columns,
        ).fillna("")

    @property
    def contexts(self) -> pd.DataFrame:
        """Correlators with their intervals and marginals as a table of text, a row a context."""
        return pd.DataFrame(
            [
                (
                    f"{self.correlators[place]:+.3f}",
                    _range(self.correlator_intervals[place], sign="+"),
                    f"{self.alice[place]:+.3f}",
                    f"{self.bob[place]:+.3f}",
                )
                for place in np.ndindex(2, 2)
            ],
            index=pd.Index([f"({i + 1},{j + 1})" for i, j in np.ndindex(2, 2)]),
            columns=["C(Ai,Bj)", f"{self.level:.0%} interval", "<Ai>", "<Bj>"],
        )

    def __str__(self) -> str:
        return "\n\n".join(
            [
                self._read,
                self.statistics.to_string(justify="left"),
                self.contexts.to_string(),
                *self._notes,
            ]
        )

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{note}</p>" for note in self._notes)
        tables = self.statistics.to_html(border=0) + self.contexts.to_html(border=0)
        return f"<p>{self._read}</p>{tables}{notes}"

    @property
    def _read(self) -> str:
        return (
            f"{self.replicas:,} replicas, outcomes `{self.readout}` on {self.items} {self.split} "
            f"items; intervals over replicas"
        )

    @property
    def _notes(self) -> list[str]:
        notes = [
            f"S: {self.interval_method}; contextuality: {self.contextuality_method}. Bounds of S: "
            f"classical {CLASSICAL_BOUND:.0f}, Tsirelson {TSIRELSON_BOUND:.3f}, algebraic "
            f"{ALGEBRAIC_BOUND:.0f}. Where parties can influence each other, S > 2 shows no "
            "non-classicality."
        ]
        diverged = f"Diverged: {self.diverged:,} of {4 * self.replicas:,} networks"
        if self.diverged:
            diverged += f"; S with them set against it: {self.s_diverged_against:.3f}"
        notes.append(diverged + ".")
        if self.held_out is not None:
            other = self.held_out
            notes.append(f"{other.split} items: S = {other.s:.3f} {_range(other.interval)}.")
        return notes


def _ends(name: str, interval: tuple[float, float]) -> dict[str, float]:
    return {f"{name}_low": interval[0], f"{name}_high": interval[1]}


def _range(interval: tuple[float, float], sign: str = "") -> str:
    low, high = interval
    return f"[{low:{sign}.3f}, {high:{sign}.3f}]"


def _p_value(p: float | None) -> str:
    if p is None:
        return ""
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"
