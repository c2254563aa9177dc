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
# # RQ3, continued: do the statements depend on choices that the paper leaves open?
#
# **They do.** If an outcome says whether a head is right, S passes 2 in {glue:text}`exceeds_2_correct` of {glue:text}`correct` combinations of
# choices, and peaks at three units in {glue:text}`peak_at_3_correct` of them. Over all four ways to read an outcome it passes 2 in {glue:text}`exceeds_2_all`. With a second hidden layer S at three units is only {glue:text}`noise_two_overlap` in
# the game `overlap`.

# %% tags=["parameters", "hide-input"] mystnb={"code_prompt_show": "Parameters of the live run"}
trainings: int = 3  # drawn at random from the recorded ones
hidden_sizes: list = [1, 2, 3, 4, 6]
replicas: int = 288
noises: list = ["batches of 1"]
runs_of_50: int = 4  # networks, of which the scatter is taken
rates: list = []  # learning rates at which batches are varied, too
steps: int = 2000
seed: int = 0
record: bool = False  # train all and replace the tables in results/
save_to: str = ""  # a folder for the tables of this run

# %% tags=["remove-cell"]
from ncnet.parameters import validate
from ncnet.studies.multiverse.parameters import Rq3Multiverse

chosen = validate(globals(), Rq3Multiverse)

# %% tags=["remove-cell"]
import numpy as np
import pandas as pd
from IPython.display import Markdown
from myst_nb import glue
from scipy.stats import binomtest

import ncnet
from ncnet import chsh, plotting, runs
from ncnet.chsh.outcomes import LEARNT
from ncnet.chsh.text import interval_text
from ncnet.claims import (
    CRITICAL_SIZE,
    MARGIN,
    row_where,
    verdict_table,
)
from ncnet.estimates import WORDS
from ncnet.studies.capacity import claims as fluctuation
from ncnet.studies.capacity import noise as temperature
from ncnet.studies.capacity.figures import (
    temperatures as temperature_figure,
)
from ncnet.studies.multiverse import analysis as multiverse
from ncnet.studies.multiverse import claims, figures, noise
from ncnet.sweeps import READINGS

plotting.use_style()
run = runs.Run(Rq3Multiverse, chosen)
statements = [claim.name for claim in claims.CLAIMS]
specification = list(multiverse.SPECIFICATION)

# %% tags=["remove-cell"]
if record:
    asked = {"replicas": replicas, "seed": seed}
    everything = multiverse.run(
        multiverse.trainings(), **asked, parts=run.parts
    )
    asked |= {"hidden_sizes": list(multiverse.HIDDEN_SIZES)}
    asked |= {"steps": list(multiverse.STEPS)}
    run.save("multiverse", everything, parameters=asked)
recorded = run.load("multiverse")
table = recorded.table

# %% tags=["remove-cell"]
answers = multiverse.verdicts(table)
verdicts = answers.assign(
    **(answers[statements] == multiverse.HOLDS),
    primary=multiverse.is_primary(answers),
)
as_read_here = verdicts[verdicts["readout"] == "correct"]
at_critical = table[table["hidden_size"] == CRITICAL_SIZE]
curve = as_read_here.merge(at_critical, on=specification)

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-specification-curve", "caption": "How to read it: above, each point is S at three hidden units under one combination of choices, sorted, with simultaneous 95 % intervals over {glue:text}`replicas` replicas. Below, a tick says what that combination chose and, in the last rows, which statements hold in it. Recorded, with the readout `correct`."}, "image": {"alt": "A curve of sorted S values rises from far below the classical bound and lies above it for most specifications, never near Tsirelson's bound. Ticks below show that the lowest values belong to few steps and sigmoid units with small learning rates, those just above 2 to relu. The statements rises, exceeds and returns hold nearly everywhere, peak at 3 mostly on the right."}}
run.show(
    plotting.titled(
        figures.specification_curve(curve, statements),
        "Read as correct, S passes 2 under most choices, and under none by much",
    ),
    recorded=recorded,
)

# %% [markdown]
# ## How we know
#
# **The paper's statement.** S rises to 2, passes it and falls back to it {cite:p}`zhao2026`; it peaks at three hidden units
# {cite:p}`review2026`.
#
# **What we did.** The paper does not state tasks, activation, optimizer, learning rate, initialisation, number of steps, or what exactly the outcome is
# ({doc}`../protocol`). Our result may depend on our choices. So we tried all combinations of many of them, which makes a *multiverse* {cite:p}`steegen2016`. Each
# combination is a *specification* {cite:p}`simonsohn2020`; how an outcome is read is one of the choices. Each specification gives S at one to ten hidden units, and a verdict on
# every statement. All of it is recorded; a few of the trainings, drawn at random, are repeated live with another seed. Where a statement fails, we say why
# we think so, and test that thought. Noise in training and a second layer are tried at the end, one at a time.
#
# **Time.** This page takes 20 seconds of one processor.

# %% [markdown]
# ### The choices

# %% tags=["remove-input"]
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
    "readout": READINGS,
}
lines = ["| choice | options |", "|:--|:--|"]
lines += [
    f"| {choice} | {', '.join(options)} |"
    for choice, options in choices.items()
]
Markdown("\n".join(lines))

# %% [markdown]
# The first four rows make a *training*; steps and readout are read from the same networks.

