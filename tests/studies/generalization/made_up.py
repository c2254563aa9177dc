"""Replicas whose numbers are made up."""

import numpy as np
import pandas as pd

from ncnet.studies.generalization.correlation import VARIABLES
from ncnet.studies.generalization.measurements import CORRELATORS


def table(generator, *, capacities=(1, 2, 3), replicas=60, s=(1.0, 2.0, 2.2)):
    """Replicas at each capacity: S about a level, all else unrelated noise."""
    parts = []
    for capacity, level in zip(capacities, s, strict=True):
        part = pd.DataFrame(generator.normal(size=(replicas, len(VARIABLES))), columns=VARIABLES)
        part["s"] = level + 0.1 * part["s"]
        parts.append(part.assign(capacity=capacity, replica=np.arange(replicas)))
    return pd.concat(parts, ignore_index=True)


def curves(s, accuracy, held_out, *, replicas=700, loss=None, cosine=None):
    """Replicas whose means at capacities 1, 2, ... are given, all but constant."""
    generator = np.random.default_rng(0)
    parts = []
    for place, level in enumerate(s):
        part = pd.DataFrame({"capacity": place + 1, "replica": np.arange(replicas)})
        jitter = generator.normal(0, 1e-3, replicas)
        part["s"] = level + jitter
        part["accuracy"] = accuracy[place] - abs(jitter)
        part["held_out_accuracy"] = held_out[place] + jitter
        part["held_out_worst"] = held_out[place] - 0.1 + jitter
        part["loss"] = (loss or [1 - a for a in accuracy])[place] + jitter
        part["cosine"] = (cosine or [0.0] * len(s))[place] + jitter
        values = [1.0, 1.0, 1.0, 3 - level] if level >= 2 else [level / 2] * 4
        parts.append(part.assign(**dict(zip(CORRELATORS, values, strict=True))))
    return pd.concat(parts, ignore_index=True)


def at(found, **chosen):
    rows = found
    for name, value in chosen.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1
    return rows.iloc[0]
