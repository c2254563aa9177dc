"""Figures of any outcomes and trainings, whoever made them: one function a figure.

Each takes tables or reports and returns a matplotlib Figure. Those of one study are in its room.
"""

from ncnet.figures.conflict import conflict_by_step
from ncnet.figures.contexts import contexts
from ncnet.figures.signalling import signalling, three_ways
from ncnet.figures.sweep import along_training, capacity

__all__ = [
    "along_training",
    "capacity",
    "conflict_by_step",
    "contexts",
    "signalling",
    "three_ways",
]