# %% [markdown]
# ### The rules
#
# A rule reads the sweep of one specification over n, and says *holds*, *does not hold* or *open*. It compares S with 2, and S at two sizes
# within each replica. The intervals bet, so that they are exact at any number of replicas, and those of one kind hold together over n at 95 %. The
# smallest effect that counts, in S, was fixed in advance.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "The rules in full"}
lines = [
    "| statement | source | estimate | smallest effect | rule |",
    "|:--|:--|:--|:--|:--|",
]
lines += [
    f"| {claim.name} | {claim.cited} | {claim.estimand} "
    f"| {claim.smallest} | {claim.rule} |"
    for claim in claims.CLAIMS
]
Markdown("\n".join(lines))

# %% [markdown]
# ### What holds where

# %% tags=["remove-cell"]
options = ["readout", "game", "activation", "optimizer"]
options += ["learning_rate", "initialisation", "steps"]


def shares_by(choice, among):
    counted = among.groupby(choice, sort=False)
    shares = counted[statements].mean()
    shares["specifications"] = counted.size()
    shares = shares.rename_axis("option").reset_index()
    return shares.assign(choice=choice)


shares = pd.concat(
    [shares_by(choice, verdicts) for choice in options],
    ignore_index=True,
)

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-shares", "caption": "Share of specifications in which each statement holds, by what they chose; their number in brackets. Every row but the first four counts all readouts."}, "image": {"alt": "A table of shares. With the readout prediction no statement ever holds. With correct most specifications rise to 2, exceed it and return; with solved and with the loss fewer do, and hardly any peaks at three units. The peak at 3 holds most often with tanh, and in more specifications the longer training lasts."}}
run.show(
    figures.shares(shares, statements),
    shares=shares,
    recorded=recorded,
)

# %% tags=["remove-cell"]
by_readout = answers.groupby("readout")
for name in statements:
    key = name.replace("-", "_")
    for readout, said in by_readout[name]:
        for word, start in ((True, ""), (False, "not_")):
            share = f"{100 * (said == WORDS[word]).mean():.0f} %"
            glue(f"{start}{key}_{readout}", share, display=False)
    share = f"{100 * verdicts[name].mean():.0f} %"
    glue(f"{key}_all", share, display=False)
glue("learnt", LEARNT, display=False)
glue("specifications", f"{len(verdicts):,}", display=False)
glue("correct", len(as_read_here), display=False)
glue(
    "trained",
    len(verdicts.drop_duplicates(list(multiverse.TRAINING))),
    display=False,
)
glue("replicas", f"{table['replicas'].iloc[0]:,}", display=False)
networks = table.drop_duplicates([*multiverse.TRAINING, "hidden_size"])
glue(
    "networks",
    f"{4 * int(networks['replicas'].sum()) / 1e6:.1f}",
    display=False,
)
glue("diverged", int(networks["diverged"].sum()), display=False)
exceeding = as_read_here[as_read_here["exceeds-2"]]
returned = exceeding["returns-to-2"].mean()
glue("returns_of_exceeding", f"{returned:.0%}", display=False)
glue("dips", f"{exceeding['dip'].mean():.0%}", display=False)
of_adam = exceeding[exceeding["optimizer"] == "adam"]
of_descent = exceeding[exceeding["optimizer"] == "gradient_descent"]
glue("dips_adam", f"{of_adam['dip'].mean():.0%}", display=False)
glue("dips_descent", f"{of_descent['dip'].mean():.0%}", display=False)
correct_rows = table[table["readout"] == "correct"]
glue("largest_s", float(correct_rows["s"].max()), display=False)
highest_row = table.loc[correct_rows["s"].idxmax()]
for name in ("s_low", "s_high", "delta"):
    glue(f"largest_{name}", float(highest_row[name]), display=False)

# %% [markdown]
# {glue:text}`trained` trainings of {glue:text}`replicas` replicas at each of ten capacities,
# {glue:text}`networks` million networks in all, give {glue:text}`specifications` specifications.
# Shares over a multiverse describe the choices that we thought of; they are no probabilities and have no
# interval. Networks with a non-finite output: {glue:text}`diverged`.
#
# Per statement and readout the share in which it holds, and in brackets that in which it does not; the rest is open.
#
# | statement | `correct` | `solved` | `loss` | `prediction` |
# |:--|:--|:--|:--|:--|
# | rises to 2 | {glue:text}`rises_to_2_correct` ({glue:text}`not_rises_to_2_correct`) | {glue:text}`rises_to_2_solved` ({glue:text}`not_rises_to_2_solved`) | {glue:text}`rises_to_2_loss` ({glue:text}`not_rises_to_2_loss`) | {glue:text}`rises_to_2_prediction` ({glue:text}`not_rises_to_2_prediction`) |
# | exceeds 2 | {glue:text}`exceeds_2_correct` ({glue:text}`not_exceeds_2_correct`) | {glue:text}`exceeds_2_solved` ({glue:text}`not_exceeds_2_solved`) | {glue:text}`exceeds_2_loss` ({glue:text}`not_exceeds_2_loss`) | {glue:text}`exceeds_2_prediction` ({glue:text}`not_exceeds_2_prediction`) |
# | peak at 3 | {glue:text}`peak_at_3_correct` ({glue:text}`not_peak_at_3_correct`) | {glue:text}`peak_at_3_solved` ({glue:text}`not_peak_at_3_solved`) | {glue:text}`peak_at_3_loss` ({glue:text}`not_peak_at_3_loss`) | {glue:text}`peak_at_3_prediction` ({glue:text}`not_peak_at_3_prediction`) |
# | returns to 2 | {glue:text}`returns_to_2_correct` ({glue:text}`not_returns_to_2_correct`) | {glue:text}`returns_to_2_solved` ({glue:text}`not_returns_to_2_solved`) | {glue:text}`returns_to_2_loss` ({glue:text}`not_returns_to_2_loss`) | {glue:text}`returns_to_2_prediction` ({glue:text}`not_returns_to_2_prediction`) |
#
# `solved` is +1 only where a head gets every input right, and `loss` where its loss is below {glue:text}`learnt`. They give one outcome a network in place of
# one an input, so that S scatters more over replicas, and more is left open.
#
# With the readout `correct`, S exceeds 2 somewhere, by more than the smallest effect, in {glue:text}`exceeds_2_correct` of the specifications, and
# comes back in {glue:text}`returns_of_exceeding` of those. That S passes 2 is no accident of one setting. It does not get far in any of them:
# the largest S is {glue:text}`largest_s:.2f` ({glue:text}`largest_s_low:.2f` to {glue:text}`largest_s_high:.2f`; the
# largest of many, so an overestimate), with Δ = {glue:text}`largest_delta:.2f` beside it.
#
# *Whether* S passes 2, and where it peaks, depends on choices. The folded table has the shares of specifications after the longest training,
# {glue:text}`last_steps` steps.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "What holds after the longest training, by game and activation"}
late = as_read_here[as_read_here["steps"] == max(multiverse.STEPS)]
by_kind = late.groupby(["game", "activation"], sort=False)
held = by_kind[statements].mean().assign(dip=by_kind["dip"].mean())
held.map("{:.0%}".format)

