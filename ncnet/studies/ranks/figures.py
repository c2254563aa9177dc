"""Draw S of an encoder, its ceiling and what heads get right, against the rank."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ncnet import plotting
from ncnet.chsh import CLASSICAL_BOUND
from ncnet.datasets import CLASSES
from ncnet.plotting import DASHED, GREY, HELD_OUT, LIGHT_GREY, TRAINING, VERMILION
from ncnet.studies.ranks.all_quartets import ROLES
from ncnet.studies.ranks.claims import BALANCE, DIFFICULTY, LARGEST_RANK
from ncnet.studies.ranks.families import Quartet, title
from ncnet.studies.ranks.tables import rank_name

OF_DOSES = {
    DIFFICULTY: ("shuffled", "share of A2's and B2's labels shuffled"),
    BALANCE: ("ratio", "Alice's training items to Bob's"),
}
"""By group of doses: the column that differs, and what it is."""
S = {"s": TRAINING, "held_out_s": HELD_OUT}
RIGHT = {"accuracy": TRAINING, "held_out_accuracy": HELD_OUT}
CEILING = {"label": "ceiling 2 + Δ", "color": GREY, "linewidth": 1.2}
ENDS = {0.0: "0\n(heads alone)", np.inf: "full\nfine-tuning"}
"""What the ranks at both ends of a line are called where there is room."""


def s_by_rank(table: pd.DataFrame, names: Mapping[str, str]) -> Figure:
    """Draw S of several quartets against rank in one panel, each line with its name.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.ranks.recorded.named_rows` along the rank, with a column ``group``.
    names
        What the line of a group is called, by group.
    """
    figure, axes = plotting.subplots((7.8, 4.3))
    table = table[table["group"].isin(names)]
    ranks = sorted(set(table["rank"]))
    beside = {"textcoords": "offset points", "fontsize": 11}
    at_largest = table[table["rank"] == LARGEST_RANK].set_index("group")
    for place, (group, name) in enumerate(names.items()):
        rows = table[table["group"] == group].sort_values("rank")
        at = np.searchsorted(ranks, rows["rank"]) + 0.07 * (place - (len(names) - 1) / 2)
        look = plotting.dashed_look(place)
        axes.plot(at, rows["s"], linewidth=2.6, **look)
        # Thin: an interval by betting is long, whatever the replicas at hand have.
        by_betting = (rows["interval_method"] == "betting").to_numpy()
        for part, width in ((by_betting, 0.7), (~by_betting, 1.6)):
            bars = look | {"linestyle": "none", "elinewidth": width, "markersize": 6}
            plotting.points(axes, rows[part], at[part], "s", **bars)
        of = at_largest.loc[group]
        above = of["s"] == at_largest["s"].max()
        end, shift, side = (of["s_high"], 5, "bottom") if above else (of["s_low"], -5, "top")
        text = {"color": look["color"], "weight": "bold", "ha": "center", "va": side}
        axes.annotate(name, (ranks.index(LARGEST_RANK), end), (0, shift), **text, **beside)
    axes.axhline(CLASSICAL_BOUND, zorder=1, **DASHED)
    axes.set_xlim(-0.3, len(ranks) - 0.7)
    axes.annotate(
        "classical bound 2", (-0.25, CLASSICAL_BOUND), (0, 4), color=plotting.INK, **beside
    )
    axes.set_xticks(range(len(ranks)), [ENDS.get(rank, rank_name(rank)) for rank in ranks])
    axes.set(xlabel="rank of the adapters", ylabel="CHSH statistic S (no unit)")
    axes.grid(axis="x", visible=False)
    return figure


def ranks(table: pd.DataFrame) -> Figure:
    """Draw S under its ceiling 2 + Delta, and accuracy, against rank, a column a quartet.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.ranks.analysis.by_rank` with a column ``quartet``.
    """
    quartets = table.groupby("quartet", sort=False)
    shared = {"sharex": "col", "sharey": "row", "height_ratios": (1.7, 1)}
    size = (max(5.4, 0.9 + 2.3 * len(quartets)), 5.8)
    figure, grid = plotting.subplots(size, 2, len(quartets), **shared)
    below = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    below |= {"xytext": (2, -4), "va": "top", "fontsize": 8}
    for column, (quartet, rows) in zip(grid.T, quartets, strict=True):
        at, ceiling = np.arange(len(rows)), CLASSICAL_BOUND + rows["delta"]
        column[0].fill_between(at, CLASSICAL_BOUND, ceiling, color=LIGHT_GREY, alpha=0.5)
        column[0].plot(at, ceiling, **CEILING)
        for axes, lines in zip(column, (S, RIGHT), strict=True):
            for place, (name, look) in enumerate(lines.items()):
                if name in rows:
                    shift = at + 0.12 * (place - 0.5)
                    plotting.points(axes, rows, shift, name, markersize=4, linestyle="-", **look)
        column[0].set_title(quartet.replace("_", " "))
        column[0].axhline(CLASSICAL_BOUND, zorder=1, **DASHED)
        # Short and below: lines and the ceiling run close to the bound from the second rank on.
        column[0].annotate("bound 2", (0, CLASSICAL_BOUND), **below)
        _name_ranks(column[1], rows["rank"])
    drawn = table.assign(ceiling=CLASSICAL_BOUND + table["delta"])
    rows_of_panels = (("S (no unit)", [*S, "ceiling"]), ("share right", [*RIGHT]))
    for axes, (label, columns) in zip(grid[:, 0], rows_of_panels, strict=True):
        # Betting's intervals at few replicas would squeeze all else into a line.
        values = drawn[drawn.columns.intersection(columns)]
        lowest, highest = values.min(axis=None), values.max(axis=None)
        reach = highest - lowest
        axes.set(ylabel=label, ylim=(lowest - 0.2 * reach, highest + 0.15 * reach))
    plotting.legend_once(grid[0, -1], below=figure)
    return figure


def doses(table: pd.DataFrame) -> Figure:
    """Draw S and the share right against the doses of difficulty and of balance.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.ranks.recorded.named_rows` of the groups of `OF_DOSES`, with a column
        ``group``.
    """
    shared = {"sharex": "col", "sharey": "row", "height_ratios": (1.5, 1)}
    figure, grid = plotting.subplots((7.6, 5.2), 2, len(OF_DOSES), **shared)
    for column, (group, (name, label)) in zip(grid.T, OF_DOSES.items(), strict=True):
        rows = table[table["group"] == group].sort_values(name)
        at = np.arange(len(rows))
        for axes, lines in zip(column, ({"s": TRAINING}, RIGHT), strict=True):
            for place, (of, look) in enumerate(lines.items()):
                shift = at + 0.08 * (place - 0.5)
                plotting.points(axes, rows, shift, of, markersize=4, linestyle="-", **look)
        plotting.dashed_line(column[0], CLASSICAL_BOUND, "bound 2")
        column[0].set_title(group)
        column[1].set_xticks(at, [_fraction(dose) for dose in rows[name]])
        column[1].set_xlabel(label)
    grid[0, 0].set_ylabel("S (no unit)")
    grid[0, 0].set_ylim(top=CLASSICAL_BOUND + 0.35)  # room for the name of the bound
    grid[1, 0].set_ylabel("share right")
    grid[1, -1].legend(loc="best")
    return figure


def _fraction(dose: float) -> str:
    """Return a dose as people write it: a ratio below 1 is one divided by a whole number.

    >>> _fraction(0.25), _fraction(4.0), _fraction(0.0)
    ('1/4', '4', '0')
    """
    return str(Fraction(dose).limit_denominator(100))


def _name_ranks(axes: Axes, values: pd.Series) -> None:
    axes.set_xticks(range(len(values)), [rank_name(rank) for rank in values])
    axes.set_xlabel("rank of the adapters")


def learnt(table: pd.DataFrame) -> Figure:
    """Draw what is got right of tasks trained alone, in training and held out, a panel a family.

    Parameters
    ----------
    table
        Rows of ``real_tasks`` at one rank.
    """
    families = {name.replace("_", " "): rows for name, rows in table.groupby("family")}
    heights = [len(rows) for rows in families.values()]
    shared = {"sharex": True, "height_ratios": heights}
    figure, grid = plotting.subplots((7.6, 1.6 + 0.3 * sum(heights)), len(families), 1, **shared)
    guess = {"color": plotting.INK, "marker": "|", "markersize": 11, "linestyle": "none"}
    for axes, (family, rows) in zip(grid.flat, families.items(), strict=True):
        rows = rows.sort_values("held_out_right")
        at = np.arange(len(rows), dtype=float)
        for name, look in {"right": TRAINING, "held_out_right": HELD_OUT}.items():
            plotting.points(axes, rows, at, name, flat=True, markersize=5, **look)
        axes.plot(1 / rows["task"].map(CLASSES), at, label="guessing", **guess)
        axes.set_yticks(at, [title(task) for task in rows["task"]])
        axes.set(title=family, xlim=(0, 1.02), ylim=(-0.7, len(rows) - 0.3))
    axes.set_xlabel("share right")
    plotting.legend_once(axes, below=figure, ncols=3)
    return figure


def all_quartets(table: pd.DataFrame, named: Quartet) -> Figure:
    """Draw S of all quartets at once, a row for each pair that carries the minus sign.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.ranks.all_quartets.all_quartets` at one rank.
    named
        The quartet that was named beforehand, which is drawn as a diamond.
    """
    order = table.groupby("minus")["s"].mean().sort_values().index.tolist()
    figure, axes = plotting.subplots((7.6, 1.3 + 0.34 * len(order)))
    tasks = [table[name] == task for name, task in zip(ROLES, _roles(named), strict=True)]
    is_named = np.logical_and.reduce(tasks)
    for minus, rows in table.groupby("minus"):
        rows = rows.sort_values("s")
        # Those of a row stand one above the other, the lowest S below.
        at = order.index(minus) + 0.32 * np.linspace(-1, 1, len(rows))
        chosen = is_named[rows.index]
        for part, look in ((~chosen, OTHERS), (chosen, NAMED)):
            if part.any():
                plotting.points(axes, rows[part], at[part], "s", flat=True, **look)
    axes.axvline(CLASSICAL_BOUND, **plotting.DASHED)
    axes.set(xlabel="S (no unit), training items", ylim=(-0.7, len(order) - 0.3))
    short = _short_names(set(table["alice_2"]) | set(table["bob_2"]))
    pairs = [" beside ".join(short[task] for task in minus.split(" beside ")) for minus in order]
    axes.set_yticks(range(len(order)), pairs)
    axes.set_ylabel("pair with the minus sign")
    plotting.legend_once(axes, below=figure, ncols=2)
    return figure


def disturbance(table: pd.DataFrame) -> Figure:
    """Draw how many points each task loses beside each partner, as a map from the hardest task on.

    The hardest is the one of which least is got right alone.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.ranks.all_quartets.disturbance` at one rank.
    """
    grid = table.pivot_table(index="task", columns="partner", values="points")
    order = table.groupby("task")["alone"].first().sort_values().index
    values = grid.loc[order, order].to_numpy()
    reach = np.nanmax(abs(values))
    figure, axes = plotting.subplots((1.9 + 0.75 * len(order), 1.4 + 0.55 * len(order)))
    picture = axes.imshow(values, cmap="PuOr_r", vmin=-reach, vmax=reach, aspect="auto")
    for row, column in np.argwhere(np.isfinite(values)):
        value = values[row, column]
        # Plus 0: what rounds to 0 has no sign.
        text = f"{round(value, 1) + 0:.1f}".replace("-", "\N{MINUS SIGN}")
        look = {"color": "white" if abs(value) > 0.6 * reach else plotting.INK, "fontsize": 8}
        axes.text(column, row, text, ha="center", va="center", **look)
    axes.grid(visible=False)
    short = _short_names(order)
    names = [short[name] for name in order]
    axes.set_xticks(range(len(order)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(order)), names)
    axes.set(xlabel="beside", ylabel="task that loses")
    figure.colorbar(picture, ax=axes, shrink=0.8, label="percentage points lost")
    return figure


OTHERS = {"color": GREY, "ecolor": LIGHT_GREY, "marker": "o", "markersize": 2.5, "capsize": 0}
OTHERS |= {"label": "other quartets"}
NAMED = {"color": VERMILION, "marker": "D", "markersize": 6, "zorder": 3}
NAMED |= {"label": "named beforehand"}


def _roles(named: Quartet) -> tuple[str, ...]:
    """Return the tasks of a quartet as a table has them: of A2 and B2, the first is Alice's."""
    alice, bob = sorted(named, key=lambda party: party[1])
    return (*alice, *bob)


def _short_names(tasks: Iterable[str]) -> dict[str, str]:
    """Return the titles of tasks without what all of them have in common.

    >>> _short_names(["paws_x/en", "paws_x/fr"])
    {'paws_x/en': 'en', 'paws_x/fr': 'fr'}
    >>> _short_names(["commonsense_qa", "paws_x/en"])
    {'commonsense_qa': 'CommonsenseQA', 'paws_x/en': 'PAWS-X en'}
    """
    tasks = sorted(tasks)
    of_one = len({task.rpartition("/")[0] for task in tasks}) == 1
    return {task: task.rpartition("/")[2] if of_one else title(task) for task in tasks}
