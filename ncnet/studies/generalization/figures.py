"""Draw S against held-out accuracy, what criteria choose at what cost, and who disturbs whom."""

import math

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import setp
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ncnet import plotting, renamed
from ncnet.chsh import CLASSICAL_BOUND
from ncnet.plotting import BLUE, DASHED, GREY, HELD_OUT, INK, ORANGE, SOLID, TRAINING, VERMILION
from ncnet.training.samples import BY_STEPS

STRIPE = {"color": GREY, "linewidth": 6, "alpha": 0.35, "zorder": 0}
"""Marks the capacity at which S first reaches 2."""
MEASURES = {
    "spearman": {"label": "Spearman", "color": BLUE, "marker": "o"},
    "given means": {"label": "given mean accuracy and loss", "color": VERMILION, "marker": "s"},
    "given contexts": {"label": "given those of each context", "color": ORANGE, "marker": "D"},
}
WORST = {"label": "held out, worst context", "color": VERMILION, "marker": "^"}
ABOVE = {"s": TRAINING, "held_out_s": HELD_OUT}
BELOW = {"accuracy": TRAINING, "held_out_accuracy": HELD_OUT, "held_out_worst": WORST}
ANSWERS = {
    "holds": {"label": "holds", "color": BLUE},
    "open": {"label": "open", "color": "#e0e0e0"},
    "fails": {"label": "does not hold", "color": VERMILION},
}
"""From below to above: what lies next to each other differs in lightness."""
SIGNS = {
    "s": "S",
    "delta": "Delta",
    "training_drop": "drop in training",
    "conflict": "share in conflict",
    "cosine": "cosine of the gradients",
    "lookahead": "lookahead",
}
PREDICTORS = {
    "s": "S of the pair (no unit)",
    "training_drop": "training: share lost (points)",
    "cosine": "cosine of the gradients",
    "likeness": "likeness of the tasks",
}


def simpsons_paradox(
    replicas: pd.DataFrame, condition: str, capacity_name: str = "n", of: str = "its"
) -> Figure:
    """Draw S of every replica against its held-out accuracy: thrown together, and by capacity.

    Parameters
    ----------
    replicas
        Rows of `ncnet.studies.generalization.measurements.by_replica`.
    condition
        The name above the panels.
    capacity_name
        What capacity is called in the legend.
    of
        Whose held-out items they are.
    """
    figure, (together, apart) = plotting.panels(2, size=(4.6, 3.9), sharex=True, sharey=True)
    together.plot(replicas["s"], replicas["held_out_accuracy"], ".", color=GREY, markersize=3)
    capacities = replicas.groupby("capacity")[["s", "held_out_accuracy"]]
    shades = matplotlib.colormaps["viridis"](np.linspace(0, 0.92, len(capacities)))
    for place, (shade, (capacity, part)) in enumerate(zip(shades, capacities, strict=True)):
        s, accuracy = part["s"], part["held_out_accuracy"]
        look = {**plotting.look(place), "color": shade, "linestyle": "none"}
        apart.plot(s, accuracy, markersize=2, alpha=0.35, **look)
        if s.nunique() > 2:
            ends = s.quantile([0.02, 0.98])
            fitted = np.polyval(np.polyfit(s, accuracy, 1), ends)
            apart.plot(ends, fitted, color=shade, linewidth=2)
        look |= {
            "markersize": 8,
            "markeredgecolor": INK,
            "label": f"{capacity_name} = {capacity:g}",
        }
        apart.plot(*part.mean(), **look)
    figure.suptitle(condition, fontsize=10)
    for axes, title in ((together, "all capacities together"), (apart, "by capacity")):
        axes.axvline(CLASSICAL_BOUND, **DASHED)
        axes.set(title=title, xlabel="S of the replica's training items (no unit)")
    together.set_ylabel(f"share of {of} held-out items right")
    apart.legend(loc="lower left", bbox_to_anchor=(1, 0))
    return figure