# %% tags=["remove-cell"]
glue("last_steps", f"{max(multiverse.STEPS):,}", display=False)
glue(
    "held_separate_sigmoid_exceeds",
    f"{held.loc[('separate', 'sigmoid'), 'exceeds-2']:.0%}",
    display=False,
)

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-shapes", "caption": "S(n) in the game `overlap` with initialisation `lecun_normal`, readout `correct`: activations in rows, optimizers with their learning rates in columns, a line for each number of steps, with simultaneous 95 % intervals."}, "image": {"alt": "Eighteen small panels of S over n. With tanh and enough steps all have the same shape, a rise, a peak at n = 3 and a return to 2. With sigmoid and few steps S rises slowly and does not reach 2; with Adam it dips below 2 at n = 4. With relu the curve passes 2 by little and stays there from n = 3 to 5."}}
run.show(
    figures.shapes(table, "overlap", "lecun_normal"), recorded=recorded
)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "The same for the game separate", "figure": {"name": "fig-shapes-separate", "caption": "The same for the game `separate`."}, "image": {"alt": "Eighteen small panels of S over n for the other game. With tanh the peak is at n = 3 or 4. With sigmoid S rises slowly, hardly passes 2 and falls back below it at n = 4 before it rises again. With relu it passes 2 by little."}}
run.show(
    figures.shapes(table, "separate", "lecun_normal"), recorded=recorded
)

# %% [markdown]
# ### Live: again, with another seed
#
# A few of the trainings, drawn at random, with the seed of this page. Bands are recorded, points live.

# %%
generator = np.random.default_rng(seed)
everyone = multiverse.trainings()
drawn = generator.choice(len(everyone), size=trainings, replace=False)
live = multiverse.run(
    [everyone[place] for place in drawn],
    hidden_sizes=hidden_sizes,
    replicas=replicas,
    seed=seed,
    steps=[steps],
)
if not record:
    run.save("multiverse", live)
keys = [*specification, "hidden_size"]
pairs = live.merge(table, on=keys, suffixes=("", "_recorded"))
pairs = pairs[pairs["readout"] == "correct"]

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-retrained", "caption": "S(n) of trainings drawn at random: recorded (lines with simultaneous 95 % bands) and live (points with simultaneous 95 % intervals), readout `correct`."}, "image": {"alt": "Panels of S over n for a few trainings. The live points lie on the recorded lines within their intervals."}}
if len(pairs):
    run.show(
        figures.retrained(pairs, hidden_sizes),
        retrained=live,
        recorded=recorded,
    )
else:
    print(f"no recorded training stops after {steps:,} steps")

# %% tags=["remove-cell"]
apart = (pairs["s_low"] > pairs["s_high_recorded"]) | (
    pairs["s_high"] < pairs["s_low_recorded"]
)
glue("live_points", len(pairs), display=False)
glue("live_apart", int(apart.sum()), display=False)

# %% [markdown]
# Of {glue:text}`live_points` live intervals, {glue:text}`live_apart` do not meet the recorded one.
#
# ## Why it fails where it fails
#
# Five thoughts, each with a prediction that was written down before it was tested.
#
# ### 1. What counts is the learning rate times the steps
#
# *Thought.* With small steps, gradient descent follows a path, and how far along it goes with the learning
# rate times the number of steps. Trainings that fall short of the peak, or peak later, have merely not gone
# far enough. (Noticed in the rows of one activation in `overlap`; all others were still to come.)
#
# *Prediction.* Gradient descent with 0.5 for 2,000 steps and with 2.0 for 500 steps give the same S, at
# every n, in every game, activation and initialisation.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of the two paths"}
descent = correct_rows[correct_rows["optimizer"] == "gradient_descent"]
far = descent.assign(path=descent["learning_rate"] * descent["steps"])
same_path = ["game", "activation", "initialisation", "hidden_size"]
slow = far[(far["learning_rate"] == 0.5) & (far["steps"] == 2000)]
fast = far[(far["learning_rate"] == 2.0) & (far["steps"] == 500)]
clock = slow.merge(fast, on=same_path, suffixes=("", "_fast"))
clock["apart"] = (clock["s"] - clock["s_fast"]).abs()
clock["meets"] = (clock["s_low"] <= clock["s_high_fast"]) & (
    clock["s_high"] >= clock["s_low_fast"]
)
clock.groupby("activation", sort=False).agg(
    points=("meets", "size"),
    intervals_meet=("meets", "sum"),
    largest_difference=("apart", "max"),
).round(3)

