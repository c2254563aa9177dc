"""Trains a two-headed network of the reader's own in all four contexts, for the report."""

from ncnet import renamed
from ncnet.experiment.sweep import replica_seed, train
from ncnet.experiment.trained import Trained

__getattr__ = renamed.names(__name__, {"run": "train"})
