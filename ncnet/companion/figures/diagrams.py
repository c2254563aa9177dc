"""Draws what needs no data: the bounds of S, the network and its four contexts, a batch."""

from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch

from ncnet import plotting
from ncnet.chsh import ALGEBRAIC_BOUND, CLASSICAL_BOUND, TSIRELSON_BOUND
from ncnet.games import Game
from ncnet.plotting import ALICE, BLUE, BOB, GREY, INK, ORANGE, PURPLE

STRETCHES = {
    "answers agreed on\nbeforehand": (0, CLASSICAL_BOUND, BLUE),
    "entangled\nparticles": (CLASSICAL_BOUND, TSIRELSON_BOUND, ORANGE),
    "beyond quantum\nphysics": (TSIRELSON_BOUND, ALGEBRAIC_BOUND, PURPLE),
}
"""Where each stretch of S begins and ends, and its colour."""
UNITS_ALONE = {"AND": 1, "XOR": 2}
"""How many hidden units a network needs that has only this task."""
MIDDLE = {"ha": "center", "va": "center"}
STEP = 0.95
"""The distance from one job of a batch to the next, as it is drawn."""
Point = tuple[float, float]


def bounds() -> Figure:
    """Draw what each stretch of S from 0 to 4 asks of parties without influence."""
    figure, axes = plotting.subplots((7.5, 2.3))
    for label, (low, high, colour) in STRETCHES.items():
        axes.barh(0, high - low, 0.5, low, color=colour, alpha=0.3, edgecolor=INK, linewidth=0.8)
        axes.text((low + high) / 2, 0, label, **MIDDLE)
    _arrow(axes, (0, 0.55), ALGEBRAIC_BOUND, arrowstyle="<->", color=INK, linewidth=1)
    axes.text(2, 0.62, "all of it: parties that influence each other", ha="center", va="bottom")
    ticks = {"0": 0, "1": 1, "2": CLASSICAL_BOUND, "2√2": TSIRELSON_BOUND, "4": ALGEBRAIC_BOUND}
    axes.set_xticks(list(ticks.values()), ticks)
    axes.set(yticks=[], ylim=(-0.35, 0.95), xlabel="S (no unit)")
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
    return figure


def network_and_contexts(game: Game, hidden_size: int = 3) -> Figure:
    """Draw one network (inputs, shared hidden layer, two heads) beside its four contexts.

    Parameters
    ----------
    game
        A game of AND and XOR tasks, such as `ncnet.games.overlap`.
    hidden_size
        How many hidden units to draw.
    """
    figure, [[left, right]] = plotting.subplots((9, 3.9), 1, 2, width_ratios=(1.1, 1))
    _network(left, game.bits, hidden_size)
    _contexts(right, game)
    for axes in (left, right):
        axes.set_axis_off()
        axes.set_aspect("equal")
    return figure


def _network(axes: Axes, bits: int, hidden_size: int) -> None:
    inputs, hidden = _layer(0, bits), _layer(2, hidden_size)
    _connect(axes, inputs, hidden, color=GREY, linewidth=0.9)
    for number, place in enumerate(inputs, start=1):
        _unit(axes, place, f"$x_{number}$", INK)
    for place in hidden:
        _unit(axes, place, "", INK)
    for name, y, colour in (("Alice", 0.9, ALICE), ("Bob", -0.9, BOB)):
        _connect(axes, hidden, [(4, y)], color=colour, linewidth=1.3)
        _unit(axes, (4, y), name[0], colour)
        axes.text(4.45, y, f"{name}'s head", color=colour, va="center")
    axes.text(0, 2.2, "inputs ±1", ha="center")
    axes.text(2, 2.2, "shared hidden layer", ha="center")
    axes.text(2, -2.3, "the gradients of both heads\nmeet in the same weights", **MIDDLE)
    axes.set(xlim=(-0.6, 6.2), ylim=(-2.8, 2.6))


def _layer(x: float, units: int) -> list[Point]:
    return [(x, 1.1 * ((units - 1) / 2 - unit)) for unit in range(units)]


def _connect(axes: Axes, starts: list[Point], ends: list[Point], **look: object) -> None:
    """Draw a line from each of these units to each of the others."""
    axes.plot(*np.array(list(product(starts, ends))).T, zorder=1, **look)


