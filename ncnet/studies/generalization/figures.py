"""S against held-out accuracy; what rules choose and what it costs; which tasks disturb which."""

import math

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ncnet.chsh import CLASSICAL_BOUND
from ncnet.plotting import BLUE, GREY, INK, MARKERS, ORANGE, VERMILION

DASHED = (0, (4, 3))
MEASURES = {
    "spearman": ("Spearman", BLUE, "o"),
    "given means": ("given mean accuracy and loss", VERMILION, "s"),
    "given contexts": ("given those of each context", ORANGE, "D"),
}


def simpsons_trap(replicas: pd.DataFrame, setting: str) -> Figure:
    """Draw S of every replica against its held-out accuracy: thrown together, and by capacity.

    Parameters
    ----------
    replicas
        `ncnet.studies.generalization.analysis.by_replica`.
    setting
        Named above the panels.
    """
    figure = Figure(figsize=(9.2, 3.9))
    together, apart = figure.subplots(1, 2, sharex=True, sharey=True)
    together.plot(replicas["s"], replicas["held_out_accuracy"], ".", color=GREY, markersize=3)
    groups = list(replicas.groupby("capacity"))
    shades = matplotlib.colormaps["viridis"](np.linspace(0, 0.92, len(groups)))
    for place, (capacity, part) in enumerate(groups):
        colour, marker = shades[place], MARKERS[place % len(MARKERS)]
        label = f"n = {capacity:g}"
        apart.plot(
            part["s"], part["held_out_accuracy"], marker, color=colour, markersize=2, alpha=0.35
        )
        _line_of_best_fit(apart, part, colour)
        mean = part[["s", "held_out_accuracy"]].mean()
        apart.plot(*mean, marker, color=colour, markeredgecolor=INK, markersize=8, label=label)
    figure.suptitle(setting, fontsize=10)
    for axes, title in ((together, "all capacities together"), (apart, "by capacity")):
        axes.axvline(CLASSICAL_BOUND, color=INK, linewidth=0.9, linestyle=DASHED)
        axes.set_xlabel("S of the replica's training items (no unit)")
        axes.set_title(title, fontsize=10)
    together.set_ylabel("share of its held-out items right")
    apart.legend(loc="lower left", bbox_to_anchor=(1, 0), fontsize=8.5)
    return figure


def correlations(table: pd.DataFrame) -> Figure:
    """Draw the correlations of S with held-out accuracy, by capacity, a panel a setting.

    Parameters
    ----------
    table
        Of `ncnet.studies.generalization.analysis.correlations`, of one target, with a column
        ``setting``.
    """
    settings = list(dict.fromkeys(table["setting"]))
    columns = min(len(settings), 3)
    rows = math.ceil(len(settings) / columns)
    figure = Figure(figsize=(0.8 + 3.1 * columns, 0.9 + 2.5 * rows))
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axes, setting in zip(grid, settings, strict=False):
        part = table[(table["setting"] == setting) & (table["part"] == "at")]
        _correlations_of(axes, part)
        axes.set_title(setting, fontsize=9.5)
    for axes in grid[len(settings) :]:
        axes.remove()
    for axes in grid[::columns]:
        axes.set_ylabel("rank correlation")
    for axes in grid[max(0, len(settings) - columns) : len(settings)]:
        axes.set_xlabel("hidden units n")
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9)
    return figure


def averages(table: pd.DataFrame, *, part: str = "up to 2") -> Figure:
    """Draw the correlations averaged over the capacities of one part, a row a setting.

    Parameters
    ----------
    table
        As `correlations` takes it.
    part
        "up to 2" or "beyond 2".
    """
    rows = table[table["part"] == part]
    settings = list(dict.fromkeys(rows["setting"]))
    figure = Figure(figsize=(7.6, 1.2 + 0.5 * len(settings)))
    axes = figure.subplots()
    axes.axvline(0, color=INK, linewidth=0.9)
    for shift, (measure, (label, colour, marker)) in zip(
        (-0.22, 0, 0.22), MEASURES.items(), strict=True
    ):
        of_measure = rows[rows["measure"] == measure].set_index("setting").loc[settings]
        _bars(axes, of_measure, np.arange(len(settings)) + shift, label, colour, marker)
    axes.set_yticks(range(len(settings)), settings)
    axes.invert_yaxis()
    axes.set_xlabel("rank correlation of S with held-out accuracy, mean over capacities")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8.5)
    return figure


