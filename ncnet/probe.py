"""Keeps a second address of `ncnet.experiment.probe`."""

from ncnet.experiment.probe import Probe, conflict_by_step
from ncnet.experiment.probe import outcomes_by_step as running

__all__ = ["Probe", "conflict_by_step", "running"]
