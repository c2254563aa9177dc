"""Shows each statement of the paper as a card: its verdict, what was measured, and its rule.

What was measured is a small forest plot: a line for each game, quartet or condition, on a scale on
which the numbers are shaded at which the statement can hold. All of it is HTML, so that it
follows the colour scheme, and a screen reader reads the numbers.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from ncnet.checks import check_choice
from ncnet.chsh.text import number_text
from ncnet.claims import Claim, Finding, Region
from ncnet.estimates import WORDS, Estimate

MARGIN = 0.06
"""The share of a scale that is left free at either end."""
ALL = "all"


@dataclass(frozen=True)
class Card:
    """A statement, what its rule found, and what to say beside it.

    Attributes
    ----------
    name
        The name of the claim: links lead to it.
    claim, verdict, found
        The claim, its verdict, and what its rule found, by game, quartet or condition.
    held, choices
        The share of other choices under which it holds, and what these are. None and empty where no
        others were tried.
    details
        What is folded, by name, in order.
    """

    name: str
    claim: Claim
    verdict: str
    found: Mapping[str, Finding]
    held: float | None = None
    choices: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


def cards(shown: Sequence[Card], verdicts: Sequence[str]) -> str:
    """Return cards as HTML, with buttons that leave those of one verdict.

    Parameters
    ----------
    shown
        The cards, in their order.
    verdicts
        All that a verdict may be, the best first: a card's class is the place of its own.

    Raises
    ------
    ValueError
        For a verdict that is not one of these.
    """
    for card in shown:
        check_choice("verdict", card.verdict, verdicts)
    body = "".join(_card(card, verdicts.index(card.verdict) + 1) for card in shown)
    return f'<div class="verdict-cards">{_filter(shown, verdicts)}{body}</div>'


def _filter(shown: Sequence[Card], verdicts: Sequence[str]) -> str:
    counts = Counter(card.verdict for card in shown)
    choices = [(ALL, f"all {len(shown)}", " checked")]
    choices += [(str(k), f"{name}: {counts[name]}", "") for k, name in enumerate(verdicts, 1)]
    buttons = "".join(
        f'<label><input type="radio" name="verdict" value="{value}"{checked}> {text}</label>'
        for value, text, checked in choices
    )
    return f"<fieldset><legend>Show</legend>{buttons}</fieldset>"


def _card(card: Card, place: int) -> str:
    claim = card.claim
    return (
        f'<article class="verdict-card verdict-{place}" id="{escape(card.name)}" '
        f'aria-label="{escape(claim.label)}">'
        f'<p class="statement">{as_html(claim.statement.removesuffix("."))} '
        f'<span class="source">({escape(claim.source)}).</span></p>'
        f'<p class="stamp">{escape(_stamp(card))}</p>'
        f'<p class="estimand">{as_html(_sentence(claim.estimand))}:</p>'
        f"{forest(card.found, claim.region)}{_reasons(card)}{_meter(card)}{_details(card)}"
        "</article>"
    )


def _stamp(card: Card) -> str:
    """Return the verdict, and of one in part, of how many rows it is true."""
    answers = [one.holds for one in card.found.values()]
    if all(answers) or not any(answers):
        return card.verdict
    return f"{card.verdict}: {answers.count(True)} of {len(answers)}"


def _reasons(card: Card) -> str:
    """Say what decides where the plot does not show it."""
    found = {name: one.reason for name, one in card.found.items() if one.reason}
    by_reason = {
        reason: [name for name, of_one in found.items() if of_one == reason]
        for reason in found.values()
    }
    return "".join(
        f'<p class="more">{_of(names, card)}{as_html(reason)}.</p>'
        for reason, names in by_reason.items()
    )


def _of(names: list[str], card: Card) -> str:
    """Name the rows that a reason is of, unless it is of all."""
    return "" if len(names) == len(card.found) else f"{escape(', '.join(names))}: "


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def forest(found: Mapping[str, Finding], region: Region) -> str:
    """Return a forest plot as HTML: a list, one item a game, quartet or condition.

    Parameters
    ----------
    found
        What a rule found, by name.
    region
        Where the statement can hold: it is shaded.
    """
    low, high = _scale([one.estimate for one in found.values()], region)

    def at(value: float) -> float:
        return 100 * (min(max(value, low), high) - low) / (high - low)

    shades = "".join(
        f'<i class="region" style="left:{at(a):.1f}%;right:{100 - at(b):.1f}%"></i>'
        for a, b in region
    )
    edges = sorted({end for ends in region for end in ends if math.isfinite(end)})
    shades += "".join(f'<i class="edge" style="left:{at(edge):.1f}%"></i>' for edge in edges)
    ticks = "".join(
        f'<span style="left:{at(edge):.1f}%">{typeset(number_text(edge, 2))}</span>'
        for edge in edges
    )
    rows = (_row(name, one, shades + _drawn(one.estimate, at)) for name, one in found.items())
    scale = f'<span class="line">{ticks}</span>'
    axis = f'<li class="scale" aria-hidden="true"><span class="name"></span>{scale}</li>'
    return f'<ul class="forest">{"".join(rows)}{axis}</ul>'


def _row(name: str, one: Finding, drawn: str) -> str:
    answer = WORDS[one.holds]
    return (
        f'<li class="{answer.replace(" ", "-")}">'
        f'<span class="name">{"" if name == ALL else escape(name)}</span>'
        f'<span class="line" aria-hidden="true">{drawn}</span>'
        f'<span class="number">{typeset(str(one.estimate))}</span>'
        f'<span class="answer">{answer}</span></li>'
    )


def _drawn(estimate: Estimate, at: Callable[[float], float]) -> str:
    if math.isnan(estimate.value):
        return ""
    ends = f"left:{at(estimate.low):.1f}%;right:{100 - at(estimate.high):.1f}%"
    value = f'<i class="value" style="left:{at(estimate.value):.1f}%"></i>'
    return f'<i class="interval" style="{ends}"></i>{value}'


def _scale(estimates: Sequence[Estimate], region: Region) -> tuple[float, float]:
    """Return the ends of a scale that has all intervals, and all edges of the region."""
    values = [end for one in estimates for end in (one.low, one.value, one.high)]
    values += [end for ends in region for end in ends]
    values = [value for value in values if math.isfinite(value)]
    free = MARGIN * (max(values) - min(values)) or 1.0
    return min(values) - free, max(values) + free


def _meter(card: Card) -> str:
    if card.held is None:
        return ""
    share = round(100 * card.held)
    return (
        f'<p class="other-choices"><meter min="0" max="100" value="{share}" '
        f'aria-label="share of other choices">{share} %</meter> '
        f"Holds under {share} % of {escape(card.choices)}.</p>"
    )


def _details(card: Card) -> str:
    items = "".join(
        f"<dt>{escape(name)}</dt><dd>{as_html(text)}</dd>" for name, text in card.details.items()
    )
    evidence = f'<a href="{escape(card.claim.evidence)}.html">Evidence</a>'
    folded = f"<details><summary>Rule and history</summary><dl>{items}</dl></details>"
    return f'<div class="more">{evidence}{folded}</div>'


def as_html(text: str) -> str:
    """Return text as HTML: with a minus where it is one, and code where backticks mark it.

    >>> as_html("the readout `loss`")
    'the readout <code>loss</code>'
    """
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(typeset(text)))


def typeset(text: str) -> str:
    """Return text with a minus in place of each hyphen that is one, and printers' apostrophes.

    >>> typeset("-0.05 [-0.10, 0.00], S - 2 of well-known") == (
    ...     "\N{MINUS SIGN}0.05 [\N{MINUS SIGN}0.10, 0.00], S \N{MINUS SIGN} 2 of well-known"
    ... )
    True
    """
    minus = re.sub(r"(?<![^\s\[])-(?=[\s\d])", "\N{MINUS SIGN}", text)
    return minus.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
