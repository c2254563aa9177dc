"""Trains the network of the example alone, in pairs and in contexts.

What it does to pairs is what the page shows in fifteen lines; a test compares the two.
"""

from collections.abc import Sequence
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd

from ncnet import chsh, experiment
from ncnet.claims import simultaneous_level
from ncnet.experiment.grouping import PAIR
from ncnet.studies.your_model import example
from ncnet.training.chunks import one_thread


def train_pairs(
    replicas: Sequence[int], *, seed: int, hidden_size: int, **training: float
) -> pd.DataFrame:
    """Train each task alone and each pair of tasks; return what tasks do to each other.

    Parameters
    ----------
    replicas
        Numbers of the replicas: each depends on its number and `seed` alone.
    seed, hidden_size
        Seed of the experiment, and units of the trunk.
    training
        Passed on to `ncnet.studies.your_model.example.train`.

    Returns
    -------
    pandas.DataFrame
        A row each pair and replica, as `ncnet.experiment.interference` returns them.

    Examples
    --------
    >>> rows = train_pairs([5], seed=0, hidden_size=1, steps=1)
    >>> len(rows), rows["replica"].unique().tolist()
    (15, [5])
    """
    seeds = [experiment.replica_seed(seed, replica) for replica in replicas]
    several = (*combinations(example.TASKS, 1), *combinations(example.TASKS, 2))
    with one_thread():
        outcomes = {tasks: _outcomes(tasks, seeds, hidden_size, **training) for tasks in several}
    rows = experiment.interference(chsh.collect_pairs(outcomes, split=example.SPLIT))
    return rows.assign(replica=np.array(replicas)[rows["replica"]])


def _outcomes(
    tasks: Sequence[str], seeds: Sequence[int], hidden_size: int, **training: float
) -> np.ndarray:
    """Return outcomes, +-1, as [tasks, replicas, items]."""
    right = [example.train(tasks, seed, hidden_size, **training) for seed in seeds]
    return np.stack([np.where(of_one, 1, -1) for of_one in right], axis=1)


def by_pair(rows: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Return means over replicas, a row each pair, the most disturbed first.

    Parameters
    ----------
    rows
        Rows of `train_pairs`.
    seed
        Seed of the bootstrap for the intervals of S, which hold together over all pairs at 95 %
        (Bonferroni).

    Returns
    -------
    pandas.DataFrame
        ``first``, ``second``; ``s``, ``s_low``, ``s_high``; ``first_drop``, ``second_drop``,
        ``training_drop``, ``both_wrong`` and ``held_out_drop``; ``replicas``.
    """
    groups = rows.groupby(PAIR)
    table = groups[list(rows.columns.drop([*PAIR, "replica"]))].mean()
    level = simultaneous_level(groups.ngroups)
    ends = [chsh.s_interval(s.to_numpy(), level=level, seed=seed)[0] for _, s in groups["s"]]
    table[["s_low", "s_high"]] = ends
    table["replicas"] = groups["replica"].nunique()
    return table.sort_values("s", ascending=False).reset_index()


def by_hidden_size(
    hidden_sizes: Sequence[int], *, replicas: int, seed: int, **training: float
) -> pd.DataFrame:
    """Train the four tasks of the CHSH experiment in its contexts; return a report a row.

    Parameters
    ----------
    hidden_sizes
        Units of the trunk.
    replicas, seed
        Number of networks in each context, and the seed of the experiment.
    training
        Passed on to `ncnet.studies.your_model.example.train_context`.

    Examples
    --------
    >>> table = by_hidden_size([1], replicas=2, seed=0, steps=1)
    >>> table[["hidden_size", "replicas"]].values.tolist()
    [[1, 2]]
    """
    with one_thread():
        outcomes = experiment.train(
            partial(example.train_context, **training),
            capacities=hidden_sizes,
            capacity_name="hidden_size",
            replicas=replicas,
            seed=seed,
        )
    return pd.DataFrame(
        {"hidden_size": units} | chsh.report(outcomes.sel(capacity=units)).row()
        for units in hidden_sizes
    )
