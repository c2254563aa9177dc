"""Draws how four correlators add up to S, at several capacities side by side."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ncnet import plotting
from ncnet.chsh import CLASSICAL_BOUND
from ncnet.chsh.correlators import SIGNS
from ncnet.chsh.outcomes import CONTEXTS
from ncnet.plotting import BLUE, HATCH, INK, SKY, VERMILION

PLATE = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
NUMBER = {"ha": "center", "fontsize": 8.5, "bbox": PLATE, "zorder": 3}
NAMES = ("easy,\neasy", "easy,\nhard", "hard,\neasy", "hard,\nhard", "S")


def waterfalls(table: pd.DataFrame) -> Figure:
    """Draw three correlators less the fourth, a panel for each hidden size.

    Parameters
    ----------
    table
        Rows of `ncnet.chsh.by_capacity` over ``hidden_size``.
    """
    figure, panels = plotting.panels(len(table), size=(2.8, 3.3), sharey=True)
    for axes, (_, row) in zip(panels, table.iterrows(), strict=True):
        steps = SIGNS.values.ravel() * [row[f"correlator_{i}{j}"] for i, j in CONTEXTS]
        ends = steps.cumsum()
        starts = [*(ends - steps), 0]
        colours, hatches = (SKY, SKY, SKY, VERMILION, BLUE), ("", "", "", HATCH, "")
        axes.bar(range(5), [*steps, row["s"]], 0.66, starts, color=colours, hatch=hatches)
        for place, step in enumerate([*steps, row["s"]]):
            sign = "" if place in (0, 4) else "\N{MINUS SIGN}" if place == 3 else "+"
            top = max(starts[place], starts[place] + step)
            axes.text(place, top + 0.06, f"{sign}{abs(step):.2f}", **NUMBER)
        axes.hlines(ends, np.arange(4), np.arange(1, 5), color=INK, linewidth=0.7)
        axes.axhline(CLASSICAL_BOUND, zorder=2, **plotting.DASHED)
        axes.set_xticks(range(5), NAMES, fontsize=8)
        axes.grid(axis="x", visible=False)
        units = int(row["hidden_size"])
        axes.set_title(f"{units} hidden units")
    panels[0].set_ylabel("sum so far (no unit)")
    panels[0].text(-0.45, CLASSICAL_BOUND + 0.04, "bound 2", fontsize=8.5)
    panels[0].set_ylim(0, 3.15)
    return figure