def correlations(table: pd.DataFrame) -> Figure:
    """Draw the correlations of S with held-out accuracy over capacity, a panel a condition.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.generalization.correlation.correlations`, of one target, with a
        column ``condition``.
    """
    conditions = table[table["part"] == "at"].groupby("condition", sort=False)
    size, margin = (3.1, 2.5), (0.8, 0.9)
    figure, panels = plotting.panels(len(conditions), 3, size=size, margin=margin, sharey=True)
    for axes, (condition, part) in zip(panels, conditions, strict=True):
        capacities = pd.Index(part["capacity"].unique()).sort_values()
        axes.axhline(0, **SOLID)
        _stripe(axes, capacities, part["first"].iloc[0])
        _measures(axes, part, capacities, "capacity", 0.16, markersize=4, capsize=2)
        for place in capacities.get_indexer(part.loc[part["at_ceiling"], "capacity"].unique()):
            upright = {"rotation": 90, "ha": "center", "va": "bottom"}
            axes.annotate("ceiling", (place, 0), fontsize=7.5, **upright)
        axes.set_xticks(range(len(capacities)), [f"{capacity:g}" for capacity in capacities])
        axes.set_title(_title(condition), fontsize=9)
        axes.set_xlabel(_capacity_of(condition))
    setp(panels[::3], ylabel="rank correlation")
    # Side by side, the names would be wider than a single panel.
    plotting.legend_once(panels[0], below=figure, ncols=min(3, 2 * len(panels) - 1))
    return figure


def _title(condition: str) -> str:
    return condition.replace(", ", "\n", 1).replace(BY_STEPS, "\nby steps")


def _capacity_of(condition: str) -> str:
    return "training steps" if condition.endswith(BY_STEPS) else "hidden units n"


def across_and_within(rules: pd.DataFrame, table: pd.DataFrame) -> Figure:
    """Draw the correlation of S with accuracy across capacities, within one, and what is left.

    Parameters
    ----------
    rules
        Rows of `ncnet.studies.generalization.correlation.correlations_by_reading` with a column
        ``condition``.
    table
        The table that `correlations` takes. Of it, what is left at given training accuracies and
        losses of each context is drawn.
    """
    conditions = pd.Index(rules["condition"].unique())
    left = table[(table["part"] == "up to 2") & (table["measure"] == "given contexts")]
    by_reading = rules.set_index("reading")
    series = (
        ("across capacities", by_reading.loc[["across"]], "correlation", GREY, "D"),
        ("within a capacity", by_reading.loc[["within"]], "correlation", BLUE, "o"),
        ("within, given accuracy and loss", left, "estimate", VERMILION, "s"),
    )
    figure, axes = plotting.subplots((7.6, 1.3 + 0.32 * len(conditions)))
    axes.axvline(0, **SOLID)
    for shift, (label, rows, name, colour, marker) in zip((-0.2, 0, 0.2), series, strict=True):
        places = conditions.get_indexer(rows["condition"]) + shift
        look = {"color": colour, "marker": marker, "label": label, "capsize": 2}
        plotting.points(axes, rows, places, name, flat=True, **look)
    plotting.name_rows(axes, conditions.str.replace("_", " "), fontsize=8.5)
    axes.grid(axis="y", visible=False)
    axes.set(xlim=(-0.5, 1.03), xlabel="rank correlation of S with held-out accuracy")
    plotting.legend_once(axes, below=figure)
    return figure


def averaged_correlations(table: pd.DataFrame) -> Figure:
    """Draw the correlations averaged up to the capacity at which S first reaches 2, by condition.

    Parameters
    ----------
    table
        The table that `correlations` takes.
    """
    rows = table[table["part"] == "up to 2"]
    conditions = pd.Index(rows["condition"].unique())
    figure, axes = plotting.subplots((7.6, 1.4 + 0.42 * len(conditions)))
    axes.axvline(0, **SOLID)
    _measures(axes, rows, conditions, "condition", 0.22, flat=True)
    plotting.name_rows(axes, conditions.str.replace("_", " "), fontsize=8.5)
    axes.set_xlabel("rank correlation of S with held-out accuracy, mean over capacities")
    plotting.legend_once(axes, below=figure)
    return figure


def _measures(
    axes: Axes, rows: pd.DataFrame, along: pd.Index, by: str, apart: float, **options: object
) -> None:
    """Draw the measures side by side, at the place that the value of a column has in `along`."""
    for shift, (measure, look) in zip((-apart, 0, apart), MEASURES.items(), strict=True):
        estimates = rows[rows["measure"] == measure]
        places = along.get_indexer(estimates[by]) + shift
        plotting.points(axes, estimates, places, "estimate", **options, **look)


def _stripe(axes: Axes, capacities: pd.Index | pd.Series, first: float) -> None:
    """Draw a stripe at the capacity at which S first reaches 2, where it is one of these."""
    for place in np.flatnonzero(capacities == first):
        axes.axvline(place, **STRIPE)


