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
from ncnet.chsh.outcomes import CONTEXTS
from ncnet.chsh.signalling import TASKS
from ncnet.chsh.significance import error_of
from ncnet.chsh.text import (
    aligned,
    estimate_text,
    interval_name,
    interval_text,
    number_text,
    p_value_text,
    table_of_text,
)

if TYPE_CHECKING:
    from ncnet.chsh.findings import Report

TEXT_WIDTH = 76
ROUNDING = 1e-9
"""Tables on the boundary of the quantum set may pass it by as much, by rounding."""
FEW_REPLICAS = 100
"""Below as many, betting shows only an S far above 2: the sign test then stands beside it."""
WORDS = {
    "correct": ("right %", "how often one head is right"),
    "solved": ("solved %", "how often one head solves all items"),
    "prediction": ("+1 %", "how often one head predicts +1"),
}
"""How often what +1 stands for, and what a marginal is, by readout."""
OF_S, OF_LEFT = ("above 2", "below 2"), ("contextual", "within 2 + Delta")
"""What interval and exact test may say of S, and of what is left of it."""
SHOWN, DIFFER = "shown", "open"
"""Said where interval and exact test agree, and where they differ, as the conclusion explains."""
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
        tables = [f"{title}\n{aligned(table)}" for title, table in self._tables()]
        notes = map(_filled, self._notes())
        text = "\n\n".join([_filled(self.report.conclusion), _read(self.report), *tables, *notes])
        return "\n".join(line.rstrip() for line in text.split("\n"))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        # Imported when something is shown: a picture takes matplotlib.
        from ncnet import plotting

        try:
            picture = plotting.image(self.report)
        except ImportError as error:
            picture = f"<p>{error}</p>"
        tables = [f"<p>{title}</p>{table.to_html(border=0)}" for title, table in self._tables()]
        notes = [f"<p>{html.escape(note)}</p>" for note in self._notes()]
        first, *more = map(html.escape, conclusion(self.report))
        head = f"<p><strong>{first}</strong> {' '.join(more)}</p>"
        rest = "".join([f"<p>{_read(self.report)}</p>", *tables, *notes])
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
        units = report.units
        yield (
            "Heads that share a layer can influence each other, so S > 2 alone shows nothing "
            f"non-classical. Intervals and tests are over {units}, the items being given. The four "
            f"intervals of a task's changes hold together at {100 * report.level:g} %, and their "
            f"tests are adjusted for their number. No interval knows of rare {units} that are not "
            "among these."
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
    sentences = [
        f"S is {report.verdict}: {number_text(report.s)}, {interval_name(report.level)} "
        f"{interval_text(report.interval)}.",
        *_s_differs(report),
        _signalling_in_words(report),
    ]
    if report.verdict == "above 2":
        sentences.append(_explanation_in_words(report))
    if not report.signalling and report.influence_interval[0] > 0:
        influence = estimate_text(report.influence, report.influence_interval)
        sentences.append(f"Single outcomes do change (influence = {influence}).")
    return sentences


def drops(report: Report) -> pd.DataFrame:
    """Return what each task loses as a table of text, a row each, the worst first."""
    drops, together = report.drops, evidence(report)["together"]
    rows = zip(
        drops["task"] + " beside " + drops["beside"],
        drops["right_beside"],
        drops["right_instead"].map("{:.1f} beside ".format) + drops["instead"],
        drops["points"],
        zip(drops["low"], drops["high"], strict=True),
        drops["p_value"].map(p_value_text),
        together[drops["task"]],
        strict=True,
    )
    columns = [WORDS[report.readout][0], "otherwise", "less by", interval_name(report.level)]
    return table_of_text(rows, [*columns, "p-value", "in words"], digits=1)


def statistics(report: Report, *, rarer: bool) -> pd.DataFrame:
    """Return S, signalling and the excess over 2 + Delta as a table of text, a row each.

    Of the two sides that a test may ask for, the one that the value speaks against.
    """
    rows = _usual(report) + (_rarer(report) if rarer else [])
    rows = [
        (label, getattr(report, name), interval_of(report, name), test, words)
        for label, name, test, words in rows
    ]
    columns = ["value", interval_name(report.level), "p-value of", "in words"]
    return table_of_text(rows, columns)


def contexts(report: Report) -> pd.DataFrame:
    """Return correlators with their intervals and marginals as a table of text, a row a context."""
    labels = [f"({i},{j})" for i, j in CONTEXTS]
    intervals = report.correlator_intervals.reshape(4, 2)
    parties = (report.alice.flat, report.bob.flat)
    rows = zip(labels, report.correlators.flat, intervals, *parties, strict=True)
    columns = ["C(Ai,Bj)", interval_name(report.level), "<Ai>", "<Bj>"]
    return table_of_text(rows, columns, sign="+")


def methods(report: Report) -> str:
    """Return how the intervals were made, and the bounds of S."""
    return (
        f"Interval of S: {report.interval_method}; of S - Delta - 2: "
        f"{report.excess_method}. Bounds of S: classical {CLASSICAL_BOUND:.0f}, "
        f"Tsirelson {TSIRELSON_BOUND:.3f}, algebraic {ALGEBRAIC_BOUND:.0f}."
    )


def evidence(report: Report) -> pd.DataFrame:
    """Return what speaks for `OF_S`, `OF_LEFT` and a change of each task: a row each.

    `by_interval`, `p_value`, and what they say `together`.
    """
    (low, high), (left_low, left_high) = report.interval, report.excess_interval
    s_side, left_side = (
        (low > CLASSICAL_BOUND, high < CLASSICAL_BOUND),
        (left_low > 0, left_high <= 0),
    )
    change_low, change_high = report.change_intervals.T
    by_interval = np.array([*s_side, *left_side, *((change_low > 0) | (change_high < 0))])
    p_of_left = (report.excess_p_value, report.excess_p_value_below)
    p_of_s = (report.p_value, report.p_value_below)
    p_values = np.array([*p_of_s, *p_of_left, *report.no_signalling_p_values])
    agree = by_interval == (p_values <= error_of(report.level))
    together = np.where(agree, np.where(by_interval, SHOWN, f"not {SHOWN}"), DIFFER)
    columns = {"by_interval": by_interval, "p_value": p_values, "together": together}
    return pd.DataFrame(columns, index=[*OF_S, *OF_LEFT, *TASKS])


def interval_of(report: Report, name: str) -> tuple[float, float] | None:
    """Return the interval that a report has for one of its attributes, if any."""
    return getattr(report, "interval" if name == "s" else f"{name}_interval", None)


def _filled(text: str) -> str:
    return textwrap.fill(text, TEXT_WIDTH, break_on_hyphens=False)


def _usual(report: Report) -> list[tuple[str, str, str, str]]:
    """Return label, attribute, test and words of each row of the statistics."""
    in_words = f"in {', '.join(report.signalling)}"
    if not report.signalling:
        in_words = DIFFER if _changes_differ(report) else f"not {SHOWN}"
    left = "beyond 2 + Delta" if report.explanation == "contextual" else report.explanation
    if report.explanation == "undecided" and report.verdict == "below 2":
        left = "nothing to explain"
    no_signalling = f"= 0: {p_value_text(report.no_signalling_p_values.min())}"
    return [
        ("S", "s", _against(report, "s", CLASSICAL_BOUND), report.verdict),
        ("Delta", "delta", no_signalling, f"signalling {in_words}"),
        ("influence", "influence", "", "at least Delta"),
        ("S - Delta - 2", "excess", _against(report, "excess", 0), left),
    ]


def _rarer(report: Report) -> list[tuple[str, str, str, str]]:
    units, s_odd = report.units, number_text(report.facets.max())
    side = "within" if report.arcsine_excess <= ROUNDING else "beyond"
    half = f"<= 0.5: {p_value_text(report.sign_p_value)}"
    any_facet = f"<= 0: {p_value_text(report.any_facet_p_value)}"
    chosen_after = f"s_odd = {s_odd}: minus signs chosen after"
    return [
        ("share above 2", "share_above", half, f"of {units}, S of each"),
        ("within each", "excess_within", "", f"mean of S - Delta - 2 of {units}"),
        ("most possible", "excess_bound", "", "S - Delta - 2, by the rarest cell here"),
        ("s_odd - Delta - 2", "any_facet_excess", any_facet, chosen_after),
        ("arcsine excess", "arcsine_excess", "", f"correlators alone: {side} the quantum set"),
    ]


def _against(report: Report, name: str, bound: float) -> str:
    """Return the hypothesis that a value speaks against, and its p-value."""
    side, below = ("<=", "") if getattr(report, name) >= bound else (">=", "_below")
    p = getattr(report, ("" if name == "s" else f"{name}_") + f"p_value{below}")
    return f"{side} {bound:g}: {p_value_text(p)}"


def _s_differs(report: Report) -> Iterator[str]:
    for row in evidence(report).loc[[*OF_S]].itertuples():
        if row.together == DIFFER:
            both = ("interval", "exact test")
            says, other = both if row.by_interval else both[::-1]
            yield (
                f"The {says} says {row.Index}, the {other} does not (p = "
                f"{p_value_text(row.p_value)}): we say so only where both do."
            )


def _signalling_in_words(report: Report) -> str:
    changes = f"{WORDS[report.readout][1]} changes with the other head's task"
    amount = f"Delta = {estimate_text(report.delta, report.delta_interval)}"
    if report.signalling:
        return f"{changes.capitalize()} ({amount})."
    if not _changes_differ(report):
        return f"It is not shown that {changes} ({amount})."
    p = p_value_text(report.no_signalling_p_values.min())
    return f"Whether {changes} is open: {DIFFERENCE} ({amount}, p = {p})."


def _explanation_in_words(report: Report) -> str:
    left = f"S - Delta - 2 = {estimate_text(report.excess, report.excess_interval)}"
    for row in evidence(report).loc[[*OF_LEFT]].itertuples():
        if row.by_interval and row.together == DIFFER:
            p = p_value_text(row.p_value)
            return f"{EXPLAINS['undecided']}: {DIFFERENCE} ({left}, p = {p})."
    return f"{EXPLAINS[report.explanation]} ({left})."


def _changes_differ(report: Report) -> bool:
    return DIFFER in list(evidence(report)["together"][[*TASKS]])


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
    any_facet = report.any_facet_p_value <= error_of(report.level)
    if any_facet and report.explanation != "contextual":
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
        yield f"Held-out items: S = {estimate_text(other.s, other.interval)}."


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
    number = _counted(report.independent, report.units)
    shown = report.smallest_s_shown
    below = "" if shown is None else f" below {shown:.3f}"
    able = f"With {number} no S{below} can be shown to be above 2."
    needed = report.replicas_needed
    if report.verdict == "above 2" or needed is None or needed <= report.independent:
        return able
    return f"{able} For the S found here it takes about {needed:,} in all."
