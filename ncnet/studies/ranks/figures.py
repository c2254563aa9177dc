"""S of an encoder, the signalling beside it and what heads get right, against the rank."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ncnet.chsh import CLASSICAL_BOUND
from ncnet.plotting import BLUE, GREY, INK, MARKERS, ORANGE, SERIES, VERMILION

ROWS = (
    (
        "S (no unit)",
        (("s", "training items", BLUE, "o"), ("held_out_s", "held-out items", ORANGE, "s")),
    ),
    (
        "no unit",
        (
            ("delta", "Δ", GREY, "^"),
            ("contextuality", "S \N{MINUS SIGN} Δ \N{MINUS SIGN} 2", VERMILION, "D"),
        ),
    ),
    (
        "share right",
        (
            ("accuracy", "training items", BLUE, "o"),
            ("held_out_accuracy", "held-out items", ORANGE, "s"),
        ),
    ),
)


def ranks(table: pd.DataFrame) -> Figure:
    """Draw S, Delta with what it leaves of S - 2, and accuracy against rank, a column a quartet.

    Parameters
    ----------
    table
        `ncnet.studies.ranks.analysis.by_rank` with a column ``quartet``.
    """
    quartets = list(dict.fromkeys(table["quartet"]))
    figure = Figure(figsize=(0.9 + 2.9 * len(quartets), 7))
    grid = figure.subplots(
        3, len(quartets), sharex="col", sharey="row", squeeze=False, height_ratios=(1.5, 1, 1)
    )
    for column, quartet in zip(grid.T, quartets, strict=True):
        of_quartet = table[table["quartet"] == quartet]
        for axes, (_, lines) in zip(column, ROWS, strict=True):
            for series, shift in zip(lines, (-0.06, 0.06), strict=True):
                if series[0] in of_quartet:
                    _line(axes, of_quartet, *series, shift)
        column[0].set_title(quartet.replace("_", " "), fontsize=10)
        column[1].axhline(0, color=INK, linewidth=0.9)
        _name_ranks(column[-1], of_quartet["rank"])
        column[0].axhline(CLASSICAL_BOUND, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
        # Short: lines run close to the bound from the second rank on.
        column[0].annotate("bound 2", (-0.15, CLASSICAL_BOUND + 0.02), fontsize=8, va="bottom")
    for axes, (label, lines) in zip(grid[:, 0], ROWS, strict=True):
        axes.set_ylabel(label)
        # Betting's intervals at few replicas would squeeze all else into a line.
        values = table[[name for name, *_ in lines if name in table]]
        reach = values.max(axis=None) - values.min(axis=None)
        axes.set_ylim(values.min(axis=None) - 0.2 * reach, values.max(axis=None) + 0.25 * reach)
    for axes in (grid[0, -1], grid[1, -1]):
        axes.legend(loc="best", fontsize=8.5)
    return figure


def partners(table: pd.DataFrame, tasks: dict[str, tuple[str, str, str, str]]) -> Figure:
    """Draw what each task's head gets right beside either partner, a panel a quartet.

    Parameters
    ----------
    table
        `ncnet.studies.ranks.analysis.by_rank` with a column ``quartet``.
    tasks
        Names of A1, A2, B1, B2, by quartet.
    """
    quartets = list(dict.fromkeys(table["quartet"]))
    figure = Figure(figsize=(0.9 + 3.1 * len(quartets), 3.6))
    for axes, quartet in zip(
        figure.subplots(1, len(quartets), sharey=True, squeeze=False)[0], quartets, strict=True
    ):
        rows = table[table["quartet"] == quartet]
        places = np.arange(len(rows))
        for task, name in enumerate(tasks[quartet]):
            party, setting = ("alice", "bob")[task // 2], task % 2 + 1
            for other, style in ((1, "-"), (2, ":")):
                context = f"{setting}{other}" if party == "alice" else f"{other}{setting}"
                axes.plot(
                    places,
                    (1 + rows[f"{party}_{context}"]) / 2,
                    color=SERIES[task],
                    marker=MARKERS[task],
                    linestyle=style,
                    label=name if other == 1 else None,
                )
        axes.set_title(quartet.replace("_", " "), fontsize=10)
        _name_ranks(axes, rows["rank"])
        axes.legend(loc="lower right", fontsize=8.5)
    figure.axes[0].set_ylabel("share of training items right")
    return figure


def _line(
    axes: Axes, table: pd.DataFrame, name: str, label: str, colour: str, marker: str, shift: float
) -> None:
    below = table[name] - table[f"{name}_low"]
    above = table[f"{name}_high"] - table[name]
    axes.errorbar(
        np.arange(len(table)) + shift,
        table[name],
        # Rounding may put an end on the wrong side of what never varies.
        yerr=[below.clip(lower=0), above.clip(lower=0)],
        color=colour,
        marker=marker,
        markersize=4,
        capsize=2.5,
        elinewidth=1,
        label=label,
    )


def _name_ranks(axes: Axes, values: pd.Series) -> None:
    axes.set_xticks(range(len(values)), [_rank(value) for value in values])
    axes.set_xlabel("rank of the adapters")


def _rank(value: float) -> str:
    return "full" if math.isinf(value) else f"{value:g}"
