"""Joins the tables of all cells into one, and takes it over into the recorded results."""

import json
from collections.abc import Collection, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from ncnet import parameters, results, runs
from ncnet.batch.grid import CELLS, ROOT, Batch, BatchError, text


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
        If a cell is missing, damaged, or made with other parameters or another version of the
        code than is here now.
    """
    found = {}
    for name in batch.tables:
        found = {cell: _load(batch, folder, cell, name) for cell in batch.cells}
        parts = [_labelled(part.table, batch.varied[cell]) for cell, part in found.items()]
        _write(batch, folder, name, pd.concat(parts, ignore_index=True), found.values())
    ran = pd.DataFrame([_ran(batch, folder, cell) for cell in batch.cells])
    _write(batch, folder, CELLS, ran, found.values())


def record(batch: Batch, folder: Path) -> list[Path]:
    """Take gathered tables over into the checkout, where the batch file says; return where to.

    Raises
    ------
    BatchError
        If all cells together do not have what the book quotes.
    """
    model = parameters.of(batch.notebook)
    together = _together(list(batch.cells.values()))
    if "record" in model.model_fields:
        try:
            parameters.validate(together | {"record": True, "save_to": ""}, model)
        except parameters.ParameterError as error:
            raise BatchError(f"{batch.path} cannot be recorded: {error}") from None
    for name, where in batch.record.items():
        place = ROOT / where
        results.write(results.load(name, folder=folder), place.name, folder=place.parent)
    return [ROOT / where for where in batch.record.values()]


def command(batch: Batch, *, recorded: bool = False) -> str:
    """Return the command that runs a batch and, if asked, records its tables."""
    target = "record " if recorded else ""
    return f"snakemake --cores 2 {target}--config batch={batch.path.as_posix()}"


def _load(batch: Batch, folder: Path, cell: str, name: str) -> results.Result:
    again = f"remake it: {command(batch)} --forcerun cell"
    place = folder / CELLS / cell
    try:
        found = results.load(name, folder=place)
    except (FileNotFoundError, ValueError) as error:
        raise BatchError(f"cell {cell}: {error}; {again}") from None
    if found.changed_modules:
        changed = ", ".join(found.changed_modules)
        raise BatchError(f"cell {cell} was made with another version of {changed}; {again}")
    asked = runs.command(batch.notebook, batch.cells[cell] | {"save_to": place.as_posix()})
    if found.provenance["command"] != asked:
        raise BatchError(f"cell {cell} was made with other parameters; {again}")
    return found


def _labelled(table: pd.DataFrame, varied: dict[str, Any]) -> pd.DataFrame:
    """Add what tells a cell from others and is not in its table; of lists, values are."""
    missing = {name: value for name, value in varied.items() if name not in table}
    return table.assign(
        **{name: value for name, value in missing.items() if not isinstance(value, list)}
    )


def _write(
    batch: Batch,
    folder: Path,
    name: str,
    table: pd.DataFrame,
    parts: Collection[results.Result],
) -> None:
    provenances = [part.provenance for part in parts]
    versions = provenances[0]["versions"]
    for cell, other in zip(batch.cells, provenances, strict=True):
        apart = [what for what in versions if other["versions"][what] != versions[what]]
        if apart:
            raise BatchError(
                f"cell {cell} was made with {apart[0]} {other['versions'][apart[0]]}, others with "
                f"{versions[apart[0]]}; remake them: {command(batch)} --forcerun cell"
            )
    provenance = {
        "command": command(batch, recorded=name in batch.record),
        "parameters": _together([other["parameters"] for other in provenances]),
        "date": max(other["date"] for other in provenances),
        "machine": "; ".join(dict.fromkeys(other["machine"] for other in provenances)),
        "versions": versions,
        "modules": provenances[0]["modules"],
    }
    results.write(results.Result(table, provenance, ()), name, folder=folder)


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


def _ran(batch: Batch, folder: Path, cell: str) -> dict[str, Any]:
    """Return how a cell ran: when, how long, and what it took."""
    place = folder / CELLS / cell
    run = json.loads((place / "notebook.ipynb").read_text())["metadata"]["papermill"]
    used = pd.read_csv(place / "benchmark.tsv", sep="\t", na_values=["-", "NA"]).iloc[-1]
    return {
        "cell": cell,
        **{name: text(value) for name, value in batch.varied[cell].items()},
        "started": run["start_time"],
        "seconds": float(used["s"]),
        "cpu_seconds": float(used["cpu_time"]),
        "peak_megabytes": float(used["max_rss"]),
    }
