"""Correlations within capacities, and what S adds to a prediction: against oracles."""

import numpy as np
import pytest
from scipy.stats import pearsonr, rankdata, spearmanr

from ncnet.estimates import mean_of_replicas
from ncnet.studies.generalization.correlation import (
    MEASURES,
    correlations,
    correlations_by_reading,
    r2_gains,
)
from ncnet.studies.generalization.measurements import TARGETS
from ncnet.studies.generalization.selection import regret_at_first_2
from tests.refusals import refused
from tests.studies.generalization.made_up import at, table


def residuals(values, given):
    design = np.column_stack([np.ones(len(values)), *map(rankdata, given.T)])
    return rankdata(values) - design @ np.linalg.lstsq(design, rankdata(values), rcond=None)[0]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("measure", MEASURES)
def test_estimates_are_rank_correlations_of_what_is_left(target, measure):
    generator = np.random.default_rng(0)
    replicas = table(generator)
    # Something to find, something to explain it away, and ties.
    replicas["accuracy"] = (replicas["s"] + 0.1 * replicas["accuracy"]).round(1)
    replicas[target] = replicas["accuracy"] + replicas["accuracy_11"] + 0.3 * replicas[target]
    found = correlations(replicas, replicas, resamples=200)
    names = list(MEASURES[measure])
    for capacity, part in replicas.groupby("capacity"):
        row = at(found, target=target, measure=measure, capacity=capacity)
        if names:
            given_values = part[names].to_numpy()
            expected = pearsonr(
                residuals(part["s"], given_values), residuals(part[target], given_values)
            ).statistic
        else:
            expected = spearmanr(part["s"], part[target]).statistic
        assert row["estimate"] == pytest.approx(expected, abs=1e-9)
        assert row["low"] < row["estimate"] < row["high"]


def test_averages_are_over_capacities_up_to_the_first_at_2_and_beyond():
    replicas = table(np.random.default_rng(1))
    found = correlations(replicas, replicas, resamples=200)
    plain = found[(found["measure"] == "spearman") & (found["target"] == TARGETS[0])]
    one, two, three, up_to, beyond = plain["estimate"]
    assert plain["part"].tolist() == ["at"] * 3 + ["up to 2", "beyond 2"]
    assert up_to == pytest.approx((one + two) / 2)
    assert beyond == pytest.approx(three)
    assert (plain["first"] == 2).all()


def test_other_replicas_choose_where_s_first_reaches_2():
    replicas = table(np.random.default_rng(1))
    others = table(np.random.default_rng(2), s=(1.0, 1.5, 1.96))
    found = correlations(replicas, others, resamples=200)
    assert (found["first"] == 3).all()
    never = correlations(replicas, others.assign(s=1.0), resamples=200)
    assert never["first"].isna().all()
    beyond = never[never["part"] == "beyond 2"]
    assert beyond[["estimate", "low", "high"]].isna().all(axis=None)
    assert (beyond["defined"] == 0).all()


def test_capacities_at_the_ceiling_are_listed_and_left_out():
    replicas = table(np.random.default_rng(3))
    last = replicas["capacity"] == 3
    replicas.loc[last, "s"] = np.where(np.arange(60) < 9, replicas.loc[last, "s"], 2.0)
    found = correlations(replicas, replicas, resamples=200)
    row = at(found, target=TARGETS[0], measure="spearman", capacity=3)
    assert row["at_ceiling"]
    assert row["off_mode"] == 9
    assert np.isnan(row["estimate"])
    assert not found.loc[found["capacity"] == 1, "at_ceiling"].any()


def test_simpsons_paradox_is_seen_through():
    """S and accuracy fall together over capacities and rise together within each."""
    generator = np.random.default_rng(4)
    replicas = table(generator, s=(1.0, 1.9, 1.99), replicas=200)
    noise = generator.normal(size=len(replicas))
    replicas[TARGETS[0]] = -replicas["capacity"] + 3 * (replicas["s"] - replicas["capacity"])
    replicas[TARGETS[0]] += 0.1 * noise
    columns = ["s", TARGETS[0]]
    assert replicas[columns].corr("spearman").iloc[0, 1] < -0.5
    means = replicas.groupby("capacity")[columns].mean()
    assert means.corr("spearman").iloc[0, 1] == pytest.approx(-1)
    found = correlations(replicas, replicas, resamples=200)
    assert at(found, target=TARGETS[0], measure="spearman", part="up to 2")["low"] > 0.7


