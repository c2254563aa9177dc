"""Replays of coverage, size and power."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from ncnet.replay.comparison import Tolerance, absolute, same, share_error, standard_errors
from ncnet.replay.pieces import Replay, Where, given
from ncnet.results import Result
from ncnet.studies.calibration.analysis import TRAINED, study

ANEW = 10
"""Times farther away than usual experiments may be that are drawn anew: five standard errors."""
SPREAD = 0.3
"""Of an interval's length over experiments, as a share of its mean."""


def _study(recorded: Result, where: Where) -> pd.DataFrame:
    asked = given(recorded, ("simulations", "seed"))
    return study(where["model"], replicas=where["replicas"], **asked)


def _drawn(error: Callable[[pd.DataFrame], np.ndarray]) -> Tolerance:
    """Return the tolerance of a mean over experiments, from its standard error.

    Of a trained model, one network that ends elsewhere turns all that is drawn after it.
    """

    def errors(rows: pd.DataFrame) -> np.ndarray:
        return np.where(rows["model"].isin(TRAINED), ANEW, 1) * error(rows)

    reason = "the same experiments are drawn, or of a model of networks others that are alike"
    return replace(standard_errors(of=errors), reason=reason)


def _error_of_share(rows: pd.DataFrame) -> np.ndarray:
    return share_error(rows, "share", of="simulations")


def _error_of_width(rows: pd.DataFrame) -> np.ndarray:
    return (SPREAD * rows["width"].fillna(0) / np.sqrt(rows["simulations"])).to_numpy(float)


COLUMNS = {
    "simulations": same(),
    "null": same("what is true in a model does not lie on the edge"),
    "share": _drawn(_error_of_share),
    "width": _drawn(_error_of_width),
    "truth": absolute(0.005, "rounding sends a few of the 20,000 networks of a model elsewhere"),
}
PIECE, KEY = ("model", "replicas"), ("kind", "quantity", "method")
REPLAYS = tuple(
    Replay(table, PIECE, KEY, _study, COLUMNS) for table in ("calibration", "small/calibration")
)
