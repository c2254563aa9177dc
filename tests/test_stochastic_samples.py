"""Batches, flips, momentum, decay and early stopping on samples, against loops over modules."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from ncnet import chsh
from ncnet.training import samples, streams
from ncnet.training.samples.networks import BACKENDS, Eager
from ncnet.training.samples.plan import Plan
from tests.compilers import has_compiler
from tests.refusals import refused
from tests.test_samples import COMPILED, small, small_digits

PAIRS = [(0, 2), (1, 2), (3, 0)]
KIND = {"hidden_size": 3, "seed": 4, "steps": 12}
NOISY = {"batch_size": 5, "label_noise": 0.2}
DEFAULTS = {
    "activation": "tanh", "optimizer": "gradient_descent", "learning_rate": 0.5, "momentum": 0.0,
    "weight_decay": 0.0, "batch_size": None, "own_batches": False, "label_noise": 0.0,
    "own_starts": False, "patience": (), "check_every": 2, "trace_steps": (),
}  # fmt: skip
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="there is no C++ compiler")


def plan(population, replicas=(2, 66), **options):
    options = KIND | DEFAULTS | options
    return Plan(population=population, pairs=PAIRS, replicas=list(replicas), **options)


class Network(nn.Module):
    """The network of one pair, from the weights that ours starts from."""

    def __init__(self, trunk, heads):
        super().__init__()
        self.trunk, self.heads = nn.Parameter(trunk.clone()), nn.Parameter(heads.clone())

    def forward(self, inputs):
        hidden = torch.tanh(self.trunk @ inputs.T)
        return self.heads[:, :-1] @ hidden + self.heads[:, -1:]


def loss_of(network, inputs, targets):
    return nn.functional.softplus(-targets * network(inputs)).mean(-1).sum()


def modules(networks):
    """Yield the place of each network, its module, inputs and targets."""
    heads = networks.weights.heads
    trunk = networks.weights.trunk.unflatten(1, (*heads.shape[1:2], -1))
    for place in np.ndindex(*heads.shape[:2]):
        yield (
            place,
            Network(trunk[place], heads[place]),
            networks.inputs[place[0]],
            (networks.targets[place]),
        )


def trained_by_torch(networks, steps, optimizer):
    """Return weights [R, C, ...] after steps of torch's own optimizer on the same draws."""
    size, trunks, heads = networks.shown, [], []
    for (replica, pair), network, inputs, targets in modules(networks):
        moves = optimizer(network.parameters())
        order, flips = None, None
        if networks.orders is not None:
            keys = networks.orders[:, [replica]]
            order = streams.batches(keys, networks.training, size, first=0)
        if networks.flips is not None:
            keys = networks.flips[:, replica, pair]
            noise = networks.method.label_noise
            flips = streams.flips(keys, size, noise, first=0)
        for _ in range(steps):
            items = range(size) if order is None else next(order)[:, 0]
            shown = targets[:, items]
            if flips is not None:
                shown = torch.where(torch.from_numpy(next(flips)[0].T), -shown, shown)
            moves.zero_grad()
            loss_of(network, inputs[items], shown).backward()
            moves.step()
        trunks.append(network.trunk.detach())
        heads.append(network.heads.detach())
    return torch.stack(trunks), torch.stack(heads)


@pytest.mark.parametrize("population", [small, small_digits])
@pytest.mark.parametrize("own_batches", [False, True])
@pytest.mark.parametrize("backend", ["eager", COMPILED])
@pytest.mark.parametrize("batch_size", [None, 5, 30])
@pytest.mark.parametrize("optimizer", ["gradient_descent", "adam"])
def test_steps_are_those_of_torch(optimizer, batch_size, backend, own_batches, population):
    options = {"optimizer": optimizer, "learning_rate": 0.05, "weight_decay": 0.03}
    options |= NOISY | {"batch_size": batch_size, "own_batches": own_batches}
    if optimizer == "adam":
        made = lambda weights: torch.optim.Adam(weights, lr=0.05, weight_decay=0.03)  # noqa: E731
    else:
        options["momentum"] = 0.8
        made = lambda weights: torch.optim.SGD(  # noqa: E731
            weights, lr=0.05, momentum=0.8, weight_decay=0.03
        )
    networks = plan(population(), **options).networks(BACKENDS[backend], [2, 66])
    expected = trained_by_torch(networks, 9, made)
    with torch.inference_mode():
        for steps in (2, 0, 7):
            networks.advance(steps)
    found = networks.weights.trunk.reshape(expected[0].shape), networks.weights.heads.flatten(0, 1)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other.view(one.shape), rtol=2e-3, atol=2e-5)


