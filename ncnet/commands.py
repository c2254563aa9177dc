"""The commands ``ncnet report`` and ``ncnet train``, once their options are parsed."""

import argparse
import errno
import hashlib
import json
import os
import sys
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xarray as xr

import ncnet
from ncnet.checks import check, check_number, check_once
from ncnet.chsh.files import read_file, read_table
from ncnet.chsh.intervals import fewest_resamples
from ncnet.chsh.signalling import TASKS
from ncnet.chsh.views import TEXT_WIDTH, ReportView
from ncnet.files import expanded, replace
from ncnet.page import page
from ncnet.printing import printable, say, shortened, shown, write

LEVELS = (0.01, 0.99996)
"""The lowest and the highest level; the highest takes a million resamples."""
RESAMPLES = 10_000
"""A report draws as many, unless its level needs more."""


def report(options: argparse.Namespace) -> int:
    """Report on a table as the command line asks, and return the exit status."""
    output = checked_output(options.output, [".html"], apart_from=expanded(options.table))
    check_number("--level", options.level, *LEVELS)
    check_once("--columns: column", [ours for ours, _ in options.columns])
    chosen = {key: getattr(options, key) for key in ("split", "readout", "level", "seed")}
    fewest = fewest_resamples(options.level, parts=len(TASKS))
    chosen |= {"resamples": fewest} if fewest > RESAMPLES else {}
    content, name = _content(options.table)
    with _noted() as notes:
        table = read_table(content, name)
        outcomes = ncnet.chsh.from_table(table, columns=dict(options.columns))
        outcomes = _at_capacity(outcomes, options.capacity)
        reported = ncnet.chsh.report(outcomes, **chosen)
    source = {"input": name, "rows": len(table), "coding": outcomes.attrs["coding"]}
    if "capacity" in outcomes.coords:
        source["capacity"] = repr(outcomes["capacity"].item())
    source |= {**chosen, "ncnet": ncnet.__version__, "sha256": hashlib.sha256(content).hexdigest()}
    if output is not None:
        replace(output, page(reported, source, notes).encode())
    if options.json:
        numbers = source | {"notes": notes} | reported.numbers()
        write(json.dumps(numbers, indent=2, allow_nan=False))
    else:
        write(_text(reported.full() if options.all else reported, source, notes))
    if options.fail_if is None or reported.verdict != "above 2":
        return 0
    say(f"{options.parser.prog}: exit status 1, as asked: S is above 2")
    return 1


def train(options: argparse.Namespace) -> int:
    """Train a game as the command line asks, report on it, and return the exit status."""
    output = checked_output(options.output, [".csv", ".parquet"])
    game = ncnet.games.named(options.game)
    asked = {key: getattr(options, key) for key in ("hidden_size", "replicas", "seed")}
    with _noted() as notes:
        outcomes = ncnet.train(game, **asked)
        reported = ncnet.chsh.report(outcomes)
    if output is not None:
        replace(output, _table(outcomes, output.suffix))
    write(_text(reported, {"game": game.name, **asked, "ncnet": ncnet.__version__}, notes))
    return 0


def checked_output(
    given: Path | None, suffixes: Sequence[str], *, apart_from: Path | None = None
) -> Path | None:
    """Return where to write, or refuse before any work a place at which nothing can be written."""
    if given is None:
        return None
    path = expanded(given)
    found = f"the output is {shown(str(path))}"
    check(path.suffix.lower() in suffixes, found, f"a name that ends in {' or '.join(suffixes)}")
    check(not path.exists() or path.is_file(), f"{found}, a folder or a device", "a file")
    folder = Path(os.path.realpath(path)).parent
    check(folder.is_dir(), f"{found}, and there is no folder {folder}", "one that is there")
    check(os.access(folder, os.W_OK), found, f"a folder that can be written to, not {folder}")
    itself = apart_from and path.exists() and apart_from.exists() and path.samefile(apart_from)
    check(not itself, f"{found}, the table itself", "another file")
    return path


def _content(table: str) -> tuple[bytes, str]:
    """Return the bytes of the input and what it is called."""
    name = "standard input"
    if table != "-":
        return read_file(table), Path(table).name
    if sys.stdin is None:
        raise OSError(errno.EBADF, "it is closed", name)
    try:
        return sys.stdin.buffer.read(), name
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from None


@contextmanager
def _noted() -> Iterator[list[str]]:
    """Collect warnings as lines for the reader, and print them at the end."""
    notes = []
    with warnings.catch_warnings(record=True) as caught:
        for category in (UserWarning, RuntimeWarning):
            warnings.simplefilter("always", category)
        yield notes
    notes += [str(warning.message) for warning in caught]
    for note in notes:
        say(f"note: {note}")


def _at_capacity(outcomes: xr.Dataset, asked: float | None) -> xr.Dataset:
    """Return the outcomes at the capacity that is asked for, or at the only one."""
    if "capacity" not in outcomes.coords:
        check(asked is None, "the table has no column `capacity`", "no --capacity")
        return outcomes
    capacities = np.unique(outcomes["capacity"].values).tolist()
    listed = shortened(", ".join(map(repr, capacities)), 200)
    found = f"the table has {len(capacities)} capacities, {listed}"
    one = len(capacities) == 1
    check(asked is not None or one, found, f"one, as in --capacity {capacities[0]!r}")
    asked = capacities[0] if asked is None else asked
    check(not np.isnan(asked), "`--capacity` is nan", f"a capacity, such as {capacities[0]!r}")
    nearest = min(capacities, key=lambda capacity: abs(capacity - asked))
    expected = f"a capacity of the table, such as {nearest!r}"
    check(asked in capacities, f"`--capacity` is {asked!r}", expected)
    return outcomes.sel(capacity=asked) if "capacity" in outcomes.dims else outcomes


def _table(outcomes: xr.Dataset, suffix: str) -> bytes:
    """Return outcomes as the bytes of a table that `ncnet report` reads."""
    table = outcomes.to_dataframe().reset_index()
    context = 10 * table.pop("alice_setting") + table.pop("bob_setting")
    table.insert(0, "context", context)
    table.attrs = outcomes.attrs | outcomes["capacity"].attrs
    if suffix.lower() == ".csv":
        return table.to_csv(index=False).encode()
    return table.to_parquet(index=False)


def _text(
    report: ncnet.chsh.Report | ReportView, source: Mapping[str, object], notes: Sequence[str]
) -> str:
    """Return a report, notes and what it was made of, as lines for a terminal."""
    lines = [printable(line) for line in str(report).split("\n")]
    # Lines end between entries; the letter is not printable, so that no value has it.
    entries = [
        f"{name}: {printable(str(value))}".replace(" ", "\xa0") for name, value in source.items()
    ]
    for text in [*(f"note: {printable(note)}" for note in notes), "; ".join(entries)]:
        wrapped = textwrap.wrap(text, TEXT_WIDTH, break_long_words=False, break_on_hyphens=False)
        lines += ["", *wrapped]
    return "\n".join(lines).replace("\xa0", " ")