def test_a_correlation_that_accuracy_explains_is_gone_at_given_accuracy():
    generator = np.random.default_rng(5)
    replicas = table(generator, replicas=400)
    common = generator.normal(size=len(replicas))
    replicas["accuracy"] = common
    replicas["s"] += 0.1 * common
    replicas[TARGETS[0]] = common + generator.normal(size=len(replicas))
    found = correlations(replicas, replicas, resamples=200)
    plain, partial = (
        at(found, target=TARGETS[0], measure=name, part="up to 2")
        for name in ("spearman", "given means")
    )
    assert plain["low"] > 0.3
    assert partial["low"] < 0 < partial["high"]


@pytest.mark.slow
def test_intervals_cover_a_correlation_of_zero():
    inside = 0
    for seed in range(100):
        replicas = table(np.random.default_rng(seed), capacities=(1, 2), s=(1.0, 2.0), replicas=30)
        found = correlations(replicas, replicas, resamples=200, seed=seed)
        row = at(found, target=TARGETS[0], measure="spearman", part="up to 2")
        inside += row["low"] <= 0 <= row["high"]
    assert inside >= 88  # of a binomial at .95, one in a thousand falls below


def test_both_readings_are_means_of_correlations_of_independent_replicas():
    replicas = table(np.random.default_rng(6))
    replicas[TARGETS[0]] = (replicas["s"] + 0.3 * replicas[TARGETS[0]]).round(1)
    s, right = (
        replicas[replicas["capacity"] < 3].pivot(index="capacity", columns="replica", values=name)
        for name in ("s", TARGETS[0])
    )
    groups = [range(start, start + 10) for start in range(0, 60, 10)]
    within = [
        np.mean([spearmanr(s.loc[n, group], right.loc[n, group]).statistic for n in (1, 2)])
        for group in map(list, groups)
    ]
    across = np.sign(s.diff().loc[2] * right.diff().loc[2])  # the ranks of two
    found = correlations_by_reading(replicas, replicas, level=0.9)
    assert found["first"].tolist() == found["capacities"].tolist() == [2, 2]
    for reading, values in (("within", within), ("across", across)):
        row = at(found, reading=reading)
        expected = mean_of_replicas(np.array(values), bounds=(-1, 1), level=0.9)
        assert row["independent"] == len(values)
        ends = row[["correlation", "correlation_low", "correlation_high"]].tolist()
        assert ends == pytest.approx([expected.value, expected.low, expected.high])


def test_other_replicas_choose_the_capacities_that_both_readings_are_about():
    replicas, others = (table(np.random.default_rng(seed)) for seed in (1, 2))
    ceiling = others.assign(s=others["s"].where(others["capacity"] > 1, 1.0))
    assert (correlations_by_reading(replicas, ceiling)["capacities"] == 1).all()
    never = correlations_by_reading(replicas, others.assign(s=others["s"] - 1))
    assert (never["capacities"] == 3).all()
    at_once = correlations_by_reading(replicas, others.assign(s=others["s"] + 1))
    assert at_once["correlation"].notna().tolist() == [True, False]  # one capacity has no rank
    none = correlations_by_reading(replicas, others.assign(s=2.0))
    assert none[["correlation", "correlation_low", "correlation_high"]].isna().all(axis=None)


def test_what_never_varies_correlates_with_nothing():
    replicas = table(np.random.default_rng(1))
    found = correlations_by_reading(replicas.assign(held_out_accuracy=0.5), replicas)
    assert found["correlation"].tolist() == [0, 0]


def test_a_group_that_is_not_full_is_refused():
    replicas = table(np.random.default_rng(1), replicas=9)
    others = table(np.random.default_rng(1))
    refused(lambda: correlations_by_reading(replicas, others), ["9 replicas", "at least 10"])


