"""The probe: what it sees, that it changes nothing, and S along training from its outcomes."""

import gc
import itertools
import math
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
import transformers
from torch import nn
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.utils import ModelOutput

from ncnet import chsh, gradients
from ncnet.experiment import Trained
from ncnet.experiment.callback import ProbeCallback
from ncnet.experiment.probe import Probe, conflict_by_step, outcomes_by_step
from ncnet.studies.mechanism import conflict
from tests.refusals import refused

CONTEXTS = list(itertools.product((1, 2), (1, 2)))
INPUTS = torch.tensor([[-1.0, -1], [-1, 1], [1, -1], [1, 1]]).repeat(4, 1)
TARGETS = {
    "alice": {1: INPUTS[:, 0] > 0, 2: INPUTS.prod(1) > 0},
    "bob": {1: INPUTS[:, 1] > 0, 2: INPUTS.prod(1) < 0},
}


class TwoHeads(nn.Module):
    def __init__(self, seed, dropout=0.0):
        super().__init__()
        torch.manual_seed(seed)
        self.trunk = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Dropout(dropout))
        self.alice, self.bob = nn.Linear(3, 1), nn.Linear(3, 1)

    def forward(self, inputs):
        state = self.trunk(inputs)
        return self.alice(state)[:, 0], self.bob(state)[:, 0]

    def losses(self, context, items=slice(None)):
        logits = self(INPUTS[items])
        targets = [TARGETS[party][s][items] for party, s in zip(TARGETS, context, strict=True)]
        return [
            nn.functional.binary_cross_entropy_with_logits(logit, target.float())
            for logit, target in zip(logits, targets, strict=True)
        ]

    def correct(self, context):
        mode = self.training
        self.eval()
        logits = self(INPUTS)
        self.train(mode)
        targets = [TARGETS[party][s] for party, s in zip(TARGETS, context, strict=True)]
        return [(logit > 0) == target for logit, target in zip(logits, targets, strict=True)]


def train(model, context, steps, probe=None):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(steps):
        items = torch.randint(len(INPUTS), (6,))
        alice_loss, bob_loss = model.losses(context, items)
        if probe:
            probe.record(alice_loss, bob_loss)
        optimizer.zero_grad()
        (alice_loss + bob_loss).backward()
        optimizer.step()
    return [weight.detach().clone() for weight in model.parameters()]


def test_gradients_are_those_of_autograd():
    model = TwoHeads(0)
    probe = Probe(model.trunk, every=1)
    probe.record(*model.losses((1, 2)))
    flat = []
    for party in range(2):
        model.zero_grad()
        model.losses((1, 2))[party].backward()
        flat.append(torch.cat([p.grad.flatten() for p in model.trunk.parameters()]).double())
    a, b = flat
    row = probe.table().iloc[0]
    assert row["alice_gradient"] == pytest.approx(float(a @ a))
    assert row["bob_gradient"] == pytest.approx(float(b @ b))
    assert row["gradient_product"] == pytest.approx(float(a @ b))
    assert row["cosine"] == pytest.approx(float(a @ b / (a.norm() * b.norm())))
    similar = 2 * a.norm() * b.norm() / (a @ a + b @ b)
    assert row["magnitude_similarity"] == pytest.approx(float(similar))
    assert row["conflict"] == (a @ b < 0)
    assert row["alice_loss"] == pytest.approx(model.losses((1, 2))[0].item())


def test_gradients_of_a_linear_trunk_have_a_closed_form():
    weights = nn.Parameter(torch.tensor([1.0, 2.0], dtype=torch.float64))
    probe = Probe([weights], every=1)
    probe.record(weights @ torch.tensor([3.0, 0.0]).double(), weights @ torch.ones(2).double() / 2)
    row = probe.table().iloc[0]
    assert row[["alice_gradient", "gradient_product", "bob_gradient"]].tolist() == [9, 1.5, 0.5]
    assert row["cosine"] == pytest.approx(1 / math.sqrt(2))
    assert row["magnitude_similarity"] == pytest.approx(2 * math.sqrt(4.5) / 9.5)


