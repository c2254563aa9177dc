"""Simulates experiments in which the statements on generalization are true, false, or in between.

S rises over four capacities and reaches 2 at the third; half of the replicas choose that capacity.
A world fixes what held-out accuracy has to do with it. A rule that is worth its name finds what is
true, refutes what is false, and leaves open what is in between.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from ncnet.claims import Tables, simultaneous_level
from ncnet.studies.generalization.claims import CLOSE, CONDITIONS, WEAK
from ncnet.studies.generalization.correlation import correlations_by_reading
from ncnet.studies.generalization.measurements import TARGETS, split_replicas
from ncnet.studies.generalization.selection import regret_at_first_2

REPLICAS = 2000
"""As many as the conditions of the recorded run have at least."""
MEAN_S = np.array([[0.8], [1.5], [2.0], [2.0]])
"""Mean of S at each capacity."""
LEVEL = simultaneous_level(len(CONDITIONS))


def _experiment(means: np.ndarray, shared: float, generator: np.random.Generator) -> pd.DataFrame:
    """Draw replicas whose S and held-out accuracy correlate within each capacity.

    Parameters
    ----------
    means
        Mean of held-out accuracy at each capacity and replica [capacities, replicas or 1].
    shared
        Their correlation within a capacity.
    generator
        Draws the noise.
    """
    of_s, own = generator.normal(size=(2, len(MEAN_S), REPLICAS))
    s = (MEAN_S + 0.1 * of_s).clip(-4, 4)
    noise = shared * of_s + np.sqrt(1 - shared**2) * own
    right = (means + 0.03 * noise).clip(0, 1).round(3)  # the share of many items
    capacity, replica = np.indices(s.shape)
    columns = {"capacity": capacity, "replica": replica, "s": s, **dict.fromkeys(TARGETS, right)}
    return pd.DataFrame({name: values.ravel() for name, values in columns.items()})


def _readings(replicas: pd.DataFrame) -> Tables:
    rows = correlations_by_reading(*split_replicas(replicas), level=LEVEL)
    return {"generalization_rules": rows.assign(condition=CONDITIONS[0])}


def _within(shared: float, generator: np.random.Generator) -> Tables:
    """Accuracy has this correlation with S at each capacity, and rises with capacity anyhow."""
    rising = np.array([[0.6], [0.7], [0.8], [0.8]])
    return _readings(_experiment(rising, shared, generator))


def _across(rising: float, generator: np.random.Generator) -> Tables:
    """Accuracy rises with S over capacities in this share of the replicas, and falls in the rest.

    The mean correlation over capacities is twice that share less 1.
    """
    rise = np.array([[-0.2], [0.0], [0.2], [0.2]])
    signs = np.where(generator.random(REPLICAS) < rising, 1, -1)
    return _readings(_experiment(0.7 + rise * signs, 0.0, generator))


def _first_at_2(lost: float, generator: np.random.Generator) -> Tables:
    """Accuracy is best at the second capacity, and this much lower where S first reaches 2."""
    means = np.array([[0.6], [0.8], [0.8 - lost], [0.7]])
    replicas = _experiment(means, 0.0, generator)
    rows = regret_at_first_2(*split_replicas(replicas), level=LEVEL)
    return {"first_at_2": rows.assign(condition=CONDITIONS[0])}


WORLDS: dict[str, dict[str, Callable[[np.random.Generator], Tables]]] = {
    "generalization-correlates-within": {
        "true": partial(_within, 0.4),
        "false": partial(_within, -0.1),
        "in between": partial(_within, WEAK),
    },
    "generalization-correlates-across": {
        "true": partial(_across, 0.8),
        "false": partial(_across, 0.4),
        "in between": partial(_across, (1 + WEAK) / 2),
    },
    "first-2-generalizes": {
        "true": partial(_first_at_2, 0.005),
        "false": partial(_first_at_2, 0.05),
        "in between": partial(_first_at_2, CLOSE),
    },
}
"""Each draws the tables of one condition that the rule reads, by claim and by what is true."""
