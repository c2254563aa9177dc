"""Has optimizers with the defaults and the arithmetic of `torch.optim`; the tests compare them.

`torch.optim` itself would do: it is passed over because its first optimizer imports the
compiler (three seconds, twice the time of importing torch) and each step costs three times ours.
"""

import numpy as np
import torch

from ncnet.training.network import AnyWeights


class GradientDescent:
    """Gradient descent: ``w -= rate * g``; with momentum ``v = momentum * v + g; w -= rate * v``.

    It is `torch.optim.SGD` without dampening. Weight decay adds ``weight_decay * w`` to the
    gradient of each weight, a bias included.

    Attributes
    ----------
    state
        The weights, and what else a step changes, in the shapes of the weights.
    """

    def __init__(
        self,
        weights: AnyWeights,
        learning_rate: float,
        *,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        self.state = (weights, _zeros(weights)) if momentum else (weights,)
        self.learning_rate = learning_rate
        self.momentum, self.weight_decay = momentum, weight_decay

    def next_rates(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the rate and the scale of each of the next steps, float64 [steps]; ask once.

        The scale is 1: `Adam` has another one.
        """
        return np.full(steps, self.learning_rate), np.ones(steps)

    def step(self, gradient: AnyWeights) -> None:
        """Move the weights, in place, by one step along a gradient."""
        weights, *velocities = self.state
        moves = _decayed(gradient, weights, self.weight_decay)
        for velocity in velocities:
            for one, slope in zip(velocity, moves, strict=True):
                one.mul_(self.momentum).add_(slope)
            moves = velocity
        for weight, move in zip(weights, moves, strict=True):
            weight.sub_(move, alpha=self.learning_rate)


class Adam:
    """Adam (Kingma and Ba, arXiv 1412.6980, algorithm 1), betas 0.9 and 0.999, epsilon 1e-8.

    With the running means m of the gradients and v of their squares, ``w -= rate * m /
    (scale * sqrt(v) + epsilon)``: rate and scale hold the corrections for m and v starting at 0.
    Weight decay is that of `GradientDescent`, as in `torch.optim.Adam`.
    """

    BETAS = (0.9, 0.999)
    EPSILON = 1e-8

    def __init__(
        self, weights: AnyWeights, learning_rate: float, *, weight_decay: float = 0.0
    ) -> None:
        self.state = (weights, _zeros(weights), _zeros(weights))
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.steps = 0

    def next_rates(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the learning rate and 1, each with its correction [steps]; ask once."""
        mean_decay, square_decay = self.BETAS
        counts = np.arange(self.steps + 1, self.steps + steps + 1)
        self.steps += steps
        rates = self.learning_rate / (1 - mean_decay**counts)
        return rates, (1 - square_decay**counts) ** -0.5

    def step(self, gradient: AnyWeights) -> None:
        """Move the weights, in place, by one step along a gradient."""
        (rate,), (scale,) = self.next_rates(1)
        mean_decay, square_decay = self.BETAS
        gradient = _decayed(gradient, self.state[0], self.weight_decay)
        for weight, mean, square, slope in zip(*self.state, gradient, strict=True):
            mean.lerp_(slope, 1 - mean_decay)
            square.mul_(square_decay).addcmul_(slope, slope, value=1 - square_decay)
            weight.addcdiv_(mean, square.sqrt().mul_(scale).add_(self.EPSILON), value=-rate)


def _zeros(weights: AnyWeights) -> AnyWeights:
    return type(weights)(*map(torch.zeros_like, weights))


def _decayed(gradient: AnyWeights, weights: AnyWeights, weight_decay: float) -> AnyWeights:
    if not weight_decay:
        return gradient
    pairs = zip(gradient, weights, strict=True)
    return type(weights)(*(slope.add(weight, alpha=weight_decay) for slope, weight in pairs))


OPTIMIZERS = {"gradient_descent": GradientDescent, "adam": Adam}
"""The optimizers by name; all have the methods and attributes of `GradientDescent`."""
