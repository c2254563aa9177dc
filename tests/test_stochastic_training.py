"""Batches, flipped labels, momentum, weight decay, own starts and a second hidden layer."""

import itertools

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

import ncnet
from ncnet import gradients
from ncnet.studies.mechanism import conflict
from ncnet.training import network, streams
from ncnet.training.compiled import Compiled
from ncnet.training.eager import Eager
from ncnet.training.network import ACTIVATIONS, LOSSES, DeepWeights, Weights
from ncnet.training.plan import Method
from tests.compilers import has_compiler
from tests.refusals import refused

GAME = ncnet.games.overlap()
NETWORKS = 64
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="there is no C++ compiler")
BACKENDS = [pytest.param("compiled", marks=needs_compiler), "eager"]
SIX_BITS = ncnet.games.boolean(6, alice=([0, 1] * 32, [1] * 64), bob=([1, 0] * 32, [0] * 64))
GAMES = {"overlap": GAME, "separate": ncnet.games.separate(), "six bits": SIX_BITS}
OPTIONS = [
    {"batch_size": 3},
    {"batch_size": 8, "momentum": 0.9},
    {"batch_size": 1, "weight_decay": 0.1},
    {"label_noise": 0.25},
    {"batch_size": 21, "label_noise": 0.1, "weight_decay": 0.1},
    {"batch_size": 5, "aggregator": "pcgrad"},
    {"momentum": 0.9, "weight_decay": 0.1},
]


