"""Compares rows that were made again with the recorded ones, column by column.

Where machine, compiler and packages are those of the recording, all but measured times must be
equal; of numbers with a point only rounding may differ, so that a sum may be taken in another
order. Elsewhere a column may be as far away as its tolerance says. A negative control goes with
each comparison: a recorded cell that was tampered with must be found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

import numpy as np
import pandas as pd

from ncnet.checks import check

ROUNDING = 4 * np.finfo(float).eps ** 0.5
"""Relative difference that sums in another order may make, scipy's default for equal results."""
OF_AN_ERROR, OF_NETWORKS = 0.5, 0.005
"""What may differ at another place: this share of a standard error, and of the networks."""
SMALLEST_P, LARGEST_P = 1e-300, 0.98
"""The p-values between which others are told apart."""
TYPICAL = 1.96
"""The standard errors from the middle of an interval to its end, at 95 %."""


@dataclass(frozen=True)
class Tolerance:
    """How far a column may be from the recorded one, made again at another place.

    Attributes
    ----------
    reason
        Why so far, in words.
    allowed
        The largest difference that is allowed, or a function that gives it for each row from the
        recorded rows and the column's name. That of rounding is allowed in any case.
    share
        The share of a piece's rows that may be farther away than `allowed`. If it is infinite,
        nothing is compared.
    scale
        Turns numbers into what is compared. None leaves them as they are.
    measured
        Whether the column is a measurement, such as a time, which no place gives twice.
    """

    reason: str
    allowed: Callable[[pd.DataFrame, str], np.ndarray | float] | float = 0.0
    share: float = 0.0
    scale: Callable[[np.ndarray], np.ndarray] | None = None
    measured: bool = False

    def here(self) -> Tolerance:
        """Return the tolerance at the place of the recording: rounding, but in what is measured."""
        return self if self.measured else replace(self, allowed=0.0, share=0.0)

    def scaled(self, rows: pd.DataFrame, name: str) -> pd.DataFrame:
        """Return the rows with the column's numbers as they are compared."""
        if self.scale is None:
            return rows
        with np.errstate(divide="ignore", invalid="ignore"):
            return rows.assign(**{name: self.scale(rows[name].to_numpy(float))})

    def most(self, rows: pd.DataFrame, name: str) -> np.ndarray:
        """Return the largest difference allowed in each row, at least that of rounding."""
        allowed = self.allowed(rows, name) if callable(self.allowed) else self.allowed
        return np.fmax(allowed, _rounding(rows, name))

    def beyond(self, recorded: pd.DataFrame, remade: pd.DataFrame, name: str) -> np.ndarray:
        """Return how many tolerances each scaled row is away: above 1 is too far.

        A tolerance that is read off the rows is the smaller of both: none excuses itself.
        """
        if self.share == np.inf:
            return np.zeros(len(recorded))
        distance = difference(recorded[name], remade[name])
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            away = distance / np.fmin(self.most(recorded, name), self.most(remade, name))
        # Infinity is no tolerance for an infinite difference.
        away = np.where(np.isinf(distance), np.inf, np.where(distance == 0, 0, away))
        if self.share:
            # A few may be anywhere; with more than that, each counts as that much too far.
            return np.where(away > 1, np.mean(away > 1) / self.share, np.minimum(away, 1))
        return away


def same(reason: str = "it does not depend on the training") -> Tolerance:
    """Return the tolerance of what is equal everywhere: names, counts, what was asked for."""
    return Tolerance(reason)


def standard_errors(
    share: float = OF_AN_ERROR, *, of: Callable[[pd.DataFrame], np.ndarray] | None = None
) -> Tolerance:
    """Return the tolerance of a statistic: a share of its standard error.

    The error is read off the column's interval, whose ends have it as well, or is what `of` makes
    of the rows.
    """

    def allowed(rows: pd.DataFrame, name: str) -> np.ndarray:
        return share * (_error(rows, name) if of is None else np.asarray(of(rows), float))

    return Tolerance(
        f"engines may differ in a few outcomes, which move it by less than {share:g} of its "
        "standard error",
        allowed,
    )


