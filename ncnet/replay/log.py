"""The log of a full replay, recorded like any other table: ``results/replays/``.

Each Python has its own. Whoever records a table, or releases, replays and commits the log; the
book reads it and says when each table was last replayed, and with what largest difference.
"""

import math
import platform
from collections.abc import Sequence

import pandas as pd

from ncnet import results
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
}
"""What is said of a table that was never replayed."""


def name() -> str:
    """Return what the log of this Python is called, such as ``python_3_11``."""
    return "_".join(["python", *platform.python_version_tuple()[:2]])


def logs() -> list[results.Result]:
    """Return all recorded logs, by name."""
    return [results.load(path.stem, folder=FOLDER) for path in sorted(FOLDER.glob("*.json"))]


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
        is still the one that was replayed.
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
