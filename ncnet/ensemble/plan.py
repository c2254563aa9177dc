"""One training, validated before any work starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from ncnet.checks import check_choice, check_integer, check_positive
from ncnet.ensemble.initialisation import INITIALISATIONS
from ncnet.ensemble.network import ACTIVATIONS, LOSSES
from ncnet.ensemble.optimizers import OPTIMIZERS
from ncnet.games import Game

CONTEXTS = 4
# Far above what fits in memory or a lifetime: a slip of the pen is told before numpy fails.
MOST_UNITS, MOST_REPLICAS = 10**6, 10**10
DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class Plan:
    """What `ncnet.train` was asked for.

    `steps` are one or several numbers of steps after which outcomes are read.
    """

    game: Game
    hidden_size: int
    replicas: int
    seed: int
    steps: tuple[int, ...]
    activation: str
    optimizer: str
    learning_rate: float
    loss: str
    initialisation: str
    trace_steps: tuple[int, ...]
    dtype: str
    device: torch.device

    @classmethod
    def checked(
        cls,
        *,
        game: Game,
        hidden_size: int,
        replicas: int,
        seed: int,
        steps: int | Sequence[int],
        learning_rate: float,
        trace_steps: Sequence[int],
        device: str | None,
        **names: str,
    ) -> Self:
        """Return the plan, or raise ``ValueError`` for an argument that cannot be used."""
        if not isinstance(game, Game):
            raise ValueError(
                f"`game` is {game!r}: expected a game, such as `ncnet.games.overlap()`"
            )
        plan = cls(
            game=game,
            hidden_size=check_integer("hidden_size", hidden_size, at_least=1, at_most=MOST_UNITS),
            replicas=check_integer("replicas", replicas, at_least=1, at_most=MOST_REPLICAS),
            seed=check_integer("seed", seed, at_least=0),
            steps=_check_steps("steps", steps if is_sequence(steps) else (steps,)),
            learning_rate=check_positive("learning_rate", learning_rate),
            trace_steps=_check_steps("trace_steps", trace_steps),
            device=_check_device(device),
            **names,
        )
        check_choice("activation", plan.activation, ACTIVATIONS)
        check_choice("optimizer", plan.optimizer, OPTIMIZERS)
        check_choice("loss", plan.loss, LOSSES)
        check_choice("initialisation", plan.initialisation, INITIALISATIONS)
        check_choice("dtype", plan.dtype, DTYPES)
        late = [step for step in plan.trace_steps if step > plan.steps[-1]]
        if late:
            raise ValueError(
                f"`trace_steps` has {late[0]}: expected at most `steps`, {plan.steps[-1]}"
            )
        return plan

    @property
    def items(self) -> int:
        """Number of items."""
        return len(self.game.inputs)

    @property
    def features(self) -> int:
        """Number of inputs, without the constant one that carries the bias."""
        return self.game.inputs.shape[1]

    def tensor(self, array: np.ndarray) -> Tensor:
        """Return an array in the training's precision on its device."""
        return torch.as_tensor(array, dtype=DTYPES[self.dtype], device=self.device)


def is_sequence(steps: object) -> bool:
    """Return whether `steps` are several numbers of steps."""
    return isinstance(steps, Sequence) or (isinstance(steps, np.ndarray) and steps.ndim == 1)


def _check_steps(name: str, steps: Sequence[int]) -> tuple[int, ...]:
    if not is_sequence(steps) or isinstance(steps, str):
        raise ValueError(f"`{name}` is {steps!r}: expected numbers of steps")
    numbers = tuple(check_integer(name, number, at_least=0) for number in steps)
    if list(numbers) != sorted(set(numbers)) or (name == "steps" and not numbers):
        raise ValueError(f"`{name}` is {list(numbers)}: expected increasing numbers of steps")
    return numbers


def _check_device(device: str | None) -> torch.device:
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
        torch.ones(1, device=chosen).item()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise ValueError(
            f"`device` is {device!r}, which torch cannot use here: expected `cpu` or a GPU it sees"
        ) from error
    return chosen
