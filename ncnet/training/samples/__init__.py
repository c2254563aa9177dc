"""Trains on items that differ from replica to replica: finite samples, with held-out items.

On the truth tables of `ncnet.games` nothing is left to generalize to. Here each replica draws its
own training items from a population, and fresh ones that it never sees: `noisy_game` adds Gaussian
noise to a game's inputs, `digits` takes images of handwritten digits. `train` trains a replica's
four contexts, `train_pairs` any pairs of tasks.
"""

from ncnet import renamed
from ncnet.training.samples.catalogue import BY_STEPS, NAMES, label, named
from ncnet.training.samples.digits import (
    NAMED_TASKS,
    QUARTETS,
    digit_tasks,
    digits,
    splits_by_separability,
)
from ncnet.training.samples.noisy import noisy_functions, noisy_game
from ncnet.training.samples.population import NOTHING, Items, Population, sampled, set_aside
from ncnet.training.samples.training import train, train_pairs

__getattr__ = renamed.names(__name__, {"Drawn": "Items"})
