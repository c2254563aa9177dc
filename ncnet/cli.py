"""The command line: ``ncnet report`` of a table of outcomes, and ``ncnet train`` of a game."""

from __future__ import annotations

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
from typing import TYPE_CHECKING, TextIO

import numpy as np

import ncnet
from ncnet.checks import suggestion
from ncnet.chsh.reading import read_table
from ncnet.chsh.showing import TEXT_WIDTH
from ncnet.files import replace
from ncnet.page import page, printable

if TYPE_CHECKING:
    import xarray as xr

    from ncnet.chsh import Report
    from ncnet.chsh.showing import Shown

PAGES = (".html",)
TABLES = (".csv", ".parquet")
GAMES = ", ".join(ncnet.games.NAMED)

DESCRIPTION = "The CHSH statistic of networks that are trained on two tasks at once."
EXAMPLES = """\
examples:
  ncnet report outcomes.csv
  ncnet train overlap --hidden-size 3 --replicas 1600
"""
REPORT = """\
What a table of outcomes says: is S above 2, and what does each task lose
beside each other task?

The table has one row for each context, replica and item: columns context
(or alice_setting and bob_setting), replica, item, a and b. Outcomes a and b
are right or wrong: 1/0, true/false or +1/-1.
"""
REPORT_EXAMPLES = """\
examples:
  ncnet report outcomes.csv
  ncnet report outcomes.parquet -o report.html
  ncnet report outcomes.csv --columns a=alice_right,b=bob_right
  zcat outcomes.tsv.gz | ncnet report - --json
  ncnet report outcomes.csv --fail-if above-2

exit status: 0 if a report was made, whatever S is; 2 if it could not be made;
1 only as --fail-if asks
"""
TRAIN = """\
Train networks with one shared hidden layer and two heads in the four
contexts of a game, and report on them. Needs the extra `train` (torch).
"""
TRAIN_EXAMPLES = """\
examples:
  ncnet train overlap --hidden-size 3 --replicas 1600
  ncnet train separate --hidden-size 4 --replicas 320 -o outcomes.parquet
  ncnet report outcomes.parquet
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what a command line asks for and return its exit status.

    Parameters
    ----------
    arguments
        What follows `ncnet` on the command line; by default what this process was given.

    Returns
    -------
    int
        0 where a report was made, whatever S is; 1 only as ``--fail-if`` asks; 2 for what cannot
        be used, after one line on standard error; 130 after Ctrl-C.

    Raises
    ------
    SystemExit
        After ``--help`` and ``--version``, and with status 2 for a wrong use of the command.

    Examples
    --------
    >>> main(["report", "-", "-o", "report.pdf"])
    2
    """
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        _refuse(unknown[0], options.parser)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        return 130
    except (ValueError, OSError, ImportError, MemoryError) as error:
        line = str(error) or type(error).__name__
        _write(f"{options.parser.prog}: error: {printable(line)}", sys.stderr)
        return 2


class _Parser(argparse.ArgumentParser):
    """A parser that refuses in one line."""

    def __init__(self, **options: object) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> None:
        self.exit(2, f"{self.prog}: error: {printable(message)} (see {self.prog} --help)\n")


def _parser() -> _Parser:
    parser = _Parser(prog="ncnet", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("--version", action="version", version=f"ncnet {ncnet.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    report = commands.add_parser(
        "report",
        help="what a table of outcomes says",
        description=REPORT,
        epilog=REPORT_EXAMPLES,
    )
    report.set_defaults(run=_report, parser=report)
    _add_input(report)
    _add_choices(report)
    _add_output(report)
    train = commands.add_parser(
        "train",
        help="train the networks of a game and report on them",
        description=TRAIN,
        epilog=TRAIN_EXAMPLES,
    )
    train.set_defaults(run=_train, parser=train)
    _add_training(train)
    return parser


def _add_input(report: _Parser) -> None:
    report.add_argument(
        "table",
        metavar="TABLE",
        help="CSV, TSV, JSON lines or parquet, gzipped or not; - is standard input",
    )
    report.add_argument(
        "--columns",
        metavar="OURS=YOURS,...",
        type=_columns,
        help="your names of columns, as in a=alice_right,b=bob_right",
    )


def _add_choices(report: _Parser) -> None:
    report.add_argument("--split", default="training", help="training (default) or held_out")
    report.add_argument(
        "--readout", default="correct", help="correct (default), solved or prediction"
    )
    report.add_argument("--level", type=float, default=0.95, help="of the intervals (default .95)")
    report.add_argument("--seed", type=int, default=0, help="of the resampling (default 0)")
    report.add_argument(
        "--capacity",
        type=float,
        metavar="N",
        help="the one to read, where the table has several",
    )


def _add_output(report: _Parser) -> None:
    report.add_argument(
        "-o",
        dest="output",
        metavar="REPORT.html",
        type=Path,
        help="write the report as one self-contained page, too",
    )
    report.add_argument("--json", action="store_true", help="print all numbers as JSON")
    report.add_argument(
        "--all", action="store_true", help="print the rows that few readers need, too"
    )
    report.add_argument(
        "--fail-if", choices=["above-2"], help="end with status 1 where S is above 2"
    )


def _add_training(train: _Parser) -> None:
    train.add_argument("game", metavar="GAME", help=GAMES)
    train.add_argument(
        "--hidden-size", type=int, required=True, metavar="N", help="units of the shared layer"
    )
    train.add_argument(
        "--replicas",
        type=int,
        required=True,
        metavar="R",
        help="initialisations, four networks each",
    )
    train.add_argument("--seed", type=int, default=0, help="of the initial weights (default 0)")
    train.add_argument(
        "-o",
        dest="output",
        metavar="OUTCOMES",
        type=Path,
        help="write the outcomes as a table, .parquet or .csv",
    )


def _columns(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",")]
    for ours, equals, theirs in pairs:
        if not (ours and equals and theirs):
            raise argparse.ArgumentTypeError(
                f"{ours + equals + theirs!r}: expected OURS=YOURS, as in a=alice_right"
            )
    return {ours: theirs for ours, _, theirs in pairs}


