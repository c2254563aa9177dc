"""A task's items as an encoder reads them: numbered words, and the states that stay frozen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ncnet.datasets import Item, TaskData
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.trunk import FULL, Layout, frozen_layers, layer_output

LONGEST = 96
"""Tokens at which a sequence is cut, from the longer text of a pair first."""
TOKENS_AT_ONCE = 4096


@dataclass(frozen=True)
class Sequences:
    """The token sequences of a task's items: one each, or one for each choice of a question.

    Attributes
    ----------
    data
        The items.
    ids, segments
        The number of each token and its segment, one sequence behind the other [tokens].
    lengths
        The number of tokens of each sequence [sequences].
    unknown
        The share of the tokens for which the encoder has no word piece.
    cut
        The share of the sequences that were cut at `LONGEST` tokens.
    """

    data: TaskData
    ids: np.ndarray
    segments: np.ndarray
    lengths: np.ndarray
    unknown: float
    cut: float


@dataclass(frozen=True)
class EncodedTask:
    """A task as networks read it: training items first, then held-out, then further ones.

    Attributes
    ----------
    data
        The items.
    states
        States of their tokens behind the frozen layers, from `encoded` [tokens, ...].
    lengths
        The number of rows of `states` that belong to each sequence [sequences].
    """

    data: TaskData
    states: Tensor
    lengths: np.ndarray

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
        labels = [item.label for item in _items(self.data)]
        return torch.tensor(labels, device=self.states.device)

    def states_of(self, items: np.ndarray) -> tuple[Tensor, np.ndarray]:
        """Return the states of some items, [tokens, ...], and the lengths of their sequences."""
        each = len(self.lengths) // len(self.labels)
        sequences = (each * items[:, None] + np.arange(each)).ravel()
        tokens = torch.from_numpy(token_places(self.lengths, sequences))
        return self.states.index_select(0, tokens.to(self.states.device)), self.lengths[sequences]


def _items(data: TaskData) -> tuple[Item, ...]:
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
        data=data,
        ids=ids,
        segments=np.concatenate(found["token_type_ids"]),
        lengths=np.array([*map(len, found["input_ids"])]),
        unknown=float(np.mean(ids == encoder.tokenizer.unk_token_id)),
        cut=float(np.mean([len(of_text) > LONGEST for of_text in whole["input_ids"]])),
    )


@torch.no_grad()
def encoded(encoder: Encoder, tokens: Sequences, *, rank: float, layers: int) -> EncodedTask:
    """Return what the frozen part makes of a task's tokens: computed once, it never changes.

    Returns
    -------
    EncodedTask
        A task for trunks of so many adapted layers. At rank `FULL`, its states are what the lowest
        adapted layer reads. At any other rank above 0, these, and behind them that layer's own keys
        and values, to which adapters add. At rank 0, the last states of first tokens, which is all
        that heads read.
    """
    model, lengths = encoder.model, tokens.lengths
    lowest = frozen_layers(encoder, rank, layers)
    numbers = torch.from_numpy(np.stack([tokens.ids, tokens.segments], axis=1)).to(model.device)
    projections = []
    if 0 < rank < FULL:
        attention = model.encoder.layer[lowest].attention.self
        projections = [attention.key, attention.value]
    width = encoder.width * (1 + len(projections))
    states = torch.empty(len(numbers), width, device=model.device)
    for chunk in chunks(lengths):
        places = torch.from_numpy(token_places(lengths, chunk)).to(model.device)
        layout = Layout(lengths[chunk], model.device)
        ids, segments = layout.padded(numbers[places]).unbind(-1)
        hidden = layout.packed(model.embeddings(input_ids=ids, token_type_ids=segments))
        for layer in model.encoder.layer[:lowest]:
            hidden = layer_output(layer, hidden, layout)
        kept = [hidden, *(projection(hidden) for projection in projections)]
        states[places] = torch.cat(kept, dim=-1)
    if rank == 0:
        states, lengths = states[np.cumsum(lengths) - lengths], np.ones_like(lengths)
    return EncodedTask(tokens.data, states, lengths)


def chunks(lengths: np.ndarray) -> Iterable[np.ndarray]:
    """Yield sequences of like length, as many as fit into `TOKENS_AT_ONCE`.

    How a state is rounded depends on what is computed along with it: hence never on another task.
    """
    order = np.argsort(lengths, kind="stable")
    while len(order):
        count = max(1, TOKENS_AT_ONCE // int(lengths[order[-1]]))
        yield order[-count:]
        order = order[:-count]


def token_places(lengths: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return where the tokens of chosen sequences lie, among those of all sequences [tokens].

    >>> token_places(np.array([2, 5, 3]), np.array([2, 0])).tolist()
    [7, 8, 9, 0, 1]
    """
    ends = np.cumsum(lengths)
    return np.concatenate([np.arange(ends[k] - lengths[k], ends[k]) for k in chosen])
