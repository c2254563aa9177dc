"""Keeps the log of replays, which is recorded like any other table: ``results/replays/``.

Each Python has its own log. Whoever records a table replays it, which puts its rows into the log;
whoever releases replays all tables. The book reads it and says when each table was last replayed,
on which commit, and with what largest difference.
"""

import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from ncnet import results, sources
from ncnet.checks import check
from ncnet.companion.replay.remaking import FAIL, NOT_HERE
from ncnet.replay.pieces import Replay, Selection

FOLDER = results.FOLDER / "replays"


def name() -> str:
    """Return the name of this Python's log, such as ``python_3_11``."""
    return "_".join(["python", *platform.python_version_tuple()[:2]])


def logs() -> list[results.Result]:
    """Return all recorded logs, by name."""
    return [results.load(path.stem, folder=FOLDER) for path in sorted(FOLDER.glob("*.json"))]


def check_extends(*, whole: bool) -> None:
    """Check that what a replay finds can stand in the log beside what the log says already.

    What a replay of the `whole` finds, of all tables without a limit of time, always can: if the
    log is of another place, it begins anew.

    Raises
    ------
    ValueError
        If the log of this Python was made at another place, so that rows of both would mix; or if
        git does not know the commit, which a log has to say.
    """
    check(results.checkout()[0], "a log says on which commit it was made", "a checkout, and git")
    before = _own()
    check(
        whole or before is None or results.same_place(before.provenance),
        f"the log {name()} was made at another place, with other packages or on another machine",
        "a replay of all tables to begin one of this place, with --rows and without --table and "
        "--seconds",
    )


def record(pieces: pd.DataFrame, *, parameters: dict, command: str) -> None:
    """Write what a replay found to the log of this Python, each piece with the commit and the date.

    What the log says of other tables that are still recorded stays, if it was made at this place.
    A piece that failed stays as well, until it or its table is made anew: no other piece that
    passes excuses it. And what was replayed stays where nothing of the table could be made now.
    """
    commit, clean = results.checkout()
    found = pieces.assign(
        seed=parameters["seed"],
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=sources.short_commit({"commit": commit, "clean": clean}),
    )
    before = _own()
    if before is not None and results.same_place(before.provenance):
        found = _merged(before.table, found)
    results.save(name(), found, parameters=parameters, command=command, folder=FOLDER)


def _merged(before: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Return what stays of a log, and what is found now and tells more than the log does."""
    known, made = (one[one["verdict"] != NOT_HERE] for one in (before, found))
    found = found[_among(found, made, "table") | ~_among(found, known, "table", "checksum")]
    again = _among(before, found, "table", "where", "checksum")
    stands = (before["verdict"] == FAIL) & _among(before, found, "table", "checksum") & ~again
    recorded = before["table"].map(lambda table: (results.FOLDER / f"{table}.json").exists())
    stays = (stands | ~_among(before, found, "table")) & recorded
    return pd.concat([before[stays], found], ignore_index=True)


def _among(rows: pd.DataFrame, others: pd.DataFrame, *names: str) -> pd.Series:
    """Return which rows have the same values in these columns as one of the others."""
    one, other = (pd.MultiIndex.from_frame(frame[list(names)]) for frame in (rows, others))
    return pd.Series(one.isin(other), rows.index)


def _own() -> results.Result | None:
    """Return the log of this Python, if there is one."""
    recorded = (FOLDER / f"{name()}.json").exists()
    return results.load(name(), folder=FOLDER) if recorded else None


def seconds_taken() -> dict[tuple[str, str], float]:
    """Return the seconds that pieces took, by table and `PieceResult.where`."""
    found = {}
    for log in logs():
        made = log.table[log.table["verdict"] != NOT_HERE]
        found |= made.set_index(["table", "where"])["seconds"].to_dict()
    return found


def must_be_equal(replay: Replay, selection: Selection) -> bool:
    """Return whether the rows of a piece have to be equal at this place.

    They have to if the table was recorded here, or if a recorded log of this place found nothing
    but rounding between the piece and what was made again. Other pieces may have been made by
    another engine.
    """
    recorded = replay.load().provenance
    piece = {"table": replay.table, "where": json.dumps(selection), "equal": True}
    wanted = pd.DataFrame([piece | {"checksum": recorded["checksum"]}])
    return results.same_place(recorded) or any(
        results.same_place(log.provenance) and _among(wanted, log.table, *wanted).all()
        for log in logs()
    )


def by_table(log: results.Result, replays: Sequence[Replay]) -> pd.DataFrame:
    """Return what a log says of each table.

    Returns
    -------
    pandas.DataFrame
        One row a table, in the order of `replays`: its `rows`, how many were `replayed` and
        `failed`; the `column` that is farthest away, by what `difference`, which is how many
        tolerances (`beyond`); `controls` and how many were `caught`; `missing`, what kept pieces
        from being replayed; `current`, whether the table is still the one that was replayed; `date`
        and `commit` of the replay.
    """
    return pd.DataFrame([_of_table(replay, log.table) for replay in replays])


def _of_table(replay: Replay, logged: pd.DataFrame) -> dict:
    recorded = replay.load()
    pieces = logged[logged["table"] == replay.table]
    made = pieces[pieces["verdict"] != NOT_HERE]
    worst = made.nlargest(1, "beyond")
    missing = pieces.loc[pieces["verdict"] == NOT_HERE, "told"]
    current = pieces["checksum"] == recorded.provenance["checksum"]
    return {
        "table": replay.table,
        "rows": len(recorded.table),
        "replayed": made["rows"].sum(),
        "failed": made.loc[made["verdict"] == FAIL, "rows"].sum(),
        "column": "".join(worst["column"]),
        "difference": worst["difference"].max(),
        "beyond": worst["beyond"].max(),
        **made[["controls", "caught"]].sum(),
        "missing": "; ".join(missing.unique()),
        "current": bool(len(pieces) and current.all()),
        "date": "".join(pieces["date"][-1:]),
        "commit": "".join(pieces["commit"][-1:]),
    }
