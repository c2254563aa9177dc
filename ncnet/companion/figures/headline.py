"""Draws the figure that stands for the book: S over capacity, its ceiling, S of separate trunks.

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
INTERVENTION = "separate, n each"
ALTERNATIVE = "S over hidden units: only a shared trunk passes the bound."
LEFT, RIGHT, TOP, BOTTOM = 6, 98, 4, 85
"""The edges of the plot, in percent of the picture."""
LOWEST, HIGHEST = 0.4, 2.8
DARK_ORANGE, DARK_GREEN = "#8A5A00", "#00704F"
"""Colours of letters, for which the palette's own are too light."""
LETTERS = {"ceiling": DARK_ORANGE, "separate": DARK_GREEN, "shared": BLUE}
PICTURE = f"""\
<svg xmlns="http://www.w3.org/2000/svg" class="headline" width="640" height="400" role="img" \
aria-label="{escape(ALTERNATIVE)}" font-family="sans-serif" font-size="14">
<rect class="ground" width="100%" height="100%" fill="white"/>
<svg x="{LEFT}%" y="{TOP}%" width="{RIGHT - LEFT}%" height="{BOTTOM - TOP}%" \
viewBox="0 0 100 100" preserveAspectRatio="none" overflow="visible" fill="none">
{{curves}}
</svg>
{{text}}
</svg>"""
Point = tuple[float, float]


def headline(capacity: pd.DataFrame, interventions: pd.DataFrame) -> str:
    """Draw S of a shared trunk under the ceiling 2 + Delta, and S of separate trunks, as SVG.

    Parameters
    ----------
    capacity
        A table of `ncnet.chsh.by_capacity` over ``hidden_size``, with a column ``game``.
    interventions
        A table of `ncnet.studies.mechanism.interventions.interventions`, with a column ``game``.
    """
    separate = _of_game(interventions[interventions["intervention"] == INTERVENTION])
    shared = _of_game(capacity)
    shared = shared[shared["hidden_size"] <= separate["hidden_size"].max()]
    place = _Places(shared["hidden_size"])
    text = [*_ticks(shared["hidden_size"], place), *_labels(shared, place)]
    return PICTURE.format(curves=_curves(shared, separate, place), text="\n".join(text))


class _Places:
    """Places hidden sizes and values of S, in percent of the plot or of the picture."""

    def __init__(self, sizes: pd.Series) -> None:
        self.first, self.last = sizes.min(), sizes.max()

    def across(self, size: float) -> float:
        return round(100 * (size - self.first) / (self.last - self.first), 2)

    def down(self, s: float) -> float:
        return round(100 * (HIGHEST - s) / (HIGHEST - LOWEST), 2)

    def path(self, sizes: Iterable[float], values: Iterable[float]) -> str:
        points = zip(sizes, values, strict=True)
        return "L".join(f"{self.across(n)} {self.down(s)}" for n, s in points)

    def text(
        self, at: Point, text: str, name: str = "tick", shift: Point = (0, 0), anchor: str = "start"
    ) -> str:
        """Return text beside a point, so many pixels to the right and downwards."""
        x = LEFT + self.across(at[0]) * (RIGHT - LEFT) / 100
        y = TOP + self.down(at[1]) * (BOTTOM - TOP) / 100
        return (
            f'<text class="{name}" x="{x:.2f}%" y="{y:.2f}%" dx="{shift[0]}" dy="{shift[1]}" '
            f'text-anchor="{anchor}" fill="{LETTERS.get(name, INK)}">{text}</text>'
        )


def _of_game(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["game"] == GAME].sort_values("hidden_size")


def _curves(shared: pd.DataFrame, separate: pd.DataFrame, place: _Places) -> str:
    n, ceiling = shared["hidden_size"], CLASSICAL_BOUND + shared["delta"]
    edge = place.path(n, ceiling)
    ends = place.path([place.last, place.first], [CLASSICAL_BOUND] * 2)
    return f"""\
<g class="drawn bound">{_stroke(f"M{ends}", INK, 1, "5 4")}</g>
<g class="drawn ceiling">
<path d="M{edge}L{ends}Z" fill="{ORANGE}" opacity="0.2"/>
{_stroke(f"M{edge}", DARK_ORANGE, 2, "2 4")}
</g>
<g class="drawn separate">{_line(separate, place, GREEN, 2.5)}</g>
<g class="drawn shared">{_line(shared, place, BLUE, 3.5)}</g>"""


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
    left, middle = place.first, (place.first + place.last) / 2
    values = {"shift": (-14, 5), "anchor": "end"}
    return [
        *(place.text((left, s), str(s), **values) for s in range(1, int(HIGHEST) + 1)),
        *(place.text((n, LOWEST), str(n), shift=(0, 20), anchor="middle") for n in sizes),
        place.text((left, HIGHEST), "S", **values),
        place.text((middle, LOWEST), "hidden units", shift=(0, 40), anchor="middle"),
    ]


def _labels(shared: pd.DataFrame, place: _Places) -> list[str]:
    rows = shared.set_index("hidden_size")
    first, s = rows.iloc[0], rows.loc[CRITICAL_SIZE, "s"]
    start, bound, peak = place.first, CLASSICAL_BOUND, CRITICAL_SIZE
    ceiling = f"ceiling {bound:g} + Δ"
    return [
        place.text(
            (place.last, bound),
            "Bell\N{RIGHT SINGLE QUOTATION MARK}s bound",
            "bound",
            (0, -9),
            "end",
        ),
        place.text((start, bound + first["delta"]), ceiling, "ceiling", (12, 4)),
        place.text((peak, bound), "own trunks", "separate", (-2, 25)),
        place.text((start, first["s"]), "shared trunk", "shared", (16, 0)),
        place.text((peak, s), f"S = {s:.2f}", "shared", (10, -14)),
    ]
