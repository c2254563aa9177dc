"""Joins the tables of all cells into one, and takes it over into the recorded results."""

import json
import math
import shlex
from pathlib import Path
from typing import Any

import pandas as pd

from ncnet import parameters, results, runs
from ncnet.companion import notebooks
from ncnet.companion.batch.grid import CELLS, Batch, BatchError, text
from ncnet.files import NOTHING, differences
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
    provenance = {}
    for name in batch.tables:
        parts = {cell: _load(batch, folder, cell, name) for cell in batch.cells}
        provenance = _provenance(batch, [part.provenance for part in parts.values()])
        _write(batch, folder, name, _joined(batch, parts), provenance)
    ran_so = pd.DataFrame([ran(batch, folder, cell) for cell in batch.cells])
    _write(batch, folder, CELLS, ran_so, provenance)


def record(batch: Batch, folder: Path) -> list[Path]:
    """Take gathered tables over into the checkout, where the batch file says; return where to."""
    check_recordable(batch)
    places = [ROOT / where for where in batch.record.values()]
    for name, place in zip(batch.record, places, strict=True):
        results.write(results.load(name, folder=folder), place.name, folder=place.parent)
    return places


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
    model = notebooks.of(batch.notebook)
    if not quoted or "record" not in model.model_fields:
        return
    cells = list(batch.cells.values())
    values = {name: {repr(cell[name]) for cell in cells} for name in cells[0]}
    try:
        if math.prod(map(len, values.values())) != len(cells):
            varied = ", ".join(name for name, of in values.items() if len(of) > 1)
            raise BatchError(f"cells are no full grid of {varied}")
        parameters.validate(_together(cells) | {"record": True, "save_to": ""}, model)
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


def _joined(batch: Batch, parts: dict[str, results.Result]) -> pd.DataFrame:
    """Join the tables of all cells, each with what tells it from others and is not in it.

    Where rows of different cells look alike even so, a column has the cell's name.
    """
    labelled = []
    for cell, part in parts.items():
        missing = {
            name: value
            for name, value in batch.varied[cell].items()
            if name not in part.table and not isinstance(value, list)  # whose values are
        }
        labelled.append(part.table.assign(**missing, cell=cell))
    table = pd.concat(labelled, ignore_index=True)
    measured = table.select_dtypes("float").columns.drop("learning_rate", errors="ignore")
    of_cells = table.drop(columns=measured).drop_duplicates()
    alike = of_cells.drop(columns="cell").duplicated().any()
    return table if alike else table.drop(columns="cell")


def _write(batch: Batch, folder: Path, name: str, table: pd.DataFrame, provenance: dict) -> None:
    made_by = {"command": command(batch, recorded=name in batch.record)}
    results.write(results.Result(table, made_by | provenance), name, folder=folder)


def _provenance(batch: Batch, of_cells: list[dict]) -> dict:
    """Return what the provenances of all cells come to, but for the command."""
    versions = of_cells[0]["versions"]
    for cell, provenance in zip(batch.cells, of_cells, strict=True):
        for name, *two in differences(versions, provenance["versions"]):
            others, its = (f"no {name}" if one is NOTHING else f"{name} {one}" for one in two)
            raise BatchError(
                f"cell {cell} was made with {its}, others with {others}; "
                f"run all again: {command(batch)} --forcerun cell"
            )
    said = {name: [one[name] for one in of_cells] for name in of_cells[0]}
    commits, clean = said["commit"], said["clean"]
    return {
        "parameters": _together(said["parameters"]),
        "commit": None if None in commits else ", ".join(dict.fromkeys(commits)),
        "clean": None if None in clean else all(clean),
        "versions": versions,
        "machine": "; ".join(dict.fromkeys(said["machine"])),
        "date": max(said["date"]),
    }


def _together(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the parameters of all cells as one: lists united, other values as they are.

    A value that varies becomes the list of what it was.
    """
    together = {}
    for name, first in cells[0].items():
        values = [cell[name] for cell in cells]
        united = pd.Series(values, dtype=object).explode().drop_duplicates().tolist()
        together[name] = united if any(value != first for value in values) else first
    return together


def ran(batch: Batch, folder: Path, cell: str) -> dict[str, Any]:
    """Return how a cell ran: when, how long, and what it took."""
    place = folder / CELLS / cell
    executed = json.loads((place / "notebook.ipynb").read_text(encoding="utf-8"))
    used = pd.read_csv(place / "benchmark.tsv", sep="\t", na_values=["-", "NA"]).iloc[-1]
    return {
        "cell": cell,
        **{name: text(value) for name, value in batch.varied[cell].items()},
        "started": executed["metadata"]["papermill"]["start_time"],
        "seconds": float(used["s"]),
        "cpu_seconds": float(used["cpu_time"]),
        "peak_megabytes": float(used["max_rss"]),
    }
