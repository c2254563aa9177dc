"""What the cells of a table's columns mean: settings, outcomes, names, numbers."""

import datetime
import math
import numbers
import re
from collections.abc import Callable, Hashable, Sequence

import numpy as np
import pandas as pd

from ncnet.chsh.outcomes import SPLITS
from ncnet.files import is_storable_text
from ncnet.printing import shortened

CODINGS = "true or false, 1 or 0, or +1 or -1"
SIGNED, BINARY, BOOLEAN = "+1 and -1", "1 and 0", "true and false"
OUTCOMES = {1: (None, 1), 0: (BINARY, -1), -1: (SIGNED, -1)}
"""What a number tells of the coding, and the outcome: 1 is in two codings."""
CONTEXT = re.compile(
    r"([12])([12])(?:\.0+)?|"  # 12.0 is a number that was 12
    r"([12])(?:\.0+)?(?: *, *| +)([12])(?:\.0+)?"
)
KINDS = {bool: "b", int: "iu", float: "f", str: "U"}
"""Kinds of arrays that hold names of a type; integers that are too large for one become text."""


class Cells:
    """The cells of one column, of which each distinct one is read once.

    Attributes
    ----------
    name
        The column's name in the table.
    places
        [rows] which of `values` a cell holds.
    values
        The distinct cells, in the order in which they come. Cells of different types are
        different: 1, 1.0, true and "1" are four.
    """

    def __init__(self, column: pd.Series) -> None:
        self.name = column.name
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
            self.places, values = pd.factorize(column.to_numpy(), use_na_sentinel=False)
            self.values = values.tolist()
            return
        cells = column.tolist()
        one_type = len(set(map(type, cells))) == 1 and isinstance(cells[0], (str, int))
        keys = cells if one_type else map(_key, cells)
        found: dict[Hashable, int] = {}
        self.places = np.array([found.setdefault(key, len(found)) for key in keys])
        first = np.unique(self.places, return_index=True)[1]
        self.values = [_plain(cells[row]) for row in first]

    def read(self, meaning: Callable, expected: str) -> list:
        """Return what `meaning` makes of each of `values`.

        Raises
        ------
        ValueError
            For the first that means nothing, None.
        """
        found = [meaning(value) for value in self.values]
        for place, means in enumerate(found):
            if means is None:
                raise ValueError(f"{self.where(place)}: expected {expected}")
        return found

    def where(self, place: int) -> str:
        """Return where one of the values first stands, for messages."""
        row = (self.places == place).argmax()
        return f"row {row}: `{shortened(str(self.name))}` is {shortened(repr(self.values[place]))}"


def context(value: object) -> tuple[int, int] | None:
    """Return both settings of a context, whichever way it is written.

    >>> context(12.0), context("( 1, 2 )"), context("1-2")
    ((1, 2), (1, 2), None)
    """
    several = isinstance(value, (tuple, list, np.ndarray))
    text = (",".join(map(str, value)) if several else str(value)).strip()
    if text[:1] + text[-1:] in ("()", "[]"):
        text = text[1:-1].strip()
    written = CONTEXT.fullmatch(text)
    if not written:
        return None
    alice, bob = (int(digit) for digit in written.groups() if digit)
    return alice, bob


def setting(value: object) -> int | None:
    """Return a setting, 1 or 2."""
    return {"1": 1, "1.0": 1, "2": 2, "2.0": 2}.get(str(value).strip())


def split(value: object) -> str | None:
    """Return a split, `training` or `held_out`."""
    return value if isinstance(value, str) and value in SPLITS else None


