"""S beside what signals and what the signalling leaves unexplained."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from ncnet.plotting import BLUE, GREY, INK, ORANGE, VERMILION

LINES = (
    ("excess", "S \N{MINUS SIGN} 2", BLUE, "o"),
    ("influence", "influence", GREY, "^"),
    ("delta", "Δ", ORANGE, "s"),
    ("contextuality", "S \N{MINUS SIGN} Δ \N{MINUS SIGN} 2", VERMILION, "D"),
)


def signalling(live: pd.DataFrame, recorded: pd.DataFrame | None = None) -> Figure:
    """Draw S - 2, Delta, influence and S - Delta - 2 against hidden units, a column for each game.

    Lines with bands are recorded, with 95 % intervals; hollow points with bars are live.

    Parameters
    ----------
    live, recorded
        Tables of `ncnet.chsh.by_capacity` with a column ``game``; `recorded` may be None.
    """
    games = list(dict.fromkeys(live["game"]))
    figure = Figure(figsize=(4.3 * len(games), 4.6))
    for axes, game in zip(
        figure.subplots(1, len(games), sharey=True, squeeze=False)[0], games, strict=True
    ):
        for name, label, colour, marker in LINES:
            if recorded is not None:
                _line(axes, _of(recorded, game), name, colour, label)
            _points(axes, _of(live, game), name, colour, marker)
        axes.axhline(0, color=INK, linewidth=0.9)
        axes.set_title(f"game {game}")
        axes.set_xlabel("hidden units n")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    first = figure.axes[0]
    first.set_ylabel("distance from 0 (no unit)")
    figure.legend(
        handles=[
            first.plot([], [], color=colour, marker=marker, mfc="white", label=label)[0]
            for _, label, colour, marker in LINES
        ],
        loc="outside lower center",
        ncols=len(LINES),
    )
    return figure


def _of(table: pd.DataFrame, game: str) -> pd.DataFrame:
    rows = table[table["game"] == game]
    shifted = {f"excess{end}": rows[f"s{end}"] - 2 for end in ("", "_low", "_high")}
    return rows.assign(**shifted)


def _line(axes: Axes, table: pd.DataFrame, name: str, colour: str, label: str) -> None:
    n = table["hidden_size"]
    axes.fill_between(
        n, table[f"{name}_low"], table[f"{name}_high"], color=colour, alpha=0.25, linewidth=0
    )
    axes.plot(n, table[name], color=colour, label=label)


def _points(axes: Axes, table: pd.DataFrame, name: str, colour: str, marker: str) -> None:
    low, high = table[name] - table[f"{name}_low"], table[f"{name}_high"] - table[name]
    axes.errorbar(
        table["hidden_size"],
        table[name],
        yerr=np.array([low, high]).clip(min=0),
        fmt=marker,
        color=colour,
        mfc="white",
        capsize=3,
        linewidth=1.2,
    )


WAYS = {
    "nothing changes": ("11110110", "11110110"),
    "influence, no signalling": ("11110000", "01011010"),
    "signalling": ("11111110", "01011010"),
}


def three_ways() -> Figure:
    """Draw one task's outcomes on eight items in its two contexts, for three kinds of parties."""
    figure = Figure(figsize=(8.4, 1.7))
    for axes, (title, contexts) in zip(
        figure.subplots(1, 3, sharey=True), WAYS.items(), strict=True
    ):
        for row, outcomes in enumerate(contexts):
            for item, outcome in enumerate(outcomes):
                right = outcome == "1"
                axes.add_patch(
                    Rectangle(
                        (item + 0.06, 1.06 - row),
                        0.88,
                        0.88,
                        facecolor=BLUE if right else ORANGE,
                        hatch="" if right else "///",
                        edgecolor="white",
                    )
                )
        axes.set_title(title, fontsize=10)
        axes.set_xlim(0, 8)
        axes.set_ylim(0, 2)
        axes.set_yticks([1.5, 0.5], ["Bob's setting 1", "Bob's setting 2"], fontsize=8.5)
        axes.set_xticks([])
        axes.set_aspect("equal")
        axes.grid(visible=False)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
    return figure
