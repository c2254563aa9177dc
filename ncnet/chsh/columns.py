"""Columns of a table of outcomes, and what their cells mean: settings, outcomes, names, numbers."""

import datetime
import math
import numbers
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from ncnet.checks import check, plain_number
from ncnet.chsh.outcomes import SPLITS
from ncnet.files import is_storable_text
from ncnet.printing import shortened, shown

CODINGS = "true or false, 1 or 0, or +1 or -1"
SIGNED, BINARY, BOOLEAN = "+1 and -1", "1 and 0", "true and false"
NUMBERS = {1: (None, 1), 0: (BINARY, -1), -1: (SIGNED, -1)}
"""Outcomes by number: the coding that it shows, which 1 does not, and what it stands for."""
CONTEXT = re.compile(
    r"([12])([12])(?:\.0+)?|"  # 12.0 is a number that was 12
    r"([12])(?:\.0+)?(?: *, *| +)([12])(?:\.0+)?"
)
Labelled = tuple[np.ndarray, np.ndarray]
"""The distinct labels of a column, and [rows] which of them each row has."""


class Column:
    """A column of a table, each distinct cell of which is read once.

    Attributes
    ----------
    name
        The column's name in the table, for messages.
    codes
        [rows] which of `cells` a row has.
    cells
        The distinct cells, in the order in which they come. Cells of different types are
        different: 1, 1.0, true and "1" are four.
    """

    def __init__(self, series: pd.Series) -> None:
        self.name = shortened(str(series.name))
        kind = pd.api.types.infer_dtype(series, skipna=False) if series.dtype == object else ""
        if kind in ("", "string", "integer", "boolean"):
            codes, cells = pd.factorize(series, use_na_sentinel=False)
            cells = cells.tolist()
        else:
            # By type, since 1, 1.0 and true are equal; as text, since a list has no hash.
            plain = map(plain_number, series)
            codes, _ = pd.factorize(pd.Series([(type(cell), repr(cell)) for cell in plain]))
            cells = series.iloc[np.unique(codes, return_index=True)[1]].tolist()
        self.codes = codes.astype(np.int32)
        self.cells = list(map(plain_number, cells))  # so that messages show 1, not np.int64(1)

    def read(self, meaning: Callable, expected: str) -> list:
        """Return what each of `cells` means; raise ``ValueError`` for the first that is None."""
        meanings = [meaning(cell) for cell in self.cells]
        if None in meanings:
            raise ValueError(f"{self.where(meanings.index(None))}: expected {expected}")
        return meanings

    def labelled(self, meanings: Sequence) -> Labelled:
        """Return as labels what each of `cells` means; those that mean the same have one label."""
        labels = np.array(meanings)
        if labels.dtype.kind == "U":
            return labels, self.codes
        merged, labels = pd.factorize(labels, use_na_sentinel=False)
        return labels, merged.astype(np.int32)[self.codes]

    def where(self, place: int) -> str:
        """Return where one of `cells` first stands, for messages."""
        row = (self.codes == place).argmax()
        return f"row {row}: `{self.name}` is {shown(self.cells[place])}"


def read_outcomes(columns: Mapping[str, Column]) -> tuple[dict[str, Labelled], str]:
    """Return outcomes +1 and -1 by the names of their columns, and how all of them were coded.

    Raises
    ------
    ValueError
        For a cell that is no outcome, or outcomes in two codings.

    Examples
    --------
    >>> columns = {"a": Column(pd.Series([1, 1])), "b": Column(pd.Series([0, 1]))}
    >>> labelled, coding = read_outcomes(columns)
    >>> [labels[codes].tolist() for labels, codes in labelled.values()], coding
    ([[1, 1], [-1, 1]], '1 and 0')
    """
    labelled, first_coding, first_place = {}, None, ""
    for name, column in columns.items():
        outcomes = column.read(_outcome, CODINGS)
        for place, (coding, _) in enumerate(outcomes):
            if coding and first_coding is None:
                first_coding, first_place = coding, column.where(place)
            if coding not in (None, first_coding):
                both = f"{column.where(place)}, {first_place}"
                raise ValueError(f"{both}: expected one coding throughout, {CODINGS}")
        labelled[name] = column.labelled(np.array([sign for _, sign in outcomes], np.int8))
    return labelled, first_coding or SIGNED


