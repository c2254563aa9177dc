"""Reads batch files: a notebook, values that all jobs share, and the grid of those that vary."""

import ast
import hashlib
import itertools
import json
import math
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ncnet import parameters
from ncnet.checks import check, problem_line, suggestion
from ncnet.companion import notebooks
from ncnet.companion.yaml_files import UnreadableError, read_yaml
from ncnet.files import expanded
from ncnet.results import ROOT
from ncnet.runs import JOBS

NOTEBOOKS = ROOT / "notebooks"
MOST_JOBS = 100_000
"""So many jobs Snakemake can still plan, in some minutes."""
LONGEST_NAME = 60
"""So many characters a job's name has at most, since a folder has it too."""
DIGEST = 16
"""So many characters tell apart the jobs whose names would be alike."""
LONGEST_MESSAGE = 400
Setting = tuple[tuple, dict[str, Any]]
"""The place in the file, as the keys that lead to it, and the parameters that are set there."""


class BatchError(ValueError):
    """Says in one line why a batch cannot be run, with file and line number if there are any."""

    def __init__(self, message: str):
        super().__init__(textwrap.shorten(message, LONGEST_MESSAGE, placeholder=" ..."))


class _PlacedError(ValueError):
    """Says what is wrong at a place of the file."""

    def __init__(self, place: tuple, message: object):
        super().__init__(str(message))
        self.place = place


def _check(holds: object, place: tuple, message: str) -> None:
    if not holds:
        raise _PlacedError(place, message)


class Resources(BaseModel):
    """The resources of a machine that one job needs."""

    model_config = ConfigDict(strict=True, extra="forbid")

    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    memory: Annotated[int, Field(ge=100, le=10_000_000)] = 1500
    """Megabytes."""
    minutes: Annotated[int, Field(ge=1, le=100_000)] = 30


def _with_tables(notebook: str) -> str:
    check(notebooks.of(notebook).TABLES, "it saves no tables", "some to gather")
    return notebook


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    notebook: Annotated[str, AfterValidator(_with_tables)]
    parameters: dict[str, Any] = {}
    grid: dict[str, Annotated[list, Field(min_length=1)]] = {}
    record: dict[str, str] = {}
    resources: Resources = Resources()


class Batch(_File):
    """A batch: a notebook, and the parameters of every job, one for each combination of the grid.

    Attributes
    ----------
    name
        The batch file's name without suffix.
    path
        The batch file.
    notebook
        The name of the notebook.
    jobs
        All parameters of each job by its name, the notebook's defaults included.
    varied
        Those parameters of each job that the grid gives.
    tables
        The names of the tables that every job saves.
    record
        Where each table goes in the checkout when it is recorded: a path without suffix.
    resources
        The resources that one job needs.
    """

    name: str
    path: Path
    jobs: dict[str, dict[str, Any]]
    varied: dict[str, dict[str, Any]]
    tables: tuple[str, ...]


def read(path: Path | str) -> Batch:
    """Read a batch file, and check every job as its notebook will.

    Raises
    ------
    BatchError
        One line with file, line and what was expected, for whatever a run would refuse.

    Examples
    --------
    >>> batch = read(ROOT / "batches" / "small.yml")
    >>> list(batch.jobs)[:2], batch.tables
    (['overlap_2', 'overlap_3'], ('capacity',))
    """
    path = expanded(path)
    # The name is that of a folder, too.
    if not re.fullmatch(r"\w[\w .+-]*", path.stem):
        raise BatchError(f"batch file {path}: expected a name of letters, digits, `_`, `-`, `.`")
    root = None
    try:
        root, content = read_yaml(path)
        return _batch(path, content)
    except UnreadableError as error:
        raise BatchError(f"batch file {error}" if error.unread else str(error)) from None
    except _PlacedError as fault:
        raise BatchError(f"{path}:{_line(root, fault.place)}: {fault}") from None


