"""Populations and what trains on them: nested draws, the arithmetic of `ncnet.train`."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import ncnet
from ncnet import chsh, games
from ncnet.training import samples
from tests.refusals import refused

TRACED = {"trace_steps": [0, 20], "trace": ["gradients"]}


def truth_table(game):
    """Every replica gets the game's own items, and again as held-out ones."""
    targets = np.concatenate([game.alice_targets, game.bob_targets])
    items = np.tile(game.inputs, (2, 1)), np.tile(targets, (1, 2))
    return samples.Population(
        name="table",
        tasks=("A1", "A2", "B1", "B2"),
        features=game.bits,
        training=2**game.bits,
        held_out=2**game.bits,
        items=lambda replica: items,
    )


def small(**changes):
    given = {"noise": 0.5, "training": 12, "held_out": 6, "seed": 3} | changes
    return samples.noisy_game(games.overlap(), **given)


def small_digits(**changes):
    given = {"training": 12, "held_out": 6, "seed": 3} | changes
    return samples.digits(samples.digit_tasks("hard_together"), **given)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
@pytest.mark.parametrize(("optimizer", "rate"), [("gradient_descent", 0.5), ("adam", 0.05)])
def test_on_a_truth_table_it_is_the_ensemble(activation, optimizer, rate):
    kind = {"activation": activation, "optimizer": optimizer, "learning_rate": rate}
    # Of no symmetry: where a gradient is 0 but for rounding, Adam follows the rounding.
    game = games.boolean(
        3,
        alice=([0, 0, 0, 1, 0, 1, 1, 1], [1, 0, 0, 0, 0, 0, 1, 0]),
        bob=([0, 1, 0, 0, 0, 0, 0, 1], [1, 1, 0, 1, 0, 0, 0, 0]),
    )
    asked = ncnet.train(
        game, hidden_size=3, replicas=70, seed=5, steps=20, backend="eager", **kind, **TRACED
    )
    found = samples.train(
        truth_table(game),
        hidden_size=3,
        replicas=range(70),
        seed=5,
        steps=20,
        trace_steps=[0, 20],
        **kind,
    )
    training = found.isel(item=found["split"].values == "training")
    for party in "ab":
        same = training[party].transpose(*asked[party].dims).values == asked[party].values
        assert same.mean() > 0.999
    gradients = asked.sum("unit")
    strength = (gradients.alice_gradient * gradients.bob_gradient) ** 0.5
    cosine = (gradients.gradient_product / strength).transpose(*found.cosine.dims)
    # Where a gradient nearly vanishes its direction is rounding.
    firm = (strength > 1e-6).transpose(*found.cosine.dims).values
    assert firm.mean() > 0.9
    np.testing.assert_allclose(found.cosine.values[firm], cosine.values[firm], atol=2e-3)


def test_losses_and_held_out_outcomes_are_those_of_the_same_weights():
    found = samples.train(
        truth_table(games.overlap()), hidden_size=4, replicas=range(6), seed=0, steps=300
    )
    asked = ncnet.train(
        games.overlap(), hidden_size=4, replicas=6, seed=0, steps=300, backend="eager",
        trace_steps=[300],
    )  # fmt: skip
    for party in ("alice", "bob"):
        expected = asked[f"{party}_loss"].isel(step=0)
        np.testing.assert_allclose(found[f"{party}_loss"], expected, rtol=1e-3, atol=1e-6)
    parts = [found["a"].isel(item=found["split"].values == s).values for s in chsh.outcomes.SPLITS]
    np.testing.assert_array_equal(*parts)  # the same items twice


@pytest.mark.parametrize("population", [small, small_digits])
def test_a_replica_depends_on_its_index_alone(population):
    together = samples.train(population(), hidden_size=2, replicas=range(70), seed=1, steps=30)
    alone = samples.train(population(), hidden_size=2, replicas=[66, 3], seed=1, steps=30)
    for name in ("a", "b", "alice_loss"):
        np.testing.assert_array_equal(together[name].sel(replica=[66, 3]), alone[name])


def test_threads_change_nothing():
    def run(threads):
        torch.set_num_threads(threads)
        return samples.train(small(), hidden_size=3, replicas=range(9), seed=1, steps=50)

    before = torch.get_num_threads()
    try:
        assert run(1).identical(run(2))
    finally:
        torch.set_num_threads(before)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("population", [small, small_digits])
