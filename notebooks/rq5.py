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
# **The paper's statement.** S reflects how much of a network's resources its tasks take up: below 2 there are too few, at 2 there
# are enough {cite:p}`zhao2026`. If that is so, S should help to choose a capacity from training runs alone, and tell which tasks stand
# in each other's way. The tests of it are ours.
#
# **What is run.** *A rule and its rivals.* Each rule sees networks of several sizes, trained on samples, in all four contexts of equally
# many replicas, and chooses a size. Fresh replicas with samples of their own say what the choice costs: the *regret* is the held-out accuracy
# of the best size less that of the chosen one. (For digits all samples are of the same 1,797 images.) *A map.* Of ten tasks on digits every pair is trained in one trunk, and
# S of each pair says how much the two hurt each other.
#
# **S = 2 does not mean fitted.** If Alice never errs and nothing signals, S = 2⟨B₁⟩, whatever becomes of B₂ ({doc}`/signalling`). So
# there are two rules on S, one of which also asks that every correlator be near 1.
#
# | rule | the smallest n at which ... |
# |:--|:--|
# | S at 2 | the 95 % interval of S lies within 0.05 of 2 |
# | S at 2, all fitted | also every correlator is at least 0.95 |
# | S first at 2 | the mean of S is at least 1.95, whatever its interval: the paper's phrase |
# | training accuracy | the interval of training accuracy lies above 97.5 % |
# | training loss | the mean loss is within a standard error of the lowest |
# | gradient conflict | the mean cosine of the heads' gradients is within a standard error of the highest |
# | validation | accuracy on training items that were set aside, a quarter by default, is within a standard error of the best |
# | largest | nothing is asked: the largest n there is |
#
# All were fixed before the runs, as was 0.05. The rule on training accuracy is the more lenient: where no two failures coincide, 97.5 % is
# a mean correlator of 0.90. The cosine is a mean over six steps from the first to the last; late ones tend to -1 in any network that
# has settled. Where no size meets a rule, the largest stands in, and figure and table say so. The best size is the best of the replicas that judge, so a regret errs on the high
# side and is never below 0.
#
# **Time.** At the defaults, three quarters of a minute on two cores.

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

import pandas as pd
from myst_nb import glue

from ncnet import chsh, figures, runs, samples
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


# %% [markdown]
# ## Choosing a capacity


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

# %% [markdown]
# Live, a few replicas:

# %% mystnb={"figure": {"name": "fig-regrets-live", "caption": "Live: what each rule's choice costs on fresh replicas, and which sizes it chose. A grey cross: no size met the rule, the largest stands in. The dashed line is the smallest size within a percentage point of the best. Bars: 95 % intervals over repetitions of the choice and fresh replicas."}, "image": {"alt": "Two panels with a row for each of eight rules: above, the regret in percentage points; below, the sizes chosen. With so few replicas the rules on S are not met by any size."}}
figures.regrets(rules)

# %% [markdown]
# Where every replica has S = 2 the interval is betting's, and gets as short as 0.05 from 2 only with some six hundred replicas.
#
# ### Recorded
#
# A first run, with networks of up to twelve units and other seeds, was repeated when 24 units were added, since the largest had been
# the best; the rules are as they were.

# %%
recorded = run.load("capacity_rules")
print(recorded)
table_of = recorded.table

# %% mystnb={"figure": {"name": "fig-regrets", "caption": "Recorded: the same, in three settings, each choice on replicas of its own."}, "image": {"alt": "Three pairs of panels with a row for each of eight rules. The rule S first at 2 costs most, up to eight percentage points in the game overlap, where S at 2 costs the same; with all fitted it costs one to three points, as training accuracy does or less. Training loss, validation and the largest size cost nothing. Below, the rules on S and on training accuracy choose two to eight units, less than the dashed line; loss, validation and the last choose 24. Gradient conflict chooses 24, and in the digits anything from two to 24."}}
figures.regrets(table_of)

# %%
table_of.set_index(["setting", "rule"])[
    [
        "regret",
        "regret_low",
        "regret_high",
        "lowest",
        "highest",
        "met",
        "enough",
        "units_more",
    ]
].round(3)

