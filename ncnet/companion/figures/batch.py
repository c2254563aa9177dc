"""The results of any batch: how its cells ran, and every quantity that has an interval."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ncnet.chsh import CLASSICAL_BOUND
from ncnet.plotting import BLUE, GREY, INK, MARKERS, SERIES, draw_bounds

QUANTITIES = {
    "s": "S (no unit)",
    "delta": "Δ (no unit)",
    "influence": "influence (no unit)",
    "auc": "AUC (no unit)",
    "conflict_share": "share of steps in conflict",
    "weighted_cosine": "weighted cosine",
    "correlation": "rank correlation with S",
    "s_change": "change of S",
}
"""What is drawn of a table, in this order, and its name on the axis."""
RESOURCES = {
    "hidden_size": "hidden units n",
    "rank": "rank of the adapters",
    "seen": "training steps seen",
    "steps": "training steps",
    "learning_rate": "learning rate",
    "seed": "seed",
}
"""What is drawn over; of several that vary, the one with most values."""
LABELS = (
    *("game", "activation", "optimizer", "initialisation", "loss", "readout", "intervention"),
    *("use", "phase", "alice_setting", "bob_setting", *RESOURCES),
)
"""Columns that tell rows apart."""
MOST_ROWS, MOST_COLUMNS = 3, 4
MOST_BARS = 60


def over_grid(table: pd.DataFrame) -> Figure | None:
    """Draw a table's quantities over a resource that varies; None if there are no intervals.

    A row of panels for each quantity, up to three; a column for each value of the first label
    that varies; a line for each combination of the others, named where colours suffice.

    Parameters
    ----------
    table
        Any table with columns ``QUANTITY``, ``QUANTITY_low`` and ``QUANTITY_high``, one row for
        each combination of its labels.
    """
    drawn = [name for name in QUANTITIES if f"{name}_low" in table][:MOST_ROWS]
    if not drawn or table.empty:
        return None
    varied = [name for name in LABELS if name in table and table[name].nunique() > 1]
    x = max((name for name in RESOURCES if name in varied), key=table.nunique().get, default=None)
    labels = [name for name in varied if name != x]
    columns = list(_columns(table, labels))
    size = (max(4.6, 3.4 * len(columns) + 1), 2.5 * len(drawn) + 0.5)
    figure = Figure(figsize=size)
    grid = figure.subplots(len(drawn), len(columns), sharex=True, sharey="row", squeeze=False)
    for place, (title, part, others) in enumerate(columns):
        lines = list(part.groupby(others, sort=False, dropna=False)) if others else [((), part)]
        for row, name in enumerate(drawn):
            _draw_lines(grid[row, place], lines, x, name)
        grid[0, place].set_title(title)
        grid[-1, place].set_xlabel(RESOURCES.get(x, ""))
    for axes, name in zip(grid[:, 0], drawn, strict=True):
        axes.set_ylabel(QUANTITIES[name])
    _finish(grid, drawn, x)
    return figure


def labelled(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table indexed by the labels that vary in it.

    >>> table = pd.DataFrame({"s": [0.0, 2.0], "game": ["overlap"] * 2, "seed": [1, 2]})
    >>> labelled(table).index.names
    FrozenList(['seed'])
    """
    varied = [name for name in LABELS if name in table and table[name].nunique() > 1]
    return table.set_index(varied) if varied else table


def cells(ran: pd.DataFrame) -> Figure:
    """Draw when each cell of a batch ran, as bars over time.

    Parameters
    ----------
    ran
        The table ``cells`` of a batch: `cell`, `started` (ISO 8601), `seconds`.
    """
    begun = pd.to_datetime(ran["started"], format="ISO8601", utc=True)
    order = begun.sort_values(kind="stable").index
    starts = (begun - begun.min()).dt.total_seconds()[order]
    few = len(ran) <= MOST_BARS
    figure = Figure(figsize=(7.2, 1 + (0.24 * len(ran) if few else 4)))
    axes = figure.subplots()
    axes.barh(range(len(ran)), ran["seconds"][order], left=starts, height=0.7, color=BLUE)
    axes.invert_yaxis()
    if few:
        axes.set_yticks(range(len(ran)), ran["cell"][order], fontsize=8.5)
    else:
        axes.set_ylabel("cells, in the order of their start")
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("seconds since the first cell started")
    return figure


def _columns(
    table: pd.DataFrame, labels: list[str]
) -> Iterator[tuple[str, pd.DataFrame, list[str]]]:
    """Yield title, rows and further labels of each column of panels."""
    if not labels or table[labels[0]].nunique() > MOST_COLUMNS:
        yield "", table, labels
        return
    for value, part in table.groupby(labels[0], sort=False):
        others = [name for name in labels[1:] if part[name].nunique() > 1]
        yield f"{labels[0].replace('_', ' ')} {value}", part, others


def _draw_lines(axes: Axes, lines: list, x: str | None, name: str) -> None:
    named = len(lines) <= len(SERIES)
    for place, (values, line) in enumerate(lines):
        line = line.sort_values(x) if x else line
        at = line[x] if x else range(len(line))
        spread = [line[name] - line[f"{name}_low"], line[f"{name}_high"] - line[name]]
        axes.errorbar(
            at,
            line[name],
            yerr=[part.clip(lower=0) for part in spread],
            marker=MARKERS[place % len(MARKERS)] if named else ".",
            color=SERIES[place] if named else GREY,
            alpha=1 if named else 0.4,
            linewidth=1.4 if named else 0.8,
            linestyle="-" if x and line[x].is_unique else "none",
            markersize=4 if named else 3,
            capsize=2.5 if named else 0,
            label=", ".join(map(str, values)) if values else None,
        )


def _finish(grid: np.ndarray, drawn: list[str], x: str | None) -> None:
    for row, name in zip(grid, drawn, strict=True):
        for axes in row:
            if name == "s":
                draw_bounds(axes, CLASSICAL_BOUND)
            else:
                axes.axhline(0.5 if name == "auc" else 0, color=INK, linewidth=0.8)
            if x is None:
                axes.set_xticks([])
            elif x in ("steps", "seen"):
                axes.set_xscale("symlog", linthresh=10)
                axes.set_xlim(left=-0.5)
            else:
                axes.xaxis.set_major_locator(MaxNLocator(integer=x != "learning_rate"))
    handles, names = grid[0, -1].get_legend_handles_labels()
    if 1 < len(names) <= len(SERIES):
        grid[0, -1].legend(handles, names, fontsize=8, loc="best")
