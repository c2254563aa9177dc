"""Replays of the search over all games (RQ6), and of the tables behind the page "Play"."""

from functools import partial

import numpy as np
import pandas as pd

from ncnet.replay.comparison import OF_AN_ERROR, Tolerance, absolute, same, standard_errors
from ncnet.replay.pieces import Replay, Selection, parameters_of
from ncnet.replay.reports import REPORT
from ncnet.results import Result
from ncnet.studies.atlas import analysis as atlas
from ncnet.studies.atlas import explorer


def _retested(recorded: Result, selection: Selection) -> pd.DataFrame:
    """Make one retest, and what its game was selected for, from the same networks as in the search.

    That a pair of tasks gives the same whichever others are trained is what the search rests on.
    """
    training = {name: selection[name] for name in SEARCHED}
    tasks = [selection[place] for place in atlas.PLACES]
    replicas, seed = parameters_of(recorded, ["fresh_replicas", "fresh_seed"]).values()
    fresh = training | {"replicas": replicas, "seed": seed}
    report = atlas.retest(tasks, readout=selection["readout"], **fresh)
    pairs = atlas.train_pairs(tasks, **training, **parameters_of(recorded, ["replicas", "seed"]))
    games_of = atlas.survey(atlas.read(pairs, selection["readout"])).set_index(list(atlas.PLACES))
    selected = games_of.loc[(0, 1, 2, 3), "excess"]
    return pd.DataFrame([selection | {"selected": selected} | report.row()])


def _counted(recorded: Result, selection: Selection) -> pd.DataFrame:
    """Search with one training, among all games, and retest none."""
    [bits] = parameters_of(recorded, ["bits"]).values()
    asked = parameters_of(recorded, atlas.ASKED) | {"most": 0}
    counts, _ = atlas.run([selection], atlas.halves(bits), **asked)
    return counts


def _pair(recorded: Result, selection: Selection) -> pd.DataFrame:
    """Make the rows of one pair of tasks, after each of the recorded numbers of steps."""
    training = {name: selection[name] for name in TRAINED}
    # A game has two tasks a party: the same one twice.
    twice = tuple((selection[name], selection[name]) for name in PAIR)
    asked = parameters_of(recorded, ["steps", "replicas", "seed"])
    trained = explorer.train_classes(**training, tasks=twice, **asked)
    return explorer.means(trained.isel(alice_task=[0], bob_task=[0])).assign(**training)


def _report(recorded: Result, selection: Selection) -> pd.DataFrame:
    return explorer.reports(
        tasks=[selection["game"].split(".")],
        trunks=[selection["trunk"]],
        layouts=[selection["layout"]],
        hidden_sizes=[selection["hidden_size"]],
        steps=[selection["steps"]],
        **parameters_of(recorded, ["replicas", "seed"]),
    )


def _starts(recorded: Result, selection: Selection) -> pd.DataFrame:
    chosen = {"layouts": [selection["layout"]], "hidden_sizes": [selection["hidden_size"]]}
    return explorer.starts(**chosen, **parameters_of(recorded, ["replicas", "seed"]))


def _of_selection(rows: pd.DataFrame) -> np.ndarray:
    """Return the standard error of what a game was selected for, among fewer replicas."""
    error = (rows["excess_high"] - rows["excess_low"]).to_numpy() / 4
    return error * np.sqrt(rows["replicas"].to_numpy() / atlas.ASKED["replicas"])


def _of_mean(name: str, rows: pd.DataFrame) -> np.ndarray:
    """Return the error of a mean, read off its rows, and what it is where all are alike."""
    half = explorer.half_width(rows[f"{name}_error"], rows["replicas"])
    return half / explorer.NORMAL_95


SEARCHED = tuple(atlas.SEARCHED[0])
RETESTED = ("readout", *atlas.PLACES, *SEARCHED)
*TRAINED, _ = explorer.CHOICE
PAIR = ("alice_task", "bob_task")
ENGINES = "an outcome that rounding turns moves all games with its pair of tasks"
OF_RETESTS = {**REPORT, "selected": standard_errors(of=_of_selection)}
OF_COUNTS = {
    "games": same(),
    "ruled_out": Tolerance(ENGINES, lambda rows, name: 0.001 * rows["games"].to_numpy()),
    "above": Tolerance(ENGINES, lambda rows, name: 3 + 0.1 * rows[name].to_numpy()),
}
# An error that is too large by some share would allow itself as large a share more.
OF_PAIRS = REPORT | {
    f"{name}{end}": standard_errors(share, of=partial(_of_mean, name))
    for name in explorer.MEANS
    for end, share in (("", OF_AN_ERROR), ("_error", 0.25))
}
OF_STARTS = dict.fromkeys(explorer.WEIGHTS, absolute(1e-6, "weights have single precision"))
REPLAYS = (
    Replay("search", RETESTED, (), _retested, OF_RETESTS),
    Replay("small/search", RETESTED, (), _retested, OF_RETESTS),
    Replay("search_counts", SEARCHED, ("readout",), _counted, OF_COUNTS),
    Replay("small/search_counts", SEARCHED, ("readout",), _counted, OF_COUNTS),
    Replay("explorer", (*TRAINED, *PAIR), ("steps",), _pair, OF_PAIRS),
    Replay("explorer_reports", ("game", *explorer.CHOICE), (), _report, REPORT),
    Replay("explorer_networks", ("layout", "hidden_size"), ("replica", "unit"), _starts, OF_STARTS),
)
