"""Trains the networks of a replica side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from ncnet.encoders.along import look
from ncnet.encoders.model import Networks
from ncnet.encoders.outcomes import Outcomes, losses_of, outcomes_of


def train_networks(networks: Networks, looks: Sequence[int] = ()) -> Outcomes:
    """Train the networks of a replica, and return their outcomes.

    Each step takes a batch of each task, the same for all networks that the task is in. A network's
    loss is the sum of its heads' mean cross-entropies, and Adam moves adapters and heads.

    Parameters
    ----------
    networks
        The networks, as their training starts.
    looks
        The numbers of steps after which networks are looked at (`ncnet.encoders.along`), above 0
        and below that of all steps, in order.
    """
    weights = networks.trainable().values()
    optimizer = torch.optim.Adam(weights, lr=networks.hyperparameters.learning_rate)
    seen = []
    for step in range(networks.hyperparameters.steps):
        items = batches(networks, step)
        if step in looks:
            seen.append(look(networks, optimizer, items))
        optimizer.zero_grad()
        for name, of_task in items.items():  # one by one, since each takes its room in memory
            [loss] = losses_of(networks, {name: of_task}).values()
            # No network's weights are in another's loss: each follows its own gradient.
            loss.sum().backward()
        optimizer.step()
    along = (
        {name: np.stack([one[name] for one in seen], axis=1) for name in seen[0]} if seen else {}
    )
    return replace(outcomes_of(networks), **along)


def batches(networks: Networks, step: int) -> dict[str, np.ndarray]:
    """Return the items of each task in one step, [size]."""
    size = networks.hyperparameters.batch_size
    return {
        name: task.trained[
            batch_at(step, count=len(task.trained), size=size, key=networks.keys[name])
        ]
        for name, task in networks.tasks.items()
    }


def batch_at(step: int, *, count: int, size: int, key: tuple[int, ...]) -> np.ndarray:
    """Return the items of one batch, [size], where epochs of shuffled items follow one another.

    Parameters
    ----------
    step
        Number of the batch, from 0.
    count
        Number of items.
    size
        Items in a batch.
    key
        Seed, replica and the head's key, on which the order depends besides.

    Examples
    --------
    Every item comes once before any comes again:

    >>> batches = [batch_at(step, count=6, size=4, key=(0,)) for step in range(3)]
    >>> sorted(np.concatenate(batches).tolist())
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    """
    first, offset = divmod(step * size, count)
    epochs = range(first, (step * size + size - 1) // count + 1)
    items = [np.random.default_rng([*key, epoch]).permutation(count) for epoch in epochs]
    return np.concatenate(items)[offset : offset + size]
