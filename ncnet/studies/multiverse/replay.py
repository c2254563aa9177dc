"""Replays of the multiverse of choices, and of the trainings that explain its exceptions (RQ3)."""

import pandas as pd

from ncnet import claims
from ncnet.replay.comparison import absolute, intervals, of_this_place, same, standard_errors
from ncnet.replay.pieces import Replay, Where
from ncnet.replay.reports import CONTEXTS, FOLLOWS, REPORT, of_s
from ncnet.results import Result
from ncnet.studies.multiverse import analysis as multiverse


def _of_size(recorded: Result, where: Where) -> pd.DataFrame:
    """Make the rows of one training with one hidden size: all its steps and readouts.

    Steps and the number of hidden sizes are read off the table, which has a row for each.
    """
    return multiverse.of_size(
        {name: where[name] for name in multiverse.TRAINING},
        where["hidden_size"],
        level=claims.simultaneous_level(recorded.table["hidden_size"].nunique()),
        replicas=where["replicas"],
        seed=recorded.provenance["parameters"]["seed"],
        steps=sorted(recorded.table["steps"].unique().tolist()),
    )


def _alone(recorded: Result, where: Where) -> pd.DataFrame:
    given = recorded.provenance["parameters"]
    return multiverse.solved_alone([where], replicas=given["replicas"], seed=given["seed"])


MEANS = [f"{name}_{context}" for name in ("correlator", "alice", "bob") for context in CONTEXTS]
ASKED = dict.fromkeys((*multiverse.SPECIFICATION, "hidden_size", "replicas"), same())
SWEEP = {
    **ASKED,
    **intervals("s"),
    **dict.fromkeys(("delta", *MEANS), standard_errors(of=of_s)),
    "interval_method": FOLLOWS,
    "diverged": REPORT["diverged"],
    "path": of_this_place("without a compiler the eager engine is taken"),
}
OF_SIZE = (*multiverse.TRAINING, "hidden_size", "replicas")
ALONE = tuple(multiverse.trainings_alone()[0])
REPLAYS = (
    Replay("multiverse", OF_SIZE, ("steps", "readout"), _of_size, SWEEP),
    Replay("multiverse_longer", OF_SIZE, ("steps", "readout"), _of_size, SWEEP),
    Replay(
        "multiverse_alone",
        ALONE,
        (),
        _alone,
        {
            **dict.fromkeys((*ALONE, "replicas"), same()),
            "solved": absolute(8, "half a percent of 1,600 replicas may end up elsewhere"),
        },
    ),
)
