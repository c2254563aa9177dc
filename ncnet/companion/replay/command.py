"""Make rows of recorded tables again with today's code, and compare them.

Which rows is drawn by chance. By default, as many as two minutes can pay.

For example:
  python -m ncnet.replay
  python -m ncnet.replay --table capacity --rows 20
  python -m ncnet.replay --table capacity --rows 20 --record
  python -m ncnet.replay --rows 1 --record

The exit status is 0 if no row failed, though some may not be replayable here; 1 if
one failed or a tampered cell was not found; 2 for a wrong use of the command
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import shlex
import sys
from collections.abc import Sequence

import pandas as pd

from ncnet import machine, results
from ncnet.checks import check, check_integer, check_positive, suggestion
from ncnet.companion.replay import log
from ncnet.companion.replay.remaking import FAIL, NOT_HERE, ExpectedTimes, replay_pieces
from ncnet.companion.replay.tables import REPLAYS
from ncnet.files import checksum
from ncnet.parts import Parts
from ncnet.replay.pieces import Replay, Selection

DEFAULT = 120
"""The limit in seconds, unless rows or seconds are asked for."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay what the arguments ask for, print what came of it, and return the exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        replays, limits = _checked(asked)
        expected = ExpectedTimes(REPLAYS, log.seconds_taken())
    except (OSError, ValueError) as error:
        parser.error(str(error))
    given = {"tables": asked.table, **limits, "seconds": asked.seconds}
    parts, strict = parts_of(given), []

    def equal(replay: Replay, selection: Selection) -> bool:
        strict.append(log.must_be_equal(replay, selection))
        return strict[-1]

    tables = f"{len(replays)} tables" if len(replays) > 1 else replays[0].table
    print(f"replaying rows of {tables}, drawn with the seed {limits['seed']}", flush=True)
    told = {"equal": equal, "tell": lambda piece: print(piece, flush=True)}
    try:
        pieces = replay_pieces(replays, **limits, parts=parts, expected=expected, **told)
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from here", file=sys.stderr)
        return 130
    if asked.record:
        seed = [] if asked.seed else ["--seed", limits["seed"]]
        command = shlex.join(["python", "-m", "ncnet.replay", *arguments, *seed])
        log.record(pieces, parameters=given, command=command)
    parts.clear()
    print(f"had to be equal, as at this place before: {sum(strict)} of {len(strict)} pieces")
    print(summary(pieces, [replay.table for replay in replays]))
    return int((pieces["verdict"] == FAIL).any())


def _checked(asked: argparse.Namespace) -> tuple[list[Replay], dict]:
    """Return what is replayed, with which seed and within which limits.

    Raises
    ------
    ValueError
        For what cannot be asked, and for a log that cannot be added to.
    """
    by_name = {replay.table: replay for replay in REPLAYS}
    for name in asked.table or ():
        if name not in by_name:
            raise ValueError(f"unknown table `{name}`{suggestion(name, by_name)}")
    if asked.rows is not None:
        check_integer("rows", asked.rows, at_least=1)
    seconds = DEFAULT if asked.rows is None else math.inf
    if asked.seconds is not None:
        seconds = check_positive("seconds", asked.seconds)
    seed = (results.checkout()[0] or "0") if asked.seed is None else asked.seed
    check(seed.strip(), f"seed {seed!r}", "a text, such as a commit")
    if asked.record:
        log.check_extends(whole=asked.table is None and seconds == math.inf)
    replays = [by_name[name] for name in dict.fromkeys(asked.table or by_name)]
    return replays, {"rows": asked.rows, "seconds": seconds, "seed": seed}


def summary(pieces: pd.DataFrame, tables: Sequence[str]) -> str:
    """Return what came of a replay in a few lines: what failed, what was left out, and why."""
    failed = pieces[pieces["verdict"] == FAIL]
    made = pieces[(pieces["verdict"] != NOT_HERE) & (pieces["rows"] > 0)]
    lines = [
        f"rows made again: {made['rows'].sum():,}, of tables: {made['table'].nunique()}, in "
        f"{pieces['seconds'].sum():.0f} s; {made['equal'].sum()} of {len(made)} pieces differ by "
        f"nothing but rounding; {made['caught'].sum():,} of {made['controls'].sum():,} tampered "
        "cells were found"
    ]
    missing = pieces[pieces["verdict"] == NOT_HERE].groupby("told")["table"].unique()
    lines += [f"not replayable here: {', '.join(of)}: {told}" for told, of in missing.items()]
    if left := sorted(set(tables) - set(pieces["table"])):
        lines.append(f"no time for: {', '.join(left)}")
    lines += [f"FAILED: {table}" for table in failed["table"].unique()]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ncnet.replay",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--table", action="append", metavar="NAME", help="only this table; may be repeated")
    add("--rows", type=int, metavar="N", help="at least N rows of each table, as far as time goes")
    add("--seconds", type=float, metavar="S", help="in so many seconds, none for over a quarter")
    add("--seed", metavar="TEXT", help="draws the rows; by default the git commit")
    add("--record", action="store_true", help="put what was found into the log in results/replays/")
    return parser


def parts_of(given: dict) -> Parts:
    """Return the parts of a replay, which no other command touches.

    They are found again only if the same decides what is found: besides the package the machine,
    the other tables, and the code of benchmarks, notebooks and tests.
    """
    root = results.FOLDER.parent
    patterns = ("results/**/*.json", "benchmarks/**/*.py", "notebooks/*.py", "tests/**/*.py")
    found = {path for pattern in patterns for path in root.glob(pattern)}
    files = [path for path in found if path.parent != log.FOLDER]
    beside = [machine.described(), os.environ.get("NCNET_DATA", ""), checksum(files, root)]
    name = hashlib.sha256(json.dumps(given).encode()).hexdigest()[:16]
    return Parts(root / "runs" / "replay" / name, given, code="\0".join(beside))
