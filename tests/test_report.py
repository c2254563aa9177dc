"""The report as a whole: what it prints, shows and exports, and what it makes of edge cases."""

import numpy as np
import pytest

from ncnet import chsh
from tests.strategies import (
    correlated_outcomes,
    deterministic_outcomes,
    signalling_outcomes,
    singlet_correlators,
)


def test_printed_and_shown_it_names_what_a_reader_needs():
    report = chsh.report(correlated_outcomes(np.zeros((2, 2)), replicas=64, items=2, seed=0))
    for text in (str(report), report._repr_html_()):
        for word in (
            "replicas: 64; readout: correct; training items: 2",
            "share above 2",
            "Delta",
            "influence",
            "S - Delta - 2",
            "s_odd - Delta - 2",
            "arcsine excess",
            "Tsirelson 2.828",
            "(2,2)",
        ):
            assert word in text


def test_html_escapes_what_it_shows():
    report = chsh.report(deterministic_outcomes([1, 1], [1, 1], replicas=20))
    assert "&lt;Ai&gt;" in report._repr_html_()
    assert "<Ai>" not in report._repr_html_()


def test_the_row_repeats_the_attributes():
    report = chsh.report(correlated_outcomes(singlet_correlators(), 200, 4, seed=1))
    row = report.row()
    assert (row["s_low"], row["s_high"]) == report.interval
    assert (row["contextuality_low"], row["contextuality_high"]) == report.contextuality_interval
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
    assert (report.contextuality_p_value <= 0.05) == significant
    assert explanation in str(report)


def test_signalling_is_named():
    report = chsh.report(signalling_outcomes(0.3, replicas=400, items=8, seed=2))
    assert "signalling in A2" in str(report)
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
        (report.contextuality, report.contextuality_interval),
    ):
        assert low <= value <= high
    assert report.contextuality <= report.any_facet_contextuality
    assert report.contextuality <= report.contextuality_bound


@pytest.mark.parametrize("replicas", [1, 2, 64])
def test_outcomes_without_variance_bet_and_say_so(replicas):
    """A context all +1, and a single replica: no resample has a spread."""
    report = chsh.report(deterministic_outcomes([1, 1], [1, 1], replicas=replicas))
    assert (report.interval_method, report.contextuality_method) == ("betting", "betting")
    assert (report.p_value, report.contextuality_p_value) == (1, 1)
    for low, high in (
        report.interval,
        report.contextuality_interval,
        *report.correlator_intervals.reshape(4, 2),
    ):
        assert high - low > 0
    if replicas == 1:
        # Nothing is known beyond the range.
        assert report.interval[0] < -3
        assert report.contextuality_interval[0] < -8


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
    assert (report.contextuality, report.contextuality_within) == (-2, -4)
    # Within a replica, half of the items up and half down: it cancels there already.
    a, b = (np.ones((2, 2, 100, 4)) for _ in range(2))
    a[0, 0, :, ::2] = a[0, 1, :, 1::2] = -1
    report = chsh.report((a, b))
    assert (report.s, report.delta, report.influence) == (0, 0, 2)
    assert (report.contextuality, report.contextuality_within) == (-2, -2)


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
    assert max(map(len, str(report).splitlines())) <= 100
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


def test_settings_are_those_of_each_task():
    """Alice's A1 flips with Bob's setting on 1 of 4 items, Bob's B2 on 2 of 4 with Alice's."""
    a, b = (np.ones((2, 2, 30, 4)) for _ in range(2))
    a[0, 1, :, 0] = -1
    b[1, 1, :, :2] = -1
    changed = chsh.influence((a, b)).mean("replica")
    assert changed.to_series().to_dict() == {"A1": 0.5, "A2": 0, "B1": 0, "B2": 1}
    changes = chsh.marginal_changes(chsh.marginals((a, b)))
    assert changes.to_series().to_dict() == {"A1": 0.5, "A2": 0, "B1": 0, "B2": 1}
