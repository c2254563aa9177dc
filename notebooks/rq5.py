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
# # RQ5: is S of use as a diagnostic?
#
# %% tags=["parameters"]
populations: list = ["overlap"]  # noisy games, quartets of digit tasks
hidden_sizes: list = [1, 2, 3, 4, 6, 8, 12]
repetitions: int = 2  # of the whole choice, each on replicas of its own
repetition_size: int = 64  # replicas that one choice sees
fresh_replicas: int = 128  # replicas on which choices are judged
set_aside: float = 0.25  # share of training items, for validation
training: int = 64  # items of each replica
held_out: int = 200  # further ones, which it never sees
noise: float = 0.5  # standard deviation, on the inputs of a game
label_noise: float = 0.0  # share of training labels that are flipped
pair_size: int = 2  # hidden units, for the map of pairs
pair_training: int = 200  # items, for the map of pairs
pair_replicas: int = 16  # that draw the map, and as many that judge it
steps: int = 1000
seed: int = 0
activation: str = "tanh"
optimizer: str = "gradient_descent"
learning_rate: float = 0.5
record: bool = False  # also save the tables that this book quotes
save_to: str = ""  # a folder for the tables of this run

# %%
from ncnet import parameters

chosen = parameters.validate(globals(), parameters.Rq5)

# %%
import itertools

import numpy as np
import pandas as pd
from myst_nb import glue

from ncnet import chsh, claims, figures, runs, samples
from ncnet import generalization as general

figures.use_style()
run = runs.Run("rq5", chosen)
kind = {
    "steps": steps,
    "activation": activation,
    "optimizer": optimizer,
    "learning_rate": learning_rate,
}
traced = [s for s in (0, 10, 30, 100, 300, 1000) if s <= steps]
seen = range(repetitions * repetition_size)
fresh = range(len(seen), len(seen) + fresh_replicas)


# %%
def trained(name, hidden_size, replicas, part):
    population = samples.named(
        name,
        training=training,
        held_out=held_out,
        noise=noise,
        label_noise=label_noise,
        seed=seed,
    )
    if part == "set aside":
        count = round(set_aside * training)
        population = samples.set_aside(population, count)
    outcomes = samples.train(
        population,
        hidden_size=hidden_size,
        replicas=replicas,
        seed=seed,
        trace_steps=traced,
        **kind,
    )
    return general.by_replica(outcomes)


def table(name, replicas, part="whole"):
    parts = [
        run.part(
            run.parameters
            | {"name": name, "n": n, "first": replicas[0], "part": part},
            lambda n=n: trained(name, n, replicas, part),
        )
        for n in hidden_sizes
    ]
    return pd.concat(parts, ignore_index=True)


choices, rules, curves = [], [], []
for name in populations:
    setting = samples.label(
        name, training=training, label_noise=label_noise
    )
    chosen_by_rule = general.selections(
        table(name, seen),
        table(name, seen, "set aside"),
        repetition_size=repetition_size,
    )
    judges = table(name, fresh)
    regret = general.regrets(chosen_by_rule, judges, seed=seed)
    curve = general.by_capacity(judges, seed=seed)
    for into, rows in (
        (choices, chosen_by_rule),
        (rules, regret),
        (curves, curve),
    ):
        into.append(rows.assign(setting=setting))
choices, rules, curves = (
    pd.concat(rows, ignore_index=True)
    for rows in (choices, rules, curves)
)
run.save("capacity_choices", choices)
run.save("capacity_rules", rules)
run.save("capacity_fresh", curves)

# %%
tasks = (*samples.NAMED_TASKS, samples.NOTHING)
images = samples.digits(
    [*samples.NAMED_TASKS.values(), ()],
    training=pair_training,
    held_out=held_out,
    label_noise=label_noise,
    seed=seed,
)


def pairs(replicas):
    outcomes = samples.train_pairs(
        images,
        general.pairs_with_nothing(tasks),
        hidden_size=pair_size,
        replicas=replicas,
        seed=seed,
        trace_steps=traced,
        **kind,
    )
    return general.interference(outcomes, tasks)


drawn, judged = (
    run.part(
        run.parameters | {"pairs": first},
        lambda first=first: pairs(range(first, first + pair_replicas)),
    )
    for first in (0, pair_replicas)
)
likeness = general.likeness(samples.NAMED_TASKS)
interference = general.interference_map(
    drawn, judged, likeness, seed=seed
)
predictors = general.predictors(drawn, judged, likeness, seed=seed)
run.save("interference", interference)
run.save("interference_predictors", predictors)