def outcomes(columns: Sequence[Cells]) -> tuple[list[np.ndarray], str]:
    """Return outcomes +1 and -1, a column each, and how they were coded.

    Raises
    ------
    ValueError
        For a cell that is no outcome, or outcomes in two codings.

    Examples
    --------
    >>> outcomes([Cells(pd.Series([1, 1], name="a")), Cells(pd.Series([1, 0], name="b"))])
    ([array([1, 1], dtype=int8), array([ 1, -1], dtype=int8)], '1 and 0')
    """
    signs, first = [], None
    for cells in columns:
        found = cells.read(_outcome, CODINGS)
        for place, (coding, _) in enumerate(found):
            if coding and first and first[0] != coding:
                raise ValueError(
                    f"{cells.where(place)}, {first[1]}: expected one coding throughout, {CODINGS}"
                )
            if coding and not first:
                first = coding, cells.where(place)
        signs.append(np.array([sign for _, sign in found], np.int8)[cells.places])
    return signs, first[0] if first else SIGNED


def flag(value: object) -> bool | None:
    """Return true or false, also where it is written as 1 or 0."""
    found = _outcome(value)
    return None if found is None or found[0] == SIGNED else found[1] > 0


def number(value: object) -> float | None:
    """Return a number; a missing one is not a number, NaN.

    >>> number("-0.5"), number(""), number("high")
    (-0.5, nan, None)
    """
    if _is_missing(value) or (isinstance(value, str) and not value.strip()):
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, (str, numbers.Number)):
        return None
    try:
        return float(value)
    except (ValueError, TypeError, OverflowError):
        return None


def names(cells: Cells) -> np.ndarray:
    """Return what each of the distinct cells is called, as an array of one type.

    Raises
    ------
    ValueError
        For a cell that is no name, or two of different types that are the same as text.

    Examples
    --------
    >>> names(Cells(pd.Series(["007", "NA", 7])))
    array(['007', 'NA', '7'], dtype='<U3')
    """
    found = cells.read(_name, "a number or a name")
    if len(set(map(type, found))) == 1:
        array = np.array(found)
        if array.dtype.kind in KINDS.get(type(found[0]), ""):
            return array
    texts = list(map(str, found))
    first: dict[str, int] = {}
    for place, text in enumerate(texts):
        before = first.setdefault(text, place)
        if before < place:
            raise ValueError(
                f"{cells.where(place)}, {cells.where(before)}: expected names of one type, or "
                "different as text"
            )
    return np.array(texts)


def capacities(cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct capacities, and which of them each row has.

    >>> capacities(Cells(pd.Series(["2", "0.5", "2.0"])))
    (array([2. , 0.5]), array([0, 1, 0]))
    """
    places, labels = pd.factorize(np.array(cells.read(_capacity, "a number")))
    return labels, places[cells.places]


def _outcome(value: object) -> tuple[str | None, int] | None:
    """Return the coding that a cell tells, if it does, and the outcome."""
    if isinstance(value, str):
        text = value.strip().lower().replace("\N{MINUS SIGN}", "-")
        value = text == "true" if text in ("true", "false") else number(text)
    if isinstance(value, bool):
        return BOOLEAN, 1 if value else -1
    return OUTCOMES.get(value) if isinstance(value, numbers.Number) else None


def _capacity(value: object) -> float | None:
    found = number(value)
    if found is None or math.isnan(found):
        return None
    return value if isinstance(value, int) and abs(value) < 2**63 else found


def _name(value: object) -> object:
    """Return a name: text or a number; None for what is neither or cannot be written to a file."""
    if _is_missing(value):
        return None
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return value if value.strip() and is_storable_text(value) else None
    return str(value) if isinstance(value, (numbers.Number, datetime.date)) else None


def _is_missing(value: object) -> bool:
    if isinstance(value, (numbers.Number, datetime.date)):
        return value != value
    return value is None or value is pd.NA


def _key(cell: object) -> Hashable:
    cell = _plain(cell)
    try:
        hash(cell)
    except TypeError:
        return type(cell), repr(cell)
    return type(cell), cell


def _plain(value: object) -> object:
    """Return what numpy wraps, so that messages show 1 and not np.int64(1)."""
    return value.item() if isinstance(value, np.generic) else value
