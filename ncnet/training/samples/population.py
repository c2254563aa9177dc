"""What replicas draw their items from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ncnet.checks import check_integer, plain_number

DATA_STREAM = 2**31
"""First part of the key of every draw of items: those of initial weights begin with a number of
inputs, which is smaller, so that no two streams are the same whatever the seeds."""
NOTHING = "nothing"
"""The task that asks nothing: its targets are 0, its head sends no gradient, its outcome is +1."""


@dataclass(frozen=True)
class Drawn:
    """The items of some replicas: training items first, then held-out ones.

    Attributes
    ----------
    inputs
        float32 [replicas, items, features].
    targets
        int8 [tasks, replicas, items]: the classes as +-1, as training sees them, 0 where nothing
        is asked. The first axis is in the order of the population's `tasks`.
    """

    inputs: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class Population(ABC):
    """What replicas draw their training items and held-out items from.

    Replica r draws by (`seed`, r) alone, and its first k training items are the same whatever the
    number of them: samples of several sizes are nested.

    Attributes
    ----------
    name
        The population's name.
    tasks
        Names of the tasks. Of a quartet: A1, A2, B1, B2.
    features
        Number of inputs.
    training, held_out
        Items of each replica.
    label_noise
        Probability with which a training item's class is flipped, for each task by itself.
        Held-out items are never flipped.
    seed
        Of the draws of items.
    """

    name: str
    tasks: tuple[str, ...]
    features: int
    training: int
    held_out: int
    label_noise: float
    seed: int

    def __post_init__(self) -> None:
        for name, fewest in (("training", 2), ("held_out", 1), ("seed", 0)):
            checked = check_integer(name, getattr(self, name), at_least=fewest)
            object.__setattr__(self, name, checked)
        object.__setattr__(self, "label_noise", plain_number(self.label_noise))
        if not 0 <= self.label_noise <= 0.5:
            raise ValueError(f"`label_noise` is {self.label_noise!r}: expected 0 to 0.5")

    @abstractmethod
    def items(self, replica: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a replica's inputs [items, features] and classes as training sees them.

        Classes are +-1, or 0 where nothing is asked, [tasks, items]; training items come first.
        """

    def draw(self, replicas: Sequence[int]) -> Drawn:
        """Return the items of these replicas, given by their indices."""
        inputs, targets = zip(*map(self.items, replicas), strict=True)
        return Drawn(np.stack(inputs).astype(np.float32), np.stack(targets, axis=1))


@dataclass(frozen=True)
class Sampled(Population):
    """A population that draws items at random, and flips labels of training items."""

    @abstractmethod
    def sample(
        self, training: np.random.Generator, held_out: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return one replica's inputs [items, features] and classes as +-1 [tasks, items].

        Training items are drawn by the one generator, held-out items by the other.
        """

    def items(self, replica: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a replica's inputs, and classes of which labels of training items are flipped."""
        training, held_out, flips = (
            np.random.default_rng(
                np.random.SeedSequence(self.seed, spawn_key=(DATA_STREAM, replica, stream))
            )
            for stream in range(3)
        )
        inputs, targets = self.sample(training, held_out)
        # Item by item, so that samples of several sizes are nested.
        flipped = flips.random((self.training, len(targets))) < self.label_noise
        targets[:, : self.training][flipped.T] *= -1
        return inputs, targets


@dataclass(frozen=True)
class _SetAside(Population):
    whole: Population

    def items(self, replica: int) -> tuple[np.ndarray, np.ndarray]:
        inputs, targets = self.whole.items(replica)
        count = self.whole.training
        return inputs[:count], targets[:, :count]


def set_aside(population: Population, share: float) -> Population:
    """Return a population whose held-out items are some of the training items: a validation split.

    Replicas are the same, with this share of training items less. Among those set aside, too,
    labels are flipped.

    Raises
    ------
    ValueError
        If that would set no item aside, or leave fewer than two training items.

    Examples
    --------
    >>> from ncnet import games
    >>> from ncnet.training.samples.noisy import noisy_game
    >>> whole = noisy_game(games.overlap(), noise=0.5, training=8, held_out=4, seed=0)
    >>> set_aside(whole, 0.25).draw([0]).inputs.shape
    (1, 8, 3)
    """
    count, most = round(share * population.training), population.training - 2
    if not 1 <= count <= most:
        raise ValueError(
            f"`share` is {share}: expected one that sets 1 to {most} of the "
            f"{population.training} training items aside"
        )
    return _SetAside(
        name=population.name,
        tasks=population.tasks,
        features=population.features,
        training=population.training - count,
        held_out=count,
        label_noise=population.label_noise,
        seed=population.seed,
        whole=population,
    )