def test_heads_that_oppose_each_other_have_a_cosine_of_minus_one():
    weights = nn.Parameter(torch.tensor([0.3, -0.2]))
    probe = Probe([weights], every=1)
    loss = (weights**2).sum()
    probe.record(loss, -2 * loss)
    row = probe.table().iloc[0]
    assert row["cosine"] == -1
    assert row["conflict"]
    assert row["magnitude_similarity"] == pytest.approx(0.8)


def test_the_smallest_gradients_have_a_cosine():
    weights = nn.Parameter(torch.ones(2))
    probe = Probe([weights], every=1)
    probe.record(1e-30 * weights.sum(), 1e-25 * weights.sum())
    assert probe.table()["cosine"].item() == pytest.approx(1)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_training_is_the_same_bit_by_bit_with_the_probe(dropout):
    plain = train(TwoHeads(3, dropout), (2, 2), 30)
    random = torch.get_rng_state()
    model = TwoHeads(3, dropout)

    def evaluate():
        torch.rand(7)  # random numbers of its own
        return model.correct((2, 2))

    probe = Probe(model.trunk, every=1, evaluate=evaluate)
    found = train(model, (2, 2), 30, probe)
    assert all(map(torch.equal, found, plain))
    assert torch.equal(torch.get_rng_state(), random)
    assert len(probe.table()) == 30
    assert probe.seconds > 0


def test_gradients_that_wait_for_a_step_stay_as_they_are():
    model = TwoHeads(0)
    sum(model.losses((1, 1))).backward()
    before = [p.grad.clone() for p in model.parameters()]
    Probe(model.trunk).record(*model.losses((2, 1)))
    assert all(map(torch.equal, before, [p.grad for p in model.parameters()]))


@pytest.mark.parametrize(
    ("every", "logged"), [(1, [0, 1, 2, 3, 4, 5, 6]), (3, [0, 3, 6]), (9, [0])]
)
def test_the_first_step_is_logged_and_then_every_so_many(every, logged):
    model = TwoHeads(0)
    probe = Probe(model.trunk.parameters(), every=every)
    train(model, (1, 1), 7, probe)
    assert probe.table()["step"].tolist() == logged
    assert probe.step == 7


def test_the_table_is_there_before_any_step():
    table = Probe(nn.Linear(1, 1)).table()
    assert table.empty
    assert list(table) == [
        *("step", "alice_loss", "bob_loss", "alice_gradient", "gradient_product"),
        *("bob_gradient", "cosine", "magnitude_similarity", "conflict"),
    ]


def test_the_mechanism_reads_the_table():
    model = TwoHeads(0)
    probe = Probe(model.trunk, every=5)
    train(model, (2, 2), 41, probe)
    traced = probe.table().set_index("step").to_xarray()
    phases = conflict.by_phase(gradients.conflict(traced))
    assert phases.phase.values.tolist() == ["early", "middle", "late", "whole"]
    assert -1 <= float(phases.weighted_cosine.sel(phase="whole")) <= 1


def test_a_head_that_does_not_use_the_trunk_has_a_gradient_of_zero():
    trunk, head = nn.Linear(2, 2), nn.Linear(2, 1)
    probe = Probe(trunk, every=1)
    with pytest.warns(RuntimeWarning, match="^`bob_loss` depends on no parameter of the trunk"):
        probe.record(trunk(INPUTS).mean(), head(INPUTS).mean())
    probe.record(head(INPUTS).mean(), head(INPUTS).mean())  # told once
    first, second = probe.table().itertuples()
    assert first.alice_gradient > 0
    assert first.bob_gradient == first.gradient_product == first.magnitude_similarity == 0
    assert math.isnan(first.cosine)
    assert math.isnan(second.cosine)
    assert math.isnan(second.magnitude_similarity)
    assert not first.conflict
    assert not second.conflict


