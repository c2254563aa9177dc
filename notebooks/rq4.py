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
# **Little beyond training accuracy.** While capacity is insufficient, S and accuracy on unseen items mostly rise together from one capacity to the next. Within a
# capacity, once training accuracies and losses are held fixed, their mean rank correlation is at most {glue:text}`rq4_left_most:.2f`
# ({glue:text}`rq4_left_low:.2f` to {glue:text}`rq4_left_high:.2f`) in any of {glue:text}`rq4_conditions` conditions: a data set, a number of items and a share of wrong labels.

# %% tags=["parameters", "hide-input"] mystnb={"code_prompt_show": "Parameters of the live run"}
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

# %% tags=["remove-cell"]
from ncnet.parameters import validate
from ncnet.studies.generalization.parameters import Rq4

chosen = validate(globals(), Rq4)

# %% tags=["remove-cell"]
import pandas as pd
from IPython.display import Markdown
from myst_nb import glue

from ncnet import plotting, runs
from ncnet.chsh.text import (
    as_text,
    interval_text,
    number_text,
    span_text,
)
from ncnet.claims import findings, simultaneous_level, verdict_table
from ncnet.studies.generalization import (
    claims,
    figures,
    measurements,
)
from ncnet.studies.generalization.tables import TABLES
from ncnet.studies.ranks import claims as ranks
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

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-across-and-within", "caption": "How to read it: a row is a condition, with its data, the number of training items and the share of flipped labels. A mark is the mean rank correlation of S with the share of held-out items that heads get right, up to the capacity at which S first reaches 2: over capacities, over replicas of one capacity, and the same with the training accuracy and loss of each context held fixed. At 0 a larger S does not go with a higher accuracy. Bars are intervals that hold together over the conditions at 95 %, over {glue:text}`rq4_replicas` replicas in each."}, "image": {"alt": "Eleven rows with three marks each on an axis of rank correlations. The mark for across capacities lies far to the right in most rows, in the middle in two, and left of zero in one game with many flipped labels. The mark for within a capacity lies a little right of zero in most rows and at zero in two. The third mark, with training accuracy and loss held fixed, lies at zero or close to it in all rows, and furthest right in both games without flipped labels."}}
recorded = run.load("generalization")
by_rule = run.load("generalization_rules")
table_of = recorded.table
mean_target = table_of[table_of["target"] == "held_out_accuracy"]
run.show(
    plotting.titled(
        figures.across_and_within(by_rule.table, mean_target),
        "Across capacities S mostly goes with accuracy; "
        "within one, hardly",
    ),
    rules=by_rule,
    recorded=recorded,
)

# %% [markdown]
# ## How we know
#
# **The paper's statement.** Where capacity is insufficient S and generalization are positively correlated, and the capacity at which S
# first reaches 2 often generalizes well {cite:p}`zhao2026`.
#
# **What we did.** S is computed on training items alone. If it went with generalization, it would
# measure something that otherwise takes fresh items. So each replica draws a finite training sample here and is tried on further items, its *held-out items*. There are three kinds of data:
# XORnet games whose inputs carry Gaussian noise, handwritten digits with two easy and two hard tasks, and, at the end, text. Within each capacity
# we correlate S of the training items with the share of held-out items that heads get right, over replicas. A larger run is recorded, on {glue:text}`rq4_conditions` *conditions*.
# Each has its data, their number and its share of flipped labels. A small run is live.
#
# **Time.** This page takes 20 seconds of one processor.

