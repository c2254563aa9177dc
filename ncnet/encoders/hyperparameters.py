"""The hyperparameters of a training, checked before any work starts."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from ncnet.checks import (
    check,
    check_choice,
    check_integer,
    check_list,
    check_once,
    check_positive,
)
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.trunk import FULL, POOLINGS
from ncnet.printing import shown


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Hyperparameters, which all networks of a sweep share, whatever their ranks and tasks are.

    The paper states none of these choices; they are ours.

    Attributes
    ----------
    layers
        The number of adapted layers, from the top. What lies below them is computed once an item.
    pooling
        The state that heads read: "first", of the first token, or "mean", over all tokens; the one
        that the encoder was trained for unless told otherwise.
    steps, batch_size
        The number of training steps, and the items of each head's task in one step.
    learning_rate
        The learning rate of Adam, for adapters and heads alike.
    alpha
        What an adapter adds is scaled by ``alpha / rank``.
    bfloat16
        True makes the matrix products of a step in bfloat16 (autocast), as is done on a GPU unless
        told otherwise.
    seed
        It determines, with the number of a replica, initial weights and the order of items.
    """

    layers: int = 1
    pooling: str | None = None
    steps: int = 300
    batch_size: int = 16
    learning_rate: float = 1e-3
    alpha: float = 16.0
    bfloat16: bool | None = None
    seed: int

    def checked(self, encoder: Encoder) -> Self:
        """Return them as plain numbers, or raise ``ValueError`` for one that cannot be."""
        on_gpu = encoder.model.device.type == "cuda"
        bfloat16 = on_gpu if self.bfloat16 is None else self.bfloat16
        check(isinstance(bfloat16, bool), f"`bfloat16` is {shown(bfloat16)}", "true or false")
        pooling = encoder.pooling if self.pooling is None else self.pooling
        check_choice("pooling", pooling, POOLINGS)
        return Hyperparameters(
            layers=check_integer("layers", self.layers, at_least=1, at_most=encoder.layers),
            pooling=pooling,
            steps=check_integer("steps", self.steps, at_least=0, at_most=10**7),
            batch_size=check_integer("batch_size", self.batch_size, at_least=1, at_most=10**5),
            learning_rate=check_positive("learning_rate", self.learning_rate),
            alpha=check_positive("alpha", self.alpha),
            bfloat16=bfloat16,
            seed=check_integer("seed", self.seed, at_least=0),
        )


def named(given: Mapping[str, object]) -> Hyperparameters:
    """Return hyperparameters by their names, or raise ``ValueError`` for one that there is not.

    >>> named({"seed": 0, "stpes": 3})
    Traceback (most recent call last):
    ValueError: unknown hyperparameter `stpes`: did you mean `steps`?
    """
    for name in given:
        check_choice("hyperparameter", name, [field.name for field in fields(Hyperparameters)])
    check("seed" in given, "hyperparameter `seed` is missing", "an integer of at least 0")
    return Hyperparameters(**given)


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