def _unit(axes: Axes, place: Point, label: str, colour: str) -> None:
    look = {"facecolor": "white", "edgecolor": colour, "linewidth": 1.6, "zorder": 2}
    axes.add_patch(Circle(place, 0.32, **look))
    axes.text(*place, label, color=colour, zorder=3, **MIDDLE)


def _contexts(axes: Axes, game: Game) -> None:
    for (row, alice), (column, bob) in product(enumerate(game.alice), enumerate(game.bob)):
        x, y = 2.6 * column, -1.7 * row
        alone = [UNITS_ALONE[task.name.split("(")[0]] for task in (alice, bob)]
        _box(axes, (x, y), "", size=(2.3, 1.35))
        axes.text(x + 1.15, y + 1.08, alice.name, color=ALICE, **MIDDLE)
        axes.text(x + 1.15, y + 0.70, bob.name, color=BOB, **MIDDLE)
        axes.text(x + 1.15, y + 0.25, "{} + {} units".format(*alone), fontsize=8.5, **MIDDLE)
        sign = "\N{MINUS SIGN}" if row and column else "+"
        axes.text(x + 0.14, y + 1.18, sign, fontsize=14, **MIDDLE)
    for setting in (1, 2):
        x, y = 2.6 * setting - 1.45, 2.37 - 1.7 * setting
        axes.text(x, 1.72, f"Bob's setting {setting}", color=BOB, ha="center")
        axes.text(-0.25, y, f"Alice's\nsetting {setting}", color=ALICE, ha="right", va="center")
    axes.text(2.45, -2.25, "each box: one network, trained from scratch", **MIDDLE)
    axes.set(xlim=(-1.7, 5.2), ylim=(-2.6, 2.1))


def batch_diagram(games: list[str], sizes: list[int]) -> Figure:
    """Draw a batch: one notebook over a grid, a job for each combination, their tables joined.

    Parameters
    ----------
    games, sizes
        The values of both axes of the grid that is drawn.
    """
    figure, axes = plotting.subplots((8.6, 3))
    left, top = 2.9, 2.1
    middle, right = top - 0.1 - STEP * len(games) / 2, left + STEP * len(sizes) + 0.6
    _box(axes, (0, middle + 0.15), "notebook")
    _box(axes, (0, middle - 0.95), "batch file:\nthe grid")
    _box(axes, (right, middle - 0.4), "joined\ntables", BOB)
    _box(axes, (right + 2.5, middle - 0.4), "report,\nresults/")
    for (column, size), (row, game) in product(enumerate(sizes), enumerate(games)):
        x, y = left + STEP * column, top - 1 - STEP * row
        _box(axes, (x, y), "run", ALICE, size=(0.8, 0.8))
        if row == 0:
            axes.text(x + 0.4, top + 0.12, f"n = {size}", ha="center", fontsize=9)
        if column == 0:
            axes.text(x - 0.12, y + 0.4, game, ha="right", va="center", fontsize=9)
    axes.text(left + STEP * len(sizes) / 2, top - 0.4 - STEP * len(games), "jobs", ha="center")
    for x, end in ((1.75, left - 0.85), (right - 0.5, right - 0.08), (right + 1.75, right + 2.42)):
        _arrow(axes, (x, middle), end, arrowstyle="-|>", color=GREY)
    axes.set(xlim=(-0.1, right + 4.3), ylim=(-0.5, 2.6))
    axes.set_axis_off()
    return figure


def _arrow(axes: Axes, start: Point, end: float, **look: object) -> None:
    """Draw an arrow to the right, as far as x = `end`."""
    axes.annotate("", (end, start[1]), start, arrowprops=look)


def _box(axes: Axes, corner: Point, text: str, colour: str = INK, size: Point = (1.7, 0.8)) -> None:
    look = {"boxstyle": "round,pad=0,rounding_size=0.1", "facecolor": "white"}
    axes.add_patch(FancyBboxPatch(corner, *size, edgecolor=colour, **look))
    axes.text(corner[0] + size[0] / 2, corner[1] + size[1] / 2, text, **MIDDLE)
