"""The eager path: torch, one operation after the other, on any device and in either precision."""

from torch import Tensor

from ncnet.ensemble import network
from ncnet.ensemble.network import ACTIVATIONS, LOSSES, Weights
from ncnet.ensemble.optimizers import OPTIMIZERS


class Eager:
    """Networks in training.

    Parameters
    ----------
    inputs
        [I, F + 1], the last feature being the bias.
    signs
        [2, I, N]: classes as +-1.
    weights
        Initial weights; trained in place.
    activation, optimizer, learning_rate, loss
        As `ncnet.train` takes them.
    """

    def __init__(
        self,
        inputs: Tensor,
        signs: Tensor,
        weights: Weights,
        *,
        activation: str,
        optimizer: str,
        learning_rate: float,
        loss: str,
    ) -> None:
        self.inputs = inputs
        self.signs = signs
        self.weights = weights
        self.activation = ACTIVATIONS[activation]
        self.loss = LOSSES[loss]
        self.optimizer = OPTIMIZERS[optimizer](weights, learning_rate)

    def advance(self, steps: int) -> None:
        """Do so many further steps."""
        for _ in range(steps):
            gradient = network.gradient(
                self.inputs, self.weights, self.signs, self.activation, self.loss
            )
            self.optimizer.step(gradient)
