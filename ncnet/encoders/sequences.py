"""Items as numbered words, packed one behind the other, and what never changes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ncnet.datasets import Item
from ncnet.encoders.catalogue import Encoder

LONGEST = 96
"""Tokens at which a sequence is cut, from the longer text of a pair first."""


@dataclass(frozen=True)
class Sequences:
    """The token sequences of some items: one each, or one for each choice of a question.

    Attributes
    ----------
    ids, segments
        Of all tokens of all sequences, one behind the other [tokens].
    starts
        Where each sequence starts, and where the last one ends [sequences + 1].
    first
        Each item's first sequence, and the number of all [items + 1].
    labels
        Class or index of the right choice [items].
    unknown
        Share of the tokens for which the encoder has no word piece.
    cut
        Share of the sequences that were cut at `LONGEST` tokens.
    """

    ids: np.ndarray
    segments: np.ndarray
    starts: np.ndarray
    first: np.ndarray
    labels: np.ndarray
    unknown: float
    cut: float

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each sequence [sequences]."""
        return np.diff(self.starts)


def sequences(encoder: Encoder, items: Sequence[Item]) -> Sequences:
    """Return the token sequences of items.

    Examples
    --------
    >>> from ncnet import encoders
    >>> items = [Item(str(k), k, "which?", choices=("red", "blue")) for k in (0, 1)]
    >>> sequences(encoders.load("tiny"), items).first.tolist()
    [0, 2, 4]
    """
    texts = [texts for item in items for texts in item.sequences]
    first = [text for text, _ in texts]
    second = None if texts[0][1] is None else [text for _, text in texts]
    whole = encoder.tokenizer(first, second, max_length=10**6, truncation=False, verbose=False)[
        "input_ids"
    ]
    found = encoder.tokenizer(first, second, max_length=LONGEST, truncation="longest_first")
    ids = np.concatenate([np.asarray(ids) for ids in found["input_ids"]])
    counts = [len(item.sequences) for item in items]
    return Sequences(
        ids=ids,
        segments=np.concatenate([np.asarray(s) for s in found["token_type_ids"]]),
        starts=np.cumsum([0, *map(len, found["input_ids"])]),
        first=np.cumsum([0, *counts]),
        labels=np.array([item.label for item in items]),
        unknown=float(np.mean(ids == encoder.tokenizer.unk_token_id)),
        cut=float(np.mean([len(ids) > LONGEST for ids in whole])),
    )