def _refuse(unknown: str, parser: _Parser) -> None:
    if not unknown.startswith("-"):
        parser.error(f"unexpected argument `{unknown}`")
    option = unknown.partition("=")[0]
    parser.error(f"unknown option `{option}`{suggestion(option, parser._option_string_actions)}")


def _report(options: argparse.Namespace) -> int:
    _check_output(options.output, PAGES)
    content, name = _content(options.table)
    chosen = {key: getattr(options, key) for key in ("split", "readout", "level", "seed")}
    with _noted() as notes:
        table = read_table(content, name)
        outcomes = ncnet.chsh.from_table(table, columns=options.columns)
        outcomes = _one_capacity(outcomes, options.capacity)
        report = ncnet.chsh.report(outcomes, **chosen)
    source = {"input": name, "rows": len(table), "coding": outcomes.attrs["coding"]}
    if "capacity" in outcomes.coords:
        source["capacity"] = f"{outcomes['capacity'].item():.10g}"
    source |= {**chosen, "ncnet": ncnet.__version__, "sha256": hashlib.sha256(content).hexdigest()}
    _say(notes)
    if options.output is not None:
        replace(options.output, page(report, source, notes).encode())
    if options.json:
        numbers = source | {"notes": notes} | report.numbers()
        _write(json.dumps(numbers, indent=2, allow_nan=False), sys.stdout)
    else:
        _write(_text(report.full() if options.all else report, source), sys.stdout)
    if options.fail_if is None or report.verdict != "above 2":
        return 0
    _write(f"{options.parser.prog}: exit status 1, as asked: S is above 2", sys.stderr)
    return 1


def _train(options: argparse.Namespace) -> int:
    _check_output(options.output, TABLES)
    game = ncnet.games.named(options.game)
    asked = {key: getattr(options, key) for key in ("hidden_size", "replicas", "seed")}
    with _noted() as notes:
        outcomes = ncnet.train(game, **asked)
        report = ncnet.chsh.report(outcomes)
    _say(notes)
    if options.output is not None:
        replace(options.output, _table(outcomes, options.output.suffix))
    source = {"game": game.name, **asked, "ncnet": ncnet.__version__}
    _write(_text(report, source), sys.stdout)
    return 0


def _check_output(path: Path | None, suffixes: Sequence[str]) -> None:
    """Refuse before any work a place at which nothing can be written."""
    if path is None:
        return
    if path.suffix.lower() not in suffixes:
        raise ValueError(
            f"the output is {str(path)!r}: expected a name that ends in {' or '.join(suffixes)}"
        )
    if path.is_dir():
        raise ValueError(f"the output {path} is a folder: expected a file")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent} for the output {path.name}")
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"nothing can be written to the folder {path.parent}")


def _content(table: str) -> tuple[bytes, str]:
    """Return the bytes of the input and what it is called."""
    if table == "-":
        return sys.stdin.buffer.read(), "standard input"
    path = Path(table)
    if path.is_dir():
        raise ValueError(f"{path} is a folder: expected a file")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    return path.read_bytes(), path.name


@contextmanager
def _noted() -> Iterator[list[str]]:
    """Collect warnings as lines for the reader."""
    notes = []
    with warnings.catch_warnings(record=True) as caught:
        for category in (UserWarning, RuntimeWarning):
            warnings.simplefilter("always", category)
        yield notes
    notes += [str(warning.message) for warning in caught]


def _one_capacity(outcomes: xr.Dataset, asked: float | None) -> xr.Dataset:
    if "capacity" not in outcomes.coords:
        if asked is not None:
            raise ValueError("the table has no column `capacity`: expected no --capacity")
        return outcomes
    there = np.unique(outcomes["capacity"].values)
    if asked is None:
        if there.size > 1:
            listed = ", ".join(f"{value:.10g}" for value in there)
            raise ValueError(
                f"the table has {there.size} capacities, {listed}: "
                f"choose one, as in --capacity {there[0]:.10g}"
            )
        return outcomes
    if asked not in there:
        nearest = there[abs(there - asked).argmin()]
        raise ValueError(f"no capacity is {asked:.10g}: the nearest is {nearest:.10g}")
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


def _text(report: Report | Shown, source: Mapping[str, object]) -> str:
    """Return a report and what it was made of, as lines for a terminal."""
    told = [printable(line) for line in str(report).split("\n")]
    # Lines end between entries; the letter is not printable, so that no value has it.
    entries = [
        f"{name}: {printable(str(value))}".replace(" ", "\xa0") for name, value in source.items()
    ]
    lines = textwrap.wrap(
        "; ".join(entries), TEXT_WIDTH, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join([*told, "", *lines]).replace("\xa0", " ")


def _say(notes: Sequence[str]) -> None:
    for note in notes:
        _write(f"note: {printable(note)}", sys.stderr)


def _write(text: str, stream: TextIO) -> None:
    """Print text that any stream can take, and nothing where its reader has closed it."""
    encoding = stream.encoding or "ascii"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)
    except OSError as error:
        # Python would try again at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if error.errno not in (errno.EPIPE, errno.EINVAL):  # what a closed pipe is on Windows
            raise