# %% [markdown]
# ### How the question is asked
#
# In the games of the other pages the training items are the whole truth table, and nothing is left to generalize to. Here each
# replica has a sample of its own. Its four contexts share the sample and the initial weights. *Held-out accuracy* is the share of
# its held-out items that heads get right, the mean over both heads and the four contexts. The worst context stands
# beside it. S is computed on training items, as everywhere.
#
# *Spearman's correlation* compares ranks. It is +1 if a larger S always goes with a higher held-out accuracy, and -1 if it is the
# other way round. It is 0 if a larger S goes with neither. We do not know over what the paper correlates, so we judge two readings:
#
# - *Within* a capacity a point is a replica.
# - *Across* capacities a point is a capacity, in one and the same replica.
#
# Both are about the capacities up to and including the one at which S first reaches 2. This is the smallest capacity at
# which the mean of S, over other replicas, is at least 1.95. Where "insufficient" ends is our reading, too.
#
# If replicas of several capacities are thrown together, they answer neither question, since capacity moves both S and accuracy.
#
# ### The rules
#
# - *Within*: replicas are divided into groups of {glue:text}`rq4_group`. The correlation in a group, averaged over these capacities, is one value.
#   Groups are independent, so their mean has an exact interval. In a group of {glue:text}`rq4_group` Spearman's correlation is a
#   little nearer to 0 than in a large one, by about {glue:text}`rq4_nearer`.
# - *Across*: each replica has one correlation, and the mean is over replicas.
# - Either statement holds where the correlation is more than {glue:text}`rq4_weak`, and does not hold where it is less, interval included.
# - *First at 2*: held-out accuracy there falls short of that at the best capacity by less than {glue:text}`rq4_close` percentage points, or by more, by
#   exact intervals of the differences within replicas. Where the largest capacity tried is the best, this stays open, because a larger one might be better still.
#
# ### What replicas train on
#
# Items of a noisy game are rows of its truth table plus noise. Digits are the 1,797 images of 8 x 8 pixels that come with
# scikit-learn, and their tasks are splits of the ten digits into five and five. The splits are ordered by what a linear classifier gets right,
# which depends neither on networks nor on S. The quartets take the easiest two and the hardest two that are nearly independent of each other:
# `hard_together`
# lets the hard tasks meet in context (2,2), and `hard_apart` gives both to Bob. `middling` has four tasks of middle difficulty. The fold has the digits of class
# 1, and in brackets the share of images that the linear classifier gets right in cross-validation.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All tasks on digits"}
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
# There are two noisy games and three quartets of digits. One of the quartets comes again with more training items, and again with some training labels
# flipped. In these conditions the largest network is the best. To see what S says where it is not, the last four have an interior optimum. One is a
# game with many flipped labels, trained for longer. In the other three, capacity is the number of training steps, at the largest number of
# hidden units, since a training that stops early has a small capacity, too. How long it goes on must not be read off held-out items, since these
# judge, and so the numbers of steps are fixed. These four were found [by a trial](rq4-history).
#
# Half of the replicas of a condition are correlated, and the other half choose the capacity at which S first reaches 2.
#
# Conditions are less independent than their number suggests. Those on digits draw from the same 1,797 images, so their intervals are about other
# replicas drawn from these, and not about other images.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of the conditions"}
first_of = run.load("first_at_2").table
first_of_mean = first_of[first_of["target"] == "held_out_accuracy"]
of_batch = ["training", "label_noise", "steps", "replicas", "seed"]
about_each = first_of_mean.set_index("condition")[of_batch]
by_steps = about_each.index.str.endswith("by steps")
numbers = recorded.provenance["parameters"]["steps_tried"]
listed = ", ".join(map(str, numbers))
about_each.assign(
    steps=about_each["steps"].astype(str).where(~by_steps, listed)
)

# %% [markdown]
# ### The trap of throwing capacities together
#
# A small live run shows it. Half of its replicas, those with an odd number, are correlated, and the other half choose the capacity at which S first
# reaches 2. Its tables are those of {py:data}`ncnet.studies.generalization.tables.TABLES`.


# %% tags=["remove-cell"]
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

# %% tags=["remove-cell"]
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

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-simpson", "caption": "Live, at the parameters above: S of each replica's training items against the share of its held-out items that heads get right, which is a mean over heads and contexts. A point is a replica. Left: replicas of all capacities thrown together. Right: the same points coloured by the number n of hidden units; large marks are means, and lines are the least-squares fit within each capacity. The dashed line is the classical bound."}, "image": {"alt": "Two scatter plots of the same points. Left, all in grey, they form one bent cloud that rises from lower left to upper right. Right, coloured by the number of hidden units, the cloud falls apart into groups, one for each capacity, each further up than the one before; within a group the fitted lines are nearly flat or rise a little, whatever the slope of the whole."}}
condition, of_condition = next(iter(conditions.items()))
correlating, _ = measurements.split_replicas(of_condition)
run.show(
    plotting.titled(
        figures.simpsons_paradox(correlating, condition),
        f"The same replicas, together and by capacity ({condition})",
    ),
    replicas=correlating,
)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of the live correlations", "figure": {"name": "fig-correlations-live", "caption": "Live, at the parameters above: rank correlation of S with held-out accuracy within each capacity. There are three measures: plain (Spearman), at given mean training accuracy and loss, and at those of each context. Bars: bootstrap intervals over replicas, at a level at which all recorded conditions would hold together at 95 %. The grey stripe marks the capacity at which S first reaches 2."}, "image": {"alt": "At the defaults, one panel: rank correlations against the number of hidden units, three marks at each, with long bars. Most bars cross zero. The plain correlation is highest at two units, with its bar above zero; with training accuracy and loss held fixed it is lower there."}}
correlated = tables["generalization"]
held_out_mean = correlated[correlated["target"] == "held_out_accuracy"]
run.show(figures.correlations(held_out_mean), correlations=held_out_mean)

# %% [markdown]
# Over capacities S and accuracy both rise at first. Replicas of several capacities therefore correlate when they are thrown together, whatever S says of a
# network of a given size.
#
# ### Within a capacity
#
# All that follows is recorded.