def read_settings(columns: Sequence[Column]) -> list[Labelled]:
    """Return Alice's settings and Bob's, from one column of contexts or from a column for each."""
    if len(columns) == 1:
        [column] = columns
        both = np.array(column.read(context, "11, 12, 21 or 22"))[column.codes].T
    else:
        both = [np.array(one.read(_setting, "1 or 2"))[one.codes] for one in columns]
    return [(np.array([1, 2]), one - 1) for one in both]


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
    return tuple(int(digit) for digit in written.groups() if digit) if written else None


def read_names(column: Column) -> Labelled:
    """Return names, all of one type.

    Raises
    ------
    ValueError
        For a cell that is no name, or two of different types that are the same as text.

    Examples
    --------
    >>> read_names(Column(pd.Series(["007", "NA", 7])))
    (array(['007', 'NA', '7'], dtype='<U3'), array([0, 1, 2], dtype=int32))
    """
    names = column.read(_name, "a number or a name")
    array = np.array(names)
    # Of several types, and of integers that are too large, an array holds something else.
    if array.dtype != object and [*map(type, array.tolist())] == [*map(type, names)]:
        return column.labelled(names)
    texts: dict[str, int] = {}
    for place, text in enumerate(map(str, names)):
        before = texts.setdefault(text, place)
        both = f"{column.where(place)}, {column.where(before)}" if before < place else ""
        check(not both, both, "names of one type, or different as text")
    return column.labelled(list(texts))


def number(value: object) -> float | None:
    """Return a number; a missing one is not a number, NaN.

    >>> number("-0.5"), number(""), number("high"), number(True)
    (-0.5, nan, None, None)
    """
    text = str(value)
    if not text.strip() or value is None or value is pd.NA:
        return float("nan")
    try:
        return float(text)
    except ValueError:
        return None


def _outcome(value: object) -> tuple[str | None, int] | None:
    """Return the coding that a cell shows, or None, and the outcome; None for no outcome."""
    text = str(value).strip().lower().replace("\N{MINUS SIGN}", "-")
    if text in ("true", "false"):
        return BOOLEAN, 1 if text == "true" else -1
    return NUMBERS.get(number(text))


def _setting(value: object) -> int | None:
    """Return a setting, 1 or 2."""
    return {"1": 1, "1.0": 1, "2": 2, "2.0": 2}.get(str(value).strip())


def _split(value: object) -> str | None:
    """Return a split."""
    return value if isinstance(value, str) and value in SPLITS else None


def _flag(value: object) -> bool | None:
    """Return true or false, also where it is written as 1 or 0."""
    found = _outcome(value)
    return None if found is None or found[0] == SIGNED else found[1] > 0


def _capacity(value: object) -> float | None:
    """Return a number that is not missing; whole ones stay whole."""
    found = number(value)
    if found is None or math.isnan(found):
        return None
    return value if isinstance(value, int) and abs(value) < 2**63 else found


def _name(value: object) -> object:
    """Return a name: text or a number; None for what is neither or cannot be written to a file."""
    if isinstance(value, str):
        return value if value.strip() and is_storable_text(value) else None
    if not isinstance(value, (numbers.Number, datetime.date)) or value != value:
        return None
    return value if isinstance(value, (bool, int, float)) else str(value)


MEANINGS = {
    "split": (_split, "`training` or `held_out`"),
    "diverged": (_flag, "true or false"),
    "alice_loss": (number, "a number"),
    "bob_loss": (number, "a number"),
    "capacity": (_capacity, "a number"),
}
"""What a cell means in columns that hold neither outcomes nor names, and what is expected there."""


def read_labels(name: str, column: Column) -> Labelled:
    """Return what the cells of one of our columns mean: as `MEANINGS` says, or else names.

    Raises
    ------
    ValueError
        For a cell that means nothing there.

    Examples
    --------
    >>> read_labels("capacity", Column(pd.Series(["2", "0.5", "2.0"])))
    (array([2. , 0.5]), array([0, 1, 0], dtype=int32))
    """
    if name in MEANINGS:
        return column.labelled(column.read(*MEANINGS[name]))
    return read_names(column)
