"""Draws what all figures share, and the picture of a report; only drawing imports matplotlib."""

from __future__ import annotations

import base64
import html
import io
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ncnet.chsh.correlators import ALGEBRAIC_BOUND, CLASSICAL_BOUND, SIGNS, TSIRELSON_BOUND
from ncnet.chsh.intervals import with_ends
from ncnet.chsh.outcomes import CONTEXTS
from ncnet.chsh.text import interval_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ncnet.chsh import Report

    Places = str | np.ndarray | pd.Series
    Size = tuple[float, float]
    Layers = list[tuple[Callable, pd.DataFrame]]

# Okabe and Ito's palette: told apart with every common kind of colour blindness.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY = "#CC79A7", "#56B4E9"
LIGHT_GREY, GREY, INK = "#CCCCCC", "#8A8A8A", "#222222"
ALICE, BOB = BLUE, VERMILION
CONTEXT_COLOURS = dict(zip(CONTEXTS, (GREY, BLUE, GREEN, VERMILION), strict=True))
SERIES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
# Blue and vermilion are the same grey: on paper without colours these tell series apart.
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", (0, (6, 1.5)), (0, (3, 1)), (0, (1, 1)), (0, (6, 1, 1, 1)), (0, (1, 2.5)))
HATCH = "////"
TRAINING = {"label": "training items", "color": BLUE, "marker": "o"}
HELD_OUT = {"label": "held-out items", "color": ORANGE, "marker": "s"}

# Lines that values are compared with, at 0 and at a bound.
SOLID = {"color": INK, "linewidth": 0.9}
DASHED = {**SOLID, "linestyle": (0, (4, 3))}
BOUNDS = {
    CLASSICAL_BOUND: "classical bound 2",
    TSIRELSON_BOUND: "Tsirelson's bound 2√2",
    ALGEBRAIC_BOUND: "algebraic bound 4",
}
STYLE = Path(__file__).with_suffix(".mplstyle")
"""matplotlib's style sheet of all figures."""
MISSING = 'a picture needs matplotlib, which comes with an extra: pip install "ncnet[report]"'


def use_style() -> None:
    """Set the style of all figures that follow; a notebook shows them as vector graphics."""
    from matplotlib import style
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    set_matplotlib_formats("svg")
    style.use(STYLE)


