"""Turns the report on any two-headed network: the reader's own training, in all four contexts."""

from ncnet.experiment.sweep import replica_seed, run
from ncnet.experiment.trained import Trained
