"""Draws the figures of the book's own pages: one function a figure.

Each returns a matplotlib Figure, except for what the first page shows: `headline` returns SVG, and
`tiles` and `cards` HTML.
"""

from ncnet import renamed
from ncnet.companion.figures.batch import jobs, labelled, over_grid
from ncnet.companion.figures.benchmarks import engines, faults_noticed, growth
from ncnet.companion.figures.diagrams import batch_diagram, bounds, network_and_contexts
from ncnet.companion.figures.headline import headline
from ncnet.companion.figures.tiles import Tile, legend, tiles
from ncnet.companion.figures.verdict_cards import Card, cards
from ncnet.companion.figures.waterfalls import waterfalls

__getattr__ = renamed.names(__name__, {"cells": "jobs", "noticed": "faults_noticed"})
