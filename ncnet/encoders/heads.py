"""A head: one linear map of the first token's state, over classes or over choices."""

import numpy as np
import torch
from torch import Tensor, nn

from ncnet.encoders.catalogue import Encoder


class Head(nn.Linear):
    """Logits of a task's classes; for questions, of each choice, scored by the same weights.

    Parameters
    ----------
    encoder
        Whose states it reads; its configuration says how wide initial weights spread.
    classes
        Number of classes, or of choices a question.
    multiple_choice
        Whether each item is as many sequences as it has choices.
    seed
        Of the initial weights. Biases start from 0.
    """

    def __init__(self, encoder: Encoder, *, classes: int, multiple_choice: bool, seed: object):
        super().__init__(encoder.width, 1 if multiple_choice else classes)
        self.classes = classes
        spread = encoder.model.config.initializer_range
        drawn = np.random.default_rng(seed).normal(0, spread, tuple(self.weight.shape))
        self.weight.data.copy_(torch.from_numpy(drawn))
        nn.init.zeros_(self.bias)

    def forward(self, states: Tensor) -> Tensor:
        """Return logits [items, classes] of the states of their sequences [sequences, width]."""
        return super().forward(states).reshape(-1, self.classes)
