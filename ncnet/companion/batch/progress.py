"""What of a batch is done: read from its folder, before and after."""

import json
from collections import Counter
from pathlib import Path

from ncnet.companion.batch.gathering import cell_command
from ncnet.companion.batch.grid import CELLS, Batch

MOST_LINES = 20
"""Failed cells that a summary lists."""


class Progress:
    """The state of a batch's cells since this object was made.

    Parameters
    ----------
    batch
        The batch.
    folder
        Its folder.
    """

    def __init__(self, batch: Batch, folder: Path):
        self._batch = batch
        self._folder = folder
        self._before = {cell: self._written(cell) for cell in batch.cells}

    def summary(self) -> str:
        """Return how many cells are done, were there before, failed or are left, in a few lines."""
        states = {cell: self._state(cell) for cell in self._batch.cells}
        count = Counter(states.values())
        lines = [
            f"batch {self._batch.name}: {count['done']} cells done, {count['cached']} cached, "
            f"{count['failed']} failed, {count['not run']} not run"
        ]
        failed = [self._folder / CELLS / cell for cell in states if states[cell] == "failed"]
        for place in failed[:MOST_LINES]:
            lines += [f"  failed: {place / 'notebook.ipynb'}", f"    {_failure(place)}"]
        if len(failed) > MOST_LINES:
            lines.append(f"  and {len(failed) - MOST_LINES} more")
        report = self._folder / "report.ipynb"
        if set(states.values()) <= {"done", "cached"} and (error := _error(report)):
            lines += [f"  failed: {report}", f"    {error}"]
        return "\n".join(lines)

    def reported(self) -> bool:
        """Return whether there is a report of the tables as they are now."""
        tables, report = (_time(self._folder / name) for name in (f"{CELLS}.json", "report.html"))
        return 0 < tables <= report

    def _written(self, cell: str) -> list[int]:
        """Return when each table of a cell was written, and its notebook."""
        files = [*(f"{name}.json" for name in self._batch.tables), "notebook.ipynb"]
        return [_time(self._folder / CELLS / cell / name) for name in files]

    def _state(self, cell: str) -> str:
        *before, begun_before = self._before[cell]
        *made, begun = self._written(cell)
        asked = cell_command(self._batch, cell, self._folder)
        tables = [self._folder / CELLS / cell / f"{name}.json" for name in self._batch.tables]
        if all(_read(path).get("command") == asked for path in tables):
            return "cached" if made == before else "done"
        return "failed" if begun not in (0, begun_before) else "not run"


def _time(path: Path) -> int:
    """Return when a file was written, 0 for one that is not there."""
    return path.stat().st_mtime_ns if path.exists() else 0


def _read(path: Path) -> dict:
    """Return what a file of JSON says; nothing, if it is not there or only half."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _failure(place: Path) -> str:
    """Return in a line why the cell in this folder failed."""
    log = place / "log.txt"
    said = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    last = [f"{line} ({log})" for line in said if line.strip()][-1:]
    return _error(place / "notebook.ipynb") or "".join(last) or "cut off"


def _error(notebook: Path) -> str:
    """Return the last error in an executed notebook, in one line; nothing, where there is none."""
    outputs = [one for cell in _read(notebook).get("cells", ()) for one in cell.get("outputs", ())]
    errors = [one for one in outputs if one["output_type"] == "error"]
    return f"{errors[-1]['ename']}: {errors[-1]['evalue']}".split("\n")[0] if errors else ""