def of_share(rows: pd.DataFrame, name: str, of: str) -> np.ndarray:
    """Return the standard error of a share, also of 0 and 1: of one success and failure more.

    >>> of_share(pd.DataFrame({"share": [0.5, 1.0], "count": 98}), "share", "count").round(3)
    array([0.051, 0.01 ])
    """
    count = rows[of].to_numpy(float)
    share = (rows[name].to_numpy(float) * count + 1) / (count + 2)
    return np.sqrt(share * (1 - share) / count)


def p_values() -> Tolerance:
    """Return the tolerance of a p-value: what half a standard error comes to, however small it is.

    It is compared as the number of standard errors at which a normal test has this p-value. Those
    of p near 1 say nothing and count as `LARGEST_P`.

    >>> rows = pd.DataFrame({"p": [1e-40, 0.04, 1.0]})
    >>> far = {"p": p_values()}
    >>> for p in ([2e-40, 0.05, 0.99], [1e-30, 0.049, 1.0], [1e-40, 0.2, 1.0]):
    ...     compare(rows, rows.assign(p=p), [], far, equal=False, seed="0").failed
    0
    1
    1
    """
    return Tolerance(
        f"half a standard error moves it, as it does a statistic ({OF_AN_ERROR:g} in the quantile)",
        OF_AN_ERROR,
        scale=_quantile,
    )


def _quantile(p: np.ndarray) -> np.ndarray:
    # Imported where it is used: it takes a quarter of a second.
    from scipy.special import ndtri

    return -ndtri(np.clip(p, SMALLEST_P, LARGEST_P))


def outcomes(share: float = OF_NETWORKS, allowed: float = 0.0) -> Tolerance:
    """Return the tolerance of what is read off single networks: some may end up elsewhere.

    After thousands of steps engines that round otherwise differ in a share of a percent of the
    outcomes. `allowed` is how far apart the others may be.
    """
    reason = f"rounding sends up to {100 * share:g} % of the networks elsewhere"
    return Tolerance(reason, allowed, share)


def absolute(amount: float, reason: str) -> Tolerance:
    """Return the tolerance of a number that may be off by so much."""
    return Tolerance(reason, amount)


def factor(times: float | Callable[[pd.DataFrame], np.ndarray], reason: str) -> Tolerance:
    """Return the tolerance of what is measured, such as a time: so many times more or less.

    `times` may depend on the rows.
    """

    def allowed(rows: pd.DataFrame, name: str) -> np.ndarray | float:
        return np.log(times(rows) if callable(times) else times)

    return Tolerance(reason, allowed, scale=np.log, measured=True)


def unchecked(reason: str) -> Tolerance:
    """Return the tolerance of what cannot be compared, such as the date of a run."""
    return Tolerance(reason, share=np.inf, measured=True)


def of_this_place(reason: str) -> Tolerance:
    """Return the tolerance of what depends on the place, such as the engine that was taken."""
    return Tolerance(reason, share=np.inf)


def intervals(*names: str, tolerance: Tolerance | None = None) -> dict[str, Tolerance]:
    """Return the tolerances of estimates and of both ends of their intervals.

    >>> list(intervals("s"))
    ['s', 's_low', 's_high']
    """
    tolerance = tolerance or standard_errors()
    return {f"{name}{end}": tolerance for name in names for end in ("", "_low", "_high")}


@dataclass(frozen=True)
class Comparison:
    """What comes of comparing the rows of one piece.

    Attributes
    ----------
    rows, failed
        How many were compared, and how many are too far away.
    column, difference, beyond
        The column that is farthest away in tolerances as declared, by how much in its own units,
        and how many tolerances that is; an empty name where nothing differs.
    equal
        Whether nothing but rounding and measurements differs.
    controls, caught
        Tampered cells, one for each column compared, and how many of them were found.
    told
        One line that says what is wrong; empty where nothing is.
    """

    rows: int = 0
    failed: int = 0
    column: str = ""
    difference: float = np.nan
    beyond: float = np.nan
    equal: bool = False
    controls: int = 0
    caught: int = 0
    told: str = ""