def test_parameters_that_are_frozen_are_left_out():
    model = TwoHeads(0)
    model.trunk[0].bias.requires_grad = False
    probes = [Probe(model.trunk, every=1), Probe([model.trunk[0].weight] * 2, every=1)]
    for probe in probes:
        probe.record(*model.losses((1, 2)))
    pd.testing.assert_frame_equal(*(probe.table() for probe in probes))
    model.trunk[0].weight.requires_grad = False
    model.trunk[0].bias.requires_grad = True  # unfrozen later
    probes[0].record(*model.losses((1, 2)))
    assert probes[0].table()["alice_gradient"].nunique() == 2


def test_sparse_gradients_are_read_like_dense_ones_and_not_made_dense(monkeypatch):
    rows = []
    for sparse in (True, False):
        torch.manual_seed(0)
        trunk = nn.Embedding(5, 2, sparse=sparse)
        state = trunk(torch.tensor([0, 3, 3, 4]))
        probe = Probe(trunk, every=1)
        if sparse:
            monkeypatch.setattr(torch.Tensor, "to_dense", None, raising=False)
        probe.record(state[:3].square().sum(), state[1:].sum())
        monkeypatch.undo()
        rows.append(probe.table())
    pd.testing.assert_frame_equal(*rows)
    assert rows[0]["gradient_product"][0] != 0


def test_each_gradient_is_converted_once_and_no_loss_is_shown(monkeypatch):
    model, converted, to = TwoHeads(0), [], torch.Tensor.to
    probe = Probe(model.trunk)
    losses = model.losses((1, 1))
    monkeypatch.setattr(torch.Tensor, "__repr__", None)
    monkeypatch.setattr(torch.Tensor, "to", lambda *given: [converted.append(given), to(*given)][1])
    probe.record(*losses)
    assert len(converted) == 2 * len(probe.parameters)
    assert torch.float64 in converted[0]


def test_a_batch_on_which_one_head_has_no_loss_ends_no_training():
    model = TwoHeads(0)
    probe = Probe(model.trunk, every=1)
    probe.record(*model.losses((1, 1)))
    line = "^`bob_loss` has no graph at step 1: gradients"
    with pytest.warns(RuntimeWarning, match=line) as told:
        probe.record(model.losses((1, 1))[0], torch.zeros(()))
    assert told[0].filename == __file__, "the warning names another line than the caller's"
    probe.record(*model.losses((1, 1)))
    assert probe.table()["cosine"].isna().tolist() == [False, True, False]
    assert probe.table()["bob_loss"][1] == 0


def frozen():
    model = nn.Linear(2, 2)
    for parameter in model.parameters():
        parameter.requires_grad = False
    return model


@pytest.mark.parametrize(
    ("given", "found", "expected"),
    [
        ({"trunk": frozen()}, "trunk's 2 parameters is trained", "one with requires_grad"),
        ({"trunk": []}, "none of the trunk's 0 parameters is trained", "requires_grad"),
        ({"trunk": 3}, "`trunk` is of type int", "a module or parameters"),
        ({"trunk": torch.ones(2)}, "`trunk` is of type Tensor", "a module or parameters"),
        (
            *({"trunk": nn.Linear(2, 2).named_parameters()}, "`trunk` holds [('weight', "),
            "parameters",
        ),
        ({"every": 0}, "`every` is 0", "an integer of at least 1"),
        ({"evaluate": ([1], [1])}, "`evaluate` is ([1], [1])", "a function without arguments"),
    ],
)
def test_a_probe_that_cannot_record_is_refused(given, found, expected):
    given = {"trunk": nn.Linear(2, 2)} | given
    refused(lambda: Probe(given.pop("trunk"), **given), (found, ": expected ", expected))


@pytest.mark.parametrize(
    ("change", "found", "expected"),
    [
        (lambda loss: loss.item(), "is 0.", "the loss as a tensor, before .item()"),
        (lambda loss: loss * torch.ones(3), "has shape (3,)", "one real number, such as a mean"),
        (lambda loss: loss * 1j, "type torch.complex64", "one real number"),
        (lambda loss: loss.detach(), "has no graph", "record() before backward(), without no_grad"),
    ],
)
def test_a_loss_without_a_gradient_is_refused(change, found, expected):
    model = TwoHeads(0)
    alice_loss, bob_loss = model.losses((1, 1))
    parts = ("`bob_loss` ", found, f": expected {expected}")
    refused(lambda: Probe(model.trunk).record(alice_loss, change(bob_loss)), parts)


