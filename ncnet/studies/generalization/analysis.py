"""What S of the training items tells of held-out items, and whether it helps to choose a capacity.

The unit is the replica. Within a capacity first: over capacities both S and accuracy grow, so that
replicas of several capacities thrown together show a correlation that says nothing of S.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from ncnet.studies.generalization.correlation import across, correlations, first_at_2, pooled
from ncnet.studies.generalization.interference import (
    interference,
    interference_map,
    likeness,
    pairs_with_nothing,
    predictors,
    trained_pairs,
)
from ncnet.studies.generalization.prediction import gains
from ncnet.studies.generalization.replicas import by_capacity, by_replica, halves, traced, trained
from ncnet.studies.generalization.selection import RULES, regret_at_first, regrets, selections

__all__ = [
    "RULES",
    "TABLES",
    "across",
    "by_capacity",
    "by_replica",
    "correlations",
    "first_at_2",
    "gains",
    "halves",
    "interference",
    "interference_map",
    "likeness",
    "pairs_with_nothing",
    "pooled",
    "predictors",
    "regret_at_first",
    "regrets",
    "selections",
    "traced",
    "trained",
    "trained_pairs",
]
SHOWN = 400
"""Replicas of which those that are correlated are kept one by one."""


def _gains(replicas: pd.DataFrame, **options: float) -> pd.DataFrame:
    correlated, choosing = halves(replicas)
    return gains(correlated, first=first_at_2(choosing), **options)


def _one_by_one(replicas: pd.DataFrame, **_: float) -> pd.DataFrame:
    correlated, _ = halves(replicas[replicas["replica"] < SHOWN])
    return correlated.astype(dict.fromkeys(correlated.select_dtypes("float64"), "float32"))


TABLES: dict[str, Callable[..., pd.DataFrame]] = {
    "generalization": lambda replicas, **options: correlations(*halves(replicas), **options),
    "generalization_gains": _gains,
    "generalization_capacity": lambda replicas, *, seed, **_: by_capacity(
        halves(replicas)[0], seed=seed
    ),
    "generalization_replicas": _one_by_one,
    "first_at_2": lambda replicas, **options: regret_at_first(*halves(replicas), **options),
}
"""The tables of one setting: what its replicas say of S and held-out accuracy.

Each takes the replicas (`by_replica`), and level, resamples and seed. Half of the replicas, those
with an odd number, are correlated; the other half choose the capacity at which S first reaches 2.
"""