# %% [markdown]
# The longer the path, the more often the peak has settled at three units:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Shares with the peak at three units, along the path"}
far_verdicts = as_read_here[
    as_read_here["optimizer"] == "gradient_descent"
]
far_verdicts = far_verdicts.assign(
    path=far_verdicts["learning_rate"] * far_verdicts["steps"]
)
settled = far_verdicts.pivot_table(
    index="activation",
    columns="path",
    values="peak-at-3",
    aggfunc="mean",
    sort=False,
)
settled = settled[sorted(settled.columns)].rename(columns="{:g}".format)
settled.rename_axis(columns="rate times steps").map("{:.0%}".format)

# %% tags=["remove-cell"]
smooth = clock[clock["activation"] != "relu"]
kinked = clock[clock["activation"] == "relu"]
for name, of in (("smooth", smooth), ("relu", kinked)):
    glue(f"{name}_points", len(of), display=False)
    glue(f"{name}_meet", int(of["meets"].sum()), display=False)

# %% [markdown]
# *Result.* As predicted for tanh and sigmoid, where {glue:text}`smooth_meet` of {glue:text}`smooth_points` pairs of
# intervals meet; not for relu ({glue:text}`relu_meet` of {glue:text}`relu_points`). We think that a step of 2.0 is not
# small beside the kinks of relu. With tanh the peak settles at three units once the product is large enough;
# with sigmoid and relu it has not done so everywhere even then, which is the next question.

# %% [markdown]
# ### 2. Unfinished training moves the peak; relu is another matter
#
# *Thought.* Where the peak is not at three units after the longest recorded training, tanh and sigmoid networks
# are still on their way, while relu networks have arrived elsewhere.
#
# *Prediction.* Trained five times as long, the peak moves to three units in the trainings with tanh
# and sigmoid, and not in those with relu. (Tried at n = 2 to 5 with `lecun_normal`, the rule being read within
# these four.)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of the longer trainings"}
LONGER = 5 * max(multiverse.STEPS)
if record:
    longer = multiverse.run(
        multiverse.unfinished(answers),
        hidden_sizes=[2, 3, 4, 5],
        replicas=replicas // 2,
        seed=seed,
        steps=[max(multiverse.STEPS), LONGER],
        parts=run.parts,
    )
    run.save("multiverse_longer", longer)
longer = run.load("multiverse_longer").table
longer_verdicts = multiverse.verdicts(
    longer[(longer["readout"] == "correct")]
)
longer_verdicts["peak-at-3"] = (
    longer_verdicts["peak-at-3"] == multiverse.HOLDS
)
longer_verdicts.groupby(["game", "activation", "steps"], sort=False).agg(
    trainings=("peak", "size"),
    peak_at_3=("peak-at-3", "sum"),
    largest_s_at_3=("peak", lambda peak: int((peak == 3).sum())),
)

# %% [markdown]
# %% tags=["remove-cell"]
after = longer_verdicts[longer_verdicts["steps"] == LONGER]
after = after.set_index(["game", "activation"])
after, highest = after["peak-at-3"], after["peak"]
glue("longer", f"{LONGER:,}", display=False)


def moved(name, peaks):
    count, all_of = int(peaks.sum()), len(peaks)
    text = f"{count} of {all_of} trainings"
    if all_of == 1:
        text = "the only training" if count else "no training"
    glue(name, text, display=False)


moved("moved_overlap_sigmoid", after.loc[[("overlap", "sigmoid")]])
moved("moved_separate_tanh", after.loc[[("separate", "tanh")]])
moved("moved_separate_sigmoid", after.loc[[("separate", "sigmoid")]])
relu = after.index.get_level_values(1) == "relu"
moved("moved_relu", after[relu])
moved("largest_relu", (highest == 3)[relu])

# %% [markdown]
# *Result.* After {glue:text}`longer` steps the peak is at three units in {glue:text}`moved_overlap_sigmoid`
# of `overlap` with sigmoid and {glue:text}`moved_separate_tanh` of `separate` with tanh, as predicted. In `separate`
# with sigmoid it is in {glue:text}`moved_separate_sigmoid`: there the prediction is wrong, and time is not what is
# missing. With relu it is in {glue:text}`moved_relu`, where we expected none, and the largest S is at three units in
# {glue:text}`largest_relu`: these were partly unfinished too, and their peak is so low that it is hardly told
# apart from its neighbours.
#
# ### 3. Local minima of XOR: what a network fails without any competition
#
# *Thought.* Below n = 3, and for relu also above, XOR is often not learnt at all, whatever Bob's
# task: training ends in a local minimum. Such failures are no interference, and they keep S low at n = 2 and
# smear relu's peak.
#
# *Test.* Bob's tasks are replaced by a constant, which his bias alone can answer. Alice then learns
# alone, from the same initial weights.
#
# *Prediction.* Alone, XOR is solved by nearly all networks at n = 3 with tanh and gradient descent; at n = 2 by
# clearly fewer; with relu clearly fewer than all still at n = 4.
#
# ### 4. Dips: is AND in the way, or does a second XOR help?
#
# *Thought.* Where S goes below 2 beyond the peak (with Adam at n = 4, and in `separate`), XOR fails more
# often beside AND than beside another XOR: the recorded marginals say so. Either AND is in the way,
# or a second XOR helps.
#
# *Prediction, if AND is in the way.* Alone, XOR is solved more often than beside AND. *If a second XOR
# helps:* alone, it is solved as seldom as beside AND, and beside XOR more often than alone.

