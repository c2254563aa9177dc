"""What becomes of one training of an encoder, and what it depends on."""

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

import ncnet
from ncnet.encoders import training
from ncnet.encoders.training import batch_at, train_context
from ncnet.encoders.trunk import FULL
from tests.small_encoders import (
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
    """The same network, written down once more: all of the encoder runs, at every step."""

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
            for k, adapted in zip(upper, start.trunk.layers, strict=True):
                for name in ("query", "value"):
                    ours = getattr(bert.encoder.layer[k].attention.self, name)
                    theirs = getattr(adapted.attention.self, name)
                    ours.lora_A["default"].weight.data.copy_(theirs.lora_A["default"].weight)
            self.trained += [w for w in self.run.parameters() if w.requires_grad]
            assert len(self.trained) == 4 * how.layers
        self.heads = [
            (head.weight.detach().clone().requires_grad_(), torch.zeros(len(head.bias)))
            for head in start.heads
        ]
        self.trained += [weight.requires_grad_() for head in self.heads for weight in head]
        self.of = of

    def logits(self, party, items):
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
        )
        states = self.run(**batch, attention_mask=mask.long()).last_hidden_state[:, 0]
        weight, bias = self.heads[party]
        return (states @ weight.T + bias).reshape(len(items), self.tasks[party].classes)

    def train(self):
        adam = torch.optim.Adam(self.trained, lr=self.how.learning_rate)
        for step in range(self.how.steps):
            loss = 0
            for party, task in enumerate(self.tasks):
                pool = (*task.training, *task.further)
                key = (self.how.seed, 0, party)
                chosen = batch_at(step, count=len(pool), size=self.how.batch_size, key=key)
                items = [pool[k] for k in chosen]
                labels = torch.tensor([item.label for item in items])
                loss += functional.cross_entropy(self.logits(party, items), labels)
            adam.zero_grad()
            loss.backward()
            adam.step()

    @torch.no_grad()
    def outcomes(self):
        correct, losses = [], []
        for party, task in enumerate(self.tasks):
            items = (*task.training, *task.held_out)
            labels = torch.tensor([item.label for item in items])
            logits = self.logits(party, items)
            correct.append(np.where(logits.argmax(dim=1) == labels, 1, -1))
            trained = len(task.training)
            losses.append(functional.cross_entropy(logits[:trained], labels[:trained]).item())
        return correct, losses


def check_training(of, tasks, rank, how):
    model = untrained(tasks, rank, of, **vars(how))
    outcome = train_context(model)
    whole = Whole(of, tasks, rank, how)
    untouched = whole.outcomes()[1]
    whole.train()
    correct, losses = whole.outcomes()
    np.testing.assert_array_equal(outcome.correct, correct)
    np.testing.assert_allclose(outcome.loss, losses, rtol=1e-4)
    # So far have they come that other batches or gradients would have come elsewhere.
    assert (np.abs(np.array(losses) - untouched) > 1e-3).all()
    ours = model.trainable()
    # No softmax sees the bias of a key or of a choice: their gradient is rounding, which Adam
    # amplifies.
    for (name, weight), expected in zip(ours.items(), whole.trained, strict=True):
        if "key.bias" not in name and weight.numel() > 1:
            # So it amplifies the rounding of a gradient near 0: a weight in a thousand may stray.
            close = torch.isclose(weight, expected, rtol=1e-3, atol=how.learning_rate / 20)
            assert close.float().mean() > 0.998


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.parametrize(("rank", "layers"), [(0, 1), (1, 1), (3, 1), (3, 2), (FULL, 1), (FULL, 2)])
@pytest.mark.parametrize("names", [("toy/mood", "toy/sum"), ("toy/which", "toy/same")])
def test_training_is_that_of_the_whole_encoder_in_peft(names, rank, layers):
    _, every = toy(further=5)
    # More further items for one task than for the other, and batches across epochs.
    pair = every[names[0]], replace(every[names[1]], further=())
    check_training(
        encoder(),
        pair,
        rank,
        hyperparameters(layers=layers, steps=8, batch_size=5, learning_rate=3e-3),
    )


@pytest.mark.slow
@with_minilm
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_so_it_is_of_minilm():
    _, every = toy()
    pair = every["toy/mood"], every["toy/same"]
    check_training(
        encoder("minilm"),
        pair,
        4,
        hyperparameters(layers=2, steps=4, learning_rate=3e-3, alpha=8.0),
    )


def test_all_contexts_of_a_replica_see_the_same_batches(monkeypatch):
    shown = []

    def spy(step, **given):
        shown.append((given["key"], step, tuple(batch_at(step, **given).tolist())))
        return np.array(shown[-1][2])

    monkeypatch.setattr(training, "batch_at", spy)
    train(replicas=2, ranks=[0, 2])
    assert len(shown) == 2 * 2 * 4 * 4 * 2  # ranks, replicas, contexts, steps, heads
    for rank in range(2):
        for replica in range(2):
            start = 64 * rank + 32 * replica
            contexts = [shown[at : at + 8] for at in range(start, start + 32, 8)]
            assert contexts == [contexts[0]] * 4
            assert {key for key, _, _ in contexts[0]} == {(0, replica, 0), (0, replica, 1)}


