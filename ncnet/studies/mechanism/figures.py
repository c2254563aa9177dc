"""Gradients that compete, losses that tell, and interventions on the trunk."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from ncnet.chsh import CLASSICAL_BOUND
from ncnet.plotting import (
    ALICE,
    BLUE,
    BOB,
    CONTEXT_COLOURS,
    CONTEXTS,
    DASHES,
    GREEN,
    GREY,
    HATCH,
    INK,
    MARKERS,
    ORANGE,
    PURPLE,
    SERIES,
    VERMILION,
)

UNIT_COLOURS = (ORANGE, GREEN, PURPLE, *SERIES)
UNIT_DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))
LIVE_SHIFT = 0.12


def loss_curves(traced: xr.Dataset) -> Figure:
    """Draw both heads' losses in the four contexts of one replica.

    Parameters
    ----------
    traced
        One replica of what `ncnet.train` returns with traced losses.
    """
    figure = Figure(figsize=(9, 2.9))
    panels = figure.subplots(1, 4, sharey=True)
    for axes, (i, j) in zip(panels, CONTEXTS, strict=True):
        here = traced.sel(alice_setting=i, bob_setting=j)
        for party, colour, dashes in (("alice", ALICE, "-"), ("bob", BOB, (0, (4, 1.5)))):
            steps = 1 + here["step"].values
            axes.plot(
                steps, here[f"{party}_loss"], color=colour, linestyle=dashes, label=party.title()
            )
        axes.set_title(f"(A{i}, B{j})")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("1 + training step")
    panels[0].set_ylabel("loss (nats)")
    panels[0].legend(loc="lower left", fontsize=8.5)
    return figure


def units(traced: xr.Dataset, steps: Sequence[int]) -> Figure:
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
    figure = Figure(figsize=(1.75 * len(steps), 5.6))
    grid = figure.subplots(3, len(steps), sharey="row", squeeze=False)
    bits = traced["input"].values.tolist()[:-1]
    planes = {"alice": bits[:2], "bob": bits[-2:]}
    for column, step in zip(grid.T, steps, strict=True):
        here = traced.sel(step=step)
        for axes, (party, plane) in zip(column, planes.items(), strict=False):
            _plane(axes, here, party, plane)
        _pulls(column[2], here)
        column[0].set_title(f"step {step:,}", fontsize=10)
    for row, (party, plane) in zip(grid, planes.items(), strict=False):
        row[0].set_ylabel(f"{party.title()}: {plane[1]} against {plane[0]}")
    grid[2, 0].set_ylabel("relative pull")
    grid[2, 0].set_ylim(-1.05, 1.05)
    figure.legend(
        handles=[
            *_unit_handles(grid[0, 0], traced.sizes["unit"]),
            Patch(color=ALICE, label="Alice's pull"),
            Patch(facecolor=BOB, hatch=HATCH, edgecolor="white", label="Bob's pull"),
        ],
        loc="outside lower center",
        ncols=6,
        fontsize=8.5,
    )
    return figure


def conflict_over_n(
    live: tuple[pd.DataFrame, pd.DataFrame],
    recorded: tuple[pd.DataFrame, pd.DataFrame] | None = None,
) -> Figure:
    """Draw S beside how opposed the gradients are, over hidden units, a row for each game.

    Parameters
    ----------
    live, recorded
        Each a table with ``game``, ``hidden_size`` and S with its interval, and one of
        `ncnet.studies.mechanism.analysis.conflict_table` with ``game`` and ``hidden_size``;
        `recorded` may be None. Lines with bands are recorded, hollow points live.
    """
    games = _games(live[0], recorded and recorded[0])
    figure = Figure(figsize=(9, 2.6 * len(games) + 0.6))
    grid = figure.subplots(len(games), 3, squeeze=False, sharex=True)
    for row, game in zip(grid, games, strict=True):
        for tables, is_live in ((recorded, False), (live, True)):
            if tables is not None:
                _conflict_row(row, *(table[table["game"] == game] for table in tables), is_live)
        row[0].axhline(CLASSICAL_BOUND, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
        row[0].set_ylabel(f"game {game}")
        row[1].set_ylim(0, 1.05)
        highest = max(0.05, *(line.get_ydata().max(initial=0) for line in row[2].lines))
        row[2].set_ylim(-1.05, highest + 0.05)
    for axes, title in zip(
        grid[0], ("S", "share of steps in conflict", "cosine, weighted by size"), strict=True
    ):
        axes.set_title(title, fontsize=10)
    for axes in grid[-1]:
        axes.set_xlabel("hidden units n")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    handles, labels = grid[0, 1].get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    figure.legend(unique.values(), unique.keys(), loc="outside lower center", ncols=4)
    return figure


def _conflict_row(
    row: np.ndarray, s_table: pd.DataFrame, conflict: pd.DataFrame, live: bool
) -> None:
    _series(row[0], s_table, "s", INK, "o", live)
    whole = conflict[conflict["phase"] == "whole"]
    for axes, name in zip(row[1:], ("conflict_share", "weighted_cosine"), strict=True):
        for marker, (i, j) in zip(MARKERS, CONTEXTS, strict=False):
            here = whole[(whole["alice_setting"] == i) & (whole["bob_setting"] == j)]
            _series(axes, here, name, CONTEXT_COLOURS[i, j], marker, live, f"(A{i}, B{j})")


def sensing(
    by_size: pd.DataFrame,
    by_use: pd.DataFrame,
    by_steps: pd.DataFrame,
    *,
    title: str,
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
        Of the last two panels: the game and hidden size.
    """
    figure = Figure(figsize=(9.4, 3.7))
    over_n, parts, over_steps = figure.subplots(1, 3, width_ratios=(1, 1.25, 1))
    for source, table in by_size.groupby("source", sort=False):
        _series(over_n, table, "auc", BLUE, "o", source == "live", source)
    over_n.set_xlabel("hidden units n")
    over_n.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    over_n.set_ylabel("AUC (no unit)")
    over_n.set_title("whole trace", fontsize=10)
    over_n.legend(loc="lower left", fontsize=8.5)
    uses = by_use["use"].drop_duplicates().tolist()
    for source, table in by_use.groupby("source", sort=False):
        places = np.array([uses.index(use) for use in table["use"]], float)
        live = source == "live"
        places += LIVE_SHIFT if live else 0
        parts.errorbar(
            table["auc"],
            places,
            xerr=_errors(table, "auc"),
            fmt="D" if live else "o",
            color=VERMILION if live else BLUE,
            mfc="white" if live else BLUE,
            capsize=3,
            label=source,
        )
    parts.set_yticks(range(len(uses)), uses, fontsize=8.5)
    parts.invert_yaxis()
    parts.set_xlabel("AUC (no unit)")
    parts.set_title(f"part of the trace; {title}", fontsize=10)
    parts.axvline(0.5, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    parts.set_xlim(0.45, 1.02)
    for source, table in by_steps.groupby("source", sort=False):
        _series(over_steps, table, "auc", BLUE, "o", source == "live", source, x="seen")
    over_steps.set_xscale("log")
    over_steps.set_xlabel("steps seen")
    over_steps.set_title(f"steps seen; {title}", fontsize=10)
    for axes in (over_n, over_steps):
        axes.axhline(0.5, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.annotate(
            "guessing",
            (1, 0.5),
            xycoords=("axes fraction", "data"),
            xytext=(-2, 3),
            textcoords="offset points",
            ha="right",
            fontsize=8,
        )
        axes.set_ylim(0.45, 1.02)
    return figure


def forest(live: pd.DataFrame | None, recorded: pd.DataFrame | None = None) -> Figure:
    """Draw S, Delta, influence and both heads' success under every intervention, a row for each.

    Parameters
    ----------
    live, recorded
        Tables of `ncnet.studies.mechanism.analysis.compare` at one hidden size; one of them may be
        None. Filled points are recorded, hollow ones live.
    """
    tables = [table for table in (recorded, live) if table is not None]
    names = list(dict.fromkeys(name for table in tables for name in table["intervention"]))
    figure = Figure(figsize=(10, 0.36 * len(names) + 1.3))
    panels = figure.subplots(1, 4, sharey=True, width_ratios=(1.4, 1, 1, 1))
    for table, is_live in ((recorded, False), (live, True)):
        if table is None:
            continue
        places = np.array([names.index(name) for name in table["intervention"]], float)
        places += 2 * LIVE_SHIFT if is_live else 0
        look = {"mfc": "white"} if is_live else {}
        for axes, name, colour, marker in (
            (panels[0], "s", INK, "o"),
            (panels[1], "delta", ORANGE, "s"),
            (panels[2], "influence", GREY, "^"),
        ):
            axes.errorbar(
                table[name],
                places,
                xerr=_errors(table, name),
                fmt=marker,
                color=colour,
                capsize=2.5,
                linewidth=1.2,
                **look,
            )
        for party, colour, marker in (("alice", ALICE, "o"), ("bob", BOB, "s")):
            label = party.title() if is_live or live is None else None
            panels[3].plot(
                100 * table[f"{party}_success"], places, marker, color=colour, label=label, **look
            )
    shared = (live if recorded is None else recorded).iloc[0]
    panels[0].axvspan(shared["s_low"], shared["s_high"], color=GREY, alpha=0.25, linewidth=0)
    panels[0].axvline(CLASSICAL_BOUND, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    titles = ("S", "Δ", "influence", "outcomes right (%)")
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, fontsize=10)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    panels[3].legend(loc="upper left", fontsize=8.5)
    return figure


def dose(live: pd.DataFrame, recorded: pd.DataFrame | None = None) -> Figure:
    """Draw S against the weight of Bob's gradient on the trunk, a column for each game.

    Parameters
    ----------
    live, recorded
        Tables of `ncnet.studies.mechanism.analysis.compare` over hidden sizes, with ``game``;
        `recorded` may be None. Lines with bands are recorded, hollow points live.
    """
    games, tables = _games(live, recorded), [live] if recorded is None else [live, recorded]
    sizes = sorted(set().union(*(table["hidden_size"] for table in tables)))
    figure = Figure(figsize=(4.4 * len(games), 3.6))
    panels = figure.subplots(1, len(games), sharey=True, squeeze=False)[0]
    for axes, game in zip(panels, games, strict=True):
        for table, is_live in ((recorded, False), (live, True)):
            if table is None:
                continue
            doses = table[table["game"] == game]
            doses = doses.assign(weight=doses["intervention"].map(_weight)).dropna(subset="weight")
            for place, size in enumerate(sizes):
                colour, marker = SERIES[place % len(SERIES)], MARKERS[place % len(MARKERS)]
                one = doses[doses["hidden_size"] == size].sort_values("weight")
                _series(axes, one, "s", colour, marker, is_live, f"n = {size}", x="weight")
        axes.axhline(CLASSICAL_BOUND, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.set_title(f"game {game}", fontsize=10)
        axes.set_xlabel("weight λ of Bob's gradient")
    panels[0].set_ylabel("S (no unit)")
    handles, labels = panels[0].get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    panels[0].legend(unique.values(), unique.keys(), loc="lower right", fontsize=8.5)
    return figure


def _games(live: pd.DataFrame, recorded: pd.DataFrame | None) -> list[str]:
    """Return the games of both tables, the live ones first."""
    tables = [live] if recorded is None else [live, recorded]
    return list(dict.fromkeys(game for table in tables for game in table["game"]))


def _errors(table: pd.DataFrame, name: str) -> np.ndarray:
    low, high = table[name] - table[f"{name}_low"], table[f"{name}_high"] - table[name]
    return np.array([low, high]).clip(min=0)


def _weight(name: str) -> float:
    if name == "shared":
        return 1.0
    return float(name.removeprefix("λ = ")) if name.startswith("λ = ") else np.nan


def _series(
    axes: Axes,
    table: pd.DataFrame,
    name: str,
    colour: str,
    marker: str,
    live: bool,
    label: str | None = None,
    *,
    x: str = "hidden_size",
) -> None:
    if live:
        axes.errorbar(
            table[x],
            table[name],
            yerr=_errors(table, name),
            fmt=marker,
            color=colour,
            mfc="white",
            capsize=3,
            linewidth=1.2,
            label=label,
        )
        return
    low, high = table[f"{name}_low"], table[f"{name}_high"]
    axes.fill_between(table[x], low, high, color=colour, alpha=0.25, linewidth=0)
    dashes = DASHES[MARKERS.index(marker)]
    axes.plot(
        table[x],
        table[name],
        color=colour,
        marker=marker,
        markersize=3.5,
        linestyle=dashes,
        label=label,
    )


def _plane(axes: Axes, here: xr.Dataset, party: str, plane: list[str]) -> None:
    reach = np.array([-1.6, 1.6])
    for unit in range(here.sizes["unit"]):
        weight = here["trunk_weight"].isel(unit=unit)
        across, up, bias = (float(weight.sel(input=name)) for name in (*plane, "bias"))
        colour, dashes = _unit_look(unit)
        width = 0.4 + 3.2 * min(1.0, abs(float(here[f"{party}_weight"].isel(unit=unit))) / 6)
        # The line across * x + up * y + bias = 0, along its flatter direction.
        along = (reach, -(across * reach + bias) / up) if abs(up) >= abs(across) and up else None
        if along is None and across:
            along = (-(up * reach + bias) / across, reach)
        if along is not None:
            axes.plot(*along, color=colour, linestyle=dashes, linewidth=width)
    places, classes = _corners(here, party, plane)
    for place, one in zip(places, classes, strict=True):
        axes.plot(*place, "o", color=INK, mfc=INK if one > 0 else "white", markersize=6, zorder=3)
    axes.set(xlim=reach, ylim=reach, aspect="equal", xticks=[-1, 1], yticks=[-1, 1])
    axes.grid(visible=False)


def _corners(here: xr.Dataset, party: str, plane: list[str]) -> tuple[np.ndarray, np.ndarray]:
    target = here[f"{party}_target"].values
    bits = here.sizes["input"] - 1
    rows = np.array(np.meshgrid(*[(-1, 1)] * bits, indexing="ij")).reshape(bits, -1).T
    columns = [int(name[1:]) - 1 for name in plane]
    places, first = np.unique(rows[:, columns], axis=0, return_index=True)
    return places, target[first]


def _pulls(axes: Axes, here: xr.Dataset) -> None:
    places = np.arange(here.sizes["unit"])
    alice, bob = (np.sqrt(here[f"{party}_gradient"].values) for party in ("alice", "bob"))
    strongest = max(alice.max(), bob.max()) or 1.0
    alice, bob = alice / strongest, bob / strongest
    opposed = here["gradient_product"].values < 0
    axes.bar(places - 0.2, alice, 0.4, color=ALICE)
    turned = np.where(opposed, -bob, bob)
    axes.bar(places + 0.2, turned, 0.4, color=BOB, hatch=HATCH, lw=0)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(places, [str(place + 1) for place in places])
    axes.set_xlabel("unit")
    axes.grid(axis="x", visible=False)


def _unit_look(unit: int) -> tuple[str, object]:
    return UNIT_COLOURS[unit % len(UNIT_COLOURS)], UNIT_DASHES[unit % len(UNIT_DASHES)]


def _unit_handles(axes: Axes, count: int) -> list:
    looks = [_unit_look(unit) for unit in range(count)]
    return [
        axes.plot([], [], color=colour, linestyle=dashes, linewidth=2, label=f"unit {unit + 1}")[0]
        for unit, (colour, dashes) in enumerate(looks)
    ]