# %% [markdown]
# {glue:text}`rq5_repetitions` choices in each setting, each on {glue:text}`rq5_repetition_size` replicas of its own, judged on {glue:text}`rq5_fresh_replicas` more. `met`: the share of repetitions in which some size met the rule; `enough`: in which the choice was the smallest size within a percentage point of
# the best; `units_more`: by how many hidden units the choice exceeds that, on average.
#
# ### What it is worth, across settings
#
# Repetitions are nested in a setting; over settings the setting is the unit, and three of them bear no interval. The rank of each rule by
# regret, and how far from enough it lands. Where a rule was never met (`met` is 0), what is judged is the largest size that stood in for it:

# %%
across = table_of.assign(
    rank=table_of.groupby("setting")["regret"].rank(),
    distance=abs(table_of["units_more"]),
)
across.groupby("rule", sort=False)[
    ["regret", "rank", "distance", "enough", "met"]
].mean().round(3)

# %% [markdown]
# ## A map of tasks
#
# Ten properties of a digit, taken because they have names. Of each pair a game is made in which setting 1 asks nothing of a head
# and setting 2 asks its task; a head that is asked nothing counts as right. Then
#
# $$S = 2 + (\langle s\rangle_{\text{alone}} - \langle s\rangle_{\text{beside } t})
#   + (\langle t\rangle_{\text{alone}} - \langle t\rangle_{\text{beside } s}) - 4\,P(\text{both wrong}),$$
#
# above 2 where the tasks hurt each other by more than they fail together. It is all signalling: here that is the point.

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

# %% mystnb={"figure": {"name": "fig-interference-live", "caption": "Live: S less 2 of every pair of ten tasks on digits, tasks ordered by their mean."}, "image": {"alt": "A square map of ten by ten named tasks; cells are coloured by S less 2 and show its value. Most are above zero."}}
figures.interference(interference)

# %% mystnb={"figure": {"name": "fig-interference", "caption": "Recorded: the same with more replicas. A cell is the mean over replicas."}, "image": {"alt": "A square map of ten by ten named tasks, cells coloured by S less 2. All are above zero. The row of triangular is darkest, up to 0.13 beside Fibonacci and at least 5; the cells between prime, odd, straight strokes, closed loop and square are palest, 0.01 to 0.03."}}
pairs_of = run.load("interference").table
figures.interference(pairs_of)

# %%
columns = ["s", "s_low", "s_high", "training_drop", "held_out_drop"]
ends = pd.concat([pairs_of.head(6), pairs_of.tail(6)])
ends.set_index(["first", "second"])[
    [*columns, "cosine", "likeness"]
].round(3)

# %% [markdown]
# The six pairs with the largest S and the six with the smallest. Intervals of S hold together over all pairs at 95 %.
# `training_drop` and `held_out_drop` are the shares of items that are right alone and wrong together, mean over both tasks; the
# latter of fresh replicas.
#
# ### Is S the right thing to order them by?

# %% mystnb={"figure": {"name": "fig-predicted-losses", "caption": "Recorded: what each pair loses on held-out items of fresh replicas, against what was seen in the training of other replicas, and against how alike the two tasks are, which takes no training. A point is a pair."}, "image": {"alt": "Four scatter plots of 45 pairs. Against S and against the loss in training, points rise along a band from zero to more than four percentage points. Against the cosine of the gradients they scatter, rather rising; against likeness they spread widely and fall a little."}}
figures.predicted_losses(pairs_of)

# %%
order_of = run.load("interference_predictors").table
order_of.set_index("predictor").round(3)

# %% [markdown]
# Rank correlation over the pairs, with 95 % intervals over replicas, the pairs being given; `s_ahead` is by how much that of S is larger than the
# predictor's own. Signs are such that a useful predictor is positive: opposed gradients and unlike tasks should lose more. Noise in what a pair loses
# draws all of them towards 0.

# %% tags=["remove-cell"]
by_rule = table_of.set_index(["rule", "setting"])
for rule, rows in by_rule.groupby("rule"):
    key = "".join(c for c in rule if c.isalnum())
    for column in ("regret", "regret_low", "regret_high"):
        least, most = 100 * rows[column].min(), 100 * rows[column].max()
        glue(f"rq5_{key}_{column}_least", float(least), display=False)
        glue(f"rq5_{key}_{column}_most", float(most), display=False)
    glue(f"rq5_{key}_n_least", int(rows["lowest"].min()), display=False)
    glue(f"rq5_{key}_n_most", int(rows["highest"].max()), display=False)
    glue(f"rq5_{key}_enough", float(rows["enough"].mean()), display=False)
    glue(f"rq5_{key}_met", float(rows["met"].mean()), display=False)