# %% tags=["remove-cell"]
one_by_one = run.load("generalization_replicas").table
over_capacity = run.load("generalization_capacity").table

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-averages", "caption": "Rank correlation of S with held-out accuracy in each condition, averaged over the capacities up to the one at which S first reaches 2. There are three measures: plain (Spearman), at given mean training accuracy and loss, and at those of each context. Bars: intervals that hold together over the conditions at 95 %, by a bootstrap over replicas that makes the choice of that capacity again each time."}, "image": {"alt": "Eleven conditions in rows, three marks each with bars. Spearman's correlation is small and above zero in every row but that of the hard tasks together with many items, and largest, about a fifth, in the noisy games and in two rows by steps. At given mean accuracy and loss it is near zero in most rows; the bars of both games without flipped labels and of the smallest sample of digits stay above. At given accuracies and losses of each context only the games without flipped labels are clearly above zero."}}
run.show(
    plotting.titled(
        figures.averaged_correlations(mean_target),
        "What training accuracy and loss leave is close to 0 in most",
    ),
    recorded=recorded,
)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of each capacity", "figure": {"name": "fig-correlations", "caption": "Rank correlation of S with held-out accuracy within each capacity, by condition: plain (Spearman), at given mean training accuracy and loss, and at those of each context. Bars: intervals that hold together over the conditions at 95 %. The grey stripe marks the capacity at which S first reaches 2. 'Ceiling': fewer than ten replicas differ from the most frequent S, so there are no ranks to correlate."}, "image": {"alt": "Eleven panels, one for each condition, rank correlation against the number of hidden units or of training steps. In the games without flipped labels Spearman's correlation rises from about zero at one unit to its highest values at two and three, and is near zero beyond the stripe; at given accuracy less of that is left. With the hard tasks of digits apart, and with middling ones, it is highest at two units; with the hard tasks together it stays near zero. With flipped labels it is small and falls slowly with capacity, by steps as well. Most digit conditions end at the ceiling."}}
run.show(figures.correlations(mean_target), recorded=recorded)

# %% [markdown]
# A saturated capacity has no correlation, and is left out. These intervals describe, and the rules judge by the exact ones. The fold has the
# mean rank correlation up to the capacity at which S first reaches 2, its exact interval, and whether it is more than {glue:text}`rq4_weak`. These intervals, too, hold together over the
# conditions at 95 %.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of the rules on correlations"}
rules = by_rule.table
judged = {
    "generalization_rules": rules,
    "first_at_2": first_of,
}
found = {
    claim.name.removeprefix("generalization-correlates-"): findings(
        claim, judged
    )
    for claim in claims.CLAIMS
}
WORDS = {True: "holds", False: "does not", None: "open"}


def as_answers(name):
    """What a rule finds in each condition: the estimate, and the answer."""
    return [
        f"{one.estimate}: {WORDS[one.holds]}"
        if pd.notna(one.estimate.value)
        else WORDS[one.holds]
        for one in found[name].values()
    ]


pd.DataFrame(
    {name: as_answers(name) for name in ("within", "across")},
    index=pd.Index(claims.CONDITIONS, name="condition"),
)

# %% [markdown]
# ### What S adds to training accuracy and loss
#
# A correlation at given accuracy asks whether anything is left. The practical question is whether a prediction gets better. Within each
# capacity, held-out accuracy is predicted twice: from training accuracy and loss alone, and with S beside them. Both predictions are ridge
# regressions, whose form (straight or curved) and penalty are chosen inside the training folds. Both are scored on replicas that they have not
# seen. R² is the share of the variance between replicas that is predicted; below 0 the mean would have been the better guess.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of the predictions"}
gains = run.load("generalization_gains").table
averaged = gains[gains["part"] == "up to 2"]
least = averaged.loc[averaged["gain"].idxmin()]
ends = interval_text((least.gain_low, least.gain_high))
glue("rq4_least_gain", f"{number_text(least.gain)} {ends}", display=False)
glue(
    "rq4_least_gain_in",
    f"{least.condition}; given {least.given}",
    display=False,
)
as_text(
    averaged.set_index(["condition", "given"])[
        ["without", "with_s", "gain", "gain_low", "gain_high"]
    ]
)

# %% [markdown]
# The fold has R² without and with S, and what S adds (`gain`), as means over the capacities up to the one at which S first reaches 2. `given` says which
# accuracies and losses are used: their means over contexts, or those of each context. Intervals hold together over the conditions at 95 %. They resample
# the replicas' errors, and take the fitted predictions and that capacity as given. S can make a prediction worse, too: its smallest gain is
# {glue:text}`rq4_least_gain` ({glue:text}`rq4_least_gain_in`).
#
# ### The capacity at which S first reaches 2

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-first-at-2", "caption": "By condition: S (above) and the share of items that heads get right (below) against the number of hidden units or of training steps. The lines are of training items, of held-out items and, among the latter, of the worst of the four contexts. Means over replicas; bands: 95 % intervals of each by itself. The grey stripe marks the capacity at which S first reaches 2, chosen on as many other replicas."}, "image": {"alt": "Eleven pairs of panels over the number of hidden units or of training steps. S of the training items rises and levels off at two. Accuracy on training items does the same; on held-out items it goes on rising slowly up to the largest size in the first seven conditions, where the grey stripe stands below its end. In the last four it turns down earlier: far before the stripe in both games, just before it in both conditions on digits."}}
stripes = first_of_mean.set_index("condition")["first"]
run.show(
    plotting.titled(
        figures.held_out_over_capacity(over_capacity, stripes),
        "Where S first reaches 2, accuracy still rises "
        "or is past its best",
    ),
    capacity=run.load("generalization_capacity"),
    first_at_2=run.load("first_at_2"),
)


# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of the first 2"}
def in_points(table):
    """What is lost, and the ends of its interval, in percentage points."""
    names = ("lost", "lost_low", "lost_high")
    return [100 * table[name] for name in names]


lost, lost_low, lost_high = in_points(first_of)
capacities = first_of[["first", "best_capacity"]].map("{:g}".format)
capacities["target"] = first_of["target"].str.replace("_", " ")
shown = first_of.assign(**capacities).set_index(["condition", "target"])
IN_WORDS = {
    "first": "first n",
    "at_smallest": "at the smallest n",
    "at_first": "at the first n",
    "best": "at the best n",
    "best_capacity": "best n",
    "share_of_rise": "share of the rise",
}
as_text(shown[[*IN_WORDS]].rename(columns=IN_WORDS)).assign(
    **{
        "lost (points)": [number_text(value, 1) for value in lost],
        "95 % interval": [
            interval_text(ends, digits=1)
            for ends in zip(lost_low, lost_high, strict=True)
        ],
    }
)

# %% [markdown]
# In the fold, the first n is the capacity at which S first reaches 2. *Lost* says by how many percentage points held-out accuracy falls short of the best there, and the share of
# the rise says how much of the way from the smallest network to the best lies behind it. Intervals hold together over the conditions at 95 %.
#
# The rule sets the smallest effect at {glue:text}`rq4_close` points. Would another one lead to another answer?

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-margins", "caption": "In how many conditions the rule on the first 2 holds, does not hold, or is open, were the smallest effect another, from 0 to 10 percentage points. The dashed line is the smallest effect of the rule. Open at any: conditions in which the largest capacity is the best, or in which S does not reach 2."}, "image": {"alt": "A stacked step chart over the percentage points lost, from 0 to 10. A dark area at the bottom, holds, grows by single steps from nothing at 0 to four conditions at about four points. A block of two conditions at the top, does not hold, ends between two and three points. Between them a broad light area, open, is there at any smallest effect, seven conditions high at the right."}}
margins = [k / 2000 for k in range(201)]
counted = claims.answers_by_margin(first_of, margins)
run.show(
    plotting.titled(
        figures.answers_by_margin(counted, claims.CLOSE),
        "Most conditions stay open at any smallest effect",
    ),
    first_at_2=run.load("first_at_2"),
)

# %% tags=["remove-cell"]
inner = first_of_mean[
    first_of_mean["best_capacity"] < first_of_mean["largest_capacity"]
]
least = counted.index[counted["fails"] == 0].min()
glue("rq4_margin_none_fails", f"{100 * least:.1f}", display=False)
most = counted.index[counted["holds"] == counted["holds"].max()].min()
glue("rq4_margin_most_hold", f"{100 * most:.1f}", display=False)
glue("rq4_most_hold", int(counted["holds"].max()), display=False)
glue("rq4_inner", len(inner), display=False)
around = counted[
    (counted["holds"] == counted.loc[claims.CLOSE, "holds"])
    & (counted["fails"] == counted.loc[claims.CLOSE, "fails"])
].index
glue(
    "rq4_margin_same",
    f"{100 * around.min():.1f} to {100 * around.max():.1f}",
    display=False,
)

# %% [markdown]
# The counts are the same for any smallest effect of {glue:text}`rq4_margin_same` points. From {glue:text}`rq4_margin_none_fails` points on the rule
# fails in no condition. From {glue:text}`rq4_margin_most_hold` on it holds in {glue:text}`rq4_most_hold` of the {glue:text}`rq4_inner` conditions
# with an interior optimum, and up to 10 points never in more.
#
# ### Other correlations that mix capacities
#
# No rule reads these. The first two are over the means of the capacities, up to the one at which S first
# reaches 2 and over all of them; they only describe a handful of capacities that we chose. The third throws together the 200 replicas of each
# capacity that were kept, which is the trap of above.


# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers that mix capacities"}
def spearman(rows):
    columns = rows[["s", "held_out_accuracy"]]
    return columns.corr("spearman").iloc[0, 1]


