"""Draws the results of any batch: how its jobs ran, and every quantity with an interval."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ncnet import plotting
from ncnet.chsh import CLASSICAL_BOUND
from ncnet.plotting import BLUE, GREY, INK, SERIES

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
"""The columns of a table that are drawn, in this order, and their names on the axis."""
RESOURCES = {
    "hidden_size": "hidden units n",
    "rank": "rank of the adapters",
    "seen": "training steps seen",
    "steps": "training steps",
    "learning_rate": "learning rate",
    "seed": "seed",
}
"""The columns that are drawn over, and their names; if several vary, the one with most values."""
LABELS = (
    "game",
    "activation",
    "optimizer",
    "initialisation",
    "loss",
    "readout",
    "intervention",
    "use",
    "phase",
    "alice_setting",
    "bob_setting",
    *RESOURCES,
)
"""The columns that tell rows apart."""
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
    varied = _varied(table)
    x = max((name for name in RESOURCES if name in varied), key=table.nunique().get, default=None)
    labels = [name for name in varied if name != x]
    first = [name for name in labels[:1] if table[name].nunique() <= MOST_COLUMNS]
    columns = _split(table, first)
    size = (max(4.6, 3.4 * len(columns) + 1), 2.5 * len(drawn) + 0.5)
    figure, grid = plotting.subplots(size, len(drawn), len(columns), sharex=True, sharey="row")
    for column, (value, part) in zip(grid.T, columns, strict=True):
        within = _varied(part)
        lines = _split(part, [name for name in labels if name in within and name not in first])
        for axes, name in zip(column, drawn, strict=True):
            _draw_lines(axes, lines, x, name)
        column[0].set_title(" ".join([*first, *map(str, value)]).replace("_", " ", len(first)))
        column[-1].set_xlabel(RESOURCES.get(x, ""))
    for row, name in zip(grid, drawn, strict=True):
        row[0].set_ylabel(QUANTITIES[name])
    _scale(grid[0, 0], x)
    if 1 < len(grid[0, -1].get_legend_handles_labels()[1]) <= len(SERIES):
        grid[0, -1].legend(fontsize=8, loc="best")
    return figure


def labelled(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table indexed by the labels that vary in it.

    >>> table = pd.DataFrame({"s": [0.0, 2.0], "game": ["overlap"] * 2, "seed": [1, 2]})
    >>> labelled(table).index.names
    FrozenList(['seed'])
    """
    varied = _varied(table)
    return table.set_index(varied) if varied else table


def jobs(ran: pd.DataFrame) -> Figure:
    """Draw when each job of a batch ran, as bars over time.

    Parameters
    ----------
    ran
        The table ``jobs`` of a batch: `job`, `started` (ISO 8601), `seconds`.
    """
    ran = ran.assign(started=pd.to_datetime(ran["started"], format="ISO8601", utc=True))
    ran = ran.sort_values("started", kind="stable")
    starts = (ran["started"] - ran["started"].min()).dt.total_seconds()
    few = len(ran) <= MOST_BARS
    figure, axes = plotting.subplots((7.2, 1 + (0.24 * len(ran) if few else 4)))
    axes.barh(range(len(ran)), ran["seconds"], left=starts, height=0.7, color=BLUE)
    axes.invert_yaxis()
    if few:
        axes.set_yticks(range(len(ran)), ran["job"], fontsize=8.5)
    else:
        axes.set_ylabel("jobs, in the order of their start")
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("seconds since the first job started")
    return figure


def _varied(table: pd.DataFrame) -> list[str]:
    return [name for name in LABELS if name in table and table[name].nunique() > 1]


def _split(table: pd.DataFrame, by: list[str]) -> list[tuple[tuple, pd.DataFrame]]:
    return list(table.groupby(by, sort=False, dropna=False)) if by else [((), table)]


def _draw_lines(axes: Axes, lines: list, x: str | None, name: str) -> None:
    for place, (values, line) in enumerate(lines):
        line = line.sort_values(x) if x else line.reset_index(drop=True)
        look = {"markersize": 4, **plotting.look(place)}
        if len(lines) > len(SERIES):
            look = {"marker": ".", "markersize": 3, "color": GREY, "alpha": 0.4, "capsize": 0}
            look |= {"linewidth": 0.8, "elinewidth": 0.8}
        look["linestyle"] = "-" if x and line[x].is_unique else "none"
        look["label"] = ", ".join(map(str, values)) or None
        plotting.points(axes, line, x or line.index, name, **look)
    if name == "s":
        plotting.draw_bounds(axes, CLASSICAL_BOUND, right=True)
    else:
        axes.axhline(0.5 if name == "auc" else 0, color=INK, linewidth=0.8)


def _scale(axes: Axes, x: str | None) -> None:
    """Scale the axis of a resource, which all panels share."""
    if x is None:
        axes.set_xticks([])
    elif x in ("steps", "seen"):
        axes.set_xscale("symlog", linthresh=10)
        axes.set_xlim(left=-0.5)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=x != "learning_rate"))
