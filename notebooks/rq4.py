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
# # RQ4: does S say anything about generalization?
#
# **The question.** Do networks with a larger S on their training items get more right on items that they never saw? And is
# the capacity at which S first reaches 2 a good one to stop at? If so, S, which is computed on training items alone, would
# measure something that otherwise takes fresh items.
#
# **The paper's statement.** Where capacity is insufficient S and generalization are positively correlated, and the capacity at which S
# first reaches 2 often generalizes well {cite:p}`zhao2026`.
#
# **What we did.** Each replica draws a finite training sample and is tried on further items, its *held-out items*. There are two kinds:
# XORnet games whose inputs carry Gaussian noise, and handwritten digits with two easy and two hard tasks. Within each capacity
# we correlate S of the training items with the share of held-out items that heads get right, over replicas. A small
# run is live; a larger one is recorded, on {glue:text}`rq4_conditions` data sets, each with its size and share of flipped labels. Each is a *condition* of this
# page.
#
# **What we saw.** Recorded, up to the capacity at which S first reaches 2: the rank correlation lies between
# {glue:text}`rq4_plain_lowest:.2f` and {glue:text}`rq4_plain_highest:.2f` and is clearly above 0 in {glue:text}`rq4_plain_above` of
# {glue:text}`rq4_conditions` conditions; with training accuracy and loss held fixed, in {glue:text}`rq4_means_above`. At that capacity held-out
# accuracy is {glue:text}`rq4_lost` percentage points below the best. [All of it, below](rq4-saw).
#
# **Time.** 20 seconds of one processor.

# %% tags=["parameters"]
populations: list = ["overlap"]  # noisy games, quartets of digit tasks
capacity_name: str = "hidden_size"  # or "steps", at the largest size
hidden_sizes: list = [1, 2, 3, 4]
steps_tried: list = [10, 30, 100, 300, 1000]  # where "steps" is capacity
replicas: int = 120  # half of them choose where S first reaches 2
training: int = 64  # items of each replica
held_out: int = 200  # further ones, which it never sees
noise: float = 0.5  # standard deviation, on the inputs of a game
label_noise: float = 0.0  # share of training labels that are flipped
steps: int = 1000  # where hidden size is capacity
seed: int = 0
activation: str = "tanh"
optimizer: str = "gradient_descent"
learning_rate: float = 0.5
resamples: int = 2200
save_to: str = ""  # a folder for the tables of this run

# %%
from ncnet.parameters import validate
from ncnet.studies.generalization.parameters import Rq4

chosen = validate(globals(), Rq4)

# %%
import pandas as pd
from IPython.display import Markdown
from myst_nb import glue

from ncnet import games, plotting, results, runs, sweeps
from ncnet.chsh.text import (
    NONE,
    as_text,
    interval_text,
    number_text,
    span_text,
)
from ncnet.claims import GAMES, simultaneous_level, verdict_table
from ncnet.studies.generalization import (
    claims,
    correlation,
    figures,
    measurements,
)
from ncnet.studies.generalization.tables import TABLES
from ncnet.training import samples

plotting.use_style()
run = runs.Run(Rq4, chosen)
kind = {
    "activation": activation,
    "optimizer": optimizer,
    "learning_rate": learning_rate,
}
items = {
    "training": training,
    "held_out": held_out,
    "noise": noise,
    "label_noise": label_noise,
    "seed": seed,
}


# %% [markdown]
# ## How the question is asked
#
# In the games of the other pages the training items are the whole truth table, and nothing is left to generalize to. Here each
# replica has a sample of its own. Its four contexts share the sample and the initial weights. *Held-out accuracy* is the share of
# its held-out items that heads get right, the mean over both heads and the four contexts; the worst context stands
# beside it. S is computed on training items, as everywhere.
#
# A replica is one point: its S and its held-out accuracy. *Spearman's correlation* compares their ranks. It is +1
# if the replica with the larger S always generalizes better, 0 if S says nothing, -1 if it is the other way round. Capacity
# itself moves both, so the correlation is computed *within* each capacity. It is then averaged over the capacities up to the one at which
# S first reaches 2, that one included: the smallest at which the mean of S, over other replicas, is at least 1.95. Over what the paper correlates, and
# where "insufficient" ends, is not known to us; this is our reading.
#
# ## What replicas train on
#
# Items of a noisy game are rows of its truth table plus noise. Digits are the 1,797 images of 8 x 8 pixels that come with
# scikit-learn. Their tasks are splits of the ten digits into five and five. They are ordered by what a linear classifier gets right,
# which knows nothing of networks or of S. The quartets take the easiest two and the hardest two that are nearly independent of each other:

