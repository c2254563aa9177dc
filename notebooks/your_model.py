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
# # Which of your tasks disturb each other?
#
# **The network of the example** answers six questions about handwritten digits. Each task is trained alone, and each pair of tasks together.
#
# **Time.** 20 seconds of one processor.

# %% tags=["parameters", "hide-input"] mystnb={"code_prompt_show": "Parameters of the live run"}
hidden_sizes: list = [1, 3]  # units that all heads read
hidden_size: int = 3  # looked at closely
replicas: int = 4
steps: int = 40
learning_rate: float = 0.02
seed: int = 0
save_to: str = ""  # a folder for the tables of this run

# %% tags=["remove-cell"]
from ncnet.parameters import validate
from ncnet.studies.your_model.parameters import YourModel

chosen = validate(globals(), YourModel)

# %% tags=["remove-cell"]
from myst_nb import glue

from ncnet import chsh, plotting, runs
from ncnet.studies.your_model import analysis, figures

plotting.use_style()
run = runs.Run(YourModel, chosen)
training = {"steps": steps, "learning_rate": learning_rate, "seed": seed}

# %% tags=["remove-cell"]
live = analysis.train_pairs(
    range(replicas), hidden_size=hidden_size, **training
)
run.save("your_pairs", live)
glue("yours_live_replicas", replicas, display=False)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-yours-live", "caption": "Live: S of each pair of tasks."}, "image": {"alt": "A triangle of cells, one for each pair of six tasks."}}
run.show(figures.pairs(analysis.by_pair(live)), live=live)

# %% tags=["hide-cell"]
by_size = analysis.by_hidden_size(
    hidden_sizes, replicas=replicas, **training
)
run.save("your_capacity", by_size)
chsh.summary(by_size.set_index("hidden_size"))

# %% [markdown]
# The live run has {glue:text}`yours_live_replicas` replicas.
