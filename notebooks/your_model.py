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
# **Train each task alone and each pair together: S of the pair says it.** Tasks that leave each other alone have an S of at most 2. In our example the
# tasks {glue:text}`yours_most` have the largest, {glue:text}`yours_most_s:.2f` ({glue:text}`yours_most_low:.2f` to {glue:text}`yours_most_high:.2f`). An S of at most 2 does not clear a pair, since failing
# on the same items lowers it. So read the losses, too.

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
import inspect
from functools import partial

import torch
from IPython.display import Markdown
from myst_nb import glue

from ncnet import plotting, runs
from ncnet.studies.your_model import analysis, example, figures

plotting.use_style()
quote = partial(glue, display=False)
run = runs.Run(YourModel, chosen)
torch.set_num_threads(1)  # two would wait for each other
training = {"steps": steps, "learning_rate": learning_rate, "seed": seed}

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-yours-pairs", "caption": "How to read it: a cell is a pair of tasks that share a trunk, with S of the pair on training items, a mean over {glue:text}`yours_replicas` replicas. Bold: the interval lies on one side of 2, for all pairs together at 95 %."}, "image": {"alt": "A triangle of cells, one for each pair of six tasks, with S of the pair in it. Most numbers are above 2 and bold. The largest stand in the column of the task large, beside six and zero. The pair of loop and prime alone lies below 2."}}
recorded = run.load("your_pairs")
pair_table = analysis.by_pair(recorded.table)
run.show(
    plotting.titled(
        figures.pairs(pair_table),
        "In most pairs a task disturbs the other",
    ),
    recorded=recorded,
)

# %% [markdown]
# These lines ask the same of your tasks. They run as they stand. Put your own `train`, `TASKS` and `SPLIT` in place of ours
# ([what they have to be](yours-function)). In a copy of the repository `pip install ".[train]"` installs what they need.

# %%
from itertools import combinations

import numpy as np

from ncnet import chsh, experiment
from ncnet.studies.your_model.example import SPLIT, TASKS, train  # yours

seeds = [experiment.replica_seed(0, k) for k in range(4)]
outcomes = {
    tasks: np.stack([np.where(train(tasks, s), 1, -1) for s in seeds], 1)
    for count in (1, 2)
    for tasks in combinations(TASKS, count)
}
rows = experiment.interference(chsh.collect_pairs(outcomes, split=SPLIT))
columns = ["s", "first_drop", "second_drop", "held_out_drop"]
means = rows.groupby(["first", "second"])[columns].mean()
print(means.nlargest(5, "s").round(3))
print(experiment.group(rows, trunks=3))

# %% [markdown]
# First come the pairs with the largest S and what either task loses in them, then the best way to divide the tasks among three trunks. Four replicas show nothing yet, as
# the intervals say. Take dozens. Six tasks cost {glue:text}`yours_trainings` trainings in each replica, alone and in pairs.
#
# ## How it works
#
# **The question.** Several tasks share a *trunk*, the layers that all their heads read. Which of them stand in each other's way, and by how much?
#
# **What we did.** As an example we took a small convolutional network in plain torch, as you might have written it. Its trunk ends in three
# units, and six heads answer questions about scikit-learn's handwritten digits: is it a zero, a six, odd, large (at least 5), prime, or a digit with
# a closed loop? Trainings are short, {glue:text}`yours_steps` steps. In {glue:text}`yours_replicas` *replicas*, draws of the initial weights, every task was
# trained alone and every pair together. That is recorded; a small run is live.
#
# **Time.** This page takes 20 seconds of one processor.
#
# ### What S of a pair is
#
# A CHSH game is made of each pair of tasks. Alice's head has the first task in her setting 2, Bob's head has the second in his, and setting 1 asks nothing of
# a head. Let $\ell_1$ and $\ell_2$ be the shares of training items that either head gets right alone and misses beside the other, on balance, and $w$ the share that both
# miss together. Then
#
# $$ S = 2 + 2\,(\ell_1 + \ell_2) - 4\,w. $$
#
# So S above 2 says that the tasks disturb each other, and by more than they fail together. All of it is signalling, and signalling is what
# one wants to know here. {py:func}`ncnet.experiment.interference` gives S, the losses and the failures in common, in each replica.
#
# (yours-function)=
# ### What your function has to do
#
# `train(tasks, seed)` is given the names of one task or of two. It trains one network on them from scratch and returns, for each task, which items its head gets
# right. Two things are asked of it:
#
# - All that is random follows from `seed`. Trainings of a replica are given the same one, so that they start from the same weights and see the batches in the
#   same order.
# - It says whether a head is right, not what the head predicts. The items are the same every time, and in the same order: no shuffling where you evaluate.
#
# Every task returns equally many items. Where the k-th items of two tasks are not the same, pass `paired=False` to {py:func}`ncnet.chsh.collect_pairs`. `TASKS` is a list of names, and
# `SPLIT` says of each item `"training"` or `"held_out"`.


