"""Trains all replicas of a quartet in their four contexts, rank by rank."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import xarray as xr
from tqdm import tqdm

from ncnet.checks import check_choice, check_integer
from ncnet.datasets import TaskData
from ncnet.encoders import kept
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.model import BY_PARTY
from ncnet.encoders.plan import ALPHA, Settings, check_ranks
from ncnet.encoders.quartets import Quartet
from ncnet.encoders.tasks import EncodedTask, encoded, tokenized
from ncnet.encoders.training import Outcome, train_context
from ncnet.encoders.trunk import FULL
from ncnet.files import claim, expanded, storable

CONTEXTS = tuple(itertools.product((0, 1), (0, 1)))
CAPACITY = {"capacity_name": "rank"}


def train(
    encoder: Encoder,
    quartet: Quartet,
    tasks: Mapping[str, TaskData],
    *,
    ranks: Sequence[float],
    replicas: int,
    seed: int,
    layers: int = 1,
    steps: int = 300,
    batch_size: int = 16,
    learning_rate: float = 1e-3,
    alpha: float = ALPHA,
    bfloat16: bool | None = None,
    folder: Path | None = None,
) -> xr.Dataset:
    """Train replicas 0 ... `replicas` - 1 of a quartet in all four contexts, at each rank.

    A context (i, j) is one network: the encoder with adapters, Alice's head on her task i, Bob's
    on his task j; every step takes a batch of each and follows the sum of both losses. The four
    contexts of a replica start from the same weights, and a head sees its items in the same order
    whatever the other head's task is. The paper states none of the choices below; they are ours.

    Parameters
    ----------
    encoder
        From `ncnet.encoders.load`.
    quartet
        From `ncnet.encoders.quartet`, or one of your own.
    tasks
        Its four tasks, from `ncnet.datasets.load`, with equally many training items each, and
        equally many held-out items.
    ranks
        Ranks of the adapters on query and value: 0 trains the heads alone, ``math.inf`` every
        weight of the adapted layers.
    replicas
        Number of initialisations and data orders.
    seed
        Of both.
    layers
        How many layers are adapted, from the top. What lies below them is computed once an item.
    steps, batch_size
        Steps of training, and items of each head's task in one step.
    learning_rate
        Of Adam, for adapters and heads alike.
    alpha
        What an adapter adds is scaled by ``alpha / rank``.
    bfloat16
        Whether matrix products of a step are made in bfloat16 (autocast); by default on a GPU.
    folder
        Where finished contexts are kept, with their adapters (in the files of peft) and heads, and
        the one in training once a minute: repeated, a sweep that was cut off goes on from there, to
        the same result. It holds contexts of one kind: same encoder, items and settings.

    Returns
    -------
    xarray.Dataset
        As `ncnet.train` returns it: `a`, `b` and `diverged`, over `capacity` (the ranks),
        settings, replicas and items, training ones first; `alice_loss` and `bob_loss`, mean
        cross-entropy over the training items at the end; `alice_target` and `bob_target` where
        all tasks have two classes. Attributes say what was trained, and of each task where it is
        from, the share of unknown tokens and the share of sequences that were cut.

    Raises
    ------
    ValueError
        For a setting out of range, tasks that are not the quartet's or not of one size, or a
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
    device = encoder.model.device.type
    settings = Settings.checked(
        encoder,
        layers=layers,
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        alpha=alpha,
        bfloat16=device == "cuda" if bfloat16 is None else bfloat16,
        seed=seed,
    )
    ranks = check_ranks(ranks, encoder)
    replicas = check_integer("replicas", replicas, at_least=1)
    _check_tasks(quartet, tasks)
    return Sweep(encoder, quartet, tasks, settings, folder).networks(ranks, range(replicas))


