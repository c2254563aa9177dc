"""One training, validated before any work starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Self

import numpy as np
import torch
from torch import Tensor

from ncnet.checks import check_choice, check_integer, check_positive
from ncnet.games import Game
from ncnet.training.aggregators import AGGREGATORS, PLAIN
from ncnet.training.initialisation import INITIALISATIONS
from ncnet.training.network import ACTIVATIONS, LOSSES
from ncnet.training.optimizers import OPTIMIZERS

CONTEXTS = 4
# Far above what fits in memory or a lifetime: a slip of the pen is told before numpy fails.
MOST_UNITS, MOST_REPLICAS = 10**6, 10**10
DTYPES = {"float32": torch.float32, "float64": torch.float64}
TRACES = ("loss", "gradients", "weights")
DEFAULT_TRACE = ("loss",)
EQUAL, ALICE_ALONE = (1.0, 1.0), (1.0, 0.0)


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
    aggregator: str
    gradient_weights: tuple[float, float]
    head_start: int
    trace_steps: tuple[int, ...]
    trace: tuple[str, ...]
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
        gradient_weights: Sequence[float],
        head_start: int,
        trace_steps: Sequence[int],
        trace: Sequence[str],
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
            gradient_weights=_check_gradient_weights(gradient_weights),
            head_start=check_integer("head_start", head_start, at_least=0),
            trace_steps=_check_steps("trace_steps", trace_steps),
            trace=_check_trace(trace),
            device=_check_device(device),
            **names,
        )
        check_choice("activation", plan.activation, ACTIVATIONS)
        check_choice("optimizer", plan.optimizer, OPTIMIZERS)
        check_choice("loss", plan.loss, LOSSES)
        check_choice("initialisation", plan.initialisation, INITIALISATIONS)
        check_choice("aggregator", plan.aggregator, AGGREGATORS)
        if plan.aggregator != PLAIN and plan.gradient_weights != EQUAL:
            raise ValueError(
                f"`gradient_weights` is {plan.gradient_weights} with aggregator "
                f"`{plan.aggregator}`: expected {EQUAL}, weights belong to `{PLAIN}`"
            )
        check_choice("dtype", plan.dtype, DTYPES)
        if not plan.trace_steps and plan.trace != DEFAULT_TRACE:
            raise ValueError(
                f"`trace` is {list(plan.trace)} without `trace_steps`: expected steps to trace at"
            )
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

    @property
    def phases(self) -> list[dict]:
        """How the networks train, one phase after the other: the last is the one asked for."""
        asked = {
            "activation": self.activation,
            "optimizer": self.optimizer,
            "learning_rate": self.learning_rate,
            "loss": self.loss,
            "aggregator": self.aggregator,
            "gradient_weights": self.gradient_weights,
        }
        alone = asked | {"aggregator": PLAIN, "gradient_weights": ALICE_ALONE}
        return [alone, asked] if self.head_start else [asked]

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


def _check_gradient_weights(weights: Sequence[float]) -> tuple[float, float]:
    ordered = is_sequence(weights) and not isinstance(weights, str)
    numbers = ordered and all(isinstance(w, Real) and not isinstance(w, bool) for w in weights)
    found = tuple(float(weight) for weight in weights) if numbers else ()
    if len(found) != 2 or not all(0 <= weight <= 1 for weight in found):
        raise ValueError(
            f"`gradient_weights` is {weights!r}: expected two numbers from 0 to 1, "
            "Alice's and Bob's"
        )
    return found


def _check_trace(trace: Sequence[str]) -> tuple[str, ...]:
    if isinstance(trace, str) or not isinstance(trace, Sequence) or not trace:
        raise ValueError(f"`trace` is {trace!r}: expected a list of `{'`, `'.join(TRACES)}`")
    for name in trace:
        check_choice("trace", name, TRACES)
    return tuple(trace)


def _check_device(device: str | None) -> torch.device:
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
        torch.ones(1, device=chosen).item()
    # torch refuses in as many ways: a name it does not know, a build without that device, `meta`,
    # which holds no numbers, and what is no name at all.
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise ValueError(
            f"`device` is {device!r}, which torch cannot use here: expected `cpu` or a GPU it sees"
        ) from error
    return chosen
