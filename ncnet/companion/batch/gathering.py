"""Joins the tables of all cells into one, and takes it over into the recorded results."""

import json
import math
import shlex
from collections.abc import Collection, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from ncnet import parameters, results, runs
from ncnet.companion import notebooks
from ncnet.companion.batch.grid import CELLS, Batch, BatchError, text
from ncnet.results import ROOT


def gather(batch: Batch, folder: Path) -> None:
    """Write each table of a finished batch, all cells joined, and the table ``cells``.

    Parameters
    ----------
    batch
        The batch.
    folder
        Where its cells are: ``cells/NAME/TABLE.parquet``. The joined tables are written to it.

    Raises
    ------
    BatchError
        If a cell is missing, damaged, or made with other parameters than the batch has now; or if
        cells were made with different versions of packages or compiler.
    """
    for path in (*folder.glob("*.parquet"), *folder.glob("*.json")):
        path.unlink()  # a batch of this name may have had other tables before
    found = {}
    for name in batch.tables:
        found = {cell: _load(batch, folder, cell, name) for cell in batch.cells}
        parts = {cell: _labelled(part.table, batch.varied[cell]) for cell, part in found.items()}
        _write(batch, folder, name, _told_apart(parts), found.values())
    costs = pd.DataFrame([ran(batch, folder, cell) for cell in batch.cells])
    _write(batch, folder, CELLS, costs, found.values())


def record(batch: Batch, folder: Path) -> list[Path]:
    """Take gathered tables over into the checkout, where the batch file says; return where to."""
    check_recordable(batch)
    for name, where in batch.record.items():
        place = ROOT / where
        results.write(results.load(name, folder=folder), place.name, folder=place.parent)
    return [ROOT / where for where in batch.record.values()]


def command(batch: Batch, *, recorded: bool = False) -> str:
    """Return the command that runs a batch and, if asked, records its tables."""
    target = "record " if recorded else ""
    return f"snakemake --cores 2 {target}--config {shlex.quote(f'batch={batch.path.as_posix()}')}"


def cell_command(batch: Batch, cell: str, folder: Path) -> str:
    """Return the command that runs one cell, as its tables name it."""
    place = folder / CELLS / cell
    return runs.command(batch.notebook, batch.cells[cell] | {"save_to": place.as_posix()})


def check_recordable(batch: Batch) -> None:
    """Refuse a batch that does not say what to record, or has less than the book quotes.

    Raises
    ------
    BatchError
        If it has no `record`; where the book quotes its tables, also if its cells are no full
        grid, or if all of them together are not what the notebook would take with ``record``.
    """
    if not batch.record:
        raise BatchError(f"{batch.path} has no `record`: it should say which tables go where")
    quoted = any((ROOT / place).parent == results.FOLDER for place in batch.record.values())
    if not quoted or "record" not in notebooks.of(batch.notebook).model_fields:
        return
    cells = list(batch.cells.values())
    together = _together(cells)
    varied = [name for name in together if any(cell[name] != cells[0][name] for cell in cells)]
    single = [name for name in varied if not isinstance(cells[0][name], list)]
    try:
        if single:
            raise BatchError(f"`{single[0]}` varies: expected one value for all cells")
        values = [{repr(cell[name]) for cell in cells} for name in varied]
        if math.prod(map(len, values)) != len(cells):
            raise BatchError(f"cells are no full grid of {', '.join(varied)}")
        model = notebooks.of(batch.notebook)
        parameters.validate(together | {"record": True, "save_to": ""}, model)
    except ValueError as error:
        raise BatchError(f"{batch.path} cannot be recorded: {error}") from None


def _load(batch: Batch, folder: Path, cell: str, name: str) -> results.Result:
    place = folder / CELLS / cell
    again = f"delete {place.as_posix()} and give the same command again"
    try:
        found = results.load(name, folder=place)
    except (OSError, ValueError, KeyError) as error:
        raise BatchError(f"cell {cell} is damaged: {error}; {again}") from None
    if found.provenance["command"] != cell_command(batch, cell, folder):
        raise BatchError(f"cell {cell} was made with other parameters; {again}")
    return found


def _labelled(table: pd.DataFrame, varied: dict[str, Any]) -> pd.DataFrame:
    """Add what tells a cell from others and is not in its table; of lists, values are."""
    missing = {name: value for name, value in varied.items() if name not in table}
    return table.assign(
        **{name: value for name, value in missing.items() if not isinstance(value, list)}
    )


def _told_apart(parts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Join tables; where rows of different cells look alike, add a column with the cell's name."""
    named = pd.concat([part.assign(cell=cell) for cell, part in parts.items()], ignore_index=True)
    measured = named.select_dtypes("float").columns.drop("learning_rate", errors="ignore")
    of_cells = named.drop(columns=measured).drop_duplicates()
    alike = of_cells.drop(columns="cell").duplicated().any()
    return named if alike else named.drop(columns="cell")


def _write(
    batch: Batch,
    folder: Path,
    name: str,
    table: pd.DataFrame,
    parts: Collection[results.Result],
) -> None:
    provenances = [part.provenance for part in parts]
    commits = [other["commit"] for other in provenances]
    clean = [other["clean"] for other in provenances]
    provenance = {
        "command": command(batch, recorded=name in batch.record),
        "parameters": _together([other["parameters"] for other in provenances]),
        "commit": None if None in commits else ", ".join(dict.fromkeys(commits)),
        "clean": None if None in clean else all(clean),
        "versions": _common_versions(batch, [other["versions"] for other in provenances]),
        "machine": "; ".join(dict.fromkeys(other["machine"] for other in provenances)),
        "date": max(other["date"] for other in provenances),
    }
    results.write(results.Result(table, provenance), name, folder=folder)


def _common_versions(batch: Batch, of_cells: Sequence[dict[str, str]]) -> dict[str, str]:
    first = of_cells[0]
    for cell, versions in zip(batch.cells, of_cells, strict=True):
        for what in {**first, **versions}:
            one, other = (
                f"{what} {version[what]}" if what in version else f"no {what}"
                for version in (versions, first)
            )
            if one != other:
                raise BatchError(
                    f"cell {cell} was made with {one}, others with {other}; "
                    f"run all again: {command(batch)} --forcerun cell"
                )
    return first


def _together(cells: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the parameters of all cells as one: lists united, other values as they are.

    A value that varies becomes the list of what it was.
    """
    together = {}
    for name in cells[0]:
        values = [cell[name] for cell in cells]
        if all(value == values[0] for value in values):
            together[name] = values[0]
            continue
        flat = list(chain(*values)) if isinstance(values[0], list) else values
        together[name] = [value for place, value in enumerate(flat) if value not in flat[:place]]
    return together


def ran(batch: Batch, folder: Path, cell: str) -> dict[str, Any]:
    """Return how a cell ran: when, how long, and what it took."""
    place = folder / CELLS / cell
    run = json.loads((place / "notebook.ipynb").read_text(encoding="utf-8"))["metadata"][
        "papermill"
    ]
    used = pd.read_csv(place / "benchmark.tsv", sep="\t", na_values=["-", "NA"]).iloc[-1]
    return {
        "cell": cell,
        **{name: text(value) for name, value in batch.varied[cell].items()},
        "started": run["start_time"],
        "seconds": float(used["s"]),
        "cpu_seconds": float(used["cpu_time"]),
        "peak_megabytes": float(used["max_rss"]),
    }