class Sweep:
    """What all contexts of a sweep share: tokens, and the frozen states of the current rank.

    Parameters
    ----------
    encoder, quartet, tasks, folder
        See `train`.
    settings
        How every context is trained.
    """

    def __init__(
        self,
        encoder: Encoder,
        quartet: Quartet,
        tasks: Mapping[str, TaskData],
        settings: Settings,
        folder: Path | None,
    ):
        self.encoder, self.quartet, self.settings = encoder, quartet, settings
        self.tasks = [tasks[name] for name in quartet.tasks]
        self.sequences = [tokenized(encoder, task) for task in self.tasks]
        self.folder = expanded(folder) if folder else None
        self._kind, self._encoded, self._read = None, {}, []
        if self.folder:
            claim(self.folder / kept.DESCRIPTION, self.described())

    def described(self) -> dict:
        """Return all that a context's result depends on, but for its rank and replica."""
        return {
            "encoder": {"name": self.encoder.name, **self.encoder.source},
            "items": [_digest(task) for task in self.tasks],
            **asdict(self.settings),
        }

    def networks(
        self,
        ranks: Sequence[float],
        replicas: Sequence[int],
        contexts: Sequence[tuple[int, int]] = CONTEXTS,
    ) -> xr.Dataset:
        """Return what `train` does, of some replicas in some contexts: all, or a single one.

        Each network is what it is in a sweep over all of them; settings count from 0. Without any
        rank or replica, the Dataset only says what would be trained.
        """
        chosen = list(itertools.product(ranks, replicas, contexts))
        self._read = sorted({task for i, j in contexts for task in (i, 2 + j)})
        found = [self._context(*one) for one in tqdm(chosen, "contexts", leave=False, disable=None)]
        alice, bob = (sorted(set(settings)) for settings in zip(*contexts, strict=True))
        networks = {"capacity": ranks, "replica": replicas, "alice_setting": alice}
        return self._dataset(found, networks | {"bob_setting": bob})

    def _context(self, rank: float, replica: int, context: tuple[int, int]) -> Outcome:
        """Train one context, or take it from the folder."""
        place = kept.place(self.folder, rank, replica, context) if self.folder else None
        if place and (found := kept.read(place)):
            return found
        checkpoint = place / "checkpoint.safetensors" if place else None
        outcome, model = train_context(
            self.encoder,
            self._tasks_of(rank, context),
            keys=BY_PARTY,
            rank=rank,
            settings=self.settings,
            replica=replica,
            checkpoint=checkpoint,
        )
        if place:
            kept.write(place, outcome, model, rank=rank, alpha=self.settings.alpha)
            checkpoint.unlink(missing_ok=True)
        return outcome

    def _tasks_of(self, rank: float, context: tuple[int, int]) -> tuple[EncodedTask, EncodedTask]:
        frozen = rank if rank in (0, FULL) else "adapters"  # the same for all other ranks
        kind = (frozen, *self._read)
        if kind != self._kind:
            self._encoded = {}  # large: not beside those of another kind
            read = encoded(
                self.encoder,
                [self.tasks[task] for task in self._read],
                [self.sequences[task] for task in self._read],
                rank=rank,
                layers=self.settings.layers,
            )
            self._encoded = dict(zip(self._read, read, strict=True))
            self._kind = kind
        i, j = context
        return self._encoded[i], self._encoded[2 + j]

    def _dataset(self, found: list[Outcome], networks: dict[str, Sequence]) -> xr.Dataset:
        """Return all outcomes, in the order in which contexts were trained, as one Dataset."""
        first, shape, dims = self.tasks[0], tuple(map(len, networks.values())), tuple(networks)
        split = ["training"] * len(first.training) + ["held_out"] * len(first.held_out)
        variables = {"diverged": (dims, _shaped([o.diverged for o in found], shape))}
        for party, name in enumerate(("alice", "bob")):
            correct = _shaped([o.correct[party] for o in found], (*shape, len(split)))
            variables[name[0]] = ((*dims, "item"), correct)
            variables[f"{name}_loss"] = (dims, _shaped([o.loss[party] for o in found], shape))
            settings = networks[f"{name}_setting"]
            if all(task.classes == 2 for task in self.tasks):
                targets = [_signs(self.tasks[2 * party + setting]) for setting in settings]
                variables[f"{name}_target"] = ((f"{name}_setting", "item"), np.stack(targets))
        coordinates = {
            "capacity": ("capacity", np.array(networks["capacity"], float), CAPACITY),
            "replica": np.array(networks["replica"]),
            "alice_setting": 1 + np.array(networks["alice_setting"]),
            "bob_setting": 1 + np.array(networks["bob_setting"]),
            "split": ("item", split),
        }
        dataset = xr.Dataset(variables, coordinates, storable(self._attributes()))
        return dataset.transpose("capacity", "alice_setting", "bob_setting", "replica", "item")

    def _attributes(self) -> dict:
        return {
            "quartet": self.quartet.name,
            "alice_tasks": list(self.quartet.alice),
            "bob_tasks": list(self.quartet.bob),
            "paired": self.quartet.paired,
            "encoder": self.encoder.name,
            "encoder_source": self.encoder.source,
            "sources": [task.source for task in self.tasks],
            "further": [len(task.further) for task in self.tasks],
            "unknown_share": [found.unknown for found in self.sequences],
            "cut_share": [found.cut for found in self.sequences],
            "device": self.encoder.model.device.type,
            **asdict(self.settings),
        }


def _shaped(values: list, shape: tuple[int, ...]) -> np.ndarray:
    return np.array(values).reshape(shape)


def _signs(task: TaskData) -> np.ndarray:
    return np.array([2 * item.label - 1 for item in (*task.training, *task.held_out)], np.int8)


def _digest(task: TaskData) -> str:
    items = [asdict(item) for part in (task.training, task.held_out, task.further) for item in part]
    text = json.dumps([task.name, len(task.training), len(task.held_out), items])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _check_tasks(quartet: Quartet, tasks: Mapping[str, TaskData]) -> None:
    for name in quartet.tasks:
        check_choice("task", name, tasks)
    for part in ("training", "held_out"):
        counts = {name: len(getattr(tasks[name], part)) for name in quartet.tasks}
        if len(set(counts.values())) > 1:
            raise ValueError(f"tasks have {counts} {part} items: expected as many of each")
    if quartet.paired:
        first, *others = quartet.tasks
        for name in others:
            for part in ("training", "held_out"):
                pairs = zip(getattr(tasks[first], part), getattr(tasks[name], part), strict=True)
                if any((x.key, x.label) != (y.key, y.label) for x, y in pairs):
                    raise ValueError(
                        f"{part} items of `{name}` are no partners of those of `{first}`: "
                        "load them together"
                    )