@pytest.mark.parametrize("backend", ["eager", COMPILED])
@pytest.mark.parametrize("changes", [{}, {"own_batches": True}, {"own_starts": True}])
def test_a_replica_depends_on_its_index_alone_and_a_pair_on_its_tasks(backend, changes):
    options = KIND | NOISY | {"backend": backend, "patience": [1, 3], "check_every": 2} | changes
    options |= {"trace_steps": [1, 12]}
    together = samples.train_pairs(small(), PAIRS, replicas=range(70), threads=2, **options)
    alone = samples.train_pairs(small(), [(2, 1)], replicas=[66, 3], threads=1, **options)
    outcomes = {"first", "second", "first_loss", "second_loss", "diverged"}
    assert set(alone) == outcomes | {"stopped", "cosine"}
    for name in alone:
        same = together[name].sel(replica=[66, 3]).isel(pair=[1])
        # Eagerly, the rounding of a product depends on how many networks there are.
        rounding = 1e-4 if backend == "eager" and name not in ("first", "second", "stopped") else 0
        np.testing.assert_allclose(same, alone[name], rtol=rounding)
    chsh.as_pairs(together)
    assert together.attrs["backend"] == backend


@pytest.mark.parametrize("backend", ["eager", COMPILED])
def test_a_quartet_is_looked_up_whatever_is_drawn(backend):
    population = small_digits()
    options = KIND | NOISY | {"replicas": range(5), "backend": backend}
    whole = samples.train(population, **options)
    pairs = samples.train_pairs(population, [(2, 0), (3, 0), (2, 1), (3, 1), (0, 1)], **options)
    a1, a2, b1, b2 = population.tasks
    found = chsh.quartet(pairs, alice=(a1, a2), bob=(b1, b2))
    for name in ("a", "b"):
        np.testing.assert_array_equal(whole[name], found[name])
    quiet = samples.train(population, **options | {"batch_size": None, "label_noise": 0})
    assert (quiet["alice_loss"] != whole["alice_loss"]).any()


def test_a_task_meets_the_same_items_and_flips_in_all_pairs():
    networks = plan(small(), **NOISY).networks(Eager, [2, 66])
    assert networks.orders.shape == (2, 2)
    tasks = small().tasks
    by_task = {}
    for place, pair in enumerate(plan(small()).names):
        for head, task in enumerate(pair):
            by_task.setdefault(task, []).append(networks.flips[:, :, place, head])
    assert set(by_task) == set(tasks)
    for keys in by_task.values():
        for other in keys:
            np.testing.assert_array_equal(keys[0], other)
    assert len({keys[0].tobytes() for keys in by_task.values()}) == len(tasks)
    own = plan(small(), own_batches=True, **NOISY).networks(Eager, [2, 66])
    assert len(np.unique(own.orders, axis=1).T) == 6
    assert len(np.unique(own.flips.reshape(2, -1), axis=1).T) == 12


def test_pairs_start_apart_where_they_are_asked_to():
    weights = plan(small(), own_starts=True).networks(Eager, [2, 66]).weights
    trunks = weights.trunk.unflatten(1, (3, -1))[..., :-1]
    assert not torch.isclose(trunks[:, 0], trunks[:, 1]).any()
    together = plan(small()).networks(Eager, [2, 66]).weights.trunk.unflatten(1, (3, -1))
    assert torch.equal(together[:, 0], together[:, 1])


@pytest.mark.parametrize("backend", ["eager", COMPILED])
def test_a_batch_of_all_items_is_the_full_batch(backend):
    options = KIND | {"replicas": range(9), "backend": backend}
    full = samples.train_pairs(small(), PAIRS, **options)
    batch = samples.train_pairs(small(), PAIRS, batch_size=12, **options)
    for name in ("first_loss", "second_loss"):
        np.testing.assert_allclose(full[name], batch[name], rtol=1e-4)


@needs_compiler
def test_compiled_and_eager_draw_alike_from_many_items():
    options = {"hidden_size": 2, "seed": 0, "steps": 8, "replicas": [3], "batch_size": 800}
    options |= {"label_noise": 0.1}
    population = small(training=2000)
    eager, native = (
        samples.train_pairs(population, PAIRS, backend=backend, **options)
        for backend in ("eager", "compiled")
    )
    for name in ("first_loss", "second_loss"):
        np.testing.assert_allclose(eager[name], native[name], rtol=1e-4)


def stopped_by_a_loop(networks, steps, every, patience):
    """Return the steps at which each network is read, and whether heads are right there."""
    stops, right = {}, {}
    for place, network, inputs, targets in modules(networks):
        moves = torch.optim.SGD(network.parameters(), lr=0.5)
        seen, unseen = slice(networks.training), slice(networks.training, None)
        lowest, waited, best, at = np.inf, 0, copy.deepcopy(network), 0
        for step in range(1, steps + 1):
            moves.zero_grad()
            loss_of(network, inputs[seen], targets[:, seen]).backward()
            moves.step()
            if step % every:
                continue
            loss = loss_of(network, inputs[unseen], targets[:, unseen]).item()
            if loss < lowest:
                lowest, waited, best, at = loss, 0, copy.deepcopy(network), step
            else:
                waited += 1
            if waited == patience:
                break
        stops[place], right[place] = at, (best(inputs) > 0) == (targets > 0)
    return stops, right


