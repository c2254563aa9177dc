"""A trunk with two heads, on the items of one task of Alice's and one of Bob's."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.heads import Head
from ncnet.encoders.plan import Settings
from ncnet.encoders.tasks import EncodedTask
from ncnet.encoders.trunk import Trunk

PARTIES = ("alice", "bob")


class TwoHeads(nn.Module):
    """One network of one context.

    Parameters
    ----------
    encoder
        The encoder.
    tasks
        Alice's task and Bob's.
    rank
        Of the adapters.
    settings
        How it is trained.
    replica
        With the seed of the settings it determines all initial weights: those of the trunk, and
        those of a head whatever the other head's task is.
    """

    def __init__(
        self,
        encoder: Encoder,
        tasks: tuple[EncodedTask, EncodedTask],
        *,
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
                seed=(*key, party),
            )
            for party, task in enumerate(tasks)
        )
        self.to(encoder.model.device)
        self.tasks = tasks

    def trained(self) -> dict[str, nn.Parameter]:
        """Return the weights that are trained, by name."""
        return {name: w for name, w in self.named_parameters() if w.requires_grad}

    def forward(self, items: tuple[np.ndarray, np.ndarray]) -> list[Tensor]:
        """Return each head's logits of its own items, [items, classes].

        The items of both go through the trunk as one batch.
        """
        rows = [
            _sequences_of(chosen, task.sequences.first)
            for task, chosen in zip(self.tasks, items, strict=True)
        ]
        pairs = list(zip(self.tasks, rows, strict=True))
        starts = np.concatenate([task.starts[of_party] for task, of_party in pairs])
        lengths = np.concatenate([task.sequences.lengths[of_party] for task, of_party in pairs])
        first = self.trunk(self.tasks[0].states, starts, lengths)
        parts = first.split([len(of_party) for of_party in rows])
        return [head(states) for head, states in zip(self.heads, parts, strict=True)]


def _sequences_of(items: np.ndarray, first: np.ndarray) -> np.ndarray:
    each = first[1] - first[0]
    return (first[items][:, None] + np.arange(each)).ravel()