def compare(
    recorded: pd.DataFrame,
    remade: pd.DataFrame,
    key: Sequence[str],
    tolerances: Mapping[str, Tolerance],
    *,
    equal: bool,
    seed: str,
) -> Comparison:
    """Compare the recorded rows of a piece with the same rows made again.

    Parameters
    ----------
    recorded, remade
        The rows of a piece; those made again in any order, perhaps with further columns.
    key
        The columns that tell the rows apart.
    tolerances
        The tolerance of each recorded column.
    equal
        Whether the place is that of the recording, so that all but measurements must be equal.
    seed
        Draws the cells that are tampered with.

    Raises
    ------
    KeyError
        If a recorded column has no tolerance.

    Examples
    --------
    >>> rows = pd.DataFrame({"n": [1, 2], "s": [0.5, 1.8]})
    >>> far = {"n": same(), "s": absolute(0.01, "a thousandth of what is drawn")}
    >>> found = compare(rows, rows.assign(s=[0.505, 1.8]), ["n"], far, equal=False, seed="0")
    >>> found.rows, found.failed, found.column, found.controls == found.caught
    (2, 0, 's', True)
    >>> compare(rows, rows.assign(s=[0.55, 1.8]), ["n"], far, equal=False, seed="0").told
    's at n = 1: recorded 0.5, made again 0.55'
    """
    try:
        remade = _in_order_of(recorded, remade, key)
    except ValueError as error:
        return Comparison(len(recorded), len(recorded), beyond=np.inf, told=str(error))
    recorded = recorded.reset_index(drop=True)
    drawn = Random(seed)
    strict, declared, caught = {}, {}, []
    for name in recorded.columns:
        tolerance, here = tolerances[name], tolerances[name].here()
        before, after = (tolerance.scaled(rows, name) for rows in (recorded, remade))
        strict[name] = here.beyond(before, after, name)
        declared[name] = tolerance.beyond(before, after, name)
        asked = here if equal else tolerance
        if asked.share < np.inf:
            caught.append(_is_caught(before, after, name, asked, drawn))
    strict, declared = pd.DataFrame(strict), pd.DataFrame(declared)
    away = strict if equal else declared
    farthest = declared.max().idxmax()
    row = declared[farthest].argmax()
    beyond = declared[farthest][row]
    return Comparison(
        rows=len(recorded),
        failed=int((away > 1).any(axis=1).sum()),
        column=farthest if beyond else "",
        difference=float(difference(recorded[farthest], remade[farthest])[row]),
        beyond=float(beyond),
        equal=all((strict[name] <= 1).all() or tolerances[name].measured for name in strict),
        controls=len(caught),
        caught=sum(caught),
        told=_farthest_cell(recorded, remade, key, away),
    )


def difference(one: pd.Series, other: pd.Series) -> np.ndarray:
    """Return how far apart two columns are, of texts 1 if they differ; missing equals missing."""
    if all(map(pd.api.types.is_numeric_dtype, (one, other))):
        a, b = one.to_numpy(float), other.to_numpy(float)
        with np.errstate(invalid="ignore"):
            return np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, np.fmin(abs(a - b), np.inf))
    a, b = one.astype(object), other.astype(object)
    return np.where((a == b) | (a.isna() & b.isna()), 0.0, 1.0)


def _error(rows: pd.DataFrame, name: str) -> np.ndarray:
    whole = name.removesuffix("_low").removesuffix("_high")
    ends = [f"{whole}_low", f"{whole}_high"]
    if (whole != name and whole not in rows) or not set(ends) <= set(rows):
        ends = ["low", "high"]
    low, high = (rows[end].to_numpy(float) for end in ends)
    return (high - low) / (2 * TYPICAL)


