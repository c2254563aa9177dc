"""The atlas of games, and what became of those that stood out."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import setp
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from ncnet import plotting, renamed
from ncnet.plotting import ALICE, BLUE, BOB, DASHED, GREY, HATCH, LIGHT_GREY, SOLID, VERMILION

GRID = 70
KINDS = (
    (True, VERMILION, "o", "more than signalling explains"),
    (False, GREY, "D", "not shown to be more"),
)
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
    rows, columns = ([*dict.fromkeys(part)] for part in zip(*surveys, strict=True))
    size = (3 * len(columns) + 0.6, 2.9 * len(rows))
    figure, grid = plotting.subplots(size, len(rows), len(columns), sharex="col", sharey="col")
    most = max(map(len, surveys.values()))
    for place, size in enumerate(columns):
        reach = _reach(pd.concat(table for (_, n), table in surveys.items() if n == size))
        for axes, activation in zip(grid[:, place], rows, strict=True):
            drawn = _cloud(axes, surveys[activation, size], reach, most)
            axes.set_title(f"{activation}, n = {size}")
    setp(grid[-1], xlabel="Δ (no unit)")
    setp(grid[:, 0], ylabel="S \N{MINUS SIGN} 2 (no unit)")
    figure.colorbar(drawn, ax=grid, label="games", shrink=0.8)
    return figure


def _reach(table: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    lowest, highest = table["s"].min() - 2, table["s"].max() - 2
    margin = 0.05 * (highest - lowest) + 1e-3
    return (0, table["delta"].max() + margin), (lowest - margin, highest + 2 * margin)


def _cloud(axes: Axes, table: pd.DataFrame, reach: tuple[tuple, tuple], most: int) -> object:
    look = {"cmap": "Blues", "norm": LogNorm(0.3, most), "cmin": 1, "rasterized": True}
    *_, drawn = axes.hist2d(table["delta"], table["s"] - 2, bins=GRID, range=reach, **look)
    axes.plot(reach[0], reach[0], **DASHED)
    axes.axhline(0, color=GREY, linewidth=0.8)
    above = table[table["excess"] > ROUNDING]
    axes.plot(above["delta"], above["s"] - 2, "o", mfc="none", color=VERMILION)
    axes.set(xlim=reach[0], ylim=reach[1])
    return drawn


def confirmations(found: pd.DataFrame, readouts: Sequence[str]) -> Figure:
    """Draw S - Delta - 2 of games on fresh replicas, beside what selection promised.

    Parameters
    ----------
    found
        Confirmations, as `ncnet.studies.atlas.analysis.run` has them, with a column ``training``
        that names each training.
    readouts
        A panel for each.
    """
    trainings = pd.Index(found["training"].unique())
    size = (8.4, 1 + 0.42 * len(trainings))
    figure, [panels] = plotting.subplots(size, 1, len(readouts), sharey=True)
    for axes, readout in zip(panels, readouts, strict=True):
        table = found[found["readout"] == readout]
        of_training = table.groupby("training")["training"]
        last = of_training.transform("size") - 1
        spread = 0.5 * (of_training.cumcount() - last / 2) / last.clip(lower=1)
        places = trainings.get_indexer(table["training"]) + spread
        look = {"flat": True, "capsize": 0, "marker": "o", "markersize": 3.5, "color": BLUE}
        label = "on fresh replicas, 95 % interval"
        plotting.points(axes, table, places, "excess", label=label, **look)
        look = {"markersize": 4, "color": GREY, "label": "when it was selected"}
        axes.plot(table["selected"], places, "x", **look)
        axes.axvline(0, **SOLID)
        axes.set_title(f"readout {readout}")
        axes.set_xlabel("S \N{MINUS SIGN} Δ \N{MINUS SIGN} 2 (no unit)")
    plotting.name_rows(panels[0], trainings, fontsize=8.5)
    plotting.legend_once(panels[0], below=figure)
    return figure


def left_over(capacity: pd.DataFrame, found: pd.DataFrame) -> Figure:
    """Draw what signalling leaves of S: in named games where S is above 2, and in games found.

    Parameters
    ----------
    capacity
        As `ncnet.chsh.by_capacity` returns it, over ``hidden_size``, with a column ``game``.
    found
        Confirmations of games under one readout, with a column ``held``: whether each holds.
    """
    above = capacity[capacity["verdict"] == "above 2"]
    names = " and ".join(above["game"].unique())
    named = above.assign(held=above["explanation"] == "contextual")
    by_size = found.groupby("hidden_size")
    rows = {f"{names}\nwhere S is above 2": named}
    rows |= {f"games found,\nn = {size}": table for size, table in by_size}
    figure, axes = plotting.subplots((7.6, 0.9 + 0.75 * len(rows)))
    axes.axvspan(-1, 0, color=LIGHT_GREY, alpha=0.35, linewidth=0)
    axes.axvline(0, **SOLID)
    for place, table in enumerate(rows.values()):
        table = table.sort_values("excess", ascending=False)
        places = place + np.linspace(-0.3, 0.3, len(table))
        for held, colour, marker, label in KINDS:
            of_kind = (table["held"] == held).to_numpy()
            look = {"color": colour, "marker": marker, "capsize": 0, "markersize": 4.5}
            look |= {"flat": True, "label": label}
            plotting.points(axes, table[of_kind], places[of_kind], "excess", **look)
    plotting.name_rows(axes, list(rows))
    axes.grid(axis="y", visible=False)
    highest = max(table["excess_high"].max() for table in rows.values())
    axes.set_xlim(-0.25 * highest, 1.05 * highest)
    edge = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    axes.annotate("signalling\nexplains S", (0, 0), (-8, 8), ha="right", **edge)
    axes.set_xlabel("what signalling leaves of S: S \N{MINUS SIGN} Δ \N{MINUS SIGN} 2 (no unit)")
    plotting.legend_once(axes, loc="lower right")
    return figure


def wrong_items(shares: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw how often each head is wrong on each item, a panel for each context.

    Parameters
    ----------
    shares
        By context: one row an item, its input bits as index, columns "Alice" and "Bob" with the
        share of replicas in which that head is wrong.
    """
    figure, panels = plotting.subplots((8.4, 4.6), 2, 2, sharex=True, sharey=True)
    for axes, (context, table) in zip(panels.flat, shares.items(), strict=True):
        place = np.arange(len(table))
        for side, party, colour, hatch in ((-1, "Alice", ALICE, ""), (1, "Bob", BOB, HATCH)):
            at = place + 0.2 * side
            axes.bar(at, table[party], 0.38, color=colour, hatch=hatch, lw=0, label=party)
        axes.set(title=context, ylim=(0, 1))
        axes.set_xticks(place, table.index, fontsize=8)
    setp(panels[-1], xlabel="input")
    setp(panels[:, 0], ylabel="share wrong")
    panels[0, 0].legend()
    return figure


__getattr__ = renamed.names(__name__, {"retests": "confirmations"})
