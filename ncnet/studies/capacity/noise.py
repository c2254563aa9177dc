"""Asks whether noise in training makes S fluctuate around 2 at large capacity.

The noise of gradient descent in batches goes with its *temperature*, the learning rate over the
size of a batch. A grid varies both over paths of one length (learning rate times steps), with
labels that are right, and with labels that are flipped now and then.
"""

import itertools
from collections.abc import Sequence

import pandas as pd

from ncnet import games
from ncnet.claims import GAMES
from ncnet.parts import Parts
from ncnet.studies.capacity.analysis import scatter
from ncnet.studies.capacity.claims import NAMED_NOISE, SIZES, judge
from ncnet.sweeps import compute_grid

LARGE = max(SIZES)
PATH = 1000
"""Learning rate times steps, as in the rest of the book."""
BATCHES, FLIPPED = (1, 4, 0), (0.0, 0.1)
"""Items of a batch, 0 for all; shares of the labels that are flipped."""


def trainings(rates: Sequence[float]) -> list[dict]:
    """Return what varies, a training each: the named noise at all sizes, and a grid at `LARGE`.

    Parameters
    ----------
    rates
        Learning rates of the grid.

    Examples
    --------
    >>> [len(trainings(rates)) for rates in ([], [0.5], [0.5, 2.0])]
    [4, 14, 26]
    >>> sorted(trainings([])[0])
    ['batch_size', 'game', 'hidden_size', 'label_noise', 'learning_rate']
    """
    grid = [
        {"learning_rate": rate, "batch_size": batch, "label_noise": flipped}
        for flipped, rate, batch in itertools.product(FLIPPED, rates, BATCHES)
    ]
    asked = [(size, NAMED_NOISE) for size in SIZES]
    asked += [(LARGE, noise) for noise in grid if noise != NAMED_NOISE]
    return [{"game": game, "hidden_size": size} | noise for game in GAMES for size, noise in asked]


def scatter_under_noise(training: dict, **asked: int) -> pd.DataFrame:
    """Return how far S scatters over runs where training is noisy.

    Parameters
    ----------
    training
        One of `trainings`.
    asked
        Replicas and seed, as `ncnet.train` takes them.

    Returns
    -------
    pandas.DataFrame
        The columns of `ncnet.studies.capacity.analysis.scatter`, those of `training`, ``steps`` and
        ``temperature``, the learning rate over the number of items of a batch.

    Examples
    --------
    >>> hot = {"game": "overlap", "hidden_size": 2, "learning_rate": 500, "batch_size": 1}
    >>> rows = scatter_under_noise(hot | {"label_noise": 0.1}, replicas=64, seed=0)
    >>> rows[["readout", "steps", "temperature"]].values.tolist()
    [['correct', 2, 500.0], ['solved', 2, 500.0]]
    """
    options = training | asked | {"steps": round(PATH / training["learning_rate"])}
    rows = scatter(**options | {"batch_size": training["batch_size"] or None})
    noise = {name: training[name] for name in NAMED_NOISE}
    shown = training["batch_size"] or len(games.named(training["game"]).inputs)
    temperature = training["learning_rate"] / shown
    return rows.assign(**noise, steps=options["steps"], temperature=temperature)


def scatter_over_noises(
    rates: Sequence[float], *, parts: Parts | None = None, **asked: int
) -> pd.DataFrame:
    """Return `scatter_under_noise` of all `trainings`, with `parts` for a run cut off."""
    return compute_grid(scatter_under_noise, {"training": trainings(rates)}, parts=parts, **asked)


def answers(table: pd.DataFrame) -> list[bool | None]:
    """Return whether S fluctuates around 2 in each row, by the rule of the named noise.

    Parameters
    ----------
    table
        Rows of `scatter_under_noise`.

    Examples
    --------
    >>> hot = {"game": "overlap", "hidden_size": 2, "learning_rate": 500, "batch_size": 1}
    >>> answers(scatter_under_noise(hot | {"label_noise": 0.1}, replicas=64, seed=0))
    [None, None]
    """
    return [judge(table.loc[[place]]).holds for place in table.index]
