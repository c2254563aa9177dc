"""The cards of the page of verdicts: what they show is what the rules found."""

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnet.claims import VERDICTS, Finding, apart, beyond, findings, verdict
from ncnet.companion import figures
from ncnet.companion.claims import CLAIMS, recorded_tables
from ncnet.companion.figures import verdict_cards
from ncnet.estimates import UNKNOWN, Estimate

NUMBERS = st.floats(-5, 5)
CLAIM = next(iter(CLAIMS.values()))


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=list(CLAIMS))
def test_a_statement_holds_only_in_the_region_that_its_card_shades(claim):
    for found in findings(claim, recorded_tables()).values():
        low, high = found.estimate.low, found.estimate.high
        inside = any(start <= low and high <= end for start, end in claim.region)
        assert inside or found.holds is not True


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=list(CLAIMS))
def test_an_answer_that_a_plot_does_not_show_has_a_reason(claim):
    for found in findings(claim, recorded_tables()).values():
        low, high = found.estimate.low, found.estimate.high
        inside = any(start <= low and high <= end for start, end in claim.region)
        outside = all(high < start or end < low for start, end in claim.region)
        shown = True if inside else False if outside else None
        assert found.holds == shown or found.reason


def test_a_reason_is_said_once_for_all_that_share_it():
    found = {name: Finding(None, UNKNOWN, "it was < 2") for name in ("one", "two")}
    html = figures.cards([card(found=found)], VERDICTS)
    assert html.count('<p class="more">it was &lt; 2.') == 1
    html = figures.cards([card(found=found | {"three": Finding(True, UNKNOWN)})], VERDICTS)
    assert html.count("one, two: it was &lt; 2.") == 1


def test_a_stamp_says_in_how_much_a_statement_holds():
    found = {name: Finding(name == "one", UNKNOWN) for name in ("one", "two")}
    html = figures.cards([card(found=found, verdict=VERDICTS[1])], VERDICTS)
    assert f">{VERDICTS[1]}: 1 of 2</p>" in html


def card(name="one", **of_card):
    tables = recorded_tables()
    given = {"verdict": verdict(CLAIM, tables), "found": findings(CLAIM, tables)}
    return figures.Card(name, CLAIM, **(given | of_card))


def test_buttons_say_how_many_cards_each_verdict_has():
    shown = [card(str(k), verdict=VERDICTS[k]) for k in (0, 0, 2)]
    html = figures.cards(shown, VERDICTS)
    counts = [f"{name}: {count}" for name, count in zip(VERDICTS, (2, 0, 1, 0), strict=True)]
    assert re.findall(r"> ([^<>]+)</label>", html) == ["all 3", *counts]
    assert html.count('class="verdict-card verdict-1"') == 2


def test_a_verdict_that_is_none_is_refused():
    with pytest.raises(ValueError, match="perhaps"):
        figures.cards([card(verdict="perhaps")], VERDICTS)


def test_text_stays_text():
    claim = replace(CLAIM, statement="S < 2 & more.", estimand="the <b>", rule="`code` and <i>")
    html = figures.cards([card(details={"Rule": claim.rule})], VERDICTS)
    assert "<code>code</code> and &lt;i&gt;" in html
    html = figures.cards([replace(card(), claim=claim)], VERDICTS)
    assert "S &lt; 2 &amp; more" in html
    assert "The &lt;b&gt;" in html


@given(st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=4), st.floats(0, 3))
def test_a_plot_has_all_within_its_scale(rows, effect):
    ordered = [Estimate(value, low, high) for low, value, high in map(sorted, rows)]
    for region in (beyond(effect), apart(effect)):
        found = {str(k): Finding(None, one) for k, one in enumerate(ordered)}
        places = re.findall(r"(?:left|right):(-?[\d.]+|nan)%", verdict_cards.forest(found, region))
        assert all(0 <= float(place) <= 100 for place in places)
        drawn = re.findall(
            r'class="value" style="left:([\d.]+)%', verdict_cards.forest(found, region)
        )
        order = sorted(range(len(ordered)), key=lambda k: ordered[k].value)
        assert [float(drawn[k]) for k in order] == sorted(map(float, drawn))


def test_what_could_not_be_estimated_has_no_mark():
    html = verdict_cards.forest({"all": Finding(None, UNKNOWN)}, ((0, math.inf),))
    assert "not defined" in html
    assert 'class="value"' not in html
