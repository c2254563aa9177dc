"""Draws which tasks disturb each other, and which of two pays for it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ncnet import plotting
from ncnet.chsh import CLASSICAL_BOUND
from ncnet.plotting import INK

ENDS = ("s", "s_low", "s_high")
KEY = (
    "S of the pair: above 2 the tasks\n"
    "disturb each other. Bold: clear of\n"
    "chance, for all pairs together."
)


def pairs(table: pd.DataFrame) -> Figure:
    """Draw S of each pair of tasks as a triangle of cells, the most disturbed tasks first.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.your_model.analysis.by_pair`. A number is bold where the interval of
        the pair lies on one side of 2.
    """
    both = pd.concat([table, _turned(table)], ignore_index=True)
    order = both.groupby("first")["s"].mean().sort_values(ascending=False).index
    s, low, high = (_grid(both, name, order)[1:, :-1] for name in ENDS)
    below = np.tri(len(s), dtype=bool)
    figure, axes = plotting.subplots((7.2, 2.8))
    clear = (low > CLASSICAL_BOUND) | (high < CLASSICAL_BOUND)
    _cells(axes, np.where(below, s - CLASSICAL_BOUND, np.nan), np.char.mod("%.2f", s), clear)
    axes.set_xticks(range(len(s)), order[:-1])
    axes.set_yticks(range(len(s)), order[1:])
    axes.text(1, 1, KEY, transform=axes.transAxes, ha="right", va="top", fontsize=9.5, color=INK)
    return figure


def losses(table: pd.DataFrame) -> Figure:
    """Draw how many points each task loses beside each other one, those that lose most first.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.your_model.analysis.by_pair`.
    """
    both = pd.concat([table, _turned(table)], ignore_index=True)
    order = both.groupby("first")["first_drop"].mean().sort_values(ascending=False).index
    points = 100 * _grid(both, "first_drop", order)
    texts = np.char.replace(np.char.mod("%.0f", np.nan_to_num(points)), "-", "\N{MINUS SIGN}")
    texts[texts == "\N{MINUS SIGN}0"] = "0"
    figure, axes = plotting.subplots((6.4, 3.6))
    _cells(axes, points, texts, np.abs(points) >= 5)
    axes.set_xticks(range(len(order)), order)
    axes.set_yticks(range(len(order)), order)
    axes.set_xlabel("beside this task")
    axes.set_ylabel("points that it loses")
    return figure


def _turned(table: pd.DataFrame) -> pd.DataFrame:
    """Return the same pairs, the second task first."""
    names = {"first": "second", "first_drop": "second_drop"}
    return table.rename(columns=names | {new: old for old, new in names.items()})


def _grid(both: pd.DataFrame, name: str, order: pd.Index) -> np.ndarray:
    return both.pivot(index="first", columns="second", values=name).loc[order, order].to_numpy()


def _cells(axes: Axes, values: np.ndarray, texts: np.ndarray, bold: np.ndarray) -> None:
    """Draw values as coloured cells, white at 0, each with its text; none where there is none."""
    reach = np.nanmax(abs(values))
    axes.imshow(values, cmap="PuOr_r", vmin=-reach, vmax=reach, aspect="auto")
    for row, column in np.argwhere(np.isfinite(values)):
        strong = abs(values[row, column]) > 0.6 * reach
        look = {"color": "white" if strong else INK, "ha": "center", "va": "center"}
        weight = "bold" if bold[row, column] else "normal"
        axes.text(column, row, texts[row, column], fontsize=10, weight=weight, **look)
    plotting.without_frame(axes)