def subplots(
    size: Size, rows: int | None = None, columns: int = 1, **options: object
) -> tuple[Figure, Axes | np.ndarray]:
    """Return a figure, and its only panel, or else its panels as an array of rows.

    No figure is kept, as `matplotlib.pyplot.subplots` would keep it.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    if rows is None:
        return figure, figure.subplots()
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def panels(
    count: int, columns: int = 9, *, size: Size, margin: Size = (0, 0), **options: object
) -> tuple[Figure, np.ndarray]:
    """Return a figure and its panels in reading order.

    Parameters
    ----------
    count, columns
        How many panels there are, and how many of them at most in a row.
    size, margin
        Width and height of a panel, and of what lies around them, in inches.
    options
        Passed on to `matplotlib.figure.Figure.subplots`.
    """
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    size = np.multiply(size, (columns, rows)) + margin
    figure, grid = subplots(size, rows, columns, **options)
    for unused in grid.flat[count:]:
        unused.remove()
    return figure, grid.ravel()[:count]


def look(place: int) -> dict[str, object]:
    """Return the colour and the marker of a series by its place in the legend."""
    return {"color": SERIES[place % len(SERIES)], "marker": MARKERS[place % len(MARKERS)]}


def dashed_look(place: int) -> dict[str, object]:
    """Return the look of a series with the dashes of its line."""
    return {**look(place), "linestyle": DASHES[place % len(DASHES)]}


def band(axes: Axes, table: pd.DataFrame, x: Places, name: str, **line: object) -> None:
    """Draw a column over another one as a line, and its interval as a band with this `alpha`."""
    x, low, high = _places(table, x, name)
    alpha = line.pop("alpha", 0.25)
    axes.fill_between(x, low, high, color=line["color"], alpha=alpha, linewidth=0)
    axes.plot(x, table[name], **line)


def points(
    axes: Axes, table: pd.DataFrame, x: Places, name: str, *, flat: bool = False, **look: object
) -> None:
    """Draw a column over another one as points, and its interval as bars; `flat` swaps the axes."""
    x, low, high = _places(table, x, name)
    # Rounding may put an end on the wrong side of what never varies.
    bars = np.maximum(0, [table[name] - low, high - table[name]])
    look = {"linestyle": "none", "elinewidth": 1.2, **look}
    if flat:
        axes.errorbar(table[name], x, xerr=bars, **look)
    else:
        axes.errorbar(x, table[name], yerr=bars, **look)


def hollow(axes: Axes, table: pd.DataFrame, x: Places, name: str, **look: object) -> None:
    """Draw hollow points with bars, for live numbers beside the lines of recorded ones."""
    points(axes, table, x, name, **look | {"linestyle": "none", "mfc": "white"})


def layers(recorded: pd.DataFrame | None, live: pd.DataFrame | None) -> Layers:
    """Return both tables, without None, each with the function that draws it."""
    both = ((band, recorded), (hollow, live))
    return [(draw, table) for draw, table in both if table is not None]


def layers_by(
    column: str, recorded: pd.DataFrame | None, live: pd.DataFrame | None
) -> dict[object, Layers]:
    """Return the `layers` of each value that a column of the last table has."""
    both = layers(recorded, live)
    values = both[-1][1][column].unique()
    return {v: [(draw, table[table[column] == v]) for draw, table in both] for v in values}


def by_context(table: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, dict[str, object]]]:
    """Yield the rows of each context, and its label and look."""
    for place, (context, rows) in enumerate(table.groupby(["alice_setting", "bob_setting"])):
        colour, label = CONTEXT_COLOURS[context], "(A{}, B{})".format(*context)
        yield rows, {**dashed_look(place), "color": colour, "label": label}


def titled(figure: Figure, message: str) -> Figure:
    """Return a figure with a line above it that says what is to be seen."""
    figure.suptitle(message, x=0.01, horizontalalignment="left", fontsize=11.5, weight="bold")
    return figure


def legend_once(axes: Axes, below: Figure | None = None, **options: object) -> None:
    """Name each series of a panel once, in the panel or below all panels.

    A line and its points are one series.
    """
    named = defaultdict(list)
    for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
        named[label].append(handle)
    handles = [tuple(same) for same in named.values()]
    if below is not None:
        options = {"loc": "outside lower center", "ncols": len(named), "fontsize": 9, **options}
    (below or axes).legend(handles, named, **options)


def name_rows(axes: Axes, names: Sequence[str], **text: object) -> None:
    """Name the rows of a panel, the first one at the top."""
    axes.set_yticks(range(len(names)), names, **text)
    axes.set_ylim(len(names) - 0.4, -0.6)


def without_frame(*panels: Axes) -> None:
    """Take away the grid, the ticks' marks and the frame of panels that are drawn as cells."""
    for axes in panels:
        axes.grid(visible=False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)


def dashed_line(axes: Axes, value: float, label: str, *, right: bool = False) -> None:
    """Draw a dashed line across, named above at its left-hand end, or below at its right-hand one.

    The side to choose is the one where the data leave room.
    """
    axes.axhline(value, zorder=1, **DASHED)
    edge = {"xycoords": ("axes fraction", "data"), "annotation_clip": True}
    beside = {"xytext": (4, 3)}
    if right:
        beside = {"xytext": (-4, -3), "ha": "right", "va": "top"}
    beside |= {"textcoords": "offset points", "fontsize": 8, "color": INK}
    axes.annotate(label, (int(right), value), **edge, **beside)


def draw_bounds(axes: Axes, highest: float, *, right: bool = False) -> None:
    """Draw the bounds of S up to `highest`, each with its name, as `dashed_line` does."""
    for bound, label in BOUNDS.items():
        if bound <= highest:
            dashed_line(axes, bound, label, right=right)


def picture(report: Report) -> Figure:
    """Draw a report: S among its bounds, its four correlators, and what each task loses.

    Raises
    ------
    ImportError
        If matplotlib is not installed; the line names the extra that brings it.
    """
    with _style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(5.8, 5.6))
        axes = figure.subplot_mosaic("ss;cd", height_ratios=(1, 1.75), width_ratios=(1.15, 1))
        _draw_line(axes["s"], report)
        _draw_waterfall(axes["c"], report)
        _draw_drops(axes["d"], report)
        figure.get_layout_engine().set(h_pad=0.08)
    return figure


def image(report: Report) -> str:
    """Return the picture of a report as an image of HTML, which holds all that it shows."""
    content = io.BytesIO()
    with _style():
        picture(report).savefig(content, format="svg", metadata={"Date": None})
    encoded = base64.b64encode(content.getvalue()).decode()
    alternative = html.escape(alternative_text(report))
    return (
        f'<img src="data:image/svg+xml;base64,{encoded}" alt="{alternative}" '
        'style="max-width: 100%; height: auto">'
    )


