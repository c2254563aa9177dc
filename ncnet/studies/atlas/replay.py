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


def _confirmations(recorded: Result, selection: Selection) -> pd.DataFrame:
    """Confirm a game, and select it anew, from the same networks as in the search.

    That a pair of tasks gives the same whichever others are trained is what the search rests on.
    """
    training = {name: selection[name] for name in TRAINING}
    tasks = [selection[place] for place in atlas.PLACES]
    replicas, seed = parameters_of(recorded, ["fresh_replicas", "fresh_seed"]).values()
    fresh = training | {"replicas": replicas, "seed": seed}
    report = atlas.confirm(tasks, readout=selection["readout"], **fresh)
    pairs = atlas.train_pairs(tasks, **training, **parameters_of(recorded, ["replicas", "seed"]))
    games_of = atlas.survey(atlas.read(pairs, selection["readout"])).set_index(list(atlas.PLACES))
    selected = games_of.loc[(0, 1, 2, 3), "excess"]
    return pd.DataFrame([selection | {"selected": selected} | report.row()])


def _counts(recorded: Result, selection: Selection) -> pd.DataFrame:
    """Search with one training, among all games, and confirm none."""
    [bits] = parameters_of(recorded, ["bits"]).values()
    asked = parameters_of(recorded, atlas.SEARCH_OPTIONS) | {"most": 0}
    counts, _ = atlas.run([selection], atlas.up_to_negation(bits), **asked)
    return counts


def _pair(recorded: Result, selection: Selection) -> pd.DataFrame:
    """Make the rows of one pair of tasks, after each of the recorded numbers of steps."""
    training = {name: selection[name] for name in TRAINED}
    # A game has two tasks a party: the same one twice.
    twice = tuple((selection[name], selection[name]) for name in PAIR)
    asked = parameters_of(recorded, ["steps", "replicas", "seed"])
    trained = explorer.train_representatives(**training, tasks=twice, **asked)
    return explorer.means(trained.isel(alice_task=[0], bob_task=[0])).assign(**training)


def _report(recorded: Result, selection: Selection) -> pd.DataFrame:
    chosen = {f"{name}s": [selection[name]] for name in ("trunk", "layout", "hidden_size")}
    chosen |= {"tasks": [selection["game"].split(".")], "steps": [selection["steps"]]}
    return explorer.reports(**chosen, **parameters_of(recorded, ["replicas", "seed"]))


def _initial_weights(recorded: Result, selection: Selection) -> pd.DataFrame:
    chosen = {"layouts": [selection["layout"]], "hidden_sizes": [selection["hidden_size"]]}
    return explorer.initial_weights(**chosen, **parameters_of(recorded, ["replicas", "seed"]))


def _of_selection(rows: pd.DataFrame) -> np.ndarray:
    """Return the standard error of what a game was selected for, among fewer replicas."""
    error = (rows["excess_high"] - rows["excess_low"]).to_numpy() / 4
    return error * np.sqrt(rows["replicas"].to_numpy() / atlas.SEARCH_OPTIONS["replicas"])


def _of_mean(name: str, rows: pd.DataFrame) -> np.ndarray:
    """Return the error of a mean, read off its rows, and what it is where all are alike."""
    margin = explorer.margin_of_error(rows[f"{name}_error"], rows["replicas"])
    return margin / explorer.NORMAL_95


TRAINING = tuple(atlas.TRAININGS[0])
CONFIRMATION = ("readout", *atlas.PLACES, *TRAINING)
*TRAINED, _ = explorer.CHOICE
PAIR = ("alice_task", "bob_task")
NETWORK = ("layout", "hidden_size")
ENGINES = "an outcome that rounding turns moves all games with its pair of tasks"
OF_CONFIRMATIONS = {**REPORT, "selected": standard_errors(of=_of_selection)}
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
OF_WEIGHTS = dict.fromkeys(explorer.WEIGHTS, absolute(1e-6, "weights have single precision"))
REPLAYS = (
    Replay("search", CONFIRMATION, (), _confirmations, OF_CONFIRMATIONS),
    Replay("small/search", CONFIRMATION, (), _confirmations, OF_CONFIRMATIONS),
    Replay("search_counts", TRAINING, ("readout",), _counts, OF_COUNTS),
    Replay("small/search_counts", TRAINING, ("readout",), _counts, OF_COUNTS),
    Replay("explorer", (*TRAINED, *PAIR), ("steps",), _pair, OF_PAIRS),
    Replay("explorer_reports", ("game", *explorer.CHOICE), (), _report, REPORT),
    Replay("explorer_networks", NETWORK, ("replica", "unit"), _initial_weights, OF_WEIGHTS),
)
