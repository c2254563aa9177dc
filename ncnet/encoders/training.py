"""Trains one network, in one context, and reads its outcomes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from ncnet.encoders import saving
from ncnet.encoders.model import Key, TwoHeads

SECONDS_BETWEEN_CHECKPOINTS = 60
ITEMS_AT_ONCE = 32


@dataclass(frozen=True)
class Outcome:
    """The outcomes of one network, and its losses.

    Attributes
    ----------
    correct
        Each head's outcomes, +1 where it classifies the item correctly, else -1, of the training
        items and then of the held-out ones: int8 [heads, items].
    loss
        Each head's mean cross-entropy over its training items [heads].
    diverged
        True if any logit ended non-finite; such an item reads as class 0.
    """

    correct: np.ndarray
    loss: np.ndarray
    diverged: bool

    def columns(self) -> dict[str, object]:
        """Return the outcomes, losses and flag of two heads, by their names in a Dataset."""
        names = ("a", "b", "diverged", "alice_loss", "bob_loss")
        return dict(zip(names, (*self.correct, self.diverged, *self.loss), strict=True))


def train_context(model: TwoHeads, *, checkpoint: Path | None = None) -> Outcome:
    """Train one network on the tasks of its heads, and return its outcomes.

    Each step takes a batch of each task; the loss is the sum of the heads' mean cross-entropies,
    and Adam moves adapters and heads.

    Parameters
    ----------
    model
        The network, as its training starts.
    checkpoint
        A file to which the state is written now and then, and from which a training that was cut
        off goes on, to the same result.
    """
    optimizer = torch.optim.Adam(model.trainable().values(), lr=model.hyperparameters.learning_rate)
    begin = saving.load_training(checkpoint, model, optimizer) if checkpoint else 0
    written = time.monotonic()
    for step in range(begin, model.hyperparameters.steps):
        due = step > begin and time.monotonic() - written >= SECONDS_BETWEEN_CHECKPOINTS
        if checkpoint and due:
            saving.save_training(checkpoint, model, optimizer, step)
            written = time.monotonic()
        _step(model, step, optimizer)
    return _outcome(model)


def batch_at(step: int, *, count: int, size: int, key: Key) -> np.ndarray:
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


def _step(model: TwoHeads, step: int, optimizer: torch.optim.Optimizer) -> None:
    size, items = model.hyperparameters.batch_size, []
    for task, key in zip(model.tasks, model.keys, strict=True):
        batch = batch_at(step, count=len(task.trained), size=size, key=key)
        items.append(task.trained[batch])
    losses = [
        functional.cross_entropy(logits, task.labels[chosen])
        for logits, task, chosen in zip(model(items), model.tasks, items, strict=True)
    ]
    optimizer.zero_grad()
    sum(losses).backward()
    optimizer.step()


@torch.no_grad()
def _outcome(model: TwoHeads) -> Outcome:
    items = model.tasks[0].scored
    chunks = [items[at : at + ITEMS_AT_ONCE] for at in range(0, len(items), ITEMS_AT_ONCE)]
    found = [model([chunk] * len(model.tasks)) for chunk in chunks]
    correct, loss, finite = [], [], True
    for logits, task in zip(map(torch.cat, zip(*found, strict=True)), model.tasks, strict=True):
        labels = task.labels[: len(items)]
        there = logits.isfinite().all(dim=1)
        # A tie is won by the first class; what is not finite reads as class 0.
        answers = torch.where(there, logits.argmax(dim=1), 0)
        correct.append((2 * (answers == labels) - 1).to(torch.int8).cpu().numpy())
        training = len(task.data.training)
        loss.append(functional.cross_entropy(logits[:training], labels[:training]).item())
        finite &= bool(there.all())
    return Outcome(np.stack(correct), np.array(loss), not finite)
