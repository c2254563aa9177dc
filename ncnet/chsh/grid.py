"""Where the rows of a long table belong: by capacity, context, replica and item."""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from ncnet.chsh import columns as meaning
from ncnet.chsh.columns import Cells
from ncnet.printing import shortened

SETTINGS = ("alice_setting", "bob_setting")


@dataclass(frozen=True)
class Grid:
    """All combinations of the dimensions' labels, and where among them each row is.

    Attributes
    ----------
    labels
        Of each dimension, in the order of the dimensions.
    places
        [rows] which label of a dimension each row has.
    """

    labels: dict[str, np.ndarray]
    places: dict[str, np.ndarray]

    @classmethod
    def of(cls, cells: Mapping[str, Cells]) -> Self:
        """Return the grid of a table with these columns."""
        labels, places = {}, {}
        if "capacity" in cells:
            labels["capacity"], places["capacity"] = meaning.capacities(cells["capacity"])
        for name, settings in zip(SETTINGS, _settings(cells), strict=True):
            labels[name], places[name] = np.array([1, 2]), settings - 1
        for name in ("replica", "item"):
            labels[name], places[name] = meaning.names(cells[name]), cells[name].places
        return cls(labels, places)

    def check_once(self, hint: Callable[[int, int], str]) -> None:
        """Raise ``ValueError`` for a combination in two rows; the line ends with a hint on both."""
        flat, _ = self._flat(self.labels)
        twice = pd.Series(flat).duplicated(keep=False).to_numpy()
        if twice.any():
            first, second = np.flatnonzero(flat == flat[twice.argmax()])[:2]
            raise ValueError(
                f"rows {first} and {second} both have {self._named(first, self.labels)}: "
                f"expected one{hint(first, second)}"
            )

    def check_whole(self) -> None:
        """Raise ``ValueError`` for a combination that is in no row, if each is in one at most."""
        flat, shape = self._flat(self.labels)
        if len(flat) == math.prod(shape):
            return
        contexts = set(zip(*(self.places[name].tolist() for name in SETTINGS), strict=True))
        for i, j in itertools.product((0, 1), (0, 1)):
            if (i, j) not in contexts:
                raise ValueError(f"context ({i + 1},{j + 1}) is empty: expected all four contexts")
        flat.sort()
        gaps = np.flatnonzero(flat != np.arange(len(flat)))
        missing = np.unravel_index(gaps[0] if len(gaps) else len(flat), shape)
        at = dict(zip(self.labels, missing, strict=True))
        replica, item = (
            shortened(repr(self.labels[name].item(at[name]))) for name in ("replica", "item")
        )
        capacity = ""
        if "capacity" in at:
            capacity = f" at capacity {self.labels['capacity'].item(at['capacity'])}"
        raise ValueError(
            f"context ({at['alice_setting'] + 1},{at['bob_setting'] + 1}) lacks replica "
            f"{replica} with item {item}{capacity}: expected every replica with every item in "
            f"each context, {math.prod(shape[-2:]):,} rows a context"
        )

    def spread(
        self, cells: Cells, values: np.ndarray, dimensions: Iterable[str]
    ) -> tuple[list[str], np.ndarray]:
        """Return a column's values as an array over these dimensions, as far as they are there.

        Raises
        ------
        ValueError
            For two rows that differ in the column alone.
        """
        dimensions = [name for name in dimensions if name in self.labels]
        flat, shape = self._flat(dimensions)
        spread = np.empty(math.prod(shape), values.dtype)
        spread[flat[::-1]] = values[::-1]
        there = spread[flat]
        differs = (there != values) & ((there == there) | (values == values))  # NaN is as NaN
        if differs.any():
            second = int(differs.argmax())
            first = int((flat == flat[second]).argmax())
            both = [shortened(repr(cells.values[cells.places[row]])) for row in (first, second)]
            raise ValueError(
                f"rows {first} and {second}: {self._named(second, dimensions)} has "
                f"`{shortened(str(cells.name))}` {' and '.join(both)}: expected one"
            )
        return dimensions, spread.reshape(shape)

    def _flat(self, dimensions: Iterable[str]) -> tuple[np.ndarray, tuple[int, ...]]:
        """Return each row's combination as one number [rows], and how many labels there are."""
        dimensions = list(dimensions)
        shape = tuple(len(self.labels[name]) for name in dimensions)
        return np.ravel_multi_index([self.places[name] for name in dimensions], shape), shape

    def _named(self, row: int, dimensions: Iterable[str]) -> str:
        """Return what a row has in these dimensions."""
        has = {name: self.labels[name].item(self.places[name][row]) for name in dimensions}
        said = [f"{name} {shortened(repr(label))}" for name, label in has.items()]
        if set(SETTINGS) <= set(has):
            alice, bob = (list(has).index(name) for name in SETTINGS)
            said[alice : bob + 1] = [f"context ({has['alice_setting']},{has['bob_setting']})"]
        return ", ".join(said)


def _settings(cells: Mapping[str, Cells]) -> Iterable[np.ndarray]:
    """Return Alice's settings and Bob's, [rows] each."""
    if "context" in cells:
        pairs = cells["context"].read(meaning.context, "11, 12, 21 or 22")
        return np.array(pairs)[cells["context"].places].T
    found = [cells[name].read(meaning.setting, "1 or 2") for name in SETTINGS]
    return [np.array(x)[cells[name].places] for name, x in zip(SETTINGS, found, strict=True)]
