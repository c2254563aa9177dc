"""The four tasks of a CHSH experiment on an encoder: two of Alice's, two of Bob's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ncnet import datasets
from ncnet.checks import check_choice


@dataclass(frozen=True)
class Quartet:
    """Four tasks, and how many items each is trained on beside those that S is computed on.

    Attributes
    ----------
    name
        Short name.
    alice, bob
        Tasks of settings 1 and 2, by their names in `ncnet.datasets.TASKS`.
    paired
        True where the k-th items of all tasks are partners: translations of one another.
    further
        By task, further training items, as a multiple of the items that S is computed on.
    """

    name: str
    alice: tuple[str, str]
    bob: tuple[str, str]
    paired: bool = False
    further: Mapping[str, int] = field(default_factory=dict)

    @property
    def tasks(self) -> tuple[str, ...]:
        """All four tasks, Alice's first."""
        return (*self.alice, *self.bob)

    def data(self, *, items: int, held_out: int, seed: int) -> dict[str, datasets.TaskData]:
        """Return the items of all four tasks, drawn evenly from their classes.

        See `ncnet.datasets.load`: `items` is the number of those that S is computed on.

        >>> tasks = quartet("toy_mixed").data(items=2, held_out=1, seed=0)
        >>> {name: len(task.training) for name, task in tasks.items()}
        {'toy/mood': 2, 'toy/which': 2, 'toy/same': 2, 'toy/sum': 2}
        """
        further = {name: items * times for name, times in self.further.items()}
        return datasets.load(
            self.tasks, items=items, held_out=held_out, further=further, balanced=True, seed=seed
        )


def quartet(name: str) -> Quartet:
    """Return a quartet by name.

    >>> quartet("mixed_hard_together").alice
    ('sst2', 'commonsense_qa')
    >>> quartet("mixed_hard")
    Traceback (most recent call last):
    ValueError: unknown quartet `mixed_hard`: did you mean `mixed_hard_twice`?
    """
    check_choice("quartet", name, QUARTETS)
    return QUARTETS[name]


_QUARTETS = (
    Quartet("mixed_hard_together", ("sst2", "commonsense_qa"), ("mrpc", "mathqa")),
    Quartet("mixed_hard_apart", ("sst2", "mrpc"), ("commonsense_qa", "mathqa")),
    Quartet(
        "mixed_hard_twice",
        ("sst2", "commonsense_qa"),
        ("mrpc", "mathqa"),
        further={"commonsense_qa": 1, "mathqa": 1},
    ),
    Quartet("languages", ("paws_x/en", "paws_x/de"), ("paws_x/fr", "paws_x/es"), paired=True),
    Quartet("languages_ja", ("paws_x/en", "paws_x/de"), ("paws_x/fr", "paws_x/ja"), paired=True),
    Quartet("toy_mixed", ("toy/mood", "toy/which"), ("toy/same", "toy/sum")),
    Quartet(
        "toy_languages",
        ("toy_pairs/avelic", "toy_pairs/borun"),
        ("toy_pairs/cimtar", "toy_pairs/dushan"),
        paired=True,
    ),
)
QUARTETS = {quartet.name: quartet for quartet in _QUARTETS}
