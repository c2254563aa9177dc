"""Has optimizers with the defaults and the arithmetic of `torch.optim`; the tests compare them.

`torch.optim` itself would do: it is passed over because its first optimizer imports the
compiler (three seconds, twice the time of importing torch) and each step costs three times ours.
"""

import numpy as np
import torch

from ncnet.training.network import Weights


class GradientDescent:
    """Plain gradient descent: ``w -= rate * g``.

    Attributes
    ----------
    state
        The weights, and what else a step changes, in the shapes of the weights.
    """

    def __init__(self, weights: Weights, learning_rate: float) -> None:
        self.state = (weights,)
        self.learning_rate = learning_rate

    def next_rates(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the rate and the scale of each of the next steps, float64 [steps]; ask once.

        The scale is 1: `Adam` has another one.
        """
        return np.full(steps, self.learning_rate), np.ones(steps)

    def step(self, gradient: Weights) -> None:
        """Move the weights, in place, by one step along a gradient."""
        for weight, slope in zip(*self.state, gradient, strict=True):
            weight.sub_(slope, alpha=self.learning_rate)


class Adam:
    """Adam (Kingma and Ba, arXiv 1412.6980, algorithm 1), betas 0.9 and 0.999, epsilon 1e-8.

    With the running means m of the gradients and v of their squares, ``w -= rate * m /
    (scale * sqrt(v) + epsilon)``: rate and scale hold the corrections for m and v starting at 0.
    """

    BETAS = (0.9, 0.999)
    EPSILON = 1e-8

    def __init__(self, weights: Weights, learning_rate: float) -> None:
        means, squares = (Weights(*map(torch.zeros_like, weights)) for _ in range(2))
        self.state = (weights, means, squares)
        self.learning_rate = learning_rate
        self.steps = 0

    def next_rates(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the learning rate and 1, each with its correction [steps]; ask once."""
        mean_decay, square_decay = self.BETAS
        counts = np.arange(self.steps + 1, self.steps + steps + 1)
        self.steps += steps
        rates = self.learning_rate / (1 - mean_decay**counts)
        return rates, (1 - square_decay**counts) ** -0.5

    def step(self, gradient: Weights) -> None:
        """Move the weights, in place, by one step along a gradient."""
        (rate,), (scale,) = self.next_rates(1)
        mean_decay, square_decay = self.BETAS
        for weight, mean, square, slope in zip(*self.state, gradient, strict=True):
            mean.lerp_(slope, 1 - mean_decay)
            square.mul_(square_decay).addcmul_(slope, slope, value=1 - square_decay)
            weight.addcdiv_(mean, square.sqrt().mul_(scale).add_(self.EPSILON), value=-rate)


OPTIMIZERS = {"gradient_descent": GradientDescent, "adam": Adam}
"""The optimizers by name; all have the methods and attributes of `GradientDescent`."""
