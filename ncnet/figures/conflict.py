"""What a probe saw along the training of any network."""

import pandas as pd
from matplotlib.figure import Figure

from ncnet.plotting import CONTEXT_COLOURS, CONTEXTS, INK, MARKERS


def conflict_by_step(table: pd.DataFrame) -> Figure:
    """Draw how the heads' gradients lie to each other along training, a line for each context.

    Parameters
    ----------
    table
        `ncnet.experiment.probe.conflict_by_step`: means with intervals over replicas.
    """
    figure = Figure(figsize=(9, 3.6))
    cosine, similarity = figure.subplots(1, 2)
    for axes, name in ((cosine, "cosine"), (similarity, "magnitude_similarity")):
        for marker, (i, j) in zip(MARKERS, CONTEXTS, strict=False):
            here = table[(table["alice_setting"] == i) & (table["bob_setting"] == j)]
            colour = CONTEXT_COLOURS[i, j]
            low, high = here[f"{name}_low"], here[f"{name}_high"]
            axes.fill_between(here["step"], low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot(here["step"], here[name], color=colour, marker=marker, label=f"(A{i}, B{j})")
        axes.set_xlabel("training steps")
    cosine.axhline(0, color=INK, linewidth=0.9)
    cosine.set_ylim(-1.05, 1.05)
    similarity.set_ylim(0, 1.05)
    cosine.set_ylabel("cosine of both gradients (no unit)")
    similarity.set_ylabel("magnitude similarity (no unit)")
    handles, labels = cosine.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure
