"""How a report is told: its conclusion in words, then tables, as text and as HTML."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ncnet.chsh.correlators import ALGEBRAIC_BOUND, CLASSICAL_BOUND, TSIRELSON_BOUND
from ncnet.chsh.text import interval_text, p_value_text

if TYPE_CHECKING:
    from ncnet.chsh.findings import Report

TEXT_WIDTH = 76
ROUNDING = 1e-9
"""Tables on the boundary of the quantum set may pass it by as much, by rounding."""
FEW_REPLICAS = 100
"""Below as many, betting shows only an S far above 2: the sign test then stands beside it."""
WON = {"correct": "right", "solved": "solved", "prediction": "+1"}
"""What +1 stands for, by readout."""
DOES = {"correct": "gets right", "solved": "solves", "prediction": "predicts"}
DIFFER = "interval and test differ"


@dataclass(frozen=True)
class Shown:
    """A report as it is printed, and shown in a notebook.

    Attributes
    ----------
    report
        The report.
    rarer
        Whether the rows that few readers need are there too.
    """

    report: Report
    rarer: bool

    def __str__(self) -> str:
        report = self.report
        parts = [_filled(report.conclusion), _read(report)]
        for title, table in self._tables():
            words = table.columns[-1]
            table[words] = table[words].str.ljust(table[words].str.len().max())
            parts.append(f"{title}\n{table.to_string(justify='left')}")
        text = "\n\n".join([*parts, *map(_filled, self._notes())])
        return "\n".join(line.rstrip() for line in text.split("\n"))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        # Imported when something is shown: a picture takes matplotlib.
        from ncnet import plotting

        report = self.report
        try:
            picture = plotting.image(report)
        except ImportError as error:
            picture = f"<p>{error}</p>"
        tables = [f"<p>{title}</p>{table.to_html(border=0)}" for title, table in self._tables()]
        notes = [f"<p>{html.escape(note)}</p>" for note in self._notes()]
        first, *more = map(html.escape, conclusion(report))
        head = f"<p><strong>{first}</strong> {' '.join(more)}</p>"
        rest = "".join([f"<p>{_read(report)}</p>", *tables, *notes])
        # On a page the symbol can be read; in a terminal not everywhere.
        return head.replace("Delta", "Δ") + picture + rest.replace("Delta", "Δ")

    def _tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        report = self.report
        yield (
            "What each task loses beside its worse partner, in percentage points:",
            drops(report),
        )
        yield "Statistics:", statistics(report, rarer=self.rarer)
        yield "Correlators and marginals, by context:", contexts(report)

    def _notes(self) -> Iterator[str]:
        report = self.report
        yield (
            "Heads that share a layer can influence each other, so S > 2 alone shows nothing "
            "non-classical. Intervals and tests are over replicas, the items being given. The four "
            f"intervals of what tasks lose hold together at {100 * report.level:g} %."
        )
        yield (
            "The tests bet: their p-values hold whenever you look, so replicas may be added and "
            f"tested again. Bootstrap intervals may not be extended like that. {_power(report)}"
        )
        if self.rarer:
            yield methods(report)
        if _units(report) < FEW_REPLICAS:
            yield (
                f"With few replicas: S is above 2 in {100 * report.share_above:.0f} % of them "
                f"(sign test of more than half: p = {p_value_text(report.sign_p_value)}). That is "
                "about the median, not about the mean."
            )
        if report.diverged:
            yield (
                f"Diverged: {report.diverged:,} of {4 * report.replicas:,} networks; S with them "
                f"set against it: {report.s_diverged_against:.3f}."
            )
        if report.held_out is not None:
            other = report.held_out
            yield f"Held-out items: S = {other.s:.3f} {interval_text(other.interval)}."


def conclusion(report: Report) -> list[str]:
    """Return what was found: two sentences, more where interval and exact test differ."""
    found = (
        f"S is {report.verdict}: {report.s:.3f}, {interval_name(report)} "
        f"{interval_text(report.interval)}."
    )
    return [found, *_s_differs(report), _signalling_in_words(report)]


def drops(report: Report) -> pd.DataFrame:
    """Return what each task loses as a table of text, a row each, the worst first."""
    rows = report.drops
    by_interval = (rows["low"] > 0) | (rows["high"] < 0)
    by_test = rows["p_value"] <= error(report)
    table = {
        WON[report.readout]: rows["right_beside"].map("{:.1f} %".format),
        "otherwise": rows["right_instead"].map("{:.1f} %".format) + " beside " + rows["instead"],
        "loses": rows["points"].map("{:.1f}".format),
        interval_name(report): [f"[{row.low:.1f}, {row.high:.1f}]" for row in rows.itertuples()],
        "p-value": rows["p_value"].map(p_value_text),
        "in words": map(_in_words, by_interval, by_test),
    }
    return pd.DataFrame(table).set_axis(rows["task"] + " beside " + rows["beside"])


def statistics(report: Report, *, rarer: bool) -> pd.DataFrame:
    """Return S, signalling and contextuality as a table of text, a row each."""
    rows = {
        "S": (report.s, report.interval, report.p_value, report.verdict),
        "Delta": (
            report.delta,
            report.delta_interval,
            report.no_signalling_p_values.min(),
            f"signalling in {', '.join(report.signalling)}"
            if report.signalling
            else (DIFFER if _signalling_differs(report) else "not shown"),
        ),
        "influence": (
            report.influence,
            report.influence_interval,
            None,
            "at least S - 2 and Delta",
        ),
        "S - Delta - 2": (
            report.contextuality,
            report.contextuality_interval,
            report.contextuality_p_value,
            report.explanation,
        ),
    }
    rows |= _rarer(report) if rarer else {}
    return pd.DataFrame(
        [
            (f"{value:.3f}", interval and interval_text(interval), p_value_text(p), words)
            for value, interval, p, words in rows.values()
        ],
        index=pd.Index(rows),
        columns=["value", interval_name(report), "p-value", "in words"],
    ).fillna("")


def contexts(report: Report) -> pd.DataFrame:
    """Return correlators with their intervals and marginals as a table of text, a row a context."""
    return pd.DataFrame(
        [
            (
                f"{report.correlators[place]:+.3f}",
                interval_text(report.correlator_intervals[place], sign="+"),
                f"{report.alice[place]:+.3f}",
                f"{report.bob[place]:+.3f}",
            )
            for place in np.ndindex(2, 2)
        ],
        index=pd.Index([f"({i + 1},{j + 1})" for i, j in np.ndindex(2, 2)]),
        columns=["C(Ai,Bj)", interval_name(report), "<Ai>", "<Bj>"],
    )


def methods(report: Report) -> str:
    """Return how the intervals were made, and the bounds of S."""
    return (
        f"Interval of S: {report.interval_method}; of S - Delta - 2: "
        f"{report.contextuality_method}. Bounds of S: classical {CLASSICAL_BOUND:.0f}, "
        f"Tsirelson {TSIRELSON_BOUND:.3f}, algebraic {ALGEBRAIC_BOUND:.0f}."
    )


def interval_name(report: Report) -> str:
    """Return what an interval of the report is called, such as "95 % interval"."""
    return f"{100 * report.level:g} % interval"


def error(report: Report) -> float:
    """Return the largest p-value that rejects at the report's level."""
    return round(1 - report.level, 12)


