"""The earlier runs of MiniLM, whose tables are still recorded: four contexts of named quartets.

Their heads and orders of items follow from the party, and not from the task, as those of today do.
So each context is a network of its own, and this trains one as they did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ncnet import datasets
from ncnet.chsh.outcomes import SETTINGS

if TYPE_CHECKING:
    from ncnet.encoders import Encoder, Hyperparameters


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


def train_earlier(
    encoder: Encoder,
    name: str,
    tasks: Mapping[str, datasets.TaskData],
    hyperparameters: Hyperparameters,
    axes: Mapping[str, list],
) -> xr.Dataset:
    """Return the outcomes and losses of the networks along these axes.

    Parameters
    ----------
    encoder, hyperparameters
        The encoder, and how networks are trained.
    name, tasks
        The quartet's name, and its items.
    axes
        The `capacity` (ranks), `replica` and settings of the networks.
    """
    from ncnet.encoders.sweep import Sweep

    quartet, found = EARLIER[name], {}
    of_axes = {"capacity": axes["capacity"], "replica": axes["replica"]}
    for i in axes["alice_setting"]:
        for j in axes["bob_setting"]:
            both = quartet.alice[i - 1], quartet.bob[j - 1]
            pair = tuple(sorted(both))
            keys = {both[0]: (0,), both[1]: (1,)}
            data = {task: tasks[task] for task in both}
            sweep = Sweep(encoder, data, [pair], hyperparameters, keys=keys)
            of_pair = sweep.outcomes(*of_axes.values()).isel(pair=0)
            heads = ("first", "second") if pair == both else ("second", "first")
            names = dict(zip(heads, ("a", "b"), strict=True))
            names |= {f"{head}_loss": f"{p}_loss" for head, p in zip(heads, PARTIES, strict=True)}
            found[i, j] = of_pair.rename(names)[[*names.values(), "diverged"]]
    rows = [
        xr.concat([found[i, j] for j in axes["bob_setting"]], "bob_setting")
        for i in axes["alice_setting"]
    ]
    outcomes = xr.concat(rows, "alice_setting").drop_vars(["first_task", "second_task"])
    settings = {name: np.array(axes[name]) for name in SETTINGS}
    return outcomes.assign_coords(settings).assign_attrs(paired=int(quartet.paired))


PARTIES = ("alice", "bob")