# %% tags=["remove-cell"]
if record:
    learnt_alone = multiverse.solved_alone(
        multiverse.trainings_alone(), replicas=replicas, seed=seed
    )
    run.save("multiverse_alone", learnt_alone)
xor_alone = run.load("multiverse_alone").table

# %% tags=["remove-cell"]
beside = table[
    (table["readout"] == "solved")
    & (table["steps"] == max(multiverse.STEPS))
    & (table["initialisation"] == "lecun_normal")
]
training = [
    "game",
    "activation",
    "optimizer",
    "learning_rate",
    "hidden_size",
]
xor = xor_alone.merge(
    beside, on=training, suffixes=("", "_beside"), validate="1:1"
)


def with_interval(solved, replicas):
    interval = binomtest(int(solved), int(replicas)).proportion_ci(
        method="wilson"
    )
    return solved / replicas, *interval


def shares_solved(row):
    total = row["replicas_beside"]
    return {
        "alone": with_interval(row["solved"], row["replicas"]),
        "beside AND": with_interval(
            round((1 + row["alice_21"]) / 2 * total), total
        ),
        "beside XOR": with_interval(
            round((1 + row["alice_22"]) / 2 * total), total
        ),
    }


xor_solved = pd.DataFrame(
    [
        dict(zip(training, row[training], strict=True))
        | {"company": company, "share": share, "low": low, "high": high}
        for _, row in xor.iterrows()
        for company, (share, low, high) in shares_solved(row).items()
    ]
)

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-xor", "caption": "Share of replicas in which Alice's head has learnt XOR, alone and in either context, after the longest recorded training with `lecun_normal`; Wilson 95 % intervals."}, "image": {"alt": "Panels of the share solved over n = 2 to 6. With tanh and gradient descent nearly all learn XOR alone from n = 3 on. With sigmoid and Adam at n = 4, XOR is learnt in fewer networks beside AND than beside XOR. With relu all shares rise slowly."}}
run.show(
    figures.solved(xor_solved),
    solved=xor_solved,
    recorded=recorded,
    alone=run.load("multiverse_alone"),
)

# %% tags=["remove-cell"]
shown = xor_solved.set_index(
    ["game", "activation", "optimizer", "hidden_size", "company"]
).sort_index()


def quote(name, *place):
    share, low, high = shown.loc[place, ["share", "low", "high"]]
    glue(name, f"{share:.1%} ({low:.1%} to {high:.1%})", display=False)


descent_tanh = ("overlap", "tanh", "gradient_descent")
quote("xor_tanh_2", *descent_tanh, 2, "alone")
quote("xor_tanh_3", *descent_tanh, 3, "alone")
quote("xor_relu_3", "overlap", "relu", "gradient_descent", 3, "alone")
quote("xor_relu_4", "overlap", "relu", "gradient_descent", 4, "alone")
for company in ("alone", "beside AND", "beside XOR"):
    key = company.replace(" ", "_")
    quote(f"dip_{key}", "overlap", "sigmoid", "adam", 4, company)
    quote(
        f"far_{key}",
        "separate",
        "sigmoid",
        "gradient_descent",
        4,
        company,
    )

# %% [markdown]
# *Result for the third thought: as predicted.* Alone, with tanh and gradient descent, XOR is solved in
# {glue:text}`xor_tanh_2` of the replicas at n = 2 and {glue:text}`xor_tanh_3` at n = 3; with relu in
# {glue:text}`xor_relu_3` and, at n = 4, {glue:text}`xor_relu_4`. At n = 2, and for relu at any n up to 4, part of what
# S shows is that one task alone is not always learnt.
#
# *Result for the fourth: AND is in the way.* At n = 4 in `overlap`, with sigmoid and Adam, XOR is solved in
# {glue:text}`dip_alone` of the replicas alone, in {glue:text}`dip_beside_AND` beside AND and in
# {glue:text}`dip_beside_XOR` beside XOR; in `separate`, with sigmoid and gradient descent, in
# {glue:text}`far_alone`, {glue:text}`far_beside_AND` and {glue:text}`far_beside_XOR`. Nothing is wrong with XOR itself or
# with the number of units; its companion is in the way, and the easy one more than the hard one. So S falls
# *below* 2 by the same kind of influence that lifts it above, and more
# time did not help sigmoid in `separate`. We think that the companion that is learnt first takes hold of the
# shared units; that is not tested here.

# %% [markdown]
# ### 5. Predictions measure the truth table
#
# *Thought.* With the readout `prediction` the outcome is the class that a head names, right or wrong. Once
# networks have learnt their tasks, S is a property of four truth tables, the same for everybody.
#
# *Prediction.* At ten units, S of every finished training is the S of its game's truth tables.


# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of predictions"}
def s_of_truth_tables(name):
    game = ncnet.games.named(name)
    alice, bob = game.alice_targets, game.bob_targets
    return chsh.s_value(alice @ bob.T / len(game.inputs))


last = table[
    (table["readout"] == "prediction")
    & (table["hidden_size"] == max(multiverse.HIDDEN_SIZES))
    & (table["steps"] == max(multiverse.STEPS))
]
truth = last.groupby("game", sort=False)["s"].agg(
    ["size", "min", "median", "max"]
)
truth.insert(0, "of the truth tables", truth.index.map(s_of_truth_tables))
truth.rename(columns={"size": "trainings"}).round(3)

# %% [markdown]
# *Result: as predicted.* The bound of 2 plays no part here, and this readout does not show how a network
# fails.

