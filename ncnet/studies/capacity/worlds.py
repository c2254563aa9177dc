"""Simulates runs whose scatter is known, for the rule on fluctuation."""

from functools import partial

import numpy as np
import pandas as pd

from ncnet.claims import GAMES, MARGIN
from ncnet.studies.capacity.analysis import scatter_row
from ncnet.studies.capacity.claims import CLAIMS, NAMED_NOISE, RUNS, SIZES

REPLICAS = 12_800


def _scatter(generator: np.random.Generator, spread: float) -> dict[str, pd.DataFrame]:
    """Draw replicas with S around 2, whose runs have this standard deviation."""
    rows = []
    for game in GAMES:
        for readout, run in RUNS.items():
            sides = generator.choice([-1, 1], (len(SIZES), REPLICAS))
            for size, signs in zip(SIZES, sides, strict=True):
                row = scatter_row(2 + spread * np.sqrt(run) * signs, run)
                rows.append({"game": game, "hidden_size": size, "readout": readout} | row)
    table = pd.DataFrame(rows)
    return {"scatter": table, "noise_scatter": table.assign(**NAMED_NOISE)}


WORLDS = {
    claim.name: {
        "true": partial(_scatter, spread=2 * MARGIN),
        "false": partial(_scatter, spread=0.0),
        "in between": partial(_scatter, spread=MARGIN),
    }
    for claim in CLAIMS
}
"""By claim: runs that scatter twice as far as the smallest effect, not at all, and just so far."""
