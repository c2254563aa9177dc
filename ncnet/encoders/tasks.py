"""A task's items as an encoder reads them, with the states that stay frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ncnet.datasets import TaskData
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.sequences import Sequences, sequences
from ncnet.encoders.trunk import frozen_states


@dataclass(frozen=True)
class EncodedTask:
    """The sequences of a task's items: training items first, then held-out, then further ones.

    Attributes
    ----------
    data
        The items.
    sequences
        Their token sequences.
    states
        What the frozen layers make of these and other tasks' tokens, as `frozen_states` returns it.
    starts
        Where in `states` each sequence starts [sequences].
    """

    data: TaskData
    sequences: Sequences
    states: Tensor
    starts: np.ndarray

    @property
    def read(self) -> np.ndarray:
        """The items that outcomes are read of: training and held-out ones."""
        return np.arange(len(self.data.training) + len(self.data.held_out))

    @cached_property
    def trained(self) -> np.ndarray:
        """The items that are trained on: training and further ones."""
        every = np.arange(len(self.sequences.labels))
        return np.delete(every, self.read[len(self.data.training) :])

    @cached_property
    def labels(self) -> Tensor:
        """Class or index of the right choice of each item."""
        return torch.from_numpy(self.sequences.labels).to(self.states.device)


def tokenized(encoder: Encoder, data: TaskData) -> Sequences:
    """Return the token sequences of all of a task's items, in the order of `EncodedTask`."""
    return sequences(encoder, [*data.training, *data.held_out, *data.further])


def encoded(
    encoder: Encoder,
    tasks: Sequence[TaskData],
    found: Sequence[Sequences],
    *,
    rank: float,
    layers: int,
) -> list[EncodedTask]:
    """Return tasks for trunks of this rank and so many adapted layers."""
    states = frozen_states(encoder, found, rank, layers)
    ends = np.cumsum([len(of_task.ids) for of_task in found])
    return [
        EncodedTask(task, of_task, states, of_task.starts[:-1] + end - len(of_task.ids))
        for task, of_task, end in zip(tasks, found, ends, strict=True)
    ]
