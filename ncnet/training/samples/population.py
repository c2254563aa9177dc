"""Draws the items of each replica from a population."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ncnet.checks import check, check_integer, check_number

DATA_STREAM = 2**31
"""First part of the key of every draw of items: those of initial weights begin with a number of
inputs, which is smaller, so that no two streams are the same whatever the seeds."""
NOTHING = "nothing"
"""The task that asks nothing: its targets are 0, its head sends no gradient, its outcome is +1."""


class Items(NamedTuple):
    """The items of one replica, or of several: training items first, then held-out ones.

    Attributes
    ----------
    inputs
        [items, features] of one replica, float32 [replicas, items, features] of several.
    targets
        [tasks, items] of one replica, int8 [tasks, replicas, items] of several: the classes as
        +-1, as training sees them, 0 where nothing is asked. The first axis is in the order of the
        population's `tasks`.
    """

    inputs: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Population:
    """A population from which replicas draw their training items and held-out items.

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
    items
        A function from a replica's index to its `Items`.
    """

    name: str
    tasks: tuple[str, ...]
    features: int
    training: int
    held_out: int
    items: Callable[[int], Items]

    def draw(self, replicas: Sequence[int]) -> Items:
        """Return the items of these replicas, given by their indices."""
        inputs, targets = zip(*map(self.items, replicas), strict=True)
        return Items(np.stack(inputs).astype(np.float32), np.stack(targets, axis=1))


def sampled(
    sample: Callable[[str, np.random.Generator, int], Items],
    *,
    training: int,
    held_out: int,
    label_noise: float = 0.0,
    seed: int,
    **names: object,
) -> Population:
    """Return a population that draws items at random, and flips labels of training items.

    Replica r draws by (`seed`, r) alone. Its first k training items are the same whatever the
    number of them, if those of `sample` are: samples of several sizes are nested.

    Parameters
    ----------
    sample
        A function from a split, "training" or "held_out", a generator and a number of items to that
        many items and their true classes.
    training, held_out
        Items of each replica, at least 2 and 1.
    label_noise
        Probability with which a training item's class is flipped, for each task by itself, up to
        one half. Held-out items are never flipped.
    seed
        Seed of the draws of items.
    names
        The population's `name`, `tasks` and `features`.

    Raises
    ------
    ValueError
        For a number out of range.
    """
    training = check_integer("training", training, at_least=2)
    held_out = check_integer("held_out", held_out, at_least=1)
    seed = check_integer("seed", seed, at_least=0)
    label_noise = check_number("label_noise", label_noise, 0, 0.5)

    def items(replica: int) -> Items:
        for_training, for_held_out, for_flips = (
            np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
            for key in itertools.product([DATA_STREAM], [replica], range(3))
        )
        seen, targets = sample("training", for_training, training)
        unseen, others = sample("held_out", for_held_out, held_out)
        # Item by item, so that samples of several sizes are nested.
        flipped = for_flips.random((training, len(targets))) < label_noise
        targets = np.where(flipped.T, -targets, targets)
        return Items(np.concatenate([seen, unseen]), np.concatenate([targets, others], axis=1))

    return Population(training=training, held_out=held_out, items=items, **names)


def set_aside(population: Population, share: float) -> Population:
    """Return a population whose held-out items are some of the training items: a validation split.

    Replicas are the same, with this share of training items less. Labels are flipped among those
    set aside, too.

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
    share = check_number("share", share, 0, 1)
    count, most = round(share * population.training), population.training - 2
    expected = f"one that sets 1 to {most} of the {population.training} training items aside"
    check(1 <= count <= most, f"`share` is {share}", expected)

    def items(replica: int) -> Items:
        inputs, targets = population.items(replica)
        return Items(inputs[: population.training], targets[:, : population.training])

    kept = population.training - count
    return replace(population, training=kept, held_out=count, items=items)