@pytest.mark.parametrize("analysis", [correlations_by_reading, regret_at_first_2])
def test_exact_intervals_refuse_replicas_that_cannot_be_compared(analysis):
    replicas = table(np.random.default_rng(0))
    replicas[list(TARGETS)] = 0.5
    some = replicas[replicas["capacity"] < 3]
    refused(lambda: analysis(some, replicas), ["[1, 2]", "[1, 2, 3]", "the same"])
    refused(lambda: analysis(replicas, replicas, level=1.2), ["`level` is 1.2", "between 0 and 1"])


BOOTSTRAPPED = [correlations, r2_gains]


@pytest.mark.parametrize("analysis", BOOTSTRAPPED)
@pytest.mark.parametrize(
    ("kept", "options", "parts"),
    [
        ("replica < 59 or capacity < 3", {}, ["capacity 3", "lacks a replica", "the same"]),
        ("capacity < 3", {}, ["capacities", "[1, 2]", "[1, 2, 3]", "the same"]),
        ("capacity > 0", {"resamples": 3}, ["`resamples` is 3", "200"]),
        ("capacity > 0", {"level": 1.2}, ["`level` is 1.2", "between 0 and 1"]),
        ("capacity > 0", {"seed": -1}, ["`seed` is -1", "at least 0"]),
    ],
)
def test_replicas_that_cannot_be_compared_are_refused(analysis, kept, options, parts):
    replicas = table(np.random.default_rng(0))
    some = replicas.query(kept)
    for given in ((some, replicas), (replicas, some)):
        with pytest.raises(ValueError) as caught:  # noqa: PT011, its parts are looked for
            analysis(*given, **options)
        assert [part for part in parts if part not in str(caught.value)] == []


@pytest.mark.parametrize("analysis", BOOTSTRAPPED)
def test_options_of_the_bootstrap_are_taken_by_name_alone(analysis):
    replicas = table(np.random.default_rng(0))
    with pytest.raises(TypeError, match="'sead'"):
        analysis(replicas, replicas, sead=1)


@pytest.mark.slow
def test_a_gain_is_found_where_s_knows_more_and_not_where_it_does_not():
    generator = np.random.default_rng(0)
    replicas = table(generator, capacities=(1, 2), s=(1.0, 2.0), replicas=150)
    useless = r2_gains(replicas, replicas, resamples=400)
    assert not (useless["gain_low"] >= 0.02).any()
    # Not linear: a straight line alone would miss it.
    replicas[TARGETS[0]] += 4 * ((replicas["s"] - replicas["s"].mean()) * 10) ** 2 / 10
    useful = r2_gains(replicas, replicas, resamples=400)
    for given_name in ("means", "contexts"):
        row = at(useful, given=given_name, part="up to 2")
        assert row["gain_low"] > 0.1
        assert row["with_s"] - row["without"] == pytest.approx(row["gain"])


@pytest.mark.slow
def test_what_accuracy_tells_by_a_curve_is_no_gain_of_s():
    """S as a curved function of accuracy must not win by being curved already."""
    generator = np.random.default_rng(1)
    replicas = table(generator, capacities=(1,), s=(1.0,), replicas=300)
    replicas["s"] = 2 - replicas["accuracy"] ** 2
    replicas[TARGETS[0]] = -(replicas["accuracy"] ** 2) + 0.3 * replicas[TARGETS[0]]
    row = at(r2_gains(replicas, replicas, resamples=400), given="means", part="up to 2")
    assert row["without"] > 0.8
    assert abs(row["gain"]) < 0.03


@pytest.mark.slow
def test_gains_leave_out_what_never_varies():
    replicas = table(np.random.default_rng(3))
    replicas.loc[replicas["capacity"] == 1, TARGETS[0]] = 0.5
    two = replicas[replicas["capacity"] < 3]
    found = r2_gains(two, two, resamples=200, seed=2**32 - 1)
    assert set(found["capacity"].dropna()) == {2}


@pytest.mark.slow
def test_gains_leave_out_the_ceiling():
    replicas = table(np.random.default_rng(3), capacities=(2, 3), s=(2.0, 2.2))
    replicas.loc[replicas["capacity"] == 3, "s"] = 2.0
    found = r2_gains(replicas, replicas, resamples=200)
    assert 3 not in found["capacity"].tolist()
    assert found.loc[found["part"] == "beyond 2", "gain"].isna().all()
