"""Pack the recorded tables of `ncnet.studies.atlas.explorer` into a script for the page "Play".

A page opened from a file can fetch no data, but it can load scripts: so numbers travel as base64
text in one of them.
"""

import base64
import json
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).resolve().parents[2] / "results"
TABLES = ("explorer", "explorer_reports", "explorer_networks")

AXES = ("trunk", "layout", "activation", "hidden_size", "steps", "alice_task", "bob_task")
MEANS = ("correlator", "alice", "bob")
ERROR_UNIT = 2e-6  # of standard errors, so that those of outcomes fit 16 bits
REPORT_AXES = ("trunk", "game", "layout", "hidden_size", "steps")
ENDS = tuple(f"{name}_{end}" for name in ("s", "delta", "excess") for end in ("low", "high"))
VERDICTS = ("below 2", "not distinguishable from 2", "above 2")
EXPLANATIONS = ("within 2 + Delta", "undecided", "contextual")


def packed_means(table):
    """Return the tables of `ncnet.studies.atlas.explorer.run` as what the page unpacks.

    Means are whole numbers of outcomes, added up over replicas and items: nothing is rounded.

    >>> import pandas as pd
    >>> row = dict.fromkeys(MEANS, 0.25) | dict.fromkeys([f"{name}_error" for name in MEANS], 0.01)
    >>> row |= dict.fromkeys(AXES, 1) | {"layout": "overlap", "replicas": 16}
    >>> packed = packed_means(pd.DataFrame([row]))
    >>> np.frombuffer(base64.b64decode(packed["means"]["alice"]), "<i2").tolist()
    [32]
    """
    axes, table = in_order(table, AXES)
    [replicas] = table["replicas"].unique().tolist()
    outcomes = replicas * table["layout"].map(items).to_numpy()
    return {
        "axes": axes,
        "replicas": replicas,
        "means": {name: text(table[name] * outcomes, "<i2") for name in MEANS},
        "errors": {name: text(table[f"{name}_error"] / ERROR_UNIT, "<u2") for name in MEANS},
        "errorUnit": ERROR_UNIT,
    }


def in_order(table, names):
    """Return the values of each of the axes, and the rows with the last axis running fastest.

    Raises
    ------
    ValueError
        Unless there is one row for each combination.
    """
    axes = {axis: list(dict.fromkeys(table[axis].tolist())) for axis in names}
    expected = np.prod([len(values) for values in axes.values()])
    if len(table) != expected or table.duplicated(list(names)).any():
        raise ValueError(f"there are {len(table)} rows: expected {expected}, one for each choice")
    return axes, table.sort_values(list(names), key=lambda c: c.map(axes[c.name].index))


def packed_reports(table):
    """Return the table of `ncnet.studies.atlas.explorer.reports` as what the page unpacks.

    Ends of intervals as numbers; verdict and explanation as places in `VERDICTS` and
    `EXPLANATIONS`.
    """
    [activation] = table["activation"].unique().tolist()
    axes, table = in_order(table, REPORT_AXES)
    return {
        "axes": axes,
        "activation": activation,
        "numbers": {name: text(table[name], "<f4") for name in ENDS},
        "verdict": text(table["verdict"].map(VERDICTS.index), "<i1"),
        "explanation": text(table["explanation"].map(EXPLANATIONS.index), "<i1"),
    }


def items(layout):
    """Return on how many inputs the outcomes of a layout are."""
    return {"overlap": 8, "separate": 16}[layout]


def packed_starts(table):
    """Return the table of `initial_weights` as what the page unpacks: by layout and size.

    Each is replicas x units x (inputs, then Alice's and Bob's weight).
    """
    groups = table.groupby(["layout", "hidden_size"], sort=False)
    starts = {layout: {} for layout in table["layout"].unique()}
    for (layout, hidden_size), group in groups:
        weights = group.drop(columns=["layout", "hidden_size", "replica", "unit"])
        starts[layout][hidden_size] = text(weights.dropna(axis=1), "<f4")
    return {"replicas": table["replica"].nunique(), "weights": starts}


def text(values, kind):
    """Return numbers as base64, rounded where they become whole ones."""
    values = np.asarray(values, float)
    if np.issubdtype(kind, np.integer):
        limits = np.iinfo(kind)
        values = np.rint(values)
        if values.min() < limits.min or values.max() > limits.max:
            raise ValueError(f"{values.min()} to {values.max()}: expected numbers of type {kind}")
    return base64.b64encode(values.astype(kind).tobytes()).decode()


def data_script():
    """Return the script that holds the recorded tables."""
    from ncnet import results  # here: a book without this page needs neither it nor its tables

    means, reports, starts = (results.load(name).table for name in TABLES)
    data = packed_means(means)
    data |= {"exact": packed_reports(reports), "starts": packed_starts(starts)}
    return f"Explorer.packed = {json.dumps(data, separators=(',', ':'))};\n"


def recorded():
    """Return the files that the script is made of."""
    return [RESULTS / f"{name}.parquet" for name in TABLES]
