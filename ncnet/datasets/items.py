"""Items of a task, their division into training and held-out ones, and groups of tasks."""

from dataclasses import dataclass
from typing import NamedTuple
from zlib import crc32

import numpy as np

CHOICES = 5
"""The number of choices that every question has."""
PARTS = ("training", "further", "held_out")
"""The parts into which items are divided; see `TaskData`."""


@dataclass(frozen=True, slots=True)
class Item:
    """One sentence, pair of sentences, or question with its choices, and its label.

    Attributes
    ----------
    key
        Unique within the task, such as ``train:17``; the same for the translations of one item,
        where a task comes in several languages.
    label
        The class, or the index of the right choice.
    text
        The sentence, the first sentence of a pair, or the question.
    pair
        The second sentence of a pair.
    choices
        The choices of a question.

    Examples
    --------
    >>> Item("train:0", 1, "What floats?", choices=("a stone", "a cork")).sequences
    (('What floats?', 'a stone'), ('What floats?', 'a cork'))
    """

    key: str
    label: int
    text: str
    pair: str | None = None
    choices: tuple[str, ...] = ()

    @property
    def sequences(self) -> tuple[tuple[str, str | None], ...]:
        """The texts that an encoder reads, as (text, second text or None).

        One for a sentence or a pair; one a choice for a question.
        """
        return tuple((self.text, second) for second in self.choices or (self.pair,))

    @property
    def content(self) -> frozenset[str]:
        """Sentences in either order, or a question; equal of items that ask the same.

        >>> Item("train:0", 1, "Rain fell.", "It rained.").content == frozenset(
        ...     {"It rained.", "Rain fell."}
        ... )
        True
        """
        return frozenset([self.text] if self.pair is None else [self.text, self.pair])


@dataclass(frozen=True)
class TaskData:
    """The items of a task that a run uses.

    Attributes
    ----------
    name
        The task's name, such as ``sst2`` or ``paws_x/en``.
    classes
        Number of classes, or of choices a question.
    training
        The items that are trained on, and that S is computed on.
    further
        Further items that are trained on: more of them for one task than for another.
    held_out
        Items that are not trained on, and share no `Item.content` with any that could be.
    source
        The source of the items; anything here JSON holds. Of a folder, ``{"folder": True,
        "files": {name: SHA-256}}``; of the hub, its ``repository``, ``revision`` and
        ``configuration``; of text made here, its ``generator``.
    """

    name: str
    classes: int
    training: tuple[Item, ...]
    further: tuple[Item, ...]
    held_out: tuple[Item, ...]
    source: dict

    @property
    def multiple_choice(self) -> bool:
        """True if the items are questions with choices."""
        return bool(self.training[0].choices)


ItemsByKey = dict[str, Item]
"""The items of a split of a task."""
Translations = tuple[Item, ...]
"""The same item in each task of a group."""


class Group(NamedTuple):
    """One task alone, or all languages of one, which have translations of the same items.

    Attributes
    ----------
    name
        The name of its only task, or what the names of all have in common.
    classes
        The number of classes, or of choices a question.
    languages
        The languages; none for a task alone.
    """

    name: str
    classes: int
    languages: tuple[str, ...] = ()

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of its tasks."""
        return tuple(f"{self.name}/{language}" for language in self.languages) or (self.name,)

    def generator(self, seed: int, part: str) -> np.random.Generator:
        """Return what draws the items of one of `PARTS`."""
        return np.random.default_rng([seed, crc32(self.name.encode()), PARTS.index(part)])
