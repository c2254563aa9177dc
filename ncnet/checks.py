"""Refuses bad arguments in one line that names the value and the nearest valid choice."""

import numbers
import sys
from collections.abc import Iterable
from difflib import get_close_matches

import numpy as np


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


def check_choice(kind: str, name: str, valid: Iterable[str]) -> None:
    """Raise ``ValueError`` unless `name` is one of `valid`.

    >>> check_choice("activation", "tanhh", ["relu", "tanh"])
    Traceback (most recent call last):
    ValueError: unknown activation `tanhh`: did you mean `tanh`?
    """
    valid = list(valid)
    if name not in valid:
        raise ValueError(f"unknown {kind} `{name}`{suggestion(name, valid)}")


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
    if not whole or value < at_least:
        raise ValueError(f"`{name}` is {value!r}: expected an integer of at least {at_least}")
    if at_most is not None and value > at_most:
        raise ValueError(f"`{name}` is {value!r}: expected an integer of at most {at_most:,}")
    return int(value)


def check_positive(name: str, value: object) -> float:
    """Return `value` as a float, or raise ``ValueError`` unless it is finite and above 0.

    >>> check_positive("learning_rate", float("nan"))
    Traceback (most recent call last):
    ValueError: `learning_rate` is nan: expected a finite number above 0
    """
    value = plain_number(value)
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not 0 < value <= sys.float_info.max:
        raise ValueError(f"`{name}` is {value!r}: expected a finite number above 0")
    return float(value)


def plain_number(value: object) -> object:
    """Return a number of numpy or torch, or an array of one without axes, as a number of Python.

    Numbers of few bits would overflow in sums and products.

    >>> plain_number(np.array(0.5))
    0.5
    """
    return value.item() if getattr(value, "ndim", None) == 0 else value


def check_values(name: str, values: np.ndarray, lowest: float, highest: float = np.inf) -> None:
    """Raise ``ValueError`` for no values, or one that is not finite or out of its range.

    >>> check_values("S", np.array([2.0, np.nan]), -4, 4)
    Traceback (most recent call last):
    ValueError: S 1 is nan: expected -4 to 4
    """
    if values.ndim != 1 or not values.size:
        raise ValueError(f"{name}s have shape {values.shape}: expected (replicas,)")
    # What was summed may pass a bound by rounding.
    wrong = ~((values >= lowest - 1e-9) & (values <= highest + 1e-9) & np.isfinite(values))
    if wrong.any():
        expected = f"{lowest:g} to {highest:g}" if highest < np.inf else f"at least {lowest:g}"
        raise ValueError(f"{name} {wrong.argmax()} is {values[wrong][0]}: expected {expected}")
