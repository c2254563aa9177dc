"""What a report holds, and how it shows it: as text, as HTML, as a row of a table."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ncnet.chsh.correlators import ALGEBRAIC_BOUND, CLASSICAL_BOUND, TSIRELSON_BOUND
from ncnet.chsh.signalling import TASKS
from ncnet.chsh.text import interval_text, p_value_text

TEXT_WIDTH = 88
ROUNDING = 1e-9
"""Tables on the boundary of the quantum set may pass it by as much, by rounding."""


@dataclass(frozen=True, eq=False, repr=False)
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
    p_value, p_value_below
        Of "the mean of S over initialisations is at most 2", and of "is at least 2", by betting.
        They say nothing about locality, which a shared trunk denies by design.
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
    contextuality_within, contextuality_within_interval
        The mean over replicas of a replica's own S - Delta - 2, and its interval. It is at most
        S - Delta - 2: what lies between the two is there only because changes of the marginals
        that differ in sign from replica to replica cancel in the means.
    contextuality_bound
        What S - Delta - 2 cannot exceed in these outcomes: four times the rarest cell that S
        counts as won.
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
    p_value_below: float
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
    contextuality_within: float
    contextuality_within_interval: tuple[float, float]
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
        """Whether S is above 2, below 2, or not distinguishable from 2.

        Above where the interval lies there and the exact test agrees, `p_value` being at most
        1 - `level`; below likewise. A bootstrap interval alone is misled where rare replicas that
        weigh much are missing from the sample.
        """
        low, high = self.interval
        if low > CLASSICAL_BOUND and self.p_value <= self._error:
            return "above 2"
        if high < CLASSICAL_BOUND and self.p_value_below <= self._error:
            return "below 2"
        return "not distinguishable from 2"

    @property
    def explanation(self) -> str:
        """Whether the change of the marginals explains S.

        "contextual" where it does not: the interval of S - Delta - 2 lies above 0, and the exact
        test agrees, `contextuality_p_value` being at most 1 - `level`. "within 2 + Delta" where
        the interval does not reach above 0; else "undecided". Of the other facets it says nothing.
        """
        low, high = self.contextuality_interval
        if low > 0 and self.contextuality_p_value <= self._error:
            return "contextual"
        return "within 2 + Delta" if high <= 0 else "undecided"

    @property
    def _error(self) -> float:
        return round(1 - self.level, 12)

    def row(self) -> dict[str, float | int | str]:
        """Return one flat row of a table.

        Of the facets the largest, of the no-signalling tests the smallest p-value; without the
        intervals of the correlators and without the held-out items.
        """
        row = {
            "readout": self.readout,
            "split": self.split,
            "level": self.level,
            "s": self.s,
            **_ends("s", self.interval),
            "interval_method": self.interval_method,
            "verdict": self.verdict,
            "p_value": self.p_value,
            "p_value_below": self.p_value_below,
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
            "contextuality_within": self.contextuality_within,
            **_ends("contextuality_within", self.contextuality_within_interval),
            "contextuality_bound": self.contextuality_bound,
            "explanation": self.explanation,
            "s_odd": float(self.facets.max()),
            "any_facet_contextuality": self.any_facet_contextuality,
            "any_facet_p_value": self.any_facet_p_value,
            "arcsine_excess": self.arcsine_excess,
            "replicas": self.replicas,
            "items": self.items,
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
        level = self._interval_name
        columns = ["value", level, "p-value", "in words"]
        signalled = [
            task
            for task, p in zip(TASKS, self.no_signalling_p_values, strict=True)
            if p <= self._error
        ]
        quantum = "within" if self.arcsine_excess <= ROUNDING else "beyond"
        rows = {
            "S": (self.s, self.interval, self.p_value, self.verdict),
            "share above 2": (
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
            "within replicas": (
                self.contextuality_within,
                self.contextuality_within_interval,
                None,
                "mean of each replica's own S - Delta - 2",
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
                f"correlators alone: {quantum} the quantum set",
            ),
        }
        return pd.DataFrame(
            [
                (f"{value:.3f}", interval and interval_text(interval), p_value_text(p), words)
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
                    interval_text(self.correlator_intervals[place], sign="+"),
                    f"{self.alice[place]:+.3f}",
                    f"{self.bob[place]:+.3f}",
                )
                for place in np.ndindex(2, 2)
            ],
            index=pd.Index([f"({i + 1},{j + 1})" for i, j in np.ndindex(2, 2)]),
            columns=["C(Ai,Bj)", self._interval_name, "<Ai>", "<Bj>"],
        )

    def __str__(self) -> str:
        words = self.statistics["in words"]
        padded = self.statistics.assign(**{"in words": words.str.ljust(words.str.len().max())})
        notes = [textwrap.fill(note, TEXT_WIDTH) for note in self._notes]
        tables = [padded.to_string(justify="left"), self.contexts.to_string()]
        return "\n\n".join([self._read, *tables, *notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{note}</p>" for note in self._notes)
        tables = self.statistics.to_html(border=0) + self.contexts.to_html(border=0)
        return f"<p>{self._read}</p>{tables}{notes}"

    @property
    def _interval_name(self) -> str:
        return f"{100 * self.level:g} % interval"

    @property
    def _read(self) -> str:
        return (
            f"replicas: {self.replicas:,}; readout: {self.readout}; "
            f"{self.split.replace('_', '-')} items: {self.items:,}"
        )

    @property
    def _notes(self) -> list[str]:
        notes = [
            f"S: {self.interval_method}; contextuality: {self.contextuality_method}. Bounds of S: "
            f"classical {CLASSICAL_BOUND:.0f}, Tsirelson {TSIRELSON_BOUND:.3f}, algebraic "
            f"{ALGEBRAIC_BOUND:.0f}. Where parties can influence each other, S > 2 alone shows "
            "no non-classicality. Intervals are over replicas, the items being given."
        ]
        if self.diverged:
            notes.append(
                f"Diverged: {self.diverged:,} of {4 * self.replicas:,} networks; S with them set "
                f"against it: {self.s_diverged_against:.3f}."
            )
        if self.held_out is not None:
            other = self.held_out
            notes.append(f"Held-out items: S = {other.s:.3f} {interval_text(other.interval)}.")
        return notes


def _ends(name: str, interval: tuple[float, float]) -> dict[str, float]:
    return {f"{name}_low": interval[0], f"{name}_high": interval[1]}
