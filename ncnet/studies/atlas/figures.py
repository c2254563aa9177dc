"""The atlas of games, and what became of those that stood out."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from ncnet.plotting import ALICE, BLUE, BOB, GREY, HATCH, INK, VERMILION

GRID = 70
ROUNDING = 1e-6  # as in `ncnet.studies.atlas.analysis`, whose import would bring torch


def atlas(surveys: Mapping[tuple[str, int], pd.DataFrame]) -> Figure:
    """Draw S - 2 against Delta for every game, with the line above which nothing explains S.

    A cell's shade says how many games fall into it; games above the line have a ring.

    Parameters
    ----------
    surveys
        Tables of `ncnet.studies.atlas.analysis.survey` by activation (rows) and hidden size
        (columns).
    """
    rows, columns = ([*dict.fromkeys(key[part] for key in surveys)] for part in (0, 1))
    figure = Figure(figsize=(3 * len(columns) + 0.6, 2.9 * len(rows)))
    grid = figure.subplots(len(rows), len(columns), sharex="col", sharey="col", squeeze=False)
    reach = {
        column: _reach(pd.concat(t for (_, n), t in surveys.items() if n == column))
        for column in columns
    }
    most = max(map(len, surveys.values()))
    for (activation, hidden_size), table in surveys.items():
        axes = grid[rows.index(activation), columns.index(hidden_size)]
        drawn = _cloud(axes, table, reach[hidden_size], most)
        axes.set_title(f"{activation}, n = {hidden_size}")
    for axes in grid[-1]:
        axes.set_xlabel("Δ (no unit)")
    for axes in grid[:, 0]:
        axes.set_ylabel("S \N{MINUS SIGN} 2 (no unit)")
    figure.colorbar(drawn, ax=grid, label="games", shrink=0.8)
    return figure


def _reach(table: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    excess = table["s"] - 2
    margin = 0.05 * float(np.ptp(excess)) + 1e-3
    return (0, float(table["delta"].max()) + margin), (
        float(excess.min()) - margin,
        float(excess.max()) + 2 * margin,
    )


def _cloud(axes: Axes, table: pd.DataFrame, reach: tuple[tuple, tuple], most: int) -> object:
    *_, drawn = axes.hist2d(
        table["delta"],
        table["s"] - 2,
        bins=GRID,
        range=reach,
        cmap="Blues",
        norm=LogNorm(0.3, most),
        cmin=1,
        rasterized=True,
    )
    axes.plot(reach[0], reach[0], color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.axhline(0, color=GREY, linewidth=0.8)
    above = table[table["contextuality"] > ROUNDING]
    axes.plot(above["delta"], above["s"] - 2, "o", mfc="none", color=VERMILION, markersize=5)
    axes.set_xlim(reach[0])
    axes.set_ylim(reach[1])
    return drawn


def retests(found: pd.DataFrame, readouts: Sequence[str]) -> Figure:
    """Draw S - Delta - 2 of retested games on fresh replicas, beside what selection promised.

    Parameters
    ----------
    found
        Retests, as `ncnet.studies.atlas.analysis.run` has them, with a column ``training`` that
        names each training.
    readouts
        A panel for each.
    """
    trainings = list(dict.fromkeys(found["training"]))
    figure = Figure(figsize=(8.4, 1 + 0.42 * len(trainings)))
    panels = figure.subplots(1, len(readouts), sharey=True, squeeze=False)[0]
    for axes, readout in zip(panels, readouts, strict=True):
        table = found[found["readout"] == readout]
        for row, training in enumerate(trainings):
            _retested(axes, table[table["training"] == training], row)
        axes.axvline(0, color=INK, linewidth=0.9)
        axes.set_title(f"readout {readout}")
        axes.set_xlabel("S \N{MINUS SIGN} Δ \N{MINUS SIGN} 2 (no unit)")
        axes.set_ylim(len(trainings) - 0.4, -0.6)
    panels[0].set_yticks(range(len(trainings)), trainings, fontsize=8.5)
    handles = [
        panels[0].plot([], [], "x", color=GREY, label="when it was selected")[0],
        panels[0].plot([], [], "o", color=BLUE, label="on fresh replicas, 95 % interval")[0],
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _retested(axes: Axes, table: pd.DataFrame, row: int) -> None:
    place = row + np.linspace(-0.25, 0.25, len(table)) if len(table) > 1 else np.array([row])
    value = table["contextuality"]
    errors = [value - table["contextuality_low"], table["contextuality_high"] - value]
    axes.errorbar(
        value, place[: len(table)], xerr=errors, fmt="o", markersize=3.5, color=BLUE, linewidth=1.2
    )
    axes.plot(table["selected"], place[: len(table)], "x", markersize=4, color=GREY)


def wrong_items(shares: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw how often each head is wrong on each item, a panel for each context.

    Parameters
    ----------
    shares
        By context: one row an item, its input bits as index, columns "Alice" and "Bob" with the
        share of replicas in which that head is wrong.
    """
    figure = Figure(figsize=(8.4, 4.6))
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    for axes, (context, table) in zip(panels.flat, shares.items(), strict=True):
        place = np.arange(len(table))
        for side, party, colour, hatch in ((-1, "Alice", ALICE, ""), (1, "Bob", BOB, HATCH)):
            at = place + 0.2 * side
            axes.bar(at, table[party], 0.38, color=colour, hatch=hatch, lw=0, label=party)
        axes.set_title(context, fontsize=10)
        axes.set_xticks(place, table.index, fontsize=8)
        axes.set_ylim(0, 1)
    for axes in panels[-1]:
        axes.set_xlabel("input")
    for axes in panels[:, 0]:
        axes.set_ylabel("share wrong")
    panels[0, 0].legend(fontsize=8.5)
    return figure
