"""Draws any outcomes and trainings, whoever made them: one function a figure.

Each takes tables or reports and returns a matplotlib Figure. Those of one study are in its room.
"""

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ncnet import plotting, renamed
from ncnet.chsh import TSIRELSON_BOUND, Report
from ncnet.plotting import BLUE, GREY, INK, ORANGE, SOLID, VERMILION

CELLS = (
    (1, 1, "both right", BLUE, ""),
    (1, -1, "Alice right, Bob wrong", ORANGE, "///"),
    (-1, 1, "Alice wrong, Bob right", VERMILION, "\\\\\\"),
    (-1, -1, "both wrong (agree)", GREY, "xxx"),
)
LINES = (
    ("above", "S \N{MINUS SIGN} 2", BLUE, "o"),
    ("influence", "influence", GREY, "^"),
    ("delta", "Δ", ORANGE, "s"),
    ("excess", "S \N{MINUS SIGN} Δ \N{MINUS SIGN} 2", VERMILION, "D"),
)
FEW_STEPS = 100
"""So many steps of a training, or fewer, stand on a linear axis."""
KINDS_OF_PARTIES = {
    "nothing changes": ("11110110", "11110110"),
    "influence, no signalling": ("11110000", "01011010"),
    "signalling": ("11111110", "01011010"),
}


def capacity(live: pd.DataFrame, recorded: pd.DataFrame | None = None) -> Figure:
    """Draw S(n) above Delta(n), a column for each game.

    Lines with bands are recorded: the darker band is the interval of the mean, the lighter one
    holds 95 % of the runs. Points with bars are live.

    Parameters
    ----------
    live, recorded
        Tables of `ncnet.chsh.by_capacity` with a column ``game``; `recorded` may be None.
    """
    games = plotting.layers_by("game", recorded, live)
    figure, grid = _two_rows(len(games), 4.2, 5.4)
    for column, (game, layers) in zip(grid.T, games.items(), strict=True):
        _s_above_delta(column, layers, "hidden_size", plotting.look(0), VERMILION)
        column[0].set_title(f"game {game}")
        column[1].set_xlabel("hidden units n")
        column[1].xaxis.set_major_locator(MaxNLocator(integer=True))
    grid[0, -1].legend(loc="lower right")
    return figure


def along_training(live: pd.DataFrame, recorded: pd.DataFrame | None = None) -> Figure:
    """Draw S above Delta along training, a column for each hidden size.

    Parameters
    ----------
    live, recorded
        Tables of `ncnet.chsh.by_capacity` over ``steps`` with a column ``hidden_size``.
    """
    sizes = plotting.layers_by("hidden_size", recorded, live)
    figure, grid = _two_rows(len(sizes), max(2.9, 6 / len(sizes)), 5)
    if live["steps"].max() > FEW_STEPS:
        grid[0, 0].set_xscale("symlog", linthresh=10)
    for place, (column, size) in enumerate(zip(grid.T, sizes, strict=True)):
        _s_above_delta(column, sizes[size], "steps", plotting.look(place), INK)
        column[0].set_title(f"n = {size}")
        column[1].set_xlabel("training steps")
    if recorded is not None:
        grid[0, 0].legend(loc="lower right")
    return figure


def _two_rows(columns: int, width: float, height: float) -> tuple[Figure, np.ndarray]:
    shared = {"sharex": True, "sharey": "row", "height_ratios": (1.7, 1)}
    figure, grid = plotting.subplots((width * columns, height), 2, columns, **shared)
    grid[0, 0].set_ylabel("S (no unit)")
    grid[1, 0].set_ylabel("Δ (no unit)")
    return figure, grid


def _s_above_delta(
    column: np.ndarray, layers: list[tuple], x: str, look: dict, live_colour: str
) -> None:
    for draw, table in layers:
        kind = {"color": live_colour, "marker": "D", "label": "live"}
        if draw is plotting.band:
            kind = {**look, "alpha": 0.35, "label": "recorded"}
            runs = {"color": look["color"], "alpha": 0.15, "linewidth": 0}
            column[0].fill_between(x, "run_low", "run_high", data=table, **runs)
        draw(column[0], table, x, "s", markersize=3.5, **kind)
        draw(column[1], table, x, "delta", markersize=3.5, **kind)
    plotting.draw_bounds(column[0], TSIRELSON_BOUND, right=x != "steps")
    column[1].axhline(0, color=GREY, linewidth=0.8)


