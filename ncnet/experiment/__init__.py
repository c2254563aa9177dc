"""Turns the report on any two-headed network: the reader's own training, in all four contexts."""

from ncnet import renamed
from ncnet.experiment.sweep import replica_seed, train
from ncnet.experiment.trained import Trained

__getattr__ = renamed.names(__name__, {"run": "train"})
