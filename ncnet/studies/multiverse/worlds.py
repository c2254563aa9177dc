"""Simulates sweeps over hidden sizes whose truth is known, for the rules on capacity."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from ncnet.claims import GAMES, MARGIN
from ncnet.studies.multiverse.analysis import sweep_rows

REPLICAS = 1600
PAPERS = {1: 0.5, 2: 1.8, 3: 2.3, 4: 2.03, 5: 2.0, 6: 2.0}
"""Means of S by hidden size that all four statements are true of."""
SPREAD = 0.5
"""Standard deviation of S over replicas, where S is not 2 in all of them."""


def _sweep(
    generator: np.random.Generator, means: Mapping[int, float] | None = None
) -> dict[str, pd.DataFrame]:
    """Draw replicas with these means of S, others than the paper's, in both games."""
    parts = []
    for game in GAMES:
        s = {n: _replicas(mean, generator) for n, mean in (PAPERS | dict(means or {})).items()}
        parts.append(sweep_rows(s).assign(game=game))
    return {"multiverse": pd.concat(parts, ignore_index=True)}


def _replicas(mean: float, generator: np.random.Generator) -> np.ndarray:
    """Draw S of replicas in quarters, as a truth table has it: 2 in all of them where it is 2."""
    if mean == 2:
        return np.full(REPLICAS, 2.0)
    below = np.floor(4 * mean) / 4
    up = generator.random(REPLICAS) < 4 * (mean - below)
    scatter = SPREAD * generator.choice([-1, 1], REPLICAS)
    return below + up / 4 + scatter


WORLDS = {
    name: {
        "true": _sweep,
        "false": partial(_sweep, means=false),
        "in between": partial(_sweep, means=between),
    }
    for name, false, between in (
        ("rises-to-2", {1: 2.1}, {1: 2 - MARGIN, 2: 2.0}),
        ("exceeds-2", {3: 2.0, 4: 2.0}, {3: 2 + MARGIN, 4: 2.0}),
        ("peak-at-3", {4: 2.4}, {4: 2.3 - MARGIN}),
        ("returns-to-2", {6: 2.2}, {6: 2 + MARGIN}),
    )
}
"""By claim: a world in which it is true, one in which it is false, and one at the smallest effect;
each draws the tables that the rule reads."""
