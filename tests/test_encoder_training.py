"""What becomes of one training of an encoder, and what it depends on."""

import itertools
import random
from dataclasses import replace

import numpy as np
import peft
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from ncnet import chsh
from ncnet.encoders import training
from ncnet.encoders.outcomes import outcomes_of
from ncnet.encoders.training import batch_at, train_networks
from ncnet.encoders.trunk import FULL
from ncnet.keys import task_key
from tests.small_encoders import (
    LANGUAGES,
    TOY,
    encoder,
    hyperparameters,
    plain_bert,
    plain_tokens,
    toy,
    train,
    untrained,
    with_minilm,
)


class Whole:
    """One network, written down once more: all of the encoder runs, at every step."""

    def __init__(self, of, tasks, rank, how):
        self.tasks, self.how = tasks, how
        start = untrained(tasks, rank, of, **vars(how))
        bert = plain_bert(of).requires_grad_(False)
        upper = list(range(of.layers - how.layers, of.layers))
        self.run, self.trained = bert, []
        if rank == FULL:
            for k in upper:
                self.trained += bert.encoder.layer[k].requires_grad_(True).parameters()
        elif rank:
            config = peft.LoraConfig(
                r=rank,
                lora_alpha=how.alpha,
                lora_dropout=0.0,
                target_modules=["query", "value"],
                layers_to_transform=upper,
                layers_pattern="layer",
            )
            self.run = peft.get_peft_model(bert, config).eval()
            for k, adapted in zip(upper, start.trunks.layers, strict=True):
                for name in ("query", "value"):
                    linear = getattr(bert.encoder.layer[k].attention.self, name)
                    linear.lora_A["default"].weight.data.copy_(getattr(adapted, name).down[0])
            self.trained += [w for w in self.run.parameters() if w.requires_grad]
            assert len(self.trained) == 4 * how.layers
        heads = dict(zip(start.tasks, start.heads, strict=True))
        self.heads = [
            (heads[task.name].weight[0].detach().clone(), heads[task.name].bias[0, 0].detach() * 0)
            for task in tasks
        ]
        self.trained += [weight.requires_grad_() for head in self.heads for weight in head]
        self.of = of

    def logits(self, place, items):
        texts = [texts for item in items for texts in item.sequences]
        tokens = [plain_tokens(self.of, *pair) for pair in texts]
        longest = max(one["input_ids"].shape[1] for one in tokens)
        batch = {
            name: torch.cat(
                [functional.pad(one[name], (0, longest - one[name].shape[1])) for one in tokens]
            )
            for name in tokens[0]
        }
        mask = torch.tensor(
            [[k < one["input_ids"].shape[1] for k in range(longest)] for one in tokens]
        ).long()
        states = self.run(**batch, attention_mask=mask).last_hidden_state
        if self.how.pooling == "first":
            read = states[:, 0]
        else:
            read = (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        weight, bias = self.heads[place]
        return (read @ weight.T + bias).reshape(len(items), self.tasks[place].classes)

    def loss(self, place, step):
        task = self.tasks[place]
        pool = (*task.training, *task.further)
        key = (self.how.seed, 0, task_key(task.name))
        chosen = batch_at(step, count=len(pool), size=self.how.batch_size, key=key)
        items = [pool[k] for k in chosen]
        labels = torch.tensor([item.label for item in items])
        return functional.cross_entropy(self.logits(place, items), labels)

    def train(self, steps=None):
        self.adam = torch.optim.Adam(self.trained, lr=self.how.learning_rate)
        for step in range(self.how.steps if steps is None else steps):
            self.adam.zero_grad()
            sum(self.loss(place, step) for place in range(len(self.tasks))).backward()
            self.adam.step()

    @torch.no_grad()
    def outcomes(self):
        correct, losses = [], []
        for place, task in enumerate(self.tasks):
            items = (*task.training, *task.held_out)
            labels = torch.tensor([item.label for item in items])
            logits = self.logits(place, items)
            correct.append(np.where(logits.argmax(dim=1) == labels, 1, -1))
            trained = len(task.training)
            losses.append(functional.cross_entropy(logits[:trained], labels[:trained]).item())
        return correct, losses


def check_training(of, tasks, rank, how):
    """Train all networks of some tasks side by side, and each by itself in peft."""
    names = sorted(task.name for task in tasks)
    pairs = [*itertools.combinations(names, 2), *((name,) for name in names)]
    pairs = [pair for pair in pairs if rank > 0 or len(pair) == 1]
    found = train_networks(untrained(tasks, rank, of, pairs=pairs, **vars(how)))
    by_name = {task.name: task for task in tasks}
    for k, pair in enumerate(pairs):
        whole = Whole(of, [by_name[name] for name in pair], rank, how)
        untouched = whole.outcomes()[1]
        whole.train()
        correct, losses = whole.outcomes()
        np.testing.assert_array_equal(found.correct[k, : len(pair)], correct)
        np.testing.assert_allclose(found.loss[k, : len(pair)], losses, rtol=1e-4)
        # So far have they come that other batches or gradients would have come elsewhere.
        assert (np.abs(np.array(losses) - untouched) > 5e-4).all()
        if len(pair) == 1:
            assert np.isnan(found.loss[k, 1])
            assert not found.correct[k, 1].any()


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.parametrize(("rank", "layers"), [(0, 1), (1, 1), (3, 1), (3, 2), (FULL, 1), (FULL, 2)])
@pytest.mark.parametrize("pooling", ["first", "mean"])
def test_training_side_by_side_is_that_of_each_whole_encoder_in_peft(pooling, rank, layers):
    every = toy(further=5)
    # More further items for one task than for the others, and batches across epochs.
    tasks = [every["toy/mood"], replace(every["toy/sum"], further=()), every["toy/same"]]
    how = {"layers": layers, "steps": 8, "batch_size": 5, "learning_rate": 3e-3}
    check_training(encoder(), tasks, rank, hyperparameters(pooling=pooling, **how))


@pytest.mark.slow
@with_minilm
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_so_it_is_of_minilm():
    every = toy()
    how = {"layers": 2, "steps": 4, "learning_rate": 3e-3, "alpha": 8.0}
    tasks = every["toy/mood"], every["toy/same"]
    check_training(encoder("minilm"), tasks, 4, hyperparameters(encoder("minilm"), **how))


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.parametrize("rank", [2, FULL])
def test_looks_along_a_training_are_those_of_the_whole_encoder(rank):
    every = toy()
    how = hyperparameters(steps=8, learning_rate=3e-3)
    pairs = [("toy/mood", "toy/same"), ("toy/same", "toy/sum"), ("toy/sum",)]
    networks = untrained(every.values(), rank, pairs=pairs, **vars(how))
    found = train_networks(networks, looks=[3, 6])
    for k, at in itertools.product((0, 1), (0, 1)):
        whole = Whole(encoder(), [every[name] for name in pairs[k]], rank, how)
        whole.train(steps=(3, 6)[at])
        np.testing.assert_array_equal(found.along[k, at], whole.outcomes()[0])
        trunk = whole.trained[:-4]
        losses = [whole.loss(place, (3, 6)[at]) for place in (0, 1)]
        gradients = [torch.autograd.grad(loss, trunk, retain_graph=True) for loss in losses]
        first, second = (torch.cat([part.ravel() for part in parts]) for parts in gradients)
        cosine = float(torch.cosine_similarity(first, second, dim=0))
        assert found.cosine[k, at] == pytest.approx(cosine, abs=1e-3)
        for head in (0, 1):
            kept = [weight.detach().clone() for weight in trunk]
            with torch.no_grad():
                for weight, gradient in zip(trunk, gradients[1 - head], strict=True):
                    state = whole.adam.state[weight]
                    mean = state["exp_avg_sq"] / (1 - 0.999 ** float(state["step"]))
                    weight -= how.learning_rate * gradient / (mean.sqrt() + 1e-8)
                after = whole.loss(head, (3, 6)[at])
                for weight, before in zip(trunk, kept, strict=True):
                    weight.copy_(before)
            falls = 1 - float(after) / losses[head].item()
            assert found.lookahead[k, at, head] == pytest.approx(falls, abs=2e-3, rel=0.02)
    assert np.isnan(found.cosine[2]).all()
    assert np.isnan(found.lookahead[2]).all()
    np.testing.assert_array_equal(found.correct, train_networks(again(networks)).correct)


def again(networks):
    """Return the same networks as their training starts."""
    data = [task.data for task in networks.tasks.values()]
    how = vars(networks.hyperparameters)
    return untrained(data, networks.rank, pairs=networks.pairs, **how)


def test_a_head_sees_its_items_in_the_order_of_its_task(monkeypatch):
    shown = {}

    def spy(step, **given):
        batch = batch_at(step, **given)
        shown.setdefault((given["key"], step), []).append(batch.tolist())
        return batch

    monkeypatch.setattr(training, "batch_at", spy)
    train(replicas=2, ranks=[0, 2])
    keys = {(0, replica, task_key(name)) for replica in (0, 1) for name in TOY}
    assert set(shown) == {(key, step) for key in keys for step in range(4)}
    # Once a rank, for all networks that a task is in.
    assert all(len(batches) == 2 and batches[0] == batches[1] for batches in shown.values())


@pytest.mark.slow
@settings(max_examples=5)
@given(st.integers(0, 2**32), st.sampled_from([TOY, LANGUAGES]))
def test_a_trunk_that_is_not_trained_lets_nothing_through(seed, names):
    options = {"seed": seed, "learning_rate": 0.1, "steps": 8, "replicas": 2}
    pairs = train(names, ranks=[0], **options)
    for alice_1, alice_2, *bob in itertools.permutations(names):
        outcomes = chsh.quartet(pairs, alice=(alice_1, alice_2), bob=tuple(bob))
        for split in ("training", "held_out"):
            assert (chsh.influence(outcomes, split=split) == 0).all()
            assert (chsh.delta(chsh.marginals(outcomes, split=split)) == 0).all()
            assert (chsh.s_per_replica(outcomes, split=split) <= 2).all()
        assert (outcomes.alice_loss == outcomes.alice_loss.isel(bob_setting=0)).all()


@pytest.mark.parametrize("rank", [2, FULL])
def test_a_trunk_that_is_trained_does(rank):
    pairs = train(ranks=[rank], learning_rate=0.03, steps=8, replicas=4)
    outcomes = chsh.quartet(pairs, alice=TOY[:2], bob=TOY[2:])
    assert chsh.influence(outcomes).sum() > 0
    assert (
        outcomes.alice_loss.isel(bob_setting=0) != outcomes.alice_loss.isel(bob_setting=1)
    ).all()


@pytest.mark.parametrize("rank", [0, 2, FULL])
def test_a_training_is_the_same_each_time_whatever_random_numbers_others_draw(rank):
    first = train(ranks=[rank], replicas=2)
    torch.manual_seed(123)
    np.random.seed(123)
    xr.testing.assert_identical(train(ranks=[rank], replicas=2), first)


def test_random_numbers_of_numpy_and_python_are_left_as_they_were():
    before = np.random.get_state(), random.getstate()
    train(ranks=[0, 2, FULL])
    after = np.random.get_state(), random.getstate()
    assert str(before) == str(after)


@pytest.mark.parametrize("rank", [0, 2, FULL])
def test_a_training_leaves_the_encoder_as_it_was(rank):
    of = encoder()
    before = {name: weight.clone() for name, weight in of.model.state_dict().items()}
    train(ranks=[rank], learning_rate=0.1, layers=2)
    after = of.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(weight, after[name]) for name, weight in before.items())
    assert not any(weight.requires_grad for weight in of.model.parameters())


