"""One look for all figures."""

import matplotlib
from matplotlib.axes import Axes
from matplotlib_inline.backend_inline import set_matplotlib_formats

from ncnet.chsh import ALGEBRAIC_BOUND, CLASSICAL_BOUND, TSIRELSON_BOUND

# Okabe and Ito's palette: told apart with every common kind of colour blindness.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, GREY, INK = "#CC79A7", "#56B4E9", "#8A8A8A", "#222222"
ALICE, BOB = BLUE, VERMILION
SERIES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
# Blue and vermilion are the same grey: on paper without colours these tell series apart.
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", (0, (6, 1.5)), (0, (3, 1)), (0, (1, 1)), (0, (6, 1, 1, 1)), (0, (1, 2.5)))
HATCH = "////"

BOUNDS = {
    CLASSICAL_BOUND: "classical bound 2",
    TSIRELSON_BOUND: "Tsirelson's bound 2√2",
    ALGEBRAIC_BOUND: "algebraic bound 4",
}


def use_style() -> None:
    """Set the style for all figures that follow; vector graphics in a notebook."""
    set_matplotlib_formats("svg")
    matplotlib.rcParams.update(
        {
            "axes.axisbelow": True,
            "axes.edgecolor": INK,
            "axes.grid": True,
            "axes.labelcolor": INK,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlelocation": "left",
            "axes.titlesize": 11,
            "figure.constrained_layout.use": True,
            "figure.facecolor": "white",
            "font.family": "DejaVu Sans",
            "font.size": 10,
            "hatch.color": "white",
            "hatch.linewidth": 0.8,
            "grid.color": "#E6E6E6",
            "legend.frameon": False,
            "lines.linewidth": 1.6,
            "lines.markersize": 5,
            "svg.hashsalt": "ncnet",  # the same figure gives the same file
        }
    )


def draw_bounds(axes: Axes, highest: float) -> None:
    """Draw the bounds of S up to `highest`, each named at the left-hand edge, clear of the data."""
    for bound, label in BOUNDS.items():
        if bound <= highest:
            axes.axhline(bound, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
            axes.annotate(
                label,
                (0, bound),
                xycoords=("axes fraction", "data"),
                xytext=(4, 3),
                textcoords="offset points",
                fontsize=8,
                color=INK,
            )
