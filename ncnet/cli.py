"""The command line: ``ncnet report`` of a table of outcomes, and ``ncnet train`` of a game."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import ncnet
from ncnet.printing import say, shortened, write

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

exit status: 0 if a report was made, whatever S is; 2 if it could not be made
or written; 1 only as --fail-if asks
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
        be used or written, after one line on standard error; 130 after Ctrl-C.

    Raises
    ------
    SystemExit
        After ``--help`` and ``--version``, and with status 2 for a wrong use of the command.

    Examples
    --------
    >>> main(["report", "-", "-o", "report.pdf"])
    2
    """
    try:
        return _status(arguments)
    except KeyboardInterrupt:
        return 130


def _status(arguments: Sequence[str] | None) -> int:
    name = "ncnet"
    try:
        options, unknown = _parser().parse_known_args(arguments)
        name = options.parser.prog
        if unknown:
            _refuse(unknown[0], options.parser)
        # Imported here, so that Ctrl-C ends quietly during half a second of imports too.
        from ncnet import commands

        return getattr(commands, options.command)(options)
    except (ValueError, OSError, ImportError, MemoryError) as error:
        line = str(error) or type(error).__name__
        if isinstance(error, OSError) and error.filename is not None:
            line = f"{shortened(str(error.filename))}: {error.strerror}"
        say(f"{name}: error: {line}")
        return 2


class _Parser(argparse.ArgumentParser):
    """A parser that refuses in one line, and fails where its help cannot be written."""

    def __init__(self, **options: object) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> None:
        say(f"{self.prog}: error: {message} (see {self.prog} --help)")
        raise SystemExit(2)

    def _print_message(self, message: str, file: object = None) -> None:
        write(message.rstrip("\n"))


def _parser() -> _Parser:
    parser = _Parser(prog="ncnet", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("--version", action="version", version=f"ncnet {ncnet.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, dest="command")
    report = commands.add_parser(
        "report",
        help="what a table of outcomes says",
        description=REPORT,
        epilog=REPORT_EXAMPLES,
    )
    report.set_defaults(parser=report)
    _add_input(report)
    _add_choices(report)
    _add_output(report)
    train = commands.add_parser(
        "train",
        help="train the networks of a game and report on them",
        description=TRAIN,
        epilog=TRAIN_EXAMPLES,
    )
    train.set_defaults(parser=train)
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
        action="extend",
        default=[],
        help="your names of columns, as in a=alice_right,b=bob_right; may be given again",
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
    train.add_argument("game", metavar="GAME", help=", ".join(ncnet.games.NAMED))
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


def _columns(text: str) -> list[tuple[str, str]]:
    pairs = [part.partition("=") for part in text.split(",")]
    for ours, equals, theirs in pairs:
        if not (ours and equals and theirs):
            raise argparse.ArgumentTypeError(
                f"{ours + equals + theirs!r}: expected OURS=YOURS, as in a=alice_right"
            )
    return [(ours, theirs) for ours, _, theirs in pairs]


def _refuse(unknown: str, parser: _Parser) -> None:
    from ncnet.checks import suggestion

    if not unknown.startswith("-"):
        parser.error(f"unexpected argument `{shortened(unknown)}`")
    option = unknown.partition("=")[0]
    parser.error(
        f"unknown option `{shortened(option)}`{suggestion(option, parser._option_string_actions)}"
    )