def _filled(text: str) -> str:
    return textwrap.fill(text, TEXT_WIDTH, break_on_hyphens=False)


def _rarer(report: Report) -> dict[str, tuple]:
    quantum = "within" if report.arcsine_excess <= ROUNDING else "beyond"
    return {
        "share above 2": (
            report.share_above,
            report.share_above_interval,
            report.sign_p_value,
            "of replicas; p-value of at most half of them",
        ),
        "S at least 2": (report.s, None, report.p_value_below, "the opposite test"),
        "within replicas": (
            report.contextuality_within,
            report.contextuality_within_interval,
            None,
            "mean of each replica's own S - Delta - 2",
        ),
        "most in this table": (
            report.contextuality_bound,
            None,
            None,
            "that S - Delta - 2 can be, by the rarest cell",
        ),
        "s_odd - Delta - 2": (
            report.any_facet_contextuality,
            None,
            report.any_facet_p_value,
            f"any facet, paid eightfold; s_odd = {report.facets.max():.3f}",
        ),
        "arcsine excess": (
            report.arcsine_excess,
            None,
            None,
            f"correlators alone: {quantum} the quantum set",
        ),
    }


def _s_differs(report: Report) -> Iterator[str]:
    low, high = report.interval
    for side, by_interval, p in (
        ("above", low > CLASSICAL_BOUND, report.p_value),
        ("below", high < CLASSICAL_BOUND, report.p_value_below),
    ):
        if by_interval == (p <= error(report)):
            continue
        found, other = ("interval", "exact test") if by_interval else ("exact test", "interval")
        yield (
            f"The {found} says {side} 2, the {other} does not (p = {p_value_text(p)}): we say so "
            "only where both do."
        )


def _signalling_in_words(report: Report) -> str:
    what = f"What one head {DOES[report.readout]} depends on the other head's task"
    amount = f"Delta = {report.delta:.3f} {interval_text(report.delta_interval)}"
    if report.signalling:
        found = f"{what} ({amount})"
        if report.verdict != "above 2":
            return f"{found}."
        left = (
            f"(S - Delta - 2 = {report.contextuality:.3f} "
            f"{interval_text(report.contextuality_interval)})"
        )
        return f"{found}; {EXPLAINS[report.explanation]} {left}."
    p = p_value_text(report.no_signalling_p_values.min())
    if _signalling_differs(report):
        return (
            f"{what} by the interval or by the exact test, but not by both: that is open "
            f"({amount}, p = {p})."
        )
    return f"It is not shown that w{what[1:]} ({amount})."


EXPLAINS = {
    "within 2 + Delta": "that is enough to explain the excess over 2",
    "contextual": "that is not enough to explain the excess over 2",
    "undecided": "whether that is enough to explain the excess over 2 is open",
}


def _signalling_differs(report: Report) -> bool:
    """Return whether interval and exact test differ on some task."""
    low, high = report.change_intervals.T
    by_interval = (low > 0) | (high < 0)
    return bool((by_interval != (report.no_signalling_p_values <= error(report))).any())


def _in_words(by_interval: bool, by_test: bool) -> str:
    if by_interval != by_test:
        return DIFFER
    return "shown" if by_interval else "not shown"


def _units(report: Report) -> int:
    return report.replicas if report.clusters is None else report.clusters


def _read(report: Report) -> str:
    clusters = "" if report.clusters is None else f" in {report.clusters:,} clusters"
    return (
        f"{report.replicas:,} replicas{clusters}, {report.items:,} "
        f"{report.split.replace('_', '-')} items; readout: {report.readout}."
    )


def _power(report: Report) -> str:
    units = f"{_units(report):,} {'replicas' if report.clusters is None else 'clusters'}"
    if report.smallest_s_shown is None:
        able = f"With {units} no S can be shown to be above 2."
    else:
        able = f"With {units}, no S below {report.smallest_s_shown:.3f} can be shown to be above 2."
    if report.replicas_needed is None or report.verdict == "above 2":
        return able
    return f"{able} For the S found here it takes about {report.replicas_needed:,} like these."
