"""Replays the multiverse of choices, and the trainings that explain its exceptions (RQ3)."""

import pandas as pd

from ncnet.replay.comparison import absolute, intervals, same, standard_errors
from ncnet.replay.pieces import Replay, Selection, parameters_of
from ncnet.replay.reports import REPORT, of_s
from ncnet.results import Result
from ncnet.studies.multiverse import analysis as multiverse
from ncnet.studies.multiverse import noise


def _one(recorded: Result, selection: Selection) -> pd.DataFrame:
    """Make the rows of one training: all its hidden sizes, steps and readouts.

    Hidden sizes and steps are read off the table, which has a row for each.
    """
    asked = {name: sorted(recorded.table[column].unique().tolist()) for name, column in SEVERAL}
    return multiverse.run_one(
        {name: selection[name] for name in multiverse.TRAINING},
        replicas=selection["replicas"],
        **parameters_of(recorded, ["seed"]),
        **asked,
    )


def _alone(recorded: Result, selection: Selection) -> pd.DataFrame:
    return multiverse.solved_alone([selection], **parameters_of(recorded, ["replicas", "seed"]))


def _noise(recorded: Result, selection: Selection) -> pd.DataFrame:
    sizes = sorted(recorded.table["hidden_size"].unique().tolist())
    asked = parameters_of(recorded, ["replicas", "seed", "steps"])
    return noise.sweep(selection["noise"], selection["game"], hidden_sizes=sizes, **asked)


SEVERAL = (("hidden_sizes", "hidden_size"), ("steps", "steps"))
"""The arguments that take several values, and the columns that have them."""
# Where ReLU networks end in a tie, rounding says what they answer. Four changes of marginals then
# add up to more than S moves by.
SWEEP = {**REPORT, **intervals("rise", "lead"), "delta": standard_errors(1, of=of_s)}
SOLVED = {
    "replicas": same(),
    "solved": absolute(8, "half a percent of 1,600 replicas may end up elsewhere"),
}
ONE, KEY = (*multiverse.TRAINING, "replicas"), ("steps", "readout", "hidden_size")
REPLAYS = (
    Replay("multiverse", ONE, KEY, _one, SWEEP),
    Replay("multiverse_longer", ONE, KEY, _one, SWEEP),
    Replay("noise", ("noise", "game"), ("hidden_size",), _noise, SWEEP),
    Replay("multiverse_alone", tuple(multiverse.trainings_alone()[0]), (), _alone, SOLVED),
)
