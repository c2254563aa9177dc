"""The tables of one setting: what its replicas say of S and held-out accuracy.

Half of the replicas, those with an odd number, are correlated; the other half choose the capacity
at which S first reaches 2.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from ncnet.studies.generalization.correlation import correlations, first_at_2
from ncnet.studies.generalization.prediction import gains
from ncnet.studies.generalization.replicas import by_capacity
from ncnet.studies.generalization.selection import regret_at_first

SHOWN = 400
"""Replicas of which those that are correlated are kept one by one."""


def halves(replicas: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the replicas that are correlated, and those that choose.

    >>> correlated, choosing = halves(pd.DataFrame({"replica": [0, 1, 2, 3]}))
    >>> correlated["replica"].tolist(), choosing["replica"].tolist()
    ([1, 3], [0, 2])
    """
    odd = replicas["replica"] % 2 == 1
    return replicas[odd], replicas[~odd]


def _correlations(replicas: pd.DataFrame, **options: float) -> pd.DataFrame:
    return correlations(*halves(replicas), **options)


def _gains(replicas: pd.DataFrame, **options: float) -> pd.DataFrame:
    correlated, choosing = halves(replicas)
    return gains(correlated, first=first_at_2(choosing), **options)


def _by_capacity(replicas: pd.DataFrame, *, seed: int, **_: float) -> pd.DataFrame:
    correlated, _ = halves(replicas)
    return by_capacity(correlated, seed=seed)


def _one_by_one(replicas: pd.DataFrame, **_: float) -> pd.DataFrame:
    correlated, _ = halves(replicas)
    rows = correlated[correlated["replica"] < SHOWN]
    return rows.astype(dict.fromkeys(rows.select_dtypes("float64").columns, "float32"))


def _regret_at_first(replicas: pd.DataFrame, **options: float) -> pd.DataFrame:
    return regret_at_first(*halves(replicas), **options)


TABLES: dict[str, Callable[..., pd.DataFrame]] = {
    "generalization": _correlations,
    "generalization_gains": _gains,
    "generalization_capacity": _by_capacity,
    "generalization_replicas": _one_by_one,
    "first_at_2": _regret_at_first,
}
"""Each takes the replicas of a setting (`by_replica`), and level, resamples and seed."""
