"""Simulates experiments on the mechanism whose truth is known, for the rules on it."""

from collections.abc import Sequence
from functools import partial
from statistics import NormalDist

import numpy as np
import pandas as pd

from ncnet.claims import CRITICAL_SIZE, GAMES, MARGIN, simultaneous_level
from ncnet.estimates import columns_of
from ncnet.studies.mechanism.auc import lost_auc, wins
from ncnet.studies.mechanism.claims import OSCILLATIONS, WITHOUT_CONFLICT
from ncnet.studies.mechanism.interventions import SHARED, left_less_gone

REPLICAS, FOLDS, TASKS = 1600, 2, 2
SPREAD = 0.25
"""By so much more or less than its share is left of a replica's violation."""
WHOLE_AUC = 0.97
ALIKE = 0.9
"""The correlation of the scores with and without oscillation."""


def _interventions(generator: np.random.Generator, left: float) -> dict[str, pd.DataFrame]:
    """Draw replicas with S around 2.25, of whose violation PCGrad leaves this share."""
    rows = []
    for game in GAMES:
        shared = generator.choice([1.5, 2.0, 2.5, 3.0], REPLICAS)
        without = 2 + left * (shared - 2) + SPREAD * generator.choice([-1, 1], REPLICAS)
        for name, s in ((SHARED, shared), (WITHOUT_CONFLICT, without)):
            row = columns_of("left_less_gone", left_less_gone(s, shared))
            rows.append({"game": game, "intervention": name} | row)
    return {"interventions": pd.DataFrame(rows).assign(hidden_size=CRITICAL_SIZE)}


def _sensing(generator: np.random.Generator, lost: Sequence[float]) -> dict[str, pd.DataFrame]:
    """Draw scores of decoders, of whose AUC so much is lost in either reading of oscillation."""
    rows = []
    for game in GAMES:
        common = generator.standard_normal((2, TASKS, REPLICAS))
        whole = _scored(WHOLE_AUC, common, generator)
        for reading, amount in zip(OSCILLATIONS, lost, strict=True):
            less = _scored(WHOLE_AUC - amount, common, generator)
            level = simultaneous_level(len(OSCILLATIONS))
            row = columns_of("lost", lost_auc(less, whole, level=level, seed=0))
            rows.append({"game": game, "use": f"without oscillation ({reading})"} | row)
    return {"sensing": pd.DataFrame(rows).assign(hidden_size=CRITICAL_SIZE)}


def _scored(auc: float, common: np.ndarray, generator: np.random.Generator) -> list[np.ndarray]:
    """Return `wins` in each fold of normally distributed scores with this AUC."""
    own = generator.standard_normal(common.shape)
    first, second = np.sqrt(ALIKE) * common + np.sqrt(1 - ALIKE) * own
    second += np.sqrt(2) * NormalDist().inv_cdf(auc)
    halves = np.array_split(np.arange(REPLICAS), FOLDS)
    return [wins(first[:, half], second[:, half]) for half in halves]


WORLDS = {
    "competition-causes": {
        "true": partial(_interventions, left=0.2),
        "false": partial(_interventions, left=0.9),
        "in between": partial(_interventions, left=0.5),
    },
    "oscillation-senses": {
        "true": partial(_sensing, lost=(2 * MARGIN, 0.02)),
        "false": partial(_sensing, lost=(0.01, 0.02)),
        "in between": partial(_sensing, lost=(MARGIN, 0.02)),
    },
}
"""By claim. Of the violation most goes, hardly any, or half; of AUC twice the smallest effect is
lost in one reading and little in the other, little in both, or just the smallest effect in one."""
