"""How often intervals cover and tests reject where the truth is known: worst ones and tables."""

import math

import numpy as np
import pandas as pd
from matplotlib.artist import setp
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from ncnet import plotting, renamed
from ncnet.chsh.intervals import share_interval
from ncnet.plotting import BLUE, DASHED, GREY, INK, VERMILION

NOMINAL = 0.95
CONFIDENCE = 0.99
"""Of the interval of a simulated share, which decides whether a cell is framed."""
QUANTITIES = {
    "s": "S",
    "influence": "influence",
    "delta": "Δ",
    "excess": "S - Δ - 2",
    "excess_within": "S - Δ - 2, within",
    "share_above": "share above 2",
}
HYPOTHESES = {
    "s": "S ≤ 2",
    "s_below": "S ≥ 2",
    "delta": "Δ = 0",
    "excess": "S - Δ ≤ 2",
    "any_facet": "any facet - Δ ≤ 2",
}
FRAME = {"fill": False, "edgecolor": VERMILION, "linewidth": 1.4}
COLUMNS = 6
ROW_HEIGHT, COLUMN_WIDTH, LABEL_WIDTH, HEADING = 0.2, 1.22, 1.15, 0.75  # inches


def limits(table: pd.DataFrame) -> pd.DataFrame:
    """Return the exact 99 % interval of each share, as columns ``low`` and ``high``.

    Parameters
    ----------
    table
        Its rows have a ``share``, of so many ``simulations``.
    """
    many = table["simulations"]
    low, high = share_interval((table["share"] * many).round(), many, CONFIDENCE)
    return pd.DataFrame({"low": low, "high": high}, index=table.index)


def undercovers(table: pd.DataFrame) -> pd.Series:
    """Return which rows are intervals that credibly cover less often than in 95 %.

    Parameters
    ----------
    table
        What `ncnet.studies.calibration.analysis.run` returns.
    """
    return (table["kind"] == "interval") & (limits(table)["high"] < NOMINAL)


def oversized(table: pd.DataFrame) -> pd.Series:
    """Return which rows are tests that credibly reject a true hypothesis more often than in 5 %.

    Parameters
    ----------
    table
        What `ncnet.studies.calibration.analysis.run` returns.
    """
    true = (table["kind"] == "test") & table["null"].eq(True)
    return true & (limits(table)["low"] > round(1 - NOMINAL, 12))


def lowest_coverage(table: pd.DataFrame) -> Figure:
    """Draw the lowest coverage of each interval, a row each, and that at most replicas.

    The model and the number of replicas in which it is lowest stand beside it.

    Parameters
    ----------
    table
        What `ncnet.studies.calibration.analysis.run` returns. Tests are left out.
    """
    intervals = table[table["kind"] == "interval"].assign(short=undercovers)
    most = intervals["replicas"].max()
    worst = _lowest(intervals)
    at_most = _lowest(intervals[intervals["replicas"] == most]).reindex(worst.index)
    figure, axes = plotting.subplots((7.6, 1.3 + 0.32 * len(worst)))
    places = np.arange(len(worst))
    axes.hlines(places, 100 * worst["share"], 100 * at_most["share"], color=GREY, linewidth=1)
    axes.axvline(100 * NOMINAL, zorder=1, **DASHED)
    short = worst["short"].to_numpy(bool)
    for shown, label, look in (
        (~short, "lowest of all, in keeping with the claim", {"color": BLUE, "marker": "o"}),
        (short, "lowest of all, credibly below the claim", {"color": VERMILION, "marker": "X"}),
    ):
        look |= {"linestyle": "none", "markersize": 9, "zorder": 4, "label": label}
        axes.plot(100 * worst.loc[shown, "share"], places[shown], **look)
    hollow = {"marker": "o", "mfc": "white", "color": INK, "linestyle": "none", "markersize": 5}
    hollow |= {"zorder": 5, "label": f"lowest at {most:,} replicas"}
    axes.plot(100 * at_most["share"], places, **hollow)
    plotting.name_rows(axes, [f"{QUANTITIES[of]}: {method}" for of, method in worst.index])
    axes.grid(axis="y", visible=False)
    beside = {"xycoords": ("axes fraction", "data"), "va": "center", "fontsize": 8.5, "color": INK}
    for place, row in zip(places, worst.itertuples(), strict=True):
        text = f"{row.model}, {row.replicas:,} replicas"
        axes.annotate(text, (1.03, place), annotation_clip=False, **beside)
    where = {"xycoords": "axes fraction", "fontsize": 8.5, "weight": "bold", "color": INK}
    axes.annotate("lowest in", (1.03, 1.02), annotation_clip=False, **where)
    claim = {"xycoords": ("data", "axes fraction"), "fontsize": 8.5, "ha": "right"}
    axes.annotate(f"claimed: {100 * NOMINAL:g} %", (100 * NOMINAL, 1.02), **claim)
    axes.set(xlim=(-3, 103), xlabel="experiments in which the interval holds the truth, in %")
    plotting.legend_once(axes, below=figure, fontsize=8.5)
    return figure