def held_out_over_capacity(table: pd.DataFrame, first: pd.Series) -> Figure:
    """Draw S above accuracy over capacity, and where S first reaches 2, setting by setting.

    Parameters
    ----------
    table
        `ncnet.studies.generalization.analysis.by_capacity` with a column ``setting``.
    first
        The capacity at which S first reaches 2, by setting.
    """
    settings = list(dict.fromkeys(table["setting"]))
    columns = min(len(settings), 4)
    figure = Figure(figsize=(1.6 + 2.1 * columns, 4.2 * math.ceil(len(settings) / columns)))
    grid = figure.subplots(
        2 * math.ceil(len(settings) / columns), columns, sharex=True, squeeze=False
    )
    pairs = [
        pair
        for above, below in zip(grid[::2], grid[1::2], strict=True)
        for pair in zip(above, below, strict=True)
    ]
    for (above, below), setting in zip(pairs, settings, strict=False):
        part = table[table["setting"] == setting]
        places = np.arange(len(part))
        _band(above, part, places, "s", "training items", BLUE, "o")
        _band(above, part, places, "held_out_s", "held-out items", ORANGE, "s")
        _band(below, part, places, "accuracy", "training items", BLUE, "o")
        _band(below, part, places, "held_out_accuracy", "held-out items", ORANGE, "s")
        _band(below, part, places, "held_out_worst", "held out, worst context", VERMILION, "^")
        above.axhline(CLASSICAL_BOUND, color=INK, linewidth=0.9, linestyle=DASHED)
        for axes in (above, below):
            for place in np.flatnonzero(part["capacity"].to_numpy() == first.get(setting)):
                axes.axvline(place, color=GREY, linewidth=6, alpha=0.35, zorder=0)
        above.set_ylim(0, 2.6)
        below.set_ylim(0.5, 1.02)
        above.set_title(setting.replace(", ", "\n", 1), fontsize=9)
        below.set_xticks(places, [f"{n:g}" for n in part["capacity"]])
        below.tick_params(labelbottom=True)
        below.set_xlabel("hidden units n")
    for above, below in pairs[len(settings) :]:
        above.remove()
        below.remove()
    for above, below in pairs[: len(settings) : columns]:
        above.set_ylabel("S (no unit)")
        below.set_ylabel("share right")
    handles, labels = pairs[0][1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9)
    return figure


def regrets(table: pd.DataFrame) -> Figure:
    """Draw what each rule's choice costs and how large it is, a column a setting.

    Parameters
    ----------
    table
        `ncnet.studies.generalization.analysis.regrets` with a column ``setting``.
    """
    settings = list(dict.fromkeys(table["setting"]))
    rules = list(dict.fromkeys(table["rule"]))
    figure = Figure(figsize=(2.2 + 2.6 * len(settings), 4.9))
    grid = figure.subplots(2, len(settings), sharex="row", sharey=True, squeeze=False)
    places = np.arange(len(rules))
    for (above, below), setting in zip(grid.T, settings, strict=True):
        part = table[table["setting"] == setting].set_index("rule").loc[rules]
        met = part["met"] > 0
        for chosen, colour, marker in ((met, BLUE, "o"), (~met, GREY, "X")):
            of_kind = part[chosen]
            ends = [of_kind["regret"] - of_kind["regret_low"]]
            ends += [of_kind["regret_high"] - of_kind["regret"]]
            ends = [100 * np.maximum(end, 0) for end in ends]
            at, values = places[chosen], 100 * of_kind["regret"]
            above.errorbar(values, at, xerr=ends, fmt=marker, color=colour, capsize=2.5)
            below.hlines(at, of_kind["lowest"], of_kind["highest"], color=colour, linewidth=4)
            below.plot(of_kind["lowest"], at, marker, color=colour)
            below.plot(of_kind["highest"], at, marker, color=colour)
        below.axvline(part["enough_capacity"].iloc[0], color=INK, linewidth=0.9, linestyle=DASHED)
        above.set_title(setting, fontsize=9.5)
        above.set_xlabel("regret (percentage points)")
        below.set_xlabel("n chosen, lowest to highest")
    for axes in grid[:, 0]:
        axes.set_yticks(places, rules)
    grid[0, 0].invert_yaxis()
    return figure


