"""A trunk with two heads, on the items of one task each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.heads import Head
from ncnet.encoders.plan import Settings
from ncnet.encoders.tasks import EncodedTask
from ncnet.encoders.trunk import Trunk

PARTIES = ("alice", "bob")
Key = tuple[int, ...]
"""What, besides seed and replica, a head's initial weights and its order of items follow from."""
BY_PARTY: tuple[Key, Key] = ((0,), (1,))
"""Keys of heads that are Alice's and Bob's, whatever their tasks are."""


class TwoHeads(nn.Module):
    """One network of one context; or with one head, of a task alone.

    Parameters
    ----------
    encoder
        The encoder.
    tasks
        The task of each head. Their items go through the trunk in this order.
    keys
        Of each head: `BY_PARTY`, or those of its tasks (`ncnet.encoders.pairs.task_key`).
    rank
        Of the adapters.
    settings
        How it is trained.
    replica
        With the seed of the settings it determines all initial weights: those of the trunk, and
        with its key those of a head, whatever the other head is.
    """

    def __init__(
        self,
        encoder: Encoder,
        tasks: Sequence[EncodedTask],
        *,
        keys: Sequence[Key],
        rank: float,
        settings: Settings,
        replica: int,
    ):
        super().__init__()
        key = (settings.seed, replica)
        self.trunk = Trunk(
            encoder, rank=rank, alpha=settings.alpha, layers=settings.layers, seed=(*key, 2)
        )
        self.heads = nn.ModuleList(
            Head(
                encoder,
                classes=task.data.classes,
                multiple_choice=task.data.multiple_choice,
                seed=(*key, *of_head),
            )
            for of_head, task in zip(keys, tasks, strict=True)
        )
        self.to(encoder.model.device)
        self.tasks, self.keys = tasks, keys

    def trained(self) -> dict[str, nn.Parameter]:
        """Return the weights that are trained, by name."""
        return {name: w for name, w in self.named_parameters() if w.requires_grad}

    def forward(self, items: Sequence[np.ndarray]) -> list[Tensor]:
        """Return each head's logits of its own items, [items, classes].

        The items of all heads go through the trunk as one batch.
        """
        rows = [
            _sequences_of(chosen, task.sequences.first)
            for task, chosen in zip(self.tasks, items, strict=True)
        ]
        pairs = list(zip(self.tasks, rows, strict=True))
        starts = np.concatenate([task.starts[of_head] for task, of_head in pairs])
        lengths = np.concatenate([task.sequences.lengths[of_head] for task, of_head in pairs])
        first = self.trunk(self.tasks[0].states, starts, lengths)
        parts = first.split([len(of_head) for of_head in rows])
        return [head(states) for head, states in zip(self.heads, parts, strict=True)]


def _sequences_of(items: np.ndarray, first: np.ndarray) -> np.ndarray:
    each = first[1] - first[0]
    return (first[items][:, None] + np.arange(each)).ravel()
