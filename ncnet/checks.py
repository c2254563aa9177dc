"""Refuses bad arguments in one line that names the value and the nearest valid choice."""

import itertools
import numbers
import re
import sys
from collections.abc import Hashable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ncnet.printing import LONGEST_LINE, printable, shortened, shown


def check(holds: object, found: str, expected: str) -> None:
    """Raise ``ValueError`` unless a condition holds; say what was found, and what was expected.

    >>> check(5 <= 3, "`trace_steps` has 5", "at most `steps`, 3")
    Traceback (most recent call last):
    ValueError: `trace_steps` has 5: expected at most `steps`, 3
    """
    if not holds:
        raise ValueError(shortened(printable(f"{found}: expected {expected}"), LONGEST_LINE))


def check_type(name: str, value: object, types: type | tuple[type, ...], expected: str) -> None:
    """Raise ``ValueError`` unless a value is of one of these types.

    >>> check_type("columns", ["a"], Mapping, "a dict")
    Traceback (most recent call last):
    ValueError: `columns` is of type list: expected a dict
    """
    check(isinstance(value, types), f"`{name}` is of type {type(value).__name__}", expected)


def check_once(kind: str, values: Iterable[Hashable]) -> None:
    """Raise ``ValueError`` for a value that is there twice.

    >>> check_once("task", ["sst2", "mrpc", "sst2"])
    Traceback (most recent call last):
    ValueError: task `sst2` is there twice: expected each once
    """
    seen = set()
    for value in values:
        check(value not in seen, f"{kind} `{value}` is there twice", "each once")
        seen.add(value)


def check_list(name: str, values: object, expected: str) -> list:
    """Return `values` as a list, or raise ``ValueError`` for none, a text or a dict.

    >>> check_list("ranks", "12", "a list of ranks")
    Traceback (most recent call last):
    ValueError: `ranks` is '12': expected a list of ranks
    """
    listed = isinstance(values, Iterable) and not isinstance(values, (str, Mapping))
    found = list(values) if listed else []
    check(found, f"`{name}` is {shown(values)}", expected)
    return found


def check_sizes(name: str, array: np.ndarray, sizes: Mapping[str, int | None]) -> None:
    """Raise ``ValueError`` unless an array has these sizes, by dimension; None is any size.

    >>> check_sizes("`a`", np.ones((2, 5)), {"setting": 2, "replica": None, "item": None})
    Traceback (most recent call last):
    ValueError: `a` has shape (2, 5): expected (setting: 2, replica, item)
    """
    expected = ", ".join(d if size is None else f"{d}: {size}" for d, size in sizes.items())
    found = f"has shape {array.shape}" if array.ndim else f"is {shown(array.item())}"
    fits = array.ndim == len(sizes) and all(
        size in (None, length) for size, length in zip(sizes.values(), array.shape, strict=True)
    )
    check(fits, f"{name} {found}", f"({expected})")


def suggestion(name: str, valid: Iterable[str]) -> str:
    """Return ``": did you mean `x`?"``, or the list of choices where none is near.

    >>> suggestion("sigmod", ["relu", "sigmoid", "tanh"])
    ': did you mean `sigmoid`?'
    >>> suggestion("step", ["relu", "tanh"])
    ': expected one of `relu`, `tanh`'
    """
    choices = sorted(valid)
    near = get_close_matches(str(name), choices, n=1, cutoff=0.5)
    if near:
        return f": did you mean `{near[0]}`?"
    return ": expected one of " + ", ".join(f"`{choice}`" for choice in choices)


def problem_line(
    problem: Mapping[str, Any], known: Iterable[str], *, name: str, kind: str = "parameter"
) -> str:
    """Return in a line what pydantic finds wrong with something that a reader named.

    Parameters
    ----------
    problem
        One of pydantic's errors.
    known
        The names there are.
    name, kind
        Name of what is wrong, and what it is.
    """
    if problem["type"] == "extra_forbidden":
        return f"unknown {kind} `{name}`{suggestion(problem['loc'][-1], known)}"
    if problem["type"] == "missing":
        return f"{kind} `{name}` is missing"
    line = f"{kind} `{name}` is {shown(problem['input'])}"
    if problem["type"] == "literal_error":
        choices = re.findall("'([^']+)'", problem["ctx"]["expected"])
        return line + suggestion(problem["input"], choices)
    message = problem["msg"].removeprefix("Value error, ")
    return f"{line}: {re.sub('^(Input|List|String|Tuple)', 'it', message)}"


