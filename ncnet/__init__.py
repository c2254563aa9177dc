"""Companion to arXiv 2603.04451: the CHSH statistic of networks trained on two tasks at once.

>>> import ncnet
>>> outcomes = ncnet.train(ncnet.games.overlap(), hidden_size=3, replicas=64, seed=0, steps=50)
>>> ncnet.chsh.report(outcomes).replicas
64
"""

from ncnet import chsh, games
from ncnet.ensemble import train

__version__ = "0.1.0"
__all__ = ["chsh", "games", "train"]
