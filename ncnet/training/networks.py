"""Holds networks in training, whichever backend trains them."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ncnet.training.network import AnyWeights
from ncnet.training.optimizers import OPTIMIZERS
from ncnet.training.plan import Method


@dataclass(eq=False)
class Networks:
    """Networks in training; each backend adds how they advance and how they are measured.

    Attributes
    ----------
    inputs
        [I, F + 1], the last feature being the bias.
    targets
        [2, I, N]: classes as +-1.
    weights
        Initial weights; trained in place.
    method
        The method by which they are trained.
    optimizer
        The optimizer with its state.
    keys
        Of what the steps draw, uint32 [2, 2, N] as `draw_keys` gives them, or of the first of the
        networks, if further ones draw the same; None if they draw nothing.
    step
        The number of steps done: the next one draws by it.
    """

    inputs: Tensor
    targets: Tensor
    weights: AnyWeights
    method: Method
    keys: np.ndarray | None = None
    step: int = 0

    def __post_init__(self) -> None:
        options = {"weight_decay": self.method.weight_decay}
        if self.method.momentum:
            options["momentum"] = self.method.momentum
        optimizer = OPTIMIZERS[self.method.optimizer]
        self.optimizer = optimizer(self.weights, self.method.learning_rate, **options)