def test_a_graph_that_was_used_is_told():
    trunk = nn.Linear(2, 1)
    loss = trunk(INPUTS).square().mean()
    loss.backward()
    line = "the graph is used up: expected record() before backward()"
    refused(lambda: Probe(trunk).record(loss, loss), [line])


def test_an_evaluation_that_changes_the_mode_is_refused():
    trunk = nn.Sequential(nn.Linear(2, 1), nn.Dropout())

    def evaluate():
        trunk.eval()
        return [True], [True]

    probe = Probe(trunk, evaluate=evaluate)
    loss = trunk(INPUTS).mean()
    with pytest.raises(
        ValueError, match=r"^`evaluate` left the trunk in another mode .* at step 0"
    ):
        probe.record(loss, loss)


def test_outcomes_that_are_none_are_refused_at_their_step():
    model = TwoHeads(0)
    probe = Probe(model.trunk, every=2, evaluate=lambda: ([0.3], [1]))
    line = "step 0: item 0 of Alice's `training` is 0.3: "
    refused(lambda: probe.record(*model.losses((1, 1))), [line])


def test_a_probe_without_evaluate_says_so():
    line = "the probe has no `evaluate`: expected Probe("
    refused(Probe(nn.Linear(1, 1)).evaluate, [line])


def probed(context, seed, steps, every=5):
    """Train a network; return it and its probe, which has looked at the end, too."""
    model = TwoHeads(seed)
    probe = Probe(model.trunk, every=every, evaluate=lambda: model.correct(context))
    train(model, context, steps, probe)
    probe.evaluate()
    return model, probe


def test_s_by_step_ends_at_the_s_of_the_final_outcomes():
    trained = {(c, seed): probed(c, seed, 22) for c in CONTEXTS for seed in range(3)}
    outcomes = outcomes_by_step({c: [trained[c, seed][1] for seed in range(3)] for c in CONTEXTS})
    assert outcomes.capacity.values.tolist() == [0, 5, 10, 15, 20, 22]
    assert outcomes.capacity.attrs == {"capacity_name": "steps"}
    final = np.zeros((2, 2, 2, 3, len(INPUTS)))
    for ((i, j), seed), (model, _) in trained.items():
        right = torch.stack(model.correct((i, j))).numpy()
        final[:, i - 1, j - 1, seed] = np.where(right, 1, -1)
    expected = chsh.report(tuple(final))
    found = chsh.report(outcomes.sel(capacity=22))
    assert str(found) == str(expected)
    assert chsh.s_per_replica(outcomes).sizes == {"capacity": 6, "replica": 3}


def test_s_by_step_of_32_replicas_is_a_table_by_steps():
    _, probe = probed((2, 2), 0, 6)
    table = chsh.by_capacity(outcomes_by_step(dict.fromkeys(CONTEXTS, [probe] * 32)))
    assert table["steps"].tolist() == [0, 5, 6]


def test_s_by_step_follows_trainings_that_go_on():
    models = {c: TwoHeads(0) for c in CONTEXTS}
    probes = {
        c: Probe(m.trunk, every=2, evaluate=lambda m=m, c=c: m.correct(c))
        for c, m in models.items()
    }
    refused(lambda: outcomes_by_step(probes), ["the probes have no step in common"])
    for context, model in models.items():
        train(model, context, 5 if context == (1, 2) else 7, probes[context])
    assert outcomes_by_step(probes).capacity.values.tolist() == [0, 2, 4]
    train(models[1, 2], (1, 2), 2, probes[1, 2])
    assert outcomes_by_step(probes).capacity.values.tolist() == [0, 2, 4, 6]
    assert outcomes_by_step(probes, paired=False).attrs["paired"] == 0


