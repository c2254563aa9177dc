"""The recorded tables on S and held-out accuracy (RQ4), each by the function that makes it.

The page and the replay of its tables call the same functions.
"""

import pandas as pd

from ncnet.studies.generalization import correlation, measurements, selection

SHOWN = 400
"""Replicas of which those that are correlated are kept one by one."""


def _one_by_one(correlated: pd.DataFrame, _: pd.DataFrame, **options: float) -> pd.DataFrame:
    shown = correlated[correlated["replica"] < SHOWN]
    return shown.astype(dict.fromkeys(shown.select_dtypes("float64"), "float32"))


TABLES = {
    "generalization": correlation.correlations,
    "generalization_rules": lambda correlated, choosing, level, **_: (
        correlation.correlations_by_reading(correlated, choosing, level=level)
    ),
    "generalization_gains": correlation.r2_gains,
    "generalization_capacity": lambda correlated, _, seed, **options: measurements.by_capacity(
        correlated, seed=seed
    ),
    "generalization_replicas": _one_by_one,
    "first_at_2": lambda correlated, choosing, level, **_: selection.regret_at_first_2(
        correlated, choosing, level=level
    ),
}
"""Tables of one condition by name, each a function that takes the replicas that are correlated and
those that choose (`split_replicas`), and level, resamples and seed."""