def described(condition):
    means = over_capacity[over_capacity["condition"] == condition]
    low = means[means["capacity"] <= stripes[condition]]
    thrown = one_by_one[one_by_one["condition"] == condition]
    return {
        "capacities up to 2": len(low),
        "correlation of their means": spearman(low),
        "all capacities": len(means),
        "correlation of all means": spearman(means),
        "replicas thrown together": spearman(thrown),
    }


by_condition = {
    condition: described(condition) for condition in stripes.index
}
as_text(pd.DataFrame.from_dict(by_condition, orient="index"), 2)

# %% [markdown]
# ### Text
#
# In the recorded runs of {doc}`rq3_lora` the rank of a language model's adapters is the capacity. The named quartet of mixed tasks has two tasks that are learnt so
# that it carries over to other sentences: SST-2 and, a little, MRPC. CommonsenseQA carries over a little, too, and MathQA hardly. We fixed beforehand that held-out
# accuracy is here that of SST-2 and MRPC (A1 and B1), each in the two contexts it is in. e5 has probably seen some of these sentences before, so these shares are no estimate for new texts ({doc}`/limits`). S is
# that of the whole quartet.

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-text", "caption": "e5 with adapters in its top layer: S of the named quartet of mixed tasks against the share of held-out items of SST-2 and MRPC that their heads get right. A point is a replica. Left: all ranks together. Right: the same points by rank; large marks are means, and lines are the least-squares fit within a rank, of few replicas. The dashed line is the classical bound."}, "image": {"alt": "Two panels of the same points, one for each replica and rank. Left, in grey: as S grows from below 0 to 2 and beyond, the share right rises on the whole. Right, by rank: from rank 0 over rank 1 to ranks 4 and 16 the mean moves right and a little upwards, by two percentage points in all. Lines within a rank go either way."}}
text = run.load("real_replicas")
of_ranks = text.table.query(
    "group == 'mixed' and rank <= @ranks.LARGEST_RANK"
)
run.show(
    plotting.titled(
        figures.simpsons_paradox(
            of_ranks.rename(columns={"rank": "capacity"}),
            "e5, mixed tasks",
            "rank",
            of="SST-2's and MRPC's",
        ),
        "On text S and accuracy rise with the rank (e5, mixed tasks)",
    ),
    recorded=text,
)

# %% [markdown]
# *Within* is at rank 1, in {glue:text}`rq4_text_many` replicas, in groups of {glue:text}`rq4_group`. *Across* is over the ranks 0, 1, 4
# and 16, in a replica. There are no other replicas to say where S first reaches 2. So all of these ranks count, which is our choice. The middle row of the fold has
# what is left within at given training accuracy. Intervals are exact over initialisations, with these items.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of text"}
by_reading = run.load("real_generalization").table.set_index("reading")
as_text(
    by_reading[
        [
            "correlation",
            "correlation_low",
            "correlation_high",
            "independent",
        ]
    ],
    2,
)

# %% [markdown]
# (rq4-saw)=
# ## What we saw
#
# The recorded numbers stand together in the fold. Its columns are: where S first reaches 2; the three correlations of {numref}`fig-averages`; R² of training accuracy and loss, and what S
# adds to it; and the percentage points of held-out accuracy that are lost where S first reaches 2. Intervals hold together over the
# {glue:text}`rq4_conditions` conditions at 95 %. Counts below are of conditions whose interval is clear of 0.


# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of what we saw"}
def with_interval(rows, name, low="low", high="high"):
    return [
        f"{number_text(value, 2)} {interval_text((a, b))}"
        for value, a, b in zip(
            rows[name], rows[low], rows[high], strict=True
        )
    ]


up_to = mean_target[mean_target["part"] == "up to 2"]
plain, means, contexts = (
    up_to[up_to["measure"] == m].set_index("condition").loc[stripes.index]
    for m in ("spearman", "given means", "given contexts")
)
added = averaged[averaged["given"] == "means"].set_index("condition")
added = added.loc[stripes.index]
lost = first_of_mean.set_index("condition")
pd.DataFrame(
    {
        "S first at 2 at n =": [f"{n:g}" for n in stripes],
        "Spearman": with_interval(plain, "estimate"),
        "given means": with_interval(means, "estimate"),
        "given contexts": with_interval(contexts, "estimate"),
        "R² without S": [f"{r:.2f}" for r in added["without"]],
        "gain by S": with_interval(
            added, "gain", "gain_low", "gain_high"
        ),
        "points lost there": [
            f"{number_text(a, 1)} {interval_text((b, c), digits=1)}"
            for a, b, c in zip(*in_points(lost), strict=True)
        ],
    },
    index=stripes.index,
)


# %% tags=["remove-cell"]
def quote(name, value):
    glue(f"rq4_{name}", value, display=False)