# %% [markdown]
# (rq3-multiverse-noise)=
# ## Noise, and a second layer
#
# So far a training had no noise but its initial weights, and the trunk one layer. Each of the following changes one thing in the choices of this
# book. A *batch* has so many items, drawn without replacement; *own* ones differ between the four contexts of a replica, as *own starts* do.
# *Momentum* repeats nine tenths of a step, at a tenth of the learning rate. *Decay* pulls all weights towards 0. *Label noise* flips a tenth
# of the labels, anew each time that they are shown; what is right stays what the true label says.
#
# **Predictions**, written down before any of it was run:
#
# 1. Own starts and own batches leave S where shared ones have it, at every n: S is a mean over contexts that each have the same distribution.
# 2. Momentum changes no verdict.
# 3. Batches with true labels change no verdict, and do not make S fluctuate at large n: where every item is fitted, gradients vanish, and their
#    noise with them.
# 4. Flipped labels keep the noise alive. At large n the scatter of S grows with the *temperature*, the learning rate over the items of a batch, by
#    more than the smallest effect. S does not lie around 2 but below it: a mistake in three of the four contexts lowers S.
# 5. Weak decay changes no verdict. Under strong decay XOR is no longer fitted, and S does not come back to 2.
# 6. With two layers S passes 2 and comes back, and its peak is not at three units.

# %% tags=["remove-cell"]
asked = {"replicas": replicas, "seed": seed, "steps": steps}
noisy = noise.sweeps(
    noises, hidden_sizes=hidden_sizes, parts=run.parts, **asked
)
run.save("noise", noisy)
scattered = temperature.scatter_over_noises(
    rates, replicas=50 * runs_of_50, seed=seed, parts=run.parts
)
run.save("noise_scatter", scattered)

# %% [markdown]
# Recorded; *none* is a training of this book:

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-noises", "caption": "With a second layer S hardly passes 2; in batches of one item it comes back late, or not at all. S against the number of hidden units under one noise at a time, for both games, with simultaneous 95 % intervals; {glue:text}`noise_replicas:,` replicas each. The pale bands are S without that noise."}, "image": {"alt": "Ten panels, one for each noise, with S over one to ten hidden units in both games; pale bands show S without noise. Own starts and momentum lie on the bands. In batches of one, and in own ones, S is higher from three units on and in overlap still above the classical bound at ten. With flipped labels in batches of one S falls below the bound beyond four units. Strong decay keeps S of separate below the bound. With two layers S stays at the bound or below it."}}
noises_recorded = run.load("noise")
run.show(figures.noises(noises_recorded.table), recorded=noises_recorded)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "What each rule says under each noise"}
under_noise = noise.verdicts(noises_recorded.table)
in_words = under_noise.set_index(["noise", "game"])[statements]
labels = {claim.name: claim.label for claim in claims.CLAIMS}
in_words.map(WORDS.get).rename(columns=labels)

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-temperatures", "caption": "Noise makes runs differ, the more the hotter a training is. Standard deviation of S over runs at {glue:text}`noise_size` hidden units against the temperature, with labels that are right and with flipped ones. Runs are of 32 replicas where an outcome is read as correct, and of 50 where it is read as solved. Bars: intervals that hold together at 95 % in a row of the recorded table; dashed: the smallest effect that counts."}, "image": {"alt": "Four panels, two games by two readouts, with the scatter of S over temperature on a logarithmic axis. Without flipped labels the scatter is near zero at low temperatures and rises in some of the hot trainings. With flipped labels it rises with the temperature in every panel, well above the dashed line, and more for the readout solved."}}
scatter_recorded = run.load("noise_scatter")
at_large = scatter_recorded.table
at_large = at_large[at_large["hidden_size"] == temperature.LARGE]
run.show(temperature_figure(at_large, MARGIN), recorded=scatter_recorded)

# %% [markdown]
# The statement that S fluctuates around 2, by the rule of {doc}`rq3` and under one noise that was named beforehand, batches of one item at a learning rate of 0.5:

# %% tags=["remove-input"]
in_batches = [
    claim
    for claim in fluctuation.CLAIMS
    if claim.result == "noise_scatter"
]
Markdown(
    verdict_table(in_batches, {"noise_scatter": scatter_recorded.table})
)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of scatter"}
answered = at_large.assign(fluctuates=temperature.answers(at_large))
answered["fluctuates"] = answered["fluctuates"].map(WORDS.get)
kinds = ["game", "readout", "label_noise", "learning_rate", "batch_size"]
columns = ["temperature", "spread", "below", "above", "fluctuates"]
in_words = {name: name.replace("_", " ") for name in kinds}
by_kind = answered.rename(columns=in_words).set_index(
    [*in_words.values()]
)
by_kind[columns].round(3)


# %% tags=["remove-cell"]
def quote(key, value):
    glue(key, value, display=False)


def quote_s(key, kind, game, size):
    row = sweep_of.loc[(kind, game, size)]
    ends = (row["s_low"], row["s_high"])
    quote(key, f"{row['s']:.2f} {interval_text(ends, 2)}")
    return row


def curve_of(kind):
    return noises_recorded.table[noises_recorded.table["noise"] == kind]


def parted(one, other):
    """At how many games and sizes do the intervals of two noises part?"""
    both = curve_of(one).merge(
        curve_of(other), on=["game", "hidden_size"], suffixes=("", "_of")
    )
    above = both["s_low"] > both["s_high_of"]
    below = both["s_high"] < both["s_low_of"]
    return int((above | below).sum())


def scattered_by(readout, game, **row_of):
    chosen = answered[
        (answered["readout"] == readout) & (answered["game"] == game)
    ]
    return row_where(chosen, **row_of).iloc[0]


