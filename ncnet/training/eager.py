"""Trains on the eager backend: by operations of torch, on any device, in either precision."""

import numpy as np
import torch
from torch import Tensor

from ncnet.training import network, streams
from ncnet.training.aggregators import AGGREGATORS, Products
from ncnet.training.network import ACTIVATIONS, LOSSES, AnyWeights
from ncnet.training.networks import Networks


class Eager(Networks):
    """Networks in training on the eager backend."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.activation, self.loss = ACTIVATIONS[self.method.activation], LOSSES[self.method.loss]
        # Weights change in place.
        self.problem = self.inputs, self.weights, self.targets, self.activation, self.loss
        size = self.method.batch_size
        if size is not None:
            orders, _ = self.keys
            self.batches = streams.batches(orders, len(self.inputs), size, first=self.step)

    def advance(self, steps: int) -> None:
        """Do so many further steps."""
        for _ in range(steps):
            self.optimizer.step(self._gradient())
            self.step += 1

    def measure(self, *, products: bool) -> tuple[Tensor, Tensor | None]:
        """Return each head's loss [2, N], and if asked for the products of the heads' gradients.

        The products are |g_A|^2, g_A . g_B and |g_B|^2 of each hidden unit, [3, H, N]; those of a
        second layer come after those of the first.
        """
        if products:
            gradient, logit = network.gradient_by_head(*self.problem)
            inner_products = _products(gradient)
        else:
            _, _, logit = network.forward(self.inputs, self.weights, self.activation)
            inner_products = None
        return self.loss.value(logit, self.targets).mean(dim=1), inner_products

    def _gradient(self) -> AnyWeights:
        aggregator = AGGREGATORS[self.method.aggregator]
        inputs, targets = self._shown()
        problem = inputs, self.weights, targets, self.activation, self.loss
        if aggregator is None:
            return network.gradient(*problem, self.method.gradient_weights)
        gradient, _ = network.gradient_by_head(*problem)
        by_alice, by_bob = aggregator(Products(*_products(gradient).sum(dim=1)))
        trunk, *deeper = (by_alice * alice + by_bob * bob for alice, bob in gradient.layers)
        return type(gradient)(trunk, gradient.heads, *deeper)

    def _shown(self) -> tuple[Tensor, Tensor]:
        """Return the inputs and targets of the next step."""
        inputs, targets = self.inputs, self.targets
        if self.method.batch_size is not None:
            items = self._for_all(next(self.batches))
            inputs = inputs.T[:, items]
            targets = targets.gather(1, items.expand(2, -1, -1))
        if self.method.label_noise:
            _, keys = self.keys
            flips = streams.flips(keys, self.step, targets.shape[1], self.method.label_noise)
            targets = torch.where(self._for_all(flips), -targets, targets)
        return inputs, targets

    def _for_all(self, drawn: np.ndarray) -> Tensor:
        """Return what was drawn for those that have keys, repeated for the others [..., N]."""
        alike = self.targets.shape[-1] // drawn.shape[-1]
        repeats = (*[1] * (drawn.ndim - 1), alike)
        return torch.from_numpy(drawn).to(self.targets.device).repeat(repeats)


def _products(gradient: AnyWeights) -> Tensor:
    return torch.cat([network.products(layer) for layer in gradient.layers], dim=1)
