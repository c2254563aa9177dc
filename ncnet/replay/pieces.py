"""Says which rows of a recorded table are made again at once, and how."""

import importlib
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType

import pandas as pd

from ncnet import results
from ncnet.checks import check
from ncnet.replay.comparison import Tolerance, same

Selection = dict[str, object]
"""The values of the piece columns that select the rows of a piece."""
TRAINING = ("replicas", "seed", "steps", "activation", "optimizer", "learning_rate")
"""Parameters that every training of NCnets has."""
PACKAGES_OF_EXTRAS = (
    "filelock",
    "huggingface_hub",
    "jupyter_client",
    "matplotlib",
    "nbformat",
    "papermill",
    "peft",
    "platformdirs",
    "psutil",
    "pydantic",
    "safetensors",
    "sklearn",
    "threadpoolctl",
    "tokenizers",
    "torch",
    "transformers",
    "yaml",
)
"""Packages that need not be installed. If any other module is missing, the code is at fault."""


class NotReplayableError(Exception):
    """Says in one line what is missing here, so that rows cannot be made again."""


def import_optional(name: str, *, extras: str) -> ModuleType:
    """Import a module that needs packages of extras.

    Raises
    ------
    NotReplayableError
        If one of these packages is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in PACKAGES_OF_EXTRAS:
            raise
        told = f"`{missing}` is not installed: pip install -e '.[{extras}]'"
        raise NotReplayableError(told) from error


def require(holds: object, told: str) -> None:
    """Raise `NotReplayableError`, with this line, unless what a replay needs is here."""
    if not holds:
        raise NotReplayableError(told)


def parameters_of(recorded: results.Result, names: Iterable[str]) -> dict:
    """Return some of the parameters that a table was recorded with.

    >>> parameters_of(results.load("capacity"), ["seed"]).keys()
    dict_keys(['seed'])
    """
    return {name: recorded.provenance["parameters"][name] for name in names}


@dataclass(frozen=True)
class Replay:
    """How rows of a recorded table are made again.

    Attributes
    ----------
    table
        The table's name, as `ncnet.results.load` takes it.
    piece_columns
        Rows that agree in these columns are a piece: they are made together. Without any, the whole
        table is one.
    key
        These columns tell the rows of a piece apart. Without any, rows are compared in their order.
    make
        Makes a piece. It is given the recorded result and the `Selection` of the piece's rows, and
        returns the rows as the table has them. It raises `NotReplayableError` if something is
        missing.
    tolerances
        The tolerance of each column of the table. That of `piece_columns` and of `key` is `same`
        unless told otherwise.
    unpack
        Makes several rows of each recorded one, as `make` returns them, where cells are arrays.
    """

    table: str
    piece_columns: tuple[str, ...]
    key: tuple[str, ...]
    make: Callable[[results.Result, Selection], pd.DataFrame] = field(repr=False)
    tolerances: Mapping[str, Tolerance] = field(repr=False)
    unpack: Callable[[pd.DataFrame], pd.DataFrame] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        of_names = dict.fromkeys((*self.piece_columns, *self.key), same())
        object.__setattr__(self, "tolerances", of_names | dict(self.tolerances))

    def load(self) -> results.Result:
        """Return the recorded table with its provenance."""
        return results.load(self.table, folder=results.FOLDER)

    def pieces(self, table: pd.DataFrame) -> list[Selection]:
        """Return the selection of each piece of the table, in its order.

        Raises
        ------
        ValueError
            If the table has no rows, or lacks a piece column.
        """
        for name in self.piece_columns:
            check(name in table, f"no column `{name}` is recorded", "each that makes pieces")
        check(len(table), "no row is recorded", "at least one")
        if not self.piece_columns:
            return [{}]
        distinct = table[list(self.piece_columns)].drop_duplicates().astype(object)
        return distinct.where(distinct.notna(), None).to_dict("records")

    def rows(self, table: pd.DataFrame, selection: Selection) -> pd.DataFrame:
        """Return the rows of one piece."""
        selected = pd.Series(True, table.index)
        for name, value in selection.items():
            selected &= table[name].isna() if value is None else table[name] == value
        rows = table[selected].reset_index(drop=True)
        return rows if self.unpack is None else self.unpack(rows)


def draw(replays: Sequence[Replay], seed: str) -> Iterator[tuple[Replay, Selection]]:
    """Yield pieces of tables by chance: in each round one of every table that has some left.

    The same seed gives the same order.
    """
    drawn = random.Random(seed)
    left = {}
    for replay in replays:
        # The order depends on no other table that is asked for. Tables with the same piece columns
        # have the same one, since one training may then serve several.
        left[replay.table] = replay.pieces(replay.load().table)
        random.Random(f"{seed} {replay.piece_columns}").shuffle(left[replay.table])
    while any(left.values()):
        for replay in drawn.sample(list(replays), len(replays)):
            if left[replay.table]:
                yield replay, left[replay.table].pop()
