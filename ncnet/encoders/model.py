"""The networks of a replica: trunks with a head for each of one or two tasks, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ncnet.chsh.pairs import Pair
from ncnet.datasets import TaskData
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.hyperparameters import Hyperparameters
from ncnet.encoders.tasks import EncodedTask
from ncnet.encoders.trunk import Layout, Trunks, frozen_layers
from ncnet.keys import task_key


class Networks(nn.Module):
    """Networks of one replica at one rank: each is trained on a pair of tasks, or on one alone.

    A head is one linear map of the state that is read: to logits of a task's classes; for
    questions, to that of each choice, by the same weights. Of all networks that a task is in, its
    head starts from the same weights; all trunks start from the same weights.

    Parameters
    ----------
    encoder
        The encoder.
    tasks
        The tasks, by name.
    pairs
        The names of the tasks of each network, one or two.
    rank
        The rank of the adapters.
    hyperparameters
        The hyperparameters of the training.
    replica
        With the seed it determines the initial weights of trunks, and with a task's name those of
        its head.

    Attributes
    ----------
    networks
        By task, the places of the networks that it is in [networks].
    """

    def __init__(
        self,
        encoder: Encoder,
        tasks: Mapping[str, EncodedTask],
        pairs: Sequence[Pair],
        rank: float,
        hyperparameters: Hyperparameters,
        replica: int,
    ):
        super().__init__()
        self.pairs, self.rank, self.hyperparameters = pairs, rank, hyperparameters
        self.tasks = {name: tasks[name] for name in sorted({t for pair in pairs for t in pair})}
        self.keys = {name: (hyperparameters.seed, replica, task_key(name)) for name in self.tasks}
        self.lowest = frozen_layers(encoder, hyperparameters.layers)
        device = encoder.model.device
        self.networks = {
            name: torch.tensor([k for k, pair in enumerate(pairs) if name in pair], device=device)
            for name in self.tasks
        }
        self.trunks = Trunks(
            encoder,
            rank=rank,
            alpha=hyperparameters.alpha,
            layers=hyperparameters.layers,
            pooling=hyperparameters.pooling,
            networks=len(pairs),
            seed=(hyperparameters.seed, replica, 2),
        )
        self.heads = nn.ModuleList(
            _Heads(encoder, task.data, self.keys[name], len(self.networks[name]))
            for name, task in self.tasks.items()
        )
        self.to(device)
        frozen = self.tasks.items() if rank == 0 else ()
        self.last = {name: task.last_states(self.trunks) for name, task in frozen}

    def trainable(self) -> dict[str, nn.Parameter]:
        """Return the weights that are trained, by name."""
        return {name: w for name, w in self.named_parameters() if w.requires_grad}

    def forward(self, items: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
        """Return the logits of items of some tasks, by name: [networks, items, classes]."""
        half = self.hyperparameters.bfloat16
        found = {}
        for (name, task), head in zip(self.tasks.items(), self.heads, strict=True):
            if name not in items:
                continue
            with torch.autocast(task.labels.device.type, torch.bfloat16, enabled=half):
                read = self._read(name, items[name])
                found[name] = head(read).float().unflatten(1, (len(items[name]), -1)).flatten(2)
        return found

    def _read(self, name: str, items: np.ndarray) -> Tensor:
        """Return the states that a task's heads read, [networks, sequences, width]."""
        task = self.tasks[name]
        if self.rank == 0:
            last = self.last[name]
            return last[torch.from_numpy(task.sequences_of(items)).to(last.device)][None]
        states, lengths = task.states_of(items)
        return self.trunks(states, Layout(lengths, states.device), self.networks[name])


class _Heads(nn.Module):
    """A task's head in several networks, drawn once: weights spread as the encoder's did."""

    def __init__(self, encoder: Encoder, data: TaskData, seed: tuple[int, ...], networks: int):
        super().__init__()
        shape = (1 if data.multiple_choice else data.classes, encoder.width)
        spread = encoder.model.config.initializer_range
        drawn = torch.from_numpy(np.random.default_rng(seed).normal(0, spread, shape)).float()
        self.weight = nn.Parameter(drawn.repeat(networks, 1, 1))
        self.bias = nn.Parameter(torch.zeros(networks, 1, len(drawn)))

    def forward(self, read: Tensor) -> Tensor:
        return read @ self.weight.mT + self.bias
