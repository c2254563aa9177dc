"""Replays of conflict, interventions and sensing (RQ2)."""

import numpy as np
import pandas as pd

from ncnet.replay.comparison import (
    Tolerance,
    absolute,
    intervals,
    p_values,
    same,
    standard_errors,
)
from ncnet.replay.pieces import TRAINING, Replay, Where, given
from ncnet.replay.reports import CONTEXTS, REPORT
from ncnet.results import Result
from ncnet.studies.mechanism import tables
from ncnet.studies.mechanism.analysis import CONTROLS
from ncnet.studies.mechanism.decoding import WHOLE

OF_OSCILLATION = 0.03
ROUNDED = "the last digits of single precision, which the decoder reads where a trace is smooth"
IN_CONFLICT = absolute(0.1, "rounding decides the sign where both gradients have vanished")


def _opposed(recorded: Result, where: Where) -> pd.DataFrame:
    return tables.opposed(
        where["game"], where["hidden_size"], **given(recorded, (*TRAINING, "log_interval"))
    )


def _opposed_and_s(recorded: Result, where: Where) -> pd.DataFrame:
    asked = given(recorded, (*TRAINING, "log_interval"))
    return tables.opposed_and_s(where["game"], where["hidden_size"], **asked)


def _compared(recorded: Result, where: Where) -> pd.DataFrame:
    asked = given(recorded, (*TRAINING, "log_interval", "lambdas", "small_steps"))
    intervention = where["intervention"]
    found = tables.compared(where["game"], where["hidden_size"], among=[intervention], **asked)
    return found[found["intervention"] == intervention]


def _sensed(recorded: Result, where: Where) -> pd.DataFrame:
    decoded, use = given(recorded, (*TRAINING, "folds", "permutations")), where["use"]
    # What is lost is lost from the whole trace, whose own permutations are another piece's.
    asked = {"uses": list(dict.fromkeys([WHOLE, use])), "controls": []}
    if use in CONTROLS:
        asked = {"uses": [WHOLE], "controls": [use]}
    asked["permuted"] = [use] if use in tables.PERMUTED else []
    found = tables.sensed(where["game"], where["hidden_size"], **asked, **decoded)
    return found[found["use"] == use]


def _sensed_early(recorded: Result, where: Where) -> pd.DataFrame:
    [size] = set(recorded.table["hidden_size"])
    asked = given(recorded, (*TRAINING, "folds"))
    return tables.sensed_early(where["game"], size, seen=[where["seen"]], **asked)


def _oscillating(recorded: Result, where: Where) -> pd.DataFrame:
    [size] = set(recorded.table["hidden_size"])
    asked = given(recorded, (*TRAINING, "folds"))
    return tables.oscillating(where["game"], size, among=[where["intervention"]], **asked)


def _share(name: str) -> Tolerance:
    """Return the tolerance of a share of the replicas, whose error its own size says."""

    def error(rows: pd.DataFrame) -> np.ndarray:
        count = rows["replicas"].to_numpy(float)
        # One success and one failure more: a share of 0 or 1 has an error as well.
        share = (rows[name].to_numpy(float) * count + 1) / (count + 2)
        return np.sqrt(share * (1 - share) / count)

    return standard_errors(of=error)


def _of_decoder(rows: pd.DataFrame, name: str) -> np.ndarray:
    # The whole trace has its oscillation among the rest.
    usual = standard_errors(1).allowed(rows, name)
    return np.where(rows["use"].str.startswith("oscillation"), OF_OSCILLATION, usual)


ASKED = dict.fromkeys(("game", "hidden_size"), same())
SHARES = (
    "alice_success",
    "bob_success",
    *(f"solved_{context}" for context in CONTEXTS),
)
INTERVENTIONS = {
    **ASKED,
    **REPORT,
    "intervention": same(),
    **{name: _share(name) for name in SHARES},
    **intervals("conflict_share", tolerance=IN_CONFLICT),
    **intervals("paid_share", "s_change", "influence_change", "removed"),
}
DECODED = {
    **ASKED,
    **intervals(
        "auc",
        "lost",
        tolerance=Tolerance(f"outcomes move it, and of an oscillation {ROUNDED}", _of_decoder),
    ),
    "use": same(),
    "p_value": p_values(),
}
REPLAYS = (
    Replay(
        "conflict",
        ("game", "hidden_size"),
        ("alice_setting", "bob_setting", "phase"),
        _opposed,
        {
            **ASKED,
            **dict.fromkeys(("alice_setting", "bob_setting", "phase"), same()),
            **intervals("conflict_share", tolerance=IN_CONFLICT),
            **intervals("weighted_cosine", "magnitude_similarity"),
        },
    ),
    Replay(
        "conflict_and_s",
        ("game", "hidden_size"),
        ("phase",),
        _opposed_and_s,
        {**ASKED, "phase": same(), **intervals("correlation")},
    ),
    Replay("interventions", ("game", "hidden_size", "intervention"), (), _compared, INTERVENTIONS),
    Replay("sensing", ("game", "hidden_size", "use"), (), _sensed, DECODED),
    Replay(
        "sensing_along_training", ("game", "seen"), (), _sensed_early, {**DECODED, "seen": same()}
    ),
    Replay(
        "oscillation",
        ("game", "intervention"),
        (),
        _oscillating,
        {
            **ASKED,
            "intervention": same(),
            **intervals("rising_share", "energy_fast", "energy_rises"),
            **intervals("auc_fast", tolerance=absolute(OF_OSCILLATION, ROUNDED)),
        },
    ),
)
