"""Numbers as a reader sees them."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from ncnet.chsh.betting import Interval

NONE = "\N{EN DASH}"
"""Stands in a table where there is no number."""
MOST_DIGITS = 15
"""A float has no more."""


def number_text(value: float, digits: int = 3, *, sign: str = "") -> str:
    """Return a number to some digits, 0 without a sign of its own.

    >>> number_text(1.98765), number_text(-0.0001), number_text(0.25, 1)
    ('1.988', '0.000', '0.2')
    """
    return f"{value:{sign}z.{digits}f}"


def interval_text(interval: Interval, digits: int = 3, *, sign: str = "") -> str:
    """Return an interval to some digits, with `sign` "+" with the signs of both ends.

    Ends that so few digits do not tell apart get more.

    >>> interval_text((1.98765, 2)), interval_text((1.9999, 2.00012)), interval_text((0, 0))
    ('[1.988, 2.000]', '[1.9999, 2.0001]', '[0.000, 0.000]')
    """
    digits = _telling_apart(*interval, digits)
    low, high = (number_text(end, digits, sign=sign) for end in interval)
    return f"[{low}, {high}]"


def span_text(values: Iterable[float], digits: int = 2) -> str:
    """Return the smallest and the largest of some values, to some digits; once where all are alike.

    Ends that so few digits do not tell apart get more, and a single value that is whole has none,
    so that nothing is rounded to 0 that is not.

    >>> span_text([2, 0.5, 1]), span_text([0.001, 0.034], 1), span_text([0, 0]), span_text([1.25])
    ('0.50 to 2.00', '0.00 to 0.03', '0', '1.25')
    """
    values = list(values)
    low, high = min(values), max(values)
    if low == high:
        return f"{low:z.0f}" if low == round(low) else number_text(low, digits)
    digits = _telling_apart(low, high, digits)
    return f"{number_text(low, digits)} to {number_text(high, digits)}"


def estimate_text(value: float, interval: Interval) -> str:
    """Return a number with its interval.

    >>> estimate_text(2.3, (2.25, 2.361))
    '2.300 [2.250, 2.361]'
    """
    return f"{number_text(value)} {interval_text(interval)}"


def interval_name(level: float) -> str:
    """Return what an interval is called, such as "95 % interval"."""
    return f"{100 * level:g} % interval"


def table_of_text(
    rows: Iterable[Sequence], columns: Sequence[str], digits: int = 3, *, sign: str = ""
) -> pd.DataFrame:
    """Return rows of a label and cells as text: numbers, intervals, what is text, and None.

    >>> columns = ["value", "interval", "error"]
    >>> table_of_text([("S", 2.3, (2.2, 2.4), None)], columns).loc["S"].tolist()
    ['2.300', '[2.200, 2.400]', '']
    """

    def text(cell: object) -> str:
        if cell is None or isinstance(cell, str):
            return cell or ""
        written = interval_text if np.size(cell) == 2 else number_text
        return written(cell, digits, sign=sign)

    labels, *cells = zip(*rows, strict=True)
    table = {name: map(text, column) for name, column in zip(columns, cells, strict=True)}
    return pd.DataFrame(table, index=pd.Index(labels))


def aligned(table: pd.DataFrame) -> str:
    """Return a table of text as lines, its last column flush left."""
    words = table.iloc[:, -1]
    padded = table.assign(**{words.name: words.str.ljust(words.str.len().max())})
    return padded.to_string(justify="left")


def _telling_apart(low: float, high: float, digits: int) -> int:
    """Return so many digits, or as many more as show that the two ends differ."""
    while low < high and number_text(low, digits) == number_text(high, digits):
        digits += 1
    return min(digits, MOST_DIGITS)


def as_text(table: pd.DataFrame, digits: int = 3) -> pd.DataFrame:
    """Return a table with its floats to some digits, and a dash where it has none.

    >>> print(as_text(pd.DataFrame({"n": [1, 2], "s": [-0.0001, None]})).to_string(index=False))
     n     s
     1 0.000
     2     \N{EN DASH}
    """

    def text(cell: object) -> object:
        if not pd.api.types.is_float(cell):
            return cell
        return NONE if pd.isna(cell) else number_text(cell, digits)

    return table.map(text)


def p_value_text(p: float | None) -> str:
    """Return a p-value to three digits, a small one as a power of ten, and none as nothing.

    >>> p_value_text(0.0321), p_value_text(3.21e-8), p_value_text(1e-305), p_value_text(None)
    ('0.032', '3e-08', '<1e-300', '')
    """
    if p is None:
        return ""
    if p < 1e-300:  # a float holds hardly less
        return "<1e-300"
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"