def test_conflict_by_step_averages_the_tables():
    probes = {c: [probed(c, seed, 22)[1] for seed in range(3)] for c in CONTEXTS}
    by_step = conflict_by_step(probes)
    assert len(by_step) == 4 * 5
    for (i, j), of_one in probes.items():
        here = by_step[(by_step["alice_setting"] == i) & (by_step["bob_setting"] == j)]
        for name in ("cosine", "magnitude_similarity", "conflict"):
            expected = np.mean([probe.table()[name] for probe in of_one], axis=0)
            np.testing.assert_allclose(here[name], expected)
            assert (here[f"{name}_low"] <= here[name] + 1e-12).all()
            assert (here[name] <= here[f"{name}_high"] + 1e-12).all()


def probed_weight(*slopes):
    """Return the probe of one weight whose losses of a step have these slopes."""
    weight = nn.Parameter(torch.ones(1))
    probe = Probe([weight], every=1)
    for slope in slopes:
        probe.record(slope * weight.sum(), weight.sum())
    return probe


def test_replicas_without_finite_gradients_are_left_out_and_counted():
    replicas = [probed_weight(2, 2, math.nan), *[probed_weight(-2, 0, math.inf)] * 2]
    replicas.append(probed_weight(math.nan, 1, math.nan))
    by_step = conflict_by_step(dict.fromkeys(CONTEXTS, replicas)).head(3)
    assert by_step["replicas"].tolist() == [3, 4, 0]
    assert by_step["cosine"].tolist() == pytest.approx([-1 / 3, 0.5, math.nan], nan_ok=True)
    assert by_step["conflict"].tolist() == pytest.approx([2 / 3, 0, math.nan], nan_ok=True)
    assert by_step.iloc[2, 4:].isna().all()


def test_held_out_items_can_be_followed_too():
    def evaluate():
        return Trained(([1, 0], [1, 1]), held_out=([0, 0, 1], [1, 1, 0]))

    probe = Probe(nn.Linear(1, 1), evaluate=evaluate)
    probe.evaluate()
    outcomes = outcomes_by_step(dict.fromkeys(CONTEXTS, probe))
    assert chsh.report(outcomes.sel(capacity=0)).held_out.items == 3


def small_probe(*outcomes):
    left = list(outcomes)
    probe = Probe(nn.Linear(1, 1), evaluate=lambda: left.pop(0))
    for _ in outcomes:
        probe.evaluate()
    return probe


def test_probes_that_are_no_experiment_are_refused():
    probe = small_probe(([1, 0], [1, 1]))
    four = "a dict of (1, 1), (1, 2), (2, 1), (2, 2)"
    at_first = "in context (1,1) of replica 0 at step 0"
    for probes, found, expected in (
        ([probe] * 4, "`probes` is [<", four),
        ({(1, 1): probe, (1, 2): probe}, "`probes` is [(1, 1), (1, 2)]", four),
        ({context: [3] for context in CONTEXTS}, "context (1, 1) has 3", "probes"),
        (dict.fromkeys(CONTEXTS, 3), "context (1, 1) has 3", "probes"),
        (
            {context: [probe] for context in CONTEXTS} | {(2, 1): [probe, probe]},
            *("(2, 1): 2, (2, 2): 1} probes", "as many of each, one a replica"),
        ),
        (
            dict.fromkeys(CONTEXTS, probe) | {(1, 2): small_probe(([1], [1]))},
            f"(1,2) of replica 0 at step 0: `training` has 1 items, {at_first} it has 2",
            "as many in every context",
        ),
        (
            dict.fromkeys(CONTEXTS, probe) | {(2, 2): small_probe(([1, 1], [1, -1]))},
            f"Bob's `training` holds -1, Alice's `training` {at_first} holds 0",
            "one coding",
        ),
    ):
        parts = (found, f": expected {expected}")
        refused(lambda probes=probes: outcomes_by_step(probes), parts)


