"""Files of tables: what a file holds decides how it is read, not its name."""

import codecs
import csv
import gzip
import io
import itertools
import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.csv

from ncnet.checks import check, check_once
from ncnet.files import expanded
from ncnet.printing import shortened

GZIP, PARQUET, ZIP = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")
"""A whole number as it is written by itself: 7, not 007, 7.0 or 1E3; at most what int64 holds."""
IN_QUOTES = re.compile('"[^"]*"')
BLANK = re.compile(r'\s*|"\s*("\s*)?')
"""A line whose only cell is blank, perhaps in quotes that nothing closes."""
LONGEST_ROW = 2**24
"""Bytes of text that are read together: no row may have more."""
FORMATS = "CSV, TSV, JSON lines or parquet, perhaps compressed with gzip"


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
    path = expanded(path)
    if not given:
        raise FileNotFoundError("the file is '': expected the path of a table")
    try:
        if not path.is_dir():
            return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {given}") from None
    except OSError as error:
        raise OSError(error.errno, error.strerror, given) from None
    raise FileNotFoundError(f"{given} is a folder: expected a file")


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
    check(first, f"{name} is empty", "a table")
    check(first != "[", f"{name} begins with `[`", "JSON lines, one object a line")
    return _json_lines(text, name) if first == "{" else _delimited(text, name)


def _unpacked(content: bytes, name: str) -> bytes:
    """Return what a gzip file holds."""
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{name} is a damaged gzip file: {error}") from None


def _parquet(content: bytes, name: str) -> pd.DataFrame:
    """Return the table of a parquet file."""
    from pyarrow.parquet import ParquetFile

    try:
        table = ParquetFile(io.BytesIO(content)).read()
        check_once(f"{name}: column", table.column_names)
        return table.to_pandas()
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{name} is a damaged parquet file: {_line_of(error)}") from None


def _line_of(error: Exception) -> str:
    """Return the first line of what Arrow says, which may go on with the whole table."""
    return shortened(str(error).strip().partition("\n")[0], 200)


def _text(content: bytes, name: str) -> str:
    """Return the content of a file as text, or refuse what is none."""
    check(not content.startswith(ZIP), f"{name} is a zip file, perhaps a workbook", FORMATS)
    encoding = "utf-16" if content.startswith(UTF_16) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        said = f"{name} is no text in {encoding.removesuffix('-sig').upper()}"
        byte = f"byte {error.object[error.start]:#x} at {error.start:,}"
        raise ValueError(f"{said} ({byte}): expected {FORMATS}") from None
    check("\0" not in text, f"{name} is no text, it holds zero bytes", FORMATS)
    return text


def _lines(text: str, newline: str) -> io.TextIOWrapper:
    """Return a stream of lines; that of `io.StringIO` would take four bytes a letter."""
    return io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline=newline)


def _json_lines(text: str, name: str) -> pd.DataFrame:
    """Return a table of JSON objects, one a line; a key that one of them lacks is None there."""
    decode = json.JSONDecoder(object_pairs_hook=_without_repeats).decode
    columns = {}
    for row, line in enumerate(filter(str.strip, _lines(text, "\n"))):
        cells = _json_object(decode, row, line, name)
        columns |= {key: [None] * row for key in cells if key not in columns}
        for key, column in columns.items():
            column.append(cells.get(key))
    return pd.DataFrame(columns, dtype=object)


