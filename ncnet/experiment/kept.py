"""Finished contexts of an experiment in a folder, one file each."""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import inspect
import io
import textwrap
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from types import CellType

import numpy as np

from ncnet.chsh.outcomes import SPLITS
from ncnet.experiment.trained import LABELS, Trained
from ncnet.files import replace

DESCRIPTION = "experiment.json"
SINGLE = (*LABELS.values(), "alice_loss", "bob_loss")
"""Fields of `Trained` that are one array each."""
DAMAGE = (
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What numpy raises for a file of which bits are wrong or missing."""


def write(path: Path, trained: Trained) -> None:
    """Keep what a context gave, whole or not at all."""
    arrays = {name: getattr(trained, name) for name in SINGLE}
    for split, (a, b) in trained.splits().items():
        arrays |= {f"{split}_a": a, f"{split}_b": b}
    content = io.BytesIO()
    np.savez(content, **{name: array for name, array in arrays.items() if array is not None})
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, content.getvalue())


def read(path: Path) -> Trained | None:
    """Return what a context gave, if it is kept.

    Raises
    ------
    ValueError
        For a file that is damaged.
    """
    if not path.exists():
        return None
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = dict(file)
        pairs = {
            split: (arrays.pop(f"{split}_a"), arrays.pop(f"{split}_b"))
            for split in SPLITS
            if f"{split}_a" in arrays
        }
        return Trained(**pairs, **arrays)
    except (*DAMAGE, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}): delete it") from None


def source_digest(function: Callable) -> str | None:
    """Return a digest of what a function's source does, or None where there is no source.

    Comments and layout do not count; nor does what the function calls. Of what it holds beside its
    source, numbers and texts do: arguments of a partial, defaults, and what it closes over.
    """
    held = []
    while isinstance(function, functools.partial):
        held += [function.args, tuple(sorted(function.keywords.items()))]
        function = function.func
    function = inspect.unwrap(function)
    if not inspect.isroutine(function):
        function = type(function)
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return None
    with contextlib.suppress(SyntaxError):  # of a lambda in the middle of an expression
        source = ast.unparse(ast.parse(source))
    plain = getattr(function, "__func__", function)
    if inspect.isfunction(plain):
        held += [plain.__defaults__, tuple((plain.__kwdefaults__ or {}).items())]
        held += [cell.cell_contents for cell in plain.__closure__ or () if _is_filled(cell)]
        # Of several lambdas in one line, the source is one.
        held.append(plain.__code__.co_code.hex() if plain.__name__ == "<lambda>" else None)
    text = source + repr([_plain(value) for value in held])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_filled(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # a name that is given its value later
        return False


def _plain(value: object) -> object:
    """Return a value if its text tells it, tuples of such too; else only its type's name.

    A list may be a log that the function itself writes to.
    """
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return type(value).__name__
