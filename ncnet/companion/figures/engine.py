"""How fast the ensemble trains, beside other engines and as it grows."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ncnet.plotting import BLUE, GREY, HATCH, MARKERS, SERIES, VERMILION


def engines(rates: pd.DataFrame) -> Figure:
    """Draw network-steps a second of every engine as bars on a logarithmic axis.

    Parameters
    ----------
    rates
        One row a measurement: ``label``, ``threads`` and ``rate``, in the order to draw.
    """
    labels = list(dict.fromkeys(rates["label"]))
    threads = sorted(set(rates["threads"]))
    height = 0.8 / len(threads)
    figure = Figure(figsize=(7.2, 0.7 + 0.36 * len(threads) * len(labels)))
    axes = figure.subplots()
    for place, count in enumerate(threads):
        of_threads = rates[rates["threads"] == count]
        y = of_threads["label"].map(labels.index) + (place - (len(threads) - 1) / 2) * height
        colour, hatch = ((BLUE, ""), (VERMILION, HATCH))[place % 2]
        label = f"{count} thread{'s' if count > 1 else ''}"
        axes.barh(y, of_threads["rate"], 0.9 * height, color=colour, hatch=hatch, lw=0, label=label)
        for at, rate in zip(y, of_threads["rate"], strict=True):
            axes.text(rate * 1.12, at, f"{_short(rate)}", va="center", fontsize=8.5)
    axes.set_xscale("log")
    axes.set_xlim(right=rates["rate"].max() * 6)
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("network-steps per second")
    axes.legend(loc="upper right", fontsize=8.5)
    return figure


def growth(grown: pd.DataFrame) -> Figure:
    """Draw network-steps a second of our paths over replicas, hidden units and threads.

    Parameters
    ----------
    grown
        One row a measurement: ``path``, ``varied`` (what changes), ``value`` and ``rate``.
    """
    names = {"replicas": "replicas", "hidden_size": "hidden units n", "threads": "threads"}
    figure = Figure(figsize=(8.4, 2.9))
    grid = figure.subplots(1, len(names), sharey=True)
    for axes, (varied, name) in zip(grid, names.items(), strict=True):
        for place, (path, one) in enumerate(grown[grown["varied"] == varied].groupby("path")):
            axes.plot(
                one["value"],
                one["rate"],
                marker=MARKERS[place],
                color=SERIES[place],
                label=path,
            )
        axes.set_xlabel(name)
        axes.set_yscale("log")
        if varied == "threads":
            axes.set_xticks(sorted(set(grown.loc[grown["varied"] == varied, "value"])))
        else:
            axes.set_xscale("log", base=10 if varied == "replicas" else 2)
            if varied == "hidden_size":
                axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:g}"))
        axes.tick_params(which="minor", length=0)
        axes.grid(visible=True, which="major", color=GREY, alpha=0.25)
    grid[0].yaxis.set_major_formatter(FuncFormatter(lambda rate, _: _short(rate)))
    grid[0].set_ylabel("network-steps per second")
    grid[0].legend(fontsize=8.5)
    return figure


def _short(rate: float) -> str:
    for unit, name in ((1e6, "million"), (1e3, "thousand")):
        if rate >= unit:
            return f"{rate / unit:.3g} {name}"
    return f"{rate:.3g}"