def quote_count(name, holds):
    """In how many conditions something holds."""
    quote(name, str(int(holds.sum()) or "none"))


def quote_estimates(name, rows):
    """The range of a correlation over conditions, how often it is clear of 0."""
    quote(f"{name}_lowest", float(rows["estimate"].min()))
    quote(f"{name}_highest", float(rows["estimate"].max()))
    quote_count(f"{name}_above", rows["low"] > 0)
    quote_count(f"{name}_below", rows["high"] < 0)


def averaged_over(measure, target="held_out_accuracy", part="up to 2"):
    rows = table_of[table_of["measure"] == measure]
    return rows[(rows["target"] == target) & (rows["part"] == part)]


quote_estimates("plain", plain)
quote_estimates("means", means)
quote_estimates("contexts", contexts)
quote_estimates("beyond", averaged_over("spearman", part="beyond 2"))
worst = averaged_over("spearman", "held_out_worst")
quote_estimates("worst", worst)
worst_means = averaged_over("given means", "held_out_worst")
quote_estimates("worst_means", worst_means)
games_left = means.index[means["low"] > 0]
quote("left", "; ".join(games_left) or "none")
quote("conditions", len(stripes))
left = pd.concat([means, contexts])
most_left = left.iloc[left["estimate"].argmax()]
quote("left_most", float(most_left["estimate"]))
quote("left_low", float(most_left["low"]))
quote("left_high", float(most_left["high"]))
correlated_of = by_rule.table.query("reading == 'across'")["independent"]
fewest, largest = correlated_of.min(), correlated_of.max()
quote("replicas", f"{fewest:,} to {largest:,}")

# %% tags=["remove-cell"]
most = added.iloc[added["gain"].argmax()]
quote("gain_means", float(most["gain"]))
quote("gain_means_from", float(most["without"]))
quote_count("gain_means_above", added["gain_low"] > 0)
quote("without_means", float(added["without"].max()))
on_contexts = averaged[averaged["given"] == "contexts"]
quote_count("gain_contexts_above", on_contexts["gain_low"] > 0)

# %% tags=["remove-cell"]
points = in_points(lost)[0]
quote("lost", span_text(points, 1))
quote("rise_least", float(lost["share_of_rise"].min()))
quote("rise_most", float(lost["share_of_rise"].max()))
is_largest = lost["best_capacity"] == lost["largest_capacity"]
quote_count("best_is_largest", is_largest)

# %% tags=["remove-cell"]
for name, key in (
    ("within", "within"),
    ("across", "across"),
    ("first-2-generalizes", "first"),
):
    answers = [one.holds for one in found[name].values()]
    for answer, word in (
        (True, "holds"),
        (False, "fails"),
        (None, "open"),
    ):
        quote(f"{key}_{word}", str(answers.count(answer) or "none"))
for name in ("within", "across"):
    values = [one.estimate.value for one in found[name].values()]
    quote(f"{name}_values", span_text(values, 2))
quote("weak", f"{claims.WEAK:g}")
quote("close", f"{100 * claims.CLOSE:g}")
quote("group", claims.GROUP)
quote("nearer", f"{1 / (claims.GROUP + 1):.0%}")
is_inner = first_of_mean["condition"].isin(inner["condition"])
quote("lost_inner", span_text(100 * inner["lost"], 1))
quote(
    "lost_largest", span_text(100 * first_of_mean[~is_inner]["lost"], 1)
)

# %% tags=["remove-cell"]
for reading in ("within", "across"):
    row = by_reading.loc[reading]
    value = number_text(row["correlation"], 2)
    ends = row["correlation_low"], row["correlation_high"]
    quote(f"text_{reading}", f"{value} {interval_text(ends, 2)}")
of_groups = by_reading.loc["within", "independent"]
quote("text_many", int(of_groups * claims.GROUP))
of_ends = of_ranks.groupby("rank")[["s", "held_out_accuracy"]].mean()
for rank in (0, 16):
    quote(f"text_s_{rank}", float(of_ends.loc[rank, "s"]))
    right = float(of_ends.loc[rank, "held_out_accuracy"])
    quote(f"text_right_{rank}", right)

