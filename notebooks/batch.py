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
# What came out of a grid of runs? A *batch* runs one notebook over a grid of parameters. This page draws each table of a batch, with all its jobs joined.

# %% tags=["parameters", "hide-input"] mystnb={"code_prompt_show": "Parameter of this page"}
folder: str = "results/small"

# %% tags=["remove-cell"]
from ncnet.companion.parameters import Batch
from ncnet.parameters import validate

chosen = validate(globals(), Batch)

# %% tags=["remove-cell"]
import pandas as pd
from IPython.display import HTML, Markdown, display

from ncnet import chsh, plotting, results, sources
from ncnet.companion import figures

plotting.use_style()
place = results.FOLDER.parent / folder
everything = {
    path.stem: results.load(path.stem, folder=place)
    for path in sorted(place.glob("*.json"))
}


def batch_of(result):
    """The batch file in the command that made a table."""
    return result.provenance["command"].rpartition("--config ")[2]


# A folder of recorded tables may hold others, too.
found = {
    name: result
    for name, result in everything.items()
    if batch_of(result) == batch_of(everything["jobs"])
}

# %% tags=["remove-input"] mystnb={"image": {"alt": "In the recorded batch two columns of panels, for the games overlap and separate, over n = 2, 3 and 4. S lies below the classical bound at n = 2, above it at n = 3 and next to it at n = 4; signalling and influence fall with n."}}
for name, result in found.items():
    drawn = figures.over_grid(result.table)
    if drawn is not None:
        display(Markdown(f"**What the table `{name}` says**"))
        sources.show(drawn, **{name: result})

# %% [markdown]
# How to read it: at most three quantities are drawn, with their intervals,
# against the number of hidden units or another resource. Where there are more lines than colours, they are grey and have no
# names.
#
# ## How we know
#
# **What we did.** Each combination of the grid's parameters is a *job*, a run of its own. The book's page on batches says how a batch is run.
# This page reads the folder of a batch and draws what is there, whichever notebook the batch ran. In the book that is a small batch, recorded with
# it. Name another folder to see yours: `papermill notebooks/batch.ipynb out.ipynb -p folder runs/rq2`. Every batch makes this page for itself, as
# `report.html` in its folder.
#
# **Time.** This page takes 10 seconds of one processor.
#
# ### As numbers
#
# These are the first rows of each table. In Python, `ncnet.results.load("NAME", folder=Path("FOLDER")).table` is all of it.

# %% tags=["remove-input"]
for name, result in found.items():
    rows = figures.labelled(result.table)
    if name == "jobs":
        continue
    if "excess_p_value" in rows:
        rows = chsh.summary(rows[rows["excess_p_value"].notna()])
    else:
        rows = rows.select_dtypes("number").iloc[:, :8].round(3)
    rows = rows.rename_axis(index={"hidden_size": "n"})
    display(Markdown(f"The table `{name}`:"), rows.head(12))

# %% [markdown]
# ### How the jobs ran

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-jobs", "caption": "How to read it: each job of the batch is a bar from its start to its end, in seconds since the first one started, in the order of starting."}, "image": {"alt": "A bar for each job along a time axis in seconds. In the recorded batch six bars stand in three steps of two: two jobs always run at the same time."}}
ran = found["jobs"].table
sources.show(figures.jobs(ran), jobs=found["jobs"])

# %% tags=["remove-input"]
Markdown(
    f"The batch has {len(ran)} jobs. A typical one took "
    f"{ran['seconds'].median():.0f} s, and all together they took "
    f"{ran['seconds'].sum() / 60:.1f} minutes of machine time. The "
    f"largest job held {ran['peak_megabytes'].max():.0f} MB of memory."
)

# %% [markdown]
# ### What is in the folder

# %% tags=["remove-input"]
first = found["jobs"].provenance
lines = [
    f"- The table `{name}` has {len(result.table):,} rows. It was {result}."
    for name, result in found.items()
]
lines += [
    "",
    "They were made by",
    "",
    "```console",
    f"$ {first['command']}",
    "```",
]
Markdown("\n".join(lines))

# %% [markdown]
# All jobs together were given these parameters. What varied between jobs is a list.

# %% tags=["remove-input"]
given = pd.Series(
    {name: str(value) for name, value in first["parameters"].items()}
)
given = given.rename_axis("parameter").rename("value").to_frame()
HTML(given.to_html(classes="breaks", border=0))

# %% [markdown] tags=["book-only"]
# ## Go further
#
# **Ten minutes: read it in Python.** In which jobs of the recorded batch is S above 2, and which job took longest?
#
# ````{dropdown} Solution
# ```python
# from ncnet import results
#
# folder = results.FOLDER / "small"
# table = results.load("capacity", folder=folder).table
# above = table[table["verdict"] == "above 2"]
# print(above[["game", "hidden_size", "s", "s_low", "s_high"]])
#
# jobs = results.load("jobs", folder=folder).table
# print(jobs.sort_values("seconds")[["job", "seconds", "cpu_seconds"]])
# ```
#
# S is above 2 in the jobs at n = 3, in both games. No job stands out, because a small run is mostly starting up, importing torch, and compiling.
# ````
#
# **Half an hour: a batch of your own.** How much does S at n = 3 depend on the seed? Write a batch over four seeds, run it, and look at its report.
#
# ````{dropdown} Solution
# As `batches/seeds.yml`:
#
# ```yaml
# notebook: rq1
#
# parameters:
#   hidden_sizes: [3]
#   replicas: 288
#
# grid:
#   seed: [0, 1, 2, 3]
# ```
#
# ```console
# $ snakemake --cores 2 --config batch=batches/seeds.yml
# ```
#
# The report is `runs/seeds/report.html`. S is above 2 with every seed, and the four values differ by no more than their intervals allow. A
# seed draws other replicas of the same game, and the intervals are about such draws. Add a seed to the list and run the batch
# again: only the new job is run.
# ````
