"""Validates one training before any work starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ncnet.checks import (
    check,
    check_choice,
    check_integer,
    check_list,
    check_number,
    check_positive,
    check_type,
)
from ncnet.games import Game
from ncnet.gradients import GRADIENTS, SECOND_GRADIENTS
from ncnet.printing import shown
from ncnet.training.aggregators import AGGREGATORS, PLAIN
from ncnet.training.initialisation import INITIALISATIONS
from ncnet.training.network import ACTIVATIONS, LOSSES
from ncnet.training.optimizers import OPTIMIZERS
from ncnet.training.streams import MOST_SHUFFLED

CONTEXT_COUNT = 4
# Far above what fits in memory or a lifetime: a slip of the pen is refused before numpy fails.
MOST_UNITS, MOST_SHOWN, MOST_REPLICAS = 10**6, 10**6, 10**10
DTYPES = {"float32": torch.float32, "float64": torch.float64}
TRACES = {
    "loss": dict.fromkeys(("alice_loss", "bob_loss"), ()),
    "gradients": dict.fromkeys(GRADIENTS, ("unit",)),
    "weights": {
        "trunk_weight": ("unit", "input"),
        "alice_weight": ("unit",),
        "bob_weight": ("unit",),
        "alice_bias": (),
        "bob_bias": (),
    },
}
"""The variables that are recorded of each network where a trace is asked for, and their
dimensions, with one hidden layer."""
DEEPER = {
    "loss": {},
    "gradients": dict.fromkeys(SECOND_GRADIENTS, ("second_unit",)),
    "weights": {
        "alice_weight": ("second_unit",),
        "bob_weight": ("second_unit",),
        "second_weight": ("second_unit", "unit"),
        "second_bias": ("second_unit",),
    },
}
"""What is recorded besides, or over other dimensions, with a second hidden layer."""
DEFAULT_TRACE = ("loss",)
EQUAL_WEIGHTS, ALICE_ALONE = (1.0, 1.0), (1.0, 0.0)
CHOICES = {
    "activation": ACTIVATIONS,
    "optimizer": OPTIMIZERS,
    "loss": LOSSES,
    "initialisation": INITIALISATIONS,
    "aggregator": AGGREGATORS,
    "dtype": DTYPES,
}


class Method(NamedTuple):
    """The method by which networks train; the names are those of `ncnet.train`'s arguments."""

    activation: str
    optimizer: str
    learning_rate: float
    loss: str
    aggregator: str = PLAIN
    gradient_weights: tuple[float, float] = EQUAL_WEIGHTS
    momentum: float = 0.0
    weight_decay: float = 0.0
    batch_size: int | None = None
    label_noise: float = 0.0

    @property
    def draws(self) -> bool:
        """Whether a step draws items or labels."""
        return self.batch_size is not None or self.label_noise > 0


@dataclass
class Plan:
    """The arguments of `ncnet.train`, which documents them, checked.

    Raises
    ------
    ValueError
        For an argument that cannot be used.
    """

    game: Game
    hidden_size: int
    second_hidden_size: int
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
    momentum: float
    weight_decay: float
    batch_size: int | None
    own_batches: bool
    label_noise: float
    own_starts: bool
    head_start: int
    trace_steps: tuple[int, ...]
    trace: tuple[str, ...]
    dtype: str
    device: torch.device | str | None

    def __post_init__(self) -> None:
        expected = "a game, such as `ncnet.games.overlap()`"
        check(isinstance(self.game, Game), f"`game` is {shown(self.game)}", expected)
        units, replicas = self.hidden_size, self.replicas
        self.hidden_size = check_integer("hidden_size", units, at_least=1, at_most=MOST_UNITS)
        self.second_hidden_size = check_integer(
            "second_hidden_size", self.second_hidden_size, at_least=0, at_most=MOST_UNITS
        )
        self.replicas = check_integer("replicas", replicas, at_least=1, at_most=MOST_REPLICAS)
        self.seed = check_integer("seed", self.seed, at_least=0)
        self.head_start = check_integer("head_start", self.head_start, at_least=0)
        for name, valid in CHOICES.items():
            check_choice(name, getattr(self, name), valid)
        self.steps_are_capacity = np.ndim(self.steps) > 0
        self.steps = check_steps("steps", self.steps if np.ndim(self.steps) else [self.steps])
        check(self.steps, "`steps` is []", "increasing numbers of steps")
        self.trace_steps = check_trace_steps(self.trace_steps, self.steps[-1])
        self.trace = self._check_trace()
        self.learning_rate = check_positive("learning_rate", self.learning_rate)
        self.gradient_weights = self._check_gradient_weights()
        check_optimizer(self)
        check_draws(self)
        self.device = _check_device(self.device)

    def _check_trace(self) -> tuple[str, ...]:
        trace = check_list("trace", self.trace, f"a list of `{'`, `'.join(TRACES)}`")
        for name in trace:
            check_choice("trace", name, TRACES)
        fits = self.trace_steps or tuple(trace) == DEFAULT_TRACE
        check(fits, f"`trace` is {shown(trace)} without `trace_steps`", "steps to trace at")
        return tuple(trace)

    def _check_gradient_weights(self) -> tuple[float, float]:
        found = f"`gradient_weights` is {shown(self.gradient_weights)}"
        weights = list(self.gradient_weights) if np.ndim(self.gradient_weights) == 1 else []
        fit = [isinstance(w, Real) and not isinstance(w, bool) and 0 <= w <= 1 for w in weights]
        expected = "two numbers from 0 to 1, Alice's and Bob's"
        check(len(fit) == 2 and all(fit), found, expected)
        weights = tuple(map(float, weights))
        fits = self.aggregator == PLAIN or weights == EQUAL_WEIGHTS
        expected = f"{EQUAL_WEIGHTS}, weights belong to `{PLAIN}`"
        check(fits, f"{found} with aggregator `{self.aggregator}`", expected)
        return weights

    @property
    def items(self) -> int:
        """The number of items."""
        return len(self.game.inputs)

    @property
    def shown(self) -> int:
        """The number of items that a step takes."""
        return self.batch_size or self.items

    @property
    def method(self) -> Method:
        """The method that was asked for."""
        return Method(*(getattr(self, name) for name in Method._fields))

    @property
    def phases(self) -> list[Method]:
        """The methods by which networks train, one after the other; the last is `method`."""
        alone = self.method._replace(aggregator=PLAIN, gradient_weights=ALICE_ALONE)
        return [alone, self.method] if self.head_start else [self.method]

    def tensor(self, array: np.ndarray) -> Tensor:
        """Return an array in the training's precision on its device."""
        return torch.as_tensor(array, dtype=DTYPES[self.dtype], device=self.device)


