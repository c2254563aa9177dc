"""Trains one context, and reads what became of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ncnet.encoders import checkpoints
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.model import Key, TwoHeads
from ncnet.encoders.order import batch_at
from ncnet.encoders.plan import Settings
from ncnet.encoders.tasks import EncodedTask

SECONDS_BETWEEN_CHECKPOINTS = 60
ITEMS_AT_ONCE = 32


@dataclass(frozen=True)
class Outcome:
    """What became of one context.

    Attributes
    ----------
    correct
        Each head's outcomes, +1 where it classifies the item correctly, else -1, of the training
        items and then of the held-out ones: int8 [heads, items].
    loss
        Each head's mean cross-entropy over its training items [heads].
    diverged
        Whether any logit ended non-finite; such an item reads as class 0.
    """

    correct: np.ndarray
    loss: np.ndarray
    diverged: bool


def train_context(
    encoder: Encoder,
    tasks: Sequence[EncodedTask],
    *,
    keys: Sequence[Key],
    rank: float,
    settings: Settings,
    replica: int,
    checkpoint: Path | None = None,
) -> tuple[Outcome, TwoHeads]:
    """Train one network on a task for each of its heads; return its outcomes and itself.

    Each step takes a batch of each task; the loss is the sum of the heads' mean cross-entropies,
    and Adam moves adapters and heads.

    Parameters
    ----------
    encoder, tasks, keys, rank, settings, replica
        See `TwoHeads`.
    checkpoint
        File to which the state is written now and then, and from which a training that was cut
        off goes on, to the same result.
    """
    # Modules draw weights of their own as they are made, before ours are put in.
    with torch.random.fork_rng(devices=[]):
        model = TwoHeads(encoder, tasks, keys=keys, rank=rank, settings=settings, replica=replica)
    trained = model.trained()
    optimizer = torch.optim.Adam(trained.values(), lr=settings.learning_rate)
    at = checkpoints.restore_training(checkpoint, trained, optimizer) if checkpoint else 0
    written = time.monotonic()
    for step in range(at, settings.steps):
        due = step > at and time.monotonic() - written >= SECONDS_BETWEEN_CHECKPOINTS
        if checkpoint and due:
            checkpoints.write_training(checkpoint, trained, optimizer, step)
            written = time.monotonic()
        _step(model, settings, replica, step, optimizer)
    return _outcome(model, settings), model


def _step(
    model: TwoHeads,
    settings: Settings,
    replica: int,
    step: int,
    optimizer: torch.optim.Optimizer,
) -> None:
    tasks = model.tasks
    items = tuple(
        task.trained[
            batch_at(
                step,
                count=len(task.trained),
                size=settings.batch_size,
                key=(settings.seed, replica, *of_head),
            )
        ]
        for of_head, task in zip(model.keys, tasks, strict=True)
    )
    losses = [
        functional.cross_entropy(logits, task.labels[chosen])
        for logits, task, chosen in zip(_logits(model, items, settings), tasks, items, strict=True)
    ]
    optimizer.zero_grad()
    sum(losses).backward()
    optimizer.step()


def _logits(model: TwoHeads, items: Sequence[np.ndarray], settings: Settings) -> list[Tensor]:
    with torch.autocast(
        model.tasks[0].states.device.type, torch.bfloat16, enabled=settings.bfloat16
    ):
        return [logits.float() for logits in model(items)]


@torch.no_grad()
def _outcome(model: TwoHeads, settings: Settings) -> Outcome:
    tasks = model.tasks
    count = len(tasks[0].read)
    chunks = [np.arange(count)[at : at + ITEMS_AT_ONCE] for at in range(0, count, ITEMS_AT_ONCE)]
    found = [_logits(model, [chunk] * len(tasks), settings) for chunk in chunks]
    correct, loss, finite = [], [], True
    for logits, task in zip(map(torch.cat, zip(*found, strict=True)), tasks, strict=True):
        labels = task.labels[:count]
        there = logits.isfinite().all(dim=1)
        # A tie is won by the first class; what is not finite reads as class 0.
        answers = torch.where(there, logits.argmax(dim=1), 0)
        correct.append((2 * (answers == labels) - 1).to(torch.int8).cpu().numpy())
        training = len(task.data.training)
        loss.append(functional.cross_entropy(logits[:training], labels[:training]).item())
        finite &= bool(there.all())
    return Outcome(np.stack(correct), np.array(loss), not finite)
