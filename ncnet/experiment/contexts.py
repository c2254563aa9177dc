"""The contexts of a sweep: the order they are trained in, where each is kept, what they become."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import xarray as xr
from tqdm import tqdm

from ncnet.chsh.outcomes import DIMENSIONS

SETTINGS = {"alice_setting": (1, 2), "bob_setting": (1, 2)}
"""The settings of all four contexts."""
Networks = Mapping[str, Sequence]
"""What there are networks of: capacities, replicas, settings of Alice's and settings of Bob's."""
Found = TypeVar("Found")


class Context(NamedTuple):
    """One network of a sweep.

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

    def told(self, kind: str) -> str:
        """Return it in words, for messages.

        >>> Context(None, 7, 2, 1).told("width"), Context(3, 7, 2, 1).told("width")
        ('context (2,1) of replica 7', 'context (2,1) of replica 7 at width 3')
        """
        text = f"context ({self.alice_setting},{self.bob_setting}) of replica {self.replica}"
        return text if self.capacity is None else f"{text} at {kind} {self.capacity}"

    def path(self, kind: str) -> Path:
        """Return where in a folder it is kept; `kind` is what its capacity is called.

        >>> Context(0.5, 7, 2, 1).path("rank").as_posix()
        'rank_0.5/replica_007/context_21'
        """
        path = Path(f"replica_{self.replica:03}", f"context_{self.alice_setting}{self.bob_setting}")
        above = "" if self.capacity is None else f"{kind}_{float(self.capacity)!r}"
        return above.removesuffix(".0") / path

    @classmethod
    def at(cls, path: Path) -> Context:
        """Return the context that is kept at a path; a whole number as capacity is an integer."""
        *capacity, replica, settings = (
            float(part.rpartition("_")[2]) for part in path.with_suffix("").parts
        )
        capacity = [int(c) if c.is_integer() else c for c in capacity] or [None]
        return cls(*capacity, int(replica), *divmod(int(settings), 10))


def contexts(networks: Networks) -> list[Context]:
    """Return the contexts of these networks in the order in which they are trained."""
    return [Context(*one) for one in itertools.product(*networks.values())]


def swept(train: Callable[[Context], Found], asked: Iterable[Context]) -> list[Found]:
    """Return what `train` gives for each context, and show how far it is."""
    return [train(context) for context in tqdm(asked, "contexts", leave=False, disable=None)]


def laid_out(found: Sequence[Mapping], networks: Networks, coordinates: Mapping) -> xr.Dataset:
    """Return what is known of each of the `contexts`, a number or [items], as one Dataset."""
    shape, variables = tuple(map(len, networks.values())), {}
    for name in found[0] if found else ():
        values = np.array([one[name] for one in found])
        dimensions = (*networks, *["item"] * (values.ndim - 1))
        variables[name] = dimensions, values.reshape(*shape, *values.shape[1:])
    labels = {name: np.array(values) for name, values in networks.items()}
    dataset = xr.Dataset(variables, {**labels, **coordinates})
    return dataset.transpose("capacity", *DIMENSIONS, missing_dims="ignore")
