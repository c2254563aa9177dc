"""What of a batch is done: read from its folder, before and after."""

import json
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
        self._before = {cell: self._made(cell) for cell in batch.cells}
        self._begun_before = {cell: self._begun(cell) for cell in batch.cells}

    def summary(self) -> str:
        """Return how many cells are done, were there before, failed or are left, in a few lines."""
        made = {cell: self._made(cell) for cell in self._batch.cells}
        finished = [cell for cell in made if made[cell]]
        cached = [cell for cell in finished if made[cell] == self._before[cell]]
        failed = {cell: self._failure(cell) for cell in made if not made[cell]}
        failed = {cell: why for cell, why in failed.items() if why}
        left = len(made) - len(finished) - len(failed)
        lines = [
            f"batch {self._batch.name}: {len(finished) - len(cached)} cells done, "
            f"{len(cached)} cached, {len(failed)} failed, {left} not run"
        ]
        for cell, why in list(failed.items())[:MOST_LINES]:
            lines += [f"  failed: {self._notebook(cell)}", f"    {why}"]
        if len(failed) > MOST_LINES:
            lines.append(f"  and {len(failed) - MOST_LINES} more")
        report = self._folder / "report.ipynb"
        if not left and not failed and _error(report):
            lines += [f"  failed: {report}", f"    {_error(report)}"]
        return "\n".join(lines)

    def reported(self) -> bool:
        """Return whether there is a report of the tables as they are now."""
        tables, report = self._folder / f"{CELLS}.json", self._folder / "report.html"
        return (
            tables.exists()
            and report.exists()
            and report.stat().st_mtime_ns >= tables.stat().st_mtime_ns
        )

    def _notebook(self, cell: str) -> Path:
        return self._folder / CELLS / cell / "notebook.ipynb"

    def _made(self, cell: str) -> tuple[int, ...] | None:
        """Return when each table of a cell was written; None if one is missing or not its own."""
        place = self._folder / CELLS / cell
        paths = [place / f"{name}.json" for name in self._batch.tables]
        asked = cell_command(self._batch, cell, self._folder)
        try:
            for path in paths:
                provenance = json.loads(path.read_text(encoding="utf-8"))
                if provenance["command"] != asked:
                    return None
            return tuple(path.stat().st_mtime_ns for path in paths)
        except (OSError, ValueError, KeyError):
            return None

    def _begun(self, cell: str) -> int | None:
        """Return when a cell's notebook was last written."""
        notebook = self._notebook(cell)
        return notebook.stat().st_mtime_ns if notebook.exists() else None

    def _failure(self, cell: str) -> str | None:
        """Return why a cell failed, or None if it was not begun since this object was made."""
        notebook = self._notebook(cell)
        if self._begun(cell) in (None, self._begun_before[cell]):
            return None
        if error := _error(notebook):
            return error
        log = notebook.with_name("log.txt")
        said = (
            log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            if log.exists()
            else []
        )
        return f"{said[-1]} ({log})" if said else "cut off"


def _error(notebook: Path) -> str | None:
    """Return the last error in an executed notebook, in one line."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError):
        return None
    outputs = [output for part in cells for output in part.get("outputs", ())]
    errors = [output for output in outputs if output["output_type"] == "error"]
    if not errors:
        return None
    return f"{errors[-1]['ename']}: {errors[-1]['evalue']}".splitlines()[0]