def held_out_over_capacity(table: pd.DataFrame, first: pd.Series) -> Figure:
    """Draw S above accuracy over capacity, and where S first reaches 2, condition by condition.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.generalization.measurements.by_capacity` with a column ``condition``.
    first
        The capacity at which S first reaches 2, by condition.
    """
    conditions = table.groupby("condition", sort=False)
    columns = min(len(conditions), 4)
    rows = math.ceil(len(conditions) / columns)
    size = (1.6 + 2.1 * columns, 4.2 * rows)
    figure, grid = plotting.subplots(size, 2 * rows, columns)
    pairs = grid.reshape(rows, 2, columns).swapaxes(1, 2).reshape(-1, 2)
    for (above, below), (condition, part) in zip(pairs, conditions, strict=False):
        places = np.arange(len(part))
        for axes, lines in ((above, ABOVE), (below, BELOW)):
            for name, look in lines.items():
                plotting.band(axes, part, places, name, markersize=4, **look)
            _stripe(axes, part["capacity"], first.get(condition))
        above.axhline(CLASSICAL_BOUND, **DASHED)
        above.set(ylim=(0, 2.6), xticks=[])
        above.set_title(_title(condition), fontsize=9)
        below.set(ylim=(0.5, 1.02), xlabel=_capacity_of(condition))
        below.set_xticks(places, [f"{n:g}" for n in part["capacity"]])
    for unused in pairs[len(conditions) :].flat:
        unused.remove()
    setp(pairs[::columns, 0], ylabel="S (no unit)")
    setp(pairs[::columns, 1], ylabel="share right")
    plotting.legend_once(pairs[0, 1], below=figure)
    return figure


def answers_by_margin(counted: pd.DataFrame, margin: float) -> Figure:
    """Draw in how many conditions the rule on the first 2 holds, over the smallest effect.

    Parameters
    ----------
    counted
        Rows of `ncnet.studies.generalization.claims.answers_by_margin`.
    margin
        The smallest effect of the rule, which is marked.
    """
    figure, axes = plotting.subplots((6.4, 3.4))
    points, below = 100 * counted.index.to_numpy(), np.zeros(len(counted))
    for name, look in ANSWERS.items():
        above = below + counted[name].to_numpy()
        axes.fill_between(points, below, above, step="post", linewidth=0, **look)
        below = above
    axes.axvline(100 * margin, **DASHED)
    axes.set(xlim=(0, points[-1]), ylim=(0, below.max()))
    axes.set(xlabel="smallest effect (percentage points lost)", ylabel="conditions")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), reverse=True)
    return figure


def regrets(table: pd.DataFrame) -> Figure:
    """Draw what each criterion's choice costs and how large it is, a column a condition.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.generalization.selection.regrets` with a column ``condition``.
    """
    conditions = table.groupby("condition", sort=False)
    criteria = table["criterion"].unique()
    size = (2.2 + 2.6 * len(conditions), 4.9)
    figure, grid = plotting.subplots(size, 2, len(conditions), sharex="row", sharey=True)
    places = np.arange(len(criteria))
    for (above, below), (condition, part) in zip(grid.T, conditions, strict=True):
        part = part.set_index("criterion").loc[criteria]
        points = 100 * part[["regret", "regret_low", "regret_high"]]
        met = part["met"] > 0
        for chosen, colour, marker in ((met, BLUE, "o"), (~met, GREY, "X")):
            look = {"color": colour, "marker": marker}
            plotting.points(above, points[chosen], places[chosen], "regret", flat=True, **look)
            ends = part.loc[chosen, ["lowest", "highest"]].T
            below.plot(ends, np.tile(places[chosen], (2, 1)), linewidth=4, **look)
        below.axvline(part["enough_capacity"].iloc[0], **DASHED)
        above.set_title(condition, fontsize=9.5)
        above.set_xlabel("regret (percentage points)")
        below.set_xlabel("n chosen, lowest to highest")
    plotting.name_rows(grid[0, 0], criteria)
    return figure


