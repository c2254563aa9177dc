"""Trains all replicas of a quartet in their four contexts, rank by rank."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from ncnet.checks import check, check_choice, check_integer
from ncnet.chsh.outcomes import SETTINGS
from ncnet.datasets import TaskData
from ncnet.encoders import saving
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.hyperparameters import Hyperparameters, check_ranks
from ncnet.encoders.model import TwoHeads
from ncnet.encoders.quartets import Quartet
from ncnet.encoders.tasks import EncodedTask, encoded, tokenized
from ncnet.encoders.training import Outcome, train_context
from ncnet.encoders.trunk import FULL
from ncnet.experiment.networks import Axes, NetworkKey, on_axes, train_each
from ncnet.files import expanded, storable, write_or_compare

DESCRIPTION, OUTCOME = "sweep.json", "outcome.safetensors"
CHECKPOINT = "checkpoint.safetensors"
"""Files of a folder, which is its owner's: contexts that are deleted are trained again."""


def train(
    encoder: Encoder,
    quartet: Quartet,
    tasks: Mapping[str, TaskData],
    *,
    ranks: Sequence[float],
    replicas: int,
    folder: Path | None = None,
    **hyperparameters: object,
) -> xr.Dataset:
    """Train replicas 0 ... `replicas` - 1 of a quartet in all four contexts, at each rank.

    A context (i, j) is one network: the encoder with adapters, Alice's head on her task i, Bob's
    on his task j; every step takes a batch of each and follows the sum of both losses. The four
    contexts of a replica start from the same weights, and a head sees its items in the same order
    whatever the other head's task is.

    Parameters
    ----------
    encoder
        The encoder, from `ncnet.encoders.load`.
    quartet
        Four tasks, from `ncnet.encoders.quartet`, or a quartet of your own.
    tasks
        The items of its four tasks, from `ncnet.datasets.load`, with equally many training items
        each, and equally many held-out items.
    ranks
        Ranks of the adapters on query and value: 0 trains the heads alone, ``math.inf`` every
        weight of the adapted layers.
    replicas
        Number of initialisations and data orders.
    folder
        A folder that keeps finished contexts, with their adapters (in the files of peft) and heads,
        and the one in training once a minute: repeated, a sweep that was cut off goes on from
        there, to the same result. It holds contexts of one kind: the encoder, the items and the
        hyperparameters are the same.
    hyperparameters
        `Hyperparameters` by name: ``seed``, and others than the defaults of ``layers``, ``steps``,
        ``batch_size``, ``learning_rate``, ``alpha`` and ``bfloat16``.

    Returns
    -------
    xarray.Dataset
        Outcomes, as `ncnet.train` returns them: `a`, `b` and `diverged`, over `capacity` (the
        ranks), settings, replicas and items, training ones first; `alice_loss` and `bob_loss`, mean
        cross-entropy over the training items at the end; `alice_target` and `bob_target` where
        all tasks have two classes. Attributes say what was trained, and of each task where it is
        from, the share of unknown tokens and the share of sequences that were cut.

    Raises
    ------
    ValueError
        For a hyperparameter out of range, tasks that are not the quartet's or not of one size, or a
        folder that holds contexts of another kind: before any work starts.

    Examples
    --------
    >>> from ncnet import datasets, encoders
    >>> quartet = encoders.quartet("toy_mixed")
    >>> tasks = datasets.load(quartet.tasks, items=4, held_out=2, seed=0)
    >>> outcomes = train(
    ...     encoders.load("tiny"), quartet, tasks, ranks=[0, 2], replicas=3, seed=0, steps=2
    ... )
    >>> dict(outcomes.a.sizes)
    {'capacity': 2, 'alice_setting': 2, 'bob_setting': 2, 'replica': 3, 'item': 6}
    """
    chosen = Hyperparameters(**hyperparameters).checked(encoder)
    ranks = check_ranks(ranks, encoder)
    replicas = check_integer("replicas", replicas, at_least=1)
    _check_tasks(quartet, tasks)
    axes = {"capacity": ranks, "replica": range(replicas), **SETTINGS}
    return Sweep(encoder, quartet, tasks, chosen, folder).networks(axes)


