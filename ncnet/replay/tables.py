"""All replays: one for each recorded table."""

from ncnet.replay import atlas, batch, calibration, capacity, explorer, mechanism, multiverse

REPLAYS = (
    *capacity.REPLAYS,
    *multiverse.REPLAYS,
    *batch.REPLAYS,
    *atlas.REPLAYS,
    *explorer.REPLAYS,
    *mechanism.REPLAYS,
    *calibration.REPLAYS,
)
