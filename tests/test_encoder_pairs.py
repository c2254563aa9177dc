"""Encoders trained on pairs of tasks: a head follows from its task, not from whose it is."""

import itertools

import numpy as np
import pytest
import torch

from ncnet import chsh
from ncnet.encoders import training
from ncnet.encoders.pairs import train_pair
from ncnet.encoders.training import batch_at, train_context
from ncnet.encoders.trunk import FULL
from ncnet.keys import task_key
from tests.small_encoders import encode, encoder, hyperparameters, toy, untrained

NAMES = ("toy/mood", "toy/same", "toy/sum", "toy/which")
HOW = hyperparameters(learning_rate=0.03)


def task_data():
    """Return four tasks, two of them with choices."""
    return toy()[1]


def train(*names, rank, replica=0, how=HOW):
    """Train a pair of tasks, or one alone, their frozen states made together with all others'."""
    read = dict(
        zip(NAMES, encode(encoder(), [task_data()[n] for n in NAMES], rank, 1), strict=True)
    )
    return train_pair(
        encoder(), [read[name] for name in names], rank=rank, hyperparameters=how, replica=replica
    )


@pytest.fixture(scope="module", params=[0, 2, FULL])
def rank(request):
    return request.param


@pytest.fixture(scope="module")
def once(rank):
    """Return what became of each pair, and of each task alone, by their names."""
    every = [*itertools.combinations(NAMES, 2), *((name,) for name in NAMES)]
    return {names: train(*names, rank=rank)[0] for names in every}


def collected(outcomes, count):
    """Return the outcomes of pairs (count 2), or of tasks alone (1), as one Dataset."""
    split = ["training"] * 8 + ["held_out"] * 4
    chosen = {names: found for names, found in outcomes.items() if len(names) == count}
    heads = {names: found.correct[:, None] for names, found in chosen.items()}
    flags = {names: [found.diverged] for names, found in chosen.items()}
    return chsh.collect_pairs(heads, split=split, diverged=flags, paired=False)


def test_a_quartet_that_is_looked_up_is_the_one_that_is_trained(rank, once):
    pairs = collected(once, 2)
    # Each context by itself, the tasks in the order of the parties.
    contexts = {
        tasks: train_context(
            untrained(
                [task_data()[name] for name in tasks],
                rank,
                keys=[(task_key(name),) for name in tasks],
                **vars(HOW),
            )
        )
        for tasks in itertools.permutations(NAMES, 2)
    }
    for *alice, b1, b2 in itertools.permutations(NAMES):
        looked_up = chsh.quartet(pairs, alice=alice, bob=(b1, b2))
        assert (rank > 0) == (chsh.influence(looked_up).sum() > 0)
        for (i, own), (j, other) in itertools.product(enumerate(alice), enumerate((b1, b2))):
            cell = looked_up.isel(alice_setting=i, bob_setting=j, replica=0)
            np.testing.assert_array_equal([cell.a, cell.b], contexts[own, other].correct)
    for names, found in contexts.items():
        expected = once[tuple(sorted(names))].loss
        if names[0] < names[1]:
            np.testing.assert_array_equal(found.loss, expected)
        else:  # in another order, sums are rounded otherwise
            np.testing.assert_allclose(found.loss, expected[::-1], rtol=1e-4)


def test_whose_a_task_is_changes_no_bit(rank):
    (one, model), (other, exchanged) = (
        train(*names, rank=rank) for names in (NAMES[:2], NAMES[1::-1])
    )
    np.testing.assert_array_equal(one.correct, other.correct)
    np.testing.assert_array_equal(one.loss, other.loss)
    assert [task.data.name for task in exchanged.tasks] == list(NAMES[:2])
    for name, weight in model.trainable().items():
        assert torch.equal(weight, exchanged.trainable()[name])


def test_a_task_alone_is_what_it_is_in_a_pair_where_the_trunk_is_frozen(rank, once):
    for names, found in once.items():
        for place, name in enumerate(names):
            same = found.loss[place] == once[name,].loss[0]
            assert same == (rank == 0 or len(names) == 1)
            if same:
                np.testing.assert_array_equal(found.correct[place], once[name,].correct[0])
    chosen = {"alice": NAMES[2:], "bob": NAMES[:2]}
    # Called 0 whatever the rank: tasks alone are read at no other.
    frozen = collected(once, 1).assign_coords(capacity=0)
    alone = chsh.quartet(frozen, **chosen, alone=True).drop_vars("capacity")
    together = chsh.quartet(collected(once, 2), **chosen)
    assert alone.drop_attrs().identical(together.drop_attrs()) == (rank == 0)


def test_a_head_starts_from_its_task_and_the_trunk_from_the_replica():
    how = hyperparameters(steps=0)
    heads, trunks = {}, []
    for names in (NAMES[:2], (NAMES[3], NAMES[0]), (NAMES[1], NAMES[2]), NAMES[:1]):
        _, model = train(*names, rank=2, how=how)
        trunks.append(model.trunk.trainable())
        for task, head in zip(model.tasks, model.heads, strict=True):
            heads.setdefault(task.data.name, []).append(head.weight)
    for weights in heads.values():
        assert all(torch.equal(weight, weights[0]) for weight in weights)
    for one, other in itertools.combinations(NAMES, 2):
        assert not torch.equal(heads[one][0][0], heads[other][0][0])
    for trunk in trunks:
        assert all(torch.equal(weight, trunks[0][name]) for name, weight in trunk.items())
    _, again = train(NAMES[0], rank=2, how=how, replica=1)
    assert not torch.equal(again.heads[0].weight, heads[NAMES[0]][0])


def test_a_head_sees_its_items_in_the_order_of_its_task(monkeypatch):
    shown = []

    def spy(step, **given):
        chosen = batch_at(step, **given)
        shown.append((step, given["key"], tuple(chosen.tolist())))
        return chosen

    monkeypatch.setattr(training, "batch_at", spy)
    batches = []
    for names in (NAMES[:2], (NAMES[3], NAMES[0]), NAMES[:1]):
        train(*names, rank=0, replica=5)
        key = (HOW.seed, 5, task_key(NAMES[0]))
        batches.append([(step, items) for step, of_head, items in shown if of_head == key])
        assert len(shown) == len(names) * HOW.steps
        shown.clear()
    assert len(batches[0]) == HOW.steps
    assert batches == [batches[0]] * 3


def test_a_task_that_is_paired_with_itself_is_refused():
    with pytest.raises(ValueError, match="task `toy/same` is paired with itself"):
        train("toy/same", "toy/same", rank=0)
