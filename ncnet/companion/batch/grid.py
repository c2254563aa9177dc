"""Batch files: a notebook, the values that all cells share, and the grid of those that vary."""

import ast
import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ncnet import parameters
from ncnet.checks import suggestion
from ncnet.companion import notebooks
from ncnet.companion.batch.marked import BatchError, MarkedYaml
from ncnet.files import expanded
from ncnet.results import ROOT

NOTEBOOKS = ROOT / "notebooks"
CELLS = "cells"
"""Folder of the cells, and name of the table that says how each of them ran."""
MOST_CELLS = 100_000
"""Cells that Snakemake can still plan, in some minutes."""
LONGEST_NAME = 60
"""Characters of a cell's name, which is that of a folder."""
DIGEST = 16
"""Characters that tell cells of one name apart, as many as there may be."""

__all__ = ["Batch", "BatchError", "Resources", "notebook_cells", "read", "text"]


class Resources(BaseModel):
    """What one cell needs of a machine."""

    model_config = ConfigDict(strict=True, extra="forbid")

    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    memory: Annotated[int, Field(ge=100, le=10_000_000)] = 1500
    """In megabytes."""
    minutes: Annotated[int, Field(ge=1, le=100_000)] = 30


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    notebook: str
    parameters: dict[str, Any] = {}
    grid: dict[str, Annotated[list, Field(min_length=1)]] = {}
    record: dict[str, str] = {}
    resources: Resources = Resources()


@dataclass(frozen=True)
class Batch:
    """A notebook, and the parameters of every cell of its grid.

    Attributes
    ----------
    name
        The file's name without suffix.
    path
        The file.
    notebook
        Name of the notebook.
    cells
        For each cell, by its name, all parameters of its run, the notebook's defaults included.
    varied
        For each cell those that its grid gives.
    tables
        Names of the tables that every cell saves.
    record
        Where tables go in the checkout when they are recorded, by name: a path without suffix.
    resources
        What one cell needs.
    """

    name: str
    path: Path
    notebook: str
    cells: dict[str, dict[str, Any]]
    varied: dict[str, dict[str, Any]]
    tables: tuple[str, ...]
    record: dict[str, str]
    resources: Resources


def read(path: Path | str) -> Batch:
    """Read a batch file, and check every cell as its notebook will.

    Raises
    ------
    BatchError
        One line with file, line and what was expected, for whatever a run would refuse.

    Examples
    --------
    >>> batch = read(ROOT / "batches" / "small.yml")
    >>> list(batch.cells)[:2], batch.tables
    (['overlap_2', 'overlap_3'], ('capacity',))
    """
    path = expanded(path)
    _check_stem(path)
    file = MarkedYaml(path)
    asked = _checked(file)
    model = _model(file, asked.notebook)
    _refuse_misplaced(file, asked, model)
    cells, varied, saved, names = {}, {}, set(), set()
    for given, axes in _grid(file, asked, model):
        name = _name(axes, taken=names)
        names.add(name.casefold())
        cells[name] = {key: value for key, value in given.items() if key != "save_to"}
        varied[name] = {key: value for axis in axes for key, value in axis.items()}
        saved.add(model.model_validate(given).tables)
    if len(saved) > 1:
        raise file.error(("grid",), "`record` differs between cells: expected one value for all")
    (tables,) = saved
    for name, where in asked.record.items():
        _check_record(file, name, where, (*tables, CELLS))
    return Batch(
        name=path.stem,
        path=path,
        notebook=asked.notebook,
        cells=cells,
        varied=varied,
        tables=tables,
        record=asked.record,
        resources=asked.resources,
    )


def _check_stem(path: Path) -> None:
    """Refuse names that make no good folder, or that a shell would read otherwise."""
    if not re.fullmatch(r"\w[\w .+-]*", path.stem):
        raise BatchError(f"batch file {path}: expected a name of letters, digits, `_`, `-`, `.`")


def _checked(file: MarkedYaml) -> _File:
    if not isinstance(file.value, dict):
        raise file.error((), "expected `notebook`, `parameters` and `grid`")
    try:
        return _File.model_validate(file.value)
    except ValidationError as error:
        problem = error.errors()[0]
    place = problem["loc"]
    name = ".".join(map(str, place))
    if problem["type"] == "missing":
        raise file.error((), f"`{name}` is missing")
    if problem["type"] == "extra_forbidden":
        known = Resources.model_fields if place[0] == "resources" else _File.model_fields
        raise file.error(place, f"unknown entry `{name}`{suggestion(str(place[-1]), known)}")
    wanted = problem["msg"].replace("Input", "it").replace("valid dictionary", "mapping")
    wanted = wanted.split(" or instance")[0]
    raise file.error(place, f"`{name}` is {problem['input']!r}: {wanted}")


def _model(file: MarkedYaml, notebook: str) -> type[parameters.Notebook]:
    try:
        model = notebooks.of(notebook)
    except ValueError as error:
        raise file.error(("notebook",), str(error)) from None
    if not model.TABLES:
        raise file.error(("notebook",), f"`{notebook}` saves no tables: nothing to gather")
    return model


