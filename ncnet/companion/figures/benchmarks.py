"""Draws how fast the ensemble trains, and how many faults in the code are noticed, and by what."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ncnet import plotting
from ncnet.plotting import BLUE, GREY, HATCH, INK, MARKERS, VERMILION

GROWING = {"replicas": "replicas", "hidden_size": "hidden units n", "threads": "threads"}
GAP = 0.22
"""The distance between the points of one part of the code; that between parts is 1."""


def engines(rates: pd.DataFrame) -> Figure:
    """Draw network-steps a second of every engine as bars on a logarithmic axis.

    Parameters
    ----------
    rates
        One row a measurement: ``label``, ``threads`` and ``rate``, in the order to draw.
    """
    labels = pd.Index(rates["label"].unique())
    threads = rates.groupby("threads")
    height = 0.8 / len(threads)
    figure, axes = plotting.subplots((7.2, 0.7 + 0.36 * len(threads) * len(labels)))
    for place, (count, measured) in enumerate(threads):
        places = labels.get_indexer(measured["label"]) + (place - (len(threads) - 1) / 2) * height
        look = ({"color": BLUE}, {"color": VERMILION, "hatch": HATCH})[place % 2]
        label = f"{count} thread{'s' if count > 1 else ''}"
        bars = axes.barh(places, measured["rate"], 0.9 * height, lw=0, label=label, **look)
        axes.bar_label(bars, fmt=_short, padding=4, fontsize=8.5)
    axes.set_xscale("log")
    axes.set_xlim(right=rates["rate"].max() * 6)
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("network-steps per second")
    axes.legend(loc="upper right")
    return figure


def growth(grown: pd.DataFrame) -> Figure:
    """Draw network-steps a second of our backends over replicas, hidden units and threads.

    Parameters
    ----------
    grown
        One row a measurement: ``backend``, ``varied`` (what changes), ``value`` and ``rate``.
    """
    figure, panels = plotting.panels(len(GROWING), size=(2.8, 2.9), sharey=True)
    for axes, (varied, name) in zip(panels, GROWING.items(), strict=True):
        measured = grown[grown["varied"] == varied]
        for place, (backend, one) in enumerate(measured.groupby("backend")):
            axes.plot(one["value"], one["rate"], label=backend, **plotting.look(place))
        axes.set(xlabel=name, yscale="log")
        if varied == "threads":
            axes.set_xticks(measured["value"].unique())
        else:
            axes.set_xscale("log", base=10 if varied == "replicas" else 2)
        axes.tick_params(which="minor", length=0)
        axes.grid(visible=True, which="major", color=GREY, alpha=0.25)
    panels[1].xaxis.set_major_formatter("{x:g}")
    panels[0].yaxis.set_major_formatter(FuncFormatter(lambda rate, _: _short(rate)))
    panels[0].set_ylabel("network-steps per second")
    panels[0].legend()
    return figure


def _short(rate: float) -> str:
    for unit, name in ((1e6, "million"), (1e3, "thousand")):
        if rate >= unit:
            return f"{rate / unit:.3g} {name}"
    return f"{rate:.3g}"


def faults_noticed(shares: pd.DataFrame) -> Figure:
    """Draw the share of faults that each judge noticed, in %, with its interval.

    Parameters
    ----------
    shares
        One row a part of the code and a judge: ``code``, ``judge``, and ``share``, ``low`` and
        ``high`` from 0 to 1, in the order to draw; three judges at most.
    """
    parts = pd.Index(shares["code"].unique())
    judges = shares.groupby("judge", sort=False)
    figure, axes = plotting.subplots((7.2, 0.9 + 0.62 * len(parts)))
    looks = zip((BLUE, VERMILION, INK), MARKERS, judges, strict=False)
    for place, (colour, marker, (judge, found)) in enumerate(looks):
        percent = 100 * found[["share", "low", "high"]]
        places = parts.get_indexer(found["code"]) + GAP * (place - (len(judges) - 1) / 2)
        look = {"flat": True, "color": colour, "marker": marker, "label": judge}
        plotting.points(axes, percent, places, "share", **look)
    plotting.name_rows(axes, parts)
    axes.set(xlim=(0, 100), xlabel="faults noticed, %")
    axes.grid(visible=False, axis="y")
    plotting.legend_once(axes, below=figure)
    return figure
