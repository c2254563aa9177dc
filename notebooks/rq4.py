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
# **The paper's statement.** At low to middle capacity S and generalization are positively correlated, and the capacity at which S
# first reaches 2 often generalizes well {cite:p}`zhao2026`. That would make S, which is computed on training items alone, a
# measure of something that otherwise takes fresh items.
#
# **What is run.** On truth tables nothing is left to generalize to. So each replica draws a finite training sample and is tried on
# further items that it never sees: XORnet games whose inputs carry Gaussian noise, and handwritten digits with two easy
# and two hard tasks. The four contexts of a replica share the sample and the initial weights. Held-out accuracy is the mean over
# both heads and the four contexts; the worst context stands beside it. S is computed on training items, as everywhere.
#
# **How the question is asked.** A replica is one point: its S, its held-out accuracy. *Spearman's correlation* compares their ranks: +1
# if the replica with the larger S always generalizes better, 0 if S says nothing, -1 if the other way round. It is computed *within* each
# capacity, since capacity itself moves both, and then averaged over the capacities up to the one at which S first reaches 2 (its
# mean is at least 1.95), which other replicas choose. The paper does not say over what it correlates; this is our reading.
#
# **Time.** At the defaults, three quarters of a minute on two cores.

# %% tags=["parameters"]
populations: list = ["overlap"]  # noisy games, quartets of digit tasks
hidden_sizes: list = [1, 2, 3, 4, 6, 8, 12]
replicas: int = 240  # half of them choose where S first reaches 2
training: int = 64  # items of each replica
held_out: int = 200  # further ones, which it never sees
noise: float = 0.5  # standard deviation, on the inputs of a game
label_noise: float = 0.0  # share of training labels that are flipped
steps: int = 1000
seed: int = 0
activation: str = "tanh"
optimizer: str = "gradient_descent"
learning_rate: float = 0.5
resamples: int = 1500
record: bool = False  # also save the tables that this book quotes
save_to: str = ""  # a folder for the tables of this run

# %%
from ncnet import parameters

chosen = parameters.validate(globals(), parameters.Rq4)

# %%
import numpy as np
import pandas as pd
from myst_nb import glue

from ncnet import chsh, claims, figures, ranks, results, runs, samples
from ncnet import generalization as general

