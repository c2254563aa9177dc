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
from ncnet.chsh.text import interval_text, number_text, p_value_text

if TYPE_CHECKING:
    from ncnet.chsh.findings import Report

TEXT_WIDTH = 76
ROUNDING = 1e-9
"""Tables on the boundary of the quantum set may pass it by as much, by rounding."""
FEW_REPLICAS = 100
"""Below as many, betting shows only an S far above 2: the sign test then stands beside it."""
WON = {"correct": "right %", "solved": "solved %", "prediction": "+1 %"}
"""How often what +1 stands for, by readout."""
HOW_OFTEN = {
    "correct": "how often one head is right",
    "solved": "how often one head solves all items",
    "prediction": "how often one head predicts +1",
}
"""What a marginal is, by readout."""
DIFFER = "open"
"""Said where interval and exact test differ, as the conclusion explains."""
DIFFERENCE = "interval and exact test differ, as the test is cautious"
EXPLAINS = {
    "within 2 + Delta": "Such changes are enough to explain the excess over 2",
    "contextual": "Such changes are not enough to explain the excess over 2",
    "undecided": "Whether such changes are enough to explain the excess over 2 is open",
}


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
        loses = "What each task loses beside its worse partner, in percentage points:"
        if report.readout == "prediction":
            loses = "How much rarer +1 is beside one of a task's partners, in percentage points:"
        yield loses, drops(report)
        yield "Statistics:", statistics(report, rarer=self.rarer)
        yield "Correlators and marginals, by context:", contexts(report)

    def _notes(self) -> Iterator[str]:
        report = self.report
        units, level = report.units, f"{100 * report.level:g} %"
        yield (
            "Heads that share a layer can influence each other, so S > 2 alone shows nothing "
            f"non-classical. Intervals and tests are over {units}, the items being given. The four "
            f"intervals of a task's changes hold together at {level}, and their tests are adjusted "
            f"for their number. No interval knows of rare {units} that are not among these."
        )
        yield (
            f"The tests bet: their p-values hold whenever you look, so {units} may be added and "
            f"tested again. Bootstrap intervals may not be extended like that. {_power(report)}"
        )
        if self.rarer:
            yield methods(report)
        yield from _special(report)


def conclusion(report: Report) -> list[str]:
    """Return what was found: two or three sentences, more where interval and exact test differ."""
    found = (
        f"S is {report.verdict}: {number_text(report.s)}, {interval_name(report)} "
        f"{interval_text(report.interval)}."
    )
    sentences = [found, *_s_differs(report), _signalling_in_words(report)]
    if report.verdict == "above 2":
        sentences.append(_explanation_in_words(report))
    if not report.signalling and report.influence_interval[0] > 0:
        sentences.append(
            f"Single outcomes do change (influence = {number_text(report.influence)} "
            f"{interval_text(report.influence_interval)})."
        )
    return sentences


def drops(report: Report) -> pd.DataFrame:
    """Return what each task loses as a table of text, a row each, the worst first."""
    rows = report.drops
    by_interval = (rows["low"] > 0) | (rows["high"] < 0)
    by_test = rows["p_value"] <= error(report)
    ends = zip(rows["low"], rows["high"], strict=True)
    table = {
        WON[report.readout]: rows["right_beside"].map("{:.1f}".format),
        "otherwise": rows["right_instead"].map("{:.1f}".format) + " beside " + rows["instead"],
        "less by": [number_text(points, 1) for points in rows["points"]],
        interval_name(report): [interval_text(pair, digits=1) for pair in ends],
        "p-value": rows["p_value"].map(p_value_text),
        "in words": map(_in_words, by_interval, by_test),
    }
    return pd.DataFrame(table).set_axis(rows["task"] + " beside " + rows["beside"])


def statistics(report: Report, *, rarer: bool) -> pd.DataFrame:
    """Return S, signalling and contextuality as a table of text, a row each.

    Of the two sides that a test may ask for, the one that the value speaks against.
    """
    rows = _usual(report) | (_rarer(report) if rarer else {})
    return pd.DataFrame(
        [
            (
                number_text(value),
                interval and interval_text(interval),
                test and f"{test[0]}: {p_value_text(test[1])}",
                words,
            )
            for value, interval, test, words in rows.values()
        ],
        index=pd.Index(rows),
        columns=["value", interval_name(report), "p-value of", "in words"],
    ).fillna("")


