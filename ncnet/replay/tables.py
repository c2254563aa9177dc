"""All replays: one for each recorded table."""

from ncnet.replay import (
    atlas,
    batch,
    calibration,
    capacity,
    explorer,
    generalization,
    mechanism,
    multiverse,
    selection,
)

REPLAYS = (
    *capacity.REPLAYS,
    *multiverse.REPLAYS,
    *batch.REPLAYS,
    *atlas.REPLAYS,
    *explorer.REPLAYS,
    *mechanism.REPLAYS,
    *calibration.REPLAYS,
    *generalization.REPLAYS,
    *selection.REPLAYS,
)
