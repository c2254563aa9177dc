"""Replays the tables on conflict, interventions and sensing (RQ2)."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from ncnet import games
from ncnet.chsh.outcomes import CONTEXTS
from ncnet.replay.comparison import Tolerance, absolute, intervals, of_share, same, standard_errors
from ncnet.replay.pieces import TRAINING, Replay, Selection, parameters_of
from ncnet.replay.reports import REPORT
from ncnet.results import Result
from ncnet.studies.mechanism import sensing
from ncnet.studies.mechanism.conflict import conflict, conflict_and_s, train_traced
from ncnet.studies.mechanism.interventions import interventions

OSCILLATION_AUC = 0.03
ROUNDED = "the last digits of single precision, which the decoder reads where a trace is smooth"
IN_CONFLICT = absolute(0.1, "rounding decides the sign where both gradients have vanished")
LIST_ARGUMENTS = {"intervention": "among", "use": "among", "seen": "seen"}
"""The arguments that take a list, by the column of which a piece has one value."""


def _make_rows(
    make: Callable, names: Sequence[str], recorded: Result, selection: Selection
) -> pd.DataFrame:
    """Make the rows of a piece, with some of the parameters that the table was recorded with."""
    where = parameters_of(recorded, ["hidden_size"]) | selection
    asked = parameters_of(recorded, (*TRAINING, *names))
    chosen = LIST_ARGUMENTS.keys() & selection.keys()
    asked |= {LIST_ARGUMENTS[name]: [selection[name]] for name in chosen}
    found = make(games.named(where["game"]), where["hidden_size"], **asked)
    # Some rows are made to compare with; any other row more than recorded is a difference.
    for name in chosen:
        found = found[found[name] == selection[name]]
    return found


def _conflict(make: Callable, recorded: Result, selection: Selection) -> pd.DataFrame:
    return make(_make_rows(train_traced, ["log_interval"], recorded, selection))


def _of_decoder(rows: pd.DataFrame, name: str) -> np.ndarray:
    # The whole trace has its oscillation among the rest. An exact interval is longer than others.
    share = 0.5 if name.startswith("lost") else 1
    usual = standard_errors(share).allowed(rows, name)
    return np.where(rows["use"].str.startswith("oscillation"), OSCILLATION_AUC, usual)


PLACE = ("game", "hidden_size")
SHARES = ("alice_success", "bob_success", *(f"solved_{i}{j}" for i, j in CONTEXTS))
DECODED = Tolerance(f"outcomes move it, and of an oscillation {ROUNDED}", _of_decoder)
COLUMNS = {
    **REPORT,
    **dict.fromkeys(("hidden_size", "use"), same()),
    **{name: standard_errors(of=partial(of_share, name=name, of="replicas")) for name in SHARES},
    **intervals("conflict_share", tolerance=IN_CONFLICT),
    **intervals("weighted_cosine", "magnitude_similarity", "correlation"),
    **intervals("interference_share", "s_change", "influence_change", "removed"),
    **intervals("left_less_gone"),
    **intervals("auc", "lost", tolerance=DECODED),
    **intervals("rising_share", "energy_fast", "energy_rises"),
    **intervals("auc_fast", tolerance=absolute(OSCILLATION_AUC, ROUNDED)),
}
CONFLICT, CONFLICT_AND_S = partial(_conflict, conflict), partial(_conflict, conflict_and_s)
INTERVENTIONS = partial(_make_rows, interventions, ["log_interval", "lambdas", "small_steps"])
SENSING = partial(_make_rows, sensing.sensing, ["folds", "permutations"])
ALONG_TRAINING = partial(_make_rows, sensing.sensing_along_training, ["folds"])
OSCILLATION = partial(_make_rows, sensing.oscillation, ["folds"])
REPLAYS = (
    Replay("conflict", PLACE, ("alice_setting", "bob_setting", "phase"), CONFLICT, COLUMNS),
    Replay("conflict_and_s", PLACE, ("phase",), CONFLICT_AND_S, COLUMNS),
    Replay("interventions", (*PLACE, "intervention"), (), INTERVENTIONS, COLUMNS),
    Replay("sensing", (*PLACE, "use"), (), SENSING, COLUMNS),
    Replay("sensing_along_training", ("game", "seen"), (), ALONG_TRAINING, COLUMNS),
    Replay("oscillation", ("game", "intervention"), (), OSCILLATION, COLUMNS),
)
