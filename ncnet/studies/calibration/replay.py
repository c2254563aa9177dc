"""Replays of coverage, size and power."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from ncnet.replay.comparison import absolute, of_share, same, standard_errors
from ncnet.replay.pieces import Replay, Selection, parameters_of
from ncnet.results import Result
from ncnet.studies.calibration.analysis import TRAINED, study

ANEW = 10  # times farther away than usual experiments may be that are drawn anew: 5 standard errors
SPREAD = 0.3  # of an interval's length over experiments, as a share of its mean
DRAWN = "the same experiments are drawn, or of a model of networks others that are alike"


def _study(recorded: Result, selection: Selection) -> pd.DataFrame:
    asked = parameters_of(recorded, ("simulations", "seed"))
    return study(selection["model"], replicas=selection["replicas"], **asked)


def _error(rows: pd.DataFrame, name: str) -> np.ndarray:
    """Return the standard error of a mean over experiments.

    Of a trained model, one network that ends elsewhere turns all that is drawn after it.
    """
    error = of_share(rows, "share", of="simulations")
    if name == "width":
        error = (SPREAD * rows["width"].fillna(0) / np.sqrt(rows["simulations"])).to_numpy(float)
    return np.where(rows["model"].isin(TRAINED), ANEW, 1) * error


COLUMNS = {
    "simulations": same(),
    "null": same("what is true in a model does not lie on the edge"),
    **{
        name: replace(standard_errors(of=partial(_error, name=name)), reason=DRAWN)
        for name in ("share", "width")
    },
    "truth": absolute(0.005, "rounding sends a few of the 20,000 networks of a model elsewhere"),
}
PIECE, KEY = ("model", "replicas"), ("kind", "quantity", "method")
REPLAYS = tuple(
    Replay(table, PIECE, KEY, _study, COLUMNS) for table in ("calibration", "small/calibration")
)