def alternative_text(report: Report) -> str:
    """Return in words what the picture shows, for somebody who does not see it."""
    correlators = ", ".join(f"{value:.2f}" for value in report.correlators.ravel())
    rows = report.drops[["task", "points", "worse_partner"]].itertuples(index=False)
    drops = "; ".join("{} {:.1f} points beside {}".format(*row) for row in rows)
    return (
        f"Three parts. A line with S = {report.s:.2f} {interval_text(report.betting_interval)} "
        f"among the bounds 2, 2 + Δ = {2 + report.delta:.2f} and {TSIRELSON_BOUND:.2f}. The "
        f"correlators {correlators} as steps that lead to S, the last one subtracted. "
        f"{_loses(report)}: {drops}."
    )


def _loses(report: Report) -> str:
    return "How much rarer +1 is" if report.readout == "prediction" else "What each task loses"


def _style() -> AbstractContextManager:
    try:
        from matplotlib import style
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise ImportError(MISSING) from None
    return style.context(STYLE)


def _places(table: pd.DataFrame, x: Places, name: str) -> tuple[Places, pd.Series, pd.Series]:
    """Return places, and the interval in ``NAME_low``, ``NAME_high`` or in ``low``, ``high``."""
    prefix = f"{name}_" if f"{name}_low" in table else ""
    places = table[x] if isinstance(x, str) else x
    return places, table[f"{prefix}low"], table[f"{prefix}high"]


def _draw_line(axes: Axes, report: Report) -> None:
    bounds = (
        (CLASSICAL_BOUND + report.delta, "2 + Δ", (0, (5, 2)), 0.86),
        (CLASSICAL_BOUND, "2", "-", 0.62),
        (TSIRELSON_BOUND, "2√2", (0, (1, 1.5)), 0.62),
    )
    name = {"bbox": {"facecolor": "white", "linewidth": 0, "pad": 1.5}, "zorder": 4}
    above = {"xytext": (0, 2), "textcoords": "offset points", "ha": "center", "va": "bottom"}
    for bound, label, dashes, top in bounds:
        axes.axvline(bound, 0, top, color=INK, linewidth=1.1, linestyle=dashes)
        axes.annotate(label, (bound, top), xycoords=("data", "axes fraction"), **above, **name)
    usual = {"flat": True, "color": BLUE}
    decides = pd.DataFrame([with_ends("s", report.s, report.betting_interval)])
    points(axes, decides, [0.3], "s", marker="o", capsize=7, elinewidth=1.6, **usual)
    kinds = f"{100 * report.level:g} % interval by betting"
    if report.interval_method != "betting":
        points(axes, pd.DataFrame([report.row()]), [0.3], "s", elinewidth=5, alpha=0.4, **usual)
        kinds += ", thick by bootstrap"
    ends = [*report.betting_interval, *report.interval, *(bound for bound, *_ in bounds)]
    margin = 0.06 * np.ptp(ends)
    axes.set(xlim=(min(ends) - margin, max(ends) + margin), ylim=(0, 1), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"S (no unit); {kinds}")
    axes.set_title(f"S = {report.s:.3f}, {report.verdict}")


def _draw_waterfall(axes: Axes, report: Report) -> None:
    signs, places = SIGNS.values.ravel(), np.arange(4)
    steps = signs * report.correlators.ravel()
    ends = steps.cumsum()
    colours, hatches = (SKY, SKY, SKY, VERMILION, BLUE), ("", "", "", HATCH, "")
    starts = [*(ends - steps), 0]
    axes.bar(range(5), [*steps, report.s], 0.62, starts, color=colours, hatch=hatches)
    arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 0.9, "shrinkA": 0}
    for place, start, end in zip(places, starts, ends, strict=False):
        axes.annotate("", (place, end), (place, start), arrowprops=arrow)
    spread = report.correlator_intervals.reshape(4, 2) - report.correlators.reshape(4, 1)
    low, high = ends + np.sort(signs[:, None] * spread).T
    sums = pd.DataFrame({"end": ends, "low": low, "high": high})
    points(axes, sums, places + 0.2, "end", color=INK, capsize=2.5)
    axes.hlines(ends, places, places + 1, color=INK, linewidth=0.7)
    dashed_line(axes, CLASSICAL_BOUND, "bound 2")
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(range(5), ["C11", "+ C12", "+ C21", "- C22", "= S"], fontsize=9)
    axes.grid(axis="x", visible=False)
    axes.set(ylabel="sum so far (no unit)", title="Three correlators less one")


def _draw_drops(axes: Axes, report: Report) -> None:
    rows = report.drops
    places = np.arange(len(rows))[::-1]
    axes.barh(places, rows["points"], 0.5, color=ORANGE)
    points(axes, rows, places, "points", flat=True, color=INK)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(places, rows["task"] + " beside " + rows["worse_partner"], fontsize=9)
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="percentage points", title=_loses(report))
