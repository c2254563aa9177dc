"""The rules that judge the paper's statements, on sweeps whose verdict is plain."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ncnet import claims
from ncnet.training import samples

ROOT = Path(__file__).resolve().parents[1]
PAPERS = [0.5, 1.8, 2.3, 2.05, 2.0, 2.0]


def sweep(values, width=0.02):
    values = np.array(values, float)
    return pd.DataFrame(
        {
            "hidden_size": range(1, len(values) + 1),
            "s": values,
            "s_low": values - width,
            "s_high": values + width,
        }
    )


def holding(values, width=0.02):
    return {name for name, holds in claims.judge(sweep(values, width)).items() if holds}


ALL = {"rises-to-2", "exceeds-2", "peak-at-3", "returns-to-2"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (PAPERS, ALL),
        ([0.5, 1.8, 2.0, 2.0, 2.0, 2.0], {"rises-to-2"}),  # rises and stays
        ([0.5, 1.8, 2.1, 2.3, 2.0, 2.0], ALL - {"peak-at-3"}),  # peaks later
        ([0.5, 1.8, 2.3, 2.29, 2.0, 2.0], ALL - {"peak-at-3"}),  # two peaks, not told apart
        ([0.5, 1.8, 2.3, 2.3, 2.3, 2.3], {"rises-to-2", "exceeds-2"}),  # stays above
        ([0.5, 1.8, 2.3, 2.0, 1.9, 1.8], ALL - {"returns-to-2"}),  # falls below
        ([0.5, 1.8, 2.3, 1.9, 1.9, 2.0], ALL),  # a dip, then 2
        ([0.5, 1.0, 1.2, 1.4, 1.6, 1.8], set()),  # never arrives
        ([0.5, 1.5, 1.2, 2.0, 2.0, 2.0], set()),  # falls on the way
        ([2.0, 2.0, 2.0, 2.0, 2.0, 2.0], set()),  # no rise to be seen
        ([2.2, 2.2, 2.5, 2.0, 2.0, 2.0], ALL - {"rises-to-2"}),  # from above
        ([0.5, 1.8, 1.9, 1.9, 1.9, 2.3], {"rises-to-2", "exceeds-2"}),  # above only at the end
    ],
)
def test_the_rules_say_what_they_are_for(values, expected):
    assert holding(values) == expected


def test_what_intervals_leave_open_does_not_hold():
    assert holding(PAPERS, width=1.0) == set()
    # Within 2.05 with its estimate, not with its interval.
    assert "returns-to-2" not in holding([0.5, 1.8, 2.3, 2.04])
    # At the width that 62 replicas leave at the ceiling.
    assert "returns-to-2" not in holding(PAPERS, width=0.08)


@given(st.permutations(range(len(PAPERS))))
def test_the_order_of_rows_does_not_matter(order):
    table = sweep(PAPERS)
    assert claims.judge(table.iloc[list(order)]) == claims.judge(table)


@given(st.lists(st.floats(-4, 4), min_size=3, max_size=10), st.floats(0.001, 1), st.floats(1.01, 3))
def test_wider_intervals_never_make_a_peak_or_an_excess(values, width, factor):
    narrow, wide = (claims.judge(sweep(values, one)) for one in (width, factor * width))
    for name in ("exceeds-2", "peak-at-3"):
        assert narrow[name] or not wide[name]
    assert wide["exceeds-2"] or not wide["peak-at-3"]
    assert wide["exceeds-2"] or not wide["returns-to-2"]


def test_a_sweep_without_the_critical_size_or_with_one_twice_is_refused():
    with pytest.raises(ValueError, match="no hidden size 3"):
        claims.judge(sweep(PAPERS)[lambda table: table["hidden_size"] != 3])
    with pytest.raises(ValueError, match="hidden size 1 twice"):
        claims.judge(pd.concat([sweep(PAPERS), sweep(PAPERS)]))


def test_every_claim_says_what_it_is():
    for name, claim in claims.CLAIMS.items():
        assert claim.name == name
        assert claim.statement.endswith(".")
        judged = [bool(part) for part in (claim.rule, claim.result, claim.evidence, claim.holds)]
        assert all(judged) or not any(judged)
        assert not claim.rule or claim.rule.endswith(".")
    assert set(claims.CAPACITY_CLAIMS) == ALL


# Read in the abstract, on the review page and in the summaries, apart from what the package says.
KNOWN_FROM = {
    "abstract": {
        "rises-to-2",
        "exceeds-2",
        "returns-to-2",
        "competition-causes",
        "oscillation-senses",
        "generalization-correlates",
        "first-2-generalizes",
    },
    "review page": {
        "peak-at-3",
        "above-2-suffices",
        "multilingual-rises-with-rank",
        "mixed-depends-on-difficulty-and-balance",
    },
    "other public summaries": {"mixed-passes-2-at-low-rank"},
}


def test_every_claim_names_the_source_that_has_it():
    found = {source: set() for source in claims.SOURCES}
    for claim in claims.CLAIMS.values():
        found[claim.source].add(claim.name)
    assert found == KNOWN_FROM


def test_every_source_is_a_reference_of_the_book():
    references = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    for key in claims.SOURCES.values():
        assert f"{{{key}," in references


@pytest.mark.parametrize("page", sorted({c.evidence for c in claims.CLAIMS.values()}))
def test_the_head_of_a_notebook_cites_who_says_what_it_tests(page):
    head = nbformat.read(ROOT / f"{page}.ipynb", as_version=4).cells[0].source
    cited = set(re.findall(r"\{cite:p\}`(\w+)`", head))
    tested = {claims.SOURCES[c.source] for c in claims.CLAIMS.values() if c.evidence == page}
    assert cited & set(claims.SOURCES.values()) == tested


@pytest.mark.parametrize(
    ("peaks", "verdict"),
    [((2.3, 2.2), "reproduced"), ((2.3, 1.9), "partly"), ((2.0, 1.9), "not")],
)
def test_a_verdict_asks_both_games(peaks, verdict):
    table = pd.concat(
        sweep([0.5, 1.8, peak, 2.0]).assign(game=game)
        for game, peak in zip(("overlap", "separate"), peaks, strict=True)
    )
    assert claims.verdict(claims.CLAIMS["exceeds-2"], {"multiverse": table}) == verdict


EXCEEDS = claims.CLAIMS["exceeds-2"]
RISES = claims.CLAIMS["rises-to-2"]


def both_games(table):
    return pd.concat(table.assign(game=game) for game in claims.GAMES)


def test_a_verdict_does_not_depend_on_the_order_of_rows():
    table = both_games(sweep(PAPERS))
    assert claims.verdict(RISES, {"multiverse": table}) == "reproduced"
    assert claims.verdict(RISES, {"multiverse": table.iloc[::-1]}) == "reproduced"


@pytest.mark.parametrize(
    ("tables", "line"),
    [
        ({}, "unknown table `multiverse`"),
        ({"multiverse": both_games(sweep(PAPERS)).iloc[:0]}, "overlap has no rows"),
        ({"multiverse": sweep(PAPERS).assign(game="overlap")}, "separate has no rows"),
        ({"multiverse": pd.concat([both_games(sweep(PAPERS))] * 2)}, "hidden size 1 twice"),
    ],
)
def test_nothing_is_judged_on_no_evidence(tables, line):
    with pytest.raises(ValueError, match=line):
        claims.verdict(EXCEEDS, tables)


ABOVE, OTHER = "above 2", "not distinguishable from 2"


@pytest.mark.parametrize(
    ("rows", "holds"),
    [
        ([(ABOVE, "contextual"), (OTHER, "within 2 + Delta")], True),
        ([(ABOVE, "contextual"), (ABOVE, "within 2 + Delta")], False),  # one counterexample
        ([(ABOVE, "contextual"), (ABOVE, "undecided")], None),
        ([(ABOVE, "undecided"), (ABOVE, "within 2 + Delta")], False),
        ([(OTHER, "contextual"), (OTHER, "within 2 + Delta")], None),  # nothing above 2
    ],
)
def test_above_2_suffices_unless_the_marginals_explain_it(rows, holds):
    table = pd.DataFrame(rows, columns=["verdict", "explanation"])
    assert claims.CLAIMS["above-2-suffices"].holds(table) is holds


def test_what_both_games_leave_open_is_not_testable_here():
    rows = pd.DataFrame({"hidden_size": [2, 3], "verdict": OTHER, "explanation": "undecided"})
    suffices = claims.CLAIMS["above-2-suffices"]
    assert claims.verdict(suffices, {"capacity": both_games(rows)}) == "not testable here"


CAUSES, SENSES = claims.CLAIMS["competition-causes"], claims.CLAIMS["oscillation-senses"]
LOWER = {"s_change_high": -0.1, "s_high": 2.01}


def interventions(**changed):
    rows = {"shared": {"verdict": ABOVE}, **dict.fromkeys(claims.WITHOUT_COMPETITION, LOWER)}
    rows |= changed
    table = pd.DataFrame([{"intervention": name} | row for name, row in rows.items()])
    return table.assign(hidden_size=3)


@pytest.mark.parametrize(
    ("changed", "holds"),
    [
        ({}, True),
        ({"PCGrad": {"s_change_high": 0.01, "s_high": 2.01}}, False),  # may not have fallen
        ({"PCGrad": {"s_change_high": -0.01, "s_high": 2.3}}, claims.PARTLY),  # not all the way
        ({"PCGrad": {"s_change_high": -0.01, "s_high": 2.06}}, claims.PARTLY),  # undecided
        ({"λ = 0": {"s_change_high": 0.3, "s_high": 2.6}}, False),
        ({"MGDA": {"s_change_high": 0.3, "s_high": 2.6}}, True),  # no way to remove conflict
        ({"shared": {"verdict": OTHER}}, None),  # nothing to remove
    ],
)
def test_competition_causes_what_goes_with_it(changed, holds):
    assert CAUSES.holds(interventions(**changed)) is holds


OSCILLATING = [f"oscillation ({reading})" for reading in claims.OSCILLATIONS]


def sensing(**changed):
    told = {"auc_low": 0.8, "p_value": 0.01, "lost_low": 0.02}
    rows = {"whole": told, claims.WITHOUT_OSCILLATION: told | {"auc_low": 0.48}}
    for reading in claims.OSCILLATIONS:
        rows[f"oscillation ({reading})"] = told
        rows[f"without oscillation ({reading})"] = told
    rows |= {use: told | row for use, row in changed.items()}
    table = pd.DataFrame([{"use": use} | row for use, row in rows.items()])
    return table.assign(hidden_size=3)


@pytest.mark.parametrize(
    ("changed", "holds"),
    [
        ({}, True),
        ({"whole": {"auc_low": 0.49}}, False),
        ({"whole": {"p_value": 0.06}}, False),
        ({"whole": {"p_value": np.nan}}, None),  # not tested
        ({use: {"p_value": 0.04} for use in OSCILLATING}, False),  # two tests, one has to hold
        ({"oscillation (fast)": {"auc_low": 0.4}}, True),  # the other reading does
        (
            {
                "oscillation (fast)": {"auc_low": 0.4},
                "without oscillation (rises)": {"lost_low": -0.01},
            },
            False,
        ),
        ({claims.WITHOUT_OSCILLATION: {"auc_low": 0.9}}, claims.PARTLY),
    ],
)
def test_a_head_senses_through_oscillation_what_it_does_not_without(changed, holds):
    assert SENSES.holds(sensing(**changed)) is holds


def test_a_rule_that_holds_in_part_makes_a_verdict_in_part():
    part = both_games(sensing(**{claims.WITHOUT_OSCILLATION: {"auc_low": 0.9}}))
    assert claims.verdict(SENSES, {"sensing": part}) == "partly"
    assert claims.verdict(SENSES, {"sensing": both_games(sensing())}) == "reproduced"
    none = both_games(sensing(whole={"auc_low": 0.4}))
    assert claims.verdict(SENSES, {"sensing": none}) == "not"
    mixed = pd.concat([part[part["game"] == "overlap"], none[none["game"] == "separate"]])
    assert claims.verdict(SENSES, {"sensing": mixed}) == "partly"


@pytest.mark.parametrize(
    ("claim", "table", "line"),
    [
        (CAUSES, interventions().iloc[1:], "unknown intervention `shared`"),
        (CAUSES, interventions()[lambda t: t["intervention"] != "PCGrad"], "intervention `PCGrad`"),
        (CAUSES, interventions().assign(hidden_size=4), "no hidden size 3"),
        (
            SENSES,
            sensing()[lambda t: t["use"] != claims.WITHOUT_OSCILLATION],
            "unknown use `whole,",
        ),
    ],
)
def test_a_rule_on_the_mechanism_names_what_it_misses(claim, table, line):
    with pytest.raises(ValueError, match=line):
        claim.holds(table)


def test_an_intervention_that_comes_twice_is_refused():
    twice = both_games(pd.concat([interventions()] * 2))
    with pytest.raises(ValueError, match=r"hidden size 3, .* twice: judge one at a time"):
        claims.verdict(CAUSES, {"interventions": twice})


def ranks(s, low, high, **others):
    table = pd.DataFrame({"rank": [0.0, 1.0, 2.0, 8.0][: len(s)], "s": s, "s_low": low})
    return table.assign(s_high=high, **others)


def around(values, width=0.05, **others):
    values = np.array(values)
    return ranks(values, values - width, values + width, **others)


def verdict_on(name, **quartets):
    tables = {"lora": pd.concat([t.assign(quartet=q) for q, t in quartets.items()])}
    return claims.verdict(claims.CLAIMS[name], tables)


@pytest.mark.parametrize(
    ("s", "rise_low", "with_rank_low", "expected"),
    [
        ([1.0, 1.5, 1.8, 2.0], 0.9, 0.4, "reproduced"),
        ([1.0, 2.0, 2.0, 2.0], 0.9, -0.1, "partly"),  # adapters raise S, their rank does not
        ([1.9, 2.0, 2.0, 2.0], -0.1, -0.1, "not"),
        ([1.0, 2.0, 1.5, 2.0], 0.9, -0.1, "not"),  # falls on the way
    ],
)
def test_multilingual_s_has_to_rise_with_the_rank(s, rise_low, with_rank_low, expected):
    # The last rank is judged, whatever those before it came to.
    before = [-9.0, -9.0, -9.0]
    table = around(s, rise_low=[*before, rise_low], rise_with_rank_low=[*before, with_rank_low])
    assert verdict_on("multilingual-rises-with-rank", languages=table) == expected
    both = {
        "languages": table,
        "languages_ja": around([1.0, 1.5, 1.8, 2.0]).assign(rise_low=0.9, rise_with_rank_low=0.4),
    }
    either = {"reproduced": "reproduced", "partly": "partly", "not": "partly"}
    assert verdict_on("multilingual-rises-with-rank", **both) == either[expected]


def test_mixed_s_has_to_pass_2_at_low_rank_and_come_back():
    name = "mixed-passes-2-at-low-rank"
    passes, stays = around([1.0, 2.3, 2.1, 2.0]), around([1.0, 2.0, 2.0, 2.0])
    above = around([1.0, 2.3, 2.3, 2.3])
    late = around([1.0, 1.8, 1.9, 2.3])  # above 2 at the largest rank only
    together, apart = claims.MIXED[:2]
    assert verdict_on(name, **{together: passes, apart: passes}) == "reproduced"
    assert verdict_on(name, **{together: passes, apart: stays}) == "partly"
    assert verdict_on(name, **{together: above, apart: above}) == "partly"
    assert verdict_on(name, **{together: stays, apart: late}) == "not"
    assert verdict_on(name, **{together: passes}) == "reproduced"  # the other was not run


def test_what_decides_whether_s_passes_2_has_to_tell_two_sweeps_apart():
    name = "mixed-depends-on-difficulty-and-balance"
    together, apart, twice = claims.MIXED
    passes, stays = around([1.0, 2.3, 2.1, 2.0]), around([1.0, 2.0, 2.0, 2.0])
    wide = around([1.0, 2.0, 2.0, 2.0], width=0.5)

    def verdict(first, second, third):
        return verdict_on(name, **{together: first, apart: second, twice: third})

    assert verdict(passes, stays, stays) == "reproduced"
    assert verdict(stays, passes, passes) == "reproduced"
    assert verdict(passes, stays, passes) == "partly"
    assert verdict(passes, passes, passes) == "not"
    assert verdict(stays, stays, stays) == "not testable here"
    assert verdict(passes, wide, passes) == "not testable here"
    assert verdict(passes, wide, stays) == "partly"


def test_a_rank_that_comes_twice_is_refused():
    table = around([1.0, 2.0]).assign(quartet="languages")
    twice = {"lora": pd.concat([table, table])}
    with pytest.raises(ValueError, match=r"languages has rank 0\.0 twice"):
        claims.verdict(claims.CLAIMS["multilingual-rises-with-rank"], twice)


def generalization(low, high):
    """Rows of one setting; those that the rule must not read say the opposite."""
    about = ["target", "measure", "part", "capacity", "low", "high"]
    rows = [
        ("held_out_accuracy", "spearman", "up to 2", float("nan"), low, high),
        ("held_out_accuracy", "spearman", "beyond 2", float("nan"), -high, -low),
        ("held_out_accuracy", "given means", "up to 2", float("nan"), -high, -low),
        ("held_out_accuracy", "spearman", "at", 3.0, -high, -low),
        ("held_out_worst", "spearman", "up to 2", float("nan"), -high, -low),
    ]
    return pd.DataFrame(rows, columns=about)


def at_first(low, high, best=6):
    columns = ["target", "regret_low", "regret_high", "best_capacity", "largest_capacity"]
    rows = [
        ("held_out_accuracy", low, high, best, 8),
        ("held_out_worst", 1 - high, 1 - low, best, 8),
    ]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("name", "rows", "holds"),
    [
        ("generalization-correlates", generalization(0.05, 0.3), True),
        ("generalization-correlates", generalization(-0.05, 0.09), False),
        ("generalization-correlates", generalization(-0.3, -0.2), False),
        ("generalization-correlates", generalization(-0.05, 0.2), None),
        ("first-2-generalizes", at_first(0.001, 0.02), True),
        ("first-2-generalizes", at_first(0.021, 0.05), False),
        ("first-2-generalizes", at_first(0.01, 0.03), None),
        ("first-2-generalizes", at_first(0.001, 0.02, best=8), None),
        ("first-2-generalizes", at_first(0.021, 0.05, best=8), False),
    ],
)
def test_rules_on_generalization_read_their_own_row(name, rows, holds):
    assert claims.CLAIMS[name].holds(rows) is holds


@pytest.mark.parametrize(
    ("fails", "verdict"), [(0, "reproduced"), (1, "partly"), (len(claims.SETTINGS), "not")]
)
def test_generalization_is_judged_over_all_settings(fails, verdict):
    table = pd.concat(
        generalization(*((-0.3, -0.2) if place < fails else (0.1, 0.2))).assign(setting=name)
        for place, name in enumerate(claims.SETTINGS)
    )
    claim = claims.CLAIMS["generalization-correlates"]
    assert claims.verdict(claim, {"generalization": table}) == verdict
    missing = table[table["setting"] != claims.SETTINGS[0]]
    with pytest.raises(ValueError, match=f"{claims.SETTINGS[0]} has no rows"):
        claims.verdict(claim, {"generalization": missing})


def test_settings_are_those_of_the_batch():
    path = ROOT / "batches" / "rq4.yml"
    cells = yaml.safe_load(path.read_text(encoding="utf-8"))["grid"]["setting"]
    labels = set()
    for cell in cells:
        [name] = cell["populations"]
        counts = {key: cell[key] for key in ("training", "label_noise")}
        labels.add(samples.label(name, **counts))
    assert labels == set(claims.SETTINGS)
