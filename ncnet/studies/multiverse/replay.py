"""Replays the multiverse of choices, and the trainings that explain its exceptions (RQ3)."""

import pandas as pd

from ncnet import claims
from ncnet.replay.comparison import absolute, same, standard_errors
from ncnet.replay.pieces import Replay, Selection, parameters_of
from ncnet.replay.reports import REPORT, of_s
from ncnet.results import Result
from ncnet.studies.multiverse import analysis as multiverse


def _one_size(recorded: Result, selection: Selection) -> pd.DataFrame:
    """Make the rows of one training with one hidden size: all its steps and readouts.

    Steps and the number of hidden sizes are read off the table, which has a row for each.
    """
    return multiverse.run_one_size(
        {name: selection[name] for name in multiverse.TRAINING},
        selection["hidden_size"],
        level=claims.simultaneous_level(recorded.table["hidden_size"].nunique()),
        replicas=selection["replicas"],
        **parameters_of(recorded, ["seed"]),
        steps=sorted(recorded.table["steps"].unique().tolist()),
    )


def _alone(recorded: Result, selection: Selection) -> pd.DataFrame:
    return multiverse.solved_alone([selection], **parameters_of(recorded, ["replicas", "seed"]))


SWEEP = {**REPORT, "delta": standard_errors(of=of_s)}
SOLVED = {
    "replicas": same(),
    "solved": absolute(8, "half a percent of 1,600 replicas may end up elsewhere"),
}
ONE_SIZE, KEY = (*multiverse.TRAINING, "hidden_size", "replicas"), ("steps", "readout")
REPLAYS = (
    Replay("multiverse", ONE_SIZE, KEY, _one_size, SWEEP),
    Replay("multiverse_longer", ONE_SIZE, KEY, _one_size, SWEEP),
    Replay("multiverse_alone", tuple(multiverse.trainings_alone()[0]), (), _alone, SOLVED),
)
