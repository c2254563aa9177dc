"""The earlier runs of MiniLM, whose tables are still recorded: four contexts of named quartets.

Their heads and orders of items follow from the party, and not from the task, as those of today do.
So each context is a network of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ncnet import datasets


@dataclass(frozen=True)
class Earlier:
    """Four tasks, and how many items each is trained on beside those that S is computed on."""

    alice: tuple[str, str]
    bob: tuple[str, str]
    paired: bool = False
    further: Mapping[str, int] = field(default_factory=dict)

    @property
    def tasks(self) -> tuple[str, ...]:
        """All four tasks, Alice's first."""
        return (*self.alice, *self.bob)

    def data(self, *, items: int, held_out: int, seed: int) -> dict[str, datasets.TaskData]:
        """Return the items of all four tasks, drawn evenly from their classes."""
        further = {name: items * times for name, times in self.further.items()}
        return datasets.load(
            self.tasks, items=items, held_out=held_out, further=further, balanced=True, seed=seed
        )


EARLIER = {
    "mixed_hard_together": Earlier(("sst2", "commonsense_qa"), ("mrpc", "mathqa")),
    "mixed_hard_apart": Earlier(("sst2", "mrpc"), ("commonsense_qa", "mathqa")),
    "mixed_hard_twice": Earlier(
        ("sst2", "commonsense_qa"), ("mrpc", "mathqa"), further={"commonsense_qa": 1, "mathqa": 1}
    ),
    "languages": Earlier(("paws_x/en", "paws_x/de"), ("paws_x/fr", "paws_x/es"), paired=True),
}
"""The quartets, by name."""
