"""The rules on real models, on contrasts whose verdict is plain, and how contrasts are made."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ncnet import chsh
from ncnet.claims import findings, simultaneous_level, verdict
from ncnet.estimates import Estimate, columns_of, median_interval
from ncnet.studies.ranks import claims as rules
from ncnet.studies.ranks.contrasts import contrast, contrast_rows, dose_rows, measure, paired_row
from tests.strategies import correlated_outcomes
from tests.studies.ranks.test_analysis import rising

BY_NAME = {claim.name: claim for claim in rules.CLAIMS}


def rows(quartet, contrast, values, width=0.02):
    """Return rows of one contrast at ranks 1, 4, 16 (the last of them), with such values."""
    ranks = [1.0, 4.0, 16.0][-len(values) :]
    found = [columns_of("s", Estimate(s, s - width, s + width)) for s in values]
    return pd.DataFrame(found).assign(quartet=quartet, contrast=contrast, rank=ranks)


def answers(name, *parts):
    tables = {"real_contrasts": pd.concat(parts)}
    return {of: found.holds for of, found in findings(BY_NAME[name], tables).items()}


@pytest.mark.parametrize(
    ("name", "contrast"),
    [
        ("multilingual-rises-from-heads-alone", rules.FROM_HEADS),
        ("multilingual-rises-with-rank", rules.BEYOND_LOWEST),
    ],
)
def test_s_rises_by_more_than_the_smallest_effect_or_does_not(name, contrast):
    for rise, holds in ((0.3, True), (0.0, False), (-0.2, False), (0.05, None)):
        assert answers(name, rows("languages", contrast, [rise])) == {"languages": holds}


@pytest.mark.parametrize(
    ("s", "holds"),
    [
        ([2.3, 2.1, 2.0], True),
        ([2.0, 2.3, 2.0], True),
        ([2.0, 2.0, 2.0], False),
        ([2.3, 2.3, 2.3], False),  # stays above
        ([2.3, 1.9, 1.8], False),  # falls below
        ([2.0, 2.0, 2.3], False),  # passes at the largest rank only
        ([2.05, 2.0, 2.0], None),
        ([2.3, 2.1, 2.05], None),
    ],
)
def test_low_rank_passes_2_and_the_largest_comes_back(s, holds):
    found = answers("mixed-passes-2-at-low-rank", rows("mixed", rules.OF_S, s))
    assert found == {"mixed": holds}


@pytest.mark.parametrize("name", ["difficulty", "balance"])
def test_what_matters_is_read_to_either_side(name):
    claim = f"mixed-depends-on-{name}"
    for difference, holds in ((0.2, True), (-0.2, True), (0.0, False), (0.06, None)):
        table = rows("mixed", f"{name}, contrast 1", [difference])
        assert answers(claim, table) == {"mixed": holds}


def test_one_dose_that_differs_is_enough_and_all_have_to_be_alike():
    measured = {
        dose: (np.full(16, s), np.full(2000, s)) for dose, s in ((0.0, 2.0), (0.5, 2.2), (1.0, 2.0))
    }
    table = dose_rows("mixed", rules.DIFFICULTY, measured, rules.DOSES_OF_DIFFICULTY)
    assert table["s"].tolist() == pytest.approx([0.0, 0.2])
    assert answers("mixed-depends-on-difficulty", table) == {"mixed": True}
    assert answers("mixed-depends-on-difficulty", table[:1]) == {"mixed": False}


def test_the_weights_of_doses_compare():
    for weights in (*rules.DOSES_OF_DIFFICULTY, *rules.DOSES_OF_BALANCE):
        assert sum(weights.values()) == 0


def test_a_contrast_is_of_replicas_and_its_interval_the_wider_of_two():
    generator = np.random.default_rng(0)
    shared = generator.normal(0, 1, 16)
    one, other = (mean + shared + generator.normal(0, 0.02, 16) for mean in (2.2, 2.0))
    draws = [mean + generator.normal(0, 0.01, 4000) for mean in (2.2, 2.0)]
    measured = {"one": (one, draws[0]), "other": (other, draws[1])}
    found = contrast(measured, {"one": 1, "other": -1})
    assert found.value == pytest.approx((one - other).mean())
    assert found.low <= median_interval(one - other, level=0.95)[0]
    assert found.high >= np.quantile(draws[0] - draws[1], 0.975)
    # What the conditions share cancels: apart, neither would be told from the other.
    assert found.beyond(0.05) is True
    with pytest.raises(KeyError):
        contrast(measured, {"another": 1})


def test_a_rise_is_that_to_the_largest_rank_that_rules_read():
    measured = {
        rank: (np.full(16, s), np.full(500, s))
        for rank, s in {0.0: 1.0, 1.0: 1.7, 16.0: 1.9, np.inf: 1.2}.items()
    }
    table = contrast_rows({"languages": measured}).set_index(["contrast", "rank"])["s"]
    expected = {
        (rules.OF_S, 1.0): 1.7,
        (rules.OF_S, 16.0): 1.9,
        (rules.FROM_HEADS, 16.0): 0.9,
        (rules.BEYOND_LOWEST, 16.0): 0.2,
    }
    assert table.to_dict() == pytest.approx(expected)
    with pytest.raises(KeyError):
        contrast_rows({"languages": {rank: measured[rank] for rank in (0.0, 1.0)}})


def test_a_tasks_items_are_drawn_alike_in_every_quartet():
    a, b = correlated_outcomes([[0.9, 0.5], [0.2, -0.4]], 12, 30, 0)
    outcomes = chsh.as_dataset((a, b)).assign_attrs(paired=False).expand_dims(capacity=[1])
    options = {"resamples": 500}
    one = measure(outcomes, "abcd", **options)[1][1]
    assert (measure(outcomes, "abcd", **options)[1][1] == one).all()
    assert (measure(outcomes, "abce", **options)[1][1] != one).any()


def test_a_rank_that_comes_twice_is_refused():
    table = rows("languages", rules.BEYOND_LOWEST, [0.1])
    with pytest.raises(ValueError, match=r"languages has rank 16\.0, .* twice"):
        verdict(BY_NAME["multilingual-rises-with-rank"], {"real_contrasts": pd.concat([table] * 2)})


def test_ranks_share_the_error_of_s():
    measured = {
        rank: both
        for rank, both in zip(
            (0, 1, 16), measure(rising(paired=True), "abcd", resamples=2000).values(), strict=True
        )
    }
    table = contrast_rows({"languages": measured}).set_index(["contrast", "rank"])
    expected = contrast(measured, {1: 1}, level=simultaneous_level(2))
    assert table.loc[(rules.OF_S, 1.0), "s_low"] == expected.low


@pytest.mark.parametrize("reading", [rules.WITHIN, rules.ACROSS])
def test_s_goes_with_held_out_accuracy_by_more_than_the_smallest_correlation(reading):
    for value, holds in ((0.4, True), (-0.2, False), (0.12, None)):
        row = columns_of("correlation", Estimate(value, value - 0.05, value + 0.05))
        table = pd.DataFrame([row]).assign(reading=reading, quartet="mixed")
        found = findings(BY_NAME[f"text-correlates-{reading}"], {"real_generalization": table})
        assert found["mixed"].holds is holds


def test_a_paired_difference_has_students_interval():
    differences = np.random.default_rng(0).normal(0.1, 1, 20)
    row = paired_row("one less other", "mixed", 1, differences)
    half = stats.t.ppf(0.975, 19) * differences.std(ddof=1) / 20**0.5
    ends = differences.mean() - half, differences.mean() + half
    assert (row["s_low"], row["s_high"]) == pytest.approx(ends)