# %% tags=["remove-input"]
def folded(title, *parts):
    """Show the source of parts of the example."""
    code = "\n\n".join(inspect.getsource(part) for part in parts)
    return Markdown(
        f"````{{dropdown}} {title}\n```python\n{code}```\n````"
    )


folded(
    "The function and the network of the example",
    *(example.Network, example.losses, example.right, example.train),
)

# %% [markdown]
# Before you train anything else, call it twice with one seed. On a CPU both calls have to agree. On a GPU some outcomes may differ; S still stands then, and influence does not:

# %%
once, again = train(["odd", "large"], 7), train(["odd", "large"], 7)
all((one == other).all() for one, other in zip(once, again, strict=True))

# %% tags=["remove-cell"]
live = analysis.train_pairs(
    range(replicas), hidden_size=hidden_size, **training
)
run.save("your_pairs", live)
most = pair_table.iloc[0]
loses, stays = most["first"], most["second"]
if most["first_drop"] < most["second_drop"]:
    loses, stays = stays, loses
given = recorded.provenance["parameters"]
quote("yours_replicas", given["replicas"])
quote("yours_steps", given["steps"])
quote("yours_most", "{first} and {second}".format(**most))
quote("yours_most_s", float(most["s"]))
quote("yours_most_low", float(most["s_low"]))
quote("yours_most_high", float(most["s_high"]))
quote("yours_loses", loses)
quote("yours_stays", stays)
drops = most[["first_drop", "second_drop"]]
quote("yours_lost", float(100 * drops.max()))
quote("yours_not_lost", float(-100 * drops.min()))
quote("yours_pairs", len(pair_table))
quote("yours_trainings", len(TASKS) + len(pair_table))
above = pair_table[pair_table["s_low"] > chsh.CLASSICAL_BOUND]
quote("yours_above", len(above))
least = pair_table.iloc[-1]
quote("yours_least", "{first} and {second}".format(**least))
quote("yours_least_s", float(least["s"]))
quote("yours_least_wrong", float(100 * least["both_wrong"]))
quote("yours_least_drop", float(100 * least["training_drop"]))

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of the live run"}
live_columns = ["s", "training_drop", "both_wrong", "held_out_drop"]
analysis.by_pair(live).set_index(["first", "second"])[live_columns].round(
    3
)

# %% [markdown]
# ### Which of the two pays
#
# S of a pair does not say whose loss it is. The losses do:

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-yours-losses", "caption": "How many training items fewer, in percentage points, the task of a row gets right beside the task of a column than alone. Bold: five points or more. Means over {glue:text}`yours_replicas` replicas."}, "image": {"alt": "A square of cells, six tasks in rows and in columns. The task large loses most, beside six and zero; loop, odd and prime lose beside the same two. The rows of six and zero hold numbers near nought, which are mostly negative."}}
run.show(
    plotting.titled(
        figures.losses(pair_table),
        "Six and zero cost the others much, and lose next to nothing",
    ),
    recorded=recorded,
)

# %% [markdown]
# (more-tasks-which-of-them-to-train-together)=
# ### Which tasks to train together
#
# {py:func}`ncnet.experiment.group` looks for the way to divide the tasks among trunks, in pairs or alone, that gains most on held-out items, and says how much
# another way may gain more at most. Of the recorded replicas:

# %%
from ncnet import results

recorded = results.load("your_pairs")
print(experiment.group(recorded.table, trunks=3))

