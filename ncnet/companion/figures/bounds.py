"""The three bounds of S on one line."""

from matplotlib.figure import Figure

from ncnet.chsh import ALGEBRAIC_BOUND, CLASSICAL_BOUND, TSIRELSON_BOUND
from ncnet.plotting import BLUE, INK, ORANGE, PURPLE

STRETCHES = (
    (0, CLASSICAL_BOUND, BLUE, "answers agreed on\nbeforehand"),
    (CLASSICAL_BOUND, TSIRELSON_BOUND, ORANGE, "entangled\nparticles"),
    (TSIRELSON_BOUND, ALGEBRAIC_BOUND, PURPLE, "beyond quantum\nphysics"),
)


def bounds() -> Figure:
    """Draw what each stretch of S from 0 to 4 asks of parties without influence."""
    figure = Figure(figsize=(7.5, 2.3))
    axes = figure.subplots()
    for low, high, colour, label in STRETCHES:
        axes.barh(0, high - low, 0.5, low, color=colour, alpha=0.3, edgecolor=INK, linewidth=0.8)
        axes.text((low + high) / 2, 0, label, ha="center", va="center")
    axes.annotate(
        "",
        (ALGEBRAIC_BOUND, 0.55),
        (0, 0.55),
        arrowprops={"arrowstyle": "<->", "color": INK, "linewidth": 1},
    )
    axes.text(2, 0.62, "all of it: parties that influence each other", ha="center", va="bottom")
    axes.set_xticks([0, 1, CLASSICAL_BOUND, TSIRELSON_BOUND, ALGEBRAIC_BOUND])
    axes.set_xticklabels(["0", "1", "2", "2√2", "4"])
    axes.set_yticks([])
    axes.set_ylim(-0.35, 0.95)
    axes.set_xlabel("S (no unit)")
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
    return figure
