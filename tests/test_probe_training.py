"""A training is the same with the probe, whatever it is made of; what cannot be probed is said."""

import copy
import functools
import math
import random
import threading
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts

from ncnet.experiment.probe import Probe

STEPS = 5


class Counts(nn.Module):
    """Keeps a moving average in a buffer that it replaces, and counts its calls."""

    def __init__(self):
        super().__init__()
        self.register_buffer("average", torch.zeros(6))
        self.calls = 0

    def forward(self, state):
        self.calls += 1
        self.average = 0.9 * self.average + 0.1 * state.detach().mean(0)
        return state - self.average


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 6, dropout=0.3, num_layers=2)

    def forward(self, state):
        return self.lstm(state.reshape(len(state), 2, 3).transpose(0, 1))[0][-1]


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(6, 6)

    def forward(self, state):
        return self.inner(torch.tanh(self.inner(state)))


class Twice(nn.Module):
    """Has buffers that the graph keeps, and that a backward pass changes."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(6)

    def forward(self, state):
        return checkpoint(self.norm, self.norm(state).sin(), use_reentrant=False)


class Draws(nn.Module):
    """Draws random numbers in its backward pass, as a hook that adds noise does."""

    def __init__(self):
        super().__init__()
        self.register_full_backward_hook(self.noisy)

    def forward(self, state):
        return state.sin()

    @staticmethod
    def noisy(module, inputs, outputs):
        noise = torch.rand(1) + np.random.rand() + random.random()
        return tuple(gradient * noise for gradient in inputs)


class Method(nn.Module):
    """Checkpoints a method of its own, which changes a buffer, and calls a layer's by its name."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(6)
        self.register_buffer("scale", torch.ones(6))

    def inner(self, state):
        state = self.norm.forward(state)
        with torch.no_grad():
            self.scale.mul_(0.9).add_(0.1 * state.abs().mean(0))
        return torch.tanh(state / self.scale.clone())

    def forward(self, state):
        return checkpoint(self.inner, state, use_reentrant=False)


def spectral():
    return nn.utils.parametrizations.spectral_norm(nn.Linear(6, 6))


LAYERS = {
    "dropout": nn.Dropout,
    "batch norm": lambda: nn.BatchNorm1d(6),
    "batch norm twice": Twice,
    "spectral norm": spectral,
    "weight norm": lambda: nn.utils.parametrizations.weight_norm(nn.Linear(6, 6)),
    "tied": Tied,
    "recurrent": Recurrent,
    "counts": Counts,
    "draws": Draws,
}


class Reenters(torch.autograd.Function):
    """Checkpointing that calls backward within its backward pass, and lets autograd.grad do so."""

    @staticmethod
    def forward(ctx, function, state):
        ctx.function = function
        ctx.save_for_backward(state)
        return function(state)

    @staticmethod
    def backward(ctx, gradient):
        state = ctx.saved_tensors[0].detach().requires_grad_()
        with torch.enable_grad():
            torch.autograd.backward(ctx.function(state), gradient)
        return None, state.grad


def again(ctx, gradient):
    return Reenters.backward(ctx, gradient)


class ReentersElsewhere(Reenters):
    @staticmethod
    def backward(ctx, gradient):
        return again(ctx, gradient)


def selective(function, state):
    saved = [torch.ops.aten.addmm.default]
    contexts = functools.partial(create_selective_checkpoint_contexts, saved)
    return checkpoint(function, state, use_reentrant=False, context_fn=contexts)


CALLS = {
    "plain": lambda function, state: function(state),
    "checkpointed": functools.partial(checkpoint, use_reentrant=False),
    "random numbers anew": functools.partial(
        checkpoint, use_reentrant=False, preserve_rng_state=False
    ),
}
"""How a network is called that can be probed."""
OTHER_CALLS = {
    "reentrant": (functools.partial(checkpoint, use_reentrant=True), "CheckpointFunction calls"),
    "of others": (Reenters.apply, "Reenters calls backward"),
    "of others, out of sight": (ReentersElsewhere.apply, "a function in the graph calls backward"),
    "selective": (selective, "selective checkpointing allows for one backward pass only"),
}
"""How one is called that cannot, and the reason that is given."""


class Network(nn.Module):
    """Everything is called as one: heads and what lies before the trunk, too."""

    def __init__(self, layer, call):
        super().__init__()
        self.stem, self.trunk = nn.Linear(6, 6), nn.Sequential(nn.Linear(6, 6), layer, nn.Tanh())
        self.heads = nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 2))
        self.call = call

    def forward(self, inputs):
        both = nn.Sequential(self.trunk, self.heads)
        outputs = self.call(both, self.stem(inputs).relu())
        return outputs.square().mean(0).unbind()


def seed():
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)


def network(layer, call):
    seed()
    return Network(layer(), call)


