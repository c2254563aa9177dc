"""All replays: one for each recorded table."""

from ncnet.replay import (
    atlas,
    batch,
    benchmarks,
    calibration,
    capacity,
    explorer,
    generalization,
    mechanism,
    multiverse,
    mutations,
    ranks,
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
    *ranks.REPLAYS,
    *benchmarks.REPLAYS,
    *mutations.REPLAYS,
)
