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
