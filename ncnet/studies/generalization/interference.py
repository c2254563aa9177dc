"""Which pairs of many tasks hurt each other in one trunk: S of each pair of them.

Of a pair of tasks s and t a game is made whose setting 1 asks nothing of a head: A2 is s, B2 is t,
and the outcome of a head that is asked nothing is +1. Then

    S = 2 + (<s> alone - <s> beside t) + (<t> alone - <t> beside s) - 4 P(both wrong, together):

above 2 the two hurt each other by more than they fail together. All of it is signalling, and here
signalling is what is asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import chsh
from ncnet.checks import check
from ncnet.chsh.bootstrap import drawn_shares, percentile_interval, spearman
from ncnet.chsh.intervals import check_resampling
from ncnet.claims import LEVEL
from ncnet.studies.generalization.replicas import traced
from ncnet.training import samples
from ncnet.training.samples import NOTHING

PREDICTORS = ("s", "training_drop", "cosine", "likeness")
PAIR = ["first", "second"]


def trained_pairs(
    tasks: Mapping[str, Sequence[int]],
    *,
    training: int,
    held_out: int,
    label_noise: float = 0.0,
    seed: int,
    steps: int,
    **kind: object,
) -> pd.DataFrame:
    """Train each pair of tasks on digits, and each task alone, and return their `interference`.

    Parameters
    ----------
    tasks
        By name, the digits that are of class 1.
    training, held_out, label_noise
        Of the items, as `ncnet.training.samples.digits` takes them.
    seed
        Of items and of initial weights.
    steps
        Training steps.
    kind
        Hidden size, replicas and the rest, as `ncnet.training.samples.train_pairs` takes them.

    Examples
    --------
    >>> tasks = {"odd": (1, 3, 5, 7, 9), "prime": (2, 3, 5, 7)}
    >>> rows = trained_pairs(
    ...     tasks, training=8, held_out=4, seed=0, steps=10, hidden_size=1, replicas=range(3)
    ... )
    >>> rows[["first", "second", "replica"]].values.tolist()
    [['odd', 'prime', 0], ['odd', 'prime', 1], ['odd', 'prime', 2]]
    """
    names = (*tasks, NOTHING)
    items = {"training": training, "held_out": held_out, "label_noise": label_noise}
    images = samples.digits([*tasks.values(), ()], seed=seed, **items)
    kind |= {"seed": seed, "steps": steps, "trace_steps": traced(steps)}
    outcomes = samples.train_pairs(images, pairs_with_nothing(names), **kind)
    return interference(outcomes, names)


def pairs_with_nothing(tasks: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return the pairs of places to train: all pairs of tasks, and each beside nothing, either way.

    Raises
    ------
    ValueError
        If the last task is not `ncnet.training.samples.NOTHING`.

    Examples
    --------
    >>> pairs_with_nothing(("odd", "prime", "nothing"))
    [(0, 1), (0, 2), (1, 2), (2, 0), (2, 1)]
    """
    check(tasks[-1] == NOTHING, f"the last task is `{tasks[-1]}`", f"`{NOTHING}`")
    last = len(tasks) - 1
    alone = [(last, task) for task in range(last)]
    return [*itertools.combinations(range(last + 1), 2), *alone]


def interference(trained: xr.Dataset, tasks: tuple[str, ...]) -> pd.DataFrame:
    """Return one row for each pair of tasks and replica.

    Parameters
    ----------
    trained
        Of `pairs_with_nothing`, as `ncnet.training.samples.train_pairs` returns it, with traced
        steps.
    tasks
        Names of the tasks, `ncnet.training.samples.NOTHING` last.

    Returns
    -------
    pandas.DataFrame
        `first`, `second` task, `replica`; `s` of the training items; `training_drop` and
        `held_out_drop`, by how much the share of items right is lower together than alone, mean
        over both tasks; `cosine` of their gradients, mean over traced steps.
    """
    places = {pair: place for place, pair in enumerate(pairs_with_nothing(tasks))}
    last = len(tasks) - 1
    both = list(itertools.combinations(range(last), 2))
    together = [places[pair] for pair in both]
    first, second = ([places[s, last] for s, _ in both], [places[last, t] for _, t in both])
    training, held_out = (
        trained[["a", "b"]].isel(item=trained["split"].values == name)
        for name in ("training", "held_out")
    )
    correlator = (training["a"] * training["b"]).mean("item").values
    # Both asked nothing, the parties agree.
    columns = {"s": 1 + correlator[first] + correlator[second] - correlator[together]}
    for name, part in (("training", training), ("held_out", held_out)):
        alice, bob = ((1 + part[head].mean("item").values) / 2 for head in ("a", "b"))
        alone = alice[first] + bob[second]
        columns[f"{name}_drop"] = (alone - alice[together] - bob[together]) / 2
    # A gradient that is 0 opposes nothing.
    columns["cosine"] = trained["cosine"].fillna(0).mean("step").values[together]
    names = [(tasks[s], tasks[t]) for s, t in both]
    index = pd.MultiIndex.from_product([names, trained["replica"].values])
    rows = pd.DataFrame([(*pair, replica) for pair, replica in index], columns=[*PAIR, "replica"])
    return rows.assign(**{name: values.ravel() for name, values in columns.items()})


