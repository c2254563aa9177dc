"""Checks the parameters of all notebooks before any work.

papermill injects whatever it is given: a misspelt name would run with the default and succeed, a
list given by ``-p`` arrives as text, and so do ``true`` by ``-p`` and ``2e-5`` by ``-y``. Each
notebook's second cell therefore calls `validate`.
"""

import os
import re
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from ncnet import renamed
from ncnet.checks import check, problem_line
from ncnet.files import expanded
from ncnet.printing import printable, shortened


def distinct(values: list) -> list:
    """Return values of which none is there twice.

    Raises
    ------
    ValueError
        The line names the first that is.
    """
    for value in values:
        check(values.count(value) == 1, f"{value!r} is there twice", "each once")
    return values


def _number(value: Any) -> Any:
    """Return what YAML 1.1 takes for text, such as 2e-5, as the number it is."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def expand_home(name: str) -> str:
    """Return a path in which ``~`` is the home folder."""
    return str(expanded(name)) if name else name


def _folder(name: str) -> str:
    place = Path(name).absolute()
    try:
        nearest = next(one for one in (place, *place.parents) if one.exists())
    except OSError as error:
        raise ValueError(error.strerror) from None
    if name and not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        raise ValueError(f"nothing can be written to {nearest}")
    return name


_Value = TypeVar("_Value")
Distinct = Annotated[list[_Value], Field(min_length=1), AfterValidator(distinct)]
HiddenSize = Annotated[int, Field(ge=1, le=10_000)]
HiddenSizes = Distinct[HiddenSize]
GameName = Literal["overlap", "separate"]
GameNames = Distinct[GameName]
Activation = Literal["relu", "sigmoid", "tanh"]
Optimizer = Literal["adam", "gradient_descent"]
Activations = Distinct[Activation]
# Runs of 32 replicas: S is scattered over runs, and a part of a run would be left out.
Replicas = Annotated[int, Field(ge=32, le=32_000_000, multiple_of=32)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Folder = Annotated[str, AfterValidator(expand_home), AfterValidator(_folder)]
# By papermill's `-p`, `true` is text; `True` is not.
Switch = Annotated[bool, Field(strict=False)]
Number = Annotated[float, BeforeValidator(_number)]
Rate = Annotated[Number, Field(gt=0, le=1e6, allow_inf_nan=False)]


class ParameterError(ValueError):
    """Refuses a notebook's parameter in one line, which is shown without a traceback.

    Attributes
    ----------
    names
        The parameters that are at fault.
    """

    def __init__(self, line: str, names: tuple[str, ...]):
        super().__init__(line)
        self.names = names

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class Notebook(BaseModel):
    """Parameters that every notebook shares, and the tables that it makes of them.

    Attributes
    ----------
    save_to
        Folder for the tables of this run; empty to save none.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    NOTEBOOK: ClassVar[str]
    """Name of the notebook's file."""
    TABLES: ClassVar[tuple[str, ...]]
    """Tables that a run saves when it is given `save_to`."""
    RECORDED: ClassVar[tuple[str, ...]] = ()
    """Tables that it saves with `record`: those that the book quotes."""
    QUOTED: ClassVar[dict[str, Any]] = {}
    """What such a run has at least: values among those of a list, or the least of a number."""

    save_to: Folder

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that a run with these parameters saves in `save_to`."""
        recorded = self.RECORDED if getattr(self, "record", False) else ()
        return tuple(dict.fromkeys(self.TABLES + recorded))

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if {"hidden_size", "hidden_sizes"} <= type(self).model_fields.keys():
            found = f"parameter `hidden_size` is {self.hidden_size}"
            expected = f"one of `hidden_sizes`, {self.hidden_sizes}"
            check(self.hidden_size in self.hidden_sizes, found, expected)
        short = self._short_of_a_record() if getattr(self, "record", False) else []
        expected = f"{'; '.join(short)}, which the book quotes"
        check(not short, "parameter `record` is True", expected)
        return self

    def _short_of_a_record(self) -> list[str]:
        """Return in words what a record has to have, and a run with these parameters lacks."""
        short = []
        for name, least in self.QUOTED.items():
            value = getattr(self, name)
            if not isinstance(least, tuple):
                short += [f"`{name}` of at least {least} (here {value})"] if value < least else []
            elif missing := [str(one) for one in least if one not in value]:
                short.append(f"`{name}` with {', '.join(missing)}")
        return short


class TrainingNotebook(Notebook):
    """Parameters that every notebook shares that trains networks of its own."""

    seed: Seed
    activation: Activation
    optimizer: Optimizer
    learning_rate: Rate


class GameNotebook(TrainingNotebook):
    """Parameters that every notebook on XORnet games shares."""

    replicas: Replicas
    steps: Annotated[int, Field(ge=0, le=1_000_000_000)]


def validate(namespace: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """Check every public global of a notebook against its parameters, and return them.

    The namespace holds what is returned from then on: a number for the text ``2e-5``, a bool for
    ``true``, the home folder for ``~``.

    Parameters
    ----------
    namespace
        The notebook's ``globals()``, right after its parameters cell: every public name that
        is no module, class or function counts as a parameter. When the cell is run again in the
        same kernel, with the notebook's own variables around, other names are let be.
    model
        The notebook's parameters, which its study has, such as
        `ncnet.studies.capacity.parameters.Rq1`.

    Raises
    ------
    ParameterError
        One line for an unknown name, a wrong type or a value out of range.

    Examples
    --------
    >>> given = dict(replicas=64, steps=9, seed=0)
    >>> given |= dict(activation="tanh", optimizer="adam", learning_rate="2e-5", save_to="")
    >>> validate(dict(given), GameNotebook)["learning_rate"]
    2e-05
    >>> validate(given | {"sead": 4}, GameNotebook)
    Traceback (most recent call last):
    ncnet.parameters.ParameterError: unknown parameter `sead`: did you mean `seed`?
    """
    again = _VALIDATED in namespace
    given = {
        name: value
        for name, value in namespace.items()
        if name in model.model_fields or (not again and _is_parameter(name, value))
    }
    try:
        valid = model.model_validate(given).model_dump()
    except ValidationError as error:
        lines = {}
        for problem in error.errors():
            lines.setdefault(problem["loc"][:1], _line(problem, model))
        line = "; ".join(lines.values())
        names = tuple(str(name) for place in lines for name in place)
        # A check of several parameters has no place of its own; its line names them.
        raise ParameterError(line, names or tuple(re.findall(r"`(\w+)`", line))) from None
    namespace |= valid | {_VALIDATED: True}
    return valid


_VALIDATED = "_parameters_were_valid"
# What IPython itself puts beside the user's names.
_SHELL_NAMES = ("In", "Out", "exit", "quit", "get_ipython", "open")


def _is_parameter(name: str, value: Any) -> bool:
    if name.startswith("_") or name in _SHELL_NAMES:
        return False
    return not isinstance(value, (types.ModuleType, types.FunctionType, type))


def _line(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    if not problem["loc"]:  # from a check of several parameters, which names them itself
        return str(problem["ctx"]["error"])
    name = problem["loc"][0]
    return problem_line(problem, model.model_fields, name=name) + _hint(problem)


def _hint(problem: Mapping[str, Any]) -> str:
    """Return how papermill takes a value that it has read as something else, if it has."""
    name, value = problem["loc"][0], problem["input"]
    if len(problem["loc"]) > 1 or not isinstance(value, (str, int, float)):
        return ""
    text = shortened(printable(str(value)))
    listed = text if text.startswith("[") else f"[{text}]"
    options = {"list_type": f"-y '{name}: {listed}'", "string_type": f"-r {name} {text}"}
    option = options.get(problem["type"])
    return f" (papermill takes it by {option})" if option else ""


__getattr__ = renamed.names(
    __name__,
    {"at_home": "expand_home", "Trained": "TrainingNotebook", "Training": "GameNotebook"},
)
