"""Trains pairs of tasks on an encoder, each once, rank by rank and replica by replica."""

from __future__ import annotations

import ctypes
import hashlib
import itertools
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from tqdm import tqdm

from ncnet.checks import (
    check,
    check_choice,
    check_integer,
    check_list,
    check_once,
    check_shares,
    check_type,
)
from ncnet.chsh import as_pairs, collect_pairs
from ncnet.chsh.pairs import HEADS, LOSSES, Pair, sorted_pair
from ncnet.datasets import TaskData
from ncnet.encoders import saving
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.frozen import encoded
from ncnet.encoders.hyperparameters import Hyperparameters, check_ranks, named
from ncnet.encoders.model import Networks
from ncnet.encoders.tasks import EncodedTask, parts_of
from ncnet.encoders.training import Outcomes, train_networks
from ncnet.files import expanded, storable, write_or_compare
from ncnet.printing import shown
from ncnet.training.chunks import one_thread

M_MMAP_THRESHOLD = -3
"""In ``malloc.h`` of glibc: from which size on an array has pages of its own."""
DESCRIPTION, OUTCOMES = "sweep.json", "outcomes.safetensors"


def train(
    encoder: Encoder,
    tasks: Mapping[str, TaskData],
    *,
    pairs: Iterable[Sequence[str]] | None = None,
    paired: bool = False,
    ranks: Sequence[float],
    replicas: int,
    folder: Path | None = None,
    states: Path | None = None,
    looks: Sequence[float] = (),
    **hyperparameters: object,
) -> xr.Dataset:
    """Train replicas 0 ... `replicas` - 1 of pairs of tasks, and of tasks alone, at each rank.

    A pair is one network: the encoder with adapters, and a head for either task; every step takes a
    batch of each and follows the sum of both losses. All networks of a replica start from the same
    trunk. A task's head starts from the same weights, and sees its items in the same order, in
    every pair and alone. So each pair is trained once, and every quartet of different tasks is
    looked up (`ncnet.chsh.quartet`).

    At rank 0 the trunk is frozen, and heads cannot influence each other: there a pair's outcomes
    are those of both tasks alone.

    Parameters
    ----------
    encoder
        The encoder, from `ncnet.encoders.load`.
    tasks
        The items of each task by its name, from `ncnet.datasets.load`, with equally many training
        items each, and equally many held-out items.
    pairs
        What is trained: names of two tasks in a tuple, or of one alone. By default every pair of
        two tasks, and every task alone.
    paired
        True where the k-th items of all tasks are partners: translations of one another.
    ranks
        Ranks of the adapters on query and value: 0 trains the heads alone, ``math.inf`` every
        weight of the adapted layers.
    replicas
        Number of initialisations and data orders.
    folder
        A folder that keeps finished blocks: all networks of a replica at one rank, with their
        adapters (in the files of peft) and heads. Repeated, a sweep that was cut off goes on with
        the next, to the same result. It holds blocks of one kind: the encoder, the items, the pairs
        and the hyperparameters are the same.
    states
        A folder that keeps the states behind the encoder's frozen layers (`ncnet.encoders.frozen`),
        for several sweeps on the same items; without one they are kept in memory.
    looks
        Shares of the steps, between 0 and 1 and in order, after which networks are looked at, where
        all ranks are above 0.
    hyperparameters
        `Hyperparameters` by name: ``seed``, and others than the defaults of ``layers``,
        ``pooling``, ``steps``, ``batch_size``, ``learning_rate``, ``alpha`` and ``bfloat16``.

    Returns
    -------
    xarray.Dataset
        Outcomes as `ncnet.chsh.as_pairs` describes them: `first` and `second`, `diverged`,
        `first_loss` and `second_loss` (mean cross-entropy over the training items at the end), over
        `capacity` (the ranks), pairs, replicas and items, training ones first. Attributes say what
        was trained, and of each task where it is from, the share of unknown tokens and the share of
        sequences that were cut. With looks, over a dimension `look` besides: `first_along` and
        `second_along`, the outcomes so far; `cosine`, `first_lookahead` and `second_lookahead`, as
        `ncnet.encoders.along.look` has them.

    Raises
    ------
    ValueError
        For a hyperparameter out of range, a pair of unknown or equal tasks, tasks that are not of
        one size, or a folder that holds blocks of another kind: before any work starts.

    Examples
    --------
    >>> from ncnet import datasets, encoders
    >>> tasks = datasets.load(["toy/mood", "toy/sum", "toy/same"], items=4, held_out=2, seed=0)
    >>> pairs = train(encoders.load("tiny"), tasks, ranks=[0, 2], replicas=3, seed=0, steps=2)
    >>> dict(pairs.first.sizes)
    {'capacity': 2, 'pair': 6, 'replica': 3, 'item': 6}
    """
    check_type("encoder", encoder, Encoder, "one that `ncnet.encoders.load` returns")
    chosen = named(hyperparameters).checked(encoder)
    ranks = check_ranks(ranks, encoder)
    replicas = check_integer("replicas", replicas, at_least=1)
    wanted = _check_pairs(tasks, pairs)
    _check_tasks(tasks, paired)
    looks = check_shares("looks", looks, chosen.steps)
    check(not looks or min(ranks) > 0, "`looks` at rank 0, where no trunk is trained", "none")
    sweep = Sweep(
        encoder,
        tasks,
        wanted,
        chosen,
        paired=paired,
        folder=folder,
        states=states,
        looks=looks,
    )
    return sweep.outcomes(ranks, range(replicas))


