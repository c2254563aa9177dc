"""What of a batch is done: read from its folder, before and after."""

import json
from pathlib import Path

from ncnet.batch.grid import CELLS, Batch

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
        return "\n".join(lines)

    def _notebook(self, cell: str) -> Path:
        return self._folder / CELLS / cell / "notebook.ipynb"

    def _made(self, cell: str) -> tuple[int, ...] | None:
        """Return when each table of a cell was written, or None if one is missing."""
        place = self._folder / CELLS / cell
        try:
            return tuple((place / f"{name}.json").stat().st_mtime_ns for name in self._batch.tables)
        except FileNotFoundError:
            return None

    def _failure(self, cell: str) -> str | None:
        """Return the last error in an executed notebook, or None if it has none."""
        try:
            cells = json.loads(self._notebook(cell).read_text())["cells"]
        except FileNotFoundError:
            return None
        except ValueError:
            return "cut off while it was written"
        outputs = [output for part in cells for output in part.get("outputs", ())]
        errors = [output for output in outputs if output["output_type"] == "error"]
        if not errors:
            return "cut off"
        return f"{errors[-1]['ename']}: {errors[-1]['evalue']}".splitlines()[0]
