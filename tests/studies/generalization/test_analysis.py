"""Correlations within capacities, what S adds, criteria, interference: against oracles."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, rankdata, spearmanr

from ncnet import chsh, games
from ncnet.studies.generalization import analysis as general
from ncnet.studies.generalization.analysis import (
    ACCURACIES,
    CONTEXTS,
    CORRELATORS,
    LOSSES,
    MEANS,
    MEASURES,
    PREDICTORS,
    TARGETS,
)
from ncnet.studies.generalization.claims import CLAIMS
from ncnet.studies.generalization.parameters import Rq4
from ncnet.training import samples

COLUMNS = ("s", *TARGETS, *MEANS, *CONTEXTS)


def table(generator, *, capacities=(1, 2, 3), replicas=60, s=(1.0, 2.0, 2.2)):
    """Replicas at each capacity: S about a level, all else unrelated noise."""
    parts = []
    for capacity, level in zip(capacities, s, strict=True):
        part = pd.DataFrame(generator.normal(size=(replicas, len(COLUMNS))), columns=COLUMNS)
        part["s"] = level + 0.1 * part["s"]
        parts.append(part.assign(capacity=capacity, replica=np.arange(replicas)))
    return pd.concat(parts, ignore_index=True)


def at(found, **chosen):
    rows = found
    for name, value in chosen.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1
    return rows.iloc[0]


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
    found = general.correlations(replicas, replicas, resamples=200)
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
    found = general.correlations(replicas, replicas, resamples=200)
    plain = found[(found["measure"] == "spearman") & (found["target"] == TARGETS[0])]
    one, two, three, up_to, beyond = plain["estimate"]
    assert plain["part"].tolist() == ["at"] * 3 + ["up to 2", "beyond 2"]
    assert up_to == pytest.approx((one + two) / 2)
    assert beyond == pytest.approx(three)
    assert (plain["first"] == 2).all()


def test_other_replicas_choose_where_s_first_reaches_2():
    replicas = table(np.random.default_rng(1))
    others = table(np.random.default_rng(2), s=(1.0, 1.5, 1.96))
    found = general.correlations(replicas, others, resamples=200)
    assert (found["first"] == 3).all()
    never = general.correlations(replicas, others.assign(s=1.0), resamples=200)
    assert never["first"].isna().all()
    beyond = never[never["part"] == "beyond 2"]
    assert beyond[["estimate", "low", "high"]].isna().all(axis=None)
    assert (beyond["defined"] == 0).all()


def test_capacities_at_the_ceiling_are_listed_and_left_out():
    replicas = table(np.random.default_rng(3))
    last = replicas["capacity"] == 3
    replicas.loc[last, "s"] = np.where(np.arange(60) < 9, replicas.loc[last, "s"], 2.0)
    found = general.correlations(replicas, replicas, resamples=200)
    row = at(found, target=TARGETS[0], measure="spearman", capacity=3)
    assert row["at_ceiling"]
    assert row["off_mode"] == 9
    assert np.isnan(row["estimate"])
    assert not found.loc[found["capacity"] == 1, "at_ceiling"].any()


def test_simpsons_trap_is_seen_through():
    """S and accuracy fall together over capacities and rise together within each."""
    generator = np.random.default_rng(4)
    replicas = table(generator, s=(1.0, 1.9, 1.99), replicas=200)
    noise = generator.normal(size=len(replicas))
    replicas[TARGETS[0]] = -replicas["capacity"] + 3 * (replicas["s"] - replicas["capacity"])
    replicas[TARGETS[0]] += 0.1 * noise
    assert general.pooled(replicas) < -0.5
    rho, count = general.across(replicas)
    assert (rho, count) == (-1.0, 3)
    found = general.correlations(replicas, replicas, resamples=200)
    assert at(found, target=TARGETS[0], measure="spearman", part="up to 2")["low"] > 0.7


def test_a_correlation_that_accuracy_explains_is_gone_at_given_accuracy():
    generator = np.random.default_rng(5)
    replicas = table(generator, replicas=400)
    common = generator.normal(size=len(replicas))
    replicas["accuracy"] = common
    replicas["s"] += 0.1 * common
    replicas[TARGETS[0]] = common + generator.normal(size=len(replicas))
    found = general.correlations(replicas, replicas, resamples=200)
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
        found = general.correlations(replicas, replicas, resamples=200, seed=seed)
        row = at(found, target=TARGETS[0], measure="spearman", part="up to 2")
        inside += row["low"] <= 0 <= row["high"]
    assert inside >= 88  # of a binomial at .95, one in a thousand falls below


def test_replicas_that_differ_between_capacities_are_refused():
    replicas = table(np.random.default_rng(0))
    with pytest.raises(ValueError, match="capacity 3 lacks a replica: expected the same at all"):
        general.correlations(replicas.iloc[:-1], replicas, resamples=200)
    with pytest.raises(ValueError, match=r"capacities are \[1, 2, 3\] and \[1, 2\]"):
        general.correlations(replicas, replicas[replicas["capacity"] < 3], resamples=200)


def sampled(hidden_size=3, **changes):
    asked = {"noise": 0.5, "training": 16, "held_out": 10, "seed": 0} | changes
    population = samples.noisy_game(games.overlap(), **asked)
    return samples.train(
        population, hidden_size=hidden_size, replicas=range(12), seed=0, steps=60,
        trace_steps=[0, 60],
    )  # fmt: skip


def test_a_row_a_replica_holds_what_the_outcomes_say():
    outcomes = sampled()
    rows = general.by_replica(outcomes)
    assert rows["replica"].tolist() == list(range(12))
    np.testing.assert_allclose(rows["s"], chsh.s_per_replica(outcomes))
    np.testing.assert_allclose(rows["held_out_s"], chsh.s_per_replica(outcomes, split="held_out"))
    held_out = outcomes.isel(item=outcomes["split"].values == "held_out")
    right = ((held_out["a"] > 0).mean("item") + (held_out["b"] > 0).mean("item")) / 2
    by_context = right.stack(context=("alice_setting", "bob_setting"))
    np.testing.assert_allclose(rows["held_out_accuracy"], by_context.mean("context"))
    np.testing.assert_allclose(rows["held_out_worst"], by_context.min("context"))
    np.testing.assert_allclose(rows["accuracy"], rows[list(ACCURACIES)].mean(axis=1))
    np.testing.assert_allclose(rows["loss"], rows[list(LOSSES)].mean(axis=1))
    signs = np.array([1, 1, 1, -1])
    np.testing.assert_allclose(rows[list(CORRELATORS)] @ signs, rows["s"])
    cosine = outcomes["cosine"].mean(("alice_setting", "bob_setting", "step"))
    np.testing.assert_allclose(rows["cosine"], cosine)


def test_outcomes_without_losses_or_held_out_items_are_refused():
    outcomes = sampled()
    with pytest.raises(ValueError, match="outcomes have no `bob_loss`"):
        general.by_replica(outcomes.drop_vars("bob_loss"))
    training = outcomes.isel(item=outcomes["split"].values == "training")
    with pytest.raises(ValueError, match="no item has split `held_out`"):
        general.by_replica(training)


def test_networks_that_diverged_are_refused_in_one_line():
    outcomes = sampled()
    losses = outcomes["bob_loss"].copy()
    losses[0, 1, 2] = np.inf
    losses[1, 1, 2] = np.nan
    with pytest.raises(ValueError, match="2 networks diverged at capacity 3: expected none"):
        general.by_replica(outcomes.assign(bob_loss=losses))


def test_means_by_capacity_come_with_intervals():
    replicas = pd.concat([general.by_replica(sampled(n)) for n in (2, 3)])
    found = general.by_capacity(replicas, resamples=500)
    assert found["capacity"].tolist() == [2, 3]
    for name in ("s", "accuracy", "held_out_accuracy", "held_out_worst", "held_out_s"):
        assert (found[f"{name}_low"] <= found[name]).all()
        assert (found[name] <= found[f"{name}_high"]).all()


@pytest.mark.slow
def test_a_gain_is_found_where_s_knows_more_and_not_where_it_does_not():
    generator = np.random.default_rng(0)
    replicas = table(generator, capacities=(1, 2), s=(1.0, 2.0), replicas=150)
    useless = general.gains(replicas, first=1, resamples=400)
    assert (useless["gain_low"] < 0.02).all()
    # Not linear: a straight line alone would miss it.
    replicas[TARGETS[0]] += 4 * ((replicas["s"] - replicas["s"].mean()) * 10) ** 2 / 10
    useful = general.gains(replicas, first=2, resamples=400)
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
    row = at(general.gains(replicas, first=1, resamples=400), given="means", part="up to 2")
    assert row["without"] > 0.8
    assert abs(row["gain"]) < 0.03


@pytest.mark.slow
def test_gains_leave_out_what_never_varies_and_refuse_other_replicas():
    replicas = table(np.random.default_rng(3))
    replicas.loc[replicas["capacity"] == 1, TARGETS[0]] = 0.5
    two = replicas[replicas["capacity"] < 3]
    found = general.gains(two, first=2, resamples=200, seed=2**32 - 1)
    assert set(found["capacity"].dropna()) == {2}
    for analysis in (
        lambda rows: general.gains(rows, first=2),
        lambda rows: general.regret_at_first(rows, replicas),
        lambda rows: general.regret_at_first(replicas, rows),
    ):
        with pytest.raises(ValueError, match="capacity 3 lacks a replica: expected the same"):
            analysis(replicas.iloc[:-1])


@pytest.mark.slow
def test_gains_leave_out_the_ceiling():
    replicas = table(np.random.default_rng(3), capacities=(2, 3), s=(2.0, 2.2))
    replicas.loc[replicas["capacity"] == 3, "s"] = 2.0
    found = general.gains(replicas, first=2, resamples=200)
    assert 3 not in found["capacity"].tolist()
    assert found.loc[found["part"] == "beyond 2", "gain"].isna().all()


def test_the_tables_of_a_condition_are_those_of_the_notebook_and_of_its_halves():
    replicas = table(np.random.default_rng(0), replicas=500)
    correlated, choosing = general.halves(replicas)
    assert set(correlated["replica"]) | set(choosing["replica"]) == set(range(500))
    assert tuple(general.TABLES) == Rq4.TABLES
    options = {"level": 0.95, "resamples": 200, "seed": 1}
    pd.testing.assert_frame_equal(
        general.TABLES["generalization"](replicas, **options),
        general.correlations(correlated, choosing, **options),
    )
    one_by_one = general.TABLES["generalization_replicas"](replicas, **options)
    assert one_by_one.loc[one_by_one["capacity"] == 2, "replica"].tolist() == [*range(1, 400, 2)]
    assert (one_by_one.dtypes.drop(["capacity", "replica"]) == "float32").all()


def curves(s, accuracy, held_out, *, replicas=700, loss=None, cosine=None):
    """Replicas whose means at capacities 1, 2, ... are given, all but constant."""
    generator = np.random.default_rng(0)
    parts = []
    for place, level in enumerate(s):
        part = pd.DataFrame({"capacity": place + 1, "replica": np.arange(replicas)})
        jitter = generator.normal(0, 1e-3, replicas)
        part["s"] = level + jitter
        part["accuracy"] = accuracy[place] - abs(jitter)
        part["held_out_accuracy"] = held_out[place] + jitter
        part["held_out_worst"] = held_out[place] - 0.1 + jitter
        part["loss"] = (loss or [1 - a for a in accuracy])[place] + jitter
        part["cosine"] = (cosine or [0.0] * len(s))[place] + jitter
        values = [1.0, 1.0, 1.0, 3 - level] if level >= 2 else [level / 2] * 4
        parts.append(part.assign(**dict(zip(CORRELATORS, values, strict=True))))
    return pd.concat(parts, ignore_index=True)


def test_each_rule_takes_the_capacity_that_its_words_say():
    seen = curves(
        s=[1.0, 1.96, 2.3, 2.01, 2.0, 2.0],
        accuracy=[0.8, 0.9, 0.96, 0.98, 0.999, 1.0],
        held_out=[0.7] * 6,
        loss=[1.0, 0.8, 0.5, 0.3, 0.1, 0.1],
        cosine=[-0.9, -0.2, -0.1, -0.1, -0.5, -0.5],
    )
    first, wrong = seen["capacity"] == 4, seen["capacity"] == 2
    seen.loc[first, CORRELATORS[3]] = 0.9  # not fitted there, though S is at 2
    seen.loc[wrong, "s"] += np.resize([-1.0, 1.0], wrong.sum())  # too wide an interval at first
    validated = curves(s=[2.0] * 6, accuracy=[1.0] * 6, held_out=[0.6, 0.7, 0.9, 0.9, 0.9, 0.8])
    chosen = general.selections(seen, validated, repetition_size=700).set_index("criterion")
    assert chosen["found"].all()
    picks = chosen["capacity"].to_dict()
    assert picks.pop("training loss") in (5, 6)  # equal but for noise
    assert picks.pop("gradient conflict") in (3, 4)
    assert picks.pop("validation") in (3, 4, 5)
    assert picks == {
        "S at 2": 4,
        "S at 2, all fitted": 5,
        "S first at 2": 2,
        "training accuracy": 4,
        "largest": 6,
    }


def test_where_no_capacity_will_do_the_largest_stands_in_and_it_is_told():
    seen = curves(s=[1.0, 1.2], accuracy=[0.7, 0.8], held_out=[0.6, 0.7])
    chosen = general.selections(seen, seen, repetition_size=350)
    unmet = chosen[chosen["criterion"].str.startswith("S ")]
    assert not unmet["found"].any()
    assert (unmet["capacity"] == 2).all()
    assert chosen["repetition"].nunique() == 2


def test_replicas_that_do_not_divide_are_refused():
    seen = curves(s=[1.0], accuracy=[0.7], held_out=[0.6])
    with pytest.raises(ValueError, match="700 replicas do not divide into repetitions of 300"):
        general.selections(seen, seen, repetition_size=300)


def test_regret_is_what_the_best_capacity_has_more():
    fresh = curves(s=[2.0] * 4, accuracy=[1.0] * 4, held_out=[0.6, 0.8, 0.795, 0.7])
    chosen = pd.DataFrame(
        [(k, "always 2", 2.0, True) for k in range(4)]
        + [(k, "one or four", [1.0, 4.0][k % 2], k > 0) for k in range(4)],
        columns=["repetition", "criterion", "capacity", "found"],
    )
    found = general.regrets(chosen, fresh).set_index("criterion")
    best = found.loc["always 2"]
    assert best[["regret", "regret_low"]].tolist() == [0, 0]
    assert (best["enough"], best["units_more"], best["enough_capacity"]) == (1, 0, 2)
    other = found.loc["one or four"]
    assert other["regret"] == pytest.approx(0.15, abs=1e-3)
    assert other["regret_low"] < 0.12 < 0.18 < other["regret_high"]
    assert (other["met"], other["lowest"], other["highest"], other["best"]) == (0.75, 1, 4, 2)


def test_regret_at_the_first_capacity_at_2():
    replicas = curves(s=[1.0, 1.96, 2.0], accuracy=[1.0] * 3, held_out=[0.5, 0.7, 0.9])
    others = curves(s=[1.0, 1.9, 2.0], accuracy=[1.0] * 3, held_out=[0.0] * 3)
    row = at(general.regret_at_first(replicas, replicas), target=TARGETS[0])
    assert row["first"] == 2
    held_out = replicas.loc[replicas["capacity"] == 2, TARGETS[0]].mean()
    assert row["at_first"] == pytest.approx(held_out, abs=1e-12), "not that of a resample"
    assert row["regret"] == pytest.approx(0.2, abs=1e-3)
    assert row["regret_low"] < row["regret"] < row["regret_high"]
    assert row["share_of_rise"] == pytest.approx(0.5, abs=0.01)
    assert (row["best_capacity"], row["largest_capacity"], row["reached"]) == (3, 3, 1)
    assert at(general.regret_at_first(replicas, others), target=TARGETS[0])["regret"] == 0


def test_where_s_never_reaches_2_there_is_no_regret():
    replicas = curves(s=[0.5, 0.7], accuracy=[1.0] * 2, held_out=[0.5, 0.7])
    row = at(general.regret_at_first(replicas, replicas), target=TARGETS[0])
    names = ["first", "at_first", "regret", "regret_low", "regret_high", "share_of_rise"]
    assert row[names].isna().all()
    assert row["reached"] == 0
    table = pd.DataFrame([row])
    [generalizes] = [claim for claim in CLAIMS if claim.result == "first_at_2"]
    assert generalizes.holds(table) is None


def pairs(tasks=("odd", "prime", "square"), replicas=6, seed=0):
    names = (*tasks, samples.NOTHING)
    population = samples.digits(
        [*(samples.NAMED_TASKS[t] for t in tasks), ()], training=40, held_out=30, seed=0
    )
    trained = samples.train_pairs(
        population, general.pairs_with_nothing(names), hidden_size=1,
        replicas=range(replicas), seed=seed, steps=100, trace_steps=[0, 50],
    )  # fmt: skip
    return trained, names


def test_s_of_a_pair_is_that_of_its_game():
    trained, names = pairs()
    found = general.interference(trained, names)
    places = {pair: k for k, pair in enumerate(general.pairs_with_nothing(names))}
    split = trained["split"].values == "training"
    a, b = (trained[party].isel(item=split) for party in "ab")
    for s, t in itertools.combinations(range(3), 2):
        # The four contexts as a table of outcomes: what a head says to nothing is +1.
        alone_s, alone_t = a.isel(pair=places[s, 3]), b.isel(pair=places[3, t])
        together_a, together_b = (x.isel(pair=places[s, t]) for x in (a, b))
        one = np.ones(alone_s.shape)
        alice = np.array([[one, one], [alone_s, together_a]])
        bob = np.array([[one, alone_t], [one, together_b]])
        expected = chsh.s_per_replica((alice, bob))
        rows = found[(found["first"] == names[s]) & (found["second"] == names[t])]
        np.testing.assert_allclose(rows["s"], expected)
        report = chsh.report((alice, bob), resamples=800)
        # All of S - 2 is signalling less common failures.
        common = ((together_a < 0) & (together_b < 0)).mean()
        assert report.s - 2 == pytest.approx(4 * rows["training_drop"].mean() - 4 * float(common))


def test_the_last_task_has_to_be_nothing():
    with pytest.raises(ValueError, match="the last task is `prime`: expected `nothing`"):
        general.pairs_with_nothing(("odd", "prime"))


def test_predictors_are_rank_correlations_over_the_pairs():
    generator = np.random.default_rng(0)
    names = list(itertools.combinations("abcdefg", 2))
    strength = generator.normal(size=len(names))
    noise = generator.normal(size=len(names))

    def rows(seed):
        draws = np.random.default_rng(seed)
        parts = []
        for (first, second), value, other in zip(names, strength, noise, strict=True):
            part = pd.DataFrame({"first": first, "second": second, "replica": range(30)})
            part["s"] = value + 0.01 * draws.normal(size=30)
            part["training_drop"] = -part["s"]
            part["cosine"] = other + 0.01 * draws.normal(size=30)
            part["held_out_drop"] = value + 0.01 * draws.normal(size=30)
            parts.append(part)
        # Whatever the order of the rows.
        return pd.concat(parts).sample(frac=1, random_state=seed)

    likeness = pd.DataFrame(names, columns=["first", "second"]).assign(likeness=noise**2)
    found = general.predictors(rows(1), rows(2), likeness, resamples=400).set_index("predictor")
    assert tuple(found.index) == PREDICTORS
    assert found.loc["s", "rho"] > 0.98
    assert found.loc["training_drop", "rho"] < -0.98
    expected = spearmanr(-(noise**2), strength).statistic
    assert found.loc["likeness", "rho"] == pytest.approx(expected, abs=0.05)
    ahead = found["s_ahead"]
    np.testing.assert_allclose(ahead, found.loc["s", "rho"] - found["rho"])
    assert ahead["s"] == 0
    assert found.loc["likeness", "s_ahead_low"] > 0
    assert (found["low"] <= found["rho"]).all()
    assert (found["rho"] <= found["high"]).all()
