"""Says which jobs of a batch are done, as its folder shows before and after."""

import json
from collections import Counter
from pathlib import Path

from ncnet.companion.batch.gathering import job_command
from ncnet.companion.batch.grid import Batch
from ncnet.runs import JOBS

MOST_FAILED = 20
"""How many failed jobs a summary lists."""


class Progress:
    """Tells what became of a batch's jobs since this object was made.

    Parameters
    ----------
    batch
        The batch.
    folder
        The batch's folder.
    """

    def __init__(self, batch: Batch, folder: Path):
        self._batch = batch
        self._folder = folder
        self._before = {job: self._written(job) for job in batch.jobs}

    def summary(self) -> str:
        """Return in a few lines how many jobs are done, were done before, failed, or are left."""
        states = {job: self._state(job) for job in self._batch.jobs}
        count = Counter(states.values())
        lines = [
            f"batch {self._batch.name}: {count['done']} jobs done, {count['cached']} cached, "
            f"{count['failed']} failed, {count['not run']} not run"
        ]
        failed = [self._folder / JOBS / job for job in states if states[job] == "failed"]
        for place in failed[:MOST_FAILED]:
            notebook = place / "notebook.ipynb"
            why = _error(notebook) or _last_line(place / "log.txt")
            lines += [f"  failed: {notebook}", f"    {why}"]
        if len(failed) > MOST_FAILED:
            lines.append(f"  and {len(failed) - MOST_FAILED} more")
        report = self._folder / "report.ipynb"
        if not failed and not count["not run"] and (why := _error(report)):
            lines += [f"  failed: {report}", f"    {why}"]
        return "\n".join(lines)

    def reported(self) -> bool:
        """Return whether there is a report of the tables as they are now."""
        tables, report = (_time(self._folder / name) for name in (f"{JOBS}.json", "report.html"))
        return 0 < tables <= report

    def _files(self, job: str) -> list[Path]:
        """Return the files that say that a job is done: one for each table, and its notebook."""
        files = [*(f"{name}.json" for name in self._batch.tables), "notebook.ipynb"]
        return [self._folder / JOBS / job / name for name in files]

    def _written(self, job: str) -> list[int]:
        return [_time(path) for path in self._files(job)]

    def _state(self, job: str) -> str:
        *before, begun_before = self._before[job]
        *made, begun = self._written(job)
        asked = job_command(self._batch, job, self._folder)
        if all(_content(path).get("command") == asked for path in self._files(job)[:-1]):
            return "cached" if made == before else "done"
        return "failed" if begun not in (0, begun_before) else "not run"


def _time(path: Path) -> int:
    """Return when a file was written, 0 for one that does not exist."""
    return path.stat().st_mtime_ns if path.exists() else 0


def _content(path: Path) -> dict:
    """Return what a file of JSON holds; nothing, if it is missing or only half written."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _error(notebook: Path) -> str | None:
    """Return the last error in an executed notebook, in one line; None if there is none."""
    cells = _content(notebook).get("cells", ())
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    errors = [output for output in outputs if output["output_type"] == "error"]
    said = [f"{error['ename']}: {error['evalue']}".splitlines()[0] for error in errors]
    return said[-1] if said else None


def _last_line(log: Path) -> str:
    """Return the last line of the log of a job that ended without an error in its notebook."""
    said = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    return next((f"{line} ({log})" for line in reversed(said) if line.strip()), "cut off")
