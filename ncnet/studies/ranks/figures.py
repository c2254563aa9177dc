"""Draw S of an encoder, the signalling beside it and what heads get right, against the rank."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ncnet import plotting
from ncnet.chsh import CLASSICAL_BOUND
from ncnet.plotting import GREY, HELD_OUT, SOLID, TRAINING, VERMILION

DELTA = {"label": "Δ", "color": GREY, "marker": "^"}
REST = {"label": "S \N{MINUS SIGN} Δ \N{MINUS SIGN} 2", "color": VERMILION, "marker": "D"}
ROWS = {
    "S (no unit)": {"s": TRAINING, "held_out_s": HELD_OUT},
    "no unit": {"delta": DELTA, "excess": REST},
    "share right": {"accuracy": TRAINING, "held_out_accuracy": HELD_OUT},
}


def ranks(table: pd.DataFrame) -> Figure:
    """Draw S, Delta with what it leaves of S - 2, and accuracy against rank, a column a quartet.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.ranks.analysis.by_rank` with a column ``quartet``.
    """
    quartets = table.groupby("quartet", sort=False)
    shared = {"sharex": "col", "sharey": "row", "height_ratios": (1.5, 1, 1)}
    size = (0.9 + 2.9 * len(quartets), 7)
    figure, grid = plotting.subplots(size, 3, len(quartets), **shared)
    for column, (quartet, rows) in zip(grid.T, quartets, strict=True):
        for axes, lines in zip(column, ROWS.values(), strict=True):
            for place, (name, look) in enumerate(lines.items()):
                if name in rows:
                    at = np.arange(len(rows)) + 0.12 * (place - 0.5)
                    plotting.points(axes, rows, at, name, markersize=4, linestyle="-", **look)
        column[0].set_title(quartet.replace("_", " "))
        # Short: lines run close to the bound from the second rank on.
        plotting.dashed_line(column[0], CLASSICAL_BOUND, "bound 2")
        column[1].axhline(0, **SOLID)
        _name_ranks(column[2], rows["rank"])
    for axes, (label, lines) in zip(grid[:, 0], ROWS.items(), strict=True):
        # Betting's intervals at few replicas would squeeze all else into a line.
        values = table[table.columns.intersection(list(lines))]
        lowest, highest = values.min(axis=None), values.max(axis=None)
        reach = highest - lowest
        axes.set(ylabel=label, ylim=(lowest - 0.2 * reach, highest + 0.25 * reach))
    for axes in grid[:2, -1]:
        axes.legend(loc="best")
    return figure


def partners(table: pd.DataFrame, tasks: dict[str, tuple[str, str, str, str]]) -> Figure:
    """Draw what each task's head gets right beside either partner, a panel a quartet.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.ranks.analysis.by_rank` with a column ``quartet``.
    tasks
        The names of A1, A2, B1 and B2, by quartet.
    """
    quartets = table.groupby("quartet", sort=False)
    figure, panels = plotting.panels(len(quartets), size=(3.1, 3.6), margin=(0.9, 0), sharey=True)
    for axes, (quartet, rows) in zip(panels, quartets, strict=True):
        for place, task in enumerate(tasks[quartet]):
            setting = place % 2 + 1
            for other, style in ((1, "-"), (2, ":")):
                name = f"alice_{setting}{other}" if place < 2 else f"bob_{other}{setting}"
                look = {"linestyle": style, "label": task if other == 1 else None}
                axes.plot(range(len(rows)), (1 + rows[name]) / 2, **look, **plotting.look(place))
        axes.set_title(quartet.replace("_", " "))
        _name_ranks(axes, rows["rank"])
        axes.legend(loc="lower right")
    panels[0].set_ylabel("share of training items right")
    return figure


def _name_ranks(axes: Axes, values: pd.Series) -> None:
    axes.set_xticks(range(len(values)), [f"{rank:g}".replace("inf", "full") for rank in values])
    axes.set_xlabel("rank of the adapters")
