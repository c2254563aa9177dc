"""What a training of an encoder was asked for, checked before any work starts."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Self

from ncnet.checks import check, check_integer, check_list, check_once, check_positive
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.trunk import FULL
from ncnet.printing import shown

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
    def checked(cls, encoder: Encoder, *, bfloat16: bool, **given: object) -> Self:
        """Return the settings, or raise ``ValueError`` for one that cannot be."""
        check(isinstance(bfloat16, bool), f"`bfloat16` is {shown(bfloat16)}", "true or false")
        whole = {
            "layers": (1, encoder.layers),
            "steps": (0, 10**7),
            "batch_size": (1, 10**5),
            "seed": (0, None),
        }
        for name, (lowest, highest) in whole.items():
            given[name] = check_integer(name, given[name], at_least=lowest, at_most=highest)
        for name in ("learning_rate", "alpha"):
            given[name] = check_positive(name, given[name])
        return cls(bfloat16=bfloat16, **given)


def check_ranks(ranks: object, encoder: Encoder) -> list[float]:
    """Return ranks, or raise ``ValueError`` unless each is 0 to the encoder's width, or `FULL`.

    >>> from ncnet import encoders
    >>> check_ranks([0, 33], encoders.load("tiny"))
    Traceback (most recent call last):
    ValueError: `rank` is 33: expected 0 to 32, the width of `tiny`, or inf for full fine-tuning
    """
    ranks = check_list("ranks", ranks, "a list of ranks")
    width = f"0 to {encoder.width}, the width of `{encoder.name}`"
    for rank in ranks:
        number = isinstance(rank, numbers.Real) and not isinstance(rank, bool)
        fits = number and (rank == FULL or rank in range(encoder.width + 1))
        check(fits, f"`rank` is {shown(rank)}", f"{width}, or {FULL} for full fine-tuning")
    check_once("rank", ranks)
    return [FULL if rank == FULL else int(rank) for rank in ranks]