def contexts(report: Report, cells: xr.DataArray) -> Figure:
    """Draw the correlators with their intervals, and the cells as shares of all outcomes.

    Parameters
    ----------
    report
        The report of one capacity.
    cells
        Its cells, as `ncnet.chsh.cells` gives them.
    """
    figure, [[left, right]] = plotting.subplots((8.4, 3.6), 1, 2, width_ratios=(1, 1.25))
    places = np.arange(4)
    correlators = pd.DataFrame(report.correlator_intervals.reshape(4, 2), columns=["low", "high"])
    correlators["c"] = report.correlators.ravel()
    plotting.points(left, correlators, places, "c", marker="o", color=INK, capsize=4)
    lowest = min(0.0, correlators["low"].min() - 0.05)
    left.set(xlim=(-0.5, 3.5), ylim=(lowest, 1.05))
    left.set(ylabel="correlator C (no unit)", title="The correlators")
    bottom = np.zeros(4)
    shares = 100 * cells.stack(context=("alice_setting", "bob_setting"))
    for a, b, label, colour, hatch in CELLS:
        look = {"label": label, "color": colour, "hatch": hatch, "edgecolor": "white"}
        right.bar(places, shares.sel(a=a, b=b), 0.6, bottom, **look)
        bottom += shares.sel(a=a, b=b)
    right.set(ylabel="share of outcomes (%)", title="The four cells of each context")
    right.grid(axis="x", visible=False)
    right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2)
    for axes in (left, right):
        axes.set_xticks(places, [f"(A{i}, B{j})" for i, j in plotting.CONTEXTS], fontsize=8.5)
    return figure


def signalling(live: pd.DataFrame | None, recorded: pd.DataFrame | None = None) -> Figure:
    """Draw S - 2, Delta, influence and S - Delta - 2 against hidden units, a column for each game.

    Lines with bands are recorded, with 95 % intervals; hollow points with bars are live.

    Parameters
    ----------
    live, recorded
        Tables of `ncnet.chsh.by_capacity` with a column ``game``; one of them may be None.
    """
    games = plotting.layers_by("game", recorded, live)
    figure, columns = plotting.panels(len(games), size=(4.3, 4.6), sharey=True)
    for axes, (game, layers) in zip(columns, games.items(), strict=True):
        for draw, table in layers:
            above = {f"above{end}": table[f"s{end}"] - 2 for end in ("", "_low", "_high")}
            for name, label, colour, marker in LINES:
                look = {"label": label, "color": colour, "marker": marker}
                draw(axes, table.assign(**above), "hidden_size", name, **look)
        axes.axhline(0, **SOLID)
        axes.set(title=f"game {game}", xlabel="hidden units n")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    columns[0].set_ylabel("distance from 0 (no unit)")
    plotting.legend_once(columns[0], below=figure)
    return figure


def influence_and_signalling() -> Figure:
    """Draw one task's outcomes on eight items in its two contexts, for three kinds of parties."""
    figure, [panels] = plotting.subplots((8.4, 1.7), 1, 3, sharey=True)
    for axes, (title, settings) in zip(panels, KINDS_OF_PARTIES.items(), strict=True):
        for row, outcomes in enumerate(settings):
            colours = [BLUE if outcome == "1" else ORANGE for outcome in outcomes]
            hatches = ["" if outcome == "1" else "///" for outcome in outcomes]
            look = {"color": colours, "hatch": hatches, "edgecolor": "white", "linewidth": 1}
            axes.bar(np.arange(8) + 0.5, 0.88, 0.88, 1.06 - row, **look)
        axes.set(title=title, xlim=(0, 8), ylim=(0, 2), xticks=[], aspect="equal")
        axes.set_yticks([1.5, 0.5], ["Bob's setting 1", "Bob's setting 2"], fontsize=8.5)
    plotting.without_frame(*panels)
    return figure


def conflict_by_step(table: pd.DataFrame) -> Figure:
    """Draw how the heads' gradients lie to each other along training, a line for each context.

    Parameters
    ----------
    table
        `ncnet.experiment.probe.conflict_by_step`: means with intervals over replicas.
    """
    figure, [[cosine, similarity]] = plotting.subplots((9, 3.6), 1, 2)
    for axes, name in ((cosine, "cosine"), (similarity, "magnitude_similarity")):
        for here, look in plotting.by_context(table):
            plotting.band(axes, here, "step", name, alpha=0.15, **look)
        axes.set_xlabel("training steps")
    cosine.axhline(0, **SOLID)
    cosine.set(ylim=(-1.05, 1.05), ylabel="cosine of both gradients (no unit)")
    similarity.set(ylim=(0, 1.05), ylabel="magnitude similarity (no unit)")
    plotting.legend_once(cosine, below=figure)
    return figure


__getattr__ = renamed.names(__name__, {"three_ways": "influence_and_signalling"})