def problem(game, hidden_size, seed=0, second_hidden_size=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = network.with_bias(torch.as_tensor(game.inputs, dtype=torch.float32))
    items, features = inputs.shape
    last = second_hidden_size or hidden_size
    trunk = torch.randn(hidden_size, features, NETWORKS, generator=generator)
    heads = torch.randn(2, last + 1, NETWORKS, generator=generator)
    weights = Weights(trunk, heads)
    if second_hidden_size:
        shape = second_hidden_size, hidden_size + 1, NETWORKS
        weights = DeepWeights(trunk, heads, torch.randn(shape, generator=generator))
    targets = 2.0 * torch.randint(0, 2, (2, items, NETWORKS), generator=generator) - 1
    return inputs, targets, weights


def in_float64(weights):
    return type(weights)(*(weight.double() for weight in weights))


def drawn_keys(networks=NETWORKS, seed=0):
    generator = np.random.default_rng(seed)
    return generator.integers(2**32, size=(2, 2, networks), dtype=np.uint32)


@pytest.mark.parametrize(
    ("key", "counter", "numbers"),
    [
        # Published with the paper's library, Random123, for 20 rounds.
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_random_numbers_are_those_published(key, counter, numbers):
    key, counter = (np.array(pair, np.uint32)[:, None] for pair in (key, counter))
    assert tuple(streams.threefry(key, counter)[:, 0].tolist()) == numbers


@settings(max_examples=25, deadline=None)
@given(
    items=st.integers(1, 20),
    batch_size=st.integers(1, 50),
    first=st.integers(0, 9),
    seed=st.integers(0, 2**32 - 1),
)
def test_batches_are_the_next_items_of_shuffled_epochs(items, batch_size, first, seed):
    keys = drawn_keys(networks=3, seed=seed)[0]
    epochs = streams.shuffled(keys, range(600), items)
    assert (np.sort(epochs, axis=1) == np.arange(items)[:, None]).all()
    stream = epochs.reshape(-1, 3)
    steps = itertools.islice(streams.batches(keys, items, batch_size, first), 2)
    for step, shown in enumerate(steps, start=first):
        expected = stream[step * batch_size : (step + 1) * batch_size]
        assert len(expected) < batch_size or (shown == expected).all()


def test_all_orders_of_an_epoch_are_equally_likely():
    orders = streams.shuffled(drawn_keys(24_000)[0], range(3, 4), items=4)[0]
    _, counts = np.unique(orders, axis=1, return_counts=True)
    # The chi-square statistic of 24 orders is below 49.7 but once in a thousand draws.
    assert len(counts) == 24
    assert ((counts - 1000) ** 2 / 1000).sum() < 49.7


def test_labels_are_flipped_as_often_as_asked_and_for_each_head_by_itself():
    flips = next(streams.flips(drawn_keys(20_000)[1], shown=3, label_noise=0.2, first=5))
    np.testing.assert_allclose(flips.mean(axis=2), 0.2, atol=0.015)
    correlations = np.corrcoef(flips.reshape(6, -1))
    assert abs(correlations - np.eye(6)).max() < 0.03


@needs_compiler
@pytest.mark.parametrize("optimizer", ["gradient_descent", "adam"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("alike", [1, 4])
def test_compiled_steps_are_those_of_float64(alike, game, options, optimizer):
    if optimizer == "adam":
        options = {name: value for name, value in options.items() if name != "momentum"}
    inputs, targets, weights = problem(GAMES[game], hidden_size=3)
    method = Method("tanh", optimizer, 0.05, "cross_entropy", **options)
    exact, asked = in_float64(weights), {"method": method, "keys": drawn_keys(NETWORKS // alike)}
    networks = Compiled(inputs, targets, weights, step=7, **asked)
    reference = Eager(inputs.double(), targets.double(), exact, step=7, **asked)
    for steps in (1, 4, 5):
        networks.advance(steps)
        reference.advance(steps)
    assert networks.step == reference.step == 17
    for found, expected in zip(weights, exact, strict=True):
        close = torch.isclose(found.double(), expected, rtol=1e-4, atol=1e-5)
        assert close.double().mean() > (0.98 if optimizer == "adam" else 0.9999)


class Module(nn.Module):
    """A network as anybody would write it, with one hidden layer or two."""

    def __init__(self, weights):
        super().__init__()
        layers = [linear(layer[..., 0]) for layer in weights.layers]
        pairs = [(layer, nn.Tanh()) for layer in layers]
        self.trunk = nn.Sequential(*itertools.chain.from_iterable(pairs))
        self.heads = linear(weights.heads[..., 0])

    def forward(self, items):
        return self.heads(self.trunk(items)).T


def linear(weights):
    layer = nn.Linear(weights.shape[1] - 1, len(weights)).double()
    with torch.no_grad():
        layer.weight.copy_(weights[:, :-1])
        layer.bias.copy_(weights[:, -1])
    return layer


@pytest.mark.parametrize("second_hidden_size", [0, 2])
@pytest.mark.parametrize(
    ("optimizer", "torchs", "learning_rate", "options"),
    [
        ("gradient_descent", torch.optim.SGD, 0.5, {"momentum": 0.9, "weight_decay": 0.01}),
        ("gradient_descent", torch.optim.SGD, 0.5, {}),
        ("adam", torch.optim.Adam, 0.01, {"weight_decay": 0.01}),
    ],
)
def test_one_network_follows_torch_step_by_step(
    optimizer, torchs, learning_rate, options, second_hidden_size
):
    inputs, targets, weights = problem(GAME, 3, second_hidden_size=second_hidden_size)
    weights = type(weights)(*(weight[..., :1].double() for weight in weights))
    keys, batch_size, noise = drawn_keys(networks=1), 5, 0.2
    method = Method("tanh", optimizer, learning_rate, "cross_entropy", **options)
    method = method._replace(batch_size=batch_size, label_noise=noise)
    reference, classes = Module(weights), (targets[..., 0].double() + 1) / 2
    torchs_optimizer = torchs(reference.parameters(), lr=learning_rate, **options)
    networks = Eager(inputs.double(), targets[..., :1].double(), weights, method, keys)
    order = streams.batches(keys[0], len(inputs), batch_size, first=0)
    flipped = streams.flips(keys[1], batch_size, noise, first=0)
    for _ in range(60):
        networks.advance(1)
        items = torch.from_numpy(next(order)[:, 0])
        flips = torch.from_numpy(next(flipped)[..., 0])
        shown = torch.where(flips, 1 - classes[:, items], classes[:, items])
        torchs_optimizer.zero_grad()
        logit = reference(inputs[items, :-1].double())
        loss = binary_cross_entropy_with_logits(logit, shown, reduction="none")
        loss.mean(1).sum().backward()
        torchs_optimizer.step()
        layers = [*reference.trunk[::2], reference.heads]
        for layer, found in zip(layers, (*weights.layers, weights.heads), strict=True):
            expected = torch.cat([layer.weight, layer.bias[:, None]], dim=1).detach()
            torch.testing.assert_close(found[..., 0], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 3, "label_noise": 0.1},
        {"batch_size": 3, "label_noise": 0.1, "own_batches": True, "momentum": 0.5},
        {"own_starts": True, "weight_decay": 0.01},
    ],
    ids=str,
)
def test_bits_do_not_depend_on_chunks_threads_or_other_replicas(backend, options):
    options |= {"hidden_size": 3, "seed": 1, "steps": 40, "trace_steps": [40], "backend": backend}
    whole = ncnet.train(GAME, replicas=300, chunk_size=300, threads=1, **options)
    parts = ncnet.train(GAME, replicas=130, chunk_size=64, threads=3, **options)
    xr.testing.assert_identical(parts, whole.isel(replica=slice(130)))


def test_two_layers_do_not_depend_on_chunks_threads_or_other_replicas():
    options = {"hidden_size": 3, "second_hidden_size": 2, "seed": 1, "steps": 40}
    options |= {"trace_steps": [0, 40], "trace": ["loss", "gradients", "weights"]}
    whole = ncnet.train(GAME, replicas=300, chunk_size=300, threads=1, **options)
    parts = ncnet.train(GAME, replicas=130, chunk_size=64, threads=3, **options)
    xr.testing.assert_identical(parts, whole.isel(replica=slice(130)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_batch_of_all_items_is_the_full_batch_but_for_rounding(backend):
    options = {"hidden_size": 3, "replicas": 64, "seed": 0, "steps": 50, "trace_steps": [50]}
    full, batch = (
        ncnet.train(GAME, batch_size=size, backend=backend, **options) for size in (None, 8)
    )
    np.testing.assert_allclose(batch.alice_loss, full.alice_loss, rtol=1e-3, atol=1e-5)
    assert full.attrs["batch_size"] == batch.attrs["batch_size"] == 8


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("own", [False, True])
def test_contexts_with_the_same_tasks_train_alike_unless_they_draw_their_own(backend, own):
    and_, xor = [0, 0, 0, 1] * 2, [0, 1, 1, 0] * 2
    twice = ncnet.games.boolean(3, alice=(and_, and_), bob=(xor, xor))
    options = {"batch_size": 3, "label_noise": 0.1, "own_batches": own, "backend": backend}
    options |= {"hidden_size": 3, "replicas": 64, "seed": 0, "steps": 30, "trace_steps": [30]}
    losses = ncnet.train(twice, **options).alice_loss
    same = losses == losses.isel(alice_setting=0, bob_setting=0)
    others = same.values.reshape(4, -1)[1:]
    assert not others.any() if own else others.all()


def test_contexts_start_from_weights_of_their_own_when_asked():
    options = {"hidden_size": 3, "replicas": 64, "seed": 0, "steps": 0, "trace_steps": [0]}
    shared, apart = (
        ncnet.train(GAME, own_starts=own, trace=["weights"], **options).trunk_weight.values
        for own in (False, True)
    )
    assert (shared == shared[:1, :1]).all()
    starts = [shared[0, 0], *apart.reshape(4, *apart.shape[2:])]
    for one, other in itertools.combinations(starts, 2):
        assert not (one[:, 0, :, :3] == other[:, 0, :, :3]).any()


@pytest.mark.parametrize("name", ["own_starts", "own_batches"])
def test_an_influence_between_contexts_that_start_apart_is_not_defined(name, tmp_path):
    options = {"hidden_size": 3, "replicas": 64, "seed": 0, "steps": 20, "batch_size": 4}
    outcomes = ncnet.train(GAME, **{name: True}, **options)
    refused(lambda: ncnet.chsh.influence(outcomes), [f"`{name}`", "influence to be defined"])
    report = ncnet.chsh.report(outcomes)
    assert np.isnan([report.influence, *report.influence_interval]).all()
    line = next(line for line in str(report).splitlines() if line.startswith("influence"))
    assert "not defined" in line
    assert "not defined" in report.html()
    capacities = xr.concat([outcomes, outcomes.assign_coords(capacity=4)], "capacity")
    assert ncnet.chsh.by_capacity(capacities)["influence"].isna().all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_of_two_layers_is_autograds(activation):
    inputs, targets, weights = problem(GAME, 3, second_hidden_size=2)
    inputs, targets, weights = inputs.double(), targets.double(), in_float64(weights)
    found = network.gradient(
        inputs, weights, targets, ACTIVATIONS[activation], LOSSES["cross_entropy"]
    )
    leaves = [weight.clone().requires_grad_() for weight in weights]
    trunk, heads, second = leaves
    apply = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}[activation]
    hidden = apply(torch.einsum("if,hfn->hin", inputs, trunk))
    hidden = apply(torch.einsum("khn,hin->kin", second[:, :-1], hidden) + second[:, -1:])
    logit = torch.einsum("phn,hin->pin", heads[:, :-1], hidden) + heads[:, -1:]
    loss = binary_cross_entropy_with_logits(logit, (targets + 1) / 2, reduction="none")
    loss.mean(1).sum().backward()
    for one, leaf in zip(found, leaves, strict=True):
        torch.testing.assert_close(one, leaf.grad, rtol=0, atol=1e-10)
    by_head, _ = network.gradient_by_head(
        inputs, weights, targets, ACTIVATIONS[activation], LOSSES["cross_entropy"]
    )
    for one, both in zip(by_head.layers, found.layers, strict=True):
        torch.testing.assert_close(one.sum(0), both, rtol=0, atol=1e-10)


def test_the_conflict_on_a_trunk_of_two_layers_is_that_of_both_together():
    traced = ncnet.train(
        GAME,
        hidden_size=3,
        second_hidden_size=2,
        replicas=64,
        seed=0,
        steps=9,
        trace_steps=range(10),
        trace=["gradients"],
    )
    whole = conflict.trunk_gradients(traced)
    parts = [gradients.of_layer(traced, layer).sum("unit") for layer in (1, 2)]
    xr.testing.assert_allclose(whole, parts[0] + parts[1])
    cosines = [gradients.conflict(part).cosine for part in parts]
    assert not np.allclose(*cosines)
    refused(lambda: gradients.of_layer(traced, 3), ["`layer` is 3", "[1, 2]"])


@pytest.mark.parametrize("aggregator", ["pcgrad", "mgda", "cagrad"])
def test_an_aggregator_acts_on_both_layers_together(aggregator):
    inputs, targets, weights = problem(GAME, 3, second_hidden_size=2)
    before = in_float64(weights)
    method = Method("tanh", "gradient_descent", 1.0, "cross_entropy", aggregator)
    by_head, _ = network.gradient_by_head(
        inputs.double(), before, targets.double(), ACTIVATIONS["tanh"], LOSSES["cross_entropy"]
    )
    after = in_float64(before)
    Eager(inputs.double(), targets.double(), after, method).advance(1)
    moved = [one - other for one, other in zip(before.layers, after.layers, strict=True)]
    whole = torch.cat([move.flatten(0, 1) for move in moved])
    alice, bob = torch.cat([layer.flatten(1, 2) for layer in by_head.layers], dim=1)
    for network_ in range(NETWORKS):
        basis = torch.stack([alice[:, network_], bob[:, network_]], dim=1)
        solution = torch.linalg.lstsq(basis, whole[:, network_, None]).solution
        torch.testing.assert_close(basis @ solution, whole[:, network_, None], atol=1e-9, rtol=0)