quote("noise_replicas", int(noises_recorded.table["replicas"].max()))
quote("noise_size", temperature.LARGE)
sweep_of = noises_recorded.table.set_index(
    ["noise", "game", "hidden_size"]
)
last = int(noises_recorded.table["hidden_size"].max())
quote("noise_last", last)
apart = parted("own starts", "none")
apart += parted("own batches of 1", "batches of 1")
quote("noise_parted", apart or "none")
quote_s("noise_batches", "batches of 1", "overlap", last)
quote_s("noise_peak_3", "batches of 4", "separate", 3)
quote_s("noise_peak_4", "batches of 4", "separate", 4)
quote_s("noise_weak_3", "weak decay", "separate", 3)
quote_s("noise_weak_4", "weak decay", "separate", 4)
quote_s("noise_strong_3", "strong decay", "separate", 3)
quote_s("noise_strong_last", "strong decay", "separate", last)
for name, kind in (("one", "none"), ("two", noise.DEEPER)):
    for game in multiverse.GAMES:
        row = quote_s(f"noise_{name}_{game}", kind, game, CRITICAL_SIZE)
        quote(f"noise_{name}_{game}_delta", f"{row['delta']:.2f}")
        beside_easy = (1 + row["alice_21"]) / 2
        quote(f"noise_{name}_{game}_easy", f"{100 * beside_easy:.0f}")
named = scattered_by("solved", "overlap", **fluctuation.NAMED_NOISE)
quote("noise_named_spread", f"{named['spread']:.2f}")
quote("noise_named_above", f"{100 * named['above']:.0f}")
flipped = {"label_noise": max(temperature.FLIPPED)}
for name, rate, size in (("cold", 0.125, 0), ("hot", 0.5, 1)):
    row = scattered_by(
        "solved",
        "overlap",
        learning_rate=rate,
        batch_size=size,
        **flipped,
    )
    for column in ("spread", "temperature"):
        rounded = f"{row[column]:.2f}" if row[column] else "0"
        quote(f"noise_{name}_{column}", rounded)
    quote(f"noise_{name}_below", f"{100 * row['below']:.0f}")
quote("noise_trainings", len(answered))
quote("noise_do", int((answered["fluctuates"] == WORDS[True]).sum()))
quote("noise_open", int((answered["fluctuates"] == WORDS[None]).sum()))

# %% [markdown]
# The predictions, and what came of them:
#
# | | prediction | found |
# |:--|:--|:--|
# | 1 | own starts and own batches leave S | as predicted: their intervals part at {glue:text}`noise_parted` of the sizes |
# | 2 | momentum changes no verdict | as predicted |
# | 3 | batches with true labels change none either, and leave S at 2 | not so: in batches of one S does not come back in `overlap`, where it is still {glue:text}`noise_batches` at {glue:text}`noise_last` units. Batches of four move the peak of `separate` from {glue:text}`noise_peak_3` at three units to {glue:text}`noise_peak_4` at four |
# | 4 | with flipped labels S scatters with the temperature, below 2 | as predicted: in `overlap`, read as solved, by {glue:text}`noise_cold_spread` at a temperature of {glue:text}`noise_cold_temperature` and by {glue:text}`noise_hot_spread` at {glue:text}`noise_hot_temperature`, where {glue:text}`noise_hot_below` % of the runs lie below 2 |
# | 5 | weak decay changes no verdict; strong decay undoes the return | not so: weak decay moves the peak of `separate`, {glue:text}`noise_weak_3` at three units and {glue:text}`noise_weak_4` at four. Strong decay leaves `overlap` as it was. In `separate` it keeps S below 2, with {glue:text}`noise_strong_3` at three units, and S reaches 2 from below, {glue:text}`noise_strong_last` at {glue:text}`noise_last` |
# | 6 | with two layers S passes 2 and comes back | not so: in `overlap` it does not pass 2, in `separate` that is open |
#
# **Is it noise that makes S fluctuate around 2?** It makes runs differ, but seldom around 2. In the batches that were named beforehand all runs move to one side: of those with eight units,
# read as solved, {glue:text}`noise_named_above` % lie above 2 in `overlap`, with a standard deviation of {glue:text}`noise_named_spread`. Flipped labels move them below. Of {glue:text}`noise_trainings`
# rows of the grid, two readouts of each training, S fluctuates around 2 in {glue:text}`noise_do` by the same rule, and {glue:text}`noise_open` are open.
# These were found afterwards, and a run with another seed has not confirmed them.
#
# **A second layer takes most of the violation away.** At three units a layer S is {glue:text}`noise_two_overlap` in `overlap`, against {glue:text}`noise_one_overlap` with one layer, and
# {glue:text}`noise_two_separate` in `separate`, against {glue:text}`noise_one_separate`. Alice's hard task is not learnt less well: beside an easy one
# {glue:text}`noise_two_overlap_easy` % of its outcomes are right in `overlap`, against {glue:text}`noise_one_overlap_easy` %, and {glue:text}`noise_two_separate_easy` % in `separate`, against
# {glue:text}`noise_one_separate_easy` %. But the hard tasks hardly suffer from each other any more: Δ falls from
# {glue:text}`noise_one_overlap_delta` to {glue:text}`noise_two_overlap_delta`, and from {glue:text}`noise_one_separate_delta` to {glue:text}`noise_two_separate_delta`. Whether a longer training or another
# activation brings it back was not tried.