@dataclass
class Sweep:
    """The blocks of a sweep, which share tokens and frozen states.

    Parameters
    ----------
    encoder, tasks, paired, folder, states, looks
        See `train`.
    pairs
        The pairs, and tasks alone; they are put in canonical order.
    hyperparameters
        The hyperparameters of all networks.
    """

    encoder: Encoder
    tasks: Mapping[str, TaskData]
    pairs: Sequence[Pair]
    hyperparameters: Hyperparameters
    paired: bool = False
    folder: Path | None = None
    states: Path | None = None
    looks: Sequence[float] = ()

    def __post_init__(self):
        self.pairs = sorted(map(sorted_pair, self.pairs))
        if self.folder:
            self.folder = expanded(self.folder)
            self._compare()
        layers, folder = self.hyperparameters.layers, self.states and expanded(self.states)
        with one_thread():
            self._encoded: dict[str, EncodedTask] = {
                name: encoded(self.encoder, self.tasks[name], layers=layers, folder=folder)
                for name in sorted({task for pair in self.pairs for task in pair})
            }
        if self.folder:  # now that work can start
            write_or_compare(self.folder / DESCRIPTION, self._described())

    def _described(self) -> dict:
        """Return what all blocks of the folder have in common."""
        return {
            "encoder": {"name": self.encoder.name, **self.encoder.source},
            "items": {name: _digest(task) for name, task in sorted(self.tasks.items())},
            "pairs": [list(pair) for pair in self.pairs],
            "looks": list(self.looks),
            **asdict(self.hyperparameters),
        }

    def _compare(self) -> None:
        """Refuse a folder with blocks of another kind, or of a kind that nothing says."""
        if (self.folder / DESCRIPTION).exists():
            write_or_compare(self.folder / DESCRIPTION, self._described())
        else:
            found = f"{self.folder} has blocks, and no {DESCRIPTION} that says of what"
            check(not any(self.folder.glob("rank_*")), found, "another folder")

    def outcomes(self, ranks: Sequence[float], replicas: Sequence[int]) -> xr.Dataset:
        """Return what `train` does, of the blocks of some ranks and replicas.

        Each block is what it is in a sweep over all of them.
        """
        blocks = list(itertools.product(ranks, replicas))
        found = [self.block(*block) for block in tqdm(blocks, "blocks", leave=False, disable=None)]

        def stacked(name: str) -> np.ndarray:
            """Return what blocks have by this name, [networks, ranks, replicas, ...]."""
            values = np.stack([getattr(block, name) for block in found])
            return np.moveaxis(values.reshape(len(ranks), len(replicas), *values.shape[1:]), 2, 0)

        correct, loss = stacked("correct"), stacked("loss")
        heads = {
            pair: [correct[k, :, :, head] for head in range(len(pair))]
            for k, pair in enumerate(self.pairs)
        }
        first = next(iter(self.tasks.values()))
        dataset = collect_pairs(
            heads,
            split=["training"] * len(first.training) + ["held_out"] * len(first.held_out),
            diverged=dict(zip(self.pairs, stacked("diverged"), strict=True)),
            targets=self._targets() or None,
            capacities=np.array(ranks, float),
            capacity_name="rank",
            paired=self.paired,
        ).assign_coords(replica=np.array(replicas))
        # Pairs are sorted in both.
        of_network = ("pair", "capacity", "replica")
        more = {name: (of_network, loss[..., head]) for head, name in enumerate(LOSSES)}
        if self.looks:
            dataset = dataset.assign_coords(look=list(self.looks))
            of_network = (*of_network, "look")
            more["cosine"] = of_network, stacked("cosine")
            for head, name in enumerate(HEADS):
                more[f"{name}_lookahead"] = of_network, stacked("lookahead")[..., head]
                along = stacked("along")[..., head, :]
                more[f"{name}_along"] = (*of_network, "item"), along
        return as_pairs(dataset.assign(more).assign_attrs(storable(self._attributes())))

    def block(self, rank: float, replica: int) -> Outcomes:
        """Train all networks of a replica at one rank, or take them from the folder."""
        place = self.folder / f"rank_{rank:g}" / f"replica_{replica:03}" if self.folder else None
        if place and (place / OUTCOMES).exists():
            tensors = saving.read(place / OUTCOMES)
            return Outcomes(**{name: tensor.numpy() for name, tensor in tensors.items()})
        if self.hyperparameters.pooling == "mean":
            _free_at_once()
        alone = [(name,) for name in self._encoded]
        pairs = self.pairs if rank > 0 else alone
        with one_thread():
            networks = Networks(
                self.encoder, self._encoded, pairs, rank, self.hyperparameters, replica
            )
            found = train_networks(networks, self._steps_of_looks())
        if place:
            for k, pair in enumerate(pairs):
                folder = "+".join(name.replace("/", "_") for name in pair)
                saving.save_network(networks, k, place / folder)
        if rank == 0:
            found = _of_pairs(found, alone, self.pairs)
        if place:
            # Last: where it is, the block is whole.
            there = {name: value for name, value in vars(found).items() if value is not None}
            tensors = {name: torch.as_tensor(value) for name, value in there.items()}
            saving.write(place / OUTCOMES, tensors)
        return found

    def _steps_of_looks(self) -> list[int]:
        return [round(share * self.hyperparameters.steps) for share in self.looks]

    def _targets(self) -> dict[str, np.ndarray]:
        """Return the classes of tasks that have two, as +-1 [items]."""
        return {
            name: np.array(
                [2 * item.label - 1 for item in (*task.data.training, *task.data.held_out)], np.int8
            )
            for name, task in self._encoded.items()
            if task.data.classes == 2
        }

    def _attributes(self) -> dict:
        tokens = {name: task.tokens for name, task in self._encoded.items()}
        sequences = {name: len(task.lengths) for name, task in self._encoded.items()}
        return {
            "encoder": self.encoder.name,
            "encoder_source": self.encoder.source,
            "sources": {name: task.data.source for name, task in self._encoded.items()},
            "further": {name: len(task.data.further) for name, task in self._encoded.items()},
            "unknown_share": {
                name: sum(part.unknown for part in parts) / sum(len(part.ids) for part in parts)
                for name, parts in tokens.items()
            },
            "cut_share": {
                name: sum(part.cut for part in parts) / sequences[name]
                for name, parts in tokens.items()
            },
            "device": self.encoder.model.device.type,
            **asdict(self.hyperparameters),
        }