def test_small_samples_are_the_beginning_of_large_ones(population):
    few = population(label_noise=0.2, training=7).draw([4])
    many = population(label_noise=0.2, training=12).draw([4])
    np.testing.assert_array_equal(few.inputs[:, :7], many.inputs[:, :7])
    np.testing.assert_array_equal(few.targets[..., :7], many.targets[..., :7])
    np.testing.assert_array_equal(few.inputs[:, 7:], many.inputs[:, 12:])


@pytest.mark.parametrize("population", [small, small_digits])
def test_labels_flip_in_training_only_each_task_by_itself(population):
    clean = population(training=200).draw(range(20)).targets
    noisy = population(training=200, label_noise=0.1).draw(range(20)).targets
    flipped = clean != noisy
    assert not flipped[..., 200:].any()
    shares = flipped[..., :200].mean((1, 2))
    assert ((shares > 0.08) & (shares < 0.12)).all()
    assert abs(np.corrcoef(flipped[..., :200].reshape(4, -1)) - np.eye(4)).max() < 0.06


def test_noise_is_what_was_asked_and_classes_are_the_rows():
    drawn = small(noise=0.3, training=400).draw(range(10))
    rows = np.sign(drawn.inputs).clip(-1, 1)  # at 0.3 a bit flips once in 2,000
    assert abs((drawn.inputs - rows).std() - 0.3) < 0.01
    alice = (rows[..., 0] > 0) & (rows[..., 1] > 0)
    assert ((drawn.targets[0] > 0) == alice).mean() > 0.99
    xor = (rows[..., 1] > 0) ^ (rows[..., 2] > 0)
    assert ((drawn.targets[3] > 0) == xor).mean() > 0.99


def test_training_and_held_out_digits_are_different_images():
    population = small_digits(training=898, held_out=899)
    images = {row.tobytes() for row in population.draw([0]).inputs[0]}
    assert len(images) == 1797
    other = {row.tobytes() for row in population.draw([1]).inputs[0, :898]}
    assert other <= images  # the same halves for all replicas


