"""Simulates experiments that are contextual, that signalling explains, or neither."""

from functools import partial

import numpy as np
import pandas as pd

from ncnet import chsh
from ncnet.claims import GAMES

SHAPE = (2, 2, 400, 8)
"""Settings, replicas and items of an experiment."""


def _box(generator: np.random.Generator) -> tuple:
    """Draw outcomes whose marginals are fair and whose correlators nothing explains."""
    a = generator.choice([-1, 1], SHAPE)
    agree = generator.random(SHAPE) < (1 + 0.95 * chsh.SIGNS.values[..., None, None]) / 2
    return a, np.where(agree, a, -a)


def _influenced(generator: np.random.Generator, noise: float, share: float = 0.25) -> tuple:
    """Draw outcomes of which A2 changes with Bob's setting in a share, and all err by chance."""
    a, b = np.ones((2, *SHAPE), int)
    a[1, 1] = np.where(generator.random(SHAPE[2:]) < share, -1, 1)
    return tuple(np.where(generator.random(SHAPE) < noise, -x, x) for x in (a, b))


def _capacity(generator: np.random.Generator, draw: object) -> dict[str, pd.DataFrame]:
    rows = [chsh.report(draw(generator), resamples=2000).row() | {"game": game} for game in GAMES]
    return {"capacity": pd.DataFrame(rows).assign(hidden_size=3)}


WORLDS = {
    "above-2-suffices-by-definition": {
        "true": partial(_capacity, draw=_box),
        "in between": partial(_capacity, draw=partial(_influenced, noise=0.0, share=0.0)),
    },
    "above-2-suffices-beyond-signalling": {
        "true": partial(_capacity, draw=_box),
        "false": partial(_capacity, draw=partial(_influenced, noise=0.03)),
        "in between": partial(_capacity, draw=partial(_influenced, noise=0.0)),
    },
}
"""By claim. What is true by definition has no world in which it is false, only one without S above
2. A change of one marginal explains S exactly where nothing else errs, and more than that where all
outcomes do."""
