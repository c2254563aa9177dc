"""Reads of networks what their heads get right, and their losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ncnet.encoders.model import Networks

ITEMS_AT_ONCE = 32


@dataclass(frozen=True)
class Outcomes:
    """What became of the networks of a replica, head by head in the order of a pair's names.

    Attributes
    ----------
    correct
        +1 where a head classifies the item correctly, else -1, of the training items and then of
        the held-out ones: int8 [networks, 2, items]. Of a task alone, the second are 0.
    loss
        Mean cross-entropy over the training items [networks, 2]; of a task alone, the second are
        not numbers.
    diverged
        True where any logit of a network ended non-finite; such an item reads as class 0
        [networks].
    along, cosine, lookahead
        What was seen at each look along the training, if any was taken (`ncnet.encoders.along`)
        [networks, looks, ...].
    """

    correct: np.ndarray
    loss: np.ndarray
    diverged: np.ndarray
    along: np.ndarray | None = None
    cosine: np.ndarray | None = None
    lookahead: np.ndarray | None = None


def losses_of(networks: Networks, items: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Return each head's mean cross-entropy over some items of its task, by task [networks]."""
    return {
        name: _cross_entropy(logits, networks.tasks[name].labels[items[name]])
        for name, logits in networks(items).items()
    }


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    each = functional.cross_entropy(
        logits.flatten(0, 1), labels.repeat(len(logits)), reduction="none"
    )
    return each.unflatten(0, logits.shape[:2]).mean(dim=1)


@torch.no_grad()
def outcomes_of(networks: Networks) -> Outcomes:
    """Return the outcomes of networks as they are."""
    scored = next(iter(networks.tasks.values())).scored
    chunks = [scored[at : at + ITEMS_AT_ONCE] for at in range(0, len(scored), ITEMS_AT_ONCE)]
    found = [networks(dict.fromkeys(networks.tasks, chunk)) for chunk in chunks]
    count = len(networks.pairs)
    correct = np.zeros((count, 2, len(scored)), np.int8)
    loss, diverged = np.full((count, 2), np.nan), np.zeros(count, bool)
    for name, task in networks.tasks.items():
        logits, labels = torch.cat([chunk[name] for chunk in found], 1), task.labels[: len(scored)]
        there = logits.isfinite().all(dim=2)
        # A tie is won by the first class; what is not finite reads as class 0.
        right = torch.where(there, logits.argmax(dim=2), 0) == labels
        training = len(task.data.training)
        of_task = _cross_entropy(logits[:, :training], labels[:training])
        for place, k in enumerate(networks.networks[name].tolist()):
            head = networks.pairs[k].index(name)
            correct[k, head] = (2 * right[place] - 1).to(torch.int8).cpu().numpy()
            loss[k, head] = of_task[place].item()
            diverged[k] |= not there[place].all()
    return Outcomes(correct, loss, diverged)
