"""Ask whether S of the training items goes with what heads get right of held-out text.

Of a named quartet, A1 and B1 are asked: the two tasks that are got right most when trained alone.
Two readings are judged. *Within*: over replicas at one rank. *Across*: over ranks, in a replica.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from ncnet import chsh
from ncnet.checks import check
from ncnet.chsh.bootstrap import DIGITS_OF_SUMS
from ncnet.claims import GROUP, LEVEL
from ncnet.estimates import columns_of, mean_of_replicas
from ncnet.studies.ranks.claims import ACROSS, LARGEST_RANK, NAMED_RANK, WITHIN

GIVEN = f"{WITHIN}, given training accuracy"
"""The reading within a rank, at given training accuracy."""
EXPLAINED = 1e-6
"""Share of the variance below which what is held fixed leaves nothing to correlate."""
MEASURED = ["s", "held_out_accuracy", "accuracy"]


def by_replica(outcomes: xr.Dataset) -> pd.DataFrame:
    """Return S and accuracies of each replica at each rank.

    Parameters
    ----------
    outcomes
        Outcomes of one quartet on training and held-out items, with a dimension `capacity`, as
        `ncnet.chsh.quartet` returns them.

    Returns
    -------
    pandas.DataFrame
        ``rank``, ``replica``; ``s`` and ``accuracy`` of the training items, the latter the mean
        over heads and contexts; ``held_out_accuracy``, the share of held-out items that the heads
        of A1 and B1 get right, the mean over both and the contexts they are in.

    Examples
    --------
    >>> right = np.ones((1, 2, 2, 2, 6))
    >>> right[:, 0, :, :, 3:] = -1  # Alice's head of A1 gets no held-out item right
    >>> dimensions = ("capacity", "alice_setting", "bob_setting", "replica", "item")
    >>> outcomes = xr.Dataset({"a": (dimensions, right), "b": (dimensions, np.ones_like(right))})
    >>> split = ("item", ["training"] * 3 + ["held_out"] * 3)
    >>> settings = {"alice_setting": [1, 2], "bob_setting": [1, 2]}
    >>> by_replica(outcomes.assign_coords(capacity=[4], split=split, **settings))
       rank  replica    s  accuracy  held_out_accuracy
    0     4        0  2.0       1.0                0.5
    1     4        1  2.0       1.0                0.5
    """
    training, held_out = (
        chsh.replica_means(outcomes, split=split) for split in ("training", "held_out")
    )
    right = (2 + training["alice"] + training["bob"]) / 4
    easy = held_out["alice"].sel(alice_setting=1).mean("bob_setting")
    easy = (easy + held_out["bob"].sel(bob_setting=1).mean("alice_setting")) / 2
    measured = {
        "s": chsh.s_value(training["correlator"]),
        "accuracy": right.mean(("alice_setting", "bob_setting")),
        "held_out_accuracy": (1 + easy) / 2,
    }
    frame = xr.Dataset(measured).drop_vars("alice_setting", errors="ignore")
    frame = frame.drop_vars("bob_setting", errors="ignore").to_dataframe().reset_index()
    return frame.rename(columns={"capacity": "rank"})[["rank", "replica", *measured]]


def correlation_rows(over_ranks: pd.DataFrame, of_many: pd.DataFrame) -> pd.DataFrame:
    """Return Spearman's correlation of S with held-out accuracy, by reading.

    What does not vary correlates with nothing: 0.

    Parameters
    ----------
    over_ranks
        Rows of `by_replica`, with the same replicas at every rank.
    of_many
        Rows of `by_replica` of many replicas at the rank named beforehand.

    Returns
    -------
    pandas.DataFrame
        A row for each ``reading``: `WITHIN` and `GIVEN` in `of_many`, with a value for each group
        of ten replicas, and `ACROSS` in `over_ranks`, with a value for each replica, over the ranks
        that rules read. ``correlation`` is the mean of the values, with its exact interval from
        ``correlation_low`` to ``correlation_high`` at 95 % (betting); ``independent`` is the number
        of values.

    Raises
    ------
    ValueError
        For fewer replicas than a group has.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"rank": [1, 4] * 100, "replica": np.arange(200) // 2})
    >>> table["s"] = table["rank"] + rng.random(200)
    >>> table = table.assign(held_out_accuracy=table["s"] / 8, accuracy=rng.random(200))
    >>> found = correlation_rows(table, table[table["rank"] == 1])
    >>> found[["reading", "correlation", "independent"]].round(3).values.tolist()[::2]
    [['within', 1.0, 10], ['across', 1.0, 100]]
    """
    many = of_many[of_many["rank"] == NAMED_RANK].sort_values("replica")
    count = len(many) - len(many) % GROUP
    check(count, f"{len(many)} replicas are correlated", f"at least {GROUP}")
    groups = many[:count].groupby(np.arange(count) // GROUP)
    replicas = over_ranks[over_ranks["rank"] <= LARGEST_RANK].groupby("replica")
    readings: dict[str, tuple] = {WITHIN: (_spearman, groups), GIVEN: (_partial, groups)}
    readings[ACROSS] = (_spearman, replicas)
    return pd.DataFrame([_row(reading, *of) for reading, of in readings.items()])


def _row(
    reading: str, correlate: Callable[[np.ndarray], float], parts: pd.api.typing.DataFrameGroupBy
) -> dict[str, object]:
    values = [correlate(part[MEASURED].to_numpy().round(DIGITS_OF_SUMS).T) for _, part in parts]
    mean = mean_of_replicas(np.array(values), bounds=(-1, 1), level=LEVEL)
    return {"reading": reading} | columns_of("correlation", mean) | {"independent": len(values)}


def _spearman(measured: np.ndarray) -> float:
    """Return Spearman's correlation of the first two of several variables."""
    one, other = measured[:2]
    if len(set(one)) == 1 or len(set(other)) == 1:
        return 0.0
    return float(np.clip(stats.spearmanr(one, other).statistic, -1, 1))


def _partial(measured: np.ndarray) -> float:
    """Return that of the first two of three variables, at a given third."""
    plain, *with_third = (_spearman(measured[list(two)]) for two in ((0, 1), (0, 2), (1, 2)))
    left = np.prod([1 - one**2 for one in with_third])
    if left < EXPLAINED:
        return 0.0
    return float(np.clip((plain - np.prod(with_third)) / np.sqrt(left), -1, 1))
