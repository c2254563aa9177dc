"""What a training of an encoder was asked for, checked before any work starts."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from ncnet.checks import check_integer, check_positive
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.trunk import FULL

ALPHA = 16.0
"""Scale of what adapters add, unless told otherwise."""


@dataclass(frozen=True)
class Settings:
    """How every context of a sweep is trained, but for its rank and its tasks; see `train`."""

    layers: int
    steps: int
    batch_size: int
    learning_rate: float
    alpha: float
    bfloat16: bool
    seed: int

    @classmethod
    def checked(cls, encoder: Encoder, **given: object) -> Self:
        """Return the settings, or raise ``ValueError`` for one that cannot be."""
        bfloat16 = given["bfloat16"]
        if not isinstance(bfloat16, bool):
            raise ValueError(f"`bfloat16` is {bfloat16!r}: expected true or false")
        return cls(
            layers=check_integer("layers", given["layers"], at_least=1, at_most=encoder.layers),
            steps=check_integer("steps", given["steps"], at_least=0, at_most=10**7),
            batch_size=check_integer("batch_size", given["batch_size"], at_least=1, at_most=10**5),
            learning_rate=check_positive("learning_rate", given["learning_rate"]),
            alpha=check_positive("alpha", given["alpha"]),
            bfloat16=bfloat16,
            seed=check_integer("seed", given["seed"], at_least=0),
        )


def check_ranks(ranks: object, encoder: Encoder) -> list[float]:
    """Return ranks, or raise ``ValueError`` unless each is 0 to the encoder's width, or `FULL`.

    >>> from ncnet import encoders
    >>> check_ranks([0, 33], encoders.load("tiny"))
    Traceback (most recent call last):
    ValueError: `rank` is 33: expected 0 to 32, the width of `tiny`, or inf for full fine-tuning
    """
    if not isinstance(ranks, Iterable) or isinstance(ranks, str) or not len(list(ranks)):
        raise ValueError(f"`ranks` is {ranks!r}: expected a list of ranks")
    found = [_rank(rank, encoder) for rank in ranks]
    repeated = [rank for rank in found if found.count(rank) > 1]
    if repeated:
        raise ValueError(f"rank {repeated[0]} is there twice: expected each once")
    return found


def _rank(rank: object, encoder: Encoder) -> float:
    number = isinstance(rank, numbers.Real) and not isinstance(rank, bool)
    if number and rank == FULL:
        return FULL
    if not (number and 0 <= rank <= encoder.width and rank == int(rank)):
        raise ValueError(
            f"`rank` is {rank!r}: expected 0 to {encoder.width}, the width of `{encoder.name}`, "
            f"or {FULL} for full fine-tuning"
        )
    return int(rank)
