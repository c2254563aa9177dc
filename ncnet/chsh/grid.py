"""The grid that a long table fills: capacities, contexts, replicas and items, one row each."""

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
        By name, in the order of dimensions: the labels, and which of them each row has.
    """

    dimensions: dict[str, Labelled]

    def check_unique(self, hint: Callable[[int, int], str]) -> None:
        """Raise ``ValueError`` for a combination in two rows; the line ends with a hint on both."""
        numbers, _ = self._numbers(self.dimensions)
        twice = pd.Series(numbers).duplicated(keep=False).to_numpy()
        if twice.any():
            first, second = np.flatnonzero(numbers == numbers[twice.argmax()])[:2]
            both = f"rows {first} and {second} both have {self._in_words(first, self.dimensions)}"
            raise ValueError(f"{both}: expected one{hint(first, second)}")

    def check_complete(self) -> None:
        """Raise ``ValueError`` for a combination in no row; `check_unique` has to hold."""
        numbers, shape = self._numbers(self.dimensions)
        if len(numbers) == math.prod(shape):
            return
        alice, bob = (self.dimensions[name][1].tolist() for name in SETTINGS)
        contexts = set(zip(alice, bob, strict=True))
        for i, j in CONTEXTS:
            check((i - 1, j - 1) in contexts, f"context ({i},{j}) is empty", "all four contexts")
        numbers.sort()
        gaps = np.flatnonzero(numbers != np.arange(len(numbers)))
        missing = np.unravel_index(gaps[0] if len(gaps) else len(numbers), shape)
        at = self._labels(dict(zip(self.dimensions, missing, strict=True)))
        capacity = f" at capacity {at['capacity']}" if "capacity" in at else ""
        raise ValueError(
            f"context ({at['alice_setting']},{at['bob_setting']}) lacks replica "
            f"{shown(at['replica'])} with item {shown(at['item'])}{capacity}: expected every "
            f"replica with every item in each context, {math.prod(shape[-2:]):,} rows a context"
        )

    def array(
        self, column: Column, labelled: Labelled, dimensions: Iterable[str]
    ) -> tuple[list[str], np.ndarray]:
        """Return a column as an array over some dimensions, with those that the grid has.

        Raises
        ------
        ValueError
            For two rows that differ in this column, and in none of the dimensions.
        """
        labels, codes = labelled
        dimensions = [name for name in dimensions if name in self.dimensions]
        numbers, shape = self._numbers(dimensions)
        first_rows = np.empty(math.prod(shape), int)
        first_rows[numbers[::-1]] = np.arange(len(numbers))[::-1]
        differs = codes[first_rows[numbers]] != codes
        if differs.any():
            rows = first_rows[numbers[differs.argmax()]], differs.argmax()
            both = " and ".join(shown(column.cells[column.codes[row]]) for row in rows)
            raise ValueError(
                f"rows {rows[0]} and {rows[1]}: {self._in_words(rows[0], dimensions)} has "
                f"`{column.name}` {both}: expected one"
            )
        return dimensions, labels[codes[first_rows]].reshape(shape)

    def _in_words(self, row: int, dimensions: Iterable[str]) -> str:
        """Return in words which labels a row has in these dimensions."""
        labels = self._labels({name: self.dimensions[name][1][row] for name in dimensions})
        words = {name: f"{name} {shown(label)}" for name, label in labels.items()}
        if set(SETTINGS) <= set(labels):
            words["alice_setting"] = f"context ({labels['alice_setting']},{labels['bob_setting']})"
            del words["bob_setting"]
        return ", ".join(words.values())

    def _labels(self, codes: Mapping[str, int]) -> dict[str, object]:
        return {name: self.dimensions[name][0].item(code) for name, code in codes.items()}

    def _numbers(self, dimensions: Iterable[str]) -> tuple[np.ndarray, tuple[int, ...]]:
        """Return each row's combination as one number [rows], and how many labels there are."""
        labels, codes = zip(*map(self.dimensions.get, dimensions), strict=True)
        shape = tuple(map(len, labels))
        return np.ravel_multi_index(codes, shape), shape
