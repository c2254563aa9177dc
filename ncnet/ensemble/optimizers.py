"""Optimizers, with the defaults and the arithmetic of `torch.optim`, which the tests compare.

`torch.optim` itself would do: it is passed over because its first optimizer imports the
compiler (three seconds, twice the time of importing torch) and each step costs three times ours.
"""

from collections.abc import Callable
from typing import Protocol

import torch

from ncnet.ensemble.network import Weights


class Optimizer(Protocol):
    """Moves weights, in place, along a gradient."""

    def step(self, gradient: Weights) -> None:
        """Do one step."""


class GradientDescent:
    """Plain gradient descent: ``w -= learning_rate * g``."""

    def __init__(self, weights: Weights, learning_rate: float) -> None:
        self.weights = weights
        self.learning_rate = learning_rate

    def step(self, gradient: Weights) -> None:
        """Do one step."""
        for weight, slope in zip(self.weights, gradient, strict=True):
            weight.sub_(slope, alpha=self.learning_rate)


class Adam:
    """Adam (Kingma and Ba, arXiv 1412.6980, algorithm 1), betas 0.9 and 0.999, epsilon 1e-8."""

    BETAS = (0.9, 0.999)
    EPSILON = 1e-8

    def __init__(self, weights: Weights, learning_rate: float) -> None:
        self.weights = weights
        self.learning_rate = learning_rate
        self.steps = 0
        self.means = [torch.zeros_like(weight) for weight in weights]
        self.squares = [torch.zeros_like(weight) for weight in weights]

    def step(self, gradient: Weights) -> None:
        """Do one step."""
        self.steps += 1
        mean_decay, square_decay = self.BETAS
        rate = self.learning_rate / (1 - mean_decay**self.steps)
        scale = (1 - square_decay**self.steps) ** 0.5
        for weight, slope, mean, square in zip(
            self.weights, gradient, self.means, self.squares, strict=True
        ):
            mean.lerp_(slope, 1 - mean_decay)
            square.mul_(square_decay).addcmul_(slope, slope, value=1 - square_decay)
            weight.addcdiv_(mean, square.sqrt().div_(scale).add_(self.EPSILON), value=-rate)


OPTIMIZERS: dict[str, Callable[[Weights, float], Optimizer]] = {
    "gradient_descent": GradientDescent,
    "adam": Adam,
}
