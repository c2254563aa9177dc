"""The eager path: torch, one operation after the other, on any device and in either precision."""

from torch import Tensor

from ncnet.ensemble import network
from ncnet.ensemble.aggregators import AGGREGATORS, Products
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
    activation, optimizer, learning_rate, loss, aggregator, gradient_weights
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
        aggregator: str,
        gradient_weights: tuple[float, float],
    ) -> None:
        self.inputs = inputs
        self.signs = signs
        self.weights = weights
        self.activation = ACTIVATIONS[activation]
        self.loss = LOSSES[loss]
        self.optimizer = OPTIMIZERS[optimizer](weights, learning_rate)
        self.aggregator = AGGREGATORS[aggregator]
        self.gradient_weights = gradient_weights

    def advance(self, steps: int) -> None:
        """Do so many further steps."""
        for _ in range(steps):
            self.optimizer.step(self._gradient())

    def measure(self, *, products: bool) -> tuple[Tensor, Tensor | None]:
        """Return each head's loss [2, N], and if asked for the products of the heads' gradients.

        The products are |g_A|^2, g_A . g_B and |g_B|^2 of each hidden unit, [3, H, N].
        """
        found = None
        if products:
            gradient, logit = self._gradient_by_head()
            found = network.products(gradient.trunk)
        else:
            hidden = network.hidden_units(self.inputs, self.weights.trunk, self.activation)
            logit = network.logits(hidden, self.weights.heads)
        return network.losses(logit, self.signs, self.loss), found

    def _gradient_by_head(self) -> tuple[Weights, Tensor]:
        return network.gradient_by_head(
            self.inputs, self.weights, self.signs, self.activation, self.loss
        )

    def _gradient(self) -> Weights:
        if self.aggregator is None:
            return network.gradient(
                self.inputs,
                self.weights,
                self.signs,
                self.activation,
                self.loss,
                self.gradient_weights,
            )
        gradient, _ = self._gradient_by_head()
        alice, bob = gradient.trunk
        coefficients = self.aggregator(Products(*network.products(gradient.trunk).sum(dim=1)))
        return Weights(coefficients[0] * alice + coefficients[1] * bob, gradient.heads)
