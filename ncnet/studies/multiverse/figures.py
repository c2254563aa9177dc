"""Draws what becomes of the statements under other choices: a curve, shares and shapes."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import setp
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ncnet import plotting
from ncnet.chsh import CLASSICAL_BOUND, TSIRELSON_BOUND
from ncnet.plotting import BLUE, DASHED, GREY, INK, VERMILION

WORDS = {
    "gradient_descent": "gradient descent",
    "he_normal": "He's initial weights",
    "lecun_normal": "LeCun's initial weights",
    "torch_linear": "torch's initial weights",
}
OPTIMIZER = ["optimizer", "learning_rate"]
SHOWN_CHOICES = ("game", "activation", OPTIMIZER, "initialisation", "steps")
CROSSED = {"s": ("steps", "S", 1.75), "share": ("company", "share solved", 1.9)}
"""What has a line, the name on the axis and the height of a panel, for each column drawn."""


def specification_curve(specifications: pd.DataFrame, statements: Sequence[str]) -> Figure:
    """Draw S of every specification at one hidden size, and below it choices and verdicts.

    Specifications stand side by side, sorted by S. A tick says what a specification chose, and
    which statements hold in it.

    Parameters
    ----------
    specifications
        One row a specification: its choices, ``hidden_size``, ``s``, ``s_low``, ``s_high``, a
        boolean column for each statement, and ``primary``, whether it is the one that stands out.
    statements
        Names of the statements.
    """
    curve = specifications.sort_values("s", ignore_index=True)
    groups = [
        {_label(option): rows.index for option, rows in curve.groupby(choice)}
        for choice in SHOWN_CHOICES
    ]
    groups.append({_in_words(name): curve.index[curve[name]] for name in statements})
    names = [name for group in groups for name in group]
    height = 0.19 * len(names)
    shared = {"sharex": True, "height_ratios": (3, height)}
    figure, [[top], [bottom]] = plotting.subplots((8.4, 3.2 + height), 2, **shared)
    top.vlines(curve.index, curve["s_low"], curve["s_high"], color=BLUE, alpha=0.45, linewidth=1)
    top.plot(curve["s"], ".", color=BLUE, markersize=2.5)
    primary = curve.loc[curve["primary"], "s"]
    if len(primary):
        top.plot(primary, "D", color=VERMILION, label="this book's choices")
        top.legend(loc="lower right")
    plotting.draw_bounds(top, TSIRELSON_BOUND)
    top.set_ylabel(f"S at n = {curve['hidden_size'].iloc[0]} (no unit)")
    top.grid(visible=False, axis="x")
    row = 0
    for group in groups:
        for places in group.values():
            _ticks(bottom, places, row, VERMILION if group is groups[-1] else INK)
            row += 1
        if group is not groups[-1]:
            bottom.axhline(row - 0.5, color=GREY, linewidth=0.5)
    plotting.name_rows(bottom, names, fontsize=8)
    bottom.grid(visible=False)
    bottom.tick_params(length=0)
    bottom.set_xlabel("specifications, sorted by S")
    return figure


def _ticks(axes: Axes, places: pd.Index, row: int, colour: str) -> None:
    # One line with gaps is a hundredth of the file that as many lines are.
    x = np.repeat(places.to_numpy(float), 3)
    y = np.tile([row - 0.38, row + 0.38, np.nan], len(places))
    axes.plot(x, y, color=colour, linewidth=0.7, solid_capstyle="butt")


def shares(table: pd.DataFrame, statements: Sequence[str]) -> Figure:
    """Draw the share of specifications in which each statement holds, by what they chose.

    Parameters
    ----------
    table
        One row an option: ``choice``, ``option``, their number ``specifications``, and a share in
        [0, 1] for each statement.
    statements
        Names of the statements.
    """
    figure, axes = plotting.subplots((6.8, 0.9 + 0.27 * len(table)))
    values = table[list(statements)].to_numpy(float)
    axes.imshow(values, cmap="Blues", vmin=0, vmax=1.35, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, f"{value:.0%}", ha="center", va="center", fontsize=8.5, color=INK)
    rates = table["choice"] == "learning_rate"
    labels = rates.map({True: "learning rate ", False: ""}) + table["option"].map(_label)
    labels += table["specifications"].map("  ({})".format)
    axes.set_yticks(range(len(table)), labels, fontsize=8.5)
    axes.set_xticks(range(len(statements)), map(_in_words, statements))
    axes.xaxis.tick_top()
    plotting.without_frame(axes)
    for row in np.flatnonzero(table["choice"].ne(table["choice"].shift())[1:]) + 0.5:
        axes.axhline(row, color="white", linewidth=4)
    return figure


def shares_of_choices(held: Mapping[str, float]) -> Figure:
    """Draw in which share of other choices each statement holds.

    Parameters
    ----------
    held
        The shares, by statement.
    """
    figure, axes = plotting.subplots((6.6, 0.9 + 0.34 * len(held)))
    axes.barh(range(len(held)), held.values(), 0.6, color=BLUE)
    for place, share in enumerate(held.values()):
        axes.text(share - 0.01, place, f"{share:.0%}", va="center", ha="right", color="white")
    plotting.name_rows(axes, list(held))
    axes.axvline(0.5, **DASHED)
    axes.text(0.51, len(held) - 1, "half", va="center")
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set(xlim=(0, 1), xlabel="share of the choices under which it holds")
    return figure


def shapes(table: pd.DataFrame, game: str, initialisation: str) -> Figure:
    """Draw S(n) for each activation (rows) and optimizer (columns), a line a number of steps.

    Parameters
    ----------
    table
        As `ncnet.studies.multiverse.analysis.run` returns it.
    game, initialisation
        Which specifications to draw, in the `correct` readout.
    """
    chosen = "game == @game and initialisation == @initialisation and readout == 'correct'"
    drawn = table.query(chosen).sort_values("steps", kind="stable")
    figure = _crossed(drawn, "activation", OPTIMIZER, "s")
    for axes in figure.axes:
        axes.axhline(CLASSICAL_BOUND, zorder=1, **DASHED)
    return figure


def retrained(pairs: pd.DataFrame, capacities: Sequence[int]) -> Figure:
    """Draw live S beside recorded S, a panel a training.

    Parameters
    ----------
    pairs
        Rows of a live table, with the recorded ones of the same specification and hidden size
        under the suffix ``_recorded``.
    capacities
        Hidden sizes on the axis.
    """
    training = ["game", "activation", "initialisation", "optimizer", "learning_rate"]
    trainings = pairs.groupby(training, sort=False)
    figure, panels = plotting.panels(len(trainings), 3, size=(2.8, 2.5), sharey=True)
    for axes, (chosen, live) in zip(panels, trainings, strict=True):
        places = pd.Index(capacities).get_indexer(live["hidden_size"])
        recorded = live.filter(like="_recorded")
        recorded.columns = recorded.columns.str.removesuffix("_recorded")
        plotting.band(axes, recorded, places, "s", alpha=0.35, color=BLUE, label="recorded")
        look = {"color": VERMILION, "marker": "D", "markersize": 3.5, "label": "live"}
        plotting.hollow(axes, live, places, "s", **look)
        axes.axhline(CLASSICAL_BOUND, **DASHED)
        title = "{}, {}, {}\n{} {}".format(*map(_label, chosen))
        axes.set_title(title, fontsize=8.5)
        axes.set_xticks(range(len(capacities)), capacities)
        axes.set_xlabel("hidden units n")
    setp(panels[::3], ylabel="S (no unit)")
    panels[0].legend(loc="lower right")
    return figure


def noises(table: pd.DataFrame) -> Figure:
    """Draw S(n) under each noise, a panel each, beside S(n) without any.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.multiverse.noise.sweeps`, those without noise among them.
    """
    still = dict(list(table[table["noise"] == "none"].groupby("game", sort=False)))
    noisy = list(table[table["noise"] != "none"].groupby("noise", sort=False))
    figure, panels = plotting.panels(len(noisy), 4, size=(2.3, 2.2), sharex=True, sharey=True)
    for axes, (noise, rows) in zip(panels, noisy, strict=True):
        for place, (game, of_game) in enumerate(rows.groupby("game", sort=False)):
            look = plotting.look(place)
            quiet = {"color": look["color"], "alpha": 0.25}
            plotting.band(axes, still[game], "hidden_size", "s", linewidth=0, **quiet)
            look |= {"markersize": 3.5, "linestyle": "-", "linewidth": 0.8, "label": game}
            plotting.points(axes, of_game, "hidden_size", "s", **look)
        axes.axhline(CLASSICAL_BOUND, zorder=1, **DASHED)
        axes.set_title(noise, fontsize=9)
        axes.set_xticks(sorted(table["hidden_size"].unique()))
        axes.set_xlabel("hidden units n")
    setp(panels[::4], ylabel="S (no unit)")
    plotting.legend_once(panels[0], below=figure, ncols=2)
    return figure


def solved(table: pd.DataFrame) -> Figure:
    """Draw how often a task is learnt over n, a line for each company that its head has.

    Parameters
    ----------
    table
        One row a share: ``game``, ``activation``, ``optimizer``, ``learning_rate``,
        ``hidden_size``, ``company``, and ``share`` with its interval ``low``, ``high``.
    """
    figure = _crossed(table, "game", ["activation", *OPTIMIZER], "share")
    figure.axes[0].yaxis.set_major_formatter(PercentFormatter(1))
    return figure


def _crossed(table: pd.DataFrame, rows: str, columns: list[str], name: str) -> Figure:
    """Draw a column over n, a panel for each choice of rows and columns."""
    by, label, height = CROSSED[name]
    down = table[rows].unique()
    across = table[columns].drop_duplicates()
    size = (1.75 * len(across), height * len(down) + 0.5)
    shared = {"sharex": True, "sharey": True}
    figure, grid = plotting.subplots(size, len(down), len(across), **shared)
    places = pd.MultiIndex.from_frame(across)
    looks = {value: plotting.dashed_look(place) for place, value in enumerate(table[by].unique())}
    for (row, *column, value), line in table.groupby([rows, *columns, by], sort=False):
        axes = grid[list(down).index(row), places.get_loc(tuple(column))]
        look = {"markersize": 2.5, "linewidth": 1.1, "label": _label(value), **looks[value]}
        plotting.band(axes, line, "hidden_size", name, **look)
    for axes, column in zip(grid[0], places, strict=True):
        axes.set_title("\n".join(map(_label, column)), fontsize=9)
    for axes, row in zip(grid[:, 0], down, strict=True):
        axes.set_ylabel(f"{row}\n{label}")
    setp(grid[-1], xlabel="n")
    plotting.legend_once(grid[0, 0], below=figure)
    return figure


def _in_words(statement: str) -> str:
    return statement.replace("-", " ")


def _label(option: object) -> str:
    """Return an option in words; whole numbers are training steps."""
    if isinstance(option, tuple):
        return ", ".join(map(_label, option))
    if isinstance(option, str):
        return WORDS.get(option, option)
    return f"{option:g}" if isinstance(option, float) else f"{option:,} steps"
