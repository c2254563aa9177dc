"""Pretrained encoders with LoRA as the shared trunk: the rank is the capacity.

An encoder of the BERT family is frozen; adapters of rank r on query and value of its upper layers
are trained (LoRA, arXiv 2106.09685), together with a head for each of one or two tasks. All
networks of a replica are trained side by side. What lies below the lowest adapted layer never
changes and is computed once an item, that layer's keys and values included; where heads read the
first token's state, only that token's row of the top layer is computed.
"""

from ncnet.encoders.catalogue import ENCODERS, Encoder, Entry, load
from ncnet.encoders.hyperparameters import Hyperparameters
from ncnet.encoders.sweep import train
