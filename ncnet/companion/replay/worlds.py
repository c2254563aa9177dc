"""Asks rules again about the simulated worlds that the table ``worlds`` counts."""

import pandas as pd

from ncnet.companion.worlds import simulate
from ncnet.estimates import WORDS
from ncnet.replay.comparison import absolute, same
from ncnet.replay.pieces import Replay, Selection, parameters_of
from ncnet.results import Result


def _claim(recorded: Result, selection: Selection) -> pd.DataFrame:
    return simulate(selection["claim"], **parameters_of(recorded, ["simulations", "seed"]))


COLUMNS = {
    "simulations": same(),
    **dict.fromkeys(WORDS.values(), absolute(0.02, "an interval may end just at an effect")),
}
REPLAYS = (Replay("worlds", ("claim",), ("world",), _claim, COLUMNS),)
