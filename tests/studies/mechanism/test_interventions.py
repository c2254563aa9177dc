"""Interventions on the trunk: what must hold whatever is trained, and what each of them does."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ncnet
from ncnet import chsh
from ncnet.claims import simultaneous_level
from ncnet.studies.mechanism import interventions
from ncnet.training import ACTIVATIONS, OPTIMIZERS
from tests.compilers import has_compiler
from tests.refusals import refused

GAME = ncnet.games.overlap()
BACKENDS = ["eager", "compiled"] if has_compiler() else ["eager"]
SHORT = {"replicas": 64, "seed": 3, "steps": 150, "learning_rate": 0.5}


@st.composite
def anything(draw, bits=2):
    tables = st.lists(st.integers(0, 1), min_size=2**bits, max_size=2**bits)
    tasks = st.tuples(tables, tables)
    return {
        "game": ncnet.games.boolean(bits, alice=draw(tasks), bob=draw(tasks)),
        "replicas": draw(st.integers(1, 70)),
        "seed": draw(st.integers(0, 99)),
        "steps": draw(st.integers(0, 40)),
        "activation": draw(st.sampled_from(sorted(ACTIVATIONS))),
        "optimizer": draw(st.sampled_from(sorted(OPTIMIZERS))),
        # Up to rates at which networks diverge: then as well the other head must not notice.
        "learning_rate": draw(st.sampled_from([0.05, 0.5, 1e3, 1e18])),
        "backend": draw(st.sampled_from(BACKENDS)),
    }


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(training=anything(), sizes=st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_separate_trunks_neither_violate_nor_influence(training, sizes):
    apart = interventions.separate_trunks(hidden_sizes=sizes, **training)
    assert chsh.s_per_replica(apart).max() <= 2 + 1e-12
    assert chsh.influence(apart).max() == 0
    assert float(chsh.delta(chsh.marginals(apart))) < 1e-12


@settings(deadline=None, max_examples=20)
@given(training=anything(), size=st.integers(1, 3))
def test_a_head_whose_trunk_is_its_own_does_not_feel_the_other(training, size):
    alone = ncnet.train(hidden_size=size, gradient_weights=(1, 0), **training)
    assert chsh.influence(alone).sel(task=["A1", "A2"]).max() == 0


def test_separate_trunks_are_each_heads_own_training():
    """Against a game in which the other party has nothing to learn that could move the trunk."""
    apart = interventions.separate_trunks(GAME, hidden_sizes=(3, 2), trace_steps=[0, 150], **SHORT)
    alice = ncnet.train(GAME, hidden_size=3, gradient_weights=(1, 0), trace_steps=[0, 150], **SHORT)
    bob = ncnet.train(GAME, hidden_size=2, gradient_weights=(0, 1), trace_steps=[0, 150], **SHORT)
    assert apart.a.equals(alice.a.drop_vars("capacity"))
    assert (apart.b.values == bob.b.values).all()
    assert (apart.alice_loss.values == alice.alice_loss.values).all()
    assert (apart.bob_loss.values == bob.bob_loss.values).all()
    assert apart.attrs["hidden_sizes"] == [3, 2]


def test_the_first_loss_is_that_of_the_shared_trunk():
    shared = ncnet.train(GAME, hidden_size=3, trace_steps=[0], **SHORT)
    apart = interventions.separate_trunks(GAME, hidden_sizes=(3, 3), trace_steps=[0], **SHORT)
    for name in ("alice_loss", "bob_loss"):
        np.testing.assert_allclose(apart[name].values, shared[name].values, rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_weights_next_to_full_ones_change_next_to_nothing(backend):
    """The weighted sum has a way of its own through both backends: it meets the plain one's."""
    options = {"hidden_size": 3, "trace_steps": [150], "backend": backend, **SHORT}
    plain, nearly = (
        ncnet.train(GAME, gradient_weights=weights, **options)
        for weights in ((1, 1), (1, 1 - 1e-7))
    )
    for name in ("alice_loss", "bob_loss"):
        np.testing.assert_allclose(nearly[name], plain[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_head_start_is_alices_training_and_leaves_bobs_head_alone(backend):
    options = {
        "hidden_size": 3,
        "replicas": 64,
        "seed": 3,
        "backend": backend,
        "learning_rate": 0.5,
    }
    traced = {"trace_steps": [0], "trace": ["loss", "weights"]}
    started = ncnet.train(GAME, head_start=80, steps=0, **traced, **options)
    alone = ncnet.train(
        GAME,
        steps=80,
        gradient_weights=(1, 0),
        trace_steps=[80],
        trace=["loss", "weights"],
        **options,
    )
    fresh = ncnet.train(GAME, steps=0, **traced, **options)
    assert started.a.drop_attrs().equals(alone.a.drop_attrs())
    assert (started.trunk_weight.values == alone.trunk_weight.values).all()
    assert (started.bob_weight.values == fresh.bob_weight.values).all()
    assert (started.bob_bias.values == fresh.bob_bias.values).all()


def test_a_head_start_takes_as_many_steps_as_both_heads_have():
    one = interventions.available_interventions(3)["head start"]
    assert one.train(GAME, replicas=2, seed=0, steps=3).attrs["head_start"] == 3


@pytest.mark.slow
def test_every_intervention_does_what_its_name_says():
    found = interventions.available_interventions(3, lambdas=[0.5])
    trained = {name: one.train(GAME, **SHORT) for name, one in found.items()}
    attributes = {name: one.attrs for name, one in trained.items()}
    assert attributes["separate, n each"]["hidden_sizes"] == [3, 3]
    assert attributes["separate, ⌈n/2⌉ each"]["hidden_sizes"] == [2, 2]
    assert attributes["separate, ⌊n/2⌋ each"]["hidden_sizes"] == [1, 1]
    assert attributes["λ = 0.5"]["gradient_weights"] == [1.0, 0.5]
    for name in ("PCGrad", "MGDA", "CAGrad"):
        assert attributes[name]["aggregator"] == name.lower()
    assert attributes["head start"]["head_start"] == SHORT["steps"]
    small = attributes["small steps"]
    assert (small["steps"], small["learning_rate"]) == (1500, 0.05)
    outcomes = [one.a.values.tobytes() + one.b.values.tobytes() for one in trained.values()]
    assert len(set(outcomes)) == len(found)


def test_separate_trunks_name_their_sizes_and_no_shared_one():
    apart = interventions.separate_trunks(GAME, hidden_sizes=(2, 1), replicas=2, seed=0, steps=3)
    assert apart.attrs["hidden_sizes"] == [2, 1]
    assert not {"hidden_size", "gradient_weights"} & set(apart.attrs)


def test_one_unit_cannot_be_shared_out():
    assert "separate, ⌊n/2⌋ each" not in interventions.available_interventions(1)


def test_changes_are_paired_and_shares_of_the_excess_add_up():
    ones = np.ones((2, 2, 400, 8))
    box = chsh.as_dataset((ones, ones * chsh.SIGNS.values[:, :, None, None]))
    half = chsh.as_dataset((ones, np.where(np.arange(400)[:, None] < 200, box.b, 1)))
    rest = chsh.as_dataset((ones, ones))
    found = interventions.change(half, box)
    assert found["s_change"] == pytest.approx(-1)
    assert found["s_change_low"] < -1 < found["s_change_high"] < -0.8
    assert found["influence_change"] == pytest.approx(-1)
    removed = interventions.violation_removed(half, box)
    assert removed["removed"] == pytest.approx(0.5)
    assert removed["removed_low"] < 0.5 < removed["removed_high"]
    most = chsh.as_dataset((ones, np.where(np.arange(400)[:, None] < 300, box.b, 1)))
    removed = interventions.violation_removed(most, box)
    assert removed["removed"] == pytest.approx(0.25)
    assert 0.2 < removed["removed_low"] < 0.25 < removed["removed_high"] < 0.3
    whole = interventions.violation_removed(rest, box)
    assert whole["removed"] == 1
    assert whole["removed_low"] < 1 < whole["removed_high"]  # never without width
    assert interventions.violation_removed(box, box)["removed"] == 0


def with_s(value, replicas):
    """Every replica has this S, below 2: outcomes differ on one of eight items for each quarter."""
    a, b = np.ones((2, 2, 2, replicas, 8))
    b[0, 0, :, : round(4 * (2 - value))] = -1
    return chsh.as_dataset((a, b))


@pytest.mark.slow
@pytest.mark.parametrize("left", [2.0, 1.5])
def test_the_share_removed_is_as_uncertain_as_the_excess_itself(left):
    """All replicas come to the same S: what varies is only where they came from."""
    replicas, experiments, inside = 60, 100, 0
    ones, after = np.ones((2, 2, replicas, 8)), with_s(left, replicas)
    assert chsh.s_per_replica(after).mean() == left
    for seed in range(experiments):
        box = ones.copy()
        box[1, 1] = np.where(np.random.default_rng(seed).random((replicas, 1)) < 0.5, -1, 1)
        found = interventions.violation_removed(after, chsh.as_dataset((ones, box)), seed=seed)
        inside += found["removed_low"] <= 1 - (left - 2) / 1.0 <= found["removed_high"]
    assert inside / experiments > 0.93


@pytest.mark.slow
def test_a_comparison_has_a_row_for_each_and_the_baseline_first():
    table = interventions.interventions(GAME, 3, lambdas=[0.0], **SHORT)
    available = interventions.available_interventions(3, lambdas=[0.0])
    assert table["intervention"].tolist() == list(available)
    assert pd.isna(table.loc[0, "s_change"])
    shared, *others = table.to_dict("records")
    for row in others:
        assert row["s_change"] == pytest.approx(row["s"] - shared["s"], abs=1e-9)
        assert row["influence_change"] == pytest.approx(row["influence"] - shared["influence"])
        assert row["s_change_low"] <= row["s_change"] <= row["s_change_high"]
    assert "removed" in table
    success = 100 * table[["alice_success", "bob_success"]]
    assert success.min().min() > 30
    assert success.max().max() <= 100


OUTCOMES_OF_2 = {"replicas": 30, "seed": 0, "steps": 20}
OUTCOMES = {"hidden_size": 2, "replicas": 3, "seed": 0, "steps": 1}
APART = {"hidden_sizes": (2, 2), **SHORT}


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"lambdas": [1.5]}, ("`λ`", "1.5", "0 to 1")),
        ({"lambdas": ["half"]}, ("`λ`", "'half'", "0 to 1")),
        ({"lambdas": [0.5, 0.5]}, ("λ `0.5`", "twice")),
        ({"lambdas": 0.5}, ("`lambdas`", "0.5", "a list of numbers")),
        ({"hidden_size": 0}, ("`hidden_size`", "0", "at least 1")),
    ],
)
def test_interventions_that_cannot_be_are_refused(options, parts):
    asked = {"hidden_size": 3} | options
    refused(lambda: interventions.available_interventions(**asked), parts)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"hidden_sizes": (3, 0)}, ("`hidden_sizes`", "0", "at least 1")),
        ({"hidden_sizes": 3}, ("`hidden_sizes`", "3", "Alice's and Bob's")),
        ({"head_start": 9}, ("`head_start`", "expected none")),
        ({"trace": ["gradients"], "trace_steps": [0]}, ("`trace`", "expected none")),
    ],
)
def test_trunks_that_cannot_be_separate_are_refused(options, parts):
    refused(lambda: interventions.separate_trunks(GAME, **APART | options), parts)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"aggregator": "mgda"}, ("`aggregator`", "expected none")),
        ({"log_interval": 200}, ("`interval`", "200", "at most 150")),
        ({"among": ["MGDAs"]}, ("intervention `MGDAs`", "`MGDA`")),
    ],
)
def test_comparisons_that_cannot_be_made_are_refused(options, parts):
    refused(lambda: interventions.interventions(GAME, 2, **SHORT | options), parts)