figures.use_style()
run = runs.Run("rq4", chosen)
kind = {
    "steps": steps,
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
# ## What replicas train on
#
# Items of a noisy game are rows of its truth table plus noise. Digits are the 1,797 images of 8 x 8 pixels that come with
# scikit-learn. Their tasks are splits of the ten digits into five and five, ordered by what a linear classifier gets right, which knows
# nothing of networks or of S. The easiest two and the hardest two that are nearly independent of each other make up the quartets:

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
def trained(population, hidden_size):
    outcomes = samples.train(
        samples.named(population, **items),
        hidden_size=hidden_size,
        replicas=range(replicas),
        seed=seed,
        **kind,
    )
    return general.by_replica(outcomes)


def table(population):
    described = kind | items | {"replicas": replicas}
    parts = [
        run.part(
            described | {"population": population, "hidden_size": n},
            lambda n=n: trained(population, n),
        )
        for n in hidden_sizes
    ]
    return pd.concat(parts, ignore_index=True)


tables = {
    samples.label(
        name, training=training, label_noise=label_noise
    ): table(name)
    for name in populations
}


# %% [markdown]
# ## Within a capacity, and the trap of throwing capacities together


# %%
def halves(of_setting):
    """The replicas that are correlated, and those that choose."""
    odd = of_setting["replica"] % 2 == 1
    return of_setting[odd], of_setting[~odd]


options = {
    "level": claims.simultaneous_level(len(claims.SETTINGS)),
    "resamples": resamples,
    "seed": seed,
}


def joined(analysis):
    parts = [
        analysis(*halves(of_setting)).assign(setting=setting)
        for setting, of_setting in tables.items()
    ]
    return pd.concat(parts, ignore_index=True)


correlated = joined(
    lambda seen, choosing: general.correlations(seen, choosing, **options)
)
gained = joined(
    lambda seen, choosing: general.gains(
        seen, first=general.first_at_2(choosing), **options
    )
)
first = joined(
    lambda seen, choosing: general.regret_at_first(
        seen, choosing, **options
    )
)
capacity = joined(lambda seen, _: general.by_capacity(seen, seed=seed))
shown = joined(lambda seen, _: seen[seen["replica"] < 400])
run.save("generalization", correlated)
run.save("generalization_gains", gained)
run.save("generalization_capacity", capacity)
run.save("first_at_2", first)
single = shown.select_dtypes("float64").columns
run.save(
    "generalization_replicas",
    shown.astype(dict.fromkeys(single, "float32")),
)

# %% [markdown]
# Live, at the parameters above:

# %% mystnb={"figure": {"name": "fig-simpson", "caption": "Live: S of each replica's training items against the share of its held-out items that heads get right. Left: replicas of all capacities thrown together. Right: the same points by capacity; large marks are means, lines the least-squares fit within each capacity."}, "image": {"alt": "Two scatter plots of the same points. Left, all in grey, they form one bent cloud that rises from lower left to upper right. Right, coloured by the number of hidden units, the cloud falls apart into groups, one for each capacity, each further up than the one before; within a group the fitted lines are nearly flat or rise a little, whatever the slope of the whole."}}
setting, of_setting = next(iter(tables.items()))
figures.simpsons_trap(halves(of_setting)[0], setting)

# %% mystnb={"figure": {"name": "fig-correlations-live", "caption": "Live: rank correlation of S with held-out accuracy within each capacity, plain and with training accuracy and loss held fixed. Bars: intervals that would hold together over seven settings at 95 %, bootstrapped over replicas. The grey stripe marks where S first reaches 2."}, "image": {"alt": "Rank correlations against the number of hidden units, three marks at each, with long bars. Most bars cross zero."}}
held_out_mean = correlated[correlated["target"] == "held_out_accuracy"]
figures.correlations(held_out_mean)

# %% [markdown]
# ## Recorded
#
# Seven settings: two noisy games with 64 training items, the three quartets of digits with 128, one of them with twice as many and one
# with a tenth of the training labels flipped. Items and steps were chosen in a trial of at most 64 replicas with another
# seed, for which S has somewhere to rise; the rules and this analysis were committed before the runs.

# %%
recorded = run.load("generalization")
print(recorded)
table_of = recorded.table
mean_target = table_of[table_of["target"] == "held_out_accuracy"]
replicas_of = run.load("generalization_replicas").table
over_capacity = run.load("generalization_capacity").table

# %% mystnb={"figure": {"name": "fig-averages", "caption": "Recorded: rank correlation of S with held-out accuracy, averaged over the capacities up to the one at which S first reaches 2. Bars hold together over the seven settings at 95 %; the bootstrap goes through the choice of that capacity and of those at the ceiling."}, "image": {"alt": "ALT-AVERAGES"}}
figures.averages(mean_target)

# %% mystnb={"figure": {"name": "fig-correlations", "caption": "Recorded: the same at each capacity. The grey stripe marks where S first reaches 2. 'Ceiling': fewer than ten replicas differ from the most frequent S, so that there are no ranks to correlate."}, "image": {"alt": "ALT-CORRELATIONS"}}
figures.correlations(mean_target)

# %% [markdown]
# ### What S adds to training accuracy and loss
#
# A correlation at given accuracy asks whether anything is left; the practical question is whether a prediction gets better. Held-out
# accuracy is predicted within each capacity, from training accuracy and loss alone and with S beside them, by ridge regression
# whose form (straight or curved) and penalty are chosen inside the training folds, and is scored on replicas that neither has
# seen. R² is the share of the variance between replicas that is predicted; below 0 the mean would have been the better guess.

# %%
gains = run.load("generalization_gains").table
averaged = gains[gains["part"] == "up to 2"]
averaged.set_index(["setting", "given"])[
    ["without", "with_s", "gain", "gain_low", "gain_high"]
].round(3)

# %% [markdown]
# Means over the capacities up to the one at which S first reaches 2; intervals as above, the fitted predictions being given.
#
# ### The capacity at which S first reaches 2

# %% mystnb={"figure": {"name": "fig-first-at-2", "caption": "Recorded: S and accuracy against the number of hidden units. The grey stripe marks where S first reaches 2, chosen on other replicas. Bands: 95 % intervals."}, "image": {"alt": "ALT-FIRST"}}
first_of = run.load("first_at_2").table
first_of_mean = first_of[first_of["target"] == "held_out_accuracy"]
stripes = first_of_mean.set_index("setting")["first"]
figures.held_out_over_capacity(over_capacity, stripes)

# %%
first_of.set_index(["setting", "target"])[
    [
        "first",
        "at_smallest",
        "at_first",
        "best",
        "best_capacity",
        "regret",
        "regret_low",
        "regret_high",
        "share_of_rise",
    ]
].round(3)

# %% [markdown]
# ### Across capacities
#
# Over the means of the capacities, up to the one at which S first reaches 2 and over all of them, and over all replicas thrown
# together. The first two are descriptive (a handful of capacities that we chose); the last is the trap of above.


# %%
def described(setting):
    means = over_capacity[over_capacity["setting"] == setting]
    low = means[means["capacity"] <= stripes[setting]]
    thrown = replicas_of[replicas_of["setting"] == setting]
    return {
        "capacities up to 2": len(low),
        "correlation of their means": general.across(low)[0],
        "all capacities": len(means),
        "correlation of all means": general.across(means)[0],
        "replicas thrown together": general.pooled(thrown),
    }


pd.DataFrame({s: described(s) for s in stripes.index}).T.round(2)

# %% [markdown]
# ### Real models
#
# The recorded runs of {doc}`rq3_lora`: MiniLM with adapters, the rank being the capacity. Their trial, on other replicas, says at
# which rank S first reaches 2.

# %%
lora = run.load("lora_outcomes").table
losses = run.load("lora_losses").table
trial = results.load("lora", folder=results.FOLDER / "trial").table
ours = run.load("lora").provenance["parameters"]
same = ["items", "steps", "batch_size", "learning_rate"]
tried = trial[(trial[same] == [ours[k] for k in same]).all(axis=1)]


def of_quartet(quartet):
    rows = lora[lora["quartet"] == quartet].drop(columns="quartet")
    paired = quartet.startswith("languages")
    lost = losses[losses["quartet"] == quartet].rename(
        columns={"rank": "capacity"}
    )
    index = ["capacity", "alice_setting", "bob_setting", "replica"]
    lost = lost.set_index(index)[["alice_loss", "bob_loss"]].to_xarray()
    outcomes = ranks.from_rows(rows, paired=paired).merge(lost)
    # The trial had the hard tasks together only.
    like = "languages" if paired else "mixed_hard_together"
    choosing = tried[tried["quartet"] == like].assign(replica=0)
    choosing = choosing.rename(columns={"rank": "capacity"})
    of_ranks = general.by_replica(outcomes)
    of_ranks = of_ranks[of_ranks["capacity"].isin(choosing["capacity"])]
    return general.correlations(of_ranks, choosing, **options).assign(
        setting=quartet
    )


real = pd.concat([of_quartet(q) for q in lora["quartet"].unique()])
real = real[
    (real["target"] == "held_out_accuracy")
    & (real["measure"] != "given contexts")
]
real[real["part"] != "beyond 2"].set_index(
    ["setting", "measure", "part", "capacity"]
)[["estimate", "low", "high", "off_mode"]].round(2)

# %% [markdown]
# Sixteen replicas; given the accuracies and losses of all four contexts there would be nothing left to correlate. An empty row is at the ceiling:
# of sixteen replicas fewer than ten differ from the most frequent S.