for ours in ("S at 2", "S at 2, all fitted", "S first at 2"):
    for rival in ("training accuracy", "validation"):
        one, other = by_rule.loc[ours], by_rule.loc[rival]
        cheaper = one["regret_high"] < other["regret_low"]
        dearer = one["regret_low"] > other["regret_high"]
        key = "".join(c for c in ours + rival if c.isalnum())
        glue(f"rq5_{key}_cheaper", int(cheaper.sum()), display=False)
        glue(f"rq5_{key}_dearer", int(dearer.sum()), display=False)
glue("rq5_settings", table_of["setting"].nunique(), display=False)
best = table_of.drop_duplicates("setting")
enough = best["enough_capacity"]
glue("rq5_enough_least", int(enough.min()), display=False)
glue("rq5_enough_most", int(enough.max()), display=False)
glue("rq5_best_least", int(best["best"].min()), display=False)
glue("rq5_best_most", int(best["best"].max()), display=False)
glue("rq5_repetitions", int(table_of["repetitions"].max()), display=False)
for name, row in order_of.set_index("predictor").iterrows():
    for column in order_of.columns[1:]:
        glue(f"rq5_{name}_{column}", float(row[column]), display=False)
given = recorded.provenance["parameters"]
for name in ("repetition_size", "fresh_replicas", "pair_replicas"):
    glue(f"rq5_{name}", f"{given[name]:,}", display=False)
glue("rq5_pairs", len(pairs_of), display=False)
above = int((pairs_of["s_low"] > chsh.CLASSICAL_BOUND).sum())
glue("rq5_pairs_above", above, display=False)
below = int((pairs_of["s_high"] < chsh.CLASSICAL_BOUND).sum())
glue("rq5_pairs_below", below, display=False)
for place, name in ((0, "most"), (-1, "least")):
    row = pairs_of.iloc[place]
    pair = f"{row['first']} and {row['second']}"
    glue(f"rq5_{name}_pair", pair, display=False)
    for column in ("s", "s_low", "s_high", "held_out_drop"):
        glue(f"rq5_{name}_{column}", float(row[column]), display=False)
same = pairs_of[["s", "training_drop"]].corr("spearman").iloc[0, 1]
glue("rq5_s_and_drop", float(same), display=False)