# %%
right = dict(samples.splits_by_separability())
quartets = {q: samples.digit_tasks(q) for q in samples.QUARTETS}
pd.DataFrame(
    {
        quartet: [
            f"{''.join(map(str, split))} ({right[split]:.0%})"
            for split in splits
        ]
        for quartet, splits in quartets.items()
    },
    index=pd.Index(["A1", "A2", "B1", "B2"], name="task"),
)

# %% [markdown]
# Digits of class 1, and in brackets the share of images that the linear classifier gets right in cross-validation. `hard_together`
# lets the hard tasks meet in context (2,2), `hard_apart` gives both to Bob, `middling` has four of middle difficulty.


# %%
def replicas_of(name):
    """Train a population's replicas at each capacity, a row each."""
    population = samples.named(name, **items)
    parts = [
        run.part(
            {"population": name, **at_capacity},
            lambda at_capacity=at_capacity: measurements.train_replicas(
                population,
                replicas=range(replicas),
                seed=seed,
                capacity_name=capacity_name,
                **kind,
                **at_capacity,
            ),
        )
        for at_capacity in measurements.capacities(
            capacity_name,
            hidden_sizes=hidden_sizes,
            steps=steps,
            steps_tried=steps_tried,
        )
    ]
    return pd.concat(parts, ignore_index=True)


about = {
    "training": training,
    "label_noise": label_noise,
    "by_steps": capacity_name == "steps",
}
conditions = {
    samples.label(name, **about): replicas_of(name)
    for name in populations
}


# %% [markdown]
# ## Within a capacity, and the trap of throwing capacities together
#
# Half of the replicas, those with an odd number, are correlated. The other half choose the capacity at which S first reaches 2. The tables are
# those of {py:data}`ncnet.studies.generalization.tables.TABLES`.

# %%
options = {
    "level": simultaneous_level(len(claims.CONDITIONS)),
    "resamples": resamples,
    "seed": seed,
}
tables = {
    name: pd.concat(
        [
            make(
                *measurements.split_replicas(of_condition), **options
            ).assign(condition=condition)
            for condition, of_condition in conditions.items()
        ],
        ignore_index=True,
    )
    for name, make in TABLES.items()
}
for name, rows in tables.items():
    run.save(name, rows)

# %% [markdown]
# Live, at the parameters above:

# %% mystnb={"figure": {"name": "fig-simpson", "caption": "Live, at the parameters above: S of each replica's training items against the share of its held-out items that heads get right, mean over heads and contexts. A point is a replica. Left: replicas of all capacities thrown together. Right: the same points coloured by the number n of hidden units; large marks are means, lines the least-squares fit within each capacity. The dashed line is the classical bound."}, "image": {"alt": "Two scatter plots of the same points. Left, all in grey, they form one bent cloud that rises from lower left to upper right. Right, coloured by the number of hidden units, the cloud falls apart into groups, one for each capacity, each further up than the one before; within a group the fitted lines are nearly flat or rise a little, whatever the slope of the whole."}}
condition, of_condition = next(iter(conditions.items()))
correlating, _ = measurements.split_replicas(of_condition)
run.show(
    figures.simpsons_paradox(correlating, condition),
    replicas=correlating,
)

# %% mystnb={"figure": {"name": "fig-correlations-live", "caption": "Live, at the parameters above: rank correlation of S with held-out accuracy within each capacity. Three measures: plain (Spearman), at given mean training accuracy and loss, and at those of each context. Bars: bootstrap intervals over replicas, at a level at which all recorded conditions would hold together at 95 %. The grey stripe marks the capacity at which S first reaches 2."}, "image": {"alt": "At the defaults, one panel: rank correlations against the number of hidden units, three marks at each, with long bars. Most bars cross zero. The plain correlation is highest at two units, with its bar above zero; with training accuracy and loss held fixed it is lower there."}}
correlated = tables["generalization"]
held_out_mean = correlated[correlated["target"] == "held_out_accuracy"]
run.show(figures.correlations(held_out_mean), correlations=held_out_mean)
