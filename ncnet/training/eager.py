"""Trains on the eager backend: by operations of torch, on any device, in either precision."""

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
        size, noise = self.method.batch_size, self.method.label_noise
        if size is not None:
            self.batches = streams.batches(self.keys[0], len(self.inputs), size, self.step)
        if noise:
            self.flips = streams.flips(self.keys[1], size or len(self.inputs), noise, self.step)

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
            items = torch.from_numpy(next(self.batches)).to(inputs.device)
            features = inputs.T[:-1]
            inputs = features.index_select(1, items.flatten()).unflatten(1, items.shape)
            inputs = self._for_all(inputs)
            targets = targets.gather(1, self._for_all(items).expand(2, -1, -1))
        if self.method.label_noise:
            flips = torch.from_numpy(next(self.flips)).to(targets)
            signs = 1 - 2 * flips[..., None, :]
            targets = (targets.unflatten(-1, (-1, flips.shape[-1])) * signs).flatten(-2)
        return inputs, targets

    def _for_all(self, drawn: Tensor) -> Tensor:
        """Repeat what was drawn for those that have keys, for the others as well [..., N]."""
        alike = self.targets.shape[-1] // drawn.shape[-1]
        return drawn.repeat(*[1] * (drawn.ndim - 1), alike) if alike > 1 else drawn


def _products(gradient: AnyWeights) -> Tensor:
    return torch.cat([network.products(layer) for layer in gradient.layers], dim=1)