def interference(table: pd.DataFrame) -> Figure:
    """Draw S of every pair of tasks as a map, the most interfering tasks first.

    Parameters
    ----------
    table
        `ncnet.studies.generalization.analysis.interference_map`.
    """
    both = pd.concat(
        [table, table.rename(columns={"first": "second", "second": "first"})], ignore_index=True
    )
    order = both.groupby("first")["s"].mean().sort_values(ascending=False).index
    grid = both.pivot_table(index="first", columns="second", values="s").loc[order, order]
    excess = grid.to_numpy() - CLASSICAL_BOUND
    reach = np.nanmax(abs(excess))
    figure = Figure(figsize=(7.6, 6.2))
    axes = figure.subplots()
    picture = axes.imshow(excess, cmap="PuOr_r", vmin=-reach, vmax=reach)
    for (row, column), value in np.ndenumerate(excess):
        if np.isfinite(value):
            dark = abs(value) > 0.6 * reach
            axes.text(
                column,
                row,
                f"{value:.2f}".replace("0.", ".").replace("-", "\N{MINUS SIGN}"),
                ha="center",
                va="center",
                fontsize=8,
                color="white" if dark else INK,
            )
    axes.grid(visible=False)
    axes.set_xticks(range(len(order)), order, rotation=45, ha="right")
    axes.set_yticks(range(len(order)), order)
    bar = figure.colorbar(picture, ax=axes, shrink=0.8)
    bar.set_label("S \N{MINUS SIGN} 2 of the pair (no unit): above 0 they hurt each other")
    return figure


def predicted_losses(table: pd.DataFrame) -> Figure:
    """Draw what pairs lose on held-out items of fresh replicas against what was seen in training.

    Parameters
    ----------
    table
        `ncnet.studies.generalization.analysis.interference_map`.
    """
    figure = Figure(figsize=(9.2, 3.4))
    panels = {
        "s": "S of the pair (no unit)",
        "training_drop": "training: share lost (points)",
        "cosine": "cosine of the gradients",
        "likeness": "likeness of the tasks",
    }
    for axes, (name, label) in zip(
        figure.subplots(1, len(panels), sharey=True), panels.items(), strict=True
    ):
        scale = 100 if name == "training_drop" else 1
        axes.plot(scale * table[name], 100 * table["held_out_drop"], "o", color=BLUE, markersize=4)
        axes.axhline(0, color=INK, linewidth=0.9)
        axes.set_xlabel(label, fontsize=9)
    figure.axes[0].set_ylabel("held out, fresh replicas:\nshare lost (points)")
    return figure


def _line_of_best_fit(axes: Axes, part: pd.DataFrame, colour: np.ndarray) -> None:
    if part["s"].nunique() < 3:
        return
    slope, level = np.polyfit(part["s"], part["held_out_accuracy"], 1)
    ends = part["s"].quantile([0.02, 0.98]).to_numpy()
    axes.plot(ends, level + slope * ends, color=colour, linewidth=2)


def _correlations_of(axes: Axes, part: pd.DataFrame) -> None:
    capacities = sorted(part["capacity"].unique())
    places = {capacity: place for place, capacity in enumerate(capacities)}
    axes.axhline(0, color=INK, linewidth=0.9)
    first = part["first"].iloc[0]
    if first in places:
        axes.axvline(places[first], color=GREY, linewidth=6, alpha=0.35, zorder=0)
    for shift, (measure, (label, colour, marker)) in zip(
        (-0.16, 0, 0.16), MEASURES.items(), strict=True
    ):
        rows = part[part["measure"] == measure]
        at = rows["capacity"].map(places) + shift
        ends = [rows["estimate"] - rows["low"], rows["high"] - rows["estimate"]]
        axes.errorbar(
            at,
            rows["estimate"],
            yerr=[end.clip(lower=0) for end in ends],
            fmt=marker,
            color=colour,
            markersize=4,
            capsize=2,
            elinewidth=1,
            label=label,
        )
    ceiling = part.loc[part["at_ceiling"], "capacity"].map(places).unique()
    for place in ceiling:
        axes.annotate("ceiling", (place, 0), rotation=90, fontsize=7.5, ha="center", va="bottom")
    axes.set_xticks(range(len(capacities)), [f"{capacity:g}" for capacity in capacities])


def _bars(
    axes: Axes, rows: pd.DataFrame, at: np.ndarray, label: str, colour: str, marker: str
) -> None:
    ends = [(rows["estimate"] - rows["low"]), (rows["high"] - rows["estimate"])]
    axes.errorbar(
        rows["estimate"],
        at,
        xerr=[end.clip(lower=0) for end in ends],
        fmt=marker,
        color=colour,
        markersize=5,
        capsize=2.5,
        label=label,
    )


def _band(
    axes: Axes,
    part: pd.DataFrame,
    places: np.ndarray,
    name: str,
    label: str,
    colour: str,
    marker: str,
) -> None:
    axes.plot(places, part[name], color=colour, marker=marker, markersize=4, label=label)
    low, high = part[f"{name}_low"], part[f"{name}_high"]
    axes.fill_between(places, low, high, color=colour, alpha=0.25, linewidth=0)