def _json_object(decode: Callable[[str], object], row: int, line: str, name: str) -> dict:
    """Return the JSON object of a line."""
    try:
        value = decode(line.rstrip("\n"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: row {row} cannot be read as JSON: {error}") from None
    check(isinstance(value, dict), f"{name}: row {row} is {line.strip()[:40]}", "a JSON object")
    return value


def _without_repeats(pairs: list[tuple[str, object]]) -> dict:
    """Return a JSON object, of which Python would keep the last of two values of one key."""
    found = dict(pairs)
    if len(found) < len(pairs):
        check_once("the key", [key for key, _ in pairs])
    return found


def _delimited(text: str, name: str) -> pd.DataFrame:
    """Return a table of cells that commas, semicolons or tabs divide."""
    first = IN_QUOTES.sub("", text.lstrip().partition("\n")[0])
    semicolons = ";" in first and "," not in first
    delimiter = "\t" if "\t" in first else ";" if semicolons else ","
    header, rows = _header_and_rows(text, delimiter, name)
    try:
        columns = _columns(rows, delimiter, len(header))
    except _LengthError as error:
        said = f"{name}: each row ends with an empty cell (a comma too many?)"
        one_more = _ends_empty(rows, delimiter, len(header) + 1)
        check(not one_more, said, f"{len(header)} cells, as in the header")
        raise ValueError(f"{name}: row {error}, the header {len(header)}") from None
    except pyarrow.ArrowInvalid as error:
        said = "cannot be read (a quote that nothing closes?)"
        raise ValueError(f"{name} {said}: {_line_of(error)}") from None
    # By number, since names may repeat.
    return pd.DataFrame(dict(enumerate(columns))).set_axis(header, axis="columns")


def _header_and_rows(text: str, delimiter: str, name: str) -> tuple[list[str], bytes]:
    """Return the names of the columns, and the lines after them."""
    reader = csv.reader(_lines(text, ""), delimiter=delimiter)
    try:
        header = next((cells for cells in reader if len(cells) > 1 or "".join(cells).strip()), [])
    except csv.Error as error:
        raise ValueError(f"{name}: line {reader.line_num} cannot be read: {error}") from None
    check(header, f"{name} is empty", "a table")
    read = itertools.islice(_lines(text, ""), reader.line_num)
    start = sum(len(line.encode()) for line in read)
    # After a line's end, a mark of the order of bytes is part of a cell.
    rows = b"\n" + memoryview(text.encode())[start:]
    return [cell.strip() for cell in header], rows


class _LengthError(ValueError):
    """A row has more or fewer cells than expected; the message says which one, and how many."""


def _columns(rows: bytes, delimiter: str, width: int) -> list[pd.Categorical]:
    """Return the cells of rows by column, or raise `_LengthError` or Arrow's error."""
    names = list(map(str, range(width)))
    distinct = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    blank, wrong = [], []

    def if_invalid(row: pyarrow.csv.InvalidRow) -> str:
        is_blank = row.actual_columns == 1 and BLANK.fullmatch(row.text)
        (blank if is_blank else wrong).append((row.number, row.actual_columns))
        return "skip" if is_blank else "error"

    try:
        table = pyarrow.csv.read_csv(
            pyarrow.BufferReader(rows),
            # With threads, no row would have a number.
            pyarrow.csv.ReadOptions(column_names=names, block_size=LONGEST_ROW, use_threads=False),
            pyarrow.csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=if_invalid
            ),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, distinct), strings_can_be_null=False
            ),
        )
    except pyarrow.ArrowInvalid:
        if not wrong:
            raise
        [(number, cells)] = wrong
        raise _LengthError(f"{number - 1 - len(blank)} has {cells} cells") from None
    columns = [_categorical(column) for column in table.columns]
    # Arrow would keep the memory of the cells for later, more than the columns take.
    del table
    pyarrow.default_memory_pool().release_unused()
    return columns


def _ends_empty(rows: bytes, delimiter: str, width: int) -> bool:
    """Return whether all rows have so many cells, of which the last is empty."""
    try:
        *_, last = _columns(rows, delimiter, width)
    except ValueError:
        return False
    return last.categories.tolist() == [""]


def _categorical(column: pyarrow.ChunkedArray) -> pd.Categorical:
    """Return a column, as integers if all of its distinct cells are written as such."""
    column = column.unify_dictionaries().combine_chunks()
    cells = column.dictionary.to_pylist()
    whole = cells and all(map(WHOLE_NUMBER.fullmatch, cells))
    cells = pd.Index(list(map(int, cells))) if whole else pd.Index(cells, dtype=object)
    return pd.Categorical.from_codes(column.indices.to_numpy(), cells)