@pytest.fixture(autouse=True, scope="module")
def _garbage_is_looked_for_in_what_is_new():
    """At each end of a training, the trainer has all collected that modules are made of, too."""
    gc.freeze()
    yield
    gc.unfreeze()


class ForTrainer(nn.Module):
    """A BERT with two heads that returns each head's loss, as a reader might write it."""

    def __init__(self, context=(1, 2), output=ModelOutput, names=("alice_loss", "bob_loss")):
        super().__init__()
        self.context, self.output, self.names = context, output, names
        torch.manual_seed(0)
        size = {"vocab_size": 20, "hidden_size": 8, "intermediate_size": 16}
        config = transformers.BertConfig(
            **size, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=8
        )
        self.bert = transformers.BertModel(config, add_pooling_layer=False)
        self.heads = nn.ModuleList(nn.Linear(8, 2) for _ in range(2))

    def logits(self, input_ids):
        state = self.bert(input_ids=input_ids).last_hidden_state[:, 0]
        return [head(state) for head in self.heads]

    def forward(self, input_ids, alice_labels=None, bob_labels=None):
        labels = alice_labels, bob_labels
        alice_loss, bob_loss = (
            nn.functional.cross_entropy(logit, label)
            for logit, label in zip(self.logits(input_ids), labels, strict=True)
        )
        named = dict(zip(self.names, (alice_loss, bob_loss), strict=True))
        return self.output(loss=alice_loss + bob_loss, **named)


def rows(count=24):
    tokens = torch.randint(20, (count, 6), generator=torch.Generator().manual_seed(1))
    return [
        {"input_ids": t, "alice_labels": t[0] % 2, "bob_labels": t[1] % 2} for t in tokens.unbind()
    ]


def trainer(model, folder, callbacks, *, kind=Trainer, held_out=None, model_init=None, **changed):
    options = {"max_steps": 5, "per_device_train_batch_size": 4, "learning_rate": 1e-2}
    arguments = TrainingArguments(
        output_dir=str(folder),
        **({"save_strategy": "no"} | options | changed),
        report_to=[],
        logging_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
        dataloader_pin_memory=False,
    )
    data = {"train_dataset": rows(), "eval_dataset": held_out}
    return kind(model, arguments, **data, callbacks=callbacks, model_init=model_init)


def hooks(model):
    return sum(len(module._forward_hooks) for module in model.modules())


