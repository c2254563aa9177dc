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
    check_sizes,
)
from ncnet.training.network import ACTIVATIONS, with_bias
from ncnet.training.optimizers import OPTIMIZERS
from ncnet.training.plan import Method, check_trace_steps
from ncnet.training.samples.networks import Eager, initial_weights
from ncnet.training.samples.population import Population


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
    trace_steps: Sequence[int]

    def __post_init__(self) -> None:
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        self.learning_rate = check_positive("learning_rate", self.learning_rate)
        self.hidden_size = check_integer("hidden_size", self.hidden_size, at_least=1)
        self.seed = check_integer("seed", self.seed, at_least=0)
        self.steps = check_integer("steps", self.steps, at_least=0)
        self.trace_steps = check_trace_steps(self.trace_steps, self.steps)
        self.pairs = _check_pairs(self.pairs, self.population.tasks)
        replicas = check_list("replicas", self.replicas, "indices of replicas")
        self.replicas = [check_integer("replicas", index, at_least=0) for index in replicas]

    @property
    def method(self) -> Method:
        """The method by which networks train."""
        return Method(self.activation, self.optimizer, self.learning_rate, loss="cross_entropy")

    @property
    def work(self) -> int:
        """Networks x items x steps."""
        return len(self.pairs) * len(self.replicas) * self.population.training * self.steps

    def networks(self, kind: type[Eager], replicas: Sequence[int]) -> Eager:
        """Return the networks of some replicas before any step."""
        population = self.population
        inputs, targets = population.draw(replicas)
        # [C, 2, R, I] to [R, C, 2, I]
        targets = targets[np.array(self.pairs)].transpose(2, 0, 1, 3)
        drawn = {"features": population.features, "hidden_size": self.hidden_size}
        names = [[population.tasks[place] for place in pair] for pair in self.pairs]
        return kind(
            with_bias(torch.from_numpy(inputs)),
            torch.from_numpy(np.ascontiguousarray(targets, np.float32)),
            population.training,
            initial_weights(replicas, names, seed=self.seed, **drawn),
            self.method,
        )


def _check_pairs(pairs: object, tasks: Sequence[str]) -> list[tuple[int, int]]:
    pairs = np.array(check_list("pairs", pairs, "pairs of tasks"))
    check_sizes("`pairs`", pairs, {"pair": None, "party": 2})
    for place in pairs.flat:
        check_integer("pairs", place, at_least=0, at_most=len(tasks) - 1)
    check_once("task", tasks)
    for own, other in pairs:
        found = f"task `{tasks[own]}` is paired with itself"
        check(own != other, found, "two different tasks")
    ordered = [tuple(sorted(pair, key=tasks.__getitem__)) for pair in pairs.tolist()]
    check_once("pair", [" beside ".join(tasks[place] for place in pair) for pair in ordered])
    return ordered
