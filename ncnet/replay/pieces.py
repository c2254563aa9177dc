"""What a replay is: which rows of a recorded table are made at once, and how."""

import importlib
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType

import pandas as pd

from ncnet import results
from ncnet.replay.comparison import Tolerance, same

Where = dict[str, object]
"""The values that the rows of a piece have in common; empty for a whole table."""


TRAINING = ("replicas", "seed", "steps", "activation", "optimizer", "learning_rate")
"""Parameters of any training of NCnets."""
OF_EXTRAS = (
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
    "torch",
    "transformers",
    "yaml",
)
"""Packages that need not be installed. Where another module is missing, the code is at fault."""


class NotReplayableError(Exception):
    """Rows cannot be made here; the message says what is missing, in one line."""


def imported(name: str, *, extras: str) -> ModuleType:
    """Import a module that needs packages of extras.

    Raises
    ------
    NotReplayableError
        Where one of these packages is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in OF_EXTRAS:
            raise
        told = f"`{missing}` is not installed: pip install -e '.[{extras}]'"
        raise NotReplayableError(told) from error


def need(holds: object, told: str) -> None:
    """Raise `NotReplayableError` unless what a replay needs is here."""
    if not holds:
        raise NotReplayableError(told)


def given(recorded: results.Result, names: Iterable[str]) -> dict:
    """Return some of the parameters that a table was recorded with.

    >>> given(results.load("capacity"), ["seed"]).keys()
    dict_keys(['seed'])
    """
    return {name: recorded.provenance["parameters"][name] for name in names}


@dataclass(frozen=True)
class Replay:
    """How rows of a recorded table are made again.

    Attributes
    ----------
    table
        Its name, as `ncnet.results.load` takes it.
    piece
        Columns: rows that agree in them are made together.
    key
        Columns that tell the rows of a piece apart; without any they are compared in their order.
    make
        Makes a piece: of the recorded result and what the rows of the piece have in common, the
        rows as the table has them. Raises `NotReplayableError` where something is missing.
    tolerances
        Of each of the table's columns; those of `piece` and `key` are the same unless told
        otherwise.
    blocks
        Of piece columns that count, how many neighbouring numbers make a piece, which is then named
        by the lowest, a multiple of that.
    """

    table: str
    piece: tuple[str, ...]
    key: tuple[str, ...]
    make: Callable[[results.Result, Where], pd.DataFrame] = field(repr=False)
    tolerances: Mapping[str, Tolerance] = field(repr=False)
    blocks: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        of_names = dict.fromkeys((*self.piece, *self.key), same())
        object.__setattr__(self, "tolerances", of_names | dict(self.tolerances))

    def load(self) -> results.Result:
        """Return the recorded table with its provenance."""
        return results.load(self.table, folder=results.FOLDER)

    def pieces(self, table: pd.DataFrame) -> list[Where]:
        """Return all pieces of the table, in its order.

        Raises
        ------
        ValueError
            If the table has no rows, or lacks a column that cuts it into pieces.
        """
        if missing := [name for name in self.piece if name not in table]:
            raise ValueError(f"no column `{missing[0]}` is recorded")
        if table.empty:
            raise ValueError("no row is recorded")
        if not self.piece:
            return [{}]
        distinct = self._pieces_of_rows(table).drop_duplicates().astype(object)
        return distinct.where(distinct.notna(), None).to_dict("records")

    def rows(self, table: pd.DataFrame, where: Where) -> pd.DataFrame:
        """Return the rows of one piece."""
        pieces = self._pieces_of_rows(table)
        chosen = pd.Series(True, table.index)
        for name, value in where.items():
            chosen &= pieces[name].isna() if value is None else pieces[name] == value
        return table[chosen].reset_index(drop=True)

    def _pieces_of_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        of_rows = table[list(self.piece)]
        lowest = {name: of_rows[name] // size * size for name, size in self.blocks.items()}
        return of_rows.assign(**lowest)


def draw(replays: Sequence[Replay], seed: str) -> Iterator[tuple[Replay, Where]]:
    """Yield pieces of tables in an order that the seed decides: one of each table, then another.

    The same seed gives the same order. In each round every table that has pieces left comes once.
    """
    drawn = random.Random(seed)
    left = {}
    for replay in replays:
        # Whichever other tables are asked for. Those cut into the same pieces have them in the same
        # order: one training may then serve several.
        left[replay.table] = replay.pieces(replay.load().table)
        random.Random(f"{seed} {replay.piece}").shuffle(left[replay.table])
    while any(left.values()):
        for replay in drawn.sample(list(replays), len(replays)):
            if left[replay.table]:
                yield replay, left[replay.table].pop()
