"""Find which tasks disturb which, by S of a game made of each pair of tasks.

Of a pair of tasks s and t a game is made whose setting 1 asks nothing of a head: A2 is s, B2 is t,
and the outcome of a head that is asked nothing is +1. Then

    S = 2 + (<s> alone - <s> beside t) + (<t> alone - <t> beside s) - 4 P(both wrong, together):

above 2 the two hurt each other by more than they fail together. All of it is signalling, and here
signalling is what is asked for.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import chsh
from ncnet.checks import check, check_integer
from ncnet.chsh.bootstrap import drawn_shares, percentile_interval, spearman
from ncnet.claims import LEVEL, simultaneous_level
from ncnet.studies.generalization.measurements import RESAMPLES, as_arrays, trace_steps
from ncnet.training import samples

PREDICTORS = {"s": 1, "training_drop": 1, "cosine": -1, "likeness": -1}
"""Columns that may predict what a pair loses on held-out items, each with the sign that it should
have: the more opposed or the less alike two tasks are, the more should be lost."""
PAIR = ["first", "second"]
"""Columns with the names of both tasks."""


def train_task_pairs(
    tasks: Mapping[str, Sequence[int]],
    *,
    training: int,
    held_out: int,
    label_noise: float = 0.0,
    seed: int,
    steps: int,
    **kind: object,
) -> pd.DataFrame:
    """Train each pair of tasks on digits, and each task alone; return `interference_by_replica`.

    Parameters
    ----------
    tasks
        The digits that are of class 1, by the name of the task.
    training, held_out, label_noise
        Items of each replica, as `ncnet.training.samples.digits` takes them.
    seed
        Seed of items and of initial weights.
    steps
        Number of training steps.
    kind
        Hidden size, replicas and the rest, as `ncnet.training.samples.train_pairs` takes them.

    Examples
    --------
    >>> tasks = {"odd": (1, 3, 5, 7, 9), "prime": (2, 3, 5, 7)}
    >>> rows = train_task_pairs(
    ...     tasks, training=8, held_out=4, seed=0, steps=10, hidden_size=1, replicas=range(3)
    ... )
    >>> rows[["first", "second", "replica"]].values.tolist()
    [['odd', 'prime', 0], ['odd', 'prime', 1], ['odd', 'prime', 2]]
    """
    names = (*tasks, samples.NOTHING)
    items = {"training": training, "held_out": held_out, "label_noise": label_noise}
    images = samples.digits([*tasks.values(), ()], seed=seed, **items)
    kind |= {"seed": seed, "steps": steps, "trace_steps": trace_steps(steps)}
    outcomes = samples.train_pairs(images, pairs_with_nothing(names), **kind)
    return interference_by_replica(outcomes, names)


def pairs_with_nothing(tasks: Sequence[str]) -> list[tuple[int, int]]:
    """Return the pairs of places to train: all pairs of tasks, and each beside nothing.

    Raises
    ------
    ValueError
        If the last task is not `ncnet.training.samples.NOTHING`.

    Examples
    --------
    >>> pairs_with_nothing(("odd", "prime", "nothing"))
    [(0, 1), (0, 2), (1, 2)]
    """
    check(tasks[-1] == samples.NOTHING, f"the last task is `{tasks[-1]}`", f"`{samples.NOTHING}`")
    return list(itertools.combinations(range(len(tasks)), 2))


def interference_by_replica(trained: xr.Dataset, tasks: Sequence[str]) -> pd.DataFrame:
    """Return one row for each pair of tasks and replica.

    Parameters
    ----------
    trained
        Outcomes of `pairs_with_nothing`, as `ncnet.training.samples.train_pairs` returns them, with
        traced steps.
    tasks
        Names of the tasks, `ncnet.training.samples.NOTHING` last.

    Returns
    -------
    pandas.DataFrame
        `first` and `second` task, `replica`; `s` of the training items; `training_drop` and
        `held_out_drop`, by how much the share of items right is lower together than alone, mean
        over both tasks; `cosine` of their gradients, mean over traced steps.
    """
    pairs, last = pairs_with_nothing(tasks), len(tasks) - 1
    both = [pair for pair in pairs if last not in pair]
    together = [pairs.index(pair) for pair in both]
    alone = [[pairs.index((pair[place], last)) for pair in both] for place in range(2)]
    outcomes = trained[["first", "second"]].assign(both=trained["first"] * trained["second"])
    means = outcomes.groupby("split").mean().transpose("split", ...)
    correlator = means["both"].sel(split="training").values
    # A head that is asked nothing gives +1: the other's mean is their correlator. Both asked
    # nothing, the parties agree.
    columns = {"s": 1 + correlator[alone].sum(axis=0) - correlator[together]}
    for name in ("training", "held_out"):
        of_split = means.sel(split=name)
        right = (2 + of_split["first"].values + of_split["second"].values) / 2
        # Nothing is always right.
        columns[f"{name}_drop"] = (right[alone].sum(axis=0) - 2 - right[together]) / 2
    # A gradient that is 0 opposes nothing.
    columns["cosine"] = trained["cosine"].fillna(0).mean("step").values[together]
    replicas = trained["replica"].values
    index = [(tasks[s], tasks[t], replica) for (s, t), replica in itertools.product(both, replicas)]
    rows = pd.DataFrame(index, columns=[*PAIR, "replica"])
    return rows.assign(**{name: values.ravel() for name, values in columns.items()})


def likeness(tasks: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """Return how alike each pair of tasks on digits is, before any training.

    Likeness is the absolute correlation of their classes over the ten digits: 1 where they divide
    the digits alike, 0 where one says nothing of the other.

    Examples
    --------
    >>> likeness({"odd": (1, 3, 5, 7, 9), "even": (0, 2, 4, 6, 8)})["likeness"].round(6).tolist()
    [1.0]
    """
    correlations = np.corrcoef([np.isin(range(10), members) for members in tasks.values()])
    pairs = pd.DataFrame(itertools.combinations(tasks, 2), columns=PAIR)
    return pairs.assign(likeness=abs(correlations[np.triu_indices(len(tasks), 1)]))


def interference_map(
    seen: pd.DataFrame, fresh: pd.DataFrame, likeness: pd.DataFrame, *, seed: int = 0
) -> pd.DataFrame:
    """Return one row a pair of tasks, ordered by S, the most interfering first.

    Parameters
    ----------
    seen, fresh
        Rows of different replicas, as `interference_by_replica` returns them.
    likeness
        Rows as `likeness` returns them.
    seed
        Seed of the bootstrap for the intervals of S, which hold together over all pairs at 95 %
        (Bonferroni).

    Returns
    -------
    pandas.DataFrame
        `first`, `second`; `s`, `s_low`, `s_high`, `training_drop` and `cosine`, means over `seen`;
        `held_out_drop`, mean over `fresh`; `likeness`.
    """
    groups = seen.groupby(PAIR, sort=False)
    level = simultaneous_level(groups.ngroups)
    table = groups[["s", "training_drop", "cosine"]].mean()
    ends = [chsh.s_interval(s.to_numpy(), level=level, seed=seed)[0] for _, s in groups["s"]]
    table[["s_low", "s_high"]] = ends
    table = table.join(fresh.groupby(PAIR)["held_out_drop"].mean()).join(likeness.set_index(PAIR))
    return table.sort_values("s", ascending=False).reset_index()


def predictor_correlations(
    seen: pd.DataFrame, fresh: pd.DataFrame, likeness: pd.DataFrame, *, seed: int = 0
) -> pd.DataFrame:
    """Return how well each predictor orders the pairs by what they lose on fresh replicas.

    Parameters
    ----------
    seen, fresh
        Rows of different replicas, as `interference_by_replica` returns them.
    likeness
        Rows as `likeness` returns them.
    seed
        Seed of the bootstrap for the 95 % intervals. Replicas of both tables are resampled, the
        pairs being given.

    Returns
    -------
    pandas.DataFrame
        One row for each `predictor` of `PREDICTORS`. `rho`, with `low` and `high`, is Spearman's
        correlation over the pairs with the held-out drop of fresh replicas, positive where the
        predictor has the sign that it should have. `s_ahead`, with `s_ahead_low` and
        `s_ahead_high`, is by how much that of `s` is larger. Noise in the means of pairs draws all
        of them to 0.
    """
    generator = np.random.default_rng(check_integer("seed", seed, at_least=0))
    means = []
    for table, names in ((seen, list(PREDICTORS)[:3]), (fresh, ["held_out_drop"])):
        _, values = as_arrays(table, names, PAIR)
        count = values.shape[-1]
        shares = np.vstack([np.full(count, 1 / count), drawn_shares(count, RESAMPLES, generator)])
        # [1 + resamples, pairs, names], the sample itself first
        means.append(np.einsum("pnr,kr->kpn", values, shares))
    known, lost = means
    alike = np.broadcast_to(likeness.sort_values(PAIR)[["likeness"]], lost.shape)
    signs = list(PREDICTORS.values())
    rho = spearman(signs * np.concatenate([known, alike], axis=-1), lost, axis=1)
    ahead = rho[:, :1] - rho
    replicas = min(table["replica"].nunique() for table in (seen, fresh))
    (low, high), (ahead_low, ahead_high) = (
        percentile_interval(draws[1:].T, LEVEL, replicas).T for draws in (rho, ahead)
    )
    columns = {"predictor": list(PREDICTORS), "rho": rho[0], "low": low, "high": high}
    columns |= {"s_ahead": ahead[0], "s_ahead_low": ahead_low, "s_ahead_high": ahead_high}
    return pd.DataFrame(columns)
