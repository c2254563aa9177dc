"""What all figures share, and the picture of a report; matplotlib is imported on drawing."""

from __future__ import annotations

import base64
import html
import io
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import numpy as np

from ncnet.chsh.correlators import ALGEBRAIC_BOUND, CLASSICAL_BOUND, SIGNS, TSIRELSON_BOUND
from ncnet.chsh.text import interval_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ncnet.chsh import Report

# Okabe and Ito's palette: told apart with every common kind of colour blindness.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, GREY, INK = "#CC79A7", "#56B4E9", "#8A8A8A", "#222222"
ALICE, BOB = BLUE, VERMILION
CONTEXTS = ((1, 1), (1, 2), (2, 1), (2, 2))
CONTEXT_COLOURS = dict(zip(CONTEXTS, (GREY, BLUE, GREEN, VERMILION), strict=True))
SERIES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
# Blue and vermilion are the same grey: on paper without colours these tell series apart.
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", (0, (6, 1.5)), (0, (3, 1)), (0, (1, 1)), (0, (6, 1, 1, 1)), (0, (1, 2.5)))
HATCH = "////"

BOUNDS = {
    CLASSICAL_BOUND: "classical bound 2",
    TSIRELSON_BOUND: "Tsirelson's bound 2√2",
    ALGEBRAIC_BOUND: "algebraic bound 4",
}
STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "hatch.color": "white",
    "hatch.linewidth": 0.8,
    "grid.color": "#E6E6E6",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "svg.hashsalt": "ncnet",  # the same figure gives the same file
}
MISSING = 'a picture needs matplotlib, which comes with an extra: pip install "ncnet[report]"'


def use_style() -> None:
    """Set the style for all figures that follow; vector graphics in a notebook."""
    import matplotlib
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    set_matplotlib_formats("svg")
    matplotlib.rcParams.update(STYLE)


def draw_bounds(axes: Axes, highest: float) -> None:
    """Draw the bounds of S up to `highest`, each named at the left-hand edge, clear of the data."""
    for bound, label in BOUNDS.items():
        if bound <= highest:
            axes.axhline(bound, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
            axes.annotate(
                label,
                (0, bound),
                xycoords=("axes fraction", "data"),
                xytext=(4, 3),
                textcoords="offset points",
                fontsize=8,
                color=INK,
            )


def picture(report: Report) -> Figure:
    """Draw a report: S among its bounds, the correlators that it is made of, what tasks lose.

    Raises
    ------
    ImportError
        Without matplotlib; the line names the extra that brings it.
    """
    with _style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(5.8, 5.6))
        axes = figure.subplot_mosaic(
            [["line", "line"], ["waterfall", "drops"]],
            height_ratios=(1, 1.75),
            width_ratios=(1.15, 1),
        )
        _draw_line(axes["line"], report)
        _draw_waterfall(axes["waterfall"], report)
        _draw_drops(axes["drops"], report)
        figure.get_layout_engine().set(h_pad=0.08)
    return figure


def image(report: Report) -> str:
    """Return the picture of a report as an image of HTML, which holds all that it shows."""
    content = io.BytesIO()
    with _style():
        picture(report).savefig(content, format="svg", metadata={"Date": None})
    encoded = base64.b64encode(content.getvalue()).decode()
    alternative = html.escape(described(report))
    return (
        f'<img src="data:image/svg+xml;base64,{encoded}" alt="{alternative}" '
        'style="max-width: 100%; height: auto">'
    )


def described(report: Report) -> str:
    """Return what the picture shows, for somebody who does not see it."""
    correlators = ", ".join(f"{value:.2f}" for value in report.correlators.ravel())
    drops = "; ".join(
        f"{row.task} {row.points:.1f} points beside {row.beside}"
        for row in report.drops.itertuples()
    )
    return (
        f"Three parts. A line with S = {report.s:.2f} {interval_text(report.interval)} among the "
        f"bounds 2, 2 + Δ = {2 + report.delta:.2f} and {TSIRELSON_BOUND:.2f}. The correlators "
        f"{correlators} as steps that lead to S, the last one subtracted. {_loses(report)}: "
        f"{drops}."
    )


