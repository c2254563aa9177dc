"""Trains all replicas and contexts of a game at once."""

from ncnet.training.ensemble import train
from ncnet.training.initialisation import INITIALISATIONS
from ncnet.training.network import ACTIVATIONS
from ncnet.training.optimizers import OPTIMIZERS
