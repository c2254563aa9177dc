"""How many faults that were put into the code are noticed, and by what."""

import pandas as pd
from matplotlib.figure import Figure

from ncnet.plotting import BLUE, INK, MARKERS, VERMILION

GAP = 0.22
"""Between the points of one part of the code; parts are 1 apart."""


def noticed(shares: pd.DataFrame) -> Figure:
    """Draw the share of faults that each judge noticed, in %, with its interval.

    Parameters
    ----------
    shares
        One row a part of the code and a judge: ``code``, ``judge``, and ``share``, ``low`` and
        ``high`` from 0 to 1, in the order to draw; three judges at most.
    """
    parts = list(dict.fromkeys(shares["code"]))
    judges = shares.groupby("judge", sort=False)
    figure = Figure(figsize=(7.2, 0.9 + 0.62 * len(parts)))
    axes = figure.subplots()
    looks = zip((BLUE, VERMILION, INK), MARKERS, judges, strict=False)
    for place, (colour, marker, (judge, found)) in enumerate(looks):
        percent = 100 * found[["share", "low", "high"]]
        axes.errorbar(
            percent["share"],
            found["code"].map(parts.index) + GAP * (place - (len(judges) - 1) / 2),
            xerr=[percent["share"] - percent["low"], percent["high"] - percent["share"]],
            fmt=marker,
            color=colour,
            capsize=2.5,
            linewidth=1.2,
            label=judge,
        )
    axes.set_yticks(range(len(parts)), parts)
    axes.set_ylim(len(parts) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("faults noticed, %")
    figure.legend(loc="outside upper center", ncols=len(judges), fontsize=9)
    return figure