def early_signs(table: pd.DataFrame) -> Figure:
    """Draw how well measures tell, along a training, what finished pairs lose: a panel a kind.

    Parameters
    ----------
    table
        Rows of `ncnet.experiment.early_signs` with a column ``pairs_of``.
    """
    kinds = table.groupby("pairs_of", sort=False)
    figure, panels = plotting.panels(len(kinds), 2, size=(3.9, 3.0), sharex=True, sharey=True)
    for axes, (kind, rows) in zip(panels, kinds, strict=True):
        looks = np.sort(rows["look"].unique())
        measures = [name for name in SIGNS if (rows["measure"] == name).any()]
        for place, name in enumerate(measures):
            of_one = rows[rows["measure"] == name].sort_values("look")
            at = np.arange(len(looks)) + 0.09 * (place - (len(measures) - 1) / 2)
            look = plotting.dashed_look(place) | {"label": SIGNS[name], "markersize": 4}
            plotting.points(axes, of_one, at, "rho", linewidth=0.9, **look)
        axes.axhline(0, zorder=1, **SOLID)
        axes.set_xticks(range(len(looks)), [f"{look:.0%}" for look in looks])
        axes.set(title=kind, xlabel="share of the training done")
    setp(panels[::2], ylabel="rank correlation with\nwhat is lost in the end")
    plotting.legend_once(panels[-1], below=figure, ncols=3)
    return figure


def groupings(table: pd.DataFrame) -> Figure:
    """Draw what each measure explains of gains, and what its choice of groups costs.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.generalization.grouping.summary`.
    """
    chosen = table[table["regret"].notna()].groupby("hidden_size", sort=False)
    most = chosen.size().max()
    size = (7.4, len(chosen) * (0.9 + 0.26 * most))
    figure, grid = plotting.subplots(size, len(chosen), 2, sharex="col", sharey=True)
    for (left, right), (units, rows) in zip(grid, chosen, strict=True):
        places = np.arange(len(rows))
        for axes, name in ((left, "explained"), (right, "regret")):
            plotting.points(axes, rows, places, name, flat=True, **plotting.look(0))
            axes.axvline(0, zorder=1, **SOLID)
        right.axvline(rows.set_index("measure")["regret"]["chance"], **DASHED)
        left.set_title(f"trunks of {units} hidden units", fontsize=9.5, loc="left")
    plotting.name_rows(grid[0, 0], rows["measure"])
    grid[-1, 0].set_xlabel("share of the variance of gains")
    grid[-1, 1].set_xlabel("regret at five trunks (points)")
    return figure


def interference(table: pd.DataFrame) -> Figure:
    """Draw S of every pair of tasks as a map, the most interfering tasks first.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.generalization.interference.interference_map`.
    """
    mirrored = table.rename(columns={"first": "second", "second": "first"})
    both = pd.concat([table, mirrored], ignore_index=True)
    order = both.groupby("first")["s"].mean().sort_values(ascending=False).index
    grid = both.pivot_table(index="first", columns="second", values="s").loc[order, order]
    excess = grid.to_numpy() - CLASSICAL_BOUND
    reach = np.nanmax(abs(excess))
    figure, axes = plotting.subplots((7.6, 6.2))
    picture = axes.imshow(excess, cmap="PuOr_r", vmin=-reach, vmax=reach)
    for row, column in np.argwhere(np.isfinite(excess)):
        value = excess[row, column]
        text = f"{value:.2f}".replace("0.", ".").replace("-", "\N{MINUS SIGN}")
        look = {"color": "white" if abs(value) > 0.6 * reach else INK, "fontsize": 8}
        axes.text(column, row, text, ha="center", va="center", **look)
    axes.grid(visible=False)
    axes.set_xticks(range(len(order)), order, rotation=45, ha="right")
    axes.set_yticks(range(len(order)), order)
    label = "S \N{MINUS SIGN} 2 of the pair (no unit): above 0 they hurt each other"
    figure.colorbar(picture, ax=axes, shrink=0.8, label=label)
    return figure


def drop_by_predictor(table: pd.DataFrame) -> Figure:
    """Draw what pairs lose on held-out items of fresh replicas against what was seen in training.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.generalization.interference.interference_map`.
    """
    figure, panels = plotting.panels(len(PREDICTORS), size=(2.3, 3.4), sharey=True)
    for axes, (name, label) in zip(panels, PREDICTORS.items(), strict=True):
        scale = 100 if name == "training_drop" else 1
        axes.plot(scale * table[name], 100 * table["held_out_drop"], "o", color=BLUE, markersize=4)
        axes.axhline(0, **SOLID)
        axes.set_xlabel(label, fontsize=9)
    panels[0].set_ylabel("held out, fresh replicas:\nshare lost (points)")
    return figure


RENAMED = {
    "simpsons_trap": "simpsons_paradox",
    "averages": "averaged_correlations",
    "predicted_losses": "drop_by_predictor",
}
__getattr__ = renamed.names(__name__, RENAMED)
