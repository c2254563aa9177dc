"""Simulates S of a dozen replicas under several conditions, for the rules on real models."""

from collections.abc import Hashable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from ncnet.chsh import CLASSICAL_BOUND
from ncnet.claims import MARGIN
from ncnet.studies.ranks.claims import (
    BALANCE,
    DIFFICULTY,
    DOSES_OF_BALANCE,
    DOSES_OF_DIFFICULTY,
    LANGUAGES,
    MIXED,
)
from ncnet.studies.ranks.contrasts import Measured, contrast_rows, dose_rows

REPLICAS, RESAMPLES = 16, 2000
OF_REPLICAS, OF_ITEMS = {"shared": 0.05, "own": 0.03}, {"shared": 0.01, "own": 0.01}
"""Standard deviations of S over replicas and over draws of items, about those of recorded quartets
near the ceiling: a part that all conditions share, and one that each has for itself."""


def _measured(means: Mapping[Hashable, float], generator: np.random.Generator) -> Measured:
    """Draw replicas, and resamples of replicas and items, with these means of S by condition."""
    drawn = generator.integers(REPLICAS, size=(RESAMPLES, REPLICAS))

    def noise(of: Mapping[str, float], part: str, count: int) -> np.ndarray:
        return of[part] * generator.standard_normal(count)

    replicas, items = noise(OF_REPLICAS, "shared", REPLICAS), noise(OF_ITEMS, "shared", RESAMPLES)
    found = {}
    for condition, mean in means.items():
        varies = mean != CLASSICAL_BOUND  # where everything is learnt, S is 2 in every replica
        s = mean + varies * (replicas + noise(OF_REPLICAS, "own", REPLICAS))
        of_items = items + noise(OF_ITEMS, "own", RESAMPLES)
        found[condition] = s, s[drawn].mean(axis=1) + varies * of_items
    return found


def _ranks(
    generator: np.random.Generator, quartets: Sequence[str], means: Mapping[int, float]
) -> dict[str, pd.DataFrame]:
    """Draw quartets with these means of S by rank."""
    measured = {name: _measured(means, generator) for name in quartets}
    return {"lora_contrasts": contrast_rows(measured)}


def _doses(
    generator: np.random.Generator,
    contrast: str,
    weights: Sequence[Mapping[float, float]],
    means: Mapping[float, float],
) -> dict[str, pd.DataFrame]:
    """Draw a named quartet with these means of S by dose."""
    measured = _measured(means, generator)
    return {"lora_contrasts": dose_rows(MIXED[0], contrast, measured, weights)}


def _at_ranks(quartets: Sequence[str], **means: tuple[float, ...]) -> dict:
    return {
        world.replace("_", " "): partial(
            _ranks, quartets=quartets, means=dict(zip((0, 1, 2, 8), s, strict=True))
        )
        for world, s in means.items()
    }


def _at_doses(contrast: str, weights: Sequence[Mapping[float, float]], places: dict) -> dict:
    """Return worlds of doses: places have S at each dose, by world."""
    return {
        world: partial(_doses, contrast=contrast, weights=weights, means=means)
        for world, means in places.items()
    }


WORLDS = {
    "multilingual-rises-from-heads-alone": _at_ranks(
        LANGUAGES,
        true=(1.5, 1.8, 1.9, 1.9),
        false=(1.9, 1.9, 1.9, 1.9),
        in_between=(1.9 - MARGIN, 1.9, 1.9, 1.9),
    ),
    "multilingual-rises-with-rank": _at_ranks(
        LANGUAGES,
        true=(1.5, 1.7, 1.9, 1.9),
        false=(1.5, 1.9, 1.9, 1.9),
        in_between=(1.5, 1.9 - MARGIN, 1.9, 1.9),
    ),
    "mixed-passes-2-at-low-rank": _at_ranks(
        MIXED[:2],
        true=(1.0, 2.4, 2.3, 2.0),
        false=(1.0, 2.4, 2.4, 2.4),
        in_between=(1.0, 2 + MARGIN, 2.0, 2.0),
    ),
    "mixed-depends-on-difficulty": _at_doses(
        DIFFICULTY,
        DOSES_OF_DIFFICULTY,
        {
            "true": {0.0: 2.05, 0.5: 2.1, 1.0: 2.3},
            "false": {0.0: 2.05, 0.5: 2.05, 1.0: 2.05},
            "in between": {0.0: 2.05, 0.5: 2.05, 1.0: 2.05 + MARGIN},
        },
    ),
    "mixed-depends-on-balance": _at_doses(
        BALANCE,
        DOSES_OF_BALANCE,
        {
            "true": {0.25: 2.05, 1.0: 2.3, 4.0: 2.05},
            "false": {0.25: 2.05, 1.0: 2.05, 4.0: 2.05},
            "in between": {0.25: 2.05, 1.0: 2.05 + MARGIN, 4.0: 2.05},
        },
    ),
}
"""By claim: worlds in which it is true, in which it is false, and at the smallest effect."""
