"""The log of replays, recorded like any other table: ``results/replays/``.

Each Python has its own. Whoever records a table replays it, which puts its rows into the log;
whoever releases replays all tables. The book reads it and says when each table was last replayed,
on which commit, and with what largest difference.
"""

import json
import math
import platform
from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from ncnet import results, sources
from ncnet.companion.replay.running import FAIL, NOT_HERE
from ncnet.replay.pieces import Replay, Where

FOLDER = results.FOLDER / "replays"
NEVER = {
    "replayed": 0,
    "failed": 0,
    "column": "",
    "difference": math.nan,
    "beyond": math.nan,
    "equal": False,
    "controls": 0,
    "caught": 0,
    "seconds": 0.0,
    "missing": "",
    "current": False,
    "date": "",
    "commit": "",
}
"""What is said of a table that was never replayed."""


def name() -> str:
    """Return what the log of this Python is called, such as ``python_3_11``."""
    return "_".join(["python", *platform.python_version_tuple()[:2]])


def logs() -> list[results.Result]:
    """Return all recorded logs, by name."""
    return [results.load(path.stem, folder=FOLDER) for path in sorted(FOLDER.glob("*.json"))]


def check_extends(*, whole: bool) -> None:
    """Check that what a replay finds can stand in the log beside what is there.

    A replay of the `whole`, all tables without a limit of time, can: where the log is of another
    place, it begins anew.

    Raises
    ------
    ValueError
        If the log of this Python was made at another place, so that rows of both would mix; or if
        git does not know the commit, which a log has to say.
    """
    if results.checkout()[0] is None:
        raise ValueError("a log says on which commit it was made: expected a checkout, and git")
    before = _here()
    if not whole and before is not None and not results.same_place(before.provenance):
        raise ValueError(
            f"the log {name()} was made at another place, with other packages or on another "
            "machine: expected a replay of all tables to begin one of this place, with --rows and "
            "without --table and --seconds"
        )


def record(pieces: pd.DataFrame, *, parameters: dict, command: str) -> None:
    """Write what a replay found to the log of this Python, each piece with the commit and the date.

    What the log says of other tables that are still recorded stays, if it was made at this place.
    A piece that failed stays as well, until it or its table is made anew: no other piece that
    passes excuses it. And what was replayed stays where nothing of the table could be made now.
    """
    found = pieces.assign(
        seed=parameters["seed"],
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=sources.commit(dict(zip(("commit", "clean"), results.checkout(), strict=True))),
    )
    before = _here()
    if before is not None and results.same_place(before.provenance):
        found = found[_says_more(before.table, found)]
        others = before.table[~_replaced(before.table, found)]
        there = [(results.FOLDER / f"{table}.json").exists() for table in others["table"]]
        found = pd.concat([others[there], found], ignore_index=True)
    results.save(name(), found, parameters=parameters, command=command, folder=FOLDER)


def _says_more(before: pd.DataFrame, pieces: pd.DataFrame) -> pd.Series:
    """Return which pieces tell of their table more than a log does."""
    table = ["table", "checksum"]
    known = pd.MultiIndex.from_frame(before.loc[before["verdict"] != NOT_HERE, table])
    made = pieces["table"].isin(pieces.loc[pieces["verdict"] != NOT_HERE, "table"])
    return made | ~pd.MultiIndex.from_frame(pieces[table]).isin(known)


def _replaced(before: pd.DataFrame, pieces: pd.DataFrame) -> pd.Series:
    """Return which pieces of a log go, now that others are replayed."""
    piece, table = ["table", "where", "checksum"], ["table", "checksum"]
    again = pd.MultiIndex.from_frame(before[piece]).isin(pd.MultiIndex.from_frame(pieces[piece]))
    current = pd.MultiIndex.from_frame(before[table]).isin(pd.MultiIndex.from_frame(pieces[table]))
    failure_stands = (before["verdict"] == FAIL) & current & ~again
    return before["table"].isin(pieces["table"]) & ~failure_stands


def _here() -> results.Result | None:
    there = (FOLDER / f"{name()}.json").exists()
    return results.load(name(), folder=FOLDER) if there else None


def costs() -> dict[tuple[str, str], float]:
    """Return the seconds that pieces took, by table and `Piece.where`."""
    found = {}
    for log in logs():
        rows = log.table[log.table["verdict"] != NOT_HERE]
        found |= dict(
            zip(zip(rows["table"], rows["where"], strict=True), rows["seconds"], strict=True)
        )
    return found


def must_be_equal(replay: Replay, where: Where) -> bool:
    """Return whether the rows of a piece are equal at this place.

    They are where the table was recorded here, and where a recorded log of this place found nothing
    but rounding between the piece and what was made again. Of other pieces it does not say so: they
    may have been made by another engine.
    """
    recorded = replay.load()
    if results.same_place(recorded.provenance):
        return True
    for log in logs():
        this = (log.table["table"] == replay.table) & (log.table["where"] == json.dumps(where))
        rows = log.table[this & (log.table["checksum"] == recorded.provenance["checksum"])]
        if rows["equal"].any() and results.same_place(log.provenance):
            return True
    return False


def by_table(log: results.Result, replays: Sequence[Replay]) -> pd.DataFrame:
    """Return what a log says of each table.

    Returns
    -------
    pandas.DataFrame
        One row a table, in the order of `replays`: its `rows`, how many were `replayed` and
        `failed`; the `column` that is farthest away, by what `difference`, which is how many
        tolerances (`beyond`); whether all are `equal` but for rounding; `controls` and how many
        were `caught`; `missing`, what kept pieces from being replayed; `current`, whether the table
        is still the one that was replayed; `date` and `commit` of the replay.
    """
    found = dict(list(log.table.groupby("table")))
    return pd.DataFrame([_of_table(replay, found.get(replay.table)) for replay in replays])


def _of_table(replay: Replay, pieces: pd.DataFrame | None) -> dict:
    recorded = replay.load()
    row = {"table": replay.table, "rows": len(recorded.table), **NEVER}
    if pieces is None:
        return row
    made = pieces[pieces["verdict"] != NOT_HERE]
    missing = pieces.loc[pieces["verdict"] == NOT_HERE, "told"].drop_duplicates()
    row |= {
        "missing": "; ".join(missing),
        "current": bool((pieces["checksum"] == recorded.provenance["checksum"]).all()),
        **pieces.iloc[-1][["date", "commit"]],
    }
    if made.empty:
        return row
    worst = made.loc[made["beyond"].idxmax()] if made["beyond"].notna().any() else made.iloc[0]
    return row | {
        "replayed": int(made["rows"].sum()),
        "failed": int(made.loc[made["verdict"] == FAIL, "rows"].sum()),
        **worst[["column", "difference", "beyond"]],
        "equal": bool(made["equal"].all()),
        **made[["controls", "caught", "seconds"]].sum(),
    }
