"""Replays of S against hidden units and along training (RQ3), and of the small batch."""

import pandas as pd

from ncnet import capacity
from ncnet.replay.comparison import of_this_place, same
from ncnet.replay.pieces import Replay, Where
from ncnet.replay.reports import REPORT
from ncnet.results import Result

TRAINING = ("replicas", "seed", "steps", "activation", "optimizer", "learning_rate")


def training(recorded: Result) -> dict:
    """Return what the networks of a recorded table were trained with."""
    given = recorded.provenance["parameters"]
    return {name: given[name] for name in TRAINING}


def _sweep(recorded: Result, where: Where) -> pd.DataFrame:
    return capacity.sweep(where["game"], [where["hidden_size"]], **training(recorded))


def _along_training(recorded: Result, where: Where) -> pd.DataFrame:
    [game, *_] = recorded.provenance["parameters"]["games"]
    return capacity.along_training(game, where["hidden_size"], **training(recorded))


ASKED = {**REPORT, **dict.fromkeys(("game", "hidden_size"), same())}
REPLAYS = (
    Replay(
        "capacity",
        ("game", "hidden_size"),
        (),
        _sweep,
        {**ASKED, "path": of_this_place("without a compiler the eager engine is taken")},
    ),
    Replay("small/capacity", ("game", "hidden_size"), (), _sweep, ASKED),
    Replay(
        "along_training", ("hidden_size",), ("steps",), _along_training, {**ASKED, "steps": same()}
    ),
)