# %% [markdown]
# A negative gain is a loss against six trunks, one for each task. {doc}`rq5` asks what S is worth for grouping, beside the plain loss.
#
# (a-function-and-a-first-report)=
# (yours-report)=
# ### The CHSH report on four of the tasks
#
# Two tasks for Alice and two for Bob make a Bell test as in the other pages. Here Alice has *zero* and *odd*, Bob has *six* and *large*.
# {py:func}`ncnet.experiment.train` calls a function `train_context(alice_setting, bob_setting, seed)` in the four contexts of each replica. It returns which items either head
# gets right, as a pair, or as {py:class}`ncnet.experiment.Trained` with held-out items, losses and names of the items.

# %% tags=["remove-input"]
folded("The function of the example", example.train_context)

# %% tags=["hide-output"] mystnb={"code_prompt_show": "The report of eight live replicas"}
from ncnet.studies.your_model.example import train_context  # yours

of_four = experiment.train(train_context, replicas=8)
chsh.report(of_four)

# %% tags=["remove-cell"]
live_sizes = analysis.by_hidden_size(
    hidden_sizes, replicas=replicas, **training
)
run.save("your_capacity", live_sizes)
by_size = run.load("your_capacity").table.set_index("hidden_size")
at_three, widest = by_size.loc[3], by_size.iloc[-1]
for name, row in {"three": at_three, "widest": widest}.items():
    quote(f"yours_{name}_s", float(row["s"]))
    quote(f"yours_{name}_low", float(row["s_betting_low"]))
    quote(f"yours_{name}_high", float(row["s_betting_high"]))
    quote(f"yours_{name}_delta", float(row["delta"]))
    quote(f"yours_{name}_influence", float(row["influence"]))
quote("yours_verdict", at_three["verdict"])
quote("yours_widest", int(by_size.index[-1]))

# %% [markdown]
# This is another game, so its S is another number: each head has an easier task beside the hard one. For the question of this page S of a pair is enough.
# With three units and {glue:text}`yours_replicas` recorded replicas S is {glue:text}`yours_verdict`: {glue:text}`yours_three_s:.2f`
# ({glue:text}`yours_three_low:.2f` to {glue:text}`yours_three_high:.2f`). The tasks are not fitted after so few steps, and heads that often fail on different items have low
# correlators. They do depend on each other: success rates change with the other head's task by
# {glue:text}`yours_three_delta:.2f` in all (Δ), single outcomes by {glue:text}`yours_three_influence:.2f` (influence). With {glue:text}`yours_widest` units there is more room:
# S is {glue:text}`yours_widest_s:.2f`, Δ {glue:text}`yours_widest_delta:.2f` and the influence {glue:text}`yours_widest_influence:.2f`. {doc}`/report` explains each line of a report,
# {doc}`/signalling` where it comes from.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of the recorded sizes"}
chsh.summary(by_size)