def _lowest(intervals: pd.DataFrame) -> pd.DataFrame:
    """Return the row of each interval with the lowest share, the highest of these first."""
    rows = intervals.loc[intervals.groupby(["quantity", "method"], sort=False)["share"].idxmin()]
    return rows.sort_values("share", ascending=False, kind="stable").set_index(
        ["quantity", "method"]
    )


def coverage(table: pd.DataFrame) -> Figure:
    """Draw how often each interval covers, in %: a panel an interval, a row a model.

    Framed is what covers credibly less often than in 95 % of the experiments.

    Parameters
    ----------
    table
        What `ncnet.studies.calibration.analysis.run` returns. Tests are left out.
    """
    intervals = table[table["kind"] == "interval"].assign(framed=undercovers)
    intervals["heading"] = "Experiments in which the interval covers the truth, in %"
    framed = "covers credibly less often than in 95 % of the experiments"
    return _draw(intervals, QUANTITIES, COLUMNS, framed)


def rejections(table: pd.DataFrame) -> Figure:
    """Draw how often each test rejects at 5 %, in %: where its hypothesis is true, where false.

    Framed is what rejects a true hypothesis credibly more often than in 5 % of the experiments.

    Parameters
    ----------
    table
        What `ncnet.studies.calibration.analysis.run` returns. Intervals are left out.
    """
    tests = table[table["kind"] == "test"].assign(framed=oversized)
    rejects = "Experiments in which the test rejects, in %, where the hypothesis is"
    tests["heading"] = np.where(tests["null"].eq(True), f"{rejects} true", f"{rejects} false")
    methods = len(tests[["quantity", "method"]].drop_duplicates())
    framed = "rejects a true hypothesis credibly more often than in 5 %"
    return _draw(tests, HYPOTHESES, methods, framed)


def _draw(table: pd.DataFrame, names: dict[str, str], columns: int, framed: str) -> Figure:
    """Draw panels by quantity and method below each heading: models from above, replicas across."""
    places = table["quantity"].map(list(names).index)
    panels = table.assign(place=places).groupby(["place", "quantity", "method"], sort=False)
    panels = sorted(panels.groups, key=lambda panel: panel[0])
    rows = math.ceil(len(panels) / columns)
    parts = list(table.groupby("heading"))[::-1]
    heights = [rows * (HEADING + ROW_HEIGHT * part["model"].nunique()) for _, part in parts]
    figure = Figure(figsize=(LABEL_WIDTH + COLUMN_WIDTH * columns, sum(heights) + 0.6))
    below = np.ravel(figure.subfigures(len(parts), 1, height_ratios=heights))
    counts = np.unique(table["replicas"])
    for subfigure, (heading, part) in zip(below, parts, strict=True):
        subfigure.suptitle(heading, x=0.01, ha="left", fontsize=10.5)
        grid = subfigure.subplots(rows, columns, squeeze=False)
        models = part["model"].unique()
        for axes, (_, quantity, method) in zip(grid.flat, panels, strict=False):
            cells = part[(part["quantity"] == quantity) & (part["method"] == method)]
            _draw_cells(axes, cells, models, counts)
            axes.set_title(f"{names[quantity]}\n{method}", fontsize=9)
        setp(grid[-1], xlabel="replicas")
        for axes in grid[:, 0]:
            axes.set_yticks(np.arange(len(models)) + 0.5, models, fontsize=8.5)
        for unused in grid.flat[len(panels) :]:
            unused.remove()
    below[-1].legend(handles=[Patch(label=framed, **FRAME)], loc="outside lower center")
    return figure


def _draw_cells(axes: Axes, table: pd.DataFrame, models: np.ndarray, counts: np.ndarray) -> None:
    shares, framed = (
        table.pivot(index="model", columns="replicas", values=name).reindex(models, columns=counts)
        for name in ("share", "framed")
    )
    shares, framed = shares.to_numpy(float), framed.eq(True).to_numpy()
    axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=2, edgecolors="white", linewidth=0.7)
    for (row, column), share in np.ndenumerate(shares):
        place = {"x": column + 0.5, "y": row + 0.5, "ha": "center"}
        weight = "bold" if framed[row, column] else "normal"
        if np.isnan(share):
            axes.text(s="·", color=GREY, va="center", **place)
        else:
            look = {"fontsize": 7.5, "color": INK, "fontweight": weight, "va": "center_baseline"}
            axes.text(s=f"{100 * share:.0f}", **look, **place)
        if framed[row, column]:
            axes.add_patch(Rectangle((column + 0.06, row + 0.07), 0.88, 0.86, **FRAME))
    axes.set_ylim(len(models), 0)
    axes.set_xticks(np.arange(len(counts)) + 0.5, [f"{n:,}" for n in counts], fontsize=7)
    axes.set_yticks([])
    axes.tick_params(pad=2)
    plotting.without_frame(axes)


__getattr__ = renamed.names(__name__, {"short": "undercovers"})