def traced(kind: str, *, deep: bool) -> dict[str, tuple[str, ...]]:
    """Return what a trace of one kind records, and its dimensions.

    >>> traced("gradients", deep=True)["second_alice_gradient"]
    ('second_unit',)
    """
    return TRACES[kind] | (DEEPER[kind] if deep else {})


def check_optimizer(plan: object) -> None:
    """Check `momentum` and `weight_decay` of a plan."""
    plan.momentum = check_number("momentum", plan.momentum, 0, 1)
    check(plan.momentum < 1, f"`momentum` is {plan.momentum}", "a number below 1")
    fits = not plan.momentum or plan.optimizer == "gradient_descent"
    found = f"`momentum` is {plan.momentum} with optimizer `{plan.optimizer}`"
    check(fits, found, "0, momentum belongs to `gradient_descent`")
    plan.weight_decay = check_number("weight_decay", plan.weight_decay, 0, 1)


def check_draws(plan: object) -> None:
    """Check what a plan has on batches, flips of labels and separate starts."""
    if plan.batch_size is not None:
        size = check_integer("batch_size", plan.batch_size, at_least=1, at_most=MOST_SHOWN)
        plan.batch_size = size
        found = f"`batch_size` is {size:,} with {plan.items:,} items"
        check(plan.items <= MOST_SHUFFLED, found, f"at most {MOST_SHUFFLED:,} items in batches")
    plan.label_noise = check_number("label_noise", plan.label_noise, 0, 0.5)
    for name in ("own_batches", "own_starts"):
        check_type(name, getattr(plan, name), (bool, np.bool_), "True or False")
    fits = not plan.own_batches or plan.method.draws
    found = "`own_batches` is True without `batch_size` and `label_noise`"
    check(fits, found, "one of them, or nothing is drawn")


def check_steps(name: str, steps: object) -> tuple[int, ...]:
    """Return numbers of steps as a tuple, or raise ``ValueError`` unless they increase.

    >>> check_steps("steps", [5, 3])
    Traceback (most recent call last):
    ValueError: `steps` is [5, 3]: expected increasing numbers of steps
    """
    check(np.ndim(steps) == 1, f"`{name}` is {shown(steps)}", "numbers of steps")
    numbers = [check_integer(name, number, at_least=0) for number in steps]
    increasing = numbers == sorted(set(numbers))
    check(increasing, f"`{name}` is {shown(numbers)}", "increasing numbers of steps")
    return tuple(numbers)


def check_trace_steps(trace_steps: object, last: int) -> tuple[int, ...]:
    """Return the steps to trace at as a tuple, or raise ``ValueError`` for one after the last."""
    numbers = check_steps("trace_steps", trace_steps)
    for number in numbers:
        check(number <= last, f"`trace_steps` has {number}", f"at most `steps`, {last}")
    return numbers


def _check_device(device: object) -> torch.device:
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
        torch.ones(1, device=chosen).item()
    # torch refuses in as many ways: a name it does not know, or `meta`, which holds no numbers; a
    # build without CUDA; a device whose package is not there; and anything that is no name.
    except (RuntimeError, AssertionError, ImportError, TypeError) as error:
        raise ValueError(
            f"`device` is {device!r}, which torch cannot use here: expected `cpu` or a GPU it sees"
        ) from error
    return chosen
