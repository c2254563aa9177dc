"""What becomes of the statements under other choices: specification curve, shares, shapes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ncnet.chsh import CLASSICAL_BOUND, TSIRELSON_BOUND
from ncnet.plotting import BLUE, DASHES, GREY, INK, MARKERS, SERIES, VERMILION, draw_bounds

WORDS = {"gradient_descent": "gradient descent"}
SHOWN_CHOICES = ("game", "activation", "optimizer", "initialisation", "steps")


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
    curve = specifications.sort_values("s")
    rows = _choices(curve) + [("statement", name, curve[name]) for name in statements]
    figure = Figure(figsize=(8.4, 3.2 + 0.19 * len(rows)))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 0.19 * len(rows)))
    place = np.arange(len(curve))
    top.vlines(place, curve["s_low"], curve["s_high"], color=BLUE, alpha=0.45, linewidth=1)
    top.plot(place, curve["s"], ".", color=BLUE, markersize=2.5)
    primary = curve["primary"].to_numpy(bool)
    if primary.any():
        top.plot(
            place[primary], curve["s"][primary], "D", color=VERMILION, label="this book's choices"
        )
        top.legend(loc="lower right", fontsize=8.5)
    draw_bounds(top, TSIRELSON_BOUND)
    top.set_ylabel(f"S at n = {curve['hidden_size'].iloc[0]} (no unit)")
    top.grid(visible=False, axis="x")
    for row, (choice, _, chosen) in enumerate(rows):
        colour = VERMILION if choice == "statement" else INK
        _ticks(bottom, place[chosen.to_numpy(bool)], row, colour)
        if row and choice != rows[row - 1][0]:
            bottom.axhline(row - 0.5, color=GREY, linewidth=0.5)
    bottom.set_yticks(range(len(rows)), [label for _, label, _ in rows], fontsize=8)
    bottom.set_ylim(len(rows) - 0.4, -0.6)
    bottom.grid(visible=False)
    bottom.tick_params(length=0)
    bottom.set_xlabel("specifications, sorted by S")
    return figure


def _choices(curve: pd.DataFrame) -> list[tuple[str, str, pd.Series]]:
    """Return for each option its choice, its label and which specifications took it."""
    rows = []
    for choice in SHOWN_CHOICES:
        for option in pd.unique(curve[choice].sort_values()):
            chosen = curve[choice] == option
            rates = sorted(set(curve.loc[chosen, "learning_rate"]))
            if choice == "optimizer":
                rows += [
                    (
                        choice,
                        f"{_words(option)}, {rate:g}",
                        chosen & (curve["learning_rate"] == rate),
                    )
                    for rate in rates
                ]
            else:
                rows.append((choice, _label(choice, option), chosen))
    return rows


def _ticks(axes: Axes, places: np.ndarray, row: int, colour: str) -> None:
    # One line with gaps is a hundredth of the file that as many lines are.
    x = np.repeat(places.astype(float), 3)
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
    figure = Figure(figsize=(6.8, 0.9 + 0.27 * len(table)))
    axes = figure.subplots()
    values = table[list(statements)].to_numpy(float)
    axes.imshow(values, cmap="Blues", vmin=0, vmax=1.35, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, f"{value:.0%}", ha="center", va="center", fontsize=8.5, color=INK)
    labels = [
        f"{_label(row.choice, row.option)}  ({row.specifications})" for row in table.itertuples()
    ]
    axes.set_yticks(range(len(table)), labels, fontsize=8.5)
    axes.set_xticks(range(len(statements)), statements)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for row in np.flatnonzero(table["choice"].ne(table["choice"].shift())[1:]) + 0.5:
        axes.axhline(row, color="white", linewidth=4)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def shapes(table: pd.DataFrame, game: str, initialisation: str) -> Figure:
    """Draw S(n) for each activation (rows) and optimizer (columns), a line a number of steps.

    Parameters
    ----------
    table
        Of `ncnet.studies.multiverse.analysis.run`.
    game, initialisation
        Which specifications to draw, in the `correct` readout.
    """
    fixed = {"game": game, "initialisation": initialisation, "readout": "correct"}
    drawn = table[(table[list(fixed)] == pd.Series(fixed)).all(axis=1)]
    columns = list(drawn[["optimizer", "learning_rate"]].drop_duplicates().itertuples(index=False))
    activations = list(dict.fromkeys(drawn["activation"]))
    figure = Figure(figsize=(1.75 * len(columns), 1.75 * len(activations) + 0.5))
    grid = figure.subplots(len(activations), len(columns), sharex=True, sharey=True, squeeze=False)
    for (row, column), axes in np.ndenumerate(grid):
        optimizer, rate = columns[column]
        one = drawn[
            (drawn["activation"] == activations[row])
            & (drawn["optimizer"] == optimizer)
            & (drawn["learning_rate"] == rate)
        ]
        _lines(axes, one)
        if row == 0:
            axes.set_title(f"{_words(optimizer)}\n{rate:g}", fontsize=9)
        if column == 0:
            axes.set_ylabel(f"{activations[row]}\nS")
    for axes in grid[-1]:
        axes.set_xlabel("n")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8.5)
    return figure


def _lines(axes: Axes, sweeps: pd.DataFrame) -> None:
    axes.axhline(CLASSICAL_BOUND, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    for place, (steps, sweep) in enumerate(sweeps.groupby("steps")):
        colour, marker = SERIES[place % len(SERIES)], MARKERS[place % len(MARKERS)]
        dashes = DASHES[place % len(DASHES)]
        axes.fill_between(
            sweep["hidden_size"], sweep["s_low"], sweep["s_high"], color=colour, alpha=0.3, lw=0
        )
        axes.plot(
            sweep["hidden_size"],
            sweep["s"],
            marker=marker,
            markersize=2.5,
            linestyle=dashes,
            linewidth=1.1,
            color=colour,
            label=f"{steps:,} steps",
        )


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
    training = ["game", "activation", "optimizer", "learning_rate", "initialisation"]
    groups = list(pairs.groupby(training, sort=False))
    columns = min(3, len(groups))
    figure = Figure(figsize=(2.8 * columns, 2.5 * -(-len(groups) // columns)))
    grid = figure.subplots(-(-len(groups) // columns), columns, sharey=True, squeeze=False)
    for axes in grid.flat[len(groups) :]:
        axes.set_visible(False)
    place = {size: x for x, size in enumerate(capacities)}
    for axes, (chosen, one) in zip(grid.flat, groups, strict=False):
        game, activation, optimizer, rate, initialisation = chosen
        x = one["hidden_size"].map(place)
        axes.fill_between(
            x, one["s_low_recorded"], one["s_high_recorded"], color=BLUE, alpha=0.35, linewidth=0
        )
        axes.plot(x, one["s_recorded"], color=BLUE, label="recorded")
        axes.errorbar(
            x,
            one["s"],
            yerr=[one["s"] - one["s_low"], one["s_high"] - one["s"]],
            fmt="D",
            markersize=3.5,
            capsize=3,
            linewidth=1.2,
            color=VERMILION,
            mfc="white",
            label="live",
        )
        axes.axhline(CLASSICAL_BOUND, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.set_title(
            f"{game}, {activation}, {initialisation}\n{_words(optimizer)} {rate:g}", fontsize=8.5
        )
        axes.set_xticks(list(place.values()), list(place))
        axes.set_xlabel("hidden units n")
    for axes in grid[:, 0]:
        axes.set_ylabel("S (no unit)")
    grid[0, 0].legend(fontsize=8.5, loc="lower right")
    return figure


def solved(table: pd.DataFrame) -> Figure:
    """Draw how often a task is learnt over n, a line for each company that its head has.

    Parameters
    ----------
    table
        One row a share: ``game``, ``activation``, ``optimizer``, ``learning_rate``,
        ``hidden_size``, ``company``, and ``share`` with its interval ``low``, ``high``.
    """
    columns = list(table.groupby(["activation", "optimizer", "learning_rate"], sort=False))
    games = list(dict.fromkeys(table["game"]))
    figure = Figure(figsize=(1.75 * len(columns), 1.9 * len(games) + 0.6))
    grid = figure.subplots(len(games), len(columns), sharex=True, sharey=True, squeeze=False)
    for place, ((activation, optimizer, rate), of_column) in enumerate(columns):
        grid[0, place].set_title(f"{activation}\n{_words(optimizer)}\n{rate:g}", fontsize=9)
        grid[-1, place].set_xlabel("n")
        for axes, game in zip(grid[:, place], games, strict=True):
            _shares_solved(axes, of_column[of_column["game"] == game])
    for axes, game in zip(grid[:, 0], games, strict=True):
        axes.set_ylabel(f"{game}\nshare solved")
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8.5)
    return figure


def _shares_solved(axes: Axes, table: pd.DataFrame) -> None:
    for place, (company, one) in enumerate(table.groupby("company", sort=False)):
        axes.fill_between(
            one["hidden_size"], one["low"], one["high"], color=SERIES[place], alpha=0.25, lw=0
        )
        axes.plot(
            one["hidden_size"],
            one["share"],
            marker=MARKERS[place],
            markersize=3,
            linestyle=DASHES[place],
            linewidth=1.1,
            color=SERIES[place],
            label=company,
        )


def _words(option: str) -> str:
    return WORDS.get(option, option)


def _label(choice: str, option: object) -> str:
    if choice == "steps":
        return f"{option:,} steps"
    return _words(str(option))
