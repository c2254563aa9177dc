"""Follows S along training, by a report after each of a few numbers of steps."""

import numpy as np
import pandas as pd

from ncnet import chsh, games
from ncnet.training import train


def marks(steps: int) -> list[int]:
    """Return the steps of training at which S is read: about sixteen, each a fixed factor later.

    >>> marks(8)
    [0, 1, 2, 3, 4, 5, 6, 7, 8]
    """
    if not steps:
        return [0]
    return [0, *np.unique(np.geomspace(1, steps, 16).round().astype(int)).tolist()]


def along_training(game: str, hidden_size: int, *, steps: int, **training: object) -> pd.DataFrame:
    """Return a report after each of the `marks` of one training, with the column ``hidden_size``.

    >>> along_training("overlap", 3, steps=8, replicas=64, seed=0)["steps"].tolist()
    [0, 1, 2, 3, 4, 5, 6, 7, 8]
    """
    outcomes = train(games.named(game), hidden_size=hidden_size, steps=marks(steps), **training)
    return chsh.by_capacity(outcomes).assign(hidden_size=hidden_size)
