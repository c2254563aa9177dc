"""The figure that stands for the book: S over capacity, its ceiling, and S of separate trunks.

It is written as SVG, so that a page can hold it as text: letters keep their size while the curves
stretch, and style sheets recolour and animate its parts by their classes.
"""

from collections.abc import Iterable
from html import escape

import pandas as pd

from ncnet.chsh import CLASSICAL_BOUND
from ncnet.claims import CRITICAL_SIZE
from ncnet.plotting import BLUE, GREEN, INK, ORANGE

GAME = "overlap"
APART = "separate, n each"
ALTERNATIVE = "S over hidden units: only a shared trunk passes the bound."
LEFT, RIGHT, TOP, BOTTOM = 6, 98, 4, 85
"""Edges of the plot, in percent of the picture."""
LOWEST, HIGHEST = 0.4, 2.8
DARK_ORANGE, DARK_GREEN = "#8A5A00", "#00704F"
"""The palette's own are too light for letters."""


def headline(capacity: pd.DataFrame, interventions: pd.DataFrame) -> str:
    """Draw S of a shared trunk under the ceiling 2 + Delta, and S of trunks apart, as SVG.

    Parameters
    ----------
    capacity
        Of `ncnet.chsh.by_capacity`, over ``hidden_size``, with a column ``game``.
    interventions
        Of `ncnet.studies.mechanism.analysis.compare`, with a column ``game``.
    """
    apart = _of_game(interventions[interventions["intervention"] == APART])
    shared = _of_game(capacity)
    shared = shared[shared["hidden_size"] <= apart["hidden_size"].max()]
    place = _Places(shared["hidden_size"])
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" class="headline" width="640" height="400" '
            f'role="img" aria-label="{escape(ALTERNATIVE)}" font-family="sans-serif" '
            'font-size="14">',
            '<rect class="ground" width="100%" height="100%" fill="white"/>',
            f'<svg x="{LEFT}%" y="{TOP}%" width="{RIGHT - LEFT}%" height="{BOTTOM - TOP}%" '
            'viewBox="0 0 100 100" preserveAspectRatio="none" overflow="visible" fill="none">',
            *_curves(shared, apart, place),
            "</svg>",
            *_ticks(shared["hidden_size"], place),
            *_labels(shared, place),
            "</svg>",
        ]
    )


class _Places:
    """Where hidden sizes and values of S lie, in percent of the plot or of the picture."""

    def __init__(self, sizes: pd.Series) -> None:
        self.first, self.last = sizes.min(), sizes.max()

    def across(self, size: float) -> float:
        return round(100 * (size - self.first) / (self.last - self.first), 2)

    def down(self, s: float) -> float:
        return round(100 * (HIGHEST - s) / (HIGHEST - LOWEST), 2)

    def in_picture(self, size: float, s: float) -> str:
        x = LEFT + self.across(size) * (RIGHT - LEFT) / 100
        y = TOP + self.down(s) * (BOTTOM - TOP) / 100
        return f'x="{x:.2f}%" y="{y:.2f}%"'

    def path(self, sizes: Iterable[float], values: Iterable[float]) -> str:
        points = zip(sizes, values, strict=True)
        return "L".join(f"{self.across(n)} {self.down(s)}" for n, s in points)


def _of_game(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["game"] == GAME].sort_values("hidden_size")


def _curves(shared: pd.DataFrame, apart: pd.DataFrame, place: _Places) -> list[str]:
    n, ceiling = shared["hidden_size"], CLASSICAL_BOUND + shared["delta"]
    ends = place.path([place.last, place.first], [CLASSICAL_BOUND] * 2)
    return [
        f'<g class="drawn bound">{_stroke(f"M{ends}", INK, 1, "5 4")}</g>',
        '<g class="drawn ceiling">',
        f'<path d="M{place.path(n, ceiling)}L{ends}Z" fill="{ORANGE}" opacity="0.2"/>',
        _stroke(f"M{place.path(n, ceiling)}", DARK_ORANGE, 2, "2 4"),
        "</g>",
        f'<g class="drawn apart">{_line(apart, place, GREEN, 2.5)}</g>',
        f'<g class="drawn shared">{_line(shared, place, BLUE, 3.5)}</g>',
    ]


def _line(curve: pd.DataFrame, place: _Places, colour: str, width: float) -> str:
    """Return S with its interval as a band."""
    n, s = curve["hidden_size"], curve["s"]
    back = place.path(n[::-1], curve["s_low"][::-1])
    band = f'<path d="M{place.path(n, curve["s_high"])}L{back}Z" fill="{colour}" opacity="0.35"/>'
    # A line without length and with round ends is a dot that does not stretch with the plot.
    dots = "".join(f"M{place.path([x], [y])}h0" for x, y in zip(n, s, strict=True))
    return band + _stroke(f"M{place.path(n, s)}", colour, width) + _stroke(dots, colour, 3 * width)


def _stroke(path: str, colour: str, width: float, dashes: str = "none") -> str:
    return (
        f'<path d="{path}" stroke="{colour}" stroke-width="{width:g}" stroke-dasharray="{dashes}" '
        'stroke-linecap="round" stroke-linejoin="round" vector-effect="non-scaling-stroke"/>'
    )


def _ticks(sizes: pd.Series, place: _Places) -> list[str]:
    values = [
        _text(place.in_picture(place.first, s), str(s), anchor="end", dx=-14, dy=5)
        for s in range(1, int(HIGHEST) + 1)
    ]
    units = [_text(place.in_picture(n, LOWEST), str(n), anchor="middle", dy=20) for n in sizes]
    middle = place.in_picture((place.first + place.last) / 2, LOWEST)
    titles = [
        _text(place.in_picture(place.first, HIGHEST), "S", anchor="end", dx=-14, dy=5),
        _text(middle, "hidden units", anchor="middle", dy=40),
    ]
    return [*values, *units, *titles]


def _labels(shared: pd.DataFrame, place: _Places) -> list[str]:
    rows = shared.set_index("hidden_size")
    first, peak = rows.iloc[0], rows.loc[CRITICAL_SIZE]
    start, end = place.first, place.last
    return [
        _text(place.in_picture(end, CLASSICAL_BOUND), "classical bound", "bound", "end", dy=-9),
        _text(
            place.in_picture(start, CLASSICAL_BOUND + first["delta"]),
            f"ceiling {CLASSICAL_BOUND:g} + Δ",
            "ceiling",
            colour=DARK_ORANGE,
            dx=12,
            dy=4,
        ),
        _text(
            place.in_picture(CRITICAL_SIZE, CLASSICAL_BOUND),
            "own trunks",
            "apart",
            colour=DARK_GREEN,
            dx=-2,
            dy=25,
        ),
        _text(place.in_picture(start, first["s"]), "shared trunk", "shared", colour=BLUE, dx=16),
        _text(
            place.in_picture(CRITICAL_SIZE, peak["s"]),
            f"S = {peak['s']:.2f}",
            "shared",
            colour=BLUE,
            dx=10,
            dy=-14,
        ),
    ]


def _text(
    at: str,
    text: str,
    name: str = "tick",
    anchor: str = "start",
    colour: str = INK,
    dx: int = 0,
    dy: int = 0,
) -> str:
    return (
        f'<text class="{name}" {at} dx="{dx}" dy="{dy}" text-anchor="{anchor}" fill="{colour}">'
        f"{text}</text>"
    )
