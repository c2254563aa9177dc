"""Draws which tasks disturb each other."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ncnet import plotting
from ncnet.chsh import CLASSICAL_BOUND
from ncnet.plotting import INK


def pairs(table: pd.DataFrame) -> Figure:
    """Draw S of each pair of tasks as a triangle of cells, the most disturbed tasks first.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.your_model.analysis.by_pair`. Where the interval of a pair has 2 in
        it, its number is light; where not, bold.
    """
    turned = table.rename(columns={"first": "second", "second": "first"})
    both = pd.concat([table, turned], ignore_index=True)
    order = both.groupby("first")["s"].mean().sort_values(ascending=False).index
    grid = {name: both.pivot(index="first", columns="second", values=name) for name in ENDS}
    s, low, high = (grid[name].loc[order, order].to_numpy() for name in ENDS)
    below = np.tri(len(order), k=-1, dtype=bool)
    excess = np.where(below, s - CLASSICAL_BOUND, np.nan)[1:, :-1]
    reach = np.nanmax(abs(excess))
    figure, axes = plotting.subplots((7.2, 3.3))
    axes.imshow(excess, cmap="PuOr_r", vmin=-reach, vmax=reach, aspect="auto")
    for row, column in np.argwhere(below):
        clear = low[row, column] > CLASSICAL_BOUND or high[row, column] < CLASSICAL_BOUND
        strong = abs(s[row, column] - CLASSICAL_BOUND) > 0.6 * reach
        look = {"color": "white" if strong else INK, "weight": "bold" if clear else "normal"}
        text = f"{s[row, column]:.2f}"
        axes.text(column, row - 1, text, ha="center", va="center", fontsize=10, **look)
    axes.set_xticks(range(len(order) - 1), order[:-1])
    axes.set_yticks(range(len(order) - 1), order[1:])
    plotting.without_frame(axes)
    axes.text(1, 1, KEY, transform=axes.transAxes, ha="right", va="top", fontsize=9, color=INK)
    return figure


ENDS = ("s", "s_low", "s_high")
KEY = (
    "S of the pair. At 2 neither task minds the other;\n"
    "above 2 they disturb each other.\n"
    "Bold: clear of chance, for all pairs together."
)
