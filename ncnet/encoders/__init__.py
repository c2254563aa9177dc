"""Pretrained encoders with LoRA as the shared trunk: the rank is the capacity.

An encoder of the BERT family is frozen; adapters of rank r on query and value of its upper layers
are trained (LoRA, arXiv 2106.09685), together with two heads that read the state of the first
token. What lies below the lowest adapted layer never changes and is computed once an item, that
layer's keys and values included; of the top layer, only the first token's row is computed.
"""

from ncnet.encoders.catalogue import ENCODERS, Encoder, load
from ncnet.encoders.hyperparameters import Hyperparameters
from ncnet.encoders.sweep import train
