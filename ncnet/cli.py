"""The command line: ``ncnet report`` of a table of outcomes, and ``ncnet train`` of a game."""

import argparse
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import ncnet
from ncnet.printing import say, shortened, write

Command = tuple[Callable[[Callable], None], Callable[[argparse.Namespace], int]]
"""What adds a command's options, its help being the docstring, and what does as they ask."""
DESCRIPTION = "The CHSH statistic of networks that are trained on two tasks at once."
EXAMPLES = """\
examples:
  ncnet report outcomes.csv
  ncnet train overlap --hidden-size 3 --replicas 1600
"""


def main(
    arguments: Sequence[str] | None = None, *, further: Mapping[str, Command] = MappingProxyType({})
) -> int:
    """Do what a command line asks for and return its exit status.

    Parameters
    ----------
    arguments
        What follows `ncnet` on the command line; by default what this process was given.
    further
        Commands beside ``report`` and ``train``, by name.

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
    name = "ncnet"
    try:
        options, unknown = _parser(further).parse_known_args(arguments)
        name = options.parser.prog
        if unknown:
            _refuse(unknown[0], options.parser)
        return options.run(options)
    except KeyboardInterrupt:
        return 130
    except (ValueError, OSError, ImportError, MemoryError) as error:
        line = str(error) or type(error).__name__
        if isinstance(error, OSError) and error.filename is not None:
            line = f"{shortened(str(error.filename))}: {error.strerror}"
        say(f"{name}: error: {line}")
        return 2


class _Parser(argparse.ArgumentParser):
    """A parser that refuses in one line, and fails where its help cannot be written."""

    def __init__(self, **options: object) -> None:
        options |= {"formatter_class": argparse.RawDescriptionHelpFormatter}
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> None:
        say(f"{self.prog}: error: {message} (see {self.prog} --help)")
        raise SystemExit(2)

    def _print_message(self, message: str, file: object = None) -> None:
        write(message.rstrip("\n"))


def _parser(further: Mapping[str, Command]) -> _Parser:
    """Return the parser of the command and its subcommands, whose help their docstrings are."""
    parser = _Parser(prog="ncnet", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("--version", action="version", version=f"ncnet {ncnet.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, dest="command")
    own = {"report": (_of_report, _run), "train": (_of_train, _run)}
    for name, (add_options, run) in {**own, **further}.items():
        description, heading, examples = (inspect.getdoc(add_options) or "").partition(
            "for example:"
        )
        summary = description.partition(".")[0]
        command = commands.add_parser(
            name, help=summary, description=description, epilog=heading + examples
        )
        command.set_defaults(parser=command, run=run)
        add_options(command.add_argument)
    return parser


def _run(options: argparse.Namespace) -> int:
    # Imported here, so that Ctrl-C ends quietly during half a second of imports too.
    from ncnet import commands

    return getattr(commands, options.command)(options)


def _of_report(add: Callable) -> None:
    """Say whether S is above 2 in a table of outcomes, and what each task loses.

    The table has one row for each context, replica and item: columns context
    (or alice_setting and bob_setting), replica, item, a and b. Outcomes a and b
    are right or wrong: 1/0, true/false or +1/-1.

    for example:
      ncnet report outcomes.csv
      ncnet report outcomes.parquet -o report.html
      ncnet report outcomes.csv --columns a=alice_right,b=bob_right
      zcat outcomes.tsv.gz | ncnet report - --json
      ncnet report outcomes.csv --fail-if above-2

    exit status: 0 if a report was made, whatever S is; 2 if it could not be made
    or written; 1 only as --fail-if asks
    """
    table = "CSV, TSV, JSON lines or parquet, gzipped or not; - is standard input"
    columns = "your names of columns, as in a=alice_right,b=bob_right; may be given again"
    pairs = {"type": _columns, "action": "extend", "default": []}
    page = "write the report as one self-contained page, too"
    add("table", metavar="TABLE", help=table)
    add("--columns", metavar="OURS=YOURS,...", help=columns, **pairs)
    add("--split", default="training", help="training (default) or held_out")
    add("--readout", default="correct", help="correct (default), solved or prediction")
    add("--level", type=float, default=0.95, help="of the intervals (default .95)")
    add("--seed", type=int, default=0, help="of the resampling (default 0)")
    add("--capacity", type=float, metavar="N", help="which to read, where the table has several")
    add("-o", dest="output", metavar="REPORT.html", type=Path, help=page)
    add("--json", action="store_true", help="print all numbers as JSON")
    add("--all", action="store_true", help="print the rows that few readers need, too")
    add("--fail-if", choices=["above-2"], help="end with status 1 where S is above 2")


def _of_train(add: Callable) -> None:
    """Train the networks of a game and report on them.

    They have one shared hidden layer and two heads, and are trained in the four
    contexts of the game. Needs the extra `train` (torch).

    for example:
      ncnet train overlap --hidden-size 3 --replicas 1600
      ncnet train separate --hidden-size 4 --replicas 320 -o outcomes.parquet
      ncnet report outcomes.parquet
    """
    count = {"type": int, "required": True}
    outcomes = "write the outcomes as a table, .parquet or .csv"
    add("game", metavar="GAME", help=", ".join(ncnet.games.NAMED))
    add("--hidden-size", metavar="N", help="units of the shared layer", **count)
    add("--replicas", metavar="R", help="initialisations, four networks each", **count)
    add("--seed", type=int, default=0, help="of the initial weights (default 0)")
    add("-o", dest="output", metavar="OUTCOMES", type=Path, help=outcomes)


def _columns(text: str) -> list[list[str]]:
    """Return pairs of our name of a column and the reader's, from ``OURS=YOURS,...``."""
    pairs = [[*map(str.strip, pair.split("=", maxsplit=1))] for pair in text.split(",")]
    if any("" in pair or len(pair) < 2 for pair in pairs):
        raise argparse.ArgumentTypeError(f"{text!r}: expected OURS=YOURS, as in a=alice_right")
    return pairs


def _refuse(unknown: str, parser: _Parser) -> None:
    """End with status 2 for an argument that is not known; the line names the nearest option."""
    from ncnet.checks import suggestion

    options = parser._option_string_actions
    near = suggestion(unknown.partition("=")[0], options) if unknown.startswith("-") else ""
    parser.error(f"unknown argument `{shortened(unknown)}`{near}")