# %% [markdown]
# **Within a capacity.** Up to the capacity at which S reaches 2, the mean correlation over groups of replicas is
# {glue:text}`rq4_within_values`. It is more than {glue:text}`rq4_weak` in {glue:text}`rq4_within_holds` of the {glue:text}`rq4_conditions` conditions, less in
# {glue:text}`rq4_within_fails`, and open in {glue:text}`rq4_within_open`. Over all replicas at once, averaged over the same capacities, it lies between
# {glue:text}`rq4_plain_lowest:.2f` and {glue:text}`rq4_plain_highest:.2f`, above 0 in {glue:text}`rq4_plain_above` conditions and below 0 in
# {glue:text}`rq4_plain_below`. Beyond that capacity it lies between
# {glue:text}`rq4_beyond_lowest:.2f` and {glue:text}`rq4_beyond_highest:.2f`, above 0 in {glue:text}`rq4_beyond_above` of the conditions and below 0 in
# {glue:text}`rq4_beyond_below`.
#
# **Across capacities.** There the mean correlation over replicas is {glue:text}`rq4_across_values`. It is more than {glue:text}`rq4_weak` in
# {glue:text}`rq4_across_holds` of the conditions, less in {glue:text}`rq4_across_fails`, and open in {glue:text}`rq4_across_open`. S and held-out accuracy can both
# rise while a network is too small without any link between them. With many flipped labels accuracy can fall while S still rises.
#
# **Much of it is training accuracy.** Heads that fit the training items better have a higher S, and get more of the others right. At
# given mean training accuracy and loss the correlation lies between {glue:text}`rq4_means_lowest:.2f` and
# {glue:text}`rq4_means_highest:.2f`. It is above 0 in {glue:text}`rq4_means_above` of the conditions ({glue:text}`rq4_left`) and below 0 in
# {glue:text}`rq4_means_below`. Given each context's accuracies and losses, it lies between {glue:text}`rq4_contexts_lowest:.3f` and
# {glue:text}`rq4_contexts_highest:.3f`, above 0 in {glue:text}`rq4_contexts_above` of the conditions and below 0 in {glue:text}`rq4_contexts_below`.
#
# **The worst context can go the other way.** A failure in context (2,2) raises S. With held-out accuracy of the
# worst of the four contexts in place of their mean, the correlation is above 0 in {glue:text}`rq4_worst_above` of the conditions and below 0 in
# {glue:text}`rq4_worst_below`. At given mean training accuracy and loss it is above 0 in {glue:text}`rq4_worst_means_above` and below 0 in
# {glue:text}`rq4_worst_means_below`, and as low as {glue:text}`rq4_worst_means_lowest:.2f`. A high S does not show that every task is learnt well.
#
# **S hardly improves a prediction.** Training accuracy and loss predict up to {glue:text}`rq4_without_means:.0%` of the variance of held-out accuracy between
# replicas of one capacity, depending on the condition. S adds at most {glue:text}`rq4_gain_means:.1%` of the variance, in a condition where
# they alone predict {glue:text}`rq4_gain_means_from:.0%`. The gain's interval is above 0 in
# {glue:text}`rq4_gain_means_above` of the conditions, and beside all contexts' accuracies and losses in {glue:text}`rq4_gain_contexts_above`.
#
# **Where S first reaches 2.** In {glue:text}`rq4_best_is_largest` of the {glue:text}`rq4_conditions` conditions the largest capacity tried generalizes best. There
# {glue:text}`rq4_lost_largest` points are lost where S first reaches 2, and the rule is open. In the {glue:text}`rq4_inner` others
# {glue:text}`rq4_lost_inner` points are lost: less than {glue:text}`rq4_close` in {glue:text}`rq4_first_holds` of them, and more in {glue:text}`rq4_first_fails`. Of the rise from the smallest
# capacity to the best, {glue:text}`rq4_rise_least:.0%` to {glue:text}`rq4_rise_most:.0%` lie behind it there ({numref}`fig-first-at-2`).
#
# **Thrown together, replicas correlate for another reason.** Over capacities S and accuracy both rise at first, whatever S says of a
# network of a given size ({numref}`fig-simpson`).
#
# **On text.** Within rank 1 the correlation is {glue:text}`rq4_text_within`, and across ranks it is {glue:text}`rq4_text_across`. Across ranks a correlation has four points in a replica.
# The rank moves both, and any two things that follow it correlate in this way. From the heads alone to rank 16, S of the mixed
# tasks rises from {glue:text}`rq4_text_s_0:.2f` to {glue:text}`rq4_text_s_16:.2f`, and the share of held-out sentences that SST-2 and MRPC get right from
# {glue:text}`rq4_text_right_0:.1%` to {glue:text}`rq4_text_right_16:.1%`.
#
# By the rules:

# %% tags=["remove-input"]
of_text = [c for c in ranks.CLAIMS if c.result == "real_generalization"]
judged["real_generalization"] = by_reading.reset_index()
Markdown(verdict_table([*claims.CLAIMS, *of_text], judged))

