"""Does the competition of gradients cause it? Conflict, sensing, and interventions.

`ncnet.train` traces gradients and losses, and trains with the interventions; here they are
measured, decoded and compared.
"""

from ncnet.mechanism.conflict import PHASES, by_phase, conflict, log_steps, rank_correlation
from ncnet.mechanism.interventions import (
    Intervention,
    change,
    compare,
    interventions,
    separate_trunks,
    success,
)
from ncnet.mechanism.oscillation import energy, log_loss, rising_share, trend
from ncnet.mechanism.sensing import USES, Sensing, decode, features

__all__ = [
    "PHASES",
    "USES",
    "Intervention",
    "Sensing",
    "by_phase",
    "change",
    "compare",
    "conflict",
    "decode",
    "energy",
    "features",
    "interventions",
    "log_loss",
    "log_steps",
    "rank_correlation",
    "rising_share",
    "separate_trunks",
    "success",
    "trend",
]