# %% [markdown]
# ## What it says
#
# **Choosing a capacity.** In percentage points of held-out accuracy, over the {glue:text}`rq5_settings` settings:
#
# | rule | n chosen | regret, lowest to highest of the settings |
# |:--|:--|:--|
# | S at 2 | {glue:text}`rq5_Sat2_n_least` to {glue:text}`rq5_Sat2_n_most` | {glue:text}`rq5_Sat2_regret_least:.1f` to {glue:text}`rq5_Sat2_regret_most:.1f` |
# | S at 2, all fitted | {glue:text}`rq5_Sat2allfitted_n_least` to {glue:text}`rq5_Sat2allfitted_n_most` | {glue:text}`rq5_Sat2allfitted_regret_least:.1f` to {glue:text}`rq5_Sat2allfitted_regret_most:.1f` |
# | S first at 2 | {glue:text}`rq5_Sfirstat2_n_least` to {glue:text}`rq5_Sfirstat2_n_most` | {glue:text}`rq5_Sfirstat2_regret_least:.1f` to {glue:text}`rq5_Sfirstat2_regret_most:.1f` |
# | training accuracy | {glue:text}`rq5_trainingaccuracy_n_least` to {glue:text}`rq5_trainingaccuracy_n_most` | {glue:text}`rq5_trainingaccuracy_regret_least:.1f` to {glue:text}`rq5_trainingaccuracy_regret_most:.1f` |
# | training loss | {glue:text}`rq5_trainingloss_n_least` to {glue:text}`rq5_trainingloss_n_most` | {glue:text}`rq5_trainingloss_regret_least:.1f` to {glue:text}`rq5_trainingloss_regret_most:.1f` |
# | gradient conflict | {glue:text}`rq5_gradientconflict_n_least` to {glue:text}`rq5_gradientconflict_n_most` | {glue:text}`rq5_gradientconflict_regret_least:.1f` to {glue:text}`rq5_gradientconflict_regret_most:.1f` |
# | validation | {glue:text}`rq5_validation_n_least` to {glue:text}`rq5_validation_n_most` | {glue:text}`rq5_validation_regret_least:.1f` to {glue:text}`rq5_validation_regret_most:.1f` |
# | largest | {glue:text}`rq5_largest_n_least` to {glue:text}`rq5_largest_n_most` | {glue:text}`rq5_largest_regret_least:.1f` to {glue:text}`rq5_largest_regret_most:.1f` |
#
# The best size is {glue:text}`rq5_best_least` to {glue:text}`rq5_best_most` units; enough, within a percentage point of it, are
# {glue:text}`rq5_enough_least` to {glue:text}`rq5_enough_most`. *S at 2* costs less than training accuracy in
# {glue:text}`rq5_Sat2trainingaccuracy_cheaper` of the {glue:text}`rq5_settings` settings and more in
# {glue:text}`rq5_Sat2trainingaccuracy_dearer` (intervals that do not meet); with the demand that all be fitted, less in
# {glue:text}`rq5_Sat2allfittedtrainingaccuracy_cheaper` and more in {glue:text}`rq5_Sat2allfittedtrainingaccuracy_dearer`. Against a validation split,
# which takes no more networks, *S at 2* costs less in {glue:text}`rq5_Sat2validation_cheaper` and more in
# {glue:text}`rq5_Sat2validation_dearer`, with the demand less in {glue:text}`rq5_Sat2allfittedvalidation_cheaper` and more in
# {glue:text}`rq5_Sat2allfittedvalidation_dearer`.
#
# That S = 2 does not mean fitted is no subtlety: where S goes past 2 on its way to a peak, it can be within 0.05 of 2 before it, and the rule
# without the demand stops there ({numref}`fig-first-at-2` has the curves).
#
# **Telling which tasks disturb each other.** S is above 2, clear of chance for all pairs together, in {glue:text}`rq5_pairs_above` of
# {glue:text}`rq5_pairs` pairs, and below in {glue:text}`rq5_pairs_below`. The most disturbed are {glue:text}`rq5_most_pair`
# (S = {glue:text}`rq5_most_s:.2f`, {glue:text}`rq5_most_s_low:.2f` to {glue:text}`rq5_most_s_high:.2f`), the least
# {glue:text}`rq5_least_pair` ({glue:text}`rq5_least_s:.3f`, {glue:text}`rq5_least_s_low:.3f` to {glue:text}`rq5_least_s_high:.3f`). Ordered by S, pairs
# lose on held-out items of fresh replicas in much that order: the rank correlation is {glue:text}`rq5_s_rho:.2f`
# ({glue:text}`rq5_s_low:.2f` to {glue:text}`rq5_s_high:.2f`). The plain drop in training accuracy orders them
# with {glue:text}`rq5_training_drop_rho:.2f` ({glue:text}`rq5_training_drop_low:.2f` to {glue:text}`rq5_training_drop_high:.2f`); S is ahead
# of it by {glue:text}`rq5_training_drop_s_ahead:.3f` ({glue:text}`rq5_training_drop_s_ahead_low:.3f` to
# {glue:text}`rq5_training_drop_s_ahead_high:.3f`). The two are nearly one: by the identity above they differ by the failures in common, and agree in order at
# {glue:text}`rq5_s_and_drop:.2f`. The cosine of the gradients has {glue:text}`rq5_cosine_rho:.2f` ({glue:text}`rq5_cosine_low:.2f` to
# {glue:text}`rq5_cosine_high:.2f`), the likeness of the tasks, which takes no training, {glue:text}`rq5_likeness_rho:.2f`
# ({glue:text}`rq5_likeness_low:.2f` to {glue:text}`rq5_likeness_high:.2f`).
#
# ## What would change it
#
# - **A cost of size.** Here nothing is paid for units, and a larger network is hardly ever worse. Where it is, a rule that waits for S = 2 waits too long
#   ({doc}`rq4` has an example).
# - **Other settings.** Three bear no interval across settings. `papermill` takes others: `-y 'populations: [hard_apart, middling]'`.
# - **A map of your own tasks.** {py:func}`ncnet.samples.train_pairs` and {py:func}`ncnet.generalization.interference` take any tasks on digits;
#   for networks of your own, {doc}`your_model` has S of any four tasks.