@pytest.mark.slow
@settings(max_examples=5)
@given(st.integers(0, 2**32), st.sampled_from(["toy_mixed", "toy_languages"]))
def test_a_trunk_that_is_not_trained_lets_nothing_through(seed, quartet):
    options = {"seed": seed, "learning_rate": 0.1, "steps": 8, "replicas": 2}
    outcomes = train(quartet, ranks=[0], **options)
    for split in ("training", "held_out"):
        influence = ncnet.chsh.influence(outcomes, split=split).sum("task")
        marginals = ncnet.chsh.marginals(outcomes, split=split)
        assert (influence.sel(capacity=0) == 0).all()
        assert (ncnet.chsh.delta(marginals).sel(capacity=0) == 0).all()
        s = ncnet.chsh.s_per_replica(outcomes, split=split)
        assert (s.sel(capacity=0) <= 2).all()
    alone = ncnet.chsh.report(outcomes, resamples=1000)
    assert (alone.delta, alone.influence, alone.held_out.influence) == (0, 0, 0)
    separate = outcomes.sel(capacity=0)
    assert (separate.alice_loss == separate.alice_loss.isel(bob_setting=0)).all()
    assert (separate.bob_loss == separate.bob_loss.isel(alice_setting=0)).all()


@pytest.mark.parametrize("rank", [2, FULL])
def test_a_trunk_that_is_trained_does(rank):
    outcomes = train(ranks=[rank], learning_rate=0.03, steps=8, replicas=4)
    assert ncnet.chsh.influence(outcomes).sum() > 0
    assert (
        outcomes.alice_loss.isel(bob_setting=0) != outcomes.alice_loss.isel(bob_setting=1)
    ).all()
    assert (
        outcomes.bob_loss.isel(alice_setting=0) != outcomes.bob_loss.isel(alice_setting=1)
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
    losses = np.concatenate([one.alice_loss.values.ravel(), other.alice_loss.values.ravel()])
    assert len(set(losses)) == len(losses)


def test_without_steps_the_outcomes_are_those_of_the_start():
    outcomes = train(ranks=[0, 3, FULL], steps=0, replicas=3, layers=2)
    for name in ("a", "b", "diverged"):
        assert (outcomes[name] == outcomes[name].isel(capacity=0)).all()
    assert (outcomes.a == outcomes.a.isel(bob_setting=0)).all()
    assert (outcomes.b == outcomes.b.isel(alice_setting=0)).all()
    np.testing.assert_allclose(
        outcomes.alice_loss, outcomes.alice_loss.isel(capacity=[0] * 3), rtol=1e-4
    )


@pytest.mark.parametrize("rank", [2, FULL])
def test_what_diverges_reads_as_class_0_and_is_counted(rank):
    outcomes = train("toy_languages", ranks=[rank], replicas=2, learning_rate=1e30, steps=6)
    assert outcomes.diverged.all()
    assert outcomes.alice_loss.isnull().all()
    assert (outcomes.a * outcomes.alice_target == -1).all()
    assert (outcomes.b * outcomes.bob_target == -1).all()
    report = ncnet.chsh.report(outcomes, resamples=1000)
    assert (report.replicas, report.diverged) == (2, 8)


def test_one_logit_that_is_not_finite_makes_its_item_class_0(monkeypatch):
    _, tasks = toy()
    pair = tasks["toy/which"], tasks["toy/mood"]
    made = torch.full((12, 5), -1.0), torch.zeros(12, 2)
    made[0][:, 3] = 1
    made[0][2, 4], made[0][5, 0], made[0][9, 1] = torch.nan, torch.inf, -torch.inf
    made[1][:, 1] = torch.tensor([0.0, 1.0] * 6)
    monkeypatch.setattr(training.TwoHeads, "forward", lambda model, items: list(made))
    model = untrained(pair, 0, steps=0)
    outcome = train_context(model)
    labels = [np.array([item.label for item in (*task.training, *task.held_out)]) for task in pair]
    answers = np.full(12, 3)
    answers[[2, 5, 9]] = 0
    assert outcome.diverged
    np.testing.assert_array_equal(outcome.correct[0], np.where(labels[0] == answers, 1, -1))
    # A tie is won by the first class.
    np.testing.assert_array_equal(outcome.correct[1], np.where(labels[1] == [0, 1] * 6, 1, -1))
    made[0].nan_to_num_(0, 0, 0)
    assert not train_context(model).diverged


@pytest.mark.parametrize("rank", [0, 2, FULL])
def test_bfloat16_trains_and_differs_little(rank):
    options = {"ranks": [rank], "steps": 12, "learning_rate": 1e-2, "replicas": 1}
    start, whole, half = (
        train(**options | change) for change in ({"steps": 0}, {}, {"bfloat16": True})
    )
    assert not half.diverged.any()
    assert (half.alice_loss != whole.alice_loss).all()
    for name in ("alice_loss", "bob_loss"):
        np.testing.assert_allclose(half[name], whole[name], atol=0.2)
        assert float(half[name].mean()) < float(start[name].mean()) - 0.05
    assert float((half.a == whole.a).mean()) > 0.9
    assert (half.attrs["bfloat16"], whole.attrs["bfloat16"]) == (True, False)
