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
from scipy.stats import rankdata

from ncnet import chsh
from ncnet.chsh.bootstrap import expanded_level, percentile_interval
from ncnet.chsh.intervals import check_resampling
from ncnet.claims import LEVEL
from ncnet.training.samples import NOTHING

PREDICTORS = ("s", "training_drop", "cosine", "likeness")


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
    if tasks[-1] != NOTHING:
        raise ValueError(f"the last task is `{tasks[-1]}`: expected `{NOTHING}`")
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
    pairs = pairs_with_nothing(tasks)
    last = len(tasks) - 1
    place = {pair: k for k, pair in enumerate(pairs)}
    split = trained["split"].values
    training, held_out = (trained.isel(item=split == name) for name in ("training", "held_out"))
    correlator = (training["a"] * training["b"]).mean("item").values
    right = {
        name: [(1 + part[head].mean("item").values) / 2 for head in ("a", "b")]
        for name, part in (("training", training), ("held_out", held_out))
    }
    # A gradient that is 0 opposes nothing.
    cosine = trained["cosine"].fillna(0).mean("step").values
    frames = []
    for s, t in itertools.combinations(range(last), 2):
        together, first, second = place[s, t], place[s, last], place[last, t]
        # Both asked nothing, the parties agree.
        columns = {"s": 1 + correlator[first] + correlator[second] - correlator[together]}
        for name, (alice, bob) in right.items():
            alone = alice[first] + bob[second]
            columns[f"{name}_drop"] = (alone - alice[together] - bob[together]) / 2
        columns["cosine"] = cosine[together]
        about = {"first": tasks[s], "second": tasks[t], "replica": trained["replica"].values}
        frames.append(pd.DataFrame(about | columns))
    return pd.concat(frames, ignore_index=True)


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
    return pd.DataFrame(rows, columns=["first", "second", "likeness"])


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
    pair = ["first", "second"]
    groups = seen.groupby(pair, sort=False)
    each = 1 - (1 - level) / groups.ngroups
    rows = []
    for names, part in groups:
        values = part["s"].to_numpy()
        (low, high), _ = chsh.s_interval(values, level=each, resamples=resamples, seed=seed)
        means = part[["training_drop", "cosine"]].mean()
        about = dict(zip(pair, names, strict=True)) | {"s": values.mean()}
        rows.append(about | {"s_low": low, "s_high": high, **means})
    lost = fresh.groupby(pair)["held_out_drop"].mean().reset_index()
    table = pd.DataFrame(rows).merge(lost, on=pair).merge(likeness, on=pair)
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
    pair = ["first", "second"]
    names = ["s", "training_drop", "cosine"]

    def cube(table: pd.DataFrame, columns: list[str]) -> np.ndarray:
        """Return [columns, pairs, replicas]."""
        ordered = table.sort_values([*pair, "replica"])
        pairs = ordered[pair].drop_duplicates()
        return ordered[columns].to_numpy().T.reshape(len(columns), len(pairs), -1)

    known, lost = cube(seen, names), cube(fresh, ["held_out_drop"])
    of_pairs = likeness.sort_values(pair)["likeness"].to_numpy()
    generator = np.random.default_rng(seed)

    def means(values: np.ndarray) -> np.ndarray:
        """Return [1 + resamples, columns, pairs], the sample itself first."""
        count = values.shape[-1]
        weights = generator.multinomial(count, np.full(count, 1 / count), size=resamples) / count
        weights = np.concatenate([np.full((1, count), 1 / count), weights])
        return np.einsum("cpr,kr->kcp", values, weights)

    predicted, truth = means(known), means(lost)
    predicted[:, 2] *= -1
    same = np.broadcast_to(-of_pairs, (len(predicted), 1, len(of_pairs)))
    predicted = np.concatenate([predicted, same], axis=1)
    rho = _spearman(predicted, truth)
    replicas = min(known.shape[-1], lost.shape[-1])
    table = pd.DataFrame({"predictor": PREDICTORS})
    for name, values in (("rho", rho), ("s_ahead", rho[:, :1] - rho)):
        low, high = percentile_interval(values[1:].T, expanded_level(level, replicas)).T
        prefix = "" if name == "rho" else f"{name}_"
        columns = {name: values[0], f"{prefix}low": low, f"{prefix}high": high}
        table = table.assign(**columns)
    return table


def _spearman(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return rank correlations along the last axis."""
    ranks = [rankdata(values, axis=-1) for values in (one, other)]
    first, second = (r - r.mean(-1, keepdims=True) for r in ranks)
    return (first * second).sum(-1) / np.sqrt((first**2).sum(-1) * (second**2).sum(-1))
