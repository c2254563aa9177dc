"""Trains networks on samples: each replica on its own items, many pairs of tasks at once.

The arithmetic is that of `ncnet.training`, with matrix products batched over replicas, since here
inputs differ from replica to replica and may be many. Initial weights and steps are the same. One
backward pass for both would cost: on the few inputs of a game this layout takes 1.6 to 7 times as
long as that of `network`, which needs the same inputs in all networks.

Shapes: R replicas, C pairs of tasks, H hidden units, F features, I items.
"""

from collections.abc import Sequence

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from ncnet.checks import check, check_choice, check_integer, check_list, check_positive, check_sizes
from ncnet.files import storable
from ncnet.training.chunks import train_chunks
from ncnet.training.initialisation import draw
from ncnet.training.network import ACTIVATIONS, LOSSES, Activation, Weights, outcomes, with_bias
from ncnet.training.optimizers import OPTIMIZERS
from ncnet.training.plan import check_trace_steps
from ncnet.training.samples.population import Population

LOSS = LOSSES["cross_entropy"]
QUARTET = ((0, 2), (0, 3), (1, 2), (1, 3))
"""Places of the tasks of the contexts (1,1), (1,2), (2,1), (2,2) among A1, A2, B1, B2."""
VALUES_AT_ONCE = 2**18
"""Values of a hidden-layer array of one chunk: 1 MiB stays near the cache of a CPU."""


