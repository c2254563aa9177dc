"""Makes rows of recorded tables again with today's code, and compares them.

A recorded table stands because this is done, again and again: by whoever records one, at every
change for a few rows drawn by chance, once a week for all that two hours can pay. ``python -m
ncnet.replay`` does it; `ncnet.replay.tables.REPLAYS` has how for each table.
"""

from ncnet.replay.comparison import (
    Comparison,
    Tolerance,
    absolute,
    compare,
    factor,
    intervals,
    of_this_place,
    outcomes,
    p_values,
    same,
    standard_errors,
    unchecked,
)
from ncnet.replay.pieces import NotReplayableError, Replay, draw
from ncnet.replay.running import Costs, Piece, make_again, run

__all__ = [
    "Comparison",
    "Costs",
    "NotReplayableError",
    "Piece",
    "Replay",
    "Tolerance",
    "absolute",
    "compare",
    "draw",
    "factor",
    "intervals",
    "make_again",
    "of_this_place",
    "outcomes",
    "p_values",
    "run",
    "same",
    "standard_errors",
    "unchecked",
]
