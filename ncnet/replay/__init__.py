"""Says how rows of a recorded table are made again, and which of them count as the same.

Each study says so for its own tables; `ncnet.companion.replay` makes the rows and compares them.
"""

from ncnet import renamed
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
from ncnet.replay.pieces import NotReplayableError, Replay, draw, parameters_of

__getattr__ = renamed.names(__name__, {"given": "parameters_of"})