# %% [markdown]
# (long-runs-capacities-and-what-was-cut-off)=
# (along-training-the-probe)=
# (the-trainer-of-transformers)=
# **Long trainings.** {doc}`/your_training` keeps each context of four tasks as soon as it is finished, sweeps capacities, and follows gradients and S while a network trains, in
# your loop or in the Trainer of transformers. For pairs, store what your `train` returns yourself.
#
# (you-have-outcomes-already)=
# **Outcomes that you have already.** Networks that were trained elsewhere need no function. Write one row for each context, replica and item, and
# {doc}`/your_table` has the report.
#
# ## What we saw
#
# In {glue:text}`yours_above` of {glue:text}`yours_pairs` pairs S is above 2, clear of chance for all pairs together. In the first of them, {glue:text}`yours_most`, one
# task pays for both: *{glue:text}`yours_loses`* loses {glue:text}`yours_lost:.0f` points, while *{glue:text}`yours_stays`* gains
# {glue:text}`yours_not_lost:.1f`. The two tasks that cost the others most are the rare ones, with the answer
# yes for one digit in ten.
#
# S is lowest in {glue:text}`yours_least`, at {glue:text}`yours_least_s:.2f`. The two do not help each other, since they lose {glue:text}`yours_least_drop:.1f` points in the mean. They fail
# together, on {glue:text}`yours_least_wrong:.1f` % of the items. This is why the losses belong beside S.
#
# ## What a report does not show
#
# - **No quantum physics.** The heads share a trunk, and each may signal to the other. S above 2 is no wonder then, and Δ, influence and
#   $S - \Delta - 2$ belong beside it ({doc}`/signalling`).
# - **Pairs are not the whole.** Tasks were trained alone and in pairs. What six tasks do in one trunk is not measured.
# - **Two failures count as agreement.** Read the success rates with the correlators: two heads that are always wrong have S = 2.
# - **The replica is the unit.** Intervals resample replicas. More items make no interval shorter; intervals hold for these items. For new items,
#   resample both ({py:func}`ncnet.studies.ranks.pigeonhole.pigeonhole_interval`).
# - **Few replicas, wide intervals.** Below ten replicas that differ, intervals come from betting tests, which are valid at any number and wide at
#   small ones. With a dozen replicas no test that is valid for any distribution of S can tell a mean a little above 2 from 2.
# - **Influence and the share above 2** compare single outcomes between contexts. They mean influence only if the four contexts of a replica share all that is
#   random. If your training is not deterministic (some operations on GPUs are not), S, Δ and $S - \Delta - 2$ still stand.
#
# ## What would change our mind
#
# We say that these tasks disturb each other because they share a few units. If the losses were as large in a trunk of {glue:text}`yours_widest` units, trained as long, this would be wrong.
# Which pairs are disturbed is a matter of this network, these digits and so short a training. Other seeds should give the same map; another learning rate or number
# of steps need not.
#
# ## Go further
#
# The first two are for a cell at the end of this notebook, which has all the names that they use.
#
# **Ten minutes: five times as long.** Which pairs of tasks still disturb each other after 200 steps?
#
# ````{dropdown} Solution
# ```python
# longer = {
#     tasks: np.stack(
#         [np.where(train(tasks, s, steps=200), 1, -1) for s in seeds], 1
#     )
#     for tasks in outcomes
# }
# rows = experiment.interference(chsh.collect_pairs(longer, split=SPLIT))
# print(rows.groupby(["first", "second"])[["s", "training_drop"]].mean())
# ```
#
# Without *zero* and *six*, S of all pairs is within a hundredth of 2: there was time to fit both tasks. Beside one of these two it still lies on either side of 2, and
# in some pairs far above.
# ````
#
# **Half an hour: a one-way trunk.** Let Bob's head read the trunk without training it. Which half of the influence has to vanish, exactly?
#
# ````{dropdown} Solution
# ```python
# class OneWay(example.Network):
#     def forward(self, images, tasks):
#         state = self.trunk(images)
#         alice, bob = (self.heads[task] for task in tasks)
#         return [alice(state), bob(state.detach())]
#
#
# one_way = experiment.train(
#     partial(train_context, make=OneWay), replicas=8
# )
# print(chsh.influence(one_way))
# print(chsh.report(one_way))
# ```
#
# Alice's half, A1 and A2: no gradient of Bob's reaches anything that her head depends on, so none of her outcomes changes with his task. His do change
# with hers, those of *large* most, since she makes the trunk that he reads. S moves by less than its interval is wide. This is λ = 0 of
# {doc}`rq2`, with another network.
# ````
#
# **An hour: wider and longer.** Train five times as long, with one, three and twelve units. Where does S of the four tasks go, and where does the signalling?
#
# ````{dropdown} Solution
# ```console
# $ papermill notebooks/your_model.ipynb wide.ipynb -p steps 200 -p replicas 12 -p save_to wide -y 'hidden_sizes: [1, 3, 12]'
# ```
#
# ```python
# from pathlib import Path
#
# from ncnet import chsh, results
#
# table = results.load("your_capacity", folder=Path("wide")).table
# print(chsh.summary(table.set_index("hidden_size")))
# ```
#
# With one and with three units S stays far below 2 and Δ hardly shrinks: there is no room for all four tasks, however long the training. With twelve nearly all is fitted, S is
# next to 2, and little signals. Its interval is long all the same. Of twelve replicas it comes from a betting
# test, which allows for rare replicas that so few would not show. It takes hundreds of replicas to make it short.
# ````
