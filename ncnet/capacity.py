"""S against a capacity: hidden units, or steps of training (RQ1 and RQ3)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import chsh, games
from ncnet.ensemble import train


def sweep(game: str, hidden_sizes: Sequence[int], **training: object) -> pd.DataFrame:
    """Return a report for each number of hidden units, every one with networks of its own.

    Parameters
    ----------
    game
        Its name.
    hidden_sizes
        Numbers of hidden units.
    training
        Replicas, seed, steps and the rest, as `ncnet.train` takes them.

    Returns
    -------
    pandas.DataFrame
        The rows of `ncnet.chsh.by_capacity`, and the columns ``game`` and ``path``.

    Examples
    --------
    >>> rows = sweep("overlap", [2, 3], replicas=64, seed=0, steps=10)
    >>> rows[["game", "hidden_size"]].values.tolist()
    [['overlap', 2], ['overlap', 3]]
    """
    trained = [train(games.named(game), hidden_size=n, **training) for n in hidden_sizes]
    outcomes = xr.concat(trained, "capacity")
    return chsh.by_capacity(outcomes).assign(game=game, path=outcomes.attrs["path"])


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