def _rounding(rows: pd.DataFrame, name: str) -> np.ndarray:
    """Return the difference that rounding makes, zero in what is no number with a point."""
    if not pd.api.types.is_float_dtype(rows[name]):
        return np.zeros(len(rows))
    return ROUNDING * np.fmax(1, np.abs(rows[name].to_numpy(float)))


def _in_order_of(recorded: pd.DataFrame, remade: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Return the rows made again in the order of those recorded; they have to be the same ones."""
    for name in recorded.columns:
        check(name in remade, f"no column `{name}` was made", "each that is recorded")
    before, after = (_row_names(frame, key) for frame in (recorded, remade))
    unique = before.is_unique and after.is_unique
    check(unique, f"{', '.join(key)} do not tell rows apart", "a name for each row")
    for what, one, other in (("made again", before, after), ("recorded", after, before)):
        rows = one.difference(other, sort=False)
        if len(rows):
            are = "row is" if len(rows) == 1 else "rows are"
            raise ValueError(f"{len(rows)} {are} not {what}, such as {_in_words(rows[0])}")
    return remade.iloc[after.get_indexer(before)].reset_index(drop=True)


def _row_names(rows: pd.DataFrame, key: Sequence[str]) -> pd.Index:
    """Return the values of each row's key by name, or the row's number where there is no key."""
    columns = rows[list(key)] if key else pd.DataFrame({"row": range(len(rows))})
    values = columns.astype(object)
    names = values.where(values.notna(), None).itertuples(index=False, name="Row")
    return pd.Index(list(names), tupleize_cols=False)


def _in_words(row: NamedTuple) -> str:
    return ", ".join(f"{name} = {value}" for name, value in row._asdict().items())


def _farthest_cell(
    recorded: pd.DataFrame, remade: pd.DataFrame, key: Sequence[str], away: pd.DataFrame
) -> str:
    """Return in one line which cell is farthest away; nothing where none is too far."""
    name = away.max().idxmax()
    row = away[name].argmax()
    if away[name][row] <= 1:
        return ""
    at = f" at {_in_words(_row_names(recorded, key)[row])}" if key else ""
    before, after = (frame[name].tolist()[row] for frame in (recorded, remade))
    return f"{name}{at}: recorded {before!r}, made again {after!r}"


def _is_caught(
    recorded: pd.DataFrame, remade: pd.DataFrame, name: str, tolerance: Tolerance, drawn: Random
) -> bool:
    """Return whether a cell of a column is found that was tampered with, just enough.

    If a share of the cells may be elsewhere, so many are tampered with and one more.
    """
    column = recorded[name]
    count = min(int(tolerance.share * len(column)) + 1, len(column))
    cells, rows = column.to_list(), list(range(len(column)))
    if pd.api.types.is_bool_dtype(column):
        changed = [pd.isna(cell) or not cell for cell in cells]
        # What differs already would be equal once it is flipped.
        rows = np.flatnonzero(difference(column, remade[name]) == 0).tolist()
    elif not pd.api.types.is_numeric_dtype(column):
        changed = [f"{cell}, tampered with" for cell in cells]
    else:
        before, after = (frame[name].to_numpy(float) for frame in (recorded, remade))
        most = tolerance.most(recorded, name)
        away = np.where(most > 0, 2 * most, 1)
        whole = pd.api.types.is_integer_dtype(column)
        away = before + np.where(before < after, -1, 1) * (np.ceil(away) if whole else away)
        # Nothing that is added changes a missing or an infinite number. A count stays one: as a
        # number with a point it would be allowed rounding.
        changed = np.where(np.isfinite(away), away, 0).astype(int if whole else float).tolist()
    for row in drawn.sample(rows, min(count, len(rows))):
        cells[row] = changed[row]
    if pd.api.types.is_bool_dtype(column):
        cells = pd.array(cells, dtype=column.dtype)  # where some are missing, too
    tampered = recorded.assign(**{name: cells})
    return bool((tolerance.beyond(tampered, remade, name) > 1).any())
