"""S and Delta against a resource: hidden units, or training steps."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ncnet.chsh import TSIRELSON_BOUND
from ncnet.plotting import BLUE, GREY, INK, MARKERS, SERIES, VERMILION, draw_bounds


def capacity(live: pd.DataFrame, recorded: pd.DataFrame | None = None) -> Figure:
    """Draw S(n) above Delta(n), a column for each game.

    Lines with bands are recorded: the darker band is the interval of the mean, the lighter one
    holds 95 % of the runs. Points with bars are live.

    Parameters
    ----------
    live, recorded
        Tables of `ncnet.chsh.by_capacity` with a column ``game``; `recorded` may be None.
    """
    games = list(dict.fromkeys(live["game"]))
    figure, grid = _two_rows(len(games), width=4.2, height=5.4)
    for column, game in zip(grid.T, games, strict=True):
        one_game = live[live["game"] == game]
        if recorded is not None:
            _line(column, recorded[recorded["game"] == game], "hidden_size", BLUE, "o", "recorded")
        _points(column, one_game, "hidden_size", VERMILION)
        column[0].set_title(f"game {game}")
        column[1].set_xlabel("hidden units n")
        column[1].xaxis.set_major_locator(MaxNLocator(integer=True))
    _finish(grid)
    grid[0, -1].legend(loc="lower right", fontsize=8.5)
    return figure


def along_training(live: pd.DataFrame, recorded: pd.DataFrame | None = None) -> Figure:
    """Draw S above Delta along training, a column for each hidden size.

    Parameters
    ----------
    live, recorded
        Tables of `ncnet.chsh.by_capacity` over ``steps`` with a column ``hidden_size``.
    """
    sizes = list(dict.fromkeys(live["hidden_size"]))
    figure, grid = _two_rows(len(sizes), width=2.9, height=5)
    for place, (column, size) in enumerate(zip(grid.T, sizes, strict=True)):
        colour, marker = SERIES[place % len(SERIES)], MARKERS[place % len(MARKERS)]
        if recorded is not None:
            of_size = recorded[recorded["hidden_size"] == size]
            _line(column, of_size, "steps", colour, marker, "recorded")
        _points(column, live[live["hidden_size"] == size], "steps", INK)
        column[0].set_title(f"n = {size}")
        column[1].set_xlabel("training steps")
        column[1].set_xscale("symlog", linthresh=10)
    _finish(grid)
    grid[0, 0].legend(loc="lower right", fontsize=8.5)
    return figure


def _two_rows(columns: int, width: float, height: float) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(width * columns, height))
    grid = figure.subplots(
        2, columns, sharex=True, sharey="row", squeeze=False, height_ratios=(1.7, 1)
    )
    return figure, grid


def _line(
    column: tuple[Axes, Axes], table: pd.DataFrame, x: str, colour: str, marker: str, label: str
) -> None:
    top, bottom = column
    top.fill_between(
        table[x], table["run_low"], table["run_high"], color=colour, alpha=0.15, linewidth=0
    )
    top.fill_between(
        table[x], table["s_low"], table["s_high"], color=colour, alpha=0.35, linewidth=0
    )
    bottom.fill_between(
        table[x], table["delta_low"], table["delta_high"], color=colour, alpha=0.35, linewidth=0
    )
    top.plot(table[x], table["s"], marker=marker, markersize=3.5, color=colour, label=label)
    bottom.plot(table[x], table["delta"], marker=marker, markersize=3.5, color=colour)


def _points(column: tuple[Axes, Axes], table: pd.DataFrame, x: str, colour: str) -> None:
    for axes, name in zip(column, ("s", "delta"), strict=True):
        below = table[name] - table[f"{name}_low"]
        above = table[f"{name}_high"] - table[name]
        axes.errorbar(
            table[x],
            table[name],
            yerr=[below, above],
            fmt="D",
            markersize=3.5,
            capsize=3,
            linewidth=1.2,
            color=colour,
            label="live",
            mfc="white",
        )


def _finish(grid: np.ndarray) -> None:
    for axes in grid[0]:
        draw_bounds(axes, TSIRELSON_BOUND)
    grid[0, 0].set_ylabel("S (no unit)")
    grid[1, 0].set_ylabel("Δ (no unit)")
    for axes in grid[1]:
        axes.axhline(0, color=GREY, linewidth=0.8)