def test_another_seed_and_another_replica_end_elsewhere():
    one = train(replicas=2)
    other = train(replicas=2, seed=1)
    losses = np.concatenate([one.first_loss.values.ravel(), other.first_loss.values.ravel()])
    assert len(set(losses)) == len(losses)


def test_without_steps_the_outcomes_are_those_of_the_start():
    pairs = train(ranks=[0, 3, FULL], steps=0, replicas=3, layers=2)
    for name in ("first", "second", "diverged"):
        assert (pairs[name] == pairs[name].isel(capacity=0)).all()
    np.testing.assert_allclose(pairs.first_loss, pairs.first_loss.isel(capacity=[0] * 3), rtol=1e-4)


@pytest.mark.parametrize("rank", [2, FULL])
def test_what_diverges_reads_as_class_0_and_is_counted(rank):
    pairs = train(LANGUAGES, ranks=[rank], replicas=2, learning_rate=1e30, steps=6)
    assert pairs.diverged.all()
    assert pairs.first_loss.isnull().all()
    outcomes = chsh.quartet(pairs, alice=LANGUAGES[:2], bob=LANGUAGES[2:])
    assert (outcomes.a * outcomes.alice_target == -1).all()
    assert (outcomes.b * outcomes.bob_target == -1).all()
    report = chsh.report(outcomes, resamples=1000)
    assert (report.replicas, report.diverged) == (2, 8)


