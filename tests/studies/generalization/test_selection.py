"""What criteria choose, and what it costs: on curves whose answer is plain."""

import numpy as np
import pandas as pd
import pytest

from ncnet.estimates import mean_of_replicas
from ncnet.studies.generalization.claims import CLAIMS
from ncnet.studies.generalization.measurements import CORRELATORS, TARGETS
from ncnet.studies.generalization.selection import regret_at_first_2, regrets, selections
from tests.studies.generalization.made_up import at, curves


def test_each_criterion_takes_the_capacity_that_its_words_say():
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
    chosen = selections(seen, validated, repetition_size=700).set_index("criterion")
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
    chosen = selections(seen, seen, repetition_size=350)
    unmet = chosen[chosen["criterion"].str.startswith("S ")]
    assert not unmet["found"].any()
    assert (unmet["capacity"] == 2).all()
    assert chosen["repetition"].nunique() == 2


def test_replicas_that_do_not_divide_are_refused():
    seen = curves(s=[1.0], accuracy=[0.7], held_out=[0.6])
    with pytest.raises(ValueError, match="700 replicas do not divide into repetitions of 300"):
        selections(seen, seen, repetition_size=300)


def test_regret_is_what_the_best_capacity_has_more():
    fresh = curves(s=[2.0] * 4, accuracy=[1.0] * 4, held_out=[0.6, 0.8, 0.795, 0.7])
    chosen = pd.DataFrame(
        [(k, "always 2", 2.0, True) for k in range(4)]
        + [(k, "one or four", [1.0, 4.0][k % 2], k > 0) for k in range(4)],
        columns=["repetition", "criterion", "capacity", "found"],
    )
    found = regrets(chosen, fresh).set_index("criterion")
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
    row = at(regret_at_first_2(replicas, replicas), target=TARGETS[0])
    assert row["first"] == 2
    held_out = replicas.loc[replicas["capacity"] == 2, TARGETS[0]].mean()
    assert row["at_first"] == pytest.approx(held_out, abs=1e-12), "not that of a resample"
    assert row["lost"] == pytest.approx(0.2, abs=1e-3)
    assert row["lost_low"] < row["lost"] < row["lost_high"]
    assert row["share_of_rise"] == pytest.approx(0.5, abs=0.01)
    assert (row["best_capacity"], row["largest_capacity"]) == (3, 3)
    best = at(regret_at_first_2(replicas, others), target=TARGETS[0])
    assert (best[["lost", "lost_low", "lost_high"]] == 0).all()


def test_what_is_lost_compares_within_replicas_and_all_capacities_at_once():
    replicas = curves(s=[2.0, 2.0, 2.0], accuracy=[1.0] * 3, held_out=[0.7, 0.71, 0.69])
    luck = np.tile(np.random.default_rng(1).uniform(-0.2, 0.2, 700), 3)
    shaken = replicas.assign(**{TARGETS[0]: replicas[TARGETS[0]] + luck})
    ends = ["lost", "lost_low", "lost_high"]
    still, moved = (
        at(regret_at_first_2(rows, replicas), target=TARGETS[0]) for rows in (replicas, shaken)
    )
    assert moved[ends].tolist() == pytest.approx(still[ends].tolist(), abs=1e-9)
    differences = replicas.pivot(index="replica", columns="capacity", values=TARGETS[0])
    higher = mean_of_replicas(differences[2] - differences[1], bounds=(-1, 1), level=0.975)
    assert still["lost_high"] == pytest.approx(higher.high)
    assert still["lost_low"] == pytest.approx(higher.low)


def test_where_s_never_reaches_2_there_is_no_regret():
    replicas = curves(s=[0.5, 0.7], accuracy=[1.0] * 2, held_out=[0.5, 0.7])
    row = at(regret_at_first_2(replicas, replicas), target=TARGETS[0])
    names = ["first", "at_first", "lost", "lost_low", "lost_high", "share_of_rise"]
    assert row[names].isna().all()
    table = pd.DataFrame([row])
    [generalizes] = [claim for claim in CLAIMS if claim.result == "first_at_2"]
    assert generalizes.find(table.assign(largest_capacity=3)).holds is None
