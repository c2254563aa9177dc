"""Lists all replays: one for each recorded table."""

from ncnet.companion.replay import benchmarks, mutations, worlds
from ncnet.studies.atlas import replay as atlas
from ncnet.studies.calibration import replay as calibration
from ncnet.studies.capacity import replay as capacity
from ncnet.studies.generalization import replay as generalization
from ncnet.studies.mechanism import replay as mechanism
from ncnet.studies.multiverse import replay as multiverse
from ncnet.studies.ranks import replay as ranks
from ncnet.studies.your_model import replay as your_model

_STUDIES = (
    *(capacity, multiverse, atlas, mechanism, calibration, generalization, ranks, your_model),
)
REPLAYS = tuple(one for of in (*_STUDIES, worlds, benchmarks, mutations) for one in of.REPLAYS)
"""The replay of each recorded table, study by study."""