def check_choice(kind: str, name: str, valid: Iterable[str]) -> None:
    """Raise ``ValueError`` unless `name` is one of `valid`.

    >>> check_choice("activation", "tanhh", ["relu", "tanh"])
    Traceback (most recent call last):
    ValueError: unknown activation `tanhh`: did you mean `tanh`?
    """
    valid = list(valid)
    if name not in valid:
        found = f"unknown {kind} `{shortened(str(name))}`"
        raise ValueError(printable(found + shortened(suggestion(name, valid), 400)))


def check_integer(name: str, value: object, *, at_least: int, at_most: int | None = None) -> int:
    """Return `value` as an int, or raise ``ValueError`` if it is none or out of range.

    >>> check_integer("hidden_size", np.uint8(200), at_least=1) + 100
    300

    >>> check_integer("hidden_size", 0, at_least=1)
    Traceback (most recent call last):
    ValueError: `hidden_size` is 0: expected an integer of at least 1
    """
    value = plain_number(value)
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    found = f"`{name}` is {shown(value)}"
    check(whole and value >= at_least, found, f"an integer of at least {at_least}")
    check(at_most is None or value <= at_most, found, f"an integer of at most {at_most or 0:,}")
    return int(value)


def check_number(
    name: str, value: object, lowest: float, highest: float = np.inf, *, inside: bool = False
) -> float:
    """Return `value` as a float, or raise ``ValueError`` unless it is finite and in its range.

    With `inside`, neither bound is in the range.

    >>> check_number("share", 1.5, 0, 1)
    Traceback (most recent call last):
    ValueError: `share` is 1.5: expected a number from 0 to 1
    >>> check_number("level", 1, 0, 1, inside=True)
    Traceback (most recent call last):
    ValueError: `level` is 1: expected a number between 0 and 1
    """
    value = plain_number(value)
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    fits = number and abs(value) <= sys.float_info.max and lowest <= value <= highest
    fits = fits and not (inside and value in (lowest, highest))
    words = ("between", "and", "above") if inside else ("from", "to", "of at least")
    between = f"a number {words[0]} {lowest:g} {words[1]} {highest:g}"
    expected = between if highest < np.inf else f"a finite number {words[2]} {lowest:g}"
    check(fits, f"`{name}` is {shown(value)}", expected)
    return float(value)


def check_shares(name: str, shares: object, steps: int) -> list[float]:
    """Return shares of some steps, or raise ``ValueError``.

    They are in order, each of another whole number of steps, above 0 and below all.

    >>> check_shares("looks", [0.5, 0.25], 8)
    Traceback (most recent call last):
    ValueError: `looks` are [0.5, 0.25] of 8 steps, so [4, 2]: expected them in order and different
    """
    check_type(name, shares, Sequence, "a list of shares of the steps")
    shares = [check_number(name, share, 0, 1, inside=True) for share in shares]
    taken = [round(share * steps) for share in shares]
    apart = all(one < other for one, other in itertools.pairwise([0, *taken, steps]))
    found = f"`{name}` are {shown(shares)} of {steps} steps, so {shown(taken)}"
    check(apart or not shares, found, "them in order and different")
    return shares


def check_positive(name: str, value: object) -> float:
    """Return `value` as a float, or raise ``ValueError`` unless it is finite and above 0.

    >>> check_positive("learning_rate", float("nan"))
    Traceback (most recent call last):
    ValueError: `learning_rate` is nan: expected a finite number above 0
    """
    return check_number(name, value, 0, inside=True)


def plain_number(value: object) -> object:
    """Return a number of numpy or torch, or an array of one without axes, as a number of Python.

    Numbers of few bits would overflow in sums and products.

    >>> plain_number(np.array(0.5))
    0.5
    """
    return value.item() if getattr(value, "ndim", None) == 0 else value


def check_values(
    name: str, values: ArrayLike, lowest: float, highest: float = np.inf
) -> np.ndarray:
    """Return values as floats, or raise ``ValueError`` for none, or one not finite or in range.

    >>> check_values("S", [2.0, np.nan], -4, 4)
    Traceback (most recent call last):
    ValueError: S 1 is nan: expected -4 to 4
    """
    values = np.asarray(values, float)
    check(values.ndim == 1 and values.size, f"{name}s have shape {values.shape}", "(replicas,)")
    # What was summed may pass a bound by rounding.
    wrong = ~((values >= lowest - 1e-9) & (values <= highest + 1e-9) & np.isfinite(values))
    expected = f"{lowest:g} to {highest:g}" if highest < np.inf else f"at least {lowest:g}"
    first = wrong.argmax()
    check(not wrong[first], f"{name} {first} is {values[first]}", expected)
    return values
