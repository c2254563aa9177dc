"""The log of replays, recorded like any other table: ``results/replays/``.

Each Python has its own. Whoever records a table replays it, which puts its rows into the log;
whoever releases replays all tables. The book reads it and says when each table was last replayed,
on which commit, and with what largest difference.
"""

import math
import platform
from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from ncnet import results, sources
from ncnet.replay.pieces import Replay
from ncnet.replay.running import FAIL, NOT_HERE

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


def check_extends(tables: Sequence[str] | None) -> None:
    """Check that what a replay of these tables finds can stand in the log beside what is there.

    A replay of all tables (None) can: where the log is of another place, it begins anew.

    Raises
    ------
    ValueError
        If the log of this Python was made at another place, so that rows of both would mix.
    """
    before = _here()
    if tables is not None and before is not None and not results.same_place(before.provenance):
        raise ValueError(
            f"the log {name()} was made at another place, with other packages or on another "
            "machine: expected a replay of all tables to begin one of this place, without --table"
        )


def record(pieces: pd.DataFrame, *, parameters: dict, command: str) -> None:
    """Write what a replay found to the log of this Python, each piece with the commit and the date.

    What the log says of other tables that are still recorded stays, if it was made at this place.
    """
    found = pieces.assign(
        seed=parameters["seed"],
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=sources.commit(dict(zip(("commit", "clean"), results.checkout(), strict=True))),
    )
    before = _here()
    if before is not None and results.same_place(before.provenance):
        others = before.table[~before.table["table"].isin(pieces["table"])]
        there = [(results.FOLDER / f"{table}.json").exists() for table in others["table"]]
        found = pd.concat([others[there], found], ignore_index=True)
    results.save(name(), found, parameters=parameters, command=command, folder=FOLDER)


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


def must_be_equal(replay: Replay) -> bool:
    """Return whether a table's rows are equal at this place.

    They are where the table was recorded here, and where a recorded log of this place found nothing
    but rounding between the table and what was made again.
    """
    recorded = replay.load()
    if results.same_place(recorded.provenance):
        return True
    for log in logs():
        rows = log.table[log.table["table"] == replay.table]
        rows = rows[rows["checksum"] == recorded.provenance["checksum"]]
        rows = rows[rows["verdict"] != NOT_HERE]
        if len(rows) and rows["equal"].all() and results.same_place(log.provenance):
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