def _of_pairs(found: Outcomes, alone: Sequence[Pair], pairs: Sequence[Pair]) -> Outcomes:
    """Return the outcomes of pairs whose heads are those of their tasks alone."""
    at = {name: place for place, (name,) in enumerate(alone)}
    correct = np.zeros((len(pairs), *found.correct.shape[1:]), np.int8)
    loss, diverged = np.full((len(pairs), 2), np.nan), np.zeros(len(pairs), bool)
    for k, pair in enumerate(pairs):
        for head, name in enumerate(pair):
            correct[k, head] = found.correct[at[name], 0]
            loss[k, head] = found.loss[at[name], 0]
            diverged[k] |= found.diverged[at[name]]
    return Outcomes(correct, loss, diverged)


def _free_at_once() -> None:
    """Have glibc give arrays of a megabyte and more back to the system as soon as they are freed.

    It would keep them for the next one of their size. Where all tokens go through a layer, no two
    steps have arrays of the same size: a process would come to hold several times what it needs.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # which musl has not
        if mallopt:
            mallopt(M_MMAP_THRESHOLD, 2**20)


def _digest(task: TaskData) -> str:
    items = [asdict(item) for part in parts_of(task) for item in part]
    text = json.dumps([task.name, *map(len, parts_of(task)), items])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _check_pairs(
    tasks: Mapping[str, TaskData], pairs: Iterable[Sequence[str]] | None
) -> list[Pair]:
    """Return pairs in canonical order, each once; by default all, and every task alone."""
    check_type("tasks", tasks, Mapping, "a dict of tasks by name, from `ncnet.datasets.load`")
    names = check_list("tasks", list(tasks), "tasks by name")
    for name, task in tasks.items():
        check_type(f"tasks[{name!r}]", task, TaskData, "a task from `ncnet.datasets.load`")
    if pairs is None:
        return sorted([*itertools.combinations(sorted(names), 2), *((name,) for name in names)])
    pairs = check_list("pairs", pairs, "a list of pairs of tasks")
    for name in itertools.chain(*map(sorted_pair, pairs)):
        check_choice("task", name, names)
    found = [sorted_pair(pair) for pair in pairs]
    check_once("pair", [" beside ".join(pair) for pair in found])
    return sorted(found)


def _check_tasks(tasks: Mapping[str, TaskData], paired: object) -> None:
    check(isinstance(paired, bool), f"`paired` is {shown(paired)}", "true or false")
    for part in ("training", "held_out"):
        items = {name: getattr(task, part) for name, task in tasks.items()}
        counts = {name: len(of_task) for name, of_task in items.items()}
        check(len({*counts.values()}) == 1, f"tasks have {counts} {part} items", "as many of each")
        check(part == "held_out" or min(counts.values()), "tasks have no training items", "some")
        first = next(iter(tasks))
        partners = [item.key for item in items[first]]
        for name in tasks if paired else ():
            found = f"{part} items of `{name}` are no partners of those of `{first}`"
            fits = partners == [item.key for item in items[name]]
            check(fits, found, "tasks that are loaded together")