def _line(node: yaml.Node | None, place: tuple) -> int:
    """Return the line of the value at a place, or of the last value on the way to it."""
    for step in place:
        children = {}
        if isinstance(node, yaml.MappingNode):
            children = {key.value: value for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            children = dict(enumerate(node.value))
        if step not in children:
            break
        node = children[step]
    return node.start_mark.line + 1 if node else 1


def _batch(path: Path, content: Any) -> Batch:
    asked = _checked(content)
    model = notebooks.of(asked.notebook)
    jobs, varied, saved, taken = {}, {}, set(), set()
    for given, axes in _grid(asked, model):
        name = _name(axes, taken)
        taken.add(name.casefold())
        saved.add(model.model_construct(**given).tables)
        jobs[name] = {key: value for key, value in given.items() if key != "save_to"}
        varied[name] = {key: value for axis in axes for key, value in axis.items()}
    same = "`record` differs between jobs: expected one value for all"
    _check(len(saved) == 1, ("grid",), same)
    [tables] = saved
    known = (*tables, JOBS)
    for name, where in asked.record.items():
        place, here = ("record", name), f"expected results/{name}, or results/FOLDER/{name}"
        _check(name in known, place, f"unknown table `{name}`{suggestion(name, known)}")
        _check(re.fullmatch(rf"results/([\w-]+/)*{name}", where), place, f"`{where}`: {here}")
    # What is checked already is taken as it is.
    return Batch.model_construct(
        **dict(asked), name=path.stem, path=path, jobs=jobs, varied=varied, tables=tables
    )


def _checked(content: Any) -> _File:
    _check(isinstance(content, dict), (), "expected `notebook`, `parameters` and `grid`")
    try:
        return _File.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
    place = problem["loc"]
    known = (_File if len(place) == 1 else Resources).model_fields
    name = ".".join(map(str, place))
    line = problem_line(problem, known, kind="entry", name=name)
    line = re.sub(r"valid dictionary( or instance of Resources)?$", "mapping", line)
    raise _PlacedError(place, line)


def _grid(
    asked: _File, model: type[parameters.Notebook]
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield all parameters of each job as its run has them, and those that each axis sets."""
    axes = [[(("parameters",), asked.parameters)]]
    for axis, values in asked.grid.items():
        # A mapping sets several parameters together, under any name.
        sets = [value if isinstance(value, dict) else {axis: value} for value in values]
        axes.append([(("grid", axis, place), given) for place, given in enumerate(sets)])
    _check_names(axes, model)
    count = math.prod(map(len, axes))
    _check(count <= MOST_JOBS, ("grid",), f"{count:,} jobs: expected at most {MOST_JOBS:,}")
    defaults, seen = _defaults(asked.notebook), {}
    for settings in itertools.product(*axes):
        valid = _validated(defaults, settings, model)
        before = seen.setdefault(json.dumps(valid), settings)
        for (place, given), (other, _) in zip(settings, before, strict=True):
            if place != other:
                # Of a mapping, all that it sets.
                raise _PlacedError(place, f"{given.get(place[1], given)!r} is there twice")
        yield valid, [{name: valid[name] for name in given} for _, given in settings[1:]]


def _check_names(axes: list[list[Setting]], model: type[parameters.Notebook]) -> None:
    """Refuse a parameter that is unknown, given by two axes, or not by all values of an axis."""
    known = model.model_fields.keys() - {"save_to"}
    by = {}
    for axis in axes:
        for place, given in axis:
            _check(given or place == ("parameters",), place, "{}: expected names and values")
            for name in given:
                here = (*place, name)
                giver = by.setdefault(name, place[:2])
                chosen = "`save_to` is chosen by the batch: leave it out"
                _check(name != "save_to", here, chosen)
                unknown = f"unknown parameter `{name}`{suggestion(name, known)}"
                _check(name in known, here, unknown)
                _check(giver == place[:2], here, f"`{name}` is also given by `{giver[-1]}`")
        names = set().union(*(given for _, given in axis))
        wanted = ", ".join(f"`{name}`" for name in sorted(names))
        for place, given in axis:
            _check(set(given) == names, place, f"{given}: expected all of {wanted}")


def _validated(
    defaults: dict, settings: tuple[Setting, ...], model: type[parameters.Notebook]
) -> dict[str, Any]:
    given = dict(defaults)
    for _, chosen in settings:
        given |= chosen
    try:
        return parameters.validate(given, model)
    except parameters.ParameterError as error:
        places = {name: (*place, name) for place, chosen in settings for name in chosen}
        place = next((places[name] for name in error.names if name in places), ())
        raise _PlacedError(place, error) from None


def _name(axes: list[dict[str, Any]], taken: set[str]) -> str:
    """Return a job's name: the values that vary, in letters that any file system takes."""
    words = "_".join(map(text, axes)) or "all"
    name = re.sub(r"[^A-Za-z0-9.+-]+", "_", words).strip("_.") or "job"
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
    return "+".join(map(text, value)) if isinstance(value, list) else str(value)


def _defaults(notebook: str) -> dict[str, Any]:
    """Return the values in the parameters cell of a notebook."""
    path = NOTEBOOKS / f"{notebook}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    [lines] = [one["source"] for one in cells if "parameters" in one["metadata"].get("tags", ())]
    return {line.target.id: ast.literal_eval(line.value) for line in ast.parse("".join(lines)).body}