def train(model, probe=None, context=None):
    """Return all that a training leaves behind."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for step in range(STEPS):
        with context or torch.enable_grad():
            alice_loss, bob_loss = model(torch.randn(16, 6))
        if probe:
            probe.record(alice_loss, bob_loss)
        (alice_loss + bob_loss).backward()
        if step % 2:  # gradients of two batches are accumulated
            optimizer.step()
            optimizer.zero_grad()
    calls = [module.calls for module in model.modules() if isinstance(module, Counts)]
    gradients = [parameter.grad for parameter in model.parameters()]
    streams = [torch.get_rng_state(), np.random.rand(), random.random()]
    return [*model.state_dict().values(), *gradients, *calls, *streams]


def alike(found, expected):
    return all(
        torch.equal(x, y) if torch.is_tensor(x) else x == y
        for x, y in zip(found, expected, strict=True)
    )


def gradients_by_backward(model, parameters):
    """Return the products of both gradients, each by backward() on a copy of its own."""
    flat = []
    for party in range(2):
        streams = torch.get_rng_state(), np.random.get_state(), random.getstate()
        twin, places = copy.deepcopy((model, parameters))
        twin(torch.randn(16, 6))[party].backward()
        torch.set_rng_state(streams[0])
        np.random.set_state(streams[1])
        random.setstate(streams[2])
        flat.append(torch.cat([p.grad.flatten() for p in places]).double())
    a, b = flat
    return [float(a @ a), float(a @ b), float(b @ b)]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("layer", LAYERS)
def test_a_training_is_the_same_with_the_probe_which_sees_its_gradients(layer, call):
    expected = train(network(LAYERS[layer], CALLS[call]))
    model = network(LAYERS[layer], CALLS[call])
    shared = [p for p in model.trunk.parameters() if p.requires_grad]  # no modules are known
    products = gradients_by_backward(model, shared)
    probe = Probe(shared, every=1)
    assert alike(train(model, probe), expected)
    table = probe.table()
    assert len(table) == STEPS
    assert table.iloc[0, 3:6].tolist() == pytest.approx(products, rel=1e-5)


def test_modules_of_the_trunk_get_back_what_a_method_of_theirs_changes():
    expected = train(network(Method, CALLS["plain"]))
    model = network(Method, CALLS["plain"])
    assert alike(train(model, Probe(model.trunk, every=1)), expected)


@pytest.mark.parametrize("call", ["plain", "checkpointed"])
def test_a_training_in_another_thread_is_left_alone(call):
    expected = train(network(LAYERS["batch norm"], CALLS[call]))
    found = []

    def beside(gradient):
        other = threading.Thread(
            target=lambda: found.append(train(network(LAYERS["batch norm"], CALLS[call])))
        )
        other.start()
        other.join()

    model = network(nn.Identity, CALLS["checkpointed"])
    model.trunk[0].weight.register_hook(beside)
    probe = Probe(model.trunk, every=1)
    probe.record(*model(torch.randn(16, 6)))
    assert probe.table()["alice_gradient"].notna().all()
    assert len(found) == 2  # in each of the two passes
    assert all(alike(one, expected) for one in found)


@pytest.mark.parametrize("call", ["plain", "checkpointed"])
def test_a_training_in_bfloat16_is_the_same_with_the_probe(call):
    context = torch.autocast("cpu", torch.bfloat16)
    expected = train(network(nn.Dropout, CALLS[call]), context=context)
    model = network(nn.Dropout, CALLS[call])
    probe = Probe(model.trunk, every=1)
    with torch.autocast("cpu", torch.bfloat16):
        twin = copy.deepcopy(model)
        state = torch.get_rng_state()
        loss = twin(torch.randn(16, 6))[0]
        torch.set_rng_state(state)
    assert alike(train(model, probe, context), expected)
    assert probe.table()["alice_loss"][0] == loss.item()


@pytest.mark.parametrize(
    ("kind", "stem"),
    # Out of sight and with nothing recorded before it, nothing that is recorded is in the graph.
    [*((kind, True) for kind in OTHER_CALLS), *((kind, False) for kind in [*OTHER_CALLS][:2])],
)
def test_what_cannot_be_probed_is_said_once_and_trained_alike(kind, stem):
    call, reason = OTHER_CALLS[kind]
    expected = train(network(nn.Dropout, call))
    model = network(nn.Dropout, call)
    probe = Probe([*model.trunk.parameters(), *(model.stem.parameters() if stem else ())], every=1)
    with pytest.warns(RuntimeWarning) as told:
        assert alike(train(model, probe), expected)
    assert len(told) == 1
    line = "no gradients are recorded from step 0 on, the training goes on without them: "
    assert str(told[0].message).startswith(line + reason)
    assert told[0].filename == __file__
    table = probe.table()
    assert len(table) == STEPS
    assert table[["alice_loss", "bob_loss"]].notna().all(axis=None)
    assert table.drop(columns=["step", "alice_loss", "bob_loss"]).isna().all(axis=None)


class Compiled(nn.Module):
    def __init__(self):
        super().__init__()
        seed()
        self.trunk = nn.Sequential(nn.Linear(6, 6), nn.LayerNorm(6), nn.GELU(), nn.Linear(6, 2))
        self.call = torch.compile(self.trunk, backend="aot_eager")

    def forward(self, inputs):
        return self.call(inputs).square().mean(0).unbind()


@pytest.mark.slow
def test_a_compiled_training_that_keeps_nothing_for_a_second_pass_goes_on():
    expected = train(Compiled())
    model = Compiled()
    probe = Probe(model.trunk, every=2)
    probe.step = 1  # the first backward pass, for which it is compiled, is a plain one
    with pytest.warns(RuntimeWarning, match=r"goes on without them: .*donated_buffer=False"):
        assert alike(train(model, probe), expected)
    assert len(probe.table()) == 2


def test_a_hook_that_fails_in_a_further_pass_ends_no_training():
    model = network(nn.Identity, CALLS["plain"])
    passes = []

    def once_a_step(gradient):
        passes.append(1)
        if len(passes) == 2:
            raise ValueError("called twice")

    model.trunk[0].weight.register_hook(once_a_step)
    probe = Probe(model.trunk, every=1)
    alice_loss, bob_loss = model(torch.randn(16, 6))
    with pytest.warns(RuntimeWarning, match=r"without them: ValueError: called twice$"):
        probe.record(alice_loss, bob_loss)
    passes.clear()
    (alice_loss + bob_loss).backward()
    assert probe.step == 1


def test_a_trunk_that_is_frozen_for_a_time_is_recorded_before_and_after():
    model = network(nn.Identity, CALLS["plain"])
    probe = Probe(model.trunk, every=1)
    probe.record(*model(torch.randn(16, 6)))
    model.trunk.requires_grad_(False)
    with pytest.warns(RuntimeWarning, match=r"^none of the trunk's 2 parameters is trained at ste"):
        probe.record(*model(torch.randn(16, 6)))
    probe.record(torch.ones(()), model(torch.randn(16, 6))[1])  # a head that is frozen, too
    model.trunk.requires_grad_(True)
    probe.record(*model(torch.randn(16, 6)))
    assert probe.table()["cosine"].notna().tolist() == [True, False, False, True]


def test_parameters_of_one_head_alone_are_told():
    torch.manual_seed(0)
    trunk, alice, bob = nn.Linear(3, 3), nn.Linear(3, 1), nn.Linear(3, 1)
    state = trunk(torch.randn(8, 3))
    losses = alice(state).square().mean(), bob(state).square().mean()
    line = "^one loss alone depends on 4 of the trunk's 6 trained parameters, which draws the cosi"
    whole, shared = Probe(nn.ModuleList([trunk, alice, bob])), Probe(trunk)
    with pytest.warns(RuntimeWarning, match=line):
        whole.record(*losses)
    shared.record(*losses)
    products = [probe.table()["gradient_product"].item() for probe in (whole, shared)]
    assert products[0] == products[1]
    assert abs(whole.table()["cosine"].item()) < abs(shared.table()["cosine"].item())


def test_complex_gradients_are_read_as_pairs_of_real_ones():
    torch.manual_seed(0)
    whole = nn.Parameter(torch.randn(4, 3, dtype=torch.cfloat))
    parts = [nn.Parameter(part.detach().clone()) for part in (whole.real, whole.imag)]
    inputs = torch.randn(2, 4, dtype=torch.cfloat)
    rows = []
    for parameters, weight in (([whole], whole), (parts, torch.complex(*parts))):
        alice_loss, bob_loss = (inputs @ weight.conj()).sin().abs().square().mean(1)
        probe = Probe(parameters)
        probe.record(alice_loss, bob_loss)
        rows.append(probe.table().iloc[0, 3:].astype(float).tolist())
    assert rows[0] == pytest.approx(rows[1], rel=1e-5)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_gradients_that_are_not_finite_have_no_cosine(bad):
    weight = nn.Parameter(torch.ones(2))
    probe = Probe([weight])
    probe.record((weight * torch.tensor([bad, 1.0])).sum(), weight.sum())
    row = probe.table().iloc[0]
    assert math.isnan(row["cosine"])
    assert math.isnan(row["magnitude_similarity"])
    assert row.isna()["conflict"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_numbers_of_any_precision_are_read_right(dtype):
    weight = nn.Parameter(torch.tensor([300.0, -2.0], dtype=dtype))  # 300 squared is no float16
    probe = Probe([weight])
    probe.record((weight * weight.detach()).sum() / 256, weight.sum())
    row = probe.table().iloc[0]
    found = row[["bob_loss", "alice_gradient", "gradient_product", "bob_gradient"]].tolist()
    gradient = (weight.detach() / 256).double()
    expected = [298, float(gradient @ gradient), float(gradient.sum()), 2]
    assert found == pytest.approx(expected, rel=0.01)


def test_random_streams_are_left_by_an_evaluation():
    def evaluate():
        torch.rand(3), np.random.rand(3), random.random()
        return [True], [False]

    probe = Probe(nn.Linear(1, 1), evaluate=evaluate)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    probe.evaluate()
    after = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    assert torch.equal(after[0], before[0])
    assert after[1:] == before[1:]


def test_nothing_is_said_where_nothing_is_wrong():
    model = network(nn.Identity, CALLS["plain"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(model, Probe(model.trunk, every=1))
