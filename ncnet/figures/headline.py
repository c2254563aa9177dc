"""The figure that stands for the book: S against capacity."""

import pandas as pd
from matplotlib.figure import Figure

from ncnet.chsh import TSIRELSON_BOUND
from ncnet.plotting import MARKERS, SERIES, draw_bounds


def headline(table: pd.DataFrame) -> Figure:
    """Draw S against the number of hidden units, one curve for each game.

    Parameters
    ----------
    table
        Of `ncnet.chsh.by_capacity`, over ``hidden_size``, with a column ``game``.
    """
    figure = Figure(figsize=(5.6, 3.5))
    axes = figure.subplots()
    for colour, marker, (game, rows) in zip(SERIES, MARKERS, table.groupby("game"), strict=False):
        n = rows["hidden_size"]
        for low, high, alpha in (("run_low", "run_high", 0.15), ("s_low", "s_high", 0.4)):
            axes.fill_between(n, rows[low], rows[high], color=colour, alpha=alpha, linewidth=0)
        axes.plot(n, rows["s"], color=colour, marker=marker, label=f"game {game}")
    axes.set_xlabel("hidden units n, shared by two task heads")
    axes.set_ylabel("CHSH statistic S (no unit)")
    axes.set_xticks(sorted(table["hidden_size"].unique()))
    axes.set_xlim(left=0)  # room for the names of the bounds
    axes.set_ylim(0, TSIRELSON_BOUND + 0.25)
    draw_bounds(axes, TSIRELSON_BOUND)
    axes.legend(loc="lower right")
    return figure