@pytest.mark.parametrize("output", [ModelOutput, dict])
@pytest.mark.parametrize("accumulated", [1, 3])
def test_an_unchanged_trainer_is_recorded(tmp_path, output, accumulated):
    changed = {"gradient_accumulation_steps": accumulated}
    plain = ForTrainer(output=output)
    trainer(plain, tmp_path, [], **changed).train()
    model = ForTrainer(output=output)

    def evaluate():
        data = rows()
        model.eval()
        logits = model.logits(torch.stack([row["input_ids"] for row in data]))
        model.train()
        names = ("alice_labels", "bob_labels")
        labels = [torch.stack([row[name] for row in data]) for name in names]
        return [x.argmax(1) == y for x, y in zip(logits, labels, strict=True)]

    probe = Probe(model.bert, every=2, evaluate=evaluate)
    trainer(model, tmp_path, [ProbeCallback(probe)], **changed).train()
    table = probe.table()
    assert table["step"].tolist() == [0, 2, 4]
    assert (table[["alice_gradient", "bob_gradient"]] > 0).all(axis=None)
    assert list(probe.outcomes()) == [0, 2, 4, 5]
    assert probe.step == 5
    assert hooks(model) == 0
    for one, other in zip(plain.parameters(), model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_of_accumulated_batches_the_first_is_recorded(tmp_path):
    model, seen = ForTrainer(), []
    model.register_forward_hook(lambda module, given, output: seen.append(output["alice_loss"]))
    probe = Probe(model.bert, every=1)
    changed = {"gradient_accumulation_steps": 3, "max_steps": 2}
    trainer(model, tmp_path, [ProbeCallback(probe)], **changed).train()
    assert len(seen) == 6
    assert probe.table()["alice_loss"].tolist() == [seen[0].item(), seen[3].item()]


def test_evaluation_of_the_trainer_is_not_recorded(tmp_path):
    model = ForTrainer()
    probe = Probe(model.bert, every=1)
    evaluates = {"eval_strategy": "steps", "eval_steps": 1, "prediction_loss_only": True}
    probed = trainer(model, tmp_path, [ProbeCallback(probe)], held_out=rows(8), **evaluates)
    probed.train()
    probed.evaluate()
    assert probe.table()["step"].tolist() == [0, 1, 2, 3, 4]


class Fails(TrainerCallback):
    def on_step_begin(self, args, state, control, **more):
        if state.global_step == 2:
            raise RuntimeError("cut off")


class FailsInForward(ForTrainer):
    def forward(self, input_ids, alice_labels=None, bob_labels=None):
        raise RuntimeError("cut off")


@pytest.mark.parametrize("kind", [ForTrainer, FailsInForward])
def test_no_hook_is_left_after_an_error(tmp_path, kind):
    model = kind()
    callbacks = [Fails(), ProbeCallback(Probe(model.bert))]
    with pytest.raises(RuntimeError, match=r"^cut off$"):
        trainer(model, tmp_path, callbacks).train()
    assert hooks(model) == 0


def test_a_hook_that_was_left_before_its_step_goes_with_the_next_call(tmp_path):
    model = ForTrainer()
    with pytest.raises(RuntimeError, match=r"^cut off$"):
        trainer(model, tmp_path, [ProbeCallback(Probe(model.bert)), Fails()]).train()
    data = rows()[:1]
    model(**{name: torch.stack([row[name] for row in data]) for name in data[0]})
    assert hooks(model) == 0


class Asks(Trainer):
    """Calls the model without gradients first, as a metric or a teacher does."""

    def compute_loss(self, model, inputs, **more):
        with torch.no_grad():
            model(**{name: values.flip(0) for name, values in inputs.items()})
            model.eval()(**{name: values[:1] for name, values in inputs.items()})
        return super().compute_loss(model.train(self.training), inputs, **more)


@pytest.mark.parametrize("training", [True, False])
def test_the_call_that_is_trained_on_is_recorded(tmp_path, training):
    tables = []
    for kind in (Trainer, type("AsksSo", (Asks,), {"training": training})):
        model = ForTrainer()
        if not training:  # no dropout in either mode
            model.train = lambda mode=True, model=model: nn.Module.train(model, False)
        probe = Probe(model.bert, every=1)
        trainer(model, tmp_path, [ProbeCallback(probe)], kind=kind).train()
        tables.append(probe.table())
    if training:  # each call draws its dropout
        assert len(tables[1]) == 5
    else:
        pd.testing.assert_frame_equal(*tables)


def test_the_model_that_the_trainer_makes_is_recorded(tmp_path):
    probes = []

    def probe_of(model):
        probes.append(Probe(model.bert, every=2))
        return probes[-1]

    callback = ProbeCallback(probe_of)
    made = trainer(None, tmp_path, [callback], model_init=lambda: ForTrainer())
    assert callback.probe is None
    made.train()
    assert callback.probe is probes[0]
    made.train()  # once more, as a search of hyperparameters does
    assert callback.probe is probes[1]
    assert probes[1].parameters[0] is next(made.model.bert.parameters())
    for probe in probes:
        assert probe.table()["step"].tolist() == [0, 2, 4]
        assert (probe.table()["alice_gradient"] > 0).all()


@pytest.mark.parametrize(
    ("probe", "line"),
    [
        (Probe(nn.Linear(1, 1)), "the probe has no parameter of the model"),
        (lambda model: model.bert.pooler, "`probe` made None: expected a Probe of the trunk"),
    ],
)
def test_a_probe_of_another_model_is_refused_before_the_training(tmp_path, probe, line):
    model = ForTrainer()
    before = [parameter.clone() for parameter in model.parameters()]
    with pytest.raises(ValueError, match=f"^{line}"):
        trainer(model, tmp_path, [ProbeCallback(probe)]).train()
    assert all(map(torch.equal, before, model.parameters()))


def test_a_model_that_is_compiled_where_it_is_called_is_trained_unprobed(tmp_path):
    trained = []
    for callbacks in (False, True):
        model = ForTrainer()
        model.compile(backend="eager")
        made = trainer(model, tmp_path, [ProbeCallback(Probe(model.bert))] if callbacks else [])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            made.train()
        told = [str(one.message) for one in caught if "where it is called" in str(one.message)]
        assert len(told) == callbacks
        trained.append(model.state_dict())
    assert all(map(torch.equal, trained[0].values(), trained[1].values()))


def test_what_is_no_probe_is_refused():
    refused(lambda: ProbeCallback(3), ["`probe` is 3: expected a Probe of the trunk, or"])


def test_a_model_without_such_losses_is_refused_in_the_first_step(tmp_path):
    model = ForTrainer(names=("loss_a", "loss_b"))
    callback = ProbeCallback(Probe(model.bert))
    line = r"^the model's output is \['loss', 'loss_a', 'loss_b'\]: expected `alice_loss` in it"
    with pytest.raises(ValueError, match=line):
        trainer(model, tmp_path, [callback]).train()
    assert hooks(model) == 0
    named = ProbeCallback(probe := Probe(model.bert), losses=("loss_a", "loss_b"))
    trainer(model, tmp_path, [named]).train()
    assert len(probe.table()) == 1


def test_a_model_that_returns_a_tuple_is_refused(tmp_path):
    model = ForTrainer(output=lambda **named: tuple(named.values()))
    with pytest.raises(ValueError, match=r"^the model's output is tuple: expected `alice_loss`"):
        trainer(model, tmp_path, [ProbeCallback(Probe(model.bert))]).train()


def test_a_probe_is_for_one_training(tmp_path):
    model = ForTrainer()
    callback = ProbeCallback(Probe(model.bert))
    trainer(model, tmp_path, [callback]).train()
    line = "^the probe has recorded 5 steps, the training starts at 0: expected a new probe for a n"
    with pytest.raises(ValueError, match=line):
        trainer(model, tmp_path, [callback]).train()


def test_a_training_that_calls_something_else_goes_on_unprobed(tmp_path):
    class Elsewhere(Trainer):
        def compute_loss(self, model, inputs, **more):
            return model.forward(**inputs)["loss"]

    model = ForTrainer()
    probe = Probe(model.bert)
    other = trainer(model, tmp_path, [ProbeCallback(probe)], kind=Elsewhere)
    line = r"^the Trainer has made a step without calling .*: the training goes on, and nothing"
    with pytest.warns(RuntimeWarning, match=line):
        other.train()
    assert other.state.global_step == 5
    assert hooks(model) == len(probe.table()) == 0


def test_the_best_checkpoint_is_not_taken_for_the_last_step(tmp_path):
    model = ForTrainer()
    probe = Probe(model.bert, every=2, evaluate=lambda: ([True], [False]))
    each = {"save_strategy": "steps", "save_steps": 1, "eval_strategy": "steps", "eval_steps": 1}
    best = {"load_best_model_at_end": True, "metric_for_best_model": "loss"}
    made = trainer(model, tmp_path, [ProbeCallback(probe)], held_out=rows(), **each, **best)
    made.train()
    assert list(probe.outcomes()) == [0, 2, 4]


def test_a_training_that_goes_on_from_a_checkpoint_keeps_its_steps(tmp_path):
    model = ForTrainer()
    saves = {"save_strategy": "steps", "save_steps": 3}
    trainer(model, tmp_path, [ProbeCallback(Probe(model.bert))], max_steps=3, **saves).train()
    model = ForTrainer()
    probe = Probe(model.bert, every=2)
    further = trainer(model, tmp_path, [ProbeCallback(probe)], max_steps=6)
    further.train(resume_from_checkpoint=True)
    assert probe.table()["step"].tolist() == [4]
