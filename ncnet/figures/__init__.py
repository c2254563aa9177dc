"""The figures of the book: one style, one function a figure; each returns a matplotlib Figure."""

from ncnet.figures.bounds import bounds
from ncnet.figures.capacity import along_training, capacity
from ncnet.figures.contexts import contexts
from ncnet.figures.diagram import network_and_contexts
from ncnet.figures.headline import headline
from ncnet.figures.runs import runs
from ncnet.figures.style import use_style

__all__ = [
    "along_training",
    "bounds",
    "capacity",
    "contexts",
    "headline",
    "network_and_contexts",
    "runs",
    "use_style",
]
