"""Says in which order the networks of a sweep are trained, where each is kept, what they become."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

import numpy as np
import xarray as xr
from tqdm import tqdm

from ncnet.chsh.outcomes import DIMENSIONS

Axes = Mapping[str, Sequence]
"""The capacities, replicas, settings of Alice's and settings of Bob's that networks are trained
for, by the name of their dimension."""
Returned = TypeVar("Returned")


class NetworkKey(NamedTuple):
    """Tells one network of a sweep from all others.

    Attributes
    ----------
    capacity
        The capacity of its trunk; None where there is no sweep over capacities.
    replica
        Its number.
    alice_setting, bob_setting
        Both parties' settings, 1 or 2.
    """

    capacity: float | None
    replica: int
    alice_setting: int
    bob_setting: int

    def label(self, capacity_name: str) -> str:
        """Return it in words, for messages.

        >>> NetworkKey(None, 7, 2, 1).label("width"), NetworkKey(3, 7, 2, 1).label("width")
        ('context (2,1) of replica 7', 'context (2,1) of replica 7 at width 3')
        """
        text = f"context ({self.alice_setting},{self.bob_setting}) of replica {self.replica}"
        return text if self.capacity is None else f"{text} at {capacity_name} {self.capacity}"

    def path(self, capacity_name: str) -> Path:
        """Return the path within a folder at which it is kept.

        >>> NetworkKey(0.5, 7, 2, 1).path("rank").as_posix()
        'rank_0.5/replica_007/context_21'
        """
        path = Path(f"replica_{self.replica:03}", f"context_{self.alice_setting}{self.bob_setting}")
        above = "" if self.capacity is None else f"{capacity_name}_{float(self.capacity)!r}"
        return above.removesuffix(".0") / path

    @classmethod
    def at(cls, path: Path) -> Self:
        """Return the key of what is kept at a path; a whole number as capacity is an integer.

        >>> NetworkKey.at(Path("rank_4", "replica_007", "context_21"))
        NetworkKey(capacity=4, replica=7, alice_setting=2, bob_setting=1)
        """
        *capacity, replica, settings = (
            float(part.rpartition("_")[2]) for part in path.with_suffix("").parts
        )
        capacity = [int(c) if c.is_integer() else c for c in capacity] or [None]
        return cls(*capacity, int(replica), *divmod(int(settings), 10))


def network_keys(axes: Axes) -> list[NetworkKey]:
    """Return the keys of all networks in the order in which they are trained."""
    return [NetworkKey(*values) for values in itertools.product(*axes.values())]


def train_each(train: Callable[[NetworkKey], Returned], axes: Axes) -> list[Returned]:
    """Return what `train` gives for each network, and show how far it is."""
    keys = tqdm(network_keys(axes), "contexts", leave=False, disable=None)
    return [train(key) for key in keys]


def on_axes(results: Sequence[Mapping], axes: Axes, coordinates: Mapping) -> xr.Dataset:
    """Return the results of all `network_keys`, numbers or [items] by name, as a Dataset."""
    shape, variables = tuple(map(len, axes.values())), {}
    for name in results[0] if results else ():
        values = np.array([result[name] for result in results])
        dimensions = (*axes, *["item"] * (values.ndim - 1))
        variables[name] = dimensions, values.reshape(*shape, *values.shape[1:])
    labels = {name: np.array(values) for name, values in axes.items()}
    dataset = xr.Dataset(variables, {**labels, **coordinates})
    return dataset.transpose("capacity", *DIMENSIONS, missing_dims="ignore")
