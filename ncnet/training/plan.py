"""One training, validated before any work starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
import torch
from torch import Tensor

from ncnet.checks import check_choice, check_integer, check_positive
from ncnet.games import Game
from ncnet.training.aggregators import AGGREGATORS, PLAIN
from ncnet.training.initialisation import INITIALISATIONS
from ncnet.training.network import ACTIVATIONS, LOSSES
from ncnet.training.optimizers import OPTIMIZERS

CONTEXT_COUNT = 4
# Far above what fits in memory or a lifetime: a slip of the pen is told before numpy fails.
MOST_UNITS, MOST_REPLICAS = 10**6, 10**10
DTYPES = {"float32": torch.float32, "float64": torch.float64}
TRACES = ("loss", "gradients", "weights")
DEFAULT_TRACE = ("loss",)
EQUAL, ALICE_ALONE = (1.0, 1.0), (1.0, 0.0)
CHOICES = {
    "activation": ACTIVATIONS,
    "optimizer": OPTIMIZERS,
    "loss": LOSSES,
    "initialisation": INITIALISATIONS,
    "aggregator": AGGREGATORS,
    "dtype": DTYPES,
}
METHOD = ("activation", "optimizer", "learning_rate", "loss", "aggregator", "gradient_weights")


@dataclass
class Plan:
    """What `ncnet.train` was asked for, as it documents it; `device` is torch's, once checked.

    Raises
    ------
    ValueError
        For an argument that cannot be used.
    """

    game: Game
    hidden_size: int
    replicas: int
    seed: int
    steps: int | Sequence[int]
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
    device: torch.device | str | None

    def __post_init__(self) -> None:
        if not isinstance(self.game, Game):
            raise ValueError(
                f"`game` is {self.game!r}: expected a game, such as `ncnet.games.overlap()`"
            )
        self._check_integer("hidden_size", at_least=1, at_most=MOST_UNITS)
        self._check_integer("replicas", at_least=1, at_most=MOST_REPLICAS)
        self._check_integer("seed", at_least=0)
        self._check_integer("head_start", at_least=0)
        self.steps_are_capacity = np.ndim(self.steps) > 0
        self.steps = _check_steps("steps", self.steps if np.ndim(self.steps) else [self.steps])
        self.trace_steps = _check_steps("trace_steps", self.trace_steps)
        self.learning_rate = check_positive("learning_rate", self.learning_rate)
        self.gradient_weights = _check_gradient_weights(self.gradient_weights)
        self.trace = _check_trace(self.trace)
        self.device = _check_device(self.device)
        for name, known in CHOICES.items():
            check_choice(name, getattr(self, name), known)
        self._check_combinations()

    def _check_integer(self, name: str, **bounds: int) -> None:
        setattr(self, name, check_integer(name, getattr(self, name), **bounds))

    def _check_combinations(self) -> None:
        if not self.steps:
            raise ValueError("`steps` is []: expected increasing numbers of steps")
        if self.aggregator != PLAIN and self.gradient_weights != EQUAL:
            raise ValueError(
                f"`gradient_weights` is {self.gradient_weights} with aggregator "
                f"`{self.aggregator}`: expected {EQUAL}, weights belong to `{PLAIN}`"
            )
        if not self.trace_steps and self.trace != DEFAULT_TRACE:
            raise ValueError(
                f"`trace` is {list(self.trace)} without `trace_steps`: expected steps to trace at"
            )
        if self.trace_steps and self.trace_steps[-1] > self.steps[-1]:
            late = next(step for step in self.trace_steps if step > self.steps[-1])
            raise ValueError(
                f"`trace_steps` has {late}: expected at most `steps`, {self.steps[-1]}"
            )

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
        asked = {name: getattr(self, name) for name in METHOD}
        alone = asked | {"aggregator": PLAIN, "gradient_weights": ALICE_ALONE}
        return [alone, asked] if self.head_start else [asked]

    def tensor(self, array: np.ndarray) -> Tensor:
        """Return an array in the training's precision on its device."""
        return torch.as_tensor(array, dtype=DTYPES[self.dtype], device=self.device)


def _check_steps(name: str, steps: object) -> tuple[int, ...]:
    if np.ndim(steps) != 1:
        raise ValueError(f"`{name}` is {steps!r}: expected numbers of steps")
    numbers = [check_integer(name, number, at_least=0) for number in steps]
    if numbers != sorted(set(numbers)):
        raise ValueError(f"`{name}` is {numbers}: expected increasing numbers of steps")
    return tuple(numbers)


def _check_gradient_weights(weights: object) -> tuple[float, float]:
    found = list(weights) if np.ndim(weights) == 1 else []
    numbers = [w for w in found if isinstance(w, Real) and not isinstance(w, bool) and 0 <= w <= 1]
    if len(found) != 2 or len(numbers) != 2:
        raise ValueError(
            f"`gradient_weights` is {weights!r}: expected two numbers from 0 to 1, "
            "Alice's and Bob's"
        )
    return tuple(map(float, numbers))


def _check_trace(trace: object) -> tuple[str, ...]:
    if isinstance(trace, str) or not isinstance(trace, Sequence) or not trace:
        raise ValueError(f"`trace` is {trace!r}: expected a list of `{'`, `'.join(TRACES)}`")
    for name in trace:
        check_choice("trace", name, TRACES)
    return tuple(trace)


def _check_device(device: object) -> torch.device:
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