def _loses(report: Report) -> str:
    return "How much rarer +1 is" if report.readout == "prediction" else "What each task loses"


def _style() -> AbstractContextManager:
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise ImportError(MISSING) from None
    return matplotlib.rc_context(STYLE)


def _draw_line(axes: Axes, report: Report) -> None:
    low, high = report.interval
    errors = np.maximum(0, [[report.s - low], [high - report.s]])
    bounds = (
        (CLASSICAL_BOUND + report.delta, "2 + Δ", (0, (5, 2)), 0.86),
        (CLASSICAL_BOUND, "2", "-", 0.62),
        (TSIRELSON_BOUND, "2√2", (0, (1, 1.5)), 0.62),
    )
    for bound, label, dashes, top in bounds:
        axes.axvline(bound, 0, top, color=INK, linewidth=1.1, linestyle=dashes)
        axes.annotate(
            label,
            (bound, top),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            va="bottom",
            bbox={"facecolor": "white", "linewidth": 0, "pad": 1.5},
            zorder=4,
        )
    axes.errorbar(report.s, 0.3, xerr=errors, fmt="o", color=BLUE, capsize=7)
    ends = [low, high, *(bound for bound, *_ in bounds)]
    margin = 0.06 * (max(ends) - min(ends))
    axes.set_xlim(min(ends) - margin, max(ends) + margin)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"S (no unit); {100 * report.level:g} % interval")
    axes.set_title(f"S = {report.s:.3f}, {report.verdict}")


def _draw_waterfall(axes: Axes, report: Report) -> None:
    steps = (SIGNS.values * report.correlators).ravel()
    ends = np.cumsum(steps)
    intervals = report.correlator_intervals.reshape(4, 2) - report.correlators.reshape(4, 1)
    intervals *= (-1, 1)
    for place, (step, end) in enumerate(zip(steps, ends, strict=True)):
        colour = VERMILION if place == 3 else SKY
        start = end - step
        axes.bar(place, step, 0.62, start, color=colour, hatch=HATCH if place == 3 else None)
        axes.annotate(
            "",
            (place, end),
            (place, start),
            arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 0.9, "shrinkA": 0},
        )
        errors = np.maximum(0, intervals[place][:: -1 if place == 3 else 1])
        axes.errorbar(place + 0.2, end, errors[:, None], color=INK, capsize=2.5, linewidth=1)
        if place:
            axes.plot([place - 1, place], [start, start], color=INK, linewidth=0.7)
    axes.plot([3, 4], [ends[3], ends[3]], color=INK, linewidth=0.7)
    axes.bar(4, report.s, 0.62, color=BLUE)
    axes.axhline(CLASSICAL_BOUND, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), zorder=3)
    axes.annotate(
        "bound 2",
        (0, CLASSICAL_BOUND),
        xycoords=("axes fraction", "data"),
        xytext=(3, 2),
        textcoords="offset points",
        fontsize=8,
    )
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(range(5), ["C11", "+ C12", "+ C21", "- C22", "= S"], fontsize=9)
    axes.grid(axis="x", visible=False)
    axes.set_ylabel("sum so far (no unit)")
    axes.set_title("Three correlators less one")


def _draw_drops(axes: Axes, report: Report) -> None:
    rows = report.drops
    places = np.arange(len(rows))[::-1]
    points = rows["points"]
    errors = np.maximum(0, [points - rows["low"], rows["high"] - points])
    axes.barh(places, points, 0.5, color=ORANGE)
    axes.errorbar(points, places, xerr=errors, fmt="none", color=INK, capsize=3, linewidth=1)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(places, [f"{row.task} beside {row.beside}" for row in rows.itertuples()])
    axes.tick_params(axis="y", labelsize=9)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("percentage points")
    axes.set_title(_loses(report))
