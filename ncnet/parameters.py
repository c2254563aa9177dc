"""Notebook parameters, checked before any work: names, types and ranges.

papermill injects whatever it is given: a misspelt name would run with the default and succeed, a
list given by ``-p`` arrives as text, and so do ``true`` by ``-p`` and ``2e-5`` by ``-y``. Each
notebook's second cell therefore calls `validate`.
"""

import os
import re
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from ncnet.checks import check_choice, suggestion
from ncnet.files import expanded

ROOT = Path(__file__).resolve().parents[1]


def _distinct(values: list) -> list:
    repeated = [value for value in values if values.count(value) > 1]
    if repeated:
        raise ValueError(f"{repeated[0]!r} is there twice")
    return values


def _number(value: Any) -> Any:
    """Return what YAML 1.1 takes for text, such as 2e-5, as the number it is."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _at_home(name: str) -> str:
    return str(expanded(name)) if name else name


def _folder(name: str) -> str:
    there = Path(name).absolute()
    try:
        while not there.exists():
            there = there.parent
    except OSError as error:
        raise ValueError(error.strerror) from None
    if name and not (there.is_dir() and os.access(there, os.W_OK)):
        raise ValueError(f"nothing can be written to {there}")
    return name


HiddenSize = Annotated[int, Field(ge=1, le=10_000)]
HiddenSizes = Annotated[list[HiddenSize], Field(min_length=1), AfterValidator(_distinct)]
GameName = Literal["overlap", "separate"]
GameNames = Annotated[list[GameName], Field(min_length=1), AfterValidator(_distinct)]
Activation = Literal["relu", "sigmoid", "tanh"]
Activations = Annotated[list[Activation], Field(min_length=1), AfterValidator(_distinct)]
ModelName = Literal[
    "local",
    "ceiling",
    "skewed",
    "two modes",
    "influence",
    "boundary",
    "noise",
    "singlet",
    "PR box",
    "contextual",
    "overlap, n = 1",
    "overlap, n = 2",
    "overlap, n = 3",
    "overlap, n = 5",
    "separate, n = 3",
]
PopulationName = Literal["overlap", "separate", "hard_together", "hard_apart", "middling"]
EncoderName = Literal["bert-base-multilingual-cased", "bert-base-uncased", "minilm", "tiny"]
QuartetName = Literal[
    "mixed_hard_together",
    "mixed_hard_apart",
    "mixed_hard_twice",
    "languages",
    "languages_ja",
    "toy_mixed",
    "toy_languages",
]
Rank = Annotated[int, Field(ge=0, le=4096)] | Literal["full"]
# Runs of 32 replicas: S is scattered over runs, and a part of a run would be left out.
Replicas = Annotated[int, Field(ge=32, le=32_000_000, multiple_of=32)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Folder = Annotated[str, AfterValidator(_at_home), AfterValidator(_folder)]
FEWEST_TRACED = 20
"""Steps of training without which a trace is too short for the filter that finds its trend."""
FEWEST_A_FOLD = 5
MOST_TRACED = 20_000_000
"""Replicas x steps whose losses take some gigabytes while they are decoded."""
# By papermill's `-p`, `true` is text; `True` is not.
Switch = Annotated[bool, Field(strict=False)]
Number = Annotated[float, BeforeValidator(_number)]
Rate = Annotated[Number, Field(gt=0, le=1e6, allow_inf_nan=False)]


class ParameterError(ValueError):
    """A notebook parameter that cannot be used; shown as one line, without a traceback.

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

    TABLES: ClassVar[tuple[str, ...]]
    """Tables that a run saves when it is given `save_to`."""
    RECORDED: ClassVar[tuple[str, ...]] = ()
    """Tables that it saves with `record`: those that the book quotes."""

    save_to: Folder

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that a run with these parameters saves in `save_to`."""
        recorded = self.RECORDED if getattr(self, "record", False) else ()
        return tuple(dict.fromkeys(self.TABLES + recorded))


class Training(Notebook):
    """Parameters that every notebook on XORnet games shares."""

    replicas: Replicas
    steps: Annotated[int, Field(ge=0, le=1_000_000_000)]
    seed: Seed
    activation: Activation
    optimizer: Literal["adam", "gradient_descent"]
    learning_rate: Rate


class Rq1(Training):
    """Parameters of ``rq1``: one game at a few hidden sizes, one of them looked at closely."""

    TABLES = ("capacity",)

    game: GameName
    hidden_sizes: HiddenSizes
    hidden_size: HiddenSize

    @model_validator(mode="after")
    def _looks_at_one_of_the_sizes(self) -> Self:
        if self.hidden_size not in self.hidden_sizes:
            raise ValueError(
                f"parameter `hidden_size` is {self.hidden_size}: "
                f"expected one of `hidden_sizes`, {self.hidden_sizes}"
            )
        return self


Lambda = Annotated[Number, Field(ge=0, le=1)]


class Rq2(Training):
    """Parameters of ``rq2``: conflict, sensing, interventions; one size looked at closely."""

    TABLES = (
        "conflict",
        "conflict_and_s",
        "interventions",
        "sensing",
        "sensing_along_training",
        "oscillation",
    )
    RECORDED = TABLES

    games: GameNames
    hidden_sizes: HiddenSizes
    hidden_size: HiddenSize
    steps: Annotated[int, Field(ge=FEWEST_TRACED, le=1_000_000)]
    lambdas: Annotated[list[Lambda], Field(min_length=1), AfterValidator(_distinct)]
    small_steps: Switch
    log_interval: Annotated[int, Field(ge=1)]
    folds: Annotated[int, Field(ge=2, le=100)]
    permutations: Annotated[int, Field(ge=0, le=10_000)]
    record: Switch

    @model_validator(mode="after")
    def _can_be_traced_and_decoded(self) -> Self:
        if self.hidden_size not in self.hidden_sizes:
            raise ValueError(
                f"parameter `hidden_size` is {self.hidden_size}: "
                f"expected one of `hidden_sizes`, {self.hidden_sizes}"
            )
        if self.log_interval > self.steps:
            raise ValueError(
                f"parameter `log_interval` is {self.log_interval}: expected at most the "
                f"{self.steps} steps of the training"
            )
        most = self.replicas // FEWEST_A_FOLD
        if self.folds > most:
            raise ValueError(
                f"parameter `folds` is {self.folds}: expected at most {most}, a fold takes "
                f"{FEWEST_A_FOLD} of the {self.replicas} replicas"
            )
        if self.replicas * self.steps > MOST_TRACED:
            raise ValueError(
                f"parameter `steps` is {self.steps}: expected at most "
                f"{MOST_TRACED // self.replicas:,} with {self.replicas} replicas, whose losses at "
                "every step have to fit in memory"
            )
        return self

    @model_validator(mode="after")
    def _records_what_the_book_quotes(self) -> Self:
        enough = (
            set(get_args(GameName)) <= set(self.games)
            and {2, 3, 4, 6} <= set(self.hidden_sizes)
            and self.hidden_size == 3
            and self.replicas >= 1600
            and self.permutations >= 99
            and {0.25, 0.0} <= set(self.lambdas)
        )
        if self.record and not enough:
            raise ValueError(
                "parameter `record` is True: the book quotes both games, `hidden_sizes` 2, 3, 4 "
                "and 6, `hidden_size` 3, `lambdas` 0.25 and 0, at least 1600 `replicas` and 99 "
                "`permutations`, which the run would not record"
            )
        return self


class Rq3Multiverse(Notebook):
    """Parameters of ``rq3_multiverse``: S(n) under other choices."""

    TABLES = ("multiverse",)
    RECORDED = (
        "multiverse",
        "multiverse_longer",
        "multiverse_alone",
    )

    trainings: Annotated[int, Field(ge=1, le=108)]
    hidden_sizes: HiddenSizes
    replicas: Replicas
    steps: Annotated[int, Field(ge=0, le=1_000_000_000)]
    seed: Seed
    record: Switch

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        if 3 not in self.hidden_sizes:
            raise ValueError(
                f"parameter `hidden_sizes` is {self.hidden_sizes}: expected 3 among them, which "
                "the rules compare with"
            )
        if self.record and self.replicas < 1600:
            raise ValueError(
                f"parameter `replicas` is {self.replicas}: a record takes at least 1600, or else "
                "no interval at the ceiling is as short as the rules ask for"
            )
        return self


class Rq3(Training):
    """Parameters of ``rq3``: S against capacity and along training."""

    TABLES = ("capacity", "along_training")
    RECORDED = TABLES

    games: GameNames
    hidden_sizes: HiddenSizes
    hidden_sizes_along_training: HiddenSizes
    record: Switch

    @model_validator(mode="after")
    def _records_what_the_book_quotes(self) -> Self:
        enough = (
            set(get_args(GameName)) <= set(self.games)
            and {3, 6} <= set(self.hidden_sizes)
            and {2, 3, 4} <= set(self.hidden_sizes_along_training)
        )
        if self.record and not enough:
            raise ValueError(
                "parameter `record` is True: the book quotes both games, `hidden_sizes` 3 and 6, "
                "and `hidden_sizes_along_training` 2, 3 and 4, which the run would not record"
            )
        if self.record and (self.replicas < 1600 or self.steps < 1):
            raise ValueError(
                f"parameter `record` is True: a record takes at least 1600 `replicas` (here "
                f"{self.replicas}) and a step of training (here {self.steps})"
            )
        return self


class Rq3Lora(Notebook):
    """Parameters of ``rq3_lora``: S of an encoder against the rank of its adapters."""

    TABLES = ("lora", "lora_tasks", "lora_outcomes", "lora_losses")

    encoder: EncoderName
    data: Annotated[list[QuartetName], Field(min_length=1), AfterValidator(_distinct)]
    ranks: Annotated[list[Rank], Field(min_length=1), AfterValidator(_distinct)]
    replicas: Annotated[int, Field(ge=2, le=100_000)]
    items: Annotated[int, Field(ge=2, le=100_000)]
    held_out: Annotated[int, Field(ge=0, le=100_000)]
    layers: Annotated[int, Field(ge=1, le=48)]
    steps: Annotated[int, Field(ge=0, le=1_000_000)]
    batch_size: Annotated[int, Field(ge=1, le=10_000)]
    learning_rate: Rate
    seed: Seed


class Rq6(Notebook):
    """Parameters of ``rq6``: what of S > 2 survives, over capacities and over all games."""

    TABLES = ("capacity",)
    RECORDED = ("search", "search_counts")

    hidden_sizes: HiddenSizes
    hidden_sizes_of_the_atlas: HiddenSizes
    activations: Activations
    replicas: Replicas
    fresh_replicas: Replicas
    steps: Annotated[int, Field(ge=0, le=1_000_000_000)]
    seed: Seed
    learning_rate: Rate
    record: Switch

    @model_validator(mode="after")
    def _looks_where_it_is_found(self) -> Self:
        if 1 not in self.hidden_sizes_of_the_atlas:
            raise ValueError(
                f"parameter `hidden_sizes_of_the_atlas` is {self.hidden_sizes_of_the_atlas}: "
                "expected 1 among them, at which a game is looked at closely"
            )
        return self


class YourModel(Notebook):
    """Parameters of ``your_model``: the report on a network that the reader wrote."""

    TABLES = ("capacity",)

    hidden_sizes: HiddenSizes
    hidden_size: HiddenSize
    replicas: Annotated[int, Field(ge=2, le=100_000)]
    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    learning_rate: Rate
    log_interval: Annotated[int, Field(ge=1, le=1_000_000)]
    seed: Seed

    @model_validator(mode="after")
    def _looks_at_one_of_the_sizes(self) -> Self:
        if self.hidden_size not in self.hidden_sizes:
            raise ValueError(
                f"parameter `hidden_size` is {self.hidden_size}: "
                f"expected one of `hidden_sizes`, {self.hidden_sizes}"
            )
        return self


class Calibration(Notebook):
    """Parameters of ``calibration``: models to simulate experiments on, and how many."""

    TABLES = ("calibration",)
    RECORDED = ("calibration",)

    models: Annotated[list[ModelName], Field(min_length=1), AfterValidator(_distinct)]
    replica_counts: Annotated[
        list[Annotated[int, Field(ge=2, le=100_000)]],
        Field(min_length=1),
        AfterValidator(_distinct),
    ]
    simulations: Annotated[int, Field(ge=1, le=100_000)]
    seed: Seed
    record: Switch

    @model_validator(mode="after")
    def _records_what_the_book_quotes(self) -> Self:
        enough = (
            set(self.models) == set(get_args(ModelName))
            and 32 in self.replica_counts
            and len(self.replica_counts) > 1
            and self.simulations >= 200
        )
        if self.record and not enough:
            raise ValueError(
                "parameter `record` is True: the book quotes all models, at 32 replicas and at "
                "more, with at least 200 simulations each, which the run would not record"
            )
        return self


class Sampled(Notebook):
    """Parameters that notebooks on held-out items share."""

    populations: Annotated[list[PopulationName], Field(min_length=1), AfterValidator(_distinct)]
    hidden_sizes: HiddenSizes
    training: Annotated[int, Field(ge=4, le=898)]
    held_out: Annotated[int, Field(ge=2, le=899)]
    noise: Annotated[Number, Field(gt=0, le=100)]
    label_noise: Annotated[Number, Field(ge=0, le=0.5)]
    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    seed: Seed
    activation: Activation
    optimizer: Literal["adam", "gradient_descent"]
    learning_rate: Rate


class Rq4(Sampled):
    """Parameters of ``rq4``: S of the training items against held-out accuracy."""

    TABLES = (
        "generalization",
        "generalization_gains",
        "generalization_capacity",
        "generalization_replicas",
        "first_at_2",
    )

    replicas: Annotated[int, Field(ge=40, le=1_000_000, multiple_of=2)]
    # Enough for intervals that hold together over all settings.
    resamples: Annotated[int, Field(ge=1400, le=1_000_000)]


class Rq5(Sampled):
    """Parameters of ``rq5``: rules that choose a capacity, and a map of interference."""

    TABLES = (
        "capacity_choices",
        "capacity_rules",
        "capacity_fresh",
        "interference",
        "interference_predictors",
    )
    RECORDED = TABLES

    repetitions: Annotated[int, Field(ge=2, le=10_000)]
    repetition_size: Annotated[int, Field(ge=20, le=1_000_000)]
    fresh_replicas: Annotated[int, Field(ge=20, le=1_000_000)]
    set_aside: Annotated[Number, Field(gt=0, lt=1)]
    pair_size: HiddenSize
    pair_training: Annotated[int, Field(ge=4, le=898)]
    pair_replicas: Annotated[int, Field(ge=2, le=100_000)]
    record: Switch

    @model_validator(mode="after")
    def _can_be_validated(self) -> Self:
        if not 1 <= round(self.set_aside * self.training) <= self.training - 2:
            raise ValueError(
                f"parameter `set_aside` is {self.set_aside}: expected a share that sets 1 to "
                f"{self.training - 2} of the {self.training} `training` items aside"
            )
        return self

    @model_validator(mode="after")
    def _records_what_the_book_quotes(self) -> Self:
        enough = (
            {"overlap", "separate", "hard_together"} <= set(self.populations)
            and self.repetition_size >= 800
            and self.fresh_replicas >= 800
            and self.pair_replicas >= 100
        )
        if self.record and not enough:
            raise ValueError(
                "parameter `record` is True: the book quotes `populations` overlap, separate and "
                "hard_together, a `repetition_size` and `fresh_replicas` of at least 800, and "
                "`pair_replicas` of at least 100, which the run would not record"
            )
        return self


def _batch(folder: str) -> str:
    if not (ROOT / folder / "cells.json").exists():
        found = ROOT.glob("r*/*/cells.json")
        names = [path.parent.relative_to(ROOT).as_posix() for path in found]
        raise ValueError(f"no finished batch is there{suggestion(folder, names)}")
    return folder


class Batch(BaseModel):
    """Parameters of ``batch``: the folder of a batch, within the checkout or an absolute path.

    It shows tables and makes none.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    TABLES: ClassVar[tuple[str, ...]] = ()

    folder: Annotated[str, AfterValidator(_at_home), AfterValidator(_batch)]


