"""What the tables are made of: replicas trained on samples, and pairs of tasks on digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from ncnet.studies.generalization.interference import interference, pairs_with_nothing
from ncnet.studies.generalization.replicas import by_replica
from ncnet.training import samples

TRACED = (0, 10, 30, 100, 300, 1000)


def traced(steps: int) -> list[int]:
    """Return the steps of a training at which the cosine of both heads' gradients is taken.

    >>> traced(100)
    [0, 10, 30, 100]
    """
    return [step for step in TRACED if step <= steps]


def trained(
    population: samples.Population,
    *,
    replicas: Sequence[int],
    steps: int,
    trace: bool = False,
    **training: object,
) -> pd.DataFrame:
    """Train replicas of a population, and return `by_replica` of them.

    Parameters
    ----------
    population
        Of four tasks.
    replicas
        Indices of the replicas.
    steps
        Training steps.
    trace
        Whether the rows have the cosine of the heads' gradients, at the `traced` steps.
    training
        Hidden size, seed and the rest, as `ncnet.training.samples.train` takes them.

    Examples
    --------
    >>> population = samples.named("overlap", training=6, held_out=4, seed=0)
    >>> rows = trained(population, replicas=[3, 5], steps=10, hidden_size=2, seed=0)
    >>> rows[["capacity", "replica"]].values.tolist()
    [[2, 3], [2, 5]]
    """
    marks = traced(steps) if trace else ()
    outcomes = samples.train(
        population, replicas=replicas, steps=steps, trace_steps=marks, **training
    )
    return by_replica(outcomes)


def trained_pairs(
    tasks: Mapping[str, Sequence[int]],
    *,
    training: int,
    held_out: int,
    label_noise: float = 0.0,
    seed: int,
    steps: int,
    **kind: object,
) -> pd.DataFrame:
    """Train each pair of tasks on digits, and each task alone, and return their `interference`.

    Parameters
    ----------
    tasks
        By name, the digits that are of class 1.
    training, held_out, label_noise
        Of the items, as `ncnet.training.samples.digits` takes them.
    seed
        Of items and of initial weights.
    steps
        Training steps.
    kind
        Hidden size, replicas and the rest, as `ncnet.training.samples.train_pairs` takes them.

    Examples
    --------
    >>> tasks = {"odd": (1, 3, 5, 7, 9), "prime": (2, 3, 5, 7)}
    >>> rows = trained_pairs(
    ...     tasks, training=8, held_out=4, seed=0, steps=10, hidden_size=1, replicas=range(3)
    ... )
    >>> rows[["first", "second", "replica"]].values.tolist()
    [['odd', 'prime', 0], ['odd', 'prime', 1], ['odd', 'prime', 2]]
    """
    names = (*tasks, samples.NOTHING)
    images = samples.digits(
        [*tasks.values(), ()],
        training=training,
        held_out=held_out,
        label_noise=label_noise,
        seed=seed,
    )
    outcomes = samples.train_pairs(
        images,
        pairs_with_nothing(names),
        seed=seed,
        steps=steps,
        trace_steps=traced(steps),
        **kind,
    )
    return interference(outcomes, names)
