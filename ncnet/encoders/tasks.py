"""A task's items as an encoder reads them: numbered words, and the states that stay frozen."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ncnet.datasets import Item, TaskData
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.trunk import Layout, Trunks

LONGEST = 96
"""Tokens at which a sequence is cut, from the longer text of a pair first."""
TOKENS_AT_ONCE = 4096


@dataclass(frozen=True)
class Sequences:
    """The token sequences of some items: one each, or one for each choice of a question.

    Attributes
    ----------
    ids, segments
        The number of each token and its segment, one sequence behind the other [tokens].
    lengths
        The number of tokens of each sequence [sequences].
    unknown
        The number of tokens for which the encoder has no word piece.
    cut
        The number of sequences that were cut at `LONGEST` tokens.
    """

    ids: np.ndarray
    segments: np.ndarray
    lengths: np.ndarray
    unknown: int
    cut: int


@dataclass(frozen=True)
class EncodedTask:
    """A task as networks read it: training items first, then held-out, then further ones.

    Attributes
    ----------
    encoder
        The encoder whose frozen layers its items went through.
    data
        The items.
    tokens
        The token sequences of each of the three parts.
    states
        What `ncnet.encoders.frozen.frozen_states` made of them, part by part [tokens, 3 width].
    """

    encoder: Encoder
    data: TaskData
    tokens: tuple[Sequences, ...]
    states: tuple[np.ndarray, ...]

    @property
    def scored(self) -> np.ndarray:
        """The items that outcomes are read of: training and held-out ones."""
        return np.arange(len(self.data.training) + len(self.data.held_out))

    @cached_property
    def trained(self) -> np.ndarray:
        """The items that are trained on: training and further ones."""
        training, further = np.arange(len(self.data.training)), np.arange(len(self.data.further))
        return np.concatenate([training, len(self.scored) + further])

    @cached_property
    def labels(self) -> Tensor:
        """The class of each item, or the index of its right choice."""
        labels = [item.label for part in parts_of(self.data) for item in part]
        return torch.tensor(labels, device=self.encoder.model.device)

    @cached_property
    def lengths(self) -> np.ndarray:
        """The number of tokens of each sequence [sequences]."""
        return np.concatenate([part.lengths for part in self.tokens])

    def sequences_of(self, items: np.ndarray) -> np.ndarray:
        """Return the places of some items' sequences, one item's behind the other's."""
        each = len(self.lengths) // len(self.labels)
        return (each * items[:, None] + np.arange(each)).ravel()

    def states_of(self, items: np.ndarray) -> tuple[Tensor, np.ndarray]:
        """Return the states of some items, padded, and the lengths of their sequences.

        States are [sequences, longest, 3 width], lengths [sequences].
        """
        return self._padded(self.sequences_of(items))

    @cached_property
    def _slices(self) -> list[np.ndarray]:
        """The states of each sequence [tokens, 3 width]."""
        return [
            states[end - length : end]
            for part, states in zip(self.tokens, self.states, strict=True)
            for end, length in zip(np.cumsum(part.lengths), part.lengths, strict=True)
        ]

    def _padded(self, sequences: np.ndarray) -> tuple[Tensor, np.ndarray]:
        lengths = self.lengths[sequences]
        for states in self.states:
            _let_go(states)
        padded = np.empty((len(lengths), lengths.max(), self.states[0].shape[1]), np.float32)
        for place, (k, length) in enumerate(zip(sequences, lengths, strict=True)):
            padded[place, :length] = self._slices[k]
            padded[place, length:] = 0
        return torch.from_numpy(padded).to(self.encoder.model.device), lengths

    @torch.no_grad()
    def last_states(self, trunks: Trunks) -> Tensor:
        """Return what heads read where trunks are not trained: [sequences, width]."""
        one = torch.zeros(1, dtype=torch.long, device=self.encoder.model.device)
        found = None
        for chunk in chunks(self.lengths):
            states, lengths = self._padded(chunk)
            [read] = trunks(states, Layout(lengths, states.device), one)
            found = read.new_empty(len(self.lengths), read.shape[1]) if found is None else found
            found[torch.from_numpy(chunk)] = read
        return found


def _let_go(states: np.ndarray) -> None:
    """Let go of a mapped file's pages, or else all that was ever read would count as memory.

    They stay in the system's cache, from where they come back at once.
    """
    if isinstance(states.base, mmap.mmap):
        states.base.madvise(mmap.MADV_DONTNEED)


def parts_of(data: TaskData) -> tuple[tuple[Item, ...], ...]:
    """Return a task's items part by part, in the order of `EncodedTask`."""
    return data.training, data.held_out, data.further


def tokenized(encoder: Encoder, items: Iterable[Item]) -> Sequences:
    """Return the token sequences of some items of a task, in their order."""
    pairs = [texts for item in items for texts in item.sequences]
    if not pairs:
        none = np.zeros(0, np.int64)
        return Sequences(none, none, none, unknown=0, cut=0)
    first, second = ([pair[k] for pair in pairs] for k in (0, 1))
    texts = (first, None if second[0] is None else second)
    whole = encoder.tokenizer(*texts, max_length=10**6, truncation=False, verbose=False)
    found = encoder.tokenizer(*texts, max_length=LONGEST, truncation="longest_first")
    ids = np.concatenate(found["input_ids"])
    return Sequences(
        ids=ids,
        segments=np.concatenate(found["token_type_ids"]),
        lengths=np.array([*map(len, found["input_ids"])]),
        unknown=int(np.sum(ids == encoder.tokenizer.unk_token_id)),
        cut=int(np.sum([len(of_text) > LONGEST for of_text in whole["input_ids"]])),
    )


def chunks(lengths: np.ndarray) -> Iterable[np.ndarray]:
    """Yield sequences of like length, as many as fit into `TOKENS_AT_ONCE`.

    How a state is rounded depends on what is computed along with it: hence never on another task.
    """
    order = np.argsort(lengths, kind="stable")
    while len(order):
        count = max(1, TOKENS_AT_ONCE // int(lengths[order[-1]]))
        yield order[-count:]
        order = order[:-count]
