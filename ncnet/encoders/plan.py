"""What a training of an encoder was asked for, checked before any work starts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from ncnet.checks import check_integer, check_positive
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.trunk import FULL


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
        check_integer("layers", given["layers"], at_least=1, at_most=encoder.layers)
        check_integer("steps", given["steps"], at_least=0, at_most=10**7)
        check_integer("batch_size", given["batch_size"], at_least=1, at_most=10**5)
        check_integer("seed", given["seed"], at_least=0)
        check_positive("learning_rate", given["learning_rate"])
        check_positive("alpha", given["alpha"])
        return cls(**given)


def check_rank(rank: object, encoder: Encoder) -> float:
    """Return a rank, or raise ``ValueError`` unless it is 0 to the encoder's width, or `FULL`.

    >>> from ncnet import encoders
    >>> check_rank(33, encoders.load("tiny"))
    Traceback (most recent call last):
    ValueError: `rank` is 33: expected 0 to 32, the width of `tiny`, or inf for full fine-tuning
    """
    if isinstance(rank, float) and (rank == FULL or rank.is_integer()):
        rank = rank if rank == FULL else int(rank)
    whole = isinstance(rank, int) and not isinstance(rank, bool) and 0 <= rank <= encoder.width
    if not (whole or rank == FULL):
        raise ValueError(
            f"`rank` is {rank!r}: expected 0 to {encoder.width}, the width of `{encoder.name}`, "
            f"or {math.inf} for full fine-tuning"
        )
    return rank
