"""Replays of the search among games: what it retested, and what it counted (RQ6)."""

import numpy as np
import pandas as pd

from ncnet.replay.comparison import Tolerance, same, standard_errors
from ncnet.replay.pieces import Replay, Where
from ncnet.replay.reports import REPORT
from ncnet.results import Result
from ncnet.studies.atlas import analysis as atlas


def _retested(recorded: Result, where: Where) -> pd.DataFrame:
    """Make one retest, and what its game was selected for, from the same networks as in the search.

    That a pair of tasks gives the same whichever others are trained is what the search rests on.
    """
    given = recorded.provenance["parameters"]
    training = {name: where[name] for name in TRAINING}
    tasks = [where[place] for place in atlas.PLACES]
    fresh = {"replicas": given["fresh_replicas"], "seed": given["fresh_seed"]}
    report = atlas.retest(tasks, readout=where["readout"], **fresh, **training)
    of_selection = {"replicas": given["replicas"], "seed": given["seed"]}
    pairs = atlas.train_pairs(tasks, **of_selection, **training)
    games_of = atlas.survey(atlas.read(pairs, where["readout"])).set_index(list(atlas.PLACES))
    selected = games_of.loc[(0, 1, 2, 3), "contextuality"]
    return pd.DataFrame([where | {"selected": selected} | report.row()])


def _counted(recorded: Result, where: Where) -> pd.DataFrame:
    """Search with one training, among all games, and retest none."""
    given = recorded.provenance["parameters"]
    asked = {name: given[name] for name in atlas.ASKED} | {"most": 0}
    counts, _ = atlas.run([where], atlas.halves(given["bits"]), **asked)
    return counts


def _of_selection(rows: pd.DataFrame) -> np.ndarray:
    """Return the standard error of what a game was selected for, among fewer replicas."""
    error = (rows["contextuality_high"] - rows["contextuality_low"]).to_numpy() / 4
    return error * np.sqrt(rows["replicas"].to_numpy() / atlas.ASKED["replicas"])


TRAINING = tuple(atlas.SEARCHED[0])
ROW = ("readout", *atlas.PLACES, *TRAINING)
RETESTED = {
    **REPORT,
    **dict.fromkeys(ROW, same()),
    "selected": standard_errors(of=_of_selection),
}
ENGINES = "an outcome that rounding turns moves all games with its pair of tasks"
COUNTED = {
    **dict.fromkeys(("readout", *TRAINING, "games"), same()),
    "ruled_out": Tolerance(ENGINES, lambda rows, name: 0.001 * rows["games"].to_numpy()),
    "above": Tolerance(ENGINES, lambda rows, name: 3 + 0.1 * rows[name].to_numpy()),
}
REPLAYS = (
    Replay("search", ROW, (), _retested, RETESTED),
    Replay("small/search", ROW, (), _retested, RETESTED),
    Replay("search_counts", TRAINING, ("readout",), _counted, COUNTED),
    Replay("small/search_counts", TRAINING, ("readout",), _counted, COUNTED),
)
