"""Conflict of the gradients, sensing, and interventions.

`ncnet.train` traces gradients and losses, and trains with the interventions; here they are
measured, decoded and compared.
"""

from ncnet.gradients import conflict
from ncnet.studies.mechanism.conflict import (
    PHASES,
    by_phase,
    conflict_and_s,
    conflict_table,
    log_steps,
    manipulation,
    rank_correlation,
)
from ncnet.studies.mechanism.decoding import (
    USES,
    Sensing,
    by_use,
    decode,
    energy,
    features,
    log_loss,
    rising_share,
    trend,
)
from ncnet.studies.mechanism.interventions import (
    Intervention,
    change,
    compare,
    excess_removed,
    interventions,
    separate_trunks,
    solved,
    success,
)
from ncnet.studies.mechanism.sensing import (
    CONTROLS,
    OSCILLATING,
    alice_traces,
    oscillation_table,
    sensing_table,
)
