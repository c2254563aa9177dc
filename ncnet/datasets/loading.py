"""Loads tasks: which items, in which order, and from where."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from zlib import crc32

import numpy as np

from ncnet.checks import check_choice, check_integer
from ncnet.datasets import catalogue, local, remote, toy
from ncnet.datasets.items import Item, TaskData
from ncnet.files import expanded

TASKS = (*catalogue.PUBLISHED, *(name for names in toy.MEMBERS.values() for name in names))
"""The names of all tasks."""

Aligned = tuple[Item, ...]


@dataclass(frozen=True)
class _Group:
    """A task, or the languages of one task: for each part a stream of items, one a member."""

    members: tuple[str, ...]
    classes: int
    streams: dict[str, Iterator[Aligned]]
    sources: tuple[dict, ...]


def load(
    names: Sequence[str],
    *,
    items: int,
    held_out: int,
    seed: int,
    further: Mapping[str, int] | None = None,
    balanced: bool = False,
    folder: str | Path | None = None,
) -> dict[str, TaskData]:
    """Return the items of these tasks, drawn at random.

    A task's items do not depend on which others are loaded, and those for a smaller number are
    the first ones of those for a larger. Languages of one task get translations of the same
    items, in the same order, out of those that there are in all of its languages (with one label:
    a pair labelled differently in two languages is left out). Of items that say the same, only the
    first is used, and no held-out item says what a training item says, used or not (`Item.content`:
    the same two sentences, in either order, or the same question).

    Parameters
    ----------
    names
        Tasks out of `TASKS`, each once.
    items
        Number of training items a task, at least 1.
    held_out
        Number of held-out items a task.
    seed
        Of the draws.
    further
        Number of further training items, by task; none of those left out.
    balanced
        Draw as many items of each class, or with the right choice in each place, as of any other.
        Where their number cannot be divided so, the counts differ by 1.
    folder
        A folder that holds published tasks, as gzip JSON lines. Without one, the environment
        variable ``NCNET_DATA`` names it; without that, they are fetched from the Hugging Face hub,
        at the commit that `ncnet.datasets.hub.revision` pins. Tasks whose names begin with ``toy``
        are always made here.

    Raises
    ------
    ValueError
        For an unknown or a repeated name, a number out of range, a task with fewer items than
        asked for, or a file that is not what it should be.
    ncnet.datasets.hub.Unavailable
        If the folder lacks a file, or the hub cannot be reached.

    Examples
    --------
    >>> tasks = load(["toy/mood", "toy_pairs/borun"], items=2, held_out=1, seed=0)
    >>> tasks["toy/mood"].training[0].text
    'the content fox carries the white bell in the station'
    >>> tasks["toy_pairs/borun"].training[1].sequences
    (('zurog bogru dornud grubun', 'grubun zurog bogru dornud'),)
    """
    _check_names(names)
    items = check_integer("items", items, at_least=1)
    held_out = check_integer("held_out", held_out, at_least=0)
    seed = check_integer("seed", seed, at_least=0)
    further = _checked_further(further or {}, names)
    loaded = {}
    for group_name in dict.fromkeys(map(_group_name, names)):
        group = _group(group_name, seed, folder)
        asked = [name for name in group.members if name in names]
        most = max(further.get(name, 0) for name in asked)
        numbers = {"training": items, "further": most, "held_out": held_out}
        drawn = {part: _draw(group, part, n, balanced) for part, n in numbers.items()}
        _check_disjoint(asked[0], drawn["training"], drawn["further"])
        for name in asked:
            loaded[name] = _member(group, name, drawn, further.get(name, 0))
    return {name: loaded[name] for name in names}


def _check_names(names: Sequence[str]) -> None:
    if isinstance(names, str) or not names:
        raise ValueError(f"`names` is {names!r}: expected a list of tasks")
    for name in names:
        catalogue.check_name(name, TASKS)
    repeated = [name for name in names if list(names).count(name) > 1]
    if repeated:
        raise ValueError(f"task `{repeated[0]}` is named twice: expected each once")


def _checked_further(further: Mapping[str, int], names: Sequence[str]) -> dict[str, int]:
    for name in further:
        check_choice("task of `further`", name, names)
    return {
        name: check_integer(f"further[{name!r}]", number, at_least=0)
        for name, number in further.items()
    }


def _group_name(name: str) -> str:
    if name in catalogue.PUBLISHED:
        return catalogue.PUBLISHED[name].group
    return next(group for group, members in toy.MEMBERS.items() if name in members)


def _group(name: str, seed: int, folder: str | Path | None) -> _Group:
    if name not in toy.MEMBERS:
        return _published(name, seed, folder)
    members = toy.MEMBERS[name]
    streams = {part: toy.stream(name, seed, part) for part in toy.PARTS}
    return _Group(
        members, toy.CLASSES[name], streams, ({"generator": toy.__name__},) * len(members)
    )


def _published(name: str, seed: int, folder: str | Path | None) -> _Group:
    tasks = catalogue.group(name)
    training, held_out, sources = _read(tasks, folder or os.environ.get("NCNET_DATA") or None)
    seen: list[set] = [set() for _ in tasks]
    training = _shuffled(_new(_aligned(training), seen), name, seed, "training")
    held_out = _shuffled(_new(_aligned(held_out), seen), name, seed, "held_out")
    streams = {
        "training": iter(training),
        "further": reversed(training),  # from the other end: whatever `items` is, the same
        "held_out": iter(held_out),
    }
    return _Group(tuple(task.name for task in tasks), tasks[0].classes, streams, sources)


def _read(tasks: tuple[catalogue.Published, ...], folder: str | Path | None) -> tuple:
    if folder is None:
        training, held_out, sources = zip(*map(remote.read, tasks), strict=True)
        return training, held_out, sources
    read = [local.read(expanded(folder), task) for task in tasks]
    training, held_out, digests = zip(*read, strict=True)
    # Which pairs a language has depends on the files of all.
    files = {name: digest for part in digests for name, digest in part.items()}
    return training, held_out, ({"folder": True, "files": files},) * len(tasks)


def _aligned(pools: Sequence[dict[str, Item]]) -> Iterator[Aligned]:
    for key in pools[0]:
        if all(key in pool for pool in pools):
            entry = tuple(pool[key] for pool in pools)
            if len({item.label for item in entry}) == 1:
                yield entry


def _new(entries: Iterable[Aligned], seen: list[set]) -> Iterator[Aligned]:
    for entry in entries:
        contents = [item.content for item in entry]
        known = any(content in there for content, there in zip(contents, seen, strict=True))
        for content, there in zip(contents, seen, strict=True):
            there.add(content)
        if not known:
            yield entry


def _shuffled(entries: Iterable[Aligned], name: str, seed: int, part: str) -> list[Aligned]:
    pool = list(entries)
    words = [seed, crc32(name.encode()), toy.PARTS.index(part)]
    return [pool[k] for k in np.random.default_rng(words).permutation(len(pool))]


def _draw(group: _Group, part: str, number: int, balanced: bool) -> tuple[Aligned, ...]:
    stream = group.streams[part]
    drawn = tuple(islice(_rounds(stream, group.classes) if balanced else stream, number))
    if len(drawn) < number:
        evenly = ", drawn evenly from its classes" if balanced else ""
        raise ValueError(
            f"task `{group.members[0]}` has {len(drawn):,} {part.replace('_', '-')} items{evenly}: "
            f"{number:,} were asked for"
        )
    return drawn


def _rounds(stream: Iterable[Aligned], classes: int) -> Iterator[Aligned]:
    """Yield one item of each class a round, in the order in which they came."""
    waiting: list[deque] = [deque() for _ in range(classes)]
    for arrival, entry in enumerate(stream):
        waiting[entry[0].label].append((arrival, entry))
        if all(waiting):
            for _, first in sorted(queue.popleft() for queue in waiting):
                yield first


def _check_disjoint(name: str, training: tuple[Aligned, ...], further: tuple[Aligned, ...]) -> None:
    common = {entry[0].key for entry in training} & {entry[0].key for entry in further}
    if common:
        raise ValueError(
            f"task `{name}` has too few training items for {len(training):,} and "
            f"{len(further):,} further ones: {len(common):,} would be drawn twice"
        )


def _member(group: _Group, name: str, drawn: dict, further: int) -> TaskData:
    member = group.members.index(name)
    parts = {part: tuple(entry[member] for entry in entries) for part, entries in drawn.items()}
    return TaskData(
        name=name,
        classes=group.classes,
        training=parts["training"],
        further=parts["further"][:further],
        held_out=parts["held_out"],
        source=group.sources[member],
    )
