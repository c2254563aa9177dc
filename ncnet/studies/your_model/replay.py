"""Replays what the tasks of the example's network do to each other."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ncnet.replay.comparison import Tolerance
from ncnet.replay.pieces import Replay, Selection, parameters_of
from ncnet.replay.reports import REPORT
from ncnet.results import Result
from ncnet.studies.your_model import analysis

TRAINING = ("seed", "steps", "learning_rate")


def _pairs(recorded: Result, selection: Selection) -> pd.DataFrame:
    asked = parameters_of(recorded, ("hidden_size", *TRAINING))
    return analysis.train_pairs([selection["replica"]], **asked)


def _reports(recorded: Result, selection: Selection) -> pd.DataFrame:
    asked = parameters_of(recorded, ("replicas", *TRAINING))
    return analysis.by_hidden_size([selection["hidden_size"]], **asked)


def _few_items(count: int) -> Callable[[pd.DataFrame, str], np.ndarray]:
    """Return what so many items that one of two heads gets right or wrong come to."""
    parts = {"s": 4, "first_drop": 1, "second_drop": 1, "held_out_drop": 1 / 4}

    def most(rows: pd.DataFrame, name: str) -> np.ndarray:
        return np.full(len(rows), count * parts.get(name, 1) / 128)

    return most


OF_ONE = Tolerance(
    "in so few steps rounding moves no more than two of 128 items, in most networks",
    _few_items(2),
    0.2,
)
NAMES = ("s", "first_drop", "second_drop", "training_drop", "both_wrong", "held_out_drop")
REPLAYS = (
    Replay("your_pairs", ("replica",), ("first", "second"), _pairs, dict.fromkeys(NAMES, OF_ONE)),
    Replay("your_capacity", ("hidden_size",), (), _reports, REPORT),
)
