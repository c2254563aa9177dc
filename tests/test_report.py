"""The report as a whole: what it prints, shows and exports, and what it makes of edge cases."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnet import chsh
from ncnet.chsh import views
from ncnet.chsh.bootstrap import distinct_columns, resampled_means
from ncnet.chsh.inference import inference
from ncnet.chsh.text import NONE, as_text, interval_text, span_text
from tests.strategies import (
    correlated_outcomes,
    deterministic_outcomes,
    signalling_outcomes,
    singlet_correlators,
)


def test_printed_and_shown_it_names_what_a_reader_needs():
    report = chsh.report(correlated_outcomes(np.zeros((2, 2)), replicas=64, items=2, seed=0))
    text, page = str(report), report.html()
    for word in ("64 replicas, 2 training items", "readout: correct", "influence", "(2,2)"):
        assert word in text
        assert word in page
    # A terminal may lack the letter.
    assert "S - Delta - 2" in text
    assert text.isascii()
    assert "S - Δ - 2" in page
    assert "Delta" not in page


def test_rarer_rows_are_there_when_asked_for():
    outcomes = correlated_outcomes(np.zeros((2, 2)), replicas=64, items=2, seed=0)
    report = chsh.report(outcomes, resamples=1000)
    usual, full, page = str(report), str(report.full()), report.full()._repr_html_()
    for word in ("share above 2", "s_odd - Delta - 2", "arcsine excess", "Tsirelson 2.828"):
        assert word not in usual
        assert word in full
        assert word.replace("Delta", "Δ") in page
    assert report.html(rarer=True) == page != report.html()
    assert full.startswith(usual.partition("Statistics:")[0])


def test_a_report_in_full_says_on_which_side_of_the_quantum_set_it_lies():
    report = chsh.report(correlated_outcomes(np.zeros((2, 2)), replicas=64, items=2, seed=0))
    for excess, side in ((-0.1, "within"), (0.01, "beyond")):
        [line] = [
            line
            for line in str(replace(report, arcsine_excess=excess).full()).splitlines()
            if "arcsine excess" in line
        ]
        assert side in line


@pytest.mark.parametrize("value", [-0.5, 0.0, 0.5])
def test_a_test_asks_whether_it_is_on_the_other_side(value):
    """An S above 2 speaks against "S <= 2", and has that p-value beside it."""
    report = replace(
        chsh.report(correlated_outcomes(np.zeros((2, 2)), replicas=64, items=2, seed=0)),
        s=2 + value,
        p_value=0.11,
        p_value_below=0.22,
        excess=value,
        excess_p_value=0.33,
        excess_p_value_below=0.44,
    )
    rows = views.statistics(report, rarer=False)["p-value of"]
    of_s, of_what_is_left = (
        (">= 2: 0.220", ">= 0: 0.440") if value < 0 else ("<= 2: 0.110", "<= 0: 0.330")
    )
    assert (rows["S"], rows["S - Delta - 2"]) == (of_s, of_what_is_left)


def test_html_escapes_what_it_shows():
    report = chsh.report(deterministic_outcomes([1, 1], [1, 1], replicas=20))
    assert "&lt;Ai&gt;" in report._repr_html_()
    assert "<Ai>" not in report._repr_html_()


def test_the_row_repeats_the_attributes():
    report = chsh.report(correlated_outcomes(singlet_correlators(), 200, 4, seed=1))
    row = report.row()
    assert (row["s_low"], row["s_high"]) == report.interval
    assert (row["excess_low"], row["excess_high"]) == report.excess_interval
    assert row["correlator_22"] == report.correlators[1, 1]
    assert row["alice_21"] == report.alice[1, 0]
    assert row["bob_12"] == report.bob[0, 1]
    assert row["s_odd"] == max(report.facets)
    assert row["no_signalling_p_value"] == min(report.no_signalling_p_values)
    assert all(np.isscalar(value) for value in row.values())


@pytest.mark.parametrize(
    ("outcomes", "explanation", "significant"),
    [
        (correlated_outcomes(singlet_correlators(), 400, 8, seed=2), "contextual", True),
        (signalling_outcomes(0.3, replicas=400, items=8, seed=2), "undecided", False),
        (
            correlated_outcomes(np.zeros((2, 2)), 400, 8, seed=2),
            "within 2 + Delta",
            False,
        ),
    ],
)
def test_explanation_says_what_the_marginals_leave(outcomes, explanation, significant):
    report = chsh.report(outcomes)
    assert report.explanation == explanation
    assert (report.excess_p_value <= 0.05) == significant
    assert explanation.replace("contextual", "beyond 2 + Delta") in str(report)


def test_signalling_is_named():
    report = chsh.report(signalling_outcomes(0.3, replicas=400, items=8, seed=2))
    assert "signalling in A2" in str(report)
    assert report.signalling == ["A2"]
    significant = report.no_signalling_p_values <= 0.05
    assert significant.tolist() == [False, True, False, False]
    assert report.s > 2.2
    assert report.p_value < 0.001
    assert report.share_above_interval[0] < report.share_above < report.share_above_interval[1]


@pytest.mark.parametrize("correlators", [np.zeros((2, 2)), singlet_correlators()])
def test_estimates_lie_in_their_intervals(correlators):
    report = chsh.report(correlated_outcomes(correlators, 100, 4, seed=3))
    for value, (low, high) in (
        (report.s, report.interval),
        (report.influence, report.influence_interval),
        (report.share_above, report.share_above_interval),
        (report.excess, report.excess_interval),
    ):
        assert low <= value <= high
    assert report.excess <= report.any_facet_excess
    assert report.excess <= report.excess_bound


@pytest.mark.parametrize("replicas", [1, 2, 64])
def test_outcomes_without_variance_bet_and_say_so(replicas):
    """A context all +1, and a single replica: no resample has a spread."""
    report = chsh.report(deterministic_outcomes([1, 1], [1, 1], replicas=replicas))
    assert (report.interval_method, report.excess_method) == ("betting", "betting")
    assert (report.p_value, report.excess_p_value) == (1, 1)
    for low, high in (
        report.interval,
        report.excess_interval,
        *report.correlator_intervals.reshape(4, 2),
    ):
        assert high - low > 0
    if replicas == 1:
        # Nothing is known beyond the range.
        assert report.interval[0] < -3
        assert report.excess_interval[0] < -8


def test_sums_of_many_items_do_not_overflow():
    """300 outcomes of int8 would wrap at 127, and float16 counts no farther than 2,048."""
    for kind, items in ((np.int8, 300), (np.float16, 5000), (object, 300)):
        a, b = (np.ones((2, 2, 12, items), kind) for _ in range(2))
        a[1, 1] = -1
        report = chsh.report((a, b))
        assert (report.s, report.delta, report.influence) == (4, 2, 2)


def test_a_level_is_named_as_it_is():
    outcomes = deterministic_outcomes([1, 1], [1, 1])
    for level, name in ((0.95, "95 %"), (0.975, "97.5 %"), (0.999, "99.9 %")):
        report = chsh.report(outcomes, level=level, resamples=50_000)
        assert f"{name} interval" in str(report)
        assert report.row()["level"] == level


def test_within_replicas_nothing_cancels():
    """Alice's outcomes turn with Bob's setting, up in half of the replicas and down in the rest."""
    a, b = (np.ones((2, 2, 100, 4)) for _ in range(2))
    a[0, 0, ::2] = a[0, 1, 1::2] = -1
    report = chsh.report((a, b))
    assert (report.s, report.delta, report.influence) == (0, 0, 2)
    assert (report.excess, report.excess_within) == (-2, -4)
    # Within a replica, half of the items up and half down: it cancels there already.
    a, b = (np.ones((2, 2, 100, 4)) for _ in range(2))
    a[0, 0, :, ::2] = a[0, 1, :, 1::2] = -1
    report = chsh.report((a, b))
    assert (report.s, report.delta, report.influence) == (0, 0, 2)
    assert (report.excess, report.excess_within) == (-2, -2)


def test_replicas_that_are_all_different_are_resampled_as_fast():
    generator = np.random.default_rng(0)
    a, b = generator.choice([-1, 1], size=(2, 2, 2, 3000, 50))
    report = chsh.report((a, b))
    low, high = report.interval
    assert low < report.s < high
    # The standard error of S: four independent correlators of 3,000 x 50 products each.
    assert (high - low) / 3.92 == pytest.approx(2 / np.sqrt(150_000), rel=0.1)


def test_the_text_of_a_report_is_the_report():
    report = chsh.report(deterministic_outcomes([1, 1], [1, 1]))
    assert repr(report) == str(report)
    assert max(map(len, str(report).splitlines())) <= 80
    differing = replace(report, no_signalling_p_values=np.full(4, 0.01))
    assert max(map(len, str(differing).splitlines())) <= 80
    assert report == report
    assert "Diverged" not in str(report)


def test_a_level_takes_enough_resamples():
    outcomes = deterministic_outcomes([1, 1], [1, 1])
    with pytest.raises(
        ValueError, match=r"`resamples` is 799: expected at least 800 at level 0.95"
    ):
        chsh.report(outcomes, resamples=799)
    assert chsh.report(outcomes, resamples=800).level == 0.95
    with pytest.raises(ValueError, match="expected at least 40,000 at level"):
        chsh.report(outcomes, level=0.999)


ENOUGH = {"excess_interval": (-0.1, -0.05), "excess_p_value_below": 0.01}
UNSHOWN = {
    "change_intervals": np.tile([-0.1, 0.1], (4, 1)),
    "no_signalling_p_values": np.ones(4),
}
TESTED = {"no_signalling_p_values": np.array([1.0, 0.01, 1.0, 1.0])}
BELOW = {"betting_interval": (1.5, 1.8)}
CONTEXTUAL = {"excess_interval": (0.1, 0.2), "excess_p_value": 0.01}
CONCLUSIONS = [
    (ENOUGH, "S is above 2: ", "Such changes are enough to explain S above 2"),
    ({"interval": (1.8, 1.9)}, "above 2", "[1.800, 1.900] by bootstrap. Betting decides"),
    ({"betting_interval": (1.9, 2.9)}, "not distinguishable", "[1.900, 2.900] by betting, ["),
    ({"interval_method": "betting"}, "above 2", "] by betting. How often one head"),
    (BELOW, "is below 2", "How often one head is right changes with"),
    (CONTEXTUAL, "above 2", "Such changes are not enough"),
    (CONTEXTUAL | UNSHOWN, "above 2", "Such changes are not enough"),
    (
        CONTEXTUAL | {"excess_p_value": 0.5},
        "above 2",
        "open: interval and exact test differ",
    ),
    (
        ENOUGH | {"excess_p_value_below": 0.5},
        "above 2",
        "open: interval and exact test differ",
    ),
    (
        {"no_signalling_p_values": np.ones(4)},
        "above 2",
        "is open: interval and exact test differ, as the test is cautious (Delta",
    ),
    (UNSHOWN | TESTED, "above 2", "is open: interval and exact test differ (Delta"),
    (
        {"excess_interval": (-0.1, 0.1), "excess_p_value": 0.01},
        "above 2",
        "S above 2 is open: interval and exact test differ (S - Delta - 2",
    ),
    (
        {"excess_interval": (-0.1, 0.1), "excess_p_value_below": 0.5},
        "above 2",
        "S above 2 is open (S - Delta - 2",
    ),
    (UNSHOWN, "above 2", "It is not shown that how often one head is right changes"),
    (UNSHOWN, "above 2", "Single outcomes do change (influence ="),
    (UNSHOWN | {"influence_interval": (0.0, 1.0)}, "above 2", "It is not shown"),
]


@pytest.mark.parametrize(("changes", "verdict", "word"), CONCLUSIONS)
def test_the_conclusion_follows_the_more_careful_of_interval_and_test(changes, verdict, word):
    outcomes = signalling_outcomes(0.3, replicas=400, items=8, seed=2)
    report = replace(chsh.report(outcomes), **changes)
    assert verdict in report.conclusion
    assert word in report.conclusion
    assert str(report).replace("\n", " ").startswith(report.conclusion)


def test_evidence_has_interval_and_exact_test_beside_each_other():
    report = chsh.report(signalling_outcomes(0.3, replicas=400, items=8, seed=2))
    evidence = report.evidence
    sides = ["contextual", "within 2 + Delta"]
    assert evidence.index.tolist() == [*sides, *chsh.signalling.TASKS]
    assert evidence["by_interval"].tolist() == [*[False] * 3, True, False, False]
    assert evidence["p_value"]["contextual"] == report.excess_p_value
    assert evidence["p_value"]["within 2 + Delta"] == report.excess_p_value_below
    assert evidence["together"].tolist() == [*["not shown"] * 3, "shown", *["not shown"] * 2]
    tested = replace(report, **TESTED | UNSHOWN | {"excess_p_value": 0.01})
    assert tested.evidence["together"]["contextual"] == "open"
    assert replace(report, **{**UNSHOWN, **TESTED}).evidence["together"]["A2"] == "open"


@given(seed=st.integers(0, 10_000), replicas=st.integers(1, 400), level=st.floats(0.5, 0.99))
def test_the_verdict_is_that_of_the_exact_tests_at_half_of_alpha_each(seed, replicas, level):
    """The betting interval inverts them."""
    generator = np.random.default_rng(seed)
    values = generator.choice([1.5, 2.0, 2.25, 4.0], size=replicas, p=generator.dirichlet([1] * 4))
    correlators = chsh.SIGNS.values.reshape(4, 1) * values / 4
    rows = np.vstack([correlators, np.zeros((9, replicas))])
    distinct, counts = distinct_columns(rows)
    draws = resampled_means(distinct, counts, resamples=10, seed=0)
    found = inference(distinct, counts, draws, level=level)
    low, high = found["betting_interval"]
    alpha = (1 - level) / 2
    assert low < high
    for lies_beyond, p_value in ((low > 2, found["p_value"]), (high < 2, found["p_value_below"])):
        assert lies_beyond == (p_value <= alpha) or p_value == pytest.approx(alpha, rel=1e-6)
    assert (found["replicas_needed"] or np.inf) <= replicas or not low > 2


def test_both_intervals_of_s_are_printed_and_shown_and_one_decides():
    report = chsh.report(signalling_outcomes(0.3, replicas=400, items=8, seed=2))
    table = views.statistics(report, rarer=False)["95 % interval"]
    assert table["S"] == interval_text(report.betting_interval)
    assert table["S, bootstrap"] == interval_text(report.interval)
    assert "Betting decides" in report.html()
    row = report.row()
    assert (row["s_betting_low"], row["s_betting_high"]) == report.betting_interval
    alike = chsh.report(deterministic_outcomes([1, 1], [1, 1], replicas=40))
    assert alike.interval == alike.betting_interval
    assert "bootstrap" not in alike.conclusion
    assert "S, bootstrap" not in views.statistics(alike, rarer=False).index


def test_where_the_test_of_the_excess_is_cautious_it_is_said():
    report = chsh.report(signalling_outcomes(0.3, replicas=400, items=8, seed=2))
    below = {"excess": -0.1, "excess_interval": (-0.149, -0.033), "excess_p_value_below": 1.0}
    open_report = replace(report, **below)
    assert open_report.explanation == "undecided"
    tests = views.statistics(open_report, rarer=False)["p-value of"]
    assert tests["S - Delta - 2"] == ">= 0: 1.000"
    assert "sixteen times" in str(open_report)
    for change in ({"excess_p_value_below": 0.01}, {"excess": 0.1}):
        assert "sixteen" not in str(replace(report, **below | change))


@pytest.mark.slow
@given(seed=st.integers(0, 10_000), replicas=st.integers(1, 40), signal=st.floats(0, 1))
def test_no_verdict_contradicts_its_interval(seed, replicas, signal):
    report = chsh.report(
        signalling_outcomes(signal, replicas=replicas, items=2, seed=seed), resamples=800
    )
    assert (report.verdict == "above 2") == (report.betting_interval[0] > 2)
    assert (report.verdict == "below 2") == (report.betting_interval[1] < 2)
    assert (report.explanation == "contextual") <= (report.excess_interval[0] > 0)
    assert (report.explanation == "within 2 + Delta") <= (report.excess_interval[1] <= 0)
    assert (report.explanation == "contextual") <= ("not enough" in report.conclusion)
    rows = report.drops.set_index("task")
    assert report.signalling == [task for task in chsh.signalling.TASKS if rows.shown[task]]
    assert bool(report.signalling) <= (report.delta_interval[0] > 0)
    assert rows[rows.shown].low.gt(0).all()
    assert rows.points.sum() / 50 == pytest.approx(report.delta)
    assert (rows.low <= rows.points + 1e-9).all()
    assert (rows.points <= rows.high + 1e-9).all()
    assert rows.points.is_monotonic_decreasing
    assert rows.right_with_other.sub(rows.right_with_worse).to_numpy() == pytest.approx(rows.points)


def test_what_a_task_loses_is_told_of_its_worse_partner():
    """Of four items A1 loses one beside B2, B2 loses two beside A1, and A2 one beside B1."""
    a, b = (np.ones((2, 2, 30, 4)) for _ in range(2))
    a[0, 1, :, 0] = -1
    b[0, 1, :, :2] = -1
    a[1, 0, :, 0] = -1
    rows = chsh.report((a, b)).drops
    assert rows.task.tolist()[:2] == ["B2", "A1"]
    assert rows.worse_partner.tolist()[:2] == ["A1", "B2"]
    assert rows.other_partner.tolist()[:2] == ["A2", "B1"]
    assert rows.points.tolist() == [50, 25, 25, 0]
    assert rows.right_with_worse.tolist()[:2] == [50, 75]
    assert rows.worse_partner[rows.task == "A2"].tolist() == ["B1"]
    assert (rows.low <= rows.points).all()
    assert (rows.points <= rows.high).all()


def test_what_is_said_is_of_the_readout():
    a, b = (np.ones((2, 2, 30, 4)) for _ in range(2))
    a[0, 1, :, 0] = -1
    text = str(chsh.report((a, b), readout="solved"))
    assert "how often one head solves all items changes" in text.replace("\n", " ").lower()
    assert re.search(r"A1 beside B2 +0.0 +100.0 beside B1 +100.0", text)


def test_a_marginal_of_predictions_is_no_success():
    a, b = (np.ones((2, 2, 30, 4)) for _ in range(2))
    a[0, 1, :, 0] = -1
    dataset = chsh.as_dataset((a, b))
    target = (("alice_setting", "item"), np.ones((2, 4), int))
    dataset = dataset.assign(alice_target=target, bob_target=(("bob_setting", "item"), target[1]))
    report = chsh.report(dataset, readout="prediction")
    for text in (str(report), report.html()):
        assert "predicts +1" in text.replace("\n", " ")
        assert "loses" not in text


def test_another_facet_that_passes_is_told():
    a, b = (np.ones((2, 2, 200, 20)) for _ in range(2))
    a[0, 0, :, ::2] = b[0, 0, :, ::2] = -1
    a[0, 0] *= -1
    a[:, :, ::2], b[:, :, ::2] = -a[:, :, ::2], -b[:, :, ::2]
    report = chsh.report((a, b))
    assert report.explanation != "contextual"
    assert report.any_facet_p_value <= 0.05
    assert "With its minus signs elsewhere" in str(report)


def test_numbers_have_no_sign_at_0_and_p_values_no_end():
    report = chsh.report(deterministic_outcomes([1, 1], [1, 1], replicas=40))
    tiny = replace(report, excess=-0.0001, p_value=1e-307)
    assert "-0.000" not in str(tiny)
    assert "<1e-300" in str(tiny)


def test_items_without_partners_are_told():
    a, b = correlated_outcomes(np.zeros((2, 2)), replicas=30, items=4, seed=0)
    dataset = chsh.as_dataset((a, b)).assign_attrs(paired=0)
    assert "without partners" in str(chsh.report(dataset))
    assert "without partners" not in str(chsh.report((a, b)))


def test_more_replicas_are_asked_for_only_where_nothing_is_shown():
    outcomes = signalling_outcomes(0.3, replicas=400, items=8, seed=2)
    above = replace(chsh.report(outcomes), replicas_needed=1000)
    assert above.verdict == "above 2"
    assert "in all" not in str(above)
    unshown = replace(above, betting_interval=(1.9, 2.9))
    assert "about 1,000 in all" in str(unshown).replace("\n", " ")


def test_its_numbers_can_be_written_as_json():
    outcomes = correlated_outcomes(singlet_correlators(), 200, 4, seed=1)
    dataset = chsh.as_dataset(outcomes)
    dataset["split"] = ("item", ["training", "training", "training", "held_out"])
    report = chsh.report(dataset)
    numbers = json.loads(json.dumps(report.numbers(), allow_nan=False))
    assert numbers["s"] == report.s
    assert numbers["interval"] == list(report.interval)
    assert numbers["correlators"] == report.correlators.tolist()
    assert numbers["held_out"]["s"] == report.held_out.s
    assert numbers["held_out"]["held_out"] is None
    assert numbers["drops"][0]["task"] == report.drops.task[0]
    assert numbers["facets"]["+++-"] == report.s
    assert numbers["verdict"] == report.verdict


def test_so_few_replicas_cannot_show_what_they_find():
    report = chsh.report(deterministic_outcomes([1, 1], [1, 1], replicas=10))
    assert report.smallest_s_shown is None
    assert "no S can be shown" in str(report).replace("\n", " ")
    a, b = (np.ones((2, 2, 40, 20)) for _ in range(2))
    a[1, 1, :, :3] = -1  # S = 2.3 in every replica
    report = chsh.report((a, b))
    assert report.s == pytest.approx(2.3)
    assert report.verdict == "not distinguishable from 2"
    assert report.smallest_s_shown > 2.3
    assert report.sign_p_value == pytest.approx(0.5**40)
    assert f"about {report.replicas_needed} in all" in str(report).replace("\n", " ")
    for replicas in (report.replicas_needed - 1, report.replicas_needed):
        a, b = (np.ones((2, 2, replicas, 20)) for _ in range(2))
        a[1, 1, :, :3] = -1
        enough = chsh.report((a, b))
        assert (enough.verdict == "above 2") == (replicas == report.replicas_needed)
        assert ("in all" in str(enough)) == (replicas < report.replicas_needed)


def test_clusters_are_what_is_independent():
    """Ten copies of each of 30 replicas say no more than the 30."""
    a, b = correlated_outcomes(singlet_correlators(), 30, 4, seed=1)
    once = chsh.report((a, b))
    copied = chsh.as_dataset((a.repeat(10, axis=2), b.repeat(10, axis=2)))
    copied = copied.assign_coords(cluster=("replica", np.arange(30).repeat(10)))
    report = chsh.report(copied)
    assert (report.replicas, report.clusters) == (300, 30)
    assert "300 replicas in 30 clusters" in str(report)
    assert "At so few clusters" in str(report).replace("\n", " ")
    assert "replicas" not in str(report).partition("30 clusters")[2]
    assert (report.s, report.interval, report.p_value) == (
        pytest.approx(once.s),
        pytest.approx(once.interval),
        pytest.approx(once.p_value),
    )


def test_settings_are_those_of_each_task():
    """Alice's A1 flips with Bob's setting on 1 of 4 items, Bob's B2 on 2 of 4 with Alice's."""
    a, b = (np.ones((2, 2, 30, 4)) for _ in range(2))
    a[0, 1, :, 0] = -1
    b[1, 1, :, :2] = -1
    changed = chsh.influence((a, b)).mean("replica")
    assert changed.to_series().to_dict() == {"A1": 0.5, "A2": 0, "B1": 0, "B2": 1}
    changes = chsh.marginal_changes(chsh.marginals((a, b)))
    assert changes.to_series().to_dict() == {"A1": 0.5, "A2": 0, "B1": 0, "B2": 1}


@given(st.floats(-1e3, 1e3), st.floats(1e-9, 10), st.integers(0, 4))
def test_ends_that_differ_are_printed_apart(low, width, digits):
    high = low + width
    ends = interval_text((low, high), digits=digits).strip("[]").split(", ")
    assert ends[0] != ends[1]
    assert float(ends[0]) == pytest.approx(low, abs=10.0**-digits)
    assert float(ends[1]) == pytest.approx(high, abs=10.0**-digits)
    assert span_text([high, low], digits) == " to ".join(ends)
    assert not [end for end in ends if end.startswith("-") and float(end) == 0]


def test_no_number_is_a_dash_and_no_zero_has_a_sign():
    table = pd.DataFrame({"s": [-0.0004, np.nan, 1.5], "n": [1, 2, 3]})
    shown = as_text(table, 2)
    assert shown["s"].tolist() == ["0.00", NONE, "1.50"]
    assert shown["n"].tolist() == [1, 2, 3]
