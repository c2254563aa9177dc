"""Follows S along training, by reports after a few numbers of steps, and its scatter over runs."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ncnet import chsh, games
from ncnet.checks import check
from ncnet.chsh.bootstrap import DIGITS_OF_SUMS
from ncnet.chsh.intervals import S_BOUNDS, share_interval
from ncnet.claims import simultaneous_level
from ncnet.estimates import Estimate, columns_of, mean_of_replicas
from ncnet.studies.capacity.claims import RUNS, SIZES
from ncnet.training import train

LARGEST_DEVIATION = (S_BOUNDS[1] - S_BOUNDS[0]) ** 2 / 2
"""Half the squared difference of two S is at most as large."""
READ_TOGETHER = 3
"""A rule reads so many intervals of a row."""


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


def scatter(game: str, hidden_size: int, **training: object) -> pd.DataFrame:
    """Train a game and return how far S scatters over runs, in each way to read an outcome.

    Parameters
    ----------
    game
        Its name.
    hidden_size, training
        Hidden size, replicas, seed and the rest, as `ncnet.train` takes them.

    Returns
    -------
    pandas.DataFrame
        ``game``, ``hidden_size``; the columns of `scatter_row`, for each readout of
        `ncnet.studies.capacity.claims.RUNS`.

    Examples
    --------
    >>> scatter("overlap", 4, replicas=64, seed=0, steps=10)["runs"].tolist()
    [2, 1]
    """
    outcomes = train(games.named(game), hidden_size=hidden_size, **training)
    rows = [
        {"game": game, "hidden_size": hidden_size, "readout": readout}
        | scatter_row(chsh.s_per_replica(outcomes, readout=readout).values, run)
        for readout, run in RUNS.items()
    ]
    return pd.DataFrame(rows)


def scatter_row(s: np.ndarray, run: int) -> dict[str, float]:
    """Return how far S scatters over runs of so many replicas.

    The variance of a run's mean is that of a replica over their number, and that of a replica is
    the mean of half the squared difference of two. So its interval is one for a mean of bounded
    values, from pairs of replicas, and exact.

    Parameters
    ----------
    s
        S of every replica [replicas]; those beyond the last whole run are left out.
    run
        Replicas in a run.

    Returns
    -------
    dict
        ``run_size``, ``runs``, ``replicas``; ``spread``, the standard deviation of S over runs;
        ``below`` and ``above``, the shares of runs with S on either side of 2; each with the ends
        of its interval, which hold together at 95 %.

    Raises
    ------
    ValueError
        For fewer replicas than one run has.

    Examples
    --------
    >>> row = scatter_row(np.tile([1.5, 2.5], 640), 32)
    >>> row["runs"], round(row["spread"], 3), row["below"]
    (40, 0.088, 0.0)
    """
    runs = len(s) // run
    check(runs, f"there are {len(s)} replicas", f"at least {run}, one run")
    s = np.asarray(s[: runs * run], float)
    level = simultaneous_level(READ_TOGETHER)
    squares = np.diff(s[: len(s) // 2 * 2].reshape(-1, 2)).ravel() ** 2 / 2
    variance = mean_of_replicas(squares, bounds=(0.0, LARGEST_DEVIATION), level=level)
    ends = (math.sqrt(v / run) for v in (s.var(ddof=1), variance.low, variance.high))
    means = s.reshape(runs, run).mean(axis=1).round(DIGITS_OF_SUMS)
    row = {
        "run_size": run,
        "runs": runs,
        "replicas": len(s),
        **columns_of("spread", Estimate(*ends)),
    }
    for name, there in (
        ("below", means < chsh.CLASSICAL_BOUND),
        ("above", means > chsh.CLASSICAL_BOUND),
    ):
        ends = share_interval(int(there.sum()), runs, level)
        row |= columns_of(name, Estimate(float(there.mean()), *map(float, ends)))
    return row


def scatter_rows(games: Sequence[str], **training: object) -> pd.DataFrame:
    """Return `scatter` of several games at the hidden sizes that the rule reads."""
    grid = itertools.product(games, SIZES)
    rows = [scatter(game, size, **training) for game, size in grid]
    return pd.concat(rows, ignore_index=True)
