"""Networks in training, whichever backend they take."""

from dataclasses import KW_ONLY, dataclass

from torch import Tensor

from ncnet.training.network import Weights
from ncnet.training.optimizers import OPTIMIZERS


@dataclass(eq=False)
class Networks:
    """Networks in training; each backend adds how they advance and how they are measured.

    Attributes
    ----------
    inputs
        [I, F + 1], the last feature being the bias.
    signs
        [2, I, N]: classes as +-1.
    weights
        Initial weights; trained in place.
    activation, optimizer, learning_rate, loss, aggregator, gradient_weights
        As `ncnet.train` takes them.
    stepper
        The optimizer with its state.
    """

    inputs: Tensor
    signs: Tensor
    weights: Weights
    _: KW_ONLY
    activation: str
    optimizer: str
    learning_rate: float
    loss: str
    aggregator: str
    gradient_weights: tuple[float, float]

    def __post_init__(self) -> None:
        self.stepper = OPTIMIZERS[self.optimizer](self.weights, self.learning_rate)