def likeness(tasks: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """Return how alike each pair of tasks on digits is, before any training.

    The absolute correlation of their classes over the ten digits: 1 where they divide the digits
    alike, 0 where one says nothing of the other.

    Examples
    --------
    >>> likeness({"odd": (1, 3, 5, 7, 9), "even": (0, 2, 4, 6, 8)})["likeness"].round(6).tolist()
    [1.0]
    """
    classes = {name: np.isin(range(10), members) for name, members in tasks.items()}
    rows = [
        (first, second, abs(np.corrcoef(classes[first], classes[second])[0, 1]))
        for first, second in itertools.combinations(classes, 2)
    ]
    return pd.DataFrame(rows, columns=[*PAIR, "likeness"])


def interference_map(
    seen: pd.DataFrame,
    fresh: pd.DataFrame,
    likeness: pd.DataFrame,
    *,
    level: float = LEVEL,
    resamples: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one row a pair, ordered by S, the most interfering first.

    Parameters
    ----------
    seen, fresh
        Of different replicas, as `interference` returns them.
    likeness
        As `likeness` returns it.
    level
        Of the intervals of S, together over all pairs (Bonferroni).
    resamples, seed
        Of their bootstrap.

    Returns
    -------
    pandas.DataFrame
        `first`, `second`; `s`, `s_low`, `s_high`, `training_drop` and `cosine`, means over `seen`;
        `held_out_drop`, over `fresh`; `likeness`.
    """
    groups = seen.groupby(PAIR, sort=False)
    each = 1 - (1 - level) / groups.ngroups
    rows = []
    for pair, part in groups:
        values = part["s"].to_numpy()
        (low, high), _ = chsh.s_interval(values, level=each, resamples=resamples, seed=seed)
        means = part[["training_drop", "cosine"]].mean()
        rows.append((*pair, values.mean(), low, high, *means))
    columns = [*PAIR, "s", "s_low", "s_high", "training_drop", "cosine"]
    lost = fresh.groupby(PAIR)["held_out_drop"].mean().reset_index()
    table = pd.DataFrame(rows, columns=columns).merge(lost, on=PAIR).merge(likeness, on=PAIR)
    return table.sort_values("s", ascending=False, ignore_index=True)


def predictors(
    seen: pd.DataFrame,
    fresh: pd.DataFrame,
    likeness: pd.DataFrame,
    *,
    level: float = LEVEL,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how well each predictor orders the pairs by what they lose on fresh replicas.

    Parameters
    ----------
    seen, fresh
        Of different replicas, as `interference` returns them.
    likeness
        As `likeness` returns it.
    level, resamples, seed
        Of the intervals: replicas of both tables are resampled, the pairs being given.

    Returns
    -------
    pandas.DataFrame
        One row a predictor: `s`, `training_drop`, `cosine` (the more opposed, the more is lost) and
        `likeness` (the less alike, the more); `rho`, Spearman's correlation over the pairs with the
        held-out drop of fresh replicas, `low`, `high`; `s_ahead`, by how much that of `s` is
        larger, `s_ahead_low`, `s_ahead_high`. Noise in the means of pairs draws all of them to 0.
    """
    level, resamples, seed = check_resampling(level, resamples, seed)
    generator = np.random.default_rng(seed)
    known = _means(seen, list(PREDICTORS[:3]), resamples, generator)
    lost = _means(fresh, ["held_out_drop"], resamples, generator)
    known[:, 2] *= -1
    alike = likeness.sort_values(PAIR)["likeness"].to_numpy()
    same = np.broadcast_to(-alike, (len(known), 1, len(alike)))
    rho = spearman(np.concatenate([known, same], axis=1), lost)
    replicas = min(table["replica"].nunique() for table in (seen, fresh))
    table = pd.DataFrame({"predictor": PREDICTORS})
    for name, low, high, values in (
        ("rho", "low", "high", rho),
        ("s_ahead", "s_ahead_low", "s_ahead_high", rho[:, :1] - rho),
    ):
        ends = percentile_interval(values[1:].T, level, replicas).T
        table = table.assign(**dict(zip((name, low, high), (values[0], *ends), strict=True)))
    return table


def _means(
    rows: pd.DataFrame, names: list[str], resamples: int, generator: np.random.Generator
) -> np.ndarray:
    """Return means over replicas [1 + resamples, names, pairs], the sample itself first."""
    wide = rows.pivot(index=PAIR, columns="replica", values=names)
    values = wide.to_numpy().reshape(len(wide), len(names), -1).swapaxes(0, 1)
    count = values.shape[-1]
    drawn = drawn_shares(count, resamples, generator)
    weights = np.concatenate([np.full((1, count), 1 / count), drawn])
    return np.einsum("cpr,kr->kcp", values, weights)
