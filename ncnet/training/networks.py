"""Holds networks in training, whichever backend trains them."""

from dataclasses import dataclass

from torch import Tensor

from ncnet.training.network import Weights
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
    """

    inputs: Tensor
    targets: Tensor
    weights: Weights
    method: Method

    def __post_init__(self) -> None:
        optimizer = OPTIMIZERS[self.method.optimizer]
        self.optimizer = optimizer(self.weights, self.method.learning_rate)
