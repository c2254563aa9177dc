"""Reads the content of a file as a table, whatever form it has: its name decides nothing."""

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from ncnet.files import expanded
from ncnet.printing import shortened

GZIP, PARQUET, ZIP = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
"""A whole number as it is written by itself: 7, not 007, 7.0 or 1E3; at most what int64 holds."""
EXPECTED = "expected CSV, TSV, JSON lines or parquet, perhaps compressed with gzip"


def read_file(path: str | Path) -> bytes:
    """Return the content of a file.

    Raises
    ------
    FileNotFoundError
        For a path at which there is no file.
    OSError
        For a file that cannot be read.

    Examples
    --------
    >>> read_file("")
    Traceback (most recent call last):
    FileNotFoundError: the file is '': expected the path of a table
    """
    given = shortened(str(path))
    if not given:
        raise FileNotFoundError("the file is '': expected the path of a table")
    path = expanded(path)
    try:
        if path.is_dir():
            raise FileNotFoundError(f"{given} is a folder: expected a file")
        if not path.exists():
            raise FileNotFoundError(f"there is no file {given}")
        return path.read_bytes()
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, given) from None


def read_table(content: bytes, name: str) -> pd.DataFrame:
    r"""Return the content of a file as a table.

    Parameters
    ----------
    content
        Parquet; JSON lines, one object a row; or text whose cells are divided by tabs, semicolons
        or commas, in UTF-8 or UTF-16, with the columns' names in its first row. Perhaps compressed
        with gzip.
    name
        What messages call it.

    Returns
    -------
    pandas.DataFrame
        Parquet and JSON keep their types. A column of text becomes integers if each of its cells
        is one as numbers are written ("7"); else all its cells stay as they are ("007", "NA", "").

    Raises
    ------
    ValueError
        For anything else, and for a row with more or fewer cells than the header; rows count from
        0, without the header and blank lines.

    Examples
    --------
    >>> read_table(b"item\ta\n007\t1\nNA\t-1\n", "outcomes.tsv").to_dict("list")
    {'item': ['007', 'NA'], 'a': [1, -1]}
    >>> read_table(b"item,a\n7,1\n8,1,1\n", "outcomes.csv")
    Traceback (most recent call last):
    ValueError: outcomes.csv: row 1 has 3 cells, the header 2
    """
    name = shortened(name)
    if content.startswith(GZIP):
        content = _unpacked(content, name)
    if content.startswith(PARQUET):
        return _parquet(content, name)
    text = _text(content, name)
    first = text.lstrip()[:1]
    if not first:
        raise ValueError(f"{name} is empty: expected a table")
    if first == "[":
        raise ValueError(f"{name} begins with `[`: expected JSON lines, one object a line")
    return _json_lines(text, name) if first == "{" else _delimited(text, name)


def _unpacked(content: bytes, name: str) -> bytes:
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{name} is a damaged gzip file: {error}") from None


def _parquet(content: bytes, name: str) -> pd.DataFrame:
    from pyarrow import ArrowException
    from pyarrow.parquet import read_schema

    try:
        names = read_schema(io.BytesIO(content)).names
        if len(set(names)) == len(names):
            return pd.read_parquet(io.BytesIO(content))
    except (ArrowException, OSError, ValueError) as error:
        line = str(error).strip().partition("\n")[0]
        raise ValueError(f"{name} is a damaged parquet file: {shortened(line, 200)}") from None
    [(twice, _)] = Counter(names).most_common(1)
    raise ValueError(f"{name} has two columns `{shortened(twice)}`: expected one")


def _text(content: bytes, name: str) -> str:
    if content.startswith(ZIP):
        raise ValueError(f"{name} is a zip file, perhaps a workbook: {EXPECTED}")
    encoding = "utf-16" if content.startswith(UTF_16) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name} is no text in {encoding.removesuffix('-sig').upper()} (byte "
            f"{error.object[error.start]:#x} at {error.start:,}): {EXPECTED}"
        ) from None
    if "\0" in text:
        raise ValueError(f"{name} is no text, it holds zero bytes: {EXPECTED}")
    return text


def _json_lines(text: str, name: str) -> pd.DataFrame:
    lines = [line for line in text.split("\n") if line.strip()]
    try:
        # At once: a third of the time.
        rows = json.loads(f"[{','.join(lines)}]", object_pairs_hook=_once)
    except (ValueError, RecursionError):
        rows = []
    if len(rows) != len(lines) or not all(isinstance(row, dict) for row in rows):
        rows = [_json_object(line, row, name) for row, line in enumerate(lines)]
    columns = dict.fromkeys(column for row in rows for column in row)
    return _frame(list(columns), [_of_json([row.get(c) for row in rows]) for c in columns])


def _json_object(line: str, row: int, name: str) -> dict:
    try:
        found = json.loads(line, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: row {row} cannot be read as JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{name}: row {row} is {line.strip()[:40]}: expected a JSON object")
    return found


def _once(pairs: list[tuple[str, object]]) -> dict:
    """Return a JSON object, of which Python would keep the last of two values of one key."""
    found = dict(pairs)
    if len(found) < len(pairs):
        [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key `{shortened(twice)}` is there twice")
    return found


def _delimited(text: str, name: str) -> pd.DataFrame:
    first = text.lstrip().partition("\n")[0]
    semicolons = ";" in first and "," not in first
    delimiter = "\t" if "\t" in first else ";" if semicolons else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    # One flat list: as many lists as there are rows would keep the garbage collector busy.
    cells, lengths = [], []
    try:
        for row in reader:
            if len(row) > 1 or "".join(row).strip():
                cells += row
                lengths.append(len(row))
    except csv.Error as error:
        raise ValueError(f"{name}: line {reader.line_num} cannot be read: {error}") from None
    if not lengths:
        raise ValueError(f"{name} is empty: expected a table")
    width, *lengths = lengths
    header, cells = cells[:width], cells[width:]
    if set(lengths) == {width + 1} and not any(cells[width :: width + 1]):
        raise ValueError(
            f"{name}: each row ends with an empty cell (a comma too many?): expected {width} "
            "cells, as in the header"
        )
    for row, length in enumerate(lengths):
        if length != width:
            raise ValueError(f"{name}: row {row} has {length} cells, the header {width}")
    columns = [_typed(cells[place::width]) for place in range(width)]
    return _frame([cell.strip() for cell in header], columns)


def _typed(column: list[str]) -> np.ndarray:
    """Return cells as integers if all of them are written as such, else as they are."""
    distinct = set(column)
    if not distinct or not all(map(WHOLE.fullmatch, distinct)):
        return _objects(column)
    number = {text: int(text) for text in distinct}
    return np.array([number[text] for text in column])


def _of_json(column: list) -> np.ndarray:
    return np.array(column) if set(map(type, column)) == {int} else _objects(column)


def _objects(values: Iterable) -> np.ndarray:
    return np.fromiter(values, object)


def _frame(names: list[str], columns: list[np.ndarray]) -> pd.DataFrame:
    # Of their own type, or pandas would look for another; by number, since names may repeat.
    series = {place: pd.Series(cells, dtype=cells.dtype) for place, cells in enumerate(columns)}
    return pd.DataFrame(series).set_axis(names, axis="columns")
