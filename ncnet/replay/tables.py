"""All replays: one for each recorded table."""

from ncnet.replay import capacity

REPLAYS = (*capacity.REPLAYS,)