@pytest.mark.parametrize(
    ("game", "options", "parts"),
    [
        (ncnet.games.separate(), {}, ("['separate', 0,", "with and ['overlap', 0,")),
        (GAME, {"seed": 1}, ("['overlap', 1,", "with and ['overlap', 0,")),
        (GAME, {"replicas": 4}, ("[0, 1, 2, 3]] with and", "[0, 1, 2]] without")),
    ],
)
def test_changes_are_those_of_the_same_replicas(game, options, parts):
    baseline = ncnet.train(GAME, **OUTCOMES)
    other = ncnet.train(game, **OUTCOMES | options)
    refused(lambda: interventions.change(other, baseline), (*parts, "expected the same"))


def test_nothing_is_removed_where_there_is_no_violation():
    at_2 = chsh.as_dataset((np.ones((2, 2, 9, 2)),) * 2)
    parts = ("exceeds 2 by 0.000", "an interval above 0")
    refused(lambda: interventions.violation_removed(at_2, at_2), parts)


def test_changes_hold_together_over_all_interventions_whichever_are_asked_for(monkeypatch):
    levels = []

    def change(outcomes, baseline, *, level):
        levels.append(level)
        return {}

    monkeypatch.setattr(interventions, "change", change)
    asked = {"lambdas": [0.0, 0.5], "small_steps": False}
    table = interventions.interventions(GAME, 2, among=["PCGrad"], **asked, **OUTCOMES_OF_2)
    assert table["intervention"].tolist() == ["shared", "PCGrad"]
    changed = set(interventions.available_interventions(2, **asked)) - {"shared"}
    assert levels == [simultaneous_level(len(changed))]
