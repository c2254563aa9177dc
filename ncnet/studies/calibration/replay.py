"""Replays of coverage, size and power."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from ncnet.replay.comparison import Tolerance, absolute, same, standard_errors
from ncnet.replay.pieces import Replay, Where
from ncnet.results import Result
from ncnet.studies.calibration import analysis as calibration

ANEW = 10
"""Times farther away than usual experiments may be that are drawn anew: five standard errors."""
SPREAD = 0.3
"""Of an interval's length over experiments, as a share of its mean."""


def _study(recorded: Result, where: Where) -> pd.DataFrame:
    given = recorded.provenance["parameters"]
    asked = {name: given[name] for name in ("simulations", "seed")}
    return calibration.study(where["model"], replicas=where["replicas"], **asked)


def _of_experiments(rows: pd.DataFrame, spread: np.ndarray) -> np.ndarray:
    """Return the standard error of a mean over experiments, from the spread of what is averaged.

    Of a trained model, one network that ends elsewhere turns all that is drawn after it.
    """
    times = np.where(rows["model"].isin(calibration.TRAINED), ANEW, 1)
    return times * spread / np.sqrt(rows["simulations"].to_numpy(float))


def _of_share(rows: pd.DataFrame) -> np.ndarray:
    count = rows["simulations"].to_numpy(float)
    # One success and one failure more: a share of 0 or 1 has an error as well.
    share = (rows["share"].to_numpy(float) * count + 1) / (count + 2)
    return _of_experiments(rows, np.sqrt(share * (1 - share)))


def _of_width(rows: pd.DataFrame) -> np.ndarray:
    return _of_experiments(rows, SPREAD * rows["width"].fillna(0).to_numpy(float))


def _drawn(error: Callable[[pd.DataFrame], np.ndarray]) -> Tolerance:
    reason = "the same experiments are drawn, or of a model of networks others that are alike"
    return replace(standard_errors(of=error), reason=reason)


COLUMNS = {
    **dict.fromkeys(("kind", "quantity", "method", "model", "replicas", "simulations"), same()),
    "null": same("what is true in a model does not lie on the edge"),
    "share": _drawn(_of_share),
    "width": _drawn(_of_width),
    "truth": absolute(0.005, "rounding sends a few of the 20,000 networks of a model elsewhere"),
}
PIECE, KEY = ("model", "replicas"), ("kind", "quantity", "method")
REPLAYS = (
    Replay("calibration", PIECE, KEY, _study, COLUMNS),
    Replay("small/calibration", PIECE, KEY, _study, COLUMNS),
)
