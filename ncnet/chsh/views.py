"""A report as it is printed and shown: its conclusion in words, tables, and notes."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ncnet.chsh.betting import Interval
from ncnet.chsh.correlators import ALGEBRAIC_BOUND, CLASSICAL_BOUND, TSIRELSON_BOUND
from ncnet.chsh.outcomes import CONTEXTS
from ncnet.chsh.signalling import TASKS
from ncnet.chsh.significance import alpha_of
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
    from ncnet.chsh.report import Report

TEXT_WIDTH = 76
ROUNDING = 1e-9
"""Tables on the boundary of the quantum set may pass it by as much, by rounding."""
FEW_REPLICAS = 100
"""With fewer, betting shows only an S far above 2: the sign test then stands beside it."""
WORDS = {
    "correct": ("right %", "how often one head is right"),
    "solved": ("solved %", "how often one head solves all items"),
    "prediction": ("+1 %", "how often one head predicts +1"),
}
"""By readout: the heading of a column with the percentage of +1, and what a marginal says."""
BOTH_SHOW, NEITHER_SHOWS, ONE_SHOWS = "shown", "not shown", "open"
"""What interval and exact test say together, in words."""
EXPLAINS = {
    "within 2 + Delta": "Such changes are enough to explain S above 2",
    "contextual": "Such changes are not enough to explain S above 2",
    "undecided": "Whether such changes are enough to explain S above 2 is open",
}


@dataclass(frozen=True)
class ReportView:
    """The view of a report that is printed, and shown in a notebook.

    Attributes
    ----------
    report
        The report.
    rarer
        True where the rows that few readers need are among its statistics.
    """

    report: Report
    rarer: bool

    def __str__(self) -> str:
        tables = [f"{title}\n{aligned(table)}" for title, table in self._tables()]
        paragraphs = [self.report.conclusion, *self._notes()]
        first, *notes = (textwrap.fill(p, TEXT_WIDTH, break_on_hyphens=False) for p in paragraphs)
        text = "\n\n".join([first, data_read(self.report), *tables, *notes])
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
        rest = "".join([f"<p>{data_read(self.report)}</p>", *tables, *notes])
        # On a page the symbol can be read; in a terminal not everywhere.
        return head.replace("Delta", "Δ") + picture + rest.replace("Delta", "Δ")

    def _tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        title = "What each task loses beside its worse partner, in percentage points:"
        if self.report.readout == "prediction":
            title = "How much rarer +1 is beside one of a task's partners, in percentage points:"
        yield title, drops(self.report)
        yield "Statistics:", statistics(self.report, rarer=self.rarer)
        yield "Correlators and marginals, by context:", contexts(self.report)

    def _notes(self) -> Iterator[str]:
        report, units = self.report, self.report.units
        yield (
            "Heads that share a layer can influence each other, so S > 2 alone shows nothing "
            f"non-classical. Intervals and tests are over {units}, the items being given. The "
            f"intervals of the four tasks' changes hold together at {100 * report.level:g} %, and "
            "their tests are adjusted for their number. No bootstrap interval knows of rare "
            f"{units} that are not among these."
        )
        yield (
            "The tests bet, and so does the interval of S that decides, at "
            f"{50 * alpha_of(report.level):g} % on either side: they hold whenever you look, so "
            f"{units} may be added and tested again. Bootstrap intervals may not be extended like "
            f"that. {_power(report)}"
        )
        if self.rarer:
            yield methods(report)
        yield from _notes_of_some(report)


def conclusion(report: Report) -> list[str]:
    """Return what was found, in a few sentences."""
    sentences = [*_sentences_of_s(report), _signalling_sentence(report)]
    if report.verdict == "above 2":
        sentences.append(_explanation_sentence(report))
    if not report.signalling and report.influence_interval[0] > 0:
        influence = estimate_text(report.influence, report.influence_interval)
        sentences.append(f"Single outcomes do change (influence = {influence}).")
    return sentences


def _sentences_of_s(report: Report) -> Iterator[str]:
    """Yield on which side of 2 S is, by which interval, and why by that one where there are two."""
    found = (
        f"S is {report.verdict}: {number_text(report.s)}, {interval_name(report.level)} "
        f"{interval_text(report.betting_interval)} by betting"
    )
    if _has_bootstrap(report):
        yield f"{found}, {interval_text(report.interval)} by bootstrap."
        yield f"Betting decides, as it is exact at any number of {report.units}."
    else:
        yield f"{found}."


def _has_bootstrap(report: Report) -> bool:
    """Return whether S has an interval by bootstrap beside the one by betting."""
    return report.interval_method != "betting"


def _signalling_sentence(report: Report) -> str:
    """Return in a sentence whether marginals change."""
    changes = f"{WORDS[report.readout][1]} changes with the other head's task"
    amount = f"Delta = {estimate_text(report.delta, report.delta_interval)}"
    signalling = _signalling_in_brief(report)
    if signalling == ONE_SHOWS:
        return _left_open(f"Whether {changes} is open", amount, report, [*TASKS])
    if signalling == NEITHER_SHOWS:
        return f"It is not shown that {changes} ({amount})."
    return f"{changes.capitalize()} ({amount})."


def _explanation_sentence(report: Report) -> str:
    """Return in a sentence whether such changes explain S."""
    amount = f"S - Delta - 2 = {estimate_text(report.excess, report.excess_interval)}"
    said = EXPLAINS[report.explanation]
    if report.explanation == "undecided":
        return _left_open(said, amount, report, ["contextual", "within 2 + Delta"])
    return f"{said} ({amount})."


def _left_open(said: str, amount: str, report: Report, sides: list[str]) -> str:
    """Say that something is open, and where interval and exact test differ on it, that they do."""
    rows = report.evidence.loc[sides]
    differing = rows[rows["together"] == ONE_SHOWS]
    if differing.empty:
        return f"{said} ({amount})."
    p = p_value_text(differing["p_value"].min())
    cautious = ", as the test is cautious" if differing["by_interval"].all() else ""
    return f"{said}: interval and exact test differ{cautious} ({amount}, p = {p})."


def _signalling_in_brief(report: Report) -> str:
    """Return in which tasks signalling is shown, or whether it is open or not shown at all."""
    if report.signalling:
        return f"in {', '.join(report.signalling)}"
    return ONE_SHOWS if ONE_SHOWS in list(report.evidence["together"][[*TASKS]]) else NEITHER_SHOWS


def drops(report: Report) -> pd.DataFrame:
    """Return what each task loses as a table of text, a row each, the worst first."""
    drops, together = report.drops, report.evidence["together"]
    rows = zip(
        drops["task"] + " beside " + drops["worse_partner"],
        drops["right_with_worse"],
        drops["right_with_other"].map("{:.1f} beside ".format) + drops["other_partner"],
        drops["points"],
        zip(drops["low"], drops["high"], strict=True),
        drops["p_value"].map(p_value_text),
        together[drops["task"]],
        strict=True,
    )
    columns = [WORDS[report.readout][0], "otherwise", "less by", interval_name(report.level)]
    return table_of_text(rows, [*columns, "p-value", "in words"], digits=1)


def statistics(report: Report, *, rarer: bool) -> pd.DataFrame:
    """Return S, signalling and the excess as a table of text, a row each.

    Beside S and the excess stands the test of the side that the value speaks against.
    """
    excess = "beyond 2 + Delta" if report.explanation == "contextual" else report.explanation
    if report.explanation == "undecided" and report.verdict == "below 2":
        excess = "nothing to explain"
    of_s = _test_against(report.s, CLASSICAL_BOUND, report.p_value, report.p_value_below)
    of_excess = _test_against(report.excess, 0, report.excess_p_value, report.excess_p_value_below)
    of_change = f"= 0: {p_value_text(report.no_signalling_p_values.min())}"
    signalling = f"signalling {_signalling_in_brief(report)}"
    influence = (report.influence, report.influence_interval, "", "at least Delta")
    if np.isnan(report.influence):
        influence = ("not defined", None, "", "contexts differ in more than tasks")
    bootstrap = ("S, bootstrap", None, report.interval, "", "betting decides")
    rows = [
        ("S", report.s, report.betting_interval, of_s, report.verdict),
        *([bootstrap] if _has_bootstrap(report) else []),
        ("Delta", report.delta, report.delta_interval, of_change, signalling),
        ("influence", *influence),
        ("S - Delta - 2", report.excess, report.excess_interval, of_excess, excess),
        *(_rarer_rows(report) if rarer else []),
    ]
    columns = ["value", interval_name(report.level), "p-value of", "in words"]
    return table_of_text(rows, columns)


def _rarer_rows(report: Report) -> list[tuple[str, float, Interval | None, str, str]]:
    """Return the statistics that few readers need, as rows of `statistics`."""
    units, s_odd = report.units, number_text(report.facets.max())
    side = "within" if report.arcsine_excess <= ROUNDING else "beyond"
    half = f"<= 0.5: {p_value_text(report.sign_p_value)}"
    any_facet = f"<= 0: {p_value_text(report.any_facet_p_value)}"
    chosen_after = f"s_odd = {s_odd}: minus signs chosen after"
    share, within = report.share_above_interval, report.excess_within_interval
    quantum = f"correlators alone: {side} the quantum set"
    return [
        ("share above 2", report.share_above, share, half, f"of {units}, S of each"),
        ("within each", report.excess_within, within, "", f"mean of S - Delta - 2 of {units}"),
        ("most possible", report.excess_bound, None, "", "S - Delta - 2, by the rarest cell here"),
        ("s_odd - Delta - 2", report.any_facet_excess, None, any_facet, chosen_after),
        ("arcsine excess", report.arcsine_excess, None, "", quantum),
    ]


def _test_against(value: float, bound: float, p_value: float, p_value_below: float) -> str:
    """Return the hypothesis that a value speaks against, and its p-value."""
    side, p = ("<=", p_value) if value >= bound else (">=", p_value_below)
    return f"{side} {bound:g}: {p_value_text(p)}"


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
    of_s = " and ".join(dict.fromkeys(["betting", report.interval_method]))
    return (
        f"Interval of S: {of_s}; of S - Delta - 2: "
        f"{report.excess_method}. Bounds of S: classical {CLASSICAL_BOUND:.0f}, "
        f"Tsirelson {TSIRELSON_BOUND:.3f}, algebraic {ALGEBRAIC_BOUND:.0f}."
    )


def data_read(report: Report) -> str:
    """Return which replicas and items the report read, and under which readout."""
    clusters = "" if report.clusters is None else f" in {_counted(report.clusters, 'clusters')}"
    items = _counted(report.items, f"{report.split.replace('_', '-')} items")
    paired = "" if report.paired else "; items without partners: C is the product of means"
    return (
        f"{_counted(report.replicas, 'replicas')}{clusters}, {items}; readout: {report.readout}"
        f"{paired}."
    )


def _power(report: Report) -> str:
    """Return which S so many replicas can show to be above 2, and how many it takes for this S."""
    number = _counted(report.independent, report.units)
    smallest = report.smallest_s_shown
    below = "" if smallest is None else f" below {smallest:.3f}"
    able = f"With {number} no S{below} can be shown to be above 2."
    needed = report.replicas_needed
    if report.verdict == "above 2" or needed is None or needed <= report.independent:
        return able
    return f"{able} For the S found here it takes about {needed:,} in all."


def _counted(number: int, things: str) -> str:
    """Return a number with what it counts, in the singular for one."""
    return f"{number:,} {things if number > 1 else things.removesuffix('s')}"


def _notes_of_some(report: Report) -> Iterator[str]:
    """Yield the notes that only some reports need."""
    if report.independent < FEW_REPLICAS:
        yield (
            f"At so few {report.units} a count can say more: S is above 2 in "
            f"{100 * report.share_above:.0f} % of the {report.independent:,} (exact sign test of "
            f"more than half: p = {p_value_text(report.sign_p_value)}). That is about the median, "
            f"not the mean, and these items; the number of {report.units} has to be fixed "
            "beforehand."
        )
    if report.excess < 0 and report.explanation == "undecided":
        yield (
            "The test of S - Delta - 2 >= 0 is cautious: its p-value is sixteen times the smallest "
            "of sixteen, and may be large although the interval lies below 0."
        )
    any_facet = report.any_facet_p_value <= alpha_of(report.level)
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
        yield f"Held-out items: S = {estimate_text(other.s, other.betting_interval)}."
