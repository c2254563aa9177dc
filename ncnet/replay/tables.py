"""All replays: one for each recorded table."""

from ncnet.replay import atlas, capacity, explorer, multiverse

REPLAYS = (*capacity.REPLAYS, *multiverse.REPLAYS, *atlas.REPLAYS, *explorer.REPLAYS)
