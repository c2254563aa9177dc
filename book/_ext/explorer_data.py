"""Give the page "Play" its scripts, and the recorded tables as one more script.

A page opened from a file can fetch no data, but it can load scripts: so the numbers of
`ncnet.explorer` travel as base64 text in one of them. The scripts lie outside `book/_static`, where
jupyter-book would load them on every page.
"""

import base64
import json
import shutil
from pathlib import Path

import numpy as np

BOOK = Path(__file__).resolve().parents[1]
PAGE = "play"
SOURCES = BOOK / "_explorer"
SCRIPTS = (
    "explorer",
    "data",  # written here
    "page",
    "games",
    "tables",
    "statistics",
    "network",
    "examples",
    "state",
    "controls",
    "truth_tables",
    "numbers",
    "planes",
    "charts",
    "atlas",
    "play",
)
"""In the order in which they are loaded."""
TABLES = ("explorer", "explorer_networks")

AXES = ("layout", "activation", "hidden_size", "steps", "alice_task", "bob_task")
MEANS = ("correlator", "alice", "bob")
ERROR_UNIT = 2e-6  # of standard errors, so that those of outcomes fit 16 bits


def packed_means(table):
    """Return the tables of `ncnet.explorer.run` as what the page unpacks.

    Means are whole numbers of outcomes, added up over replicas and items: nothing is rounded.

    >>> import pandas as pd
    >>> row = dict.fromkeys(MEANS, 0.25) | dict.fromkeys([f"{name}_error" for name in MEANS], 0.01)
    >>> row |= dict.fromkeys(AXES, 1) | {"layout": "overlap", "replicas": 16}
    >>> packed = packed_means(pd.DataFrame([row]))
    >>> np.frombuffer(base64.b64decode(packed["means"]["alice"]), "<i2").tolist()
    [32]
    """
    axes = {axis: list(dict.fromkeys(table[axis].tolist())) for axis in AXES}
    expected = np.prod([len(values) for values in axes.values()])
    if len(table) != expected:
        raise ValueError(f"there are {len(table)} rows: expected {expected}, one for each choice")
    table = table.sort_values(list(AXES), key=lambda c: c.map(axes[c.name].index))
    [replicas] = table["replicas"].unique().tolist()
    outcomes = replicas * table["layout"].map(items).to_numpy()
    return {
        "axes": axes,
        "replicas": replicas,
        "means": {name: text(table[name] * outcomes, "<i2") for name in MEANS},
        "errors": {name: text(table[f"{name}_error"] / ERROR_UNIT, "<u2") for name in MEANS},
        "errorUnit": ERROR_UNIT,
    }


def items(layout):
    """Return on how many inputs the outcomes of a layout are."""
    return {"overlap": 8, "separate": 16}[layout]


def packed_starts(table):
    """Return the table of `ncnet.explorer.starts` as what the page unpacks: by layout and size.

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

    means, starts = (results.load(name).table for name in TABLES)
    data = packed_means(means) | {"starts": packed_starts(starts)}
    return f"Explorer.packed = {json.dumps(data, separators=(',', ':'))};\n"


def note_sources(app, docname, _source):
    """Let Sphinx read the page anew when a script or a table has changed."""
    if docname == PAGE:
        recorded = [BOOK.parent / "results" / f"{name}.parquet" for name in TABLES]
        for path in [*SOURCES.iterdir(), *recorded]:
            app.env.note_dependency(str(path))


def add_scripts(app, pagename, templatename, context, doctree):
    """Write the page's scripts beside it and load them there, once the page has been parsed."""
    if pagename != PAGE:
        return
    folder = Path(app.outdir) / "_static" / "explorer"
    shutil.copytree(SOURCES, folder, ignore=shutil.ignore_patterns("*.html"), dirs_exist_ok=True)
    (folder / "data.js").write_text(data_script(), encoding="utf-8")
    app.add_css_file("explorer/play.css")
    for name in SCRIPTS:
        app.add_js_file(f"explorer/{name}.js", loading_method="defer")


def setup(app):
    """Connect to Sphinx."""
    app.connect("source-read", note_sources)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
