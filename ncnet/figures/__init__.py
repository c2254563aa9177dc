"""The figures of the book: one style, one function a figure.

Each returns a matplotlib Figure, except for what the first page shows: `headline` returns SVG, and
`tiles` HTML.
"""

from ncnet.figures.atlas import atlas, retests, wrong_items
from ncnet.figures.batch import cells, labelled, over_grid
from ncnet.figures.bounds import bounds
from ncnet.figures.calibration import coverage, rejections
from ncnet.figures.capacity import along_training, capacity, s_by_game
from ncnet.figures.contexts import contexts
from ncnet.figures.diagram import batch_diagram, network_and_contexts
from ncnet.figures.engine import engines, growth
from ncnet.figures.generalization import (
    averages,
    correlations,
    held_out_over_capacity,
    interference,
    predicted_losses,
    regrets,
    simpsons_trap,
)
from ncnet.figures.headline import headline
from ncnet.figures.mechanism import conflict_over_n, dose, forest, loss_curves, sensing, units
from ncnet.figures.multiverse import retrained, shapes, shares, solved, specification_curve
from ncnet.figures.mutations import noticed
from ncnet.figures.probe import conflict_by_step
from ncnet.figures.ranks import partners, ranks
from ncnet.figures.runs import runs
from ncnet.figures.signalling import signalling, three_ways
from ncnet.figures.tiles import Tile, legend, tiles
from ncnet.plotting import use_style

__all__ = [
    "Tile",
    "along_training",
    "atlas",
    "averages",
    "batch_diagram",
    "bounds",
    "capacity",
    "cells",
    "conflict_by_step",
    "conflict_over_n",
    "contexts",
    "correlations",
    "coverage",
    "dose",
    "engines",
    "forest",
    "growth",
    "headline",
    "held_out_over_capacity",
    "interference",
    "labelled",
    "legend",
    "loss_curves",
    "network_and_contexts",
    "noticed",
    "over_grid",
    "partners",
    "predicted_losses",
    "ranks",
    "regrets",
    "rejections",
    "retests",
    "retrained",
    "runs",
    "s_by_game",
    "sensing",
    "shapes",
    "shares",
    "signalling",
    "simpsons_trap",
    "solved",
    "specification_curve",
    "three_ways",
    "tiles",
    "units",
    "use_style",
    "wrong_items",
]
