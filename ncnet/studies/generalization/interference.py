"""Find which tasks disturb which, by S of a game made of each pair of tasks.

`ncnet.experiment.interference` says what game that is.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import chsh, experiment
from ncnet.checks import check, check_integer
from ncnet.chsh.bootstrap import drawn_shares, percentile_interval, spearman
from ncnet.claims import LEVEL, simultaneous_level
from ncnet.experiment.early import DIGITS
from ncnet.experiment.grouping import PAIR
from ncnet.studies.generalization.measurements import RESAMPLES, as_arrays, trace_steps
from ncnet.training import samples

PREDICTORS = {"s": 1, "training_drop": 1, "cosine": -1, "likeness": -1}
"""Columns that may predict what a pair loses on held-out items, each with the sign that it should
have: the more opposed or the less alike two tasks are, the more should be lost."""


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
    return train_pairs(images, pairs_with_nothing(names), names, seed=seed, steps=steps, **kind)


def train_pairs(
    population: samples.Population,
    pairs: Sequence[tuple[int, int]],
    names: Sequence[str],
    *,
    steps: int,
    **kind: object,
) -> pd.DataFrame:
    """Train pairs of tasks, and each of these alone; return `interference_by_replica`.

    Parameters
    ----------
    population
        A population whose last task is `ncnet.training.samples.NOTHING`.
    pairs
        Places of two tasks among the population's: those pairs, and each task of one beside the
        last.
    names
        What rows call the population's tasks.
    steps, kind
        Number of steps, replicas, hidden size, seed and the rest, as
        `ncnet.training.samples.train_pairs` takes them.

    Examples
    --------
    >>> population = samples.noisy_functions("overlap", noise=1, training=8, held_out=4, seed=0)
    >>> options = {"hidden_size": 1, "replicas": [4], "seed": 0, "steps": 3}
    >>> pairs, names = [(0, 7), (0, 14), (7, 14)], population.tasks
    >>> train_pairs(population, pairs, names, **options)[["first", "second"]].values.tolist()
    [['Alice both', 'Bob both']]
    """
    traced = trace_steps(steps)
    outcomes = samples.train_pairs(population, pairs, steps=steps, trace_steps=traced, **kind)
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
        `first` and `second` task, `replica`; `s` of the training items; by how much the share of
        these right is lower together than alone, `first_drop` and `second_drop`, and
        `training_drop`, the mean of both; `both_wrong`, the share of them that both get wrong
        together; `held_out_drop`, the mean drop on held-out items; `cosine` of the gradients of
        both, mean over traced steps, and `conflict`, the share of these at which it is negative.
    """
    check(tasks[-1] == samples.NOTHING, f"the last task is `{tasks[-1]}`", f"`{samples.NOTHING}`")
    alone = trained["second_task"] == samples.NOTHING
    pairs = trained.assign(second=trained["second"].where(~alone, 0))
    pairs = pairs.assign_coords(second_task=trained["second_task"].where(~alone, ""))
    rows = experiment.interference(pairs)
    # A gradient that is 0 opposes nothing.
    cosine = trained["cosine"].fillna(0).isel(pair=~alone.values)
    pulls = {"cosine": cosine.mean("step"), "conflict": (cosine < 0).mean("step")}
    rows = rows.assign(**{name: values.values.ravel() for name, values in pulls.items()})
    places = dict(zip(trained.attrs["tasks"], range(len(tasks)), strict=True))
    return _in_order(rows, places, tasks)


def _in_order(rows: pd.DataFrame, places: Mapping[str, int], tasks: Sequence[str]) -> pd.DataFrame:
    """Return rows of pairs in the order of the tasks, which have other names from here on."""
    both = rows[PAIR].apply(lambda names: names.map(places))
    turned = both["first"] > both["second"]
    for one, other in (PAIR, ("first_drop", "second_drop")):
        swapped = rows.loc[turned, [other, one]].to_numpy()
        rows.loc[turned, [one, other]] = swapped
    order = rows[PAIR].apply(lambda names: names.map(places))
    rows = rows.loc[order.assign(replica=rows["replica"]).sort_values([*PAIR, "replica"]).index]
    named = {name: tasks[place] for name, place in places.items()}
    return rows.assign(**{name: rows[name].map(named) for name in PAIR}).reset_index(drop=True)


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
        means.append(np.einsum("pnr,kr->kpn", values, shares).round(DIGITS))
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
