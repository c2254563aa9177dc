"""Stops networks early, by their loss on held-out items."""

import torch

from ncnet.training.network import Weights
from ncnet.training.samples.networks import Eager


class Lowest:
    """The lowest held-out loss of each network so far [R, C].

    Attributes
    ----------
    loss
        That loss, infinity before any check.
    found
        Whether the last check found it.
    waited
        Checks since it was found.
    """

    def __init__(self, networks: Eager) -> None:
        shape = networks.weights.heads.shape[:2]
        self.loss = torch.full(shape, torch.inf, dtype=networks.inputs.dtype)
        self.found = torch.zeros(shape, dtype=torch.bool)
        self.waited = torch.zeros(shape, dtype=torch.int64)

    def check(self, networks: Eager) -> None:
        """Check networks as they are now; a loss that is not a number is no lower one."""
        loss = networks.held_out_loss()
        self.found = loss < self.loss
        self.loss = torch.where(self.found, loss, self.loss)
        self.waited = torch.where(self.found, 0, self.waited + 1)


class EarlyStopping:
    """The weights at the lowest held-out loss, found before so many checks without a lower one.

    Attributes
    ----------
    weights
        These weights; the initial ones where no check has found a loss.
    stopped
        The steps after which they were found, int64 [R, C].
    """

    def __init__(self, networks: Eager, patience: int) -> None:
        self.patience = patience
        self.weights = Weights(*(weight.clone() for weight in networks.weights))
        self.stopped = torch.zeros(networks.weights.heads.shape[:2], dtype=torch.int64)
        self.goes_on = torch.ones_like(self.stopped, dtype=torch.bool)

    def follow(self, networks: Eager, lowest: Lowest) -> None:
        """Keep the weights of the networks that have just found a lower loss and go on."""
        taken = lowest.found & self.goes_on
        self.stopped[taken] = networks.step
        self.weights.heads[taken] = networks.weights.heads[taken]
        by_pair = (*taken.shape, -1, self.weights.trunk.shape[-1])
        self.weights.trunk.view(by_pair)[taken] = networks.weights.trunk.view(by_pair)[taken]
        self.goes_on &= lowest.waited < self.patience
