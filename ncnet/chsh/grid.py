"""Where the rows of a long table belong: by capacity, context, replica and item."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ncnet.checks import check
from ncnet.chsh.columns import Column, Labelled
from ncnet.chsh.outcomes import CONTEXTS, SETTINGS
from ncnet.printing import shown


@dataclass(frozen=True)
class Grid:
    """All combinations of the dimensions' labels, and which of them each row has.

    Attributes
    ----------
    dimensions
        Labels of each dimension, in the order of dimensions, and which of them a row has.
    """

    dimensions: dict[str, Labelled]

    def check_once(self, hint: Callable[[int, int], str]) -> None:
        """Raise ``ValueError`` for a combination in two rows; the line ends with a hint on both."""
        flat, _ = self._flat(self.dimensions)
        twice = pd.Series(flat).duplicated(keep=False).to_numpy()
        if twice.any():
            first, second = np.flatnonzero(flat == flat[twice.argmax()])[:2]
            both = f"rows {first} and {second} both have {self._named(first, self.dimensions)}"
            raise ValueError(f"{both}: expected one{hint(first, second)}")

    def check_whole(self) -> None:
        """Raise ``ValueError`` for a combination that is in no row, if each is in one at most."""
        flat, shape = self._flat(self.dimensions)
        if len(flat) == math.prod(shape):
            return
        alice, bob = (self.dimensions[name][1].tolist() for name in SETTINGS)
        there = set(zip(alice, bob, strict=True))
        for i, j in CONTEXTS:
            check((i - 1, j - 1) in there, f"context ({i},{j}) is empty", "all four contexts")
        flat.sort()
        gaps = np.flatnonzero(flat != np.arange(len(flat)))
        missing = np.unravel_index(gaps[0] if len(gaps) else len(flat), shape)
        at = self._labels(dict(zip(self.dimensions, missing, strict=True)))
        capacity = f" at capacity {at['capacity']}" if "capacity" in at else ""
        raise ValueError(
            f"context ({at['alice_setting']},{at['bob_setting']}) lacks replica "
            f"{shown(at['replica'])} with item {shown(at['item'])}{capacity}: expected every "
            f"replica with every item in each context, {math.prod(shape[-2:]):,} rows a context"
        )

    def spread(
        self, column: Column, labelled: Labelled, dimensions: Iterable[str]
    ) -> tuple[list[str], np.ndarray]:
        """Return a column as an array over these dimensions, as far as they are there.

        Raises
        ------
        ValueError
            For two rows that differ in the column alone.
        """
        labels, codes = labelled
        dimensions = [name for name in dimensions if name in self.dimensions]
        flat, shape = self._flat(dimensions)
        first = np.empty(math.prod(shape), int)
        first[flat[::-1]] = np.arange(len(flat))[::-1]
        differs = codes[first[flat]] != codes
        if differs.any():
            rows = first[flat[differs.argmax()]], differs.argmax()
            both = " and ".join(shown(column.cells[column.codes[row]]) for row in rows)
            raise ValueError(
                f"rows {rows[0]} and {rows[1]}: {self._named(rows[0], dimensions)} has "
                f"`{column.name}` {both}: expected one"
            )
        return dimensions, labels[codes[first]].reshape(shape)

    def _named(self, row: int, dimensions: Iterable[str]) -> str:
        """Return what a row has in these dimensions."""
        has = self._labels({name: self.dimensions[name][1][row] for name in dimensions})
        said = {name: f"{name} {shown(label)}" for name, label in has.items()}
        if set(SETTINGS) <= set(has):
            said["alice_setting"] = f"context ({has['alice_setting']},{has['bob_setting']})"
            del said["bob_setting"]
        return ", ".join(said.values())

    def _labels(self, places: Mapping[str, int]) -> dict[str, object]:
        return {name: self.dimensions[name][0].item(place) for name, place in places.items()}

    def _flat(self, dimensions: Iterable[str]) -> tuple[np.ndarray, tuple[int, ...]]:
        """Return each row's combination as one number [rows], and how many labels there are."""
        labels, codes = zip(*map(self.dimensions.get, dimensions), strict=True)
        shape = tuple(map(len, labels))
        return np.ravel_multi_index(codes, shape), shape