@dataclass
class Sweep:
    """The contexts of a sweep, which share tokens and the frozen states of the current rank.

    Parameters
    ----------
    encoder, quartet, tasks, folder
        See `train`.
    hyperparameters
        The hyperparameters of all networks.
    """

    encoder: Encoder
    quartet: Quartet
    tasks: Mapping[str, TaskData]
    hyperparameters: Hyperparameters
    folder: Path | None

    def __post_init__(self):
        self._tokens = [tokenized(self.encoder, self.tasks[name]) for name in self.quartet.tasks]
        self._kind, self._encoded = None, {}
        if self.folder:
            self.folder = expanded(self.folder)
            described = {
                "encoder": {"name": self.encoder.name, **self.encoder.source},
                "items": [_digest(tokens.data) for tokens in self._tokens],
                **asdict(self.hyperparameters),
            }
            write_or_compare(self.folder / DESCRIPTION, described)

    def networks(self, axes: Axes) -> xr.Dataset:
        """Return what `train` does, of all networks along these axes, or of a single one.

        Each network is what it is in a sweep over all of them. Without any rank or replica, the
        Dataset only says what would be trained.
        """
        found = train_each(self._context, axes)
        first = self._tokens[0].data
        split = ["training"] * len(first.training) + ["held_out"] * len(first.held_out)
        capacities = "capacity", np.array(axes["capacity"], float), {"capacity_name": "rank"}
        coordinates = {"capacity": capacities, "split": ("item", split)}
        dataset = on_axes([one.columns() for one in found], axes, coordinates)
        if all(tokens.data.classes == 2 for tokens in self._tokens):
            for party, names in (("alice", self.quartet.alice), ("bob", self.quartet.bob)):
                settings = axes[f"{party}_setting"]
                targets = [_targets(self.tasks[names[setting - 1]]) for setting in settings]
                dataset[f"{party}_target"] = (f"{party}_setting", "item"), np.stack(targets)
        return dataset.assign_attrs(storable(self._attributes()))

    def _context(self, key: NetworkKey) -> Outcome:
        """Train one context, or take it from the folder."""
        place = self.folder / key.path("rank") if self.folder else None
        if place and (place / OUTCOME).exists():
            tensors = saving.read(place / OUTCOME)
            return Outcome(**{name: tensor.numpy() for name, tensor in tensors.items()})
        rank, replica, i, j = key
        names = self.quartet.alice[i - 1], self.quartet.bob[j - 1]
        tasks = [self._task(name, rank) for name in names]
        model = TwoHeads(self.encoder, tasks, rank, self.hyperparameters, replica)
        checkpoint = place / CHECKPOINT if place else None
        outcome = train_context(model, checkpoint=checkpoint)
        if place:
            saving.save_adapters(model, place)
            # Last: where it is, the context is whole.
            tensors = {name: torch.as_tensor(value) for name, value in vars(outcome).items()}
            saving.write(place / OUTCOME, tensors)
            checkpoint.unlink(missing_ok=True)
        return outcome

    def _task(self, name: str, rank: float) -> EncodedTask:
        """Return a task with its frozen states, which are the same for most ranks."""
        kind = rank if rank in (0, FULL) else "adapters"
        if kind != self._kind:
            self._kind, self._encoded = kind, {}  # large: not beside those of another kind
        if name not in self._encoded:
            tokens = self._tokens[self.quartet.tasks.index(name)]
            layers = self.hyperparameters.layers
            self._encoded[name] = encoded(self.encoder, tokens, rank=rank, layers=layers)
        return self._encoded[name]

    def _attributes(self) -> dict:
        return {
            "quartet": self.quartet.name,
            "alice_tasks": list(self.quartet.alice),
            "bob_tasks": list(self.quartet.bob),
            "paired": self.quartet.paired,
            "encoder": self.encoder.name,
            "encoder_source": self.encoder.source,
            "sources": [tokens.data.source for tokens in self._tokens],
            "further": [len(tokens.data.further) for tokens in self._tokens],
            "unknown_share": [tokens.unknown for tokens in self._tokens],
            "cut_share": [tokens.cut for tokens in self._tokens],
            "device": self.encoder.model.device.type,
            **asdict(self.hyperparameters),
        }


def _targets(task: TaskData) -> np.ndarray:
    return np.array([2 * item.label - 1 for item in (*task.training, *task.held_out)], np.int8)


def _digest(task: TaskData) -> str:
    items = [asdict(item) for part in (task.training, task.held_out, task.further) for item in part]
    text = json.dumps([task.name, len(task.training), len(task.held_out), items])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _check_tasks(quartet: Quartet, tasks: Mapping[str, TaskData]) -> None:
    for name in quartet.tasks:
        check_choice("task", name, tasks)
    for part in ("training", "held_out"):
        items = {name: getattr(tasks[name], part) for name in quartet.tasks}
        counts = {name: len(of_task) for name, of_task in items.items()}
        check(len({*counts.values()}) == 1, f"tasks have {counts} {part} items", "as many of each")
        first = quartet.tasks[0]
        partners = [(item.key, item.label) for item in items[first]]
        for name in quartet.tasks if quartet.paired else ():
            found = f"{part} items of `{name}` are no partners of those of `{first}`"
            fits = partners == [(item.key, item.label) for item in items[name]]
            check(fits, found, "tasks that are loaded together")
