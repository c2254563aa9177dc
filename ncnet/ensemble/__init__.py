"""Trains all replicas and contexts of a game at once."""

from ncnet.ensemble.initialisation import INITIALISATIONS
from ncnet.ensemble.network import ACTIVATIONS
from ncnet.ensemble.optimizers import OPTIMIZERS
from ncnet.ensemble.training import train

__all__ = ["ACTIVATIONS", "INITIALISATIONS", "OPTIMIZERS", "train"]
