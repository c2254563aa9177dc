"""Checks what a training on samples is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ncnet.checks import (
    check,
    check_choice,
    check_integer,
    check_list,
    check_once,
    check_positive,
    check_type,
)
from ncnet.printing import shown
from ncnet.training.network import ACTIVATIONS, Weights, with_bias
from ncnet.training.optimizers import OPTIMIZERS
from ncnet.training.plan import (
    MOST_REPLICAS,
    MOST_UNITS,
    Method,
    check_draws,
    check_optimizer,
    check_trace_steps,
)
from ncnet.training.samples.networks import Eager, draw_keys, initial_weights, pair_name
from ncnet.training.samples.population import Population

MOST_CHECKS = 10**10  # as many as never end: a slip of the pen is refused


@dataclass
class Plan:
    """What `train_pairs` was asked for, checked.

    Attributes
    ----------
    pairs
        Places of the tasks of each pair among the population's, sorted by the tasks' names.
    """

    population: Population
    pairs: Sequence[tuple[int, int]]
    hidden_size: int
    replicas: Sequence[int]
    seed: int
    steps: int
    activation: str
    optimizer: str
    learning_rate: float
    momentum: float
    weight_decay: float
    batch_size: int | None
    own_batches: bool
    label_noise: float
    own_starts: bool
    patience: Sequence[int]
    check_every: int
    trace_steps: Sequence[int]

    def __post_init__(self) -> None:
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        self.learning_rate = check_positive("learning_rate", self.learning_rate)
        check_type("population", self.population, Population, "a Population")
        units = self.hidden_size
        self.hidden_size = check_integer("hidden_size", units, at_least=1, at_most=MOST_UNITS)
        self.seed = check_integer("seed", self.seed, at_least=0)
        self.steps = check_integer("steps", self.steps, at_least=0)
        self.trace_steps = check_trace_steps(self.trace_steps, self.steps)
        check_optimizer(self)
        check_draws(self)
        self.patience = _check_patience(self.patience)
        check_every = {"at_least": 1, "at_most": self.steps} if self.patience else {"at_least": 1}
        self.check_every = check_integer("check_every", self.check_every, **check_every)
        self.pairs = _check_pairs(self.pairs, self.population.tasks)
        replicas = check_list("replicas", self.replicas, "indices of replicas")
        bounds = {"at_least": 0, "at_most": MOST_REPLICAS}
        self.replicas = [check_integer("replicas", index, **bounds) for index in replicas]
        check_once("replica", self.replicas)

    @property
    def method(self) -> Method:
        """The method by which networks train."""
        names = ("momentum", "weight_decay", "batch_size", "label_noise")
        return Method(
            self.activation,
            self.optimizer,
            self.learning_rate,
            loss="cross_entropy",
            **{name: getattr(self, name) for name in names},
        )

    @property
    def names(self) -> list[tuple[str, str]]:
        """The names of the tasks of each pair."""
        return [tuple(self.population.tasks[place] for place in pair) for pair in self.pairs]

    @property
    def items(self) -> int:
        """The number of training items."""
        return self.population.training

    @property
    def shown(self) -> int:
        """The number of items that a step takes."""
        return self.batch_size or self.items

    @property
    def work(self) -> int:
        """Networks x items of a step x steps."""
        return len(self.pairs) * len(self.replicas) * self.shown * self.steps

    def networks(self, kind: type[Eager], replicas: Sequence[int]) -> Eager:
        """Return the networks of some replicas before any step.

        Where pairs have batches of their own, each of them stands for a replica of one pair.
        """
        population = self.population
        inputs, targets = population.draw(replicas)
        # [C, 2, R, I] to [R, C, 2, I]
        targets = targets[np.array(self.pairs)].transpose(2, 0, 1, 3)
        shape = {"features": population.features, "hidden_size": self.hidden_size}
        shape["seed"] = self.seed
        weights = initial_weights(replicas, self.names, own_starts=self.own_starts, **shape)
        inputs, targets = with_bias(torch.from_numpy(inputs)), np.ascontiguousarray(targets)
        orders, flips = self._keys(replicas, **shape)
        if self.own_batches:
            count = len(replicas) * len(self.pairs)
            inputs = inputs.repeat_interleave(len(self.pairs), dim=0)
            targets = targets.reshape(count, 1, 2, -1)
            trunk, heads = weights
            weights = Weights(trunk.view(count, self.hidden_size, -1), heads.view(count, 1, 2, -1))
            orders, flips = orders.reshape(2, count), flips.reshape(2, count, 1, 2)
        return kind(
            inputs,
            torch.from_numpy(targets.astype(np.float32)),
            population.training,
            weights,
            self.method,
            orders if self.batch_size is not None else None,
            flips if self.label_noise else None,
        )

    def _keys(self, replicas: Sequence[int], **shape: int) -> tuple[np.ndarray, np.ndarray]:
        """Return keys of orders [2, R], or of pairs' own [2, R, C], and of flips [2, R, C, 2]."""
        orders, flips = [], []
        for pair in self.names:
            name = pair_name(pair) if self.own_batches else None
            orders.append(draw_keys(replicas, name, **shape)[0])
            tasks = [f"{task} of {name}" if name else task for task in pair]
            flips.append([draw_keys(replicas, task, **shape)[1] for task in tasks])
        # From [C, 2, R] and [C, 2 heads, 2, R].
        orders, flips = np.array(orders).transpose(1, 2, 0), np.array(flips).transpose(2, 3, 0, 1)
        orders = orders if self.own_batches else orders[..., 0]
        return np.ascontiguousarray(orders), np.ascontiguousarray(flips)


def _check_patience(patience: object) -> list[int]:
    expected = "a list of increasing numbers of checks"
    found = check_list("patience", patience, expected) if np.size(patience) else []
    bounds = {"at_least": 1, "at_most": MOST_CHECKS}
    found = [check_integer("patience", checks, **bounds) for checks in found]
    check(found == sorted(set(found)), f"`patience` is {shown(found)}", expected)
    return found


def _check_pairs(pairs: object, tasks: Sequence[str]) -> list[tuple[int, int]]:
    pairs = check_list("pairs", pairs, "pairs of tasks")
    for pair in pairs:
        check(np.shape(pair) == (2,), f"a pair is {shown(pair)}", "the places of two tasks")
        for place in pair:
            check_integer("pairs", place, at_least=0, at_most=len(tasks) - 1)
    check_once("task", tasks)
    for own, other in pairs:
        found = f"task `{tasks[own]}` is paired with itself"
        check(own != other, found, "two different tasks")
    ordered = [tuple(sorted(map(int, pair), key=tasks.__getitem__)) for pair in pairs]
    check_once("pair", [" beside ".join(tasks[place] for place in pair) for pair in ordered])
    return ordered
