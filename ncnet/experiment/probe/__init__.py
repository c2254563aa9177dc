"""Records both heads' gradients, and S, along any training in torch.

At a stationary point of the summed loss ``g_A = -g_B``: late in training the cosine tends to -1 in
every network with a shared trunk, whatever it has learnt. Compare contexts, or sizes of the trunk,
at the same step; a cosine near -1 by itself says little.
"""

from ncnet import renamed
from ncnet.experiment.probe.recording import Probe
from ncnet.experiment.probe.replicas import conflict_by_step, outcomes_by_step

__getattr__ = renamed.names(__name__, {"running": "outcomes_by_step"})
