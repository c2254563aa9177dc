"""What each context does: its correlator, and the four cells behind it."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from ncnet.chsh import Report
from ncnet.plotting import BLUE, GREY, INK, ORANGE, VERMILION

LABELS = ("(A1, B1)", "(A1, B2)", "(A2, B1)", "(A2, B2)")
CELLS = (
    (1, 1, "both right", BLUE, ""),
    (1, -1, "Alice right, Bob wrong", ORANGE, "///"),
    (-1, 1, "Alice wrong, Bob right", VERMILION, "\\\\\\"),
    (-1, -1, "both wrong (agree)", GREY, "xxx"),
)


def contexts(report: Report, cells: xr.DataArray) -> Figure:
    """Draw the correlators with their intervals, and the cells as shares of all outcomes.

    Parameters
    ----------
    report
        The report of one capacity.
    cells
        Its cells, as `ncnet.chsh.cells` gives them.
    """
    figure = Figure(figsize=(8.4, 3.6))
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    places = np.arange(4)
    values = report.correlators.reshape(4)
    low, high = report.correlator_intervals.reshape(4, 2).T
    left.errorbar(places, values, yerr=[values - low, high - values], fmt="o", color=INK, capsize=4)
    left.set_xticks(places, LABELS, fontsize=8.5)
    left.set_xlim(-0.5, 3.5)
    left.set_ylim(min(0.0, low.min() - 0.05), 1.05)
    left.set_ylabel("correlator C (no unit)")
    left.set_title("The correlators")
    bottom = np.zeros(4)
    for a, b, label, colour, hatch in CELLS:
        share = 100 * cells.sel(a=a, b=b).transpose("alice_setting", "bob_setting").values.reshape(
            4
        )
        right.bar(
            places, share, 0.6, bottom, label=label, color=colour, hatch=hatch, edgecolor="white"
        )
        bottom += share
    right.set_xticks(places, LABELS, fontsize=8.5)
    right.set_ylabel("share of outcomes (%)")
    right.set_title("The four cells of each context")
    right.grid(axis="x", visible=False)
    right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, fontsize=8.5)
    return figure
