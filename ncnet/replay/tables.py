"""All replays: one for each recorded table."""

from ncnet.replay import atlas, batch, capacity, explorer, multiverse

REPLAYS = (
    *capacity.REPLAYS,
    *multiverse.REPLAYS,
    *batch.REPLAYS,
    *atlas.REPLAYS,
    *explorer.REPLAYS,
)
