"""Sets the tolerances of the columns of reports (`ncnet.chsh.Report.row`)."""

import numpy as np
import pandas as pd

from ncnet.chsh.outcomes import CONTEXTS
from ncnet.replay.comparison import (
    Tolerance,
    absolute,
    intervals,
    of_this_place,
    outcomes,
    p_values,
    same,
    standard_errors,
)


def of_s(rows: pd.DataFrame) -> np.ndarray:
    """Return the standard error of S, which a sum of the same outcomes has at most."""
    return (rows["s_high"] - rows["s_low"]).to_numpy() / 4


def _of_run(rows: pd.DataFrame) -> np.ndarray:
    """Return the scatter of a band's end between runs of 32 replicas."""
    return of_s(rows) * np.sqrt(rows["replicas"].to_numpy() / 32)


IN_WORDS = outcomes(share=0.1)
"""The tolerance of words that say on which side of a line a number lies: it may lie on the line."""
SUMS = ("s_odd", "any_facet_excess", "excess_bound", "s_diverged_against")
SUMS += ("s_betting_low", "s_betting_high")
SUMS += tuple(f"{name}_{i}{j}" for name in ("correlator", "alice", "bob") for i, j in CONTEXTS)
"""Columns without intervals of their own, which sum the same outcomes as S."""
REPORT: dict[str, Tolerance] = {
    **dict.fromkeys(("readout", "split", "level", "items", "replicas"), same()),
    **intervals("s", "delta", "influence", "excess", "excess_within", "share_above"),
    **dict.fromkeys(SUMS, standard_errors(of=of_s)),
    **dict.fromkeys(("run_low", "run_high"), standard_errors(of=_of_run)),
    **dict.fromkeys(("p_value", "p_value_below", "no_signalling_p_value"), p_values()),
    **dict.fromkeys(("excess_p_value", "any_facet_p_value"), p_values()),
    **dict.fromkeys(("interval_method", "verdict", "excess_method", "explanation"), IN_WORDS),
    "arcsine_excess": absolute(0.01, "it follows from the correlators"),
    "backend": of_this_place("without a compiler the eager engine is taken"),
    "diverged": absolute(2, "a network at the edge of divergence may fall on either side"),
}
