"""Train a two-headed network of the reader's own in all four contexts, and group many tasks."""

from ncnet import renamed
from ncnet.experiment.early import early_signs
from ncnet.experiment.grouping import Grouping, group, interference, partitions, regrets
from ncnet.experiment.sweep import replica_seed, train
from ncnet.experiment.trained import Trained

__getattr__ = renamed.names(__name__, {"run": "train"})