def test_named_tasks_are_the_digits_of_which_the_name_is_true():
    of_name = {
        "odd": lambda digit: digit % 2,
        "at least 5": lambda digit: digit >= 5,
        "prime": lambda digit: digit > 1 and all(digit % other for other in range(2, digit)),
        "square": lambda digit: digit in {root**2 for root in range(4)},
        "multiple of 3": lambda digit: digit % 3 == 0,
        "triangular": lambda digit: digit in {n * (n + 1) // 2 for n in range(4)},
        "power of 2": lambda digit: digit.bit_count() == 1,
        "Fibonacci": lambda digit: any(
            math.isqrt(square := abs(5 * digit**2 + four)) ** 2 == square for four in (4, -4)
        ),
        # What cannot be computed is said of how digits are written.
        "closed loop": lambda digit: str(digit) in "0689",
        "straight strokes": lambda digit: str(digit) in "147",
    }
    expected = {name: tuple(filter(is_true, range(10))) for name, is_true in of_name.items()}
    assert expected == samples.NAMED_TASKS


def test_splits_are_ordered_by_what_a_linear_classifier_gets_right():
    order = samples.splits_by_separability()
    rights = [right for _, right in order]
    assert rights == sorted(rights, reverse=True)
    assert 0.5 < rights[-1] < rights[0] < 1
    for quartet in samples.QUARTETS:
        tasks = samples.digit_tasks(quartet)
        overlaps = [len(set(s) & set(t)) for k, s in enumerate(tasks) for t in tasks[:k]]
        assert set(overlaps) <= {2, 3}
    together, apart = map(samples.digit_tasks, ("hard_together", "hard_apart"))
    assert together == (apart[0], apart[2], apart[1], apart[3])
    harder = [split for split, _ in order[len(order) // 2 :]]
    assert set(samples.digit_tasks("middling")) <= set(harder)


def test_a_validation_split_is_made_of_training_items():
    whole = small(label_noise=0.3, training=10)
    part = samples.set_aside(whole, 0.4)
    drawn, of_part = whole.draw([2]), part.draw([2])
    assert (part.training, part.held_out) == (6, 4)
    np.testing.assert_array_equal(of_part.inputs, drawn.inputs[:, :10])
    np.testing.assert_array_equal(of_part.targets, drawn.targets[..., :10])


def test_a_head_that_is_asked_nothing_leaves_the_trunk_to_the_other():
    population = samples.digits([(0, 1, 2), (), (5, 6)], training=20, held_out=10, seed=0)
    options = {"hidden_size": 3, "replicas": range(4), "seed": 0, "steps": 40}
    alone = samples.train_pairs(population, [(0, 1), (0, 2), (1, 0)], **options)
    assert (alone["b"].isel(pair=0) == 1).all()
    assert population.tasks == ("012", "nothing", "56")
    # The trunk follows the other head alone, so that its own initial weights are all that matters.
    again = samples.train_pairs(
        samples.digits([(0, 1, 2), ()], training=20, held_out=10, seed=0), [(0, 1)], **options
    )
    np.testing.assert_array_equal(alone["a"].isel(pair=0), again["a"].isel(pair=0))
    assert (alone["a"].isel(pair=0) != alone["a"].isel(pair=1)).any()


def test_a_diverged_network_is_told_and_reads_as_class_0():
    found = samples.train(
        small(), hidden_size=3, replicas=range(5), seed=0, steps=60, activation="relu",
        learning_rate=1e30,
    )  # fmt: skip
    assert found["diverged"].any()
    network = np.argwhere(found["diverged"].values)[0]
    targets = small().draw([network[2]]).targets[network[0], 0]
    some = found["a"].values[tuple(network)]
    assert (some[targets < 0] == 1).any()


def test_what_train_returns_the_report_reads():
    found = samples.train(small(), hidden_size=3, replicas=range(40), seed=0, steps=20)
    report = chsh.report(found)
    assert report.held_out.items == 6
    assert found["capacity"].item() == 3


@given(st.floats(0.51, 5) | st.floats(max_value=-0.01, min_value=-9))
def test_label_noise_out_of_range_is_refused(share):
    parts = ("`label_noise` is ", "expected a number from 0 to 0.5")
    refused(lambda: small(label_noise=share), parts)


ASKED = {"hidden_size": 2, "replicas": range(2), "seed": 0, "steps": 2}


def two_tasks():
    return samples.digits([(0,), (1,)], training=5, held_out=5, seed=0)


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda: small(noise=0), ("`noise` is 0", "expected a finite number above 0")),
        (lambda: small(training=1), ("`training` is 1", "expected an integer of at least 2")),
        (lambda: small_digits(training=900), ("`training` is 900", "at most 898")),
        (lambda: small_digits(held_out=900), ("`held_out` is 900", "at most 899")),
        (lambda: samples.digits([(10,)], training=5, held_out=5, seed=0), ("`digit` is 10", "9")),
        (
            lambda: samples.digit_tasks("hard"),
            ("unknown quartet of digits `hard`", "did you mean"),
        ),
        (
            lambda: samples.named("overlapp", training=5, held_out=5, seed=0),
            ("unknown population `overlapp`", "did you mean `overlap`?"),
        ),
        (lambda: samples.set_aside(small(), 0.9), ("`share` is 0.9", "1 to 10 of the 12")),
        (lambda: samples.set_aside(small(), 1.5), ("`share` is 1.5", "0 to 1")),
        (lambda: samples.set_aside(small(), "all"), ("`share` is 'all'", "expected a number")),
        (lambda: samples.set_aside(small(), 0.01), ("`share` is 0.01", "1 to 10 of the")),
        (lambda: samples.train(two_tasks(), **ASKED), ("the population has 2 tasks", "expected 4")),
    ],
)
def test_bad_populations_are_refused_in_one_line(make, parts):
    refused(make, parts)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"activation": "tan"}, ("unknown activation `tan`", "did you mean `tanh`?")),
        ({"optimizer": "sgd"}, ("unknown optimizer `sgd`", "`adam`")),
        ({"learning_rate": 0}, ("`learning_rate` is 0", "above 0")),
        ({"replicas": []}, ("`replicas` is []", "expected indices of replicas")),
        ({"replicas": 5}, ("`replicas` is 5", "expected indices of replicas")),
        ({"replicas": [-1]}, ("`replicas` is -1", "at least 0")),
        ({"trace_steps": [2, 1]}, ("`trace_steps` is [2, 1]", "expected increasing")),
        ({"trace_steps": [9]}, ("`trace_steps` has 9", "expected at most `steps`, 2")),
        ({"hidden_size": 0}, ("`hidden_size` is 0", "at least 1")),
        ({"pairs": []}, ("`pairs` is []", "expected pairs of tasks")),
        ({"pairs": [(0, 1, 2)]}, ("`pairs` has shape (1, 3)", "expected (pair, party: 2)")),
        ({"pairs": [(0, 4)]}, ("`pairs` is 4", "expected an integer of at most 3")),
        ({"pairs": [(-1, 0)]}, ("`pairs` is -1", "expected an integer of at least 0")),
    ],
)
def test_bad_trainings_are_refused_in_one_line(changes, parts):
    refused(lambda: samples.train_pairs(small(), **{"pairs": [(0, 2)]} | ASKED | changes), parts)
