"""A task's items as an encoder reads them: numbered words, and the states that stay frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ncnet.datasets import TaskData
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.trunk import frozen_states

LONGEST = 96
"""Tokens at which a sequence is cut, from the longer text of a pair first."""


@dataclass(frozen=True)
class Sequences:
    """The token sequences of a task's items: one each, or one for each choice of a question.

    Attributes
    ----------
    ids, segments
        Of all tokens of all sequences, one behind the other [tokens].
    lengths
        Tokens of each sequence [sequences].
    each
        Sequences of an item.
    unknown
        Share of the tokens for which the encoder has no word piece.
    cut
        Share of the sequences that were cut at `LONGEST` tokens.
    """

    ids: np.ndarray
    segments: np.ndarray
    lengths: np.ndarray
    each: int
    unknown: float
    cut: float


@dataclass(frozen=True)
class EncodedTask:
    """A task as networks read it: training items first, then held-out, then further ones.

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
        training, further = np.arange(len(self.data.training)), np.arange(len(self.data.further))
        return np.concatenate([training, len(self.read) + further])

    @cached_property
    def labels(self) -> Tensor:
        """Class or index of the right choice of each item."""
        labels = [item.label for item in _items(self.data)]
        return torch.tensor(labels, device=self.states.device)

    def spans(self, items: np.ndarray) -> np.ndarray:
        """Return where each sequence of some items starts, and its tokens [2, sequences]."""
        each = self.sequences.each
        places = (each * items[:, None] + np.arange(each)).ravel()
        return np.stack([self.starts[places], self.sequences.lengths[places]])


def _items(data: TaskData) -> tuple:
    return *data.training, *data.held_out, *data.further


def tokenized(encoder: Encoder, data: TaskData) -> Sequences:
    """Return the token sequences of all of a task's items, in the order of `EncodedTask`."""
    pairs = [texts for item in _items(data) for texts in item.sequences]
    first, second = ([pair[k] for pair in pairs] for k in (0, 1))
    texts = (first, None if second[0] is None else second)
    whole = encoder.tokenizer(*texts, max_length=10**6, truncation=False, verbose=False)
    found = encoder.tokenizer(*texts, max_length=LONGEST, truncation="longest_first")
    ids = np.concatenate(found["input_ids"])
    return Sequences(
        ids=ids,
        segments=np.concatenate(found["token_type_ids"]),
        lengths=np.array([*map(len, found["input_ids"])]),
        each=len(pairs) // len(_items(data)),
        unknown=float(np.mean(ids == encoder.tokenizer.unk_token_id)),
        cut=float(np.mean([len(of_text) > LONGEST for of_text in whole["input_ids"]])),
    )


def encoded(
    encoder: Encoder,
    tasks: Sequence[TaskData],
    found: Sequence[Sequences],
    *,
    rank: float,
    layers: int,
) -> list[EncodedTask]:
    """Return tasks for trunks of this rank and so many adapted layers."""
    states, starts = frozen_states(encoder, found, rank, layers)
    of_tasks = np.split(starts, np.cumsum([len(of_task.lengths) for of_task in found])[:-1])
    given = zip(tasks, found, of_tasks, strict=True)
    return [EncodedTask(task, of_task, states, places) for task, of_task, places in given]
