"""The network and its four contexts, drawn."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch

from ncnet.games import Game
from ncnet.plotting import ALICE, BOB, GREY, INK

UNITS_ALONE = {"AND": 1, "XOR": 2}
"""Hidden units that a network with only this task needs."""


def network_and_contexts(game: Game, hidden_size: int = 3) -> Figure:
    """Draw one network (inputs, shared hidden layer, two heads) beside its four contexts.

    Parameters
    ----------
    game
        A game of AND and XOR tasks, such as `ncnet.games.overlap`.
    hidden_size
        Hidden units to draw.
    """
    figure = Figure(figsize=(9, 3.9))
    left, right = figure.subplots(1, 2, width_ratios=(1.1, 1))
    _network(left, game.bits, hidden_size)
    _contexts(right, game)
    for axes in (left, right):
        axes.set_axis_off()
        axes.set_aspect("equal")
    return figure


def _network(axes: Axes, bits: int, hidden_size: int) -> None:
    inputs = [(0, y) for y in _spread(bits)]
    hidden = [(2, y) for y in _spread(hidden_size)]
    heads = {"Alice": ((4, 0.9), ALICE), "Bob": ((4, -0.9), BOB)}
    for x in inputs:
        for h in hidden:
            axes.plot(*zip(x, h, strict=True), color=GREY, linewidth=0.9, zorder=1)
    for place, colour in heads.values():
        for h in hidden:
            axes.plot(*zip(h, place, strict=True), color=colour, linewidth=1.3, zorder=1)
    for number, place in enumerate(inputs, start=1):
        _unit(axes, place, f"$x_{number}$", INK)
    for place in hidden:
        _unit(axes, place, "", INK)
    for name, (place, colour) in heads.items():
        _unit(axes, place, name[0], colour)
        axes.text(place[0] + 0.45, place[1], f"{name}'s head", color=colour, va="center")
    axes.text(0, 2.2, "inputs ±1", ha="center")
    axes.text(2, 2.2, "shared hidden layer", ha="center")
    axes.text(
        2, -2.3, "the gradients of both heads\nmeet in the same weights", ha="center", va="center"
    )
    axes.set_xlim(-0.6, 6.2)
    axes.set_ylim(-2.8, 2.6)


def _contexts(axes: Axes, game: Game) -> None:
    for row, alice in enumerate(game.alice):
        for column, bob in enumerate(game.bob):
            x, y = 2.6 * column, -1.7 * row
            sign = "\N{MINUS SIGN}" if row and column else "+"
            box = FancyBboxPatch(
                (x, y), 2.3, 1.35, boxstyle="round,pad=0.03", facecolor="white", edgecolor=INK
            )
            axes.add_patch(box)
            axes.text(x + 1.15, y + 1.08, alice.name, color=ALICE, ha="center", va="center")
            axes.text(x + 1.15, y + 0.70, bob.name, color=BOB, ha="center", va="center")
            axes.text(
                x + 1.15,
                y + 0.25,
                f"{_alone(alice.name)} + {_alone(bob.name)} units",
                ha="center",
                va="center",
                fontsize=8.5,
            )
            axes.text(x + 0.14, y + 1.18, sign, fontsize=14, ha="center", va="center")
    for setting in (1, 2):
        x, y = 2.6 * (setting - 1) + 1.15, -1.7 * (setting - 1) + 0.67
        axes.text(x, 1.72, f"Bob's setting {setting}", color=BOB, ha="center")
        axes.text(-0.25, y, f"Alice's\nsetting {setting}", color=ALICE, ha="right", va="center")
    axes.text(2.45, -2.25, "each box: one network, trained from scratch", ha="center", va="center")
    axes.set_xlim(-1.7, 5.2)
    axes.set_ylim(-2.6, 2.1)


def _alone(task: str) -> int:
    return UNITS_ALONE[task.split("(")[0]]


def _spread(count: int) -> list[float]:
    return [1.1 * ((count - 1) / 2 - place) for place in range(count)]


def _unit(axes: Axes, place: tuple[float, float], label: str, colour: str) -> None:
    axes.add_patch(
        Circle(place, 0.32, facecolor="white", edgecolor=colour, linewidth=1.6, zorder=2)
    )
    axes.text(*place, label, color=colour, ha="center", va="center", zorder=3)


def batch_diagram(games: list[str], sizes: list[int]) -> Figure:
    """Draw a batch: one notebook over a grid, a run for each cell, their tables joined.

    Parameters
    ----------
    games, sizes
        Values of the two axes of the grid that is drawn.
    """
    figure = Figure(figsize=(8.6, 3))
    axes = figure.subplots()
    left, top = 2.9, 2.1
    middle = top - 0.1 - 0.475 * len(games)
    _box(axes, (0, middle + 0.15), (1.7, 0.8), "notebook", INK)
    _box(axes, (0, middle - 0.95), (1.7, 0.8), "batch file:\nthe grid", INK)
    for column, size in enumerate(sizes):
        axes.text(left + column * 0.95 + 0.4, top + 0.12, f"n = {size}", ha="center", fontsize=9)
        for row, game in enumerate(games):
            corner = (left + column * 0.95, top - 1 - row * 0.95)
            _box(axes, corner, (0.8, 0.8), "run", ALICE)
            if column == 0:
                axes.text(left - 0.12, corner[1] + 0.4, game, ha="right", va="center", fontsize=9)
    right = left + 0.95 * len(sizes) + 0.6
    _box(axes, (right, middle - 0.4), (1.7, 0.8), "joined\ntables", BOB)
    _box(axes, (right + 2.5, middle - 0.4), (1.7, 0.8), "report,\nresults/", INK)
    axes.text(left + 0.475 * len(sizes), top - 1.35 - 0.95 * (len(games) - 1), "cells", ha="center")
    for start, end in (
        ((1.75, middle), (left - 0.85, middle)),
        ((right - 0.5, middle), (right - 0.08, middle)),
        ((right + 1.75, middle), (right + 2.42, middle)),
    ):
        axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": GREY})
    axes.set_xlim(-0.1, right + 4.3)
    axes.set_ylim(-0.5, 2.6)
    axes.set_axis_off()
    return figure


def _box(
    axes: Axes, corner: tuple[float, float], size: tuple[float, float], text: str, colour: str
) -> None:
    box = FancyBboxPatch(
        corner, *size, boxstyle="round,pad=0,rounding_size=0.1", facecolor="white", edgecolor=colour
    )
    axes.add_patch(box)
    axes.text(corner[0] + size[0] / 2, corner[1] + size[1] / 2, text, ha="center", va="center")