# %% [markdown]
# *Partly* means: in some of the conditions. The first two verdicts are about the plain correlation, which is what the paper speaks of.
#
# ## What would change our mind
#
# - **S that adds to training accuracy.** S would tell something of its own if in most conditions the correlation stayed clear of 0 with each context's accuracy and loss held
#   fixed, or if a prediction gained a tenth of the variance. More replicas would also settle the
#   conditions that are open.
# - **A best capacity at S = 2.** The third statement would stand if in most conditions with an interior optimum the best capacity lay where S first reaches 2, whatever the
#   data and the resource. Four conditions of our choice are few.
#
# ## Go further
#
# Commands and code are for a clone of the repository after `source .venv/bin/activate`, or for a cell at the end of this notebook.
#
# **Ten minutes: make the trap yourself.** Draw numbers for four capacities, so that S and accuracy both rise with capacity but have nothing to do with
# each other within one. How large is the correlation of all replicas thrown together?
#
# ````{dropdown} Solution
# ```python
# import numpy as np
# from scipy.stats import spearmanr
#
# generator = np.random.default_rng(0)
# capacity = np.repeat([1, 2, 3, 4], 200)
# s, accuracy = capacity + generator.normal(size=(2, 800))
# print("together", spearmanr(s, accuracy).statistic)
# for n in (1, 2, 3, 4):
#     of_n = capacity == n
#     print(n, spearmanr(s[of_n], accuracy[of_n]).statistic)
# ```
#
# Thrown together they correlate strongly, within each capacity next to not at all. What the pooled number measures is how far apart the
# capacities lie, compared with the spread within one.
# ````
#
# **Half an hour: does the minus sign matter?** S is a sum of four correlators, one of them with a minus sign. If it is the sign that ties S to
# generalization, a sum with the minus sign elsewhere, or with none, should correlate less with held-out accuracy. Try it on the replicas that are recorded.
#
# ````{dropdown} Solution
# ```python
# import pandas as pd
#
# from ncnet import results
#
# replicas = results.load("generalization_replicas").table
# places = ["11", "12", "21", "22"]
# plus = replicas[[f"correlator_{place}" for place in places]].sum(axis=1)
# sums = {"no minus": plus}
# for place in places:
#     sums[f"minus at {place}"] = plus - 2 * replicas[f"correlator_{place}"]
# compared = {
#     name: replicas.assign(sum=values)
#     .groupby(["condition", "capacity"])[["sum", "held_out_accuracy"]]
#     .apply(lambda rows: rows.corr("spearman").iloc[0, 1])
#     for name, values in sums.items()
# }
# print(pd.DataFrame(compared).round(2).to_string())
# ```
#
# `minus at 22` is S. At small capacities the plain sum of the four correlators does as well as S or better nearly everywhere. In both games without flipped labels it does
# clearly better at four units, where S is about 2: there a failure in (2,2) raises S and lowers accuracy. The sum is little else than
# training accuracy. It is the fit of the training items that goes with generalization, not the sign of the Bell test.
# ````
#
# **An hour: a whole run in which larger is worse.** Flip three labels in ten and run the notebook. Where does S first reach 2, and where is
# held-out accuracy best?
#
# ````{dropdown} Solution
# ```console
# $ papermill notebooks/rq4.ipynb noisy.ipynb -p label_noise 0.3 -p save_to noisy \
#     -y '{hidden_sizes: [1, 2, 3, 4, 6, 12, 24], replicas: 240, resamples: 2200}'
# ```
#
# ```python
# from pathlib import Path
#
# from ncnet import results
#
# table = results.load("generalization_capacity", folder=Path("noisy")).table
# print(table[["capacity", "s", "accuracy", "held_out_accuracy"]])
# ```
#
# In this run S reaches 2 nowhere, so there is no capacity for the second statement to be about. Held-out accuracy is best at a handful of units, where S is
# far below 2, and falls from there while S goes on rising: S approaches 2 as the flipped labels are fitted too, which is what one would rather
# not have. Larger sizes still (add 48) bring S closer to 2 and held-out accuracy no higher.
# ````
#
# (rq4-history)=
# ## How the rules changed
#
# **The rules.** The first rules were committed before a first run. The second of them was made stricter after it: it gave no verdict in its favour where the best
# network is the largest one tried. A second run, of the first seven conditions, was judged as *partly* (correlations) and *not* (first at 2).
#
# All rules were then changed. The one on correlations had asked for one reading, by a bootstrap interval above 0. Now there are two readings, a smallest effect, and exact intervals. The one on the
# first 2 had used a bootstrap of the best capacity, and could not hold where the largest was the best. Now it uses differences within replicas, and is open there. The four conditions with an
# interior optimum were added. All was run again with new seeds, one for each condition, and this run is what is shown and judged.
#
# **The conditions.** The four conditions with an interior optimum were chosen by a trial with other seeds and few replicas. It looked for conditions where held-out accuracy turns down with capacity while S still
# reaches 2. It tried smaller samples, more flipped labels, more noise, more steps, and stopping at the lowest held-out loss, and it showed roughly what is lost in each.
# In small samples with flipped labels the largest network is mostly the best again, and stopping by the held-out loss never overfits by construction. Items and steps of the
# other seven were chosen in an earlier trial, so that S has somewhere to rise.