# %% [markdown]
# (rq3-multiverse-saw)=
# ## What we saw
#
# Under our reading, and over {glue:text}`correct` combinations of choices with the readout `correct`:
#
# - **S > 2 is no accident of one setting.** It appears with every activation and both optimizers, in
#   {glue:text}`exceeds_2_correct` of all combinations, and where it does, S comes back to 2 in {glue:text}`returns_of_exceeding`.
# - **The reading of an outcome matters.** With `solved` S exceeds 2 in {glue:text}`exceeds_2_solved`, with `loss` in {glue:text}`exceeds_2_loss`; the peak at
#   three units is there in {glue:text}`peak_at_3_solved` and {glue:text}`peak_at_3_loss` ({doc}`rq1` shows them side by side).
# - **It is not universal either.** Sigmoid units in `separate` exceed 2 in {glue:text}`held_separate_sigmoid_exceeds` of
#   the trainings, even after the longest training; there S falls short of 2 for most n.
# - **The peak at three units is a statement about tanh**, and in `overlap` about sigmoid too. With relu S
#   passes 2 by little, over several n.
# - **The return is often from below.** Of the specifications that exceed 2, {glue:text}`dips` lie clearly below 2
#   at some n beyond the peak ({glue:text}`dips_adam` with Adam, {glue:text}`dips_descent` with gradient descent). Where we
#   looked, an easy companion hinders a hard task more than another hard one does: influence, with the
#   other sign.
# - **Only outcomes that say right or wrong show any of it.** Predictions measure the truth table.
# - **A second hidden layer nearly undoes it**, with our optimizer and learning rate. Noise does not undo it, but in batches of one item S may stay
#   above 2 as far as we looked ([above](rq3-multiverse-noise)).
#
# ## What would change our mind
#
# That S > 2 is no accident would be refuted by a reasonable choice, not in the grid, under which it is gone in both games. A second layer comes near: S > 2 is
# gone in one, and open in the other. So the statement is one about trunks of one layer, as the paper has it. Other hard and easy tasks may do the same. That relu has no clear peak at three units would be refuted by one that gets
# clear in longer training, of which {glue:text}`moved_relu` show a beginning.
#
# A statement that held in all of these would still be one about influence between heads that share a trunk. Δ beside the largest S says so.
#
# ## Go further
#
# Commands and code are for a clone of the repository after `source .venv/bin/activate`, or for a cell at the end of this notebook.
#
# **Ten minutes: the margin.** "Returns to 2" means within 0.05 of it, a number that we made up. What would another do to the verdicts?
#
# ````{dropdown} Solution
# ```python
# from ncnet import results
# from ncnet.studies.multiverse import analysis as multiverse
# from ncnet.studies.multiverse import claims
#
# table = results.load("multiverse").table
# table = table[table["readout"] == "correct"]
# for margin in (0.01, 0.05, 0.2):
#     claims.MARGIN = margin
#     print(margin, multiverse.shares_holding(table))
# ```
#
# With a smaller effect S exceeds 2 in more of them, and returns in none: no simultaneous interval of this many replicas is that short, so that such a
# rule would measure our replicas. With a larger one S exceeds 2 in few: it seldom passes 2 by that much.
# ````
#
# **Half an hour: a choice that is not in the grid.** Train with the squared error in place of cross-entropy, and judge the sweep by the same rules.
#
# ````{dropdown} Solution
# ```python
# import pandas as pd
#
# import ncnet
# from ncnet import chsh
# from ncnet.claims import simultaneous_level
# from ncnet.studies.multiverse.claims import judge
#
# sizes = range(1, 7)
# level = simultaneous_level(len(sizes))
# for game in (ncnet.games.overlap(), ncnet.games.separate()):
#     rows = []
#     for n in sizes:
#         outcomes = ncnet.train(
#             game,
#             hidden_size=n,
#             replicas=640,
#             seed=0,
#             loss="squared_error",
#             learning_rate=0.1,
#         )
#         report = chsh.report(outcomes, level=level)
#         rows.append({"hidden_size": n} | report.row())
#     sweep = pd.DataFrame(rows)
#     print(game.name, sweep["s"].round(2).tolist(), judge(sweep))
# ```
#
# The shape stays, and the peak at n = 3 is higher than with cross-entropy. In one of the two games the return fails by the rule although S is next to 2
# at six units: with these few replicas the interval is wider than the margin. Look at the interval before you believe a verdict.
# ````
#
# **An afternoon: who takes the shared units first?** Above we think that, where S dips below 2, the companion that is learnt first takes hold of the
# shared units. If so, XOR should not mind an AND beside it if XOR is learnt first. Test it.
#
# ````{dropdown} Solution
# ```python
# import ncnet
#
# for head_start in (0, 500, 2000):
#     outcomes = ncnet.train(
#         ncnet.games.overlap(),
#         hidden_size=4,
#         replicas=1600,
#         seed=0,
#         activation="sigmoid",
#         optimizer="adam",
#         learning_rate=0.01,
#         steps=5000,
#         head_start=head_start,
#     )
#     right = outcomes.a.sel(alice_setting=2) > 0
#     solved = right.all("item").mean("replica").values
#     s = ncnet.chsh.report(outcomes).s
#     print(head_start, "beside AND, beside XOR:", solved.round(3), s)
# ```
#
# With a head start Alice solves XOR in nearly all replicas, beside AND as often as beside XOR: as the thought predicts. S stays below 2 all the same, because Bob's XOR
# now meets an Alice who has learnt her AND first. A test with a fresh seed, on both games and with an interval of the difference, would make a finding of it.
# ````

# %% [markdown]
# ## How the rules changed
#
# The rules were changed after a first recorded run had been seen. They judge this one, which has a seed of its own ({doc}`/verdicts`). The rules on noise were
# written before their run, and have not changed.