def _refuse_misplaced(file: MarkedYaml, asked: _File, model: type[parameters.Notebook]) -> None:
    """Refuse what is given twice, and values that set nothing."""
    by = dict.fromkeys(asked.parameters, "parameters")
    known = model.model_fields.keys() - {"save_to"}
    for place in _places(asked):
        name = place[-1]
        if name == "save_to":
            raise file.error(place, "`save_to` is chosen by the batch: leave it out")
        if name not in known:
            raise file.error(place, f"unknown parameter `{name}`{suggestion(name, known)}")
    for axis, values in asked.grid.items():
        named = {name for value in values for name in _sets(asked, axis, value)}
        for name in named:
            if name in by:
                raise file.error(("grid", axis), f"`{name}` is also given by `{by[name]}`")
            by[name] = axis
        for place, value in enumerate(values):
            if set(_sets(asked, axis, value)) != named:
                wanted = ", ".join(f"`{name}`" for name in sorted(named))
                raise file.error(("grid", axis, place), f"{value!r}: expected all of {wanted}")


def _grid(
    file: MarkedYaml, asked: _File, model: type[parameters.Notebook]
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield all parameters of each cell as its run has them, and those that each axis sets."""
    defaults = _defaults(asked.notebook)
    count = math.prod(len(values) for values in asked.grid.values())
    if count > MOST_CELLS:
        raise file.error(("grid",), f"{count:,} cells: expected at most {MOST_CELLS:,}")
    seen = {}
    for places in itertools.product(*(range(len(values)) for values in asked.grid.values())):
        axes = dict(zip(asked.grid, places, strict=True))
        sets = [_sets(asked, axis, asked.grid[axis][place]) for axis, place in axes.items()]
        given = defaults | asked.parameters
        for chosen in sets:
            given |= chosen
        try:
            given = parameters.validate(given, model)
        except parameters.ParameterError as error:
            raise file.error(_place(asked, axes, error.names), str(error)) from None
        _refuse_again(file, asked, axes, seen.setdefault(json.dumps(given), axes))
        yield given, [{name: given[name] for name in chosen} for chosen in sets]


def _refuse_again(
    file: MarkedYaml, asked: _File, axes: dict[str, int], before: dict[str, int]
) -> None:
    """Refuse a cell with the parameters of the one `before` it, unless that is itself."""
    for axis, place in axes.items():
        if place != before[axis]:
            value = asked.grid[axis][place]
            raise file.error(("grid", axis, place), f"{value!r} is there twice")


def _places(asked: _File) -> Iterator[tuple]:
    for name in asked.parameters:
        yield "parameters", name
    for axis, values in asked.grid.items():
        for place, value in enumerate(values):
            for name in _sets(asked, axis, value):
                yield ("grid", axis, place, name) if isinstance(value, dict) else ("grid", name)


def _sets(asked: _File, axis: str, value: Any) -> dict[str, Any]:
    """Return the parameters that a value of an axis sets: a mapping sets several together."""
    return value if isinstance(value, dict) else {axis: value}


def _place(asked: _File, axes: dict[str, int], names: tuple[str, ...]) -> tuple:
    """Return where the file gives the first of these parameters that it gives at all."""
    for name in names:
        if name in asked.parameters:
            return "parameters", name
        for axis, place in axes.items():
            value = asked.grid[axis][place]
            if isinstance(value, dict) and name in value:
                return "grid", axis, place, name
            if name == axis:
                return "grid", axis, place
    return ()


def _name(axes: list[dict[str, Any]], taken: set[str]) -> str:
    """Return a cell's name: the values that vary, in letters that any file system takes."""
    words = "_".join(map(text, axes)) or "all"
    name = re.sub(r"[^A-Za-z0-9.+-]+", "_", words).strip("_.") or "cell"
    if len(name) > LONGEST_NAME or name.casefold() in taken:
        digest = hashlib.sha256(json.dumps(axes).encode()).hexdigest()[:DIGEST]
        name = f"{name[: LONGEST_NAME - DIGEST - 1]}-{digest}"
    return name


def text(value: Any) -> str:
    """Return a parameter in few letters.

    >>> text({"hidden_sizes": [2, 3], "hidden_size": 2})
    '2+3,2'
    """
    if isinstance(value, dict):
        return ",".join(dict.fromkeys(map(text, value.values())))
    if isinstance(value, list):
        return "+".join(map(text, value))
    return str(value)


def notebook_cells(path: Path) -> list[tuple[str, str, dict]]:
    """Return kind, text and metadata of each cell of a notebook file."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(cell["cell_type"], "".join(cell["source"]), cell["metadata"]) for cell in cells]


def _defaults(notebook: str) -> dict[str, Any]:
    """Return the values in the parameters cell of a notebook."""
    cells = notebook_cells(NOTEBOOKS / f"{notebook}.ipynb")
    source = next(text for _, text, metadata in cells if "parameters" in metadata.get("tags", ()))
    lines = ast.parse(source).body
    return {line.target.id: ast.literal_eval(line.value) for line in lines}


def _check_record(file: MarkedYaml, name: str, where: str, tables: tuple[str, ...]) -> None:
    if name not in tables:
        message = f"no table `{name}` comes of this batch{suggestion(name, tables)}"
        raise file.error(("record", name), message)
    if not re.fullmatch(rf"results/([\w-]+/)*{name}", where):
        message = f"`{where}`: expected results/{name}, or results/FOLDER/{name}"
        raise file.error(("record", name), message)