def of(notebook: str) -> type[Notebook] | type[Batch]:
    """Return the parameters of a notebook.

    Raises
    ------
    ValueError
        If there are none of that name; the line names the nearest.

    Examples
    --------
    >>> of("rq3_multiverse").__name__
    'Rq3Multiverse'
    >>> of("rq33")
    Traceback (most recent call last):
    ValueError: unknown notebook `rq33`: did you mean `rq3`?
    """
    check_choice("notebook", notebook, _NOTEBOOKS)
    return _NOTEBOOKS[notebook]


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
        The notebook's parameters, such as `Rq1`.

    Raises
    ------
    ParameterError
        One line for an unknown name, a wrong type or a value out of range.

    Examples
    --------
    >>> given = dict(game="overlap", hidden_sizes=[2, 3], hidden_size=3)
    >>> given |= dict(replicas=64, steps=9, seed=0)
    >>> given |= dict(activation="tanh", optimizer="adam", learning_rate=0.1, save_to="")
    >>> validate(dict(given), Rq1)["hidden_sizes"]
    [2, 3]
    >>> validate(given | {"hiden_sizes": [4]}, Rq1)
    Traceback (most recent call last):
    ncnet.parameters.ParameterError: unknown parameter `hiden_sizes`: did you mean `hidden_sizes`?
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
        first = {problem["loc"][:1]: problem for problem in reversed(error.errors())}
        problems = list(reversed(first.values()))
        line = "; ".join(_line(problem, model) for problem in problems)
        names = [str(name) for problem in problems for name in problem["loc"][:1]]
        # A check of several parameters has no place of its own; its line begins with the first.
        raise ParameterError(line, tuple(names or re.findall(r"`(\w+)`", line))) from None
    namespace |= valid | {_VALIDATED: True}
    return valid


