"""What a replay is: how rows of a recorded table are made again, and what counts as the same.

Each study says so for its own tables; `ncnet.companion.replay` makes the rows and compares them.
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
from ncnet.replay.pieces import NotReplayableError, Replay, draw, given
