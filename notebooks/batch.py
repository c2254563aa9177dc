# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The results of a batch
#
# **The question.** What came out of a grid of runs? A *batch* runs one notebook over a grid of
# parameters, each *cell* of the grid as a run of its own (the book's page on batches says how). This page reads the folder that
# it leaves and draws what is there, whichever notebook it was.
#
# **What is shown.** The folder below; in the book, a small batch that is recorded with it. Name another to
# see yours: `papermill notebooks/batch.ipynb out.ipynb -p folder runs/rq2`. Every batch makes this page for
# itself, as `report.html` in its folder.
#
# **Time.** Some seconds.

# %% tags=["parameters"]
folder: str = "results/small"

# %%
from ncnet import parameters

chosen = parameters.validate(globals(), parameters.Batch)

# %%
import pandas as pd
from IPython.display import Markdown, display

from ncnet import chsh, figures, results

figures.use_style()
place = results.FOLDER.parent / folder
names = sorted(path.stem for path in place.glob("*.json"))
found = {name: results.load(name, folder=place) for name in names}

# %% [markdown]
# ## What is in the folder

# %% tags=["hide-input"]
first = found["cells"].provenance
lines = [
    f"- `{name}`: {len(result.table):,} rows, {result}"
    for name, result in found.items()
]
lines += ["", "Made by", "", "```console", f"$ {first['command']}", "```"]
Markdown("\n".join(lines))

# %% [markdown]
# All cells together were given these parameters; what varied between cells is a list.

# %% tags=["hide-input"]
given = pd.Series(
    {name: str(value) for name, value in first["parameters"].items()}
)
given.rename_axis("parameter").rename("value").to_frame()

# %% [markdown]
# ## How the cells ran

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-cells", "caption": "When each cell ran: a bar from its start to its end, in the order of starting."}, "image": {"alt": "A bar for each cell along a time axis in seconds. In the recorded batch six bars of about equal length stand in three steps of two: two cells always run at the same time."}}
ran = found["cells"].table
figures.cells(ran)

# %% tags=["remove-input"]
Markdown(
    f"{len(ran)} cells; a typical one took {ran['seconds'].median():.0f} s, all together "
    f"{ran['seconds'].sum() / 60:.1f} minutes of machine time. The largest held "
    f"{ran['peak_megabytes'].max():.0f} MB of memory."
)

# %% [markdown]
# ## What came out
#
# Each table of the batch, all cells joined. Of the quantities that have an interval up to three are drawn, over
# the resource with most values, with the intervals that the table has; where there are more lines than colours, they are grey
# and have no names.

# %% tags=["hide-input"] mystnb={"image": {"alt": "In the recorded batch two columns of panels, for the games overlap and separate, over n = 2, 3 and 4. S lies below the classical bound at n = 2, above it at n = 3 and next to it at n = 4; signalling and influence fall with n."}}
for name, result in found.items():
    drawn = figures.over_grid(result.table)
    if drawn is not None:
        display(Markdown(f"### `{name}`"), drawn)

# %% [markdown]
# ## As numbers
#
# The first rows of each table. In Python, `ncnet.results.load("NAME", folder=Path("FOLDER")).table` is all of it.

# %% tags=["hide-input"]
for name, result in found.items():
    rows = figures.labelled(result.table)
    if name == "cells":
        continue
    if "contextuality_p_value" in rows:
        rows = chsh.brief(rows[rows["contextuality_p_value"].notna()])
    else:
        rows = rows.select_dtypes("number").iloc[:, :8].round(3)
    display(Markdown(f"### `{name}`"), rows.head(12))