_NOTEBOOKS = {
    "rq1": Rq1,
    "rq2": Rq2,
    "rq3": Rq3,
    "rq3_multiverse": Rq3Multiverse,
    "rq3_lora": Rq3Lora,
    "rq4": Rq4,
    "rq5": Rq5,
    "rq6": Rq6,
    "calibration": Calibration,
    "your_model": YourModel,
    "batch": Batch,
}
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
    if problem["type"] == "extra_forbidden":
        return f"unknown parameter `{name}`{suggestion(name, model.model_fields)}"
    if problem["type"] == "missing":
        return f"parameter `{name}` is missing"
    value = problem["input"]
    line = f"parameter `{name}` is {value!r}"
    if problem["type"] == "literal_error":
        choices = problem["ctx"]["expected"].replace(" or ", ", ").replace("'", "")
        return line + suggestion(value, choices.split(", "))
    message = problem["msg"].removeprefix("Value error, ")
    line += ": " + message.replace("Input", "it").replace("List", "it")
    if problem["type"] == "list_type" and isinstance(value, (str, int, float)):
        listed = value if str(value).startswith("[") else f"[{value}]"
        line += f" (papermill takes lists by -y '{name}: {listed}')"
    if problem["type"] == "string_type" and value is not None:
        line += f" (papermill takes it as text by -r {name} {value})"
    return line
