"""All replays: one for each recorded table."""

from ncnet.companion.replay import benchmarks, mutations
from ncnet.studies.atlas import replay as atlas
from ncnet.studies.calibration import replay as calibration
from ncnet.studies.capacity import replay as capacity
from ncnet.studies.generalization import replay as generalization
from ncnet.studies.mechanism import replay as mechanism
from ncnet.studies.multiverse import replay as multiverse
from ncnet.studies.ranks import replay as ranks

REPLAYS = (
    *capacity.REPLAYS,
    *multiverse.REPLAYS,
    *atlas.REPLAYS,
    *mechanism.REPLAYS,
    *calibration.REPLAYS,
    *generalization.REPLAYS,
    *ranks.REPLAYS,
    *benchmarks.REPLAYS,
    *mutations.REPLAYS,
)
