"""Loads tasks: which items, in which order, and from where."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from ncnet.checks import check, check_choice, check_integer, check_list, check_once, check_type
from ncnet.datasets import published, toy
from ncnet.datasets.catalogue import PUBLISHED
from ncnet.datasets.items import PARTS, Group, TaskData, Translations

GROUPS = (*PUBLISHED, *toy.GROUPS)
CLASSES = {name: group.classes for group in GROUPS for name in group.tasks}
"""By task: its number of classes, or of choices a question."""
TASKS = tuple(CLASSES)
"""The names of all tasks."""


def load(
    names: Iterable[str],
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
        The seed of the draws.
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
    names = check_list("names", names, "a list of tasks")
    for name in names:
        check_choice("task", name, TASKS)
    check_once("task", names)
    items = check_integer("items", items, at_least=1)
    held_out = check_integer("held_out", held_out, at_least=0)
    seed = check_integer("seed", seed, at_least=0)
    further, more = {} if further is None else further, dict.fromkeys(names, 0)
    check_type("further", further, Mapping, "a dict of numbers by task")
    for name, number in further.items():
        check_choice("task of `further`", name, names)
        more[name] = check_integer(f"further[{name!r}]", number, at_least=0)
    loaded = {}
    for group in GROUPS:
        asked = [name for name in group.tasks if name in names]
        if asked:
            counts = items, max(more[name] for name in asked), held_out
            if group in PUBLISHED:
                streams, sources = published.streams(group, seed, folder)
            else:
                streams, sources = toy.streams(group, seed)
            drawn = _draw(group, streams, counts, balanced)
        for name in asked:
            place = group.tasks.index(name)
            parts = [tuple(entry[place] for entry in entries) for entries in drawn]
            parts[1] = parts[1][: more[name]]
            loaded[name] = TaskData(name, group.classes, *parts, sources[place])
    return {name: loaded[name] for name in names}


def _draw(
    group: Group, streams: Iterable[Iterator[Translations]], counts: Sequence[int], balanced: bool
) -> list[tuple[Translations, ...]]:
    """Return the first entries of each part's stream, as many as its count."""
    drawn, evenly = [], ", drawn evenly from its classes" if balanced else ""
    for part, stream, number in zip(PARTS, streams, counts, strict=True):
        entries = tuple(islice(_balanced(stream, group.classes) if balanced else stream, number))
        part = part.replace("_", "-")
        found = f"task `{group.tasks[0]}` has {len(entries):,} {part} items{evenly}"
        check(len(entries) == number, found, f"{number:,}, as many as were asked for")
        drawn.append(entries)
    training, further, _ = ({entry[0].key for entry in entries} for entries in drawn)
    found = f"task `{group.tasks[0]}` has {len(training & further):,} items too few"
    expected = f"enough for {len(training):,} training items and {len(further):,} further ones"
    check(training.isdisjoint(further), found, expected)
    return drawn


def _balanced(stream: Iterable[Translations], classes: int) -> Iterator[Translations]:
    """Yield one item of each class a round, in the order in which they came."""
    waiting: list[deque] = [deque() for _ in range(classes)]
    for arrival, entry in enumerate(stream):
        waiting[entry[0].label].append((arrival, entry))
        if all(waiting):
            for _, first in sorted(queue.popleft() for queue in waiting):
                yield first
