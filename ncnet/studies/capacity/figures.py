"""Draws S against hidden units, and its scatter over runs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.artist import setp
from matplotlib.figure import Figure

from ncnet import plotting
from ncnet.chsh import ALGEBRAIC_BOUND, CLASSICAL_BOUND, TSIRELSON_BOUND, Report
from ncnet.plotting import BLUE, DASHED, INK, ORANGE

NEAR_2 = (1.7, 2.5)


def s_by_game(table: pd.DataFrame) -> Figure:
    """Draw S against the number of hidden units, one curve for each game.

    Parameters
    ----------
    table
        As `ncnet.chsh.by_capacity` returns it, over ``hidden_size``, with a column ``game``.
    """
    figure, axes = plotting.subplots((5.6, 3.5))
    for place, (game, rows) in enumerate(table.groupby("game")):
        look = plotting.look(place)
        runs = {"color": look["color"], "alpha": 0.15, "linewidth": 0}
        axes.fill_between("hidden_size", "run_low", "run_high", data=rows, **runs)
        plotting.band(axes, rows, "hidden_size", "s", alpha=0.4, label=f"game {game}", **look)
    axes.set_xlabel("hidden units n, shared by two task heads")
    axes.set_ylabel("CHSH statistic S (no unit)")
    axes.set_xticks(sorted(table["hidden_size"].unique()))
    axes.set_xlim(left=0)  # room for the names of the bounds
    axes.set_ylim(0, TSIRELSON_BOUND + 0.25)
    plotting.draw_bounds(axes, TSIRELSON_BOUND, right=True)
    axes.legend(loc="lower right")
    return figure


def under_ceiling(table: pd.DataFrame) -> Figure:
    """Draw S over hidden units under its ceiling 2 + Delta, a panel for each game.

    Parameters
    ----------
    table
        As `ncnet.chsh.by_capacity` returns it, over ``hidden_size``, with a column ``game``.
    """
    games = list(table.groupby("game", sort=False))
    figure, panels = plotting.panels(len(games), size=(4.3, 3.8), sharex=True, sharey=True)
    beside = {"textcoords": "offset points", "fontsize": 11}
    for axes, (game, rows) in zip(panels, games, strict=True):
        rows = rows.sort_values("hidden_size")
        n, ceiling = rows["hidden_size"], CLASSICAL_BOUND + rows["delta"]
        axes.fill_between(n, CLASSICAL_BOUND, ceiling, color=ORANGE, alpha=0.25, linewidth=0)
        axes.plot(n, ceiling, color=ORANGE, linestyle=(0, (3, 1)), linewidth=2.2)
        axes.axhline(CLASSICAL_BOUND, zorder=1, **DASHED)
        look = {"color": BLUE, "marker": "o", "linewidth": 2.6, "alpha": 0.4}
        plotting.band(axes, rows, "hidden_size", "s", **look)
        highest, first = ceiling.idxmax(), rows["s"].idxmin()
        peak = (n[highest], ceiling[highest])
        axes.annotate("ceiling 2 + Δ", peak, (9, 3), weight="bold", **beside)
        start = {"xytext": (10, 0), "color": BLUE, "weight": "bold", "va": "center"}
        axes.annotate("S", (n[first], rows["s"][first]), **start, **beside)
        far = {"xytext": (0, -7), "ha": "right", "va": "top"}
        axes.annotate("classical bound 2", (n.max(), CLASSICAL_BOUND), **far, **beside)
        axes.set_title(f"game {game}")
        axes.set_xlabel("hidden units n")
        axes.set_xticks(n)
        axes.grid(axis="x", visible=False)
    panels[0].set_ylabel("CHSH statistic S (no unit)")
    panels[0].set_ylim(0.4, 3)
    return figure


def readings(table: pd.DataFrame) -> Figure:
    """Draw S over hidden units in each way to read an outcome: a column a game, below it near 2.

    Parameters
    ----------
    table
        One row a game, readout and hidden size: ``s``, ``s_low`` and ``s_high``.
    """
    games = list(table.groupby("game", sort=False))
    shared = {"sharex": True, "sharey": "row", "height_ratios": (3, 2)}
    figure, panels = plotting.subplots((4.4 * len(games), 5.6), 2, len(games), **shared)
    for (game, rows), column in zip(games, panels.T, strict=True):
        for axes in column:
            for place, (readout, of_readout) in enumerate(rows.groupby("readout", sort=False)):
                look = plotting.look(place) | {"label": readout, "alpha": 0.25}
                plotting.band(axes, of_readout, "hidden_size", "s", **look)
            axes.axhline(CLASSICAL_BOUND, zorder=1, **DASHED)
        column[0].set_title(f"game {game}")
        column[1].set_ylim(*NEAR_2)
        column[1].set_xlabel("hidden units n")
        column[1].set_xticks(sorted(rows["hidden_size"].unique()))
    panels[0, 0].set_ylabel("S (no unit)")
    panels[1, 0].set_ylabel("S near 2")
    panels[0, -1].legend(title="outcome", loc="lower right")
    return figure


def spread(table: pd.DataFrame, deviation: float, share: float) -> Figure:
    """Draw how far runs scatter, and how many lie on either side of 2, with the smallest effects.

    Parameters
    ----------
    table
        As `ncnet.studies.capacity.analysis.scatter` returns it, of several games and hidden sizes.
    deviation, share
        The smallest effects: a standard deviation, and a share of the runs.
    """
    figure, (left, right) = plotting.panels(2, size=(4.2, 0.9 + 0.3 * len(table)))
    kind = ["hidden_size", "readout"]
    rows = table.sort_values(["game", *kind], ascending=[True, True, False], ignore_index=True)
    places = np.arange(len(rows))
    plotting.points(left, rows, places, "spread", flat=True, **plotting.look(0))
    for place, name in enumerate(("below", "above")):
        look = plotting.look(place) | {"label": f"{name} 2"}
        plotting.points(right, rows, places + 0.24 * (place - 0.5), name, flat=True, **look)
    for axes, smallest in ((left, deviation), (right, share)):
        axes.axvline(smallest, **DASHED)
        plotting.name_rows(axes, [""] * len(rows))
        axes.set_xlim(left=0)
    names = rows["game"] + ", n = " + rows["hidden_size"].astype(str) + ", " + rows["readout"]
    plotting.name_rows(left, names)
    left.set_xlabel("standard deviation of S over runs (no unit)")
    right.set_xlabel("share of the runs")
    right.legend(loc="best")
    return figure


def temperatures(table: pd.DataFrame, deviation: float) -> Figure:
    """Draw how far runs scatter against the temperature of training, a panel a game and readout.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.capacity.noise.scatter_under_noise` at one hidden size.
    deviation
        The smallest effect, a standard deviation.
    """
    panels_of = table.groupby(["readout", "game"], sort=False)
    figure, panels = plotting.panels(len(panels_of), 2, size=(3.9, 2.6), sharex=True, sharey=True)
    for axes, ((readout, game), rows) in zip(panels, panels_of, strict=True):
        for place, (flipped, of_labels) in enumerate(rows.groupby("label_noise")):
            of_labels = of_labels.sort_values("temperature")
            shift = of_labels["temperature"] * (0.95, 1.05)[place]
            label = f"{flipped:.0%} of the labels flipped"
            look = plotting.look(place) | {"label": label, "linestyle": "none", "markersize": 4}
            plotting.points(axes, of_labels, shift, "spread", **look)
        axes.axhline(deviation, **DASHED)
        axes.set_xscale("log", base=2)
        axes.set_title(f"game {game}, {readout}", fontsize=9)
        axes.set_xlabel("temperature: learning rate over items of a batch")
    panels[0].set_ylim(bottom=0)
    setp(panels[::2], ylabel="standard deviation of S\nover runs (no unit)")
    plotting.legend_once(panels[0], below=figure, ncols=2)
    return figure


def scatter(s_per_run: xr.DataArray, reports: Sequence[Report]) -> Figure:
    """Scatter S of every run at each hidden size, with the mean and its interval beside it.

    Parameters
    ----------
    s_per_run
        Over (capacity, run), as `ncnet.chsh.s_per_run` gives it.
    reports
        The report of each capacity.
    """
    figure, axes = plotting.subplots((7, 4.2))
    spread = np.random.default_rng(0)
    values = s_per_run.transpose("capacity", "run").values
    means = pd.DataFrame([report.row() for report in reports])
    for place, (row, s) in enumerate(zip(values, means["s"], strict=True)):
        look = {"linestyle": "none", **plotting.look(place)}
        across = place + spread.uniform(-0.22, 0.1, len(row))
        axes.plot(across, row, alpha=0.55, markersize=4, mew=0, **look)
        look |= {"color": INK, "capsize": 4}
        plotting.points(axes, means[place : place + 1], [place + 0.24], "s", **look)
        beside = {"xytext": (8, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(f"{s:.2f}", (place + 0.24, s), **beside)
    axes.set_xticks(range(len(values)), s_per_run["capacity"].values)
    axes.set_xlim(-0.5, len(values) - 0.1)
    axes.set_ylim(min(1.2, values.min() - 0.1), ALGEBRAIC_BOUND + 0.2)
    axes.set(xlabel="hidden units n", ylabel="S (no unit)")
    axes.grid(axis="x", visible=False)
    plotting.draw_bounds(axes, ALGEBRAIC_BOUND, right=True)
    return figure
