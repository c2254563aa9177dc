"""Populations and what trains on them: nested draws, the arithmetic of `ncnet.train`."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ncnet import chsh, games
from ncnet.training import eager, samples
from ncnet.training.initialisation import draw
from ncnet.training.network import (
    ACTIVATIONS,
    Weights,
    hidden_units,
    logits,
    outcomes,
    with_bias,
)
from ncnet.training.optimizers import OPTIMIZERS
from ncnet.training.plan import Method
from ncnet.training.samples.networks import Compiled, Eager, initial_weights
from tests.compilers import has_compiler
from tests.refusals import refused

needs_compiler = pytest.mark.skipif(not has_compiler(), reason="there is no C++ compiler")
COMPILED = pytest.param("compiled", marks=needs_compiler)


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


def contexts_by_the_ensemble(game, hidden_size, replicas, seed, steps, method):
    """Return four trainings on the truth table, each by `ncnet.training` from the same weights."""
    tasks, kind = truth_table(game).tasks, {"features": game.bits, "hidden_size": hidden_size}
    targets = torch.from_numpy(np.stack([game.alice_targets, game.bob_targets])).float()
    trained = {}
    for i, j in itertools.product(range(2), repeat=2):
        start = initial_weights(range(replicas), [(tasks[i], tasks[2 + j])], seed=seed, **kind)
        weights = Weights(start.trunk.movedim(0, -1), start.heads[:, 0].movedim(0, -1))
        networks = eager.Eager(
            with_bias(torch.from_numpy(game.inputs).float()),
            torch.stack([targets[0, i], targets[1, j]])[..., None].repeat(1, 1, replicas),
            Weights(*(weight.contiguous() for weight in weights)),
            method,
        )
        networks.advance(steps)
        trained[i, j] = networks
    return trained


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize("optimizer", [("gradient_descent", 0.5), ("adam", 0.05)])
@pytest.mark.parametrize("backend", ["eager", COMPILED])
def test_on_a_truth_table_it_is_the_ensemble(activation, optimizer, backend):
    method = Method(activation, *optimizer, loss="cross_entropy")
    # Of no symmetry: where a gradient is 0 but for rounding, Adam follows the rounding.
    game = games.boolean(
        3,
        alice=([0, 0, 0, 1, 0, 1, 1, 1], [1, 0, 0, 0, 0, 0, 1, 0]),
        bob=([0, 1, 0, 0, 0, 0, 0, 1], [1, 1, 0, 1, 0, 0, 0, 0]),
    )
    options = {"hidden_size": 3, "seed": 5, "steps": 20}
    asked = contexts_by_the_ensemble(game, replicas=70, method=method, **options)
    found = samples.train(
        truth_table(game), replicas=range(70), trace_steps=[0, 20], backend=backend,
        activation=activation, optimizer=optimizer[0], learning_rate=optimizer[1], **options,
    )  # fmt: skip
    assert found.attrs["backend"] == backend
    # A gradient that is 0 but for rounding makes Adam step in a direction of its own.
    tolerance = 0.03 if optimizer[0] == "adam" else 1e-4
    for (i, j), networks in asked.items():
        context = found.isel(alice_setting=i, bob_setting=j)
        losses, products = networks.measure(products=True)
        for party, expected in zip(("alice", "bob"), losses, strict=True):
            assert np.isclose(context[f"{party}_loss"], expected, rtol=tolerance).mean() > 0.95
        hidden = hidden_units(networks.inputs, networks.weights.trunk, ACTIVATIONS[activation])
        right = outcomes(logits(hidden, networks.weights.heads), networks.targets)
        for head, party in enumerate("ab"):
            same = context[party].values[:, :8] == right[head].T.numpy()
            assert same.mean() > 0.995
        alice, both, bob = products.double().sum(dim=1)
        # Where a gradient nearly vanishes its direction is rounding.
        firm = ((alice * bob).sqrt() > 1e-6).numpy()
        assert firm.mean() > 0.9
        cosine = (both / (alice * bob).sqrt()).numpy()
        found_cosine = context.cosine.values[firm, -1]
        assert np.isclose(found_cosine, cosine[firm], atol=tolerance).mean() > 0.95


@needs_compiler
@pytest.mark.parametrize("shape", [(3, 12, 3), (5, 70, 1), (64, 9, 4), (17, 130, 5)])
@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
def test_compiled_steps_are_those_of_float64(shape, activation, optimizer):
    features, items, hidden_size = shape
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape):
        return torch.randn(*shape, generator=generator)

    inputs = with_bias(drawn(2, items + 3, features))
    targets = torch.randint(-1, 2, (2, 3, 2, items + 3), generator=generator).float()
    trunk = drawn(2, 3 * hidden_size, features + 1) / features**0.5
    start = Weights(trunk, drawn(2, 3, 2, hidden_size + 1))
    method = Method(activation, optimizer, learning_rate=0.1, loss="cross_entropy")
    exact = Weights(*(weight.double() for weight in start))
    reference = Eager(inputs.double(), targets.double(), items, exact, method)
    networks = Compiled(inputs, targets, items, start, method)
    for steps in (1, 4, 5):
        networks.advance(steps)
        reference.advance(steps)
    for found, expected in zip(start, exact, strict=True):
        close = torch.isclose(found.double(), expected, rtol=1e-4, atol=2e-5)
        assert close.double().mean() > (0.98 if optimizer == "adam" else 0.999)


def test_held_out_outcomes_are_those_of_the_same_weights():
    found = samples.train(
        truth_table(games.overlap()), hidden_size=4, replicas=range(6), seed=0, steps=300
    )
    parts = [found["a"].isel(item=found["split"].values == s).values for s in chsh.outcomes.SPLITS]
    np.testing.assert_array_equal(*parts)  # the same items twice


@pytest.mark.parametrize("backend", ["eager", COMPILED])
@pytest.mark.parametrize("population", [small, small_digits])
def test_a_replica_depends_on_its_index_alone(population, backend):
    options = {"hidden_size": 2, "seed": 1, "steps": 30, "backend": backend}
    together = samples.train(population(), replicas=range(70), **options)
    alone = samples.train(population(), replicas=[66, 3], **options)
    for name in ("a", "b", "alice_loss"):
        np.testing.assert_array_equal(together[name].sel(replica=[66, 3]), alone[name])


@pytest.mark.parametrize("backend", ["eager", COMPILED])
def test_threads_change_nothing(backend):
    options = {"hidden_size": 3, "replicas": range(9), "seed": 1, "steps": 50, "backend": backend}
    before = torch.get_num_threads()
    one, two = (samples.train(small(), threads=threads, **options) for threads in (1, 2))
    assert one.identical(two)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("backend", ["eager", COMPILED])
def test_every_quartet_is_found_among_unordered_pairs(backend):
    population = small_digits()
    options = {"hidden_size": 3, "replicas": range(5), "seed": 1, "steps": 40, "backend": backend}
    options |= {"trace_steps": [0, 40]}
    every = list(itertools.combinations(range(4), 2))
    pairs = samples.train_pairs(population, every, **options)
    for places in itertools.permutations(range(4)):
        a1, a2, b1, b2 = (population.tasks[place] for place in places)
        found = chsh.quartet(pairs, alice=(a1, a2), bob=(b1, b2))
        contexts = [(places[i], places[2 + j]) for i in range(2) for j in range(2)]
        asked = samples.train_pairs(population, contexts, **options)
        for place, (own, other) in enumerate(contexts):
            context = found.isel(alice_setting=place // 2, bob_setting=place % 2)
            alone = asked.isel(pair=place)
            swapped = population.tasks[own] > population.tasks[other]
            heads = ("second", "first") if swapped else ("first", "second")
            for party, letter, head in zip(("alice", "bob"), "ab", heads, strict=True):
                np.testing.assert_array_equal(context[letter], alone[head])
                np.testing.assert_allclose(
                    context[f"{party}_loss"], alone[f"{head}_loss"], rtol=1e-6
                )
            np.testing.assert_allclose(context["cosine"], alone["cosine"], rtol=1e-5, atol=1e-6)
    # Whose the tasks are changes no bit.
    swapped = samples.train_pairs(population, [pair[::-1] for pair in every], **options)
    assert swapped.identical(pairs)
    whole = samples.train(population, **options)
    a1, a2, b1, b2 = population.tasks
    looked_up = chsh.quartet(pairs, alice=(a1, a2), bob=(b1, b2))
    for name in "ab":
        np.testing.assert_array_equal(whole[name], looked_up[name])
    assert dict(whole.sizes) == dict(looked_up.sizes)


def test_a_head_starts_from_its_task_and_the_trunk_from_the_replica():
    kind = {"features": 3, "hidden_size": 2, "seed": 0}
    one = initial_weights(range(70), [("odd", "prime"), ("odd", "square")], **kind)
    other = initial_weights([69], [("prime", "square")], **kind)
    trunk, _ = draw("lecun_normal", replicas=[69], **kind)
    np.testing.assert_array_equal(other.trunk[0], trunk[..., 0].astype(np.float32))
    assert torch.equal(one.trunk[69].view(2, 2, 4)[1], other.trunk[0])
    assert torch.equal(one.heads[69, 0, 1], other.heads[0, 0, 0])
    assert torch.equal(one.heads[:, 0, 0], one.heads[:, 1, 0])
    first = one.heads[:, :, :, :-1].flatten(1)
    assert abs(np.corrcoef(first.T)[0, 2]) < 0.4  # of different tasks


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
    alone = samples.train_pairs(population, [(0, 1), (0, 2)], **options)
    assert (alone["second"].isel(pair=0) == 1).all()
    assert population.tasks == ("012", "nothing", "56")
    # The trunk follows the other head alone, so that its own initial weights are all that matters.
    again = samples.train_pairs(
        samples.digits([(0, 1, 2), ()], training=20, held_out=10, seed=0), [(0, 1)], **options
    )
    one, other = (found.isel(pair=0) for found in (alone, again))
    np.testing.assert_array_equal(one["first"], other["first"])
    # Processors differ in whether sums of two and of three tasks are made in one order.
    np.testing.assert_allclose(one["first_loss"], other["first_loss"], rtol=1e-5)
    assert (alone["first"].isel(pair=0) != alone["first"].isel(pair=1)).any()


@pytest.mark.parametrize("backend", ["eager", COMPILED])
def test_a_diverged_network_is_told_and_reads_as_class_0(backend):
    found = samples.train(
        small(), hidden_size=3, replicas=range(5), seed=0, steps=60, activation="relu",
        learning_rate=1e30, backend=backend,
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
        ({"pairs": [(0, 1, 2)]}, ("a pair is (0, 1, 2)", "two tasks")),
        ({"pairs": [(0, 4)]}, ("`pairs` is 4", "expected an integer of at most 3")),
        ({"pairs": [(1, 1)]}, ("task `XOR(x1, x2)` is paired with itself", "two different tasks")),
        (
            {"pairs": [(0, 2), (2, 0)]},
            ("` is there twice", "expected each once"),
        ),
        ({"backend": "compield"}, ("unknown backend `compield`", "did you mean `compiled`?")),
        ({"threads": 0}, ("`threads` is 0", "at least 1")),
        ({"pairs": [(-1, 0)]}, ("`pairs` is -1", "expected an integer of at least 0")),
    ],
)
def test_bad_trainings_are_refused_in_one_line(changes, parts):
    refused(lambda: samples.train_pairs(small(), **{"pairs": [(0, 2)]} | ASKED | changes), parts)
