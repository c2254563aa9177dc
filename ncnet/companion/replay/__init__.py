"""Makes rows of recorded tables again with today's code, and compares them.

A recorded table stands because this is done, again and again: by whoever records one, at every
change for a few rows drawn by chance, once a week for all that two hours can pay. ``python -m
ncnet.replay`` does it; `ncnet.companion.replay.tables.REPLAYS` has how for each table.
"""

from ncnet import renamed
from ncnet.companion.replay.remaking import ExpectedTimes, PieceResult, make_again, replay_pieces

__getattr__ = renamed.names(
    __name__, {"run": "replay_pieces", "Piece": "PieceResult", "Costs": "ExpectedTimes"}
)