def contexts(report: Report) -> pd.DataFrame:
    """Return correlators with their intervals and marginals as a table of text, a row a context."""
    return pd.DataFrame(
        [
            (
                number_text(report.correlators[place], sign="+"),
                interval_text(report.correlator_intervals[place], sign="+"),
                number_text(report.alice[place], sign="+"),
                number_text(report.bob[place], sign="+"),
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


def _against(value: float, bound: float, at_most: float, at_least: float) -> tuple[str, float]:
    return (f"<= {bound:g}", at_most) if value >= bound else (f">= {bound:g}", at_least)


def _usual(report: Report) -> dict[str, tuple]:
    signalling = f"signalling in {', '.join(report.signalling)}"
    if not report.signalling:
        signalling = f"signalling {DIFFER if _signalling_differs(report) else 'not shown'}"
    return {
        "S": (
            report.s,
            report.interval,
            _against(report.s, CLASSICAL_BOUND, report.p_value, report.p_value_below),
            report.verdict,
        ),
        "Delta": (
            report.delta,
            report.delta_interval,
            ("= 0", report.no_signalling_p_values.min()),
            signalling,
        ),
        "influence": (
            report.influence,
            report.influence_interval,
            None,
            "at least Delta",
        ),
        "S - Delta - 2": (
            report.contextuality,
            report.contextuality_interval,
            _against(
                report.contextuality,
                0,
                report.contextuality_p_value,
                report.contextuality_p_value_below,
            ),
            _left(report),
        ),
    }


def _left(report: Report) -> str:
    if report.explanation == "undecided" and report.verdict == "below 2":
        return "nothing to explain"
    return "beyond 2 + Delta" if report.explanation == "contextual" else report.explanation


def _rarer(report: Report) -> dict[str, tuple]:
    quantum = "within" if report.arcsine_excess <= ROUNDING else "beyond"
    return {
        "share above 2": (
            report.share_above,
            report.share_above_interval,
            ("<= 0.5", report.sign_p_value),
            f"of {report.units}, S of each",
        ),
        "within each": (
            report.contextuality_within,
            report.contextuality_within_interval,
            None,
            f"mean of S - Delta - 2 of {report.units}",
        ),
        "most possible": (
            report.contextuality_bound,
            None,
            None,
            "S - Delta - 2, by the rarest cell here",
        ),
        "s_odd - Delta - 2": (
            report.any_facet_contextuality,
            None,
            ("<= 0", report.any_facet_p_value),
            f"s_odd = {number_text(report.facets.max())}: minus signs chosen after",
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
    changes = f"{HOW_OFTEN[report.readout]} changes with the other head's task"
    amount = f"Delta = {number_text(report.delta)} {interval_text(report.delta_interval)}"
    if report.signalling:
        return f"{changes.capitalize()} ({amount})."
    if not _signalling_differs(report):
        return f"It is not shown that {changes} ({amount})."
    p = p_value_text(report.no_signalling_p_values.min())
    return f"Whether {changes} is open: {DIFFERENCE} ({amount}, p = {p})."


def _explanation_in_words(report: Report) -> str:
    low, high = report.contextuality_interval
    amount = (
        f"S - Delta - 2 = {number_text(report.contextuality)} "
        f"{interval_text(report.contextuality_interval)}"
    )
    if report.explanation == "undecided" and (low > 0 or high <= 0):
        p = report.contextuality_p_value if low > 0 else report.contextuality_p_value_below
        return f"{EXPLAINS['undecided']}: {DIFFERENCE} ({amount}, p = {p_value_text(p)})."
    return f"{EXPLAINS[report.explanation]} ({amount})."


def _signalling_differs(report: Report) -> bool:
    """Return whether interval and exact test differ on some task."""
    low, high = report.change_intervals.T
    by_interval = (low > 0) | (high < 0)
    return bool((by_interval != (report.no_signalling_p_values <= error(report))).any())


def _in_words(by_interval: bool, by_test: bool) -> str:
    if by_interval != by_test:
        return DIFFER
    return "shown" if by_interval else "not shown"


def _special(report: Report) -> Iterator[str]:
    """Return what is to be said of some reports only."""
    if report.independent < FEW_REPLICAS:
        yield (
            f"At so few {report.units} a count can say more: S is above 2 in "
            f"{100 * report.share_above:.0f} % of the {report.independent:,} (exact sign test of "
            f"more than half: p = {p_value_text(report.sign_p_value)}). That is about the median, "
            f"not the mean, and these items; the number of {report.units} has to be fixed "
            "beforehand."
        )
    if report.any_facet_p_value <= error(report) and report.explanation != "contextual":
        yield (
            f"With its minus signs elsewhere the sum passes 2 + Delta: {report.facets.idxmax()} is "
            f"{number_text(report.facets.max())} (p = {p_value_text(report.any_facet_p_value)}, "
            "for all eight ways to place them)."
        )
    if report.diverged:
        yield (
            f"Diverged: {report.diverged:,} of {4 * report.replicas:,} networks; with their "
            "correlators set to what lowers S most, S is "
            f"{number_text(report.s_diverged_against)}."
        )
    if report.held_out is not None:
        other = report.held_out
        yield f"Held-out items: S = {number_text(other.s)} {interval_text(other.interval)}."


def _counted(number: int, things: str) -> str:
    return f"{number:,} {things if number > 1 else things.removesuffix('s')}"


def _read(report: Report) -> str:
    clusters = "" if report.clusters is None else f" in {_counted(report.clusters, 'clusters')}"
    items = _counted(report.items, f"{report.split.replace('_', '-')} items")
    paired = "" if report.paired else "; items without partners: C is the product of means"
    return (
        f"{_counted(report.replicas, 'replicas')}{clusters}, {items}; readout: {report.readout}"
        f"{paired}."
    )


def _power(report: Report) -> str:
    there = _counted(report.independent, report.units)
    if report.smallest_s_shown is None:
        able = f"With {there} no S can be shown to be above 2."
    else:
        able = f"With {there} no S below {report.smallest_s_shown:.3f} can be shown to be above 2."
    needed = report.replicas_needed
    if report.verdict == "above 2" or needed is None or needed <= report.independent:
        return able
    return f"{able} For the S found here it takes about {needed:,} in all."
