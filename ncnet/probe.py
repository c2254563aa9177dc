"""Keeps a second address of `ncnet.experiment.probe`."""

from ncnet import renamed
from ncnet.experiment.probe import Probe, conflict_by_step, outcomes_by_step

__all__ = ["Probe", "conflict_by_step", "outcomes_by_step"]
__getattr__ = renamed.names(__name__, {"running": "outcomes_by_step"})