@pytest.mark.parametrize("backend", ["eager", COMPILED])
def test_networks_stop_early_as_a_loop_does(backend):
    population = small(noise=1.0)
    options = {"steps": 150, "check_every": 7}
    patience = [1, 8]
    found = samples.train_pairs(
        population, PAIRS, replicas=range(4), patience=patience, backend=backend, **KIND | options
    )
    assert found["capacity"].values.tolist() == patience
    assert found["capacity"].attrs["capacity_name"] == "patience"
    networks = plan(population, range(4), **options).networks(Eager, range(4))
    for checks in patience:
        stops, right = stopped_by_a_loop(networks, 150, 7, checks)
        of_checks = found.sel(capacity=checks)
        same = []
        for (replica, pair), step in stops.items():
            network = of_checks.isel(replica=replica, pair=pair)
            # A loss may be lower by rounding alone.
            same.append(network["stopped"].item() == step)
            if same[-1]:
                outcomes = np.stack([network["first"], network["second"]]) > 0
                assert (outcomes == right[replica, pair].numpy()).mean() > 0.97
        assert np.mean(same) > 0.9
    assert (found["stopped"].diff("capacity") >= 0).all()
    assert len(np.unique(found["stopped"])) > 4


def test_a_network_that_never_has_a_loss_has_diverged():
    options = KIND | {"activation": "relu", "replicas": range(4), "learning_rate": 1e30}
    found = samples.train_pairs(small(), PAIRS, patience=[1], check_every=3, **options)
    assert found["diverged"].all()
    assert (found["stopped"] == 0).all()


def test_the_report_reads_networks_that_stopped_early():
    found = samples.train(
        small(), replicas=range(30), patience=[1, 2], check_every=3, **KIND | {"own_starts": True}
    )
    assert dict(found["a"].sizes) == {
        "capacity": 2, "alice_setting": 2, "bob_setting": 2, "replica": 30, "item": 18,
    }  # fmt: skip
    assert found.attrs["own_starts"] == 1
    report = chsh.report(found.isel(capacity=0), resamples=800)
    assert report.held_out.items == 6
    assert set(found["stopped"].dims) == {"capacity", "alice_setting", "bob_setting", "replica"}


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"batch_size": 0}, ("`batch_size` is 0", "at least 1")),
        ({"label_noise": 0.6}, ("`label_noise` is 0.6", "0 to 0.5")),
        ({"momentum": 0.5, "optimizer": "adam"}, ("`momentum` is 0.5", "`gradient_descent`")),
        ({"momentum": 1}, ("`momentum` is 1", "below 1")),
        ({"weight_decay": -1}, ("`weight_decay` is -1", "from 0 to 1")),
        ({"own_batches": True}, ("`own_batches` is True", "nothing is drawn")),
        ({"own_starts": 1}, ("`own_starts` is ", "True or False")),
        ({"patience": [0]}, ("`patience` is 0", "at least 1")),
        ({"patience": [3, 1]}, ("`patience` is [3, 1]", "increasing")),
        ({"patience": 3}, ("`patience` is 3", "numbers of checks")),
        ({"patience": [1.5]}, ("`patience` is 1.5", "at least 1")),
        ({"patience": [2**70]}, ("`patience` is ", "at most")),
        ({"hidden_size": 10**12}, ("`hidden_size` is 1000000000000", "at most")),
        ({"replicas": [3, 3]}, ("replica `3` is there twice",)),
        ({"replicas": [2**70]}, ("`replicas` is ", "at most")),
        ({"patience": [1], "check_every": 13}, ("`check_every` is 13", "at most 12")),
        ({"check_every": 0}, ("`check_every` is 0", "at least 1")),
    ],
)
def test_bad_options_are_refused_in_one_line(changes, parts):
    options = {"replicas": [0]} | KIND | changes
    refused(lambda: samples.train_pairs(small(), PAIRS, **options), parts)


def test_items_that_cannot_be_shuffled_are_refused():
    many = small(training=streams.MOST_SHUFFLED + 1)
    options = KIND | {"replicas": [0], "batch_size": 8}
    expected = ("`batch_size` is 8 with 16,385 items", "at most 16,384")
    refused(lambda: samples.train_pairs(many, PAIRS, **options), expected)
    refused(lambda: samples.train_pairs(None, PAIRS, **options), ("`population` is of type",))
