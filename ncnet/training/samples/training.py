"""Trains networks on samples: each replica on its own items, many pairs of tasks at once."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import torch
import xarray as xr

from ncnet.checks import check, check_integer
from ncnet.files import storable
from ncnet.training import backends
from ncnet.training.chunks import train_chunks
from ncnet.training.samples.networks import BACKENDS, Eager, kernel
from ncnet.training.samples.plan import Plan
from ncnet.training.samples.population import Population
from ncnet.training.samples.stopping import EarlyStopping, Lowest

QUARTET = ((0, 2), (0, 3), (1, 2), (1, 3))
"""Places of the tasks of the contexts (1,1), (1,2), (2,1), (2,2) among A1, A2, B1, B2."""
VALUES_AT_ONCE = 2**18
"""Values of a hidden-layer array of one chunk: 1 MiB stays near the cache of a CPU."""
ABOUT = (
    *("seed", "hidden_size", "steps", "activation", "optimizer", "learning_rate", "momentum"),
    *("weight_decay", "batch_size", "own_batches", "label_noise", "own_starts", "check_every"),
)
"""The arguments that are told in attrs."""


def train(population: Population, **training: object) -> xr.Dataset:
    """Train replicas of a population of four tasks in all four contexts.

    The contexts are four of the networks of `train_pairs`: those that `ncnet.chsh.quartet` finds.
    It differs from `ncnet.train` in that each replica has its own training items, the same in its
    four contexts and at every hidden size, and held-out items that it never sees.

    Parameters
    ----------
    population
        A population of four tasks, A1, A2, B1, B2.
    training
        Hidden size, replicas, seed and the rest, as `train_pairs` takes them.

    Returns
    -------
    xarray.Dataset
        `a`, `b`: int8, +1 where the head classifies the item as its training target says, else -1,
        over (alice_setting, bob_setting, replica, item), training items first; `alice_loss`,
        `bob_loss`, `diverged` and perhaps `cosine`, as `train_pairs` returns them. The hidden size
        is its `capacity`.

    Raises
    ------
    ValueError
        For a population of other than four tasks, or what `train_pairs` refuses.

    Examples
    --------
    >>> from ncnet import games
    >>> from ncnet.training.samples.noisy import noisy_game
    >>> population = noisy_game(games.overlap(), noise=0.5, training=6, held_out=4, seed=0)
    >>> outcomes = train(population, hidden_size=3, replicas=range(5), seed=0, steps=10)
    >>> dict(outcomes.a.sizes)
    {'alice_setting': 2, 'bob_setting': 2, 'replica': 5, 'item': 10}
    """
    check(len(population.tasks) == 4, f"the population has {len(population.tasks)} tasks", "4")
    pairs = train_pairs(population, QUARTET, **training)
    alice_first = pairs["first_task"].isin(population.tasks[:2])
    for kind, a, b in (("", "a", "b"), ("_loss", "alice_loss", "bob_loss")):
        first, second = (pairs[f"{place}{kind}"] for place in ("first", "second"))
        pairs[a], pairs[b] = (
            xr.where(alice_first, *heads) for heads in ((first, second), (second, first))
        )
        pairs = pairs.drop_vars([f"{place}{kind}" for place in ("first", "second")])
    settings = {"alice_setting": ("pair", [1, 1, 2, 2]), "bob_setting": ("pair", [1, 2, 1, 2])}
    pairs = pairs.drop_vars(["first_task", "second_task"]).assign_coords(settings)
    trained = pairs.set_index(pair=list(settings)).unstack("pair")
    if "capacity" not in trained.coords:
        hidden_size = trained.attrs.pop("hidden_size")
        capacity = xr.Variable((), hidden_size, {"capacity_name": "hidden_size"})
        trained = trained.assign_coords(capacity=capacity)
    dimensions = ("alice_setting", "bob_setting", "replica", ...)
    return trained.transpose("capacity", *dimensions, missing_dims="ignore")


def train_pairs(
    population: Population,
    pairs: Sequence[tuple[int, int]],
    *,
    hidden_size: int,
    replicas: Sequence[int],
    seed: int,
    steps: int,
    activation: str = "tanh",
    optimizer: str = "gradient_descent",
    learning_rate: float = 0.5,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    batch_size: int | None = None,
    own_batches: bool = False,
    label_noise: float = 0.0,
    own_starts: bool = False,
    patience: Sequence[int] = (),
    check_every: int = 10,
    trace_steps: Sequence[int] = (),
    backend: str | None = None,
    threads: int | None = None,
) -> xr.Dataset:
    """Train a network for each pair of tasks in every replica; the trunk sees both.

    A pair is the same network whoever's its tasks are and whatever else is trained: the trunk
    starts from weights that follow from the replica, a head from those that follow from the replica
    and the name of its task. So all unordered pairs, trained once, hold every quartet of tasks;
    `ncnet.chsh.quartet` finds it.

    Parameters
    ----------
    population
        A population of any number of tasks with different names.
    pairs
        Places of two tasks among the population's tasks, a pair a network.
    hidden_size
        Units of the shared hidden layer, at least 1.
    replicas
        Indices of the replicas to train, such as ``range(100)``.
    seed
        Seed of the initial weights; those of trunks are those of `ncnet.train` at as many features.
        Items have a seed of their own.
    steps
        Number of training steps.
    activation, optimizer, learning_rate, momentum, weight_decay, batch_size, own_starts
        As `ncnet.train` takes them. The order in which items are shown follows from the replica,
        whatever the tasks; with `own_starts` it is pairs that start from different weights.
    label_noise
        Probability with which a training label is flipped each time that it is shown, as
        `ncnet.train` takes it: a task's in the same way in all pairs. Labels that the population
        has flipped once for all stay so.
    own_batches
        Whether each pair draws its own orders and flips.
    patience
        Numbers of checks, increasing, for early stopping: for each of them the outcomes are those
        at a network's lowest held-out loss, the sum of both heads' means, found before so many
        checks one after the other brought no lower one, or until `steps`. Outcomes then are along
        `capacity` (with ``capacity_name`` "patience"). A network whose loss was no number at any
        check has diverged: its outcomes are those of its initial weights, `stopped` is 0.
    check_every
        Steps from one check to the next, the first being after as many.
    trace_steps
        Steps at which to record the cosine of both heads' gradients on the trunk.
    backend
        "compiled" or "eager"; by default chosen as `ncnet.train` does.
    threads
        Chunks of replicas trained side by side; by default as many as torch has threads.

    Returns
    -------
    xarray.Dataset
        Outcomes as `ncnet.chsh.as_pairs` describes them, pairs in the order that was asked for:
        `first`, `second`: int8, +1 where the head classifies the item as its training target says,
        else -1, over (pair, replica, item), training items first; `first_loss` and `second_loss`,
        on the training items at the end, and `diverged`, over (pair, replica); `cosine`, with
        `step` as well, where steps are traced; `stopped`, the steps at which the outcomes are read,
        where networks stop early. Training parameters are in attrs.

    Raises
    ------
    ValueError
        For an unknown name, a number out of range, no pairs or replicas, a pair that is there
        twice, or a backend that cannot be taken here: before any work starts.

    Examples
    --------
    >>> from ncnet.training.samples.digits import digits
    >>> population = digits([(0, 1), (2, 3), ()], training=6, held_out=4, seed=0)
    >>> pairs = train_pairs(
    ...     population, [(0, 1), (0, 2)], hidden_size=2, replicas=range(3), seed=0, steps=1
    ... )
    >>> dict(pairs["first"].sizes), pairs.first_task.values.tolist()
    ({'pair': 2, 'replica': 3, 'item': 10}, ['01', '01'])
    """
    given = locals()  # the arguments; a Plan has all but those that divide the work
    plan = Plan(**{field.name: given[field.name] for field in dataclasses.fields(Plan)})
    threads = torch.get_num_threads() if threads is None else threads
    threads = check_integer("threads", threads, at_least=1)
    backend = backends.choose_for(backend, plan.work, lambda: kernel(plan.method))
    kind, replicas = BACKENDS[backend], plan.replicas
    size = VALUES_AT_ONCE // (len(plan.pairs) * plan.hidden_size * population.training)
    size = max(min(size, math.ceil(len(replicas) / threads)), 1)
    chunks = [replicas[start : start + size] for start in range(0, len(replicas), size)]
    trained = train_chunks(
        lambda chunk: _train(plan, plan.networks(kind, chunk), len(chunk)), chunks, threads=threads
    )
    about = {name: getattr(plan, name) for name in ABOUT} | {"batch_size": plan.shown}
    about |= {"population": population.name, "tasks": list(population.tasks)}
    about |= {"backend": backend, "paired": True}
    return _dataset(plan, trained).assign_attrs(storable(about))


@torch.inference_mode()
def _train(plan: Plan, networks: Eager, count: int) -> dict[str, np.ndarray]:
    """Train so many replicas, and return what is read of them, the replicas first."""
    stopping = [EarlyStopping(networks, checks) for checks in plan.patience]
    checks = range(plan.check_every, plan.steps + 1, plan.check_every) if stopping else ()
    cosines, lowest = [], Lowest(networks)
    for stop in sorted({*plan.trace_steps, *checks, plan.steps}):
        networks.advance(stop - networks.step)
        if stop in plan.trace_steps:
            cosines.append(networks.cosine().numpy())
        if stop in checks:
            lowest.check(networks)
            for one in stopping:
                one.follow(networks, lowest)
            # The last is the most patient.
            if not stopping[-1].goes_on.any() and stop >= max(plan.trace_steps, default=0):
                break
    if stopping:
        found = [_stopped(networks, one) for one in stopping]
        found = {name: np.stack([part[name] for part in found], -1) for name in found[0]}
    else:
        found = networks.measure(networks.weights)
    if cosines:
        found["cosine"] = np.stack(cosines, -1)
    # Pairs with batches of their own stand for replicas of one pair.
    of_pairs = (count, len(plan.pairs))
    return {name: part.reshape(*of_pairs, *part.shape[2:]) for name, part in found.items()}


def _stopped(networks: Eager, early: EarlyStopping) -> dict[str, np.ndarray]:
    """Return what is read where networks stop early: one that never had a loss diverged."""
    found = networks.measure(early.weights)
    found["diverged"] |= early.stopped.numpy() == 0
    return found | {"stopped": early.stopped}


def _dataset(plan: Plan, trained: Sequence[dict[str, np.ndarray]]) -> xr.Dataset:
    population = plan.population
    joined = {name: np.concatenate([part[name] for part in trained]) for name in trained[0]}
    networks, capacity = ("replica", "pair"), ("capacity",) if plan.patience else ()
    variables = {"diverged": ((*networks, *capacity), joined["diverged"])}
    split = ["training"] * population.training + ["held_out"] * population.held_out
    coordinates = {"replica": plan.replicas, "split": ("item", split)}
    for head, name in enumerate(("first", "second")):
        variables[name] = ((*networks, "item", *capacity), joined["correct"][:, :, head])
        variables[f"{name}_loss"] = ((*networks, *capacity), joined["loss"][:, :, head])
        tasks = [population.tasks[pair[head]] for pair in plan.pairs]
        coordinates[f"{name}_task"] = ("pair", tasks)
    if plan.trace_steps:
        variables["cosine"] = ((*networks, "step"), joined["cosine"])
        coordinates["step"] = list(plan.trace_steps)
    if plan.patience:
        variables["stopped"] = ((*networks, *capacity), joined["stopped"])
        named = {"capacity_name": "patience"}
        coordinates["capacity"] = ("capacity", list(plan.patience), named)
    dimensions = (*capacity, "pair", "replica", ..., "item")
    return xr.Dataset(variables, coordinates).transpose(*dimensions)