def train(population: Population, **training: object) -> xr.Dataset:
    """Train replicas of a population of four tasks in all four contexts.

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
        The outcomes that `train_pairs` returns, over (alice_setting, bob_setting) in place of
        `pair`; the hidden size is its `capacity`.

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
    trained = train_pairs(population, QUARTET, **training)
    settings = {"alice_setting": ("pair", [1, 1, 2, 2]), "bob_setting": ("pair", [1, 2, 1, 2])}
    trained = trained.assign_coords(settings).set_index(pair=list(settings)).unstack("pair")
    hidden_size = trained.attrs.pop("hidden_size")
    capacity = xr.Variable((), hidden_size, {"capacity_name": "hidden_size"})
    trained = trained.assign_coords(capacity=capacity).assign_attrs(storable({"paired": True}))
    return trained.transpose("alice_setting", "bob_setting", "replica", ...)


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
    trace_steps: Sequence[int] = (),
) -> xr.Dataset:
    """Train a network for each pair of tasks in every replica; the trunk sees both.

    Parameters
    ----------
    population
        A population of any number of tasks.
    pairs
        Places of Alice's task and Bob's among the population's tasks, a pair a network.
    hidden_size
        Units of the shared hidden layer, at least 1.
    replicas
        Indices of the replicas to train, such as ``range(100)``.
    seed
        Seed of the initial weights, which are those of `ncnet.train` at as many features; items
        have a seed of their own.
    steps
        Number of training steps, full batch.
    activation, optimizer, learning_rate
        As `ncnet.train` takes them.
    trace_steps
        Steps at which to record the cosine of both heads' gradients on the trunk.

    Returns
    -------
    xarray.Dataset
        `a`, `b`: int8, +1 where the head classifies the item as its training target says, else -1,
        over (pair, replica, item), training items first; `alice_loss` and `bob_loss`, on the
        training items at the end, and `diverged`, over (pair, replica); `cosine`, with `step` as
        well, where steps are traced. Training parameters are in attrs.

    Raises
    ------
    ValueError
        For an unknown name, a number out of range, or no pairs or replicas.

    Examples
    --------
    >>> from ncnet.training.samples.digits import digits
    >>> population = digits([(0, 1), (2, 3), ()], training=6, held_out=4, seed=0)
    >>> pairs = train_pairs(
    ...     population, [(0, 1), (0, 2)], hidden_size=2, replicas=range(3), seed=0, steps=1
    ... )
    >>> dict(pairs.a.sizes)
    {'pair': 2, 'replica': 3, 'item': 10}
    """
    check_choice("activation", activation, ACTIVATIONS)
    check_choice("optimizer", optimizer, OPTIMIZERS)
    learning_rate = check_positive("learning_rate", learning_rate)
    hidden_size = check_integer("hidden_size", hidden_size, at_least=1)
    seed = check_integer("seed", seed, at_least=0)
    steps = check_integer("steps", steps, at_least=0)
    trace_steps = check_trace_steps(trace_steps, steps)
    pairs = np.array(check_list("pairs", pairs, "pairs of tasks"))
    check_sizes("`pairs`", pairs, {"pair": None, "party": 2})
    for place in pairs.flat:
        check_integer("pairs", place, at_least=0, at_most=len(population.tasks) - 1)
    replicas = check_list("replicas", replicas, "indices of replicas")
    replicas = [check_integer("replicas", replica, at_least=0) for replica in replicas]

    def train_chunk(chunk: list[int]) -> dict[str, np.ndarray]:
        networks = _Networks(population, pairs, chunk, hidden_size, seed, ACTIVATIONS[activation])
        rule = OPTIMIZERS[optimizer](networks.weights, learning_rate)
        return networks.trained(rule, steps, trace_steps)

    size = max(1, VALUES_AT_ONCE // (len(pairs) * hidden_size * population.training))
    chunks = [replicas[start : start + size] for start in range(0, len(replicas), size)]
    trained = train_chunks(train_chunk, chunks, threads=torch.get_num_threads())
    about = {"population": population.name, "tasks": list(population.tasks), "seed": seed}
    about |= {"activation": activation, "optimizer": optimizer, "learning_rate": learning_rate}
    about |= {"hidden_size": hidden_size, "steps": steps}
    return _dataset(population, replicas, trace_steps, trained).assign_attrs(storable(about))


class _Networks:
    """The networks of some replicas: trunk [R, C * H, F + 1] and heads [R, C, 2, H + 1]."""

    def __init__(
        self,
        population: Population,
        pairs: np.ndarray,
        replicas: Sequence[int],
        hidden_size: int,
        seed: int,
        activation: Activation,
    ) -> None:
        drawn = population.draw(replicas)
        self.inputs = with_bias(torch.from_numpy(drawn.inputs))
        # [R, C, 2, I]
        targets = drawn.targets[pairs].transpose(2, 0, 1, 3)
        # Where it is 0 nothing is asked: the loss is constant then.
        self.targets = torch.from_numpy(targets.astype(np.float32))
        self.training = population.training
        self.shape = (len(replicas), len(pairs), hidden_size)
        self.activation = activation
        drawn_by = {"features": population.features, "hidden_size": hidden_size, "seed": seed}
        self.weights = initial_weights(replicas, len(pairs), **drawn_by)

    def trained(self, optimizer, steps: int, traced: Sequence[int]) -> dict[str, np.ndarray]:
        """Train, and return outcomes, losses and what was traced, the replicas first."""
        inputs = self.inputs[:, : self.training]
        targets = self.targets[..., : self.training]
        cosines = []
        with torch.inference_mode():
            for step in range(steps + 1):
                if step in traced:
                    cosines.append(self._cosine(inputs, targets))
                if step < steps:
                    optimizer.step(self._gradient(inputs, targets))
            measured = self._outcomes()
        return measured | ({"cosine": torch.stack(cosines, -1).numpy()} if cosines else {})

    def _forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the hidden layer [R, C, H, I] and the logits [R, C, 2, I]."""
        trunk, heads = self.weights
        hidden = self.activation.apply_(trunk @ inputs.mT).view(*self.shape, -1)
        return hidden, (heads[..., :-1] @ hidden).add_(heads[..., -1:])

    def _gradient(self, inputs: Tensor, targets: Tensor) -> Weights:
        hidden, logits = self._forward(inputs)
        errors = LOSS.derivative(logits, targets).div_(logits.shape[-1])
        heads = torch.cat([errors @ hidden.mT, errors.sum(-1, keepdim=True)], -1)
        signal = self.weights.heads[..., :-1].mT @ errors
        signal.mul_(self.activation.derivative_(hidden))
        return Weights(signal.flatten(1, 2) @ inputs, heads)

    def _cosine(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cosine of both heads' gradients on the trunk [R, C], NaN where one is 0."""
        hidden, logits = self._forward(inputs)
        errors = LOSS.derivative(logits, targets)[:, :, :, None]
        signals = self.weights.heads[..., :-1, None] * errors
        signals.mul_(self.activation.derivative_(hidden)[:, :, None])
        alice, bob = (
            (signal.flatten(1, 2) @ inputs).view(*self.shape[:2], -1).double()
            for signal in signals.unbind(2)
        )
        return (alice * bob).sum(-1) / (alice.norm(dim=-1) * bob.norm(dim=-1))

    def _outcomes(self) -> dict[str, np.ndarray]:
        _, logits = self._forward(self.inputs)
        training = slice(self.training)
        losses = LOSS.value(logits[..., training], self.targets[..., training]).mean(-1)
        return {
            "correct": outcomes(logits, self.targets).numpy(),
            "loss": losses.numpy(),
            "diverged": ~logits.isfinite().flatten(2).all(-1).numpy(),
        }


def initial_weights(replicas: Sequence[int], pairs: int, **drawn: int) -> Weights:
    """Return weights [replicas, pairs * H, F + 1] and [replicas, pairs, 2, H + 1]."""
    trunk, heads = (
        torch.as_tensor(part, dtype=torch.float32).movedim(-1, 0)
        for part in draw("lecun_normal", replicas=replicas, **drawn)
    )
    return Weights(trunk.repeat(1, pairs, 1), heads[:, None].repeat(1, pairs, 1, 1))


def _dataset(
    population: Population, replicas: list[int], traced: Sequence[int], trained: list[dict]
) -> xr.Dataset:
    joined = {name: np.concatenate([part[name] for part in trained]) for name in trained[0]}
    networks = ("replica", "pair")
    variables = {"diverged": (networks, joined["diverged"])}
    for head, party in enumerate(("alice", "bob")):
        variables[party[0]] = ((*networks, "item"), joined["correct"][:, :, head])
        variables[f"{party}_loss"] = (networks, joined["loss"][:, :, head])
    split = ["training"] * population.training + ["held_out"] * population.held_out
    coordinates = {"replica": replicas, "split": ("item", split)}
    if traced:
        variables["cosine"] = ((*networks, "step"), joined["cosine"])
        coordinates["step"] = list(traced)
    return xr.Dataset(variables, coordinates).transpose("pair", ...)
