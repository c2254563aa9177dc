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
# # RQ3, continued: which statements depend on choices?
#
# **The paper's statements.** S rises to 2, passes it, peaks at three hidden units and falls back to 2
# {cite:p}`zhao2026`. **What the paper does not state:** which tasks, activation, optimizer, learning rate,
# initialisation and number of steps, and what exactly the outcome is ({doc}`../protocol`). Any single
# reading, ours included, could be the lucky one.
#
# **What is run.** All of them: a *multiverse* {cite:p}`steegen2016`. Each combination of choices is a
# *specification*; each gives S at n = 1 to 10 hidden units and a verdict on every statement, by rules
# written before anything was trained. That took half an hour and is recorded; a few of the trainings, drawn
# at random, are repeated live with another seed. Where a statement fails, we say why we think so, and
# test that thought.
#
# **Time.** Half a minute on two cores; about a minute where there is no C++ compiler.

# %% tags=["parameters"]
trainings: int = 4  # drawn at random from the recorded ones
hidden_sizes: list = [1, 2, 3, 4, 6]
replicas: int = 320
steps: int = 2000
seed: int = 0
record: bool = False  # train all and replace the tables in results/

# %%
from ncnet import parameters

chosen = parameters.validate(globals(), parameters.Rq3Multiverse)

# %%
import json

import numpy as np
import pandas as pd
from IPython.display import Markdown
from myst_nb import glue

import ncnet
from ncnet import chsh, claims, figures, multiverse, results

figures.use_style()
statements = list(claims.CAPACITY_CLAIMS)
specification = list(multiverse.SPECIFICATION)

# %% [markdown]
# ## The rules
#
# A rule reads the sweep of one specification over n. Its ten intervals are simultaneous: 95 % together.

# %% tags=["hide-input"]
lines = [
    "| statement | what the paper says | when we say that it holds |",
    "|:--|:--|:--|",
]
lines += [
    f"| {claim.name} | {claim.statement} | {claim.rule} |"
    for claim in claims.CAPACITY_CLAIMS.values()
]
Markdown("\n".join(lines))

# %% [markdown]
# ## The choices

# %% tags=["hide-input"]
optimizers = [
    f"{name.replace('_', ' ')} at {', '.join(map(str, rates))}"
    for name, rates in multiverse.OPTIMIZERS.items()
]
choices = {
    "game": multiverse.GAMES,
    "activation": multiverse.ACTIVATIONS,
    "optimizer and learning rate": optimizers,
    "initialisation": multiverse.INITIALISATIONS,
    "steps": [f"{count:,}" for count in multiverse.STEPS],
    "readout": chsh.READOUTS,
}
lines = ["| choice | options |", "|:--|:--|"]
lines += [
    f"| {choice} | {', '.join(options)} |"
    for choice, options in choices.items()
]
Markdown("\n".join(lines))

# %% [markdown]
# The first five make a *training*; steps and readout are read from the same networks.

# %% tags=["hide-input"]
if record:
    run = {"replicas": replicas, "seed": seed, "resume": True}
    everything = multiverse.run(multiverse.trainings(), **run)
    command = (
        "papermill notebooks/rq3_multiverse.ipynb rq3_multiverse.ipynb "
        f"-y '{json.dumps(chosen)}'"
    )
    results.save(
        "multiverse", everything, parameters=chosen, command=command
    )
recorded = results.load("multiverse")
table = recorded.table
print(recorded)
