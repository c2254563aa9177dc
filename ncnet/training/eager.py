"""The eager backend: torch, one operation after another, on any device, in either precision."""

from torch import Tensor

from ncnet.training import network
from ncnet.training.aggregators import AGGREGATORS, Products
from ncnet.training.network import ACTIVATIONS, LOSSES, Weights
from ncnet.training.networks import Networks


class Eager(Networks):
    """Networks in training."""

    def advance(self, steps: int) -> None:
        """Do so many further steps."""
        for _ in range(steps):
            self.stepper.step(self._gradient())

    def measure(self, *, products: bool) -> tuple[Tensor, Tensor | None]:
        """Return each head's loss [2, N], and if asked for the products of the heads' gradients.

        The products are |g_A|^2, g_A . g_B and |g_B|^2 of each hidden unit, [3, H, N].
        """
        found = None
        if products:
            gradient, logit = self._gradient_by_head()
            found = network.products(gradient.trunk)
        else:
            activation = ACTIVATIONS[self.activation]
            hidden = network.hidden_units(self.inputs, self.weights.trunk, activation)
            logit = network.logits(hidden, self.weights.heads)
        return network.losses(logit, self.signs, LOSSES[self.loss]), found

    def _gradient_by_head(self) -> tuple[Weights, Tensor]:
        return network.gradient_by_head(*self._problem())

    def _gradient(self) -> Weights:
        aggregator = AGGREGATORS[self.aggregator]
        if aggregator is None:
            return network.gradient(*self._problem(), self.gradient_weights)
        gradient, _ = self._gradient_by_head()
        alice, bob = gradient.trunk
        coefficients = aggregator(Products(*network.products(gradient.trunk).sum(dim=1)))
        return Weights(coefficients[0] * alice + coefficients[1] * bob, gradient.heads)

    def _problem(self) -> tuple:
        activation, loss = ACTIVATIONS[self.activation], LOSSES[self.loss]
        return self.inputs, self.weights, self.signs, activation, loss
