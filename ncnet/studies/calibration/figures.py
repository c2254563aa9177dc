"""How often intervals cover and tests reject where the truth is known: two tables of shares."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.patches import Patch, Rectangle

from ncnet.chsh.intervals import share_interval
from ncnet.plotting import GREY, INK, VERMILION

NOMINAL = 0.95
CONFIDENCE = 0.99
"""Of the interval of a simulated share, which decides whether a cell is framed."""
QUANTITIES = {
    "s": "S",
    "influence": "influence",
    "delta": "Δ",
    "contextuality": "S - Δ - 2",
    "contextuality_within": "S - Δ - 2, within",
    "share_above": "share above 2",
}
HYPOTHESES = {
    "s": "S ≤ 2",
    "delta": "Δ = 0",
    "contextuality": "S - Δ ≤ 2",
    "any_facet": "any facet - Δ ≤ 2",
}
COLUMNS = 6
ROW_HEIGHT, COLUMN_WIDTH, LABEL_WIDTH, HEADING = 0.2, 1.22, 1.15, 0.75  # inches


def limits(table: pd.DataFrame) -> pd.DataFrame:
    """Return the exact 99 % interval of each share, as columns ``low`` and ``high``.

    Parameters
    ----------
    table
        With a ``share`` of so many ``simulations`` in each row.
    """
    many = table["simulations"]
    low, high = share_interval((table["share"] * many).round(), many, CONFIDENCE)
    return pd.DataFrame({"low": low, "high": high}, index=table.index)


def short(table: pd.DataFrame) -> pd.Series:
    """Return which rows are intervals that credibly cover less often than in 95 %.

    Parameters
    ----------
    table
        Of `ncnet.studies.calibration.analysis.run`.
    """
    return (table["kind"] == "interval") & (limits(table)["high"] < NOMINAL)


def oversized(table: pd.DataFrame) -> pd.Series:
    """Return which rows are tests that credibly reject a true hypothesis more often than in 5 %.

    Parameters
    ----------
    table
        Of `ncnet.studies.calibration.analysis.run`.
    """
    true = (table["kind"] == "test") & table["null"].eq(True)
    return true & (limits(table)["low"] > round(1 - NOMINAL, 12))


def coverage(table: pd.DataFrame) -> Figure:
    """Draw how often each interval covers, in %: a panel an interval, a row a model.

    Framed is what covers credibly less often than in 95 % of the experiments.

    Parameters
    ----------
    table
        Of `ncnet.studies.calibration.analysis.run`: ``kind``, ``quantity``, ``method``, ``share``,
        ``model``, ``replicas``, ``simulations``. Tests are left out.
    """
    drawn = table[table["kind"] == "interval"].assign(framed=short)
    panels = _methods(drawn, QUANTITIES)
    models = list(dict.fromkeys(drawn["model"]))
    height = HEADING + ROW_HEIGHT * len(models)
    rows = -(-len(panels) // COLUMNS)
    figure = Figure(figsize=(LABEL_WIDTH + COLUMN_WIDTH * COLUMNS, rows * height + 0.6))
    grid = figure.subplots(rows, COLUMNS, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, (quantity, method) in zip(grid.flat, panels, strict=False):
        _panel(axes, _of(drawn, quantity, method), models, _counts(drawn))
        axes.set_title(f"{QUANTITIES[quantity]}\n{method}", fontsize=9)
    _label(grid, models)
    _head(figure, "Experiments in which the interval covers the truth, in %")
    _explain_frames(figure, "covers credibly less often than in 95 % of the experiments")
    return figure


def rejections(table: pd.DataFrame) -> Figure:
    """Draw how often each test rejects at 5 %, in %: where its hypothesis is true, where false.

    Framed is what rejects a true hypothesis credibly more often than in 5 % of the experiments.

    Parameters
    ----------
    table
        Of `ncnet.studies.calibration.analysis.run`, with the column ``null`` beside those of
        `coverage`. Intervals are left out.
    """
    drawn = table[table["kind"] == "test"].assign(framed=oversized)
    panels = _methods(drawn, HYPOTHESES)
    true = drawn["null"].astype(bool)
    parts = {
        "the hypothesis is true": drawn[true],
        "the hypothesis is false": drawn[~true],
    }
    parts = {truth: part for truth, part in parts.items() if len(part)}
    models = {truth: list(dict.fromkeys(part["model"])) for truth, part in parts.items()}
    heights = [HEADING + ROW_HEIGHT * len(names) for names in models.values()]
    width = LABEL_WIDTH + COLUMN_WIDTH * len(panels)
    figure = Figure(figsize=(width, sum(heights) + 0.6))
    halves = np.atleast_1d(figure.subfigures(len(parts), 1, height_ratios=heights))
    for half, (truth, part) in zip(halves, parts.items(), strict=True):
        _head(half, f"Experiments in which the test rejects, in %, where {truth}")
        grid = half.subplots(1, len(panels), squeeze=False)
        for axes, (quantity, method) in zip(grid.flat, panels, strict=True):
            _panel(axes, _of(part, quantity, method), models[truth], _counts(drawn))
            axes.set_title(f"{HYPOTHESES[quantity]}\n{method}", fontsize=8.5)
        _label(grid, models[truth])
    _explain_frames(halves[-1], "rejects a true hypothesis credibly more often than in 5 %")
    return figure


def _methods(table: pd.DataFrame, quantities: dict[str, str]) -> list[tuple[str, str]]:
    """Return quantity and method of each panel, the quantities in the order given."""
    found = table[["quantity", "method"]].drop_duplicates().itertuples(index=False, name=None)
    return sorted(found, key=lambda pair: list(quantities).index(pair[0]))


def _of(table: pd.DataFrame, quantity: str, method: str) -> pd.DataFrame:
    return table[(table["quantity"] == quantity) & (table["method"] == method)]


def _counts(table: pd.DataFrame) -> list[int]:
    return sorted(table["replicas"].unique())


def _panel(axes: Axes, table: pd.DataFrame, models: list[str], counts: list[int]) -> None:
    """Draw a cell for each model (rows, from above) and number of replicas (columns)."""
    shares = table.pivot(index="model", columns="replicas", values="share")
    shares = shares.reindex(index=models, columns=counts).to_numpy(float)
    axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=2, edgecolors="white", linewidth=0.7)
    for row in table.itertuples():
        place = counts.index(row.replicas), models.index(row.model)
        _write(axes, *place, f"{100 * row.share:.0f}", framed=row.framed)
    for row, column in np.argwhere(np.isnan(shares)):
        axes.text(column + 0.5, row + 0.5, "·", ha="center", va="center", color=GREY)
    axes.set_ylim(len(models), 0)
    axes.set_xticks(np.arange(len(counts)) + 0.5, [f"{n:,}" for n in counts], fontsize=7)
    axes.set_yticks([])
    axes.tick_params(length=0, pad=2)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _write(axes: Axes, column: int, row: int, text: str, *, framed: bool) -> None:
    weight = "bold" if framed else "normal"
    middle = {"ha": "center", "va": "center_baseline"}
    axes.text(column + 0.5, row + 0.5, text, fontsize=7.5, color=INK, fontweight=weight, **middle)
    if framed:
        corner = (column + 0.06, row + 0.07)
        axes.add_patch(
            Rectangle(corner, 0.88, 0.86, fill=False, edgecolor=VERMILION, linewidth=1.4)
        )


def _label(grid: np.ndarray, models: list[str]) -> None:
    for axes in grid[:, 0]:
        axes.set_yticks(np.arange(len(models)) + 0.5, models, fontsize=8.5)
    for axes in grid[-1]:
        axes.set_xlabel("replicas", fontsize=8.5)


def _head(figure: FigureBase, text: str) -> None:
    figure.suptitle(text, x=0.01, ha="left", fontsize=10.5)


def _explain_frames(figure: FigureBase, meaning: str) -> None:
    frame = Patch(fill=False, edgecolor=VERMILION, linewidth=1.4, label=meaning)
    figure.legend(handles=[frame], loc="outside lower center", fontsize=8.5)