def test_one_logit_that_is_not_finite_makes_its_item_class_0(monkeypatch):
    every = toy()
    which, mood = torch.full((2, 12, 5), -1.0), torch.zeros(1, 12, 2)
    which[:, :, 3] = 1
    which[0, 2, 4], which[0, 5, 0], which[0, 9, 1] = torch.nan, torch.inf, -torch.inf
    mood[:, :, 1] = torch.tensor([0.0, 1.0] * 6)
    made = {"toy/mood": mood, "toy/which": which}
    networks = untrained(
        [every["toy/mood"], every["toy/which"]], 2, pairs=[tuple(made), ("toy/which",)]
    )
    monkeypatch.setattr(type(networks), "forward", lambda *_: made)
    found = outcomes_of(networks)
    labels = {
        name: np.array([item.label for item in (*every[name].training, *every[name].held_out)])
        for name in made
    }
    answers = np.full(12, 3)
    np.testing.assert_array_equal(found.correct[1, 0], np.where(labels["toy/which"] == 3, 1, -1))
    answers[[2, 5, 9]] = 0
    assert found.diverged.tolist() == [True, False]
    np.testing.assert_array_equal(
        found.correct[0, 1], np.where(labels["toy/which"] == answers, 1, -1)
    )
    # A tie is won by the first class.
    np.testing.assert_array_equal(
        found.correct[0, 0], np.where(labels["toy/mood"] == [0, 1] * 6, 1, -1)
    )


@pytest.mark.parametrize("rank", [0, 2, FULL])
def test_bfloat16_trains_and_differs_little(rank):
    options = {"ranks": [rank], "steps": 12, "learning_rate": 1e-2, "replicas": 1}
    start, whole, half = (
        train(**options | change) for change in ({"steps": 0}, {}, {"bfloat16": True})
    )
    assert not half.diverged.any()
    assert (half.first_loss != whole.first_loss).all()
    np.testing.assert_allclose(half.first_loss, whole.first_loss, atol=0.2)
    assert float(half.first_loss.mean()) < float(start.first_loss.mean()) - 0.05
    assert float((half["first"] == whole["first"]).mean()) > 0.9
    assert (half.attrs["bfloat16"], whole.attrs["bfloat16"]) == (True, False)
