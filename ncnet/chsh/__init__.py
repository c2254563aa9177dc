"""The statistics of a CHSH experiment: arrays or a Dataset in, numbers out."""

from ncnet.chsh.correlators import (
    ALGEBRAIC_BOUND,
    CLASSICAL_BOUND,
    RUN_LENGTH,
    SIGNS,
    TSIRELSON_BOUND,
    cells,
    correlators,
    delta,
    marginal_changes,
    marginals,
    replica_means,
    s_per_replica,
    s_per_run,
    s_value,
)
from ncnet.chsh.intervals import s_interval
from ncnet.chsh.outcomes import READOUTS, as_dataset, read
from ncnet.chsh.report import Report, report
from ncnet.chsh.table import by_capacity

__all__ = [
    "ALGEBRAIC_BOUND",
    "CLASSICAL_BOUND",
    "READOUTS",
    "RUN_LENGTH",
    "SIGNS",
    "TSIRELSON_BOUND",
    "Report",
    "as_dataset",
    "by_capacity",
    "cells",
    "correlators",
    "delta",
    "marginal_changes",
    "marginals",
    "read",
    "replica_means",
    "report",
    "s_interval",
    "s_per_replica",
    "s_per_run",
    "s_value",
]
