"""A trunk with two heads, on the items of one task each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ncnet.datasets import TaskData
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.hyperparameters import Hyperparameters
from ncnet.encoders.tasks import EncodedTask
from ncnet.encoders.trunk import Network, Trunk

Key = tuple[int, ...]
"""What, besides seed and replica, a head's initial weights and its order of items follow from."""
BY_PARTY: tuple[Key, Key] = ((0,), (1,))
"""Keys of heads that are Alice's and Bob's, whatever their tasks are."""


class TwoHeads(Network):
    """One network of one context; or with one head, of a task alone.

    A head is one linear map of the first token's state: to logits of a task's classes; for
    questions, to that of each choice, by the same weights.

    Parameters
    ----------
    encoder
        The encoder.
    tasks
        The task of each head. Their items go through the trunk in this order.
    rank
        The rank of the adapters.
    hyperparameters
        The hyperparameters of its training.
    replica
        With the seed it determines all initial weights: those of the trunk, and with its key those
        of a head, whatever the other head is.
    keys
        The key of each head: `BY_PARTY`, or those of its tasks (`ncnet.keys.task_key`).
    """

    def __init__(
        self,
        encoder: Encoder,
        tasks: Sequence[EncodedTask],
        rank: float,
        hyperparameters: Hyperparameters,
        replica: int,
        *,
        keys: Sequence[Key] = BY_PARTY,
    ):
        super().__init__()
        self.tasks, self.hyperparameters = tasks, hyperparameters
        seed, alpha, layers = hyperparameters.seed, hyperparameters.alpha, hyperparameters.layers
        self.keys = [(seed, replica, *of_head) for of_head in keys]
        # Modules draw weights of their own as they are made, before ours are put in.
        with torch.random.fork_rng(devices=[]):
            of_trunk = (seed, replica, 2)
            self.trunk = Trunk(encoder, rank=rank, alpha=alpha, layers=layers, seed=of_trunk)
            self.heads = nn.ModuleList(
                _head(encoder, task.data, seed) for task, seed in zip(tasks, self.keys, strict=True)
            )
        self.to(encoder.model.device)

    def forward(self, items: Sequence[np.ndarray]) -> list[Tensor]:
        """Return each head's logits of its own items, [items, classes].

        The items of all heads go through the trunk as one batch.
        """
        found = [task.states_of(own) for task, own in zip(self.tasks, items, strict=True)]
        states, lengths = zip(*found, strict=True)
        device, half = states[0].device.type, self.hyperparameters.bfloat16
        with torch.autocast(device, torch.bfloat16, enabled=half):
            first = self.trunk(torch.cat(states), np.concatenate(lengths))
            parts = first.split([len(of_task) for of_task in lengths])
            return [
                head(part).float().reshape(-1, task.data.classes)
                for head, part, task in zip(self.heads, parts, self.tasks, strict=True)
            ]


def _head(encoder: Encoder, data: TaskData, seed: Key) -> nn.Linear:
    """Return a head whose weights spread as the encoder's did, and whose biases start from 0."""
    head = nn.Linear(encoder.width, 1 if data.multiple_choice else data.classes)
    spread = encoder.model.config.initializer_range
    drawn = np.random.default_rng(seed).normal(0, spread, tuple(head.weight.shape))
    head.weight.data.copy_(torch.from_numpy(drawn))
    nn.init.zeros_(head.bias)
    return head
