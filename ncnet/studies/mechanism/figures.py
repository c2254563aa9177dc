"""Draws the figures of RQ2: competing gradients, losses that tell, interventions on the trunk."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import CARETLEFT, CARETRIGHT
from matplotlib.ticker import MaxNLocator

from ncnet import plotting, renamed
from ncnet.chsh import CLASSICAL_BOUND
from ncnet.plotting import ALICE, BLUE, BOB, DASHED, GREY, HATCH, INK, ORANGE, VERMILION
from ncnet.studies.mechanism.interventions import SHARED

SAndConflict = tuple[pd.DataFrame, pd.DataFrame]
UNIT_COLOURS = (ORANGE, plotting.GREEN, plotting.PURPLE, *plotting.SERIES)
UNIT_DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))
FARTHEST_LINE = 3  # from the middle of a plane, whose corners are nearer
# Interventions that take competition out, and how they are named in a figure.
WAYS_OUT = {
    "shared": "as usual",
    "PCGrad": "no conflict\n(PCGrad)",
    "separate, n each": "a trunk\nfor each",
}
# Each source is drawn in rows by a function, so far below its row, in a colour with a marker.
ROWS_BY_SOURCE = {
    "recorded": (plotting.points, 0, BLUE, "o"),
    "live": (plotting.hollow, 0.12, VERMILION, "D"),
}


def loss_curves(traced: xr.Dataset) -> Figure:
    """Draw both heads' losses in the four contexts of one replica.

    Parameters
    ----------
    traced
        One replica of what `ncnet.train` returns with traced losses.
    """
    figure, panels = plotting.panels(4, size=(2.25, 2.9), sharey=True)
    heads = {"alice": {"color": ALICE}, "bob": {"color": BOB, "linestyle": (0, (4, 1.5))}}
    for axes, (i, j) in zip(panels, plotting.CONTEXTS, strict=True):
        here = traced.sel(alice_setting=i, bob_setting=j)
        for party, look in heads.items():
            axes.plot(1 + here["step"], here[f"{party}_loss"], label=party.title(), **look)
        axes.set(title=f"(A{i}, B{j})", xscale="log", yscale="log", xlabel="1 + training step")
    panels[0].set_ylabel("loss (nats)")
    panels[0].legend(loc="lower left")
    return figure


def hidden_units(traced: xr.Dataset, steps: Sequence[int]) -> Figure:
    """Draw where the hidden units of one network put their lines as training goes.

    A column for each step. Above, the plane of the two inputs that Alice's task reads, then Bob's:
    corners are inputs, filled where the class is 1; a line is where a unit is 0, all other inputs
    being 0, as thick as the head's weight on the unit. Below, how strongly either head pulls at
    each unit, relative to the strongest pull of the step; downwards where Bob opposes Alice.

    Parameters
    ----------
    traced
        One network of what `ncnet.train` returns with traced gradients and weights.
    steps
        Traced steps to show.
    """
    figure, grid = plotting.subplots((2.1 * len(steps), 5.6), 3, len(steps), sharey="row")
    *bits, _ = traced["input"].values.tolist()
    for (of_alice, of_bob, below), step in zip(grid.T, steps, strict=True):
        here = traced.sel(step=step)
        _plane(of_alice, here, "alice", bits[:2])
        _plane(of_bob, here, "bob", bits[-2:])
        _pulls(below, here)
        of_alice.set_title(f"step {step:,}")
    grid[0, 0].set_ylabel("Alice: {1} against {0}".format(*bits[:2]))
    grid[1, 0].set_ylabel("Bob: {1} against {0}".format(*bits[-2:]))
    grid[2, 0].set(ylabel="relative pull", ylim=(-1.05, 1.05))
    handles = [
        Line2D([], [], linewidth=2, label=f"unit {unit + 1}", **_unit_look(unit))
        for unit in range(traced.sizes["unit"])
    ]
    handles += grid[2, 0].get_legend_handles_labels()[0]
    figure.legend(handles=handles, loc="outside lower center", ncols=6)
    return figure


def conflict_over_n(live: SAndConflict, recorded: SAndConflict | None = None) -> Figure:
    """Draw S beside how opposed the gradients are, over hidden units, a row for each game.

    Parameters
    ----------
    live, recorded
        Each a table with ``game``, ``hidden_size`` and S with its interval, and one of
        `ncnet.studies.mechanism.conflict.conflict` with ``game`` and ``hidden_size``;
        `recorded` may be None. Lines with bands are recorded, hollow points live.
    """
    layers = plotting.layers(recorded, live)
    games = pd.concat(s for _, (s, _) in reversed(layers))["game"].unique()
    figure, grid = plotting.subplots((9, 2.6 * len(games) + 0.6), len(games), 3, sharex=True)
    for row, game in zip(grid, games, strict=True):
        for draw, tables in layers:
            s, conflict = (table[table["game"] == game] for table in tables)
            draw(row[0], s, "hidden_size", "s", color=INK, marker="o", markersize=4)
            for here, look in plotting.by_context(conflict[conflict["phase"] == "whole"]):
                draw(row[1], here, "hidden_size", "conflict_share", markersize=4, **look)
                draw(row[2], here, "hidden_size", "weighted_cosine", markersize=4, **look)
        row[0].axhline(CLASSICAL_BOUND, **DASHED)
        row[0].set_ylabel(f"game {game}")
        row[1].set_ylim(0, 1.05)
        highest = max(0.05, *(line.get_ydata().max(initial=0) for line in row[2].lines))
        row[2].set_ylim(-1.05, highest + 0.05)
    titles = ("S", "share of steps in conflict", "cosine, weighted by size")
    for axes, below, title in zip(grid[0], grid[-1], titles, strict=True):
        axes.set_title(title)
        below.set_xlabel("hidden units n")
        below.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    plotting.legend_once(grid[0, 1], below=figure)
    return figure


def sensing(
    by_size: pd.DataFrame, by_use: pd.DataFrame, by_steps: pd.DataFrame, *, title: str
) -> Figure:
    """Draw how well Bob's setting is told from Alice's loss.

    Parameters
    ----------
    by_size
        Over ``hidden_size``: ``auc`` of the whole trace with its interval, and ``source``,
        "recorded" or "live".
    by_use
        Over ``use``, at one hidden size.
    by_steps
        Over ``seen``, at one hidden size.
    title
        The game and hidden size, for the titles of the last two panels.
    """
    figure, [panels] = plotting.subplots((9.4, 3.7), 1, 3, width_ratios=(1, 1.25, 1))
    over_n, parts, over_steps = panels
    over_steps.set_xscale("log")
    for axes, table, x in ((over_n, by_size, "hidden_size"), (over_steps, by_steps, "seen")):
        for source, rows in table.groupby("source", sort=False):
            draw = plotting.hollow if source == "live" else plotting.band
            draw(axes, rows, x, "auc", color=BLUE, marker="o", markersize=4, label=source)
        plotting.dashed_line(axes, 0.5, "guessing")
        axes.set_ylim(0.45, 1.02)
    over_n.set(title="whole trace", xlabel="hidden units n", ylabel="AUC (no unit)")
    over_n.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    over_n.legend(loc="center left")
    over_steps.set(title=f"steps seen; {title}", xlabel="steps seen")
    uses = pd.Index(by_use["use"].unique())
    for source, rows in by_use.groupby("source", sort=False):
        draw, shift, colour, marker = ROWS_BY_SOURCE[source]
        places = uses.get_indexer(rows["use"]) + shift
        draw(parts, rows, places, "auc", flat=True, color=colour, marker=marker)
    plotting.name_rows(parts, uses, fontsize=8.5)
    parts.axvline(0.5, **DASHED)
    parts.set(title=f"part of the trace; {title}", xlabel="AUC (no unit)", xlim=(0.45, 1.02))
    return figure


def opposite_ways(table: pd.DataFrame) -> Figure:
    """Draw S as Bob's gradient weakens, and as competition is taken out, a line for each game.

    The axis of S leaves out what lies far below, where Bob's gradient is stopped.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.mechanism.interventions.interventions` at one hidden size, with a
        column ``game``.
    """
    table = table.assign(weight=_weights)
    figure, [panels] = plotting.subplots((8.6, 3.9), 1, 2, sharey=True, width_ratios=(1.5, 1))
    weaker, taken_out = panels
    beside = {"textcoords": "offset points", "ha": "center", "fontsize": 11}
    for place, (game, rows) in enumerate(table.groupby("game", sort=False)):
        look = {**plotting.look(place), "linestyle": "-", "linewidth": 2.4, "markersize": 6}
        doses = rows.dropna(subset="weight").sort_values("weight")
        plotting.points(weaker, doses, "weight", "s", **look)
        named = doses[doses["weight"] > 0].iloc[(doses["weight"] > 0).sum() // 2]
        above = named["s"] > doses["s"].iloc[-1]
        name = {"xytext": (0, 10 if above else -19), "color": look["color"], "weight": "bold"}
        weaker.annotate(game, (named["weight"], named["s"]), **name, **beside)
        ways = rows.set_index("intervention").reindex(WAYS_OUT).dropna(subset="s")
        places = [list(WAYS_OUT).index(name) for name in ways.index]
        plotting.points(taken_out, ways, places, "s", **look)
    for axes in panels:
        axes.axhline(CLASSICAL_BOUND, zorder=1, **DASHED)
        axes.grid(axis="x", visible=False)
    below = {"textcoords": "offset points", "va": "top", "fontsize": 10}
    weaker.annotate("classical bound 2", (1, CLASSICAL_BOUND), (0, -5), **below)
    weaker.invert_xaxis()
    weaker.set(xlabel="weight λ of Bob's gradient", title="Bob's gradient is weakened")
    weaker.set_ylabel("CHSH statistic S (no unit)")
    shown = table.loc[table["weight"] > 0, "s"]
    weaker.set_ylim(CLASSICAL_BOUND - 0.17, max(CLASSICAL_BOUND, shown.max()) + 0.08)
    stopped = {"xytext": (-58, 6), "textcoords": "offset points", "ha": "right", "fontsize": 10}
    weaker.annotate(
        "at 0 both lie far below:\nBob's head fails", (1, 0), xycoords="axes fraction", **stopped
    )
    taken_out.set_xticks(range(len(WAYS_OUT)), WAYS_OUT.values())
    taken_out.set(title="Competition is taken out", xlim=(-0.4, len(WAYS_OUT) - 0.6))
    return figure


def raised_or_lowered(table: pd.DataFrame) -> Figure:
    """Draw how far each intervention raises or lowers S, a row each and a column for each game.

    A line goes from S of the shared trunk to S under the intervention. It is thin where the
    interval of the change, which holds together with the others of the game, reaches 0.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.mechanism.interventions.interventions` at one hidden size, with a
        column ``game``.
    """
    changed = table[table["intervention"] != SHARED]
    names = pd.Index(changed["intervention"].unique())
    games = list(table.groupby("game", sort=False))
    size = (4.5, 0.33 * len(names) + 1.3)
    figure, panels = plotting.panels(len(games), size=size, sharex=True, sharey=True)
    looks = {
        "raised": (VERMILION, CARETRIGHT),
        "lowered": (BLUE, CARETLEFT),
        "not shown to change": (GREY, "o"),
    }
    for axes, (game, rows) in zip(panels, games, strict=True):
        start = rows.loc[rows["intervention"] == SHARED, "s"].iloc[0]
        rows = rows[rows["intervention"] != SHARED]
        kinds = np.select(
            [rows["s_change_low"] > 0, rows["s_change_high"] < 0],
            ["raised", "lowered"],
            "not shown to change",
        )
        axes.axvline(start, color=INK, linewidth=0.9)
        axes.axvline(CLASSICAL_BOUND, **DASHED)
        for kind, (colour, marker) in looks.items():
            of_kind = rows[kinds == kind]
            places = names.get_indexer(of_kind["intervention"])
            thick = 1.2 if colour == GREY else 3
            axes.hlines(places, start, of_kind["s"], color=colour, linewidth=thick)
            look = {"color": colour, "markersize": 7, "linestyle": "none"}
            axes.plot(of_kind["s"], places, marker=marker, label=kind, **look)
        bars = {"color": INK, "marker": "", "capsize": 1.5, "elinewidth": 0.8, "zorder": 3}
        plotting.points(axes, rows, names.get_indexer(rows["intervention"]), "s", flat=True, **bars)
        axes.set(title=f"game {game}", xlabel="S (no unit)")
        axes.grid(axis="y", visible=False)
    plotting.name_rows(panels[0], names)
    plotting.legend_once(panels[0], below=figure)
    return figure


def forest(live: pd.DataFrame | None, recorded: pd.DataFrame | None = None) -> Figure:
    """Draw S, Delta, influence and both heads' success under every intervention, a row for each.

    Parameters
    ----------
    live, recorded
        Tables of `ncnet.studies.mechanism.interventions.interventions` at one hidden size; one of
        them may be None. Filled points are recorded, hollow ones live.
    """
    # A table that is None is left out.
    tables = pd.concat({"recorded": recorded, "live": live}, names=["source"])
    names = pd.Index(tables["intervention"].unique())
    size = (10, 0.36 * len(names) + 1.3)
    figure, [panels] = plotting.subplots(size, 1, 4, sharey=True, width_ratios=(1.4, 1, 1, 1))
    measured = {"s": (INK, "o"), "delta": (ORANGE, "s"), "influence": (GREY, "^")}
    for source, table in tables.groupby("source", sort=False):
        draw, shift, *_ = ROWS_BY_SOURCE[source]
        places = names.get_indexer(table["intervention"]) + 2 * shift
        for axes, (name, (colour, marker)) in zip(panels, measured.items(), strict=False):
            draw(axes, table, places, name, flat=True, color=colour, marker=marker, capsize=2.5)
        for party, colour, marker in (("alice", ALICE, "o"), ("bob", BOB, "s")):
            look = {"color": colour, "mfc": "white" if shift else colour, "label": party.title()}
            panels[3].plot(100 * table[f"{party}_success"], places, marker, **look)
    shared = tables.iloc[0]
    panels[0].axvspan(shared["s_low"], shared["s_high"], color=GREY, alpha=0.25, linewidth=0)
    panels[0].axvline(CLASSICAL_BOUND, **DASHED)
    for axes, name in zip(panels, ("S", "Δ", "influence", "outcomes right (%)"), strict=True):
        axes.set_title(name)
    plotting.name_rows(panels[0], names)
    panels[3].legend(handles=panels[3].lines[-2:], loc="upper left")
    return figure


def dose_response(live: pd.DataFrame, recorded: pd.DataFrame | None = None) -> Figure:
    """Draw S against the weight of Bob's gradient on the trunk, a column for each game.

    Parameters
    ----------
    live, recorded
        Tables of `ncnet.studies.mechanism.interventions.interventions` over hidden sizes;
        `recorded` may be None. Lines with bands are recorded, hollow points live.
    """
    drawn = pd.concat([live, recorded])
    games, sizes = drawn["game"].unique(), sorted(drawn["hidden_size"].unique())
    figure, panels = plotting.panels(len(games), size=(4.4, 3.6), sharey=True)
    for axes, game in zip(panels, games, strict=True):
        for draw, table in plotting.layers(recorded, live):
            doses = table[table["game"] == game].assign(weight=_weights).sort_values("weight")
            for size, one in doses.dropna(subset="weight").groupby("hidden_size"):
                look = {"markersize": 4, **plotting.dashed_look(sizes.index(size))}
                draw(axes, one, "weight", "s", label=f"n = {size}", **look)
        axes.axhline(CLASSICAL_BOUND, **DASHED)
        axes.set(title=f"game {game}", xlabel="weight λ of Bob's gradient")
    panels[0].set_ylabel("S (no unit)")
    plotting.legend_once(panels[0], loc="lower right")
    return figure


def _weights(table: pd.DataFrame) -> pd.Series:
    """Return λ of each intervention, 1 of the shared trunk, and none of what has no λ."""
    names = table["intervention"].replace("shared", "λ = 1")
    return pd.to_numeric(names.str.removeprefix("λ = "), errors="coerce")


def _plane(axes: Axes, here: xr.Dataset, party: str, plane: list[str]) -> None:
    weights = here["trunk_weight"].sel(input=[*plane, "bias"]).values
    widths = 1 + 2.8 * (abs(here[f"{party}_weight"].values.astype(float)) / 6).clip(max=1)
    for unit, (weight, width) in enumerate(zip(weights.astype(float), widths, strict=True)):
        normal, bias = weight[:2], weight[2]
        length = np.hypot(*normal)
        # Lines farther away are not in sight, and matplotlib cannot draw those of no direction.
        if abs(bias) < FARTHEST_LINE * length:
            nearest = -bias / length * normal / length
            along = np.array([-normal[1], normal[0]]) / length
            axes.axline(nearest, nearest + along, linewidth=width, **_unit_look(unit))
    columns = [int(name[1:]) - 1 for name in plane]
    classes = here[f"{party}_target"].values.reshape((2,) * (here.sizes["input"] - 1))
    classes = np.moveaxis(classes, columns, (0, 1)).reshape(2, 2, -1)[..., 0]
    for (x, y), one in np.ndenumerate(classes):
        look = {"color": INK, "mfc": INK if one > 0 else "white", "markersize": 6, "zorder": 3}
        axes.plot(2 * x - 1, 2 * y - 1, "o", **look)
    axes.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), aspect="equal", xticks=[-1, 1], yticks=[-1, 1])
    axes.grid(visible=False)


def _pulls(axes: Axes, here: xr.Dataset) -> None:
    places = np.arange(here.sizes["unit"])
    pulls = np.sqrt([here[f"{party}_gradient"].values for party in ("alice", "bob")])
    alice, bob = pulls / (pulls.max() or 1.0)
    axes.bar(places - 0.2, alice, 0.4, color=ALICE, label="Alice's pull")
    turned = np.where(here["gradient_product"] < 0, -bob, bob)
    axes.bar(places + 0.2, turned, 0.4, color=BOB, hatch=HATCH, lw=0, label="Bob's pull")
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set(xticks=places, xticklabels=places + 1, xlabel="unit")
    axes.grid(axis="x", visible=False)


def _unit_look(unit: int) -> dict[str, object]:
    colour = UNIT_COLOURS[unit % len(UNIT_COLOURS)]
    return {"color": colour, "linestyle": UNIT_DASHES[unit % len(UNIT_DASHES)]}


__getattr__ = renamed.names(__name__, {"units": "hidden_units", "dose": "dose_response"})
