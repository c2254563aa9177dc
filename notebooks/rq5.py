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
# **It adds little or nothing to the plain drop in accuracy.** S tells which tasks disturb each other, and so does the *drop*, what each task loses beside the other. In trunks of two units S explains
# {glue:text}`rq5_two_S_percent` of the variance of what pairs of tasks gain, and the drop {glue:text}`rq5_two_drop_percent`. To choose a capacity, it costs less to hold some items back.

# %% tags=["parameters", "hide-input"] mystnb={"code_prompt_show": "Parameters of the live run"}
populations: list = ["overlap"]  # noisy games, quartets of digit tasks
hidden_sizes: list = [2, 3, 4, 8]
repetitions: int = 2  # of the whole choice, each on replicas of its own
repetition_size: int = 24  # replicas that one choice sees
fresh_replicas: int = 48  # replicas on which choices are judged
set_aside: float = 0.25  # share of training items, for validation
training: int = 64  # items of each replica
held_out: int = 200  # further ones, which it never sees
noise: float = 0.5  # standard deviation, on the inputs of a game
label_noise: float = 0.0  # share of training labels that are flipped
pair_size: int = 2  # hidden units, for the map of pairs
pair_training: int = 200  # items, for the map of pairs
pair_replicas: int = 6  # that draw the map, and as many that judge it
early_replicas: int = (
    6  # that are measured in training, and as many that judge
)
drawn_sets: int = 2  # of ten tasks each
set_replicas: int = (
    4  # that are seen, and as many that say what is gained
)
steps: int = 1000
seed: int = 0
activation: str = "tanh"
optimizer: str = "gradient_descent"
learning_rate: float = 0.5
record: bool = False  # also save the tables that this book quotes
save_to: str = ""  # a folder for the tables of this run

# %% tags=["remove-cell"]
from ncnet.parameters import validate
from ncnet.studies.generalization.parameters import Rq5

chosen = validate(globals(), Rq5)

# %% tags=["remove-cell"]
import pandas as pd
from IPython.display import Markdown
from myst_nb import glue

from ncnet import chsh, plotting, results, runs
from ncnet.chsh.text import (
    NONE,
    as_text,
    interval_text,
    number_text,
    span_text,
)
from ncnet.claims import WEAK
from ncnet.experiment import early_signs
from ncnet.studies.generalization import (
    early,
    figures,
    grouping,
    interference,
    measurements,
    selection,
)
from ncnet.studies.ranks.claims import NAMED_RANK
from ncnet.studies.ranks.tables import rank_name
from ncnet.training import samples

plotting.use_style()
run = runs.Run(Rq5, chosen)
kind = {
    "steps": steps,
    "activation": activation,
    "optimizer": optimizer,
    "learning_rate": learning_rate,
}
items = {"held_out": held_out, "label_noise": label_noise, "seed": seed}
seen = range(repetitions * repetition_size)
fresh = range(len(seen), len(seen) + fresh_replicas)

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-groupings", "caption": "How to read it: ten tasks on digits are divided among trunks, pair by pair. Left: the share of the variance of gains over the 45 pairs of a set that a measure explains by a line, fitted on the other sets. Right: the regret of the way that it chooses at five trunks, in percentage points of held-out accuracy, mean over ten tasks; dashed: that of a way by chance. Means over {glue:text}`rq5_drawn_sets` sets of ten tasks with 95 % intervals over sets; {glue:text}`rq5_set_replicas` replicas are seen and as many judge."}, "image": {"alt": "Two rows of two panels with a row for each measure. In trunks of eight units every measure explains a small share of the variance, the cosine of a pair and the lookahead next to nothing, and all regrets are alike. In trunks of two units S, Delta, the drop, and the drop with both wrong explain most of the variance, all others little; the regrets of the four and of likeness are low, those of the cosine of a pair, of the lookahead and of chance high."}}
grouped = run.load("grouping")
run.show(
    plotting.titled(
        figures.groupings(grouped.table),
        "S explains what pairs gain about as well as the plain drop",
    ),
    recorded=grouped,
)

# %% [markdown]
# ## How we know
#
# **The paper's statement.** While S rises towards 2, underfitting is relieved as resources grow {cite:p}`zhao2026`; the CHSH test is to be a diagnostic
# of a network's couplings and capacity {cite:p}`review2026`. The tests of it on this page are ours.
#
# **What we did.** We asked four questions, and let S answer each beside what one would use anyway. *Which capacity is enough?* Eight criteria see networks of several sizes
# and choose one; fresh replicas say what the choice costs in held-out accuracy, the share of unseen items that heads get right. *Which tasks disturb each other?* Of ten tasks on handwritten
# digits every pair is trained in one trunk. *How soon can that be told?* Pairs are looked at along their training. *Which tasks should share a trunk?* Sets of ten tasks are
# divided into pairs and singles. A small run is live, a larger one is recorded.
#
# **Time.** This page takes 30 seconds of one processor, and 40 where there is no C++ compiler.

# %% [markdown]
# ### Choosing a capacity
#
# Each criterion sees networks of several sizes, trained on samples, in all four contexts of equally many replicas, and chooses a size:
#
# | criterion | the smallest n at which ... |
# |:--|:--|
# | S at 2 | the 95 % interval of S lies within 0.05 of 2 |
# | S at 2, all fitted | also every correlator is at least 0.95 |
# | S first at 2 | the mean of S is at least 1.95, whatever its interval: the paper's phrase |
# | training accuracy | the interval of training accuracy lies above 97.5 % |
# | training loss | the mean training loss is within a standard error of the lowest |
# | gradient conflict | the mean cosine of the heads' gradients on the trunk is within a standard error of the highest |
# | validation | accuracy on training items that were set aside, a quarter by default, is within a standard error of the best |
# | largest | nothing is asked: the largest n there is |
#
# *Regret* is the held-out accuracy of the best size less that of the chosen one, on fresh replicas with samples of their own. (For digits
# all samples are of the same 1,797 images.) The best size is the best of the replicas that judge, so a regret errs on the high side and is
# never below 0. Where no size meets a criterion, the largest stands in, and figure and table say so.
#
# Why two criteria ask for S at 2: **S = 2 does not mean fitted.** If Alice never errs and nothing signals, S = 2⟨B₁⟩, whatever becomes of B₂
# ({doc}`/signalling`). So one of them also asks that every correlator be near 1.
#
# All criteria were fixed before the runs, as was 0.05. The criterion on training accuracy is the more lenient: where no two failures coincide,
# 97.5 % is a mean correlator of 0.90. The cosine is a mean over six steps from the first to the last; late ones tend to -1 in any network
# that has settled.


# %% tags=["hide-cell"] mystnb={"code_prompt_show": "How criteria choose, live"}
def table(population, replicas):
    """Train replicas at each capacity, a row each."""
    about = {
        "population": population.name,
        "training": population.training,
        "first": replicas[0],
    }
    parts = [
        run.part(
            about | {"hidden_size": n},
            lambda n=n: measurements.train_replicas(
                population,
                hidden_size=n,
                replicas=replicas,
                seed=seed,
                trace=True,
                **kind,
            ),
        )
        for n in hidden_sizes
    ]
    return pd.concat(parts, ignore_index=True)


choices, criteria, curves = [], [], []
for name in populations:
    condition = samples.label(
        name, training=training, label_noise=label_noise
    )
    whole = samples.named(name, training=training, noise=noise, **items)
    chosen_by_criterion = selection.selections(
        table(whole, seen),
        table(samples.set_aside(whole, set_aside), seen),
        repetition_size=repetition_size,
    )
    judges = table(whole, fresh)
    regret = selection.regrets(chosen_by_criterion, judges, seed=seed)
    curve = measurements.by_capacity(judges, seed=seed)
    for into, rows in (
        (choices, chosen_by_criterion),
        (criteria, regret),
        (curves, curve),
    ):
        into.append(rows.assign(condition=condition))
choices, criteria, curves = (
    pd.concat(rows, ignore_index=True)
    for rows in (choices, criteria, curves)
)
run.save("capacity_choices", choices)
run.save("capacity_criteria", criteria)
run.save("capacity_fresh", curves)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "The regrets of the live run", "figure": {"name": "fig-regrets-live", "caption": "Live, at the parameters above. Above: the regret of eight criteria, in percentage points of held-out accuracy on fresh replicas; bars are 95 % intervals over repetitions of the choice and fresh replicas. Below: the numbers n of hidden units that each criterion chose, lowest to highest over the repetitions; a grey cross says that no size met the criterion, so that the largest stands in. The dashed line is the smallest size within a percentage point of the best."}, "image": {"alt": "Two panels with a row for each of eight criteria. At the defaults: above, the criterion S first at 2 costs most; the other criteria cost nothing. Below, S first at 2 chooses a small size, all other criteria the largest."}}
run.show(figures.regrets(criteria), criteria=criteria)

# %% [markdown]
# Where every replica has S = 2, a bootstrap has nothing to resample, and the interval comes from a betting test. It lies within 0.05 of 2
# only with some six hundred replicas: a criterion on S can go unmet in a small run where all is fitted.
#
# #### Recorded

# %% tags=["remove-cell"]
recorded = run.load("capacity_criteria")
table_of = recorded.table

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-regrets", "caption": "Recorded, three conditions: two noisy games and a quartet of digits. Above: the regret of eight criteria, in percentage points of held-out accuracy on fresh replicas; bars are 95 % intervals over the repetitions of the choice and fresh replicas. Below: the numbers n of hidden units that each criterion chose, lowest to highest over the repetitions of the choice. The dashed line is the smallest size within a percentage point of the best."}, "image": {"alt": "Three pairs of panels with a row for each of eight criteria. The criterion S first at 2 costs most, above all in the game overlap, where S at 2 costs the same; with all fitted it costs less, as training accuracy does or less. Training loss, validation and the largest size cost nothing. Below, the criteria on S and on training accuracy choose small sizes, to the left of the dashed line; loss, validation and the last choose the largest. Gradient conflict chooses the largest too, and in the digits anything."}}
run.show(
    plotting.titled(
        figures.regrets(table_of),
        "A validation split costs no accuracy; criteria on S do",
    ),
    recorded=recorded,
)


# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of the criteria"}
def points(shares, digits=1):
    """Shares as percentage points, as text."""
    return [number_text(100 * share, digits) for share in shares]


ends = 100 * table_of[["regret_low", "regret_high"]]
chosen_n = table_of[["lowest", "highest"]].map("{:g}".format)
shown = table_of.assign(
    regret=points(table_of["regret"]),
    interval=[span_text(pair, 1) for pair in ends.to_numpy()],
    **chosen_n,
)
shown = shown.rename(
    columns={"regret": "regret (points)", "interval": "95 % interval"}
)
columns = ["regret (points)", "95 % interval", "lowest", "highest"]
as_text(
    shown.set_index(["condition", "criterion"])[
        [*columns, "met", "enough", "units_more"]
    ],
    2,
)

# %% [markdown]
# There are {glue:text}`rq5_repetitions` choices in each condition, each on {glue:text}`rq5_repetition_size` replicas of its own, judged on
# {glue:text}`rq5_fresh_replicas` more. Where the interval is just 0, the choice was best in every resample of the judges. `met` is the share of repetitions in which some size met the criterion, `enough`
# the share in which the choice was the smallest size within a percentage point of the best, and `units_more` by how many hidden units the
# choice exceeds that, on average.
#
# #### What it is worth, across conditions
#
# Across conditions the condition is the unit, and three of them bear no interval. So only means are given: of each criterion's regret, of its rank by regret
# (1 is the cheapest), and of its distance, in units, from the smallest size that is enough. Where a criterion was never met (`met` is 0), what is judged is the
# largest size that stood in for it:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Means over conditions"}
across = table_of.assign(
    rank=table_of.groupby("condition")["regret"].rank(),
    distance=abs(table_of["units_more"]),
    regret=100 * table_of["regret"],
)
across = across.groupby("criterion", sort=False)[
    ["regret", "rank", "distance", "enough", "met"]
].mean()
as_text(across.rename(columns={"regret": "regret (points)"}), 2)

# %% [markdown]
# ### A map of tasks
#
# The tasks are ten properties of a digit, taken because they have names. Each pair makes a game: at setting 1 a head is asked nothing, and counts as
# right; at setting 2 it is asked its task. With s Alice's task and t Bob's,
#
# $$S = 2 + (\langle s\rangle_{\text{alone}} - \langle s\rangle_{\text{beside } t})
#   + (\langle t\rangle_{\text{alone}} - \langle t\rangle_{\text{beside } s}) - 4\,P(\text{both wrong}),$$
#
# which is above 2 where the tasks hurt each other by more than they fail together. All of S - 2 is signalling; here that is the point.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "How a map is made"}
drawn, judged = (
    run.part(
        {"pairs": first},
        lambda first=first: interference.train_task_pairs(
            samples.NAMED_TASKS,
            training=pair_training,
            hidden_size=pair_size,
            replicas=range(first, first + pair_replicas),
            **items,
            **kind,
        ),
    )
    for first in (0, pair_replicas)
)
compared = (drawn, judged, interference.likeness(samples.NAMED_TASKS))
live_map = interference.interference_map(*compared, seed=seed)
predictors = interference.predictor_correlations(*compared, seed=seed)
run.save("interference", live_map)
run.save("interference_predictors", predictors)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "The map of the live run", "figure": {"name": "fig-interference-live", "caption": "Live, at the parameters above: S - 2 of every pair of ten tasks on digits, mean over replicas. Above 0 the two hurt each other. Tasks are ordered by the mean of their pairs."}, "image": {"alt": "A square map of ten by ten named tasks; cells are coloured by S less 2 and show its value. Most are above zero."}}
run.show(figures.interference(live_map), interference=live_map)

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-interference", "caption": "Recorded: S - 2 of every pair of ten tasks on digits, mean over replicas. Above 0 the two hurt each other. Tasks are ordered by the mean of their pairs; the table below has intervals."}, "image": {"alt": "A square map of ten by ten named tasks, cells coloured by S less 2. All are above zero. The row of triangular is darkest, most of all beside Fibonacci and at least 5; the cells between prime, odd, straight strokes, closed loop and square are palest."}}
pairs_of = run.load("interference").table
run.show(
    plotting.titled(
        figures.interference(pairs_of),
        "One task disturbs all others, and hardly any pair is undisturbed",
    ),
    recorded=run.load("interference"),
)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Numbers of the most and least disturbed pairs"}
shown = pd.concat([pairs_of.head(6), pairs_of.tail(6)])
shown = shown.assign(
    s=[number_text(s) for s in shown["s"]],
    interval=[
        interval_text(ends)
        for ends in zip(shown["s_low"], shown["s_high"], strict=True)
    ],
    training=points(shown["training_drop"]),
    held_out=points(shown["held_out_drop"]),
)
names = {
    "s": "S",
    "interval": "interval",
    "training": "lost in training (points)",
    "held_out": "lost held out (points)",
    "cosine": "cosine",
    "likeness": "likeness",
}
shown = shown.set_index(["first", "second"])[[*names]]
as_text(shown.rename(columns=names))

# %% [markdown]
# The six pairs with the largest S and the six with the smallest, trained on {glue:text}`rq5_pair_training` items with
# {glue:text}`rq5_pair_size` hidden units; means over {glue:text}`rq5_pair_replicas` replicas. Intervals of S hold together over all pairs at 95 %.
# *Lost* is by how many percentage points the share of items that are right falls when the other task joins, mean over both tasks;
# held out it is of fresh replicas. `cosine` is that of the heads' gradients on the trunk, and `likeness` the absolute correlation of the two
# tasks' classes over the ten digits.
#
# #### Is S the right thing to order them by?

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-predicted-losses", "caption": "Recorded: what each pair of tasks loses on held-out items of fresh replicas, in percentage points. It is drawn against three things seen in the training of other replicas (S of the pair, the drop in training accuracy in percentage points, the cosine of both heads' gradients) and against how alike the two tasks are, which takes no training. A point is a pair; intervals of the rank correlations are in the table below."}, "image": {"alt": "Four scatter plots, a point for each pair. Against S and against the loss in training, points rise along a band. Against the cosine of the gradients they scatter, rather rising; against likeness they spread widely and fall a little."}}
run.show(
    figures.drop_by_predictor(pairs_of), recorded=run.load("interference")
)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of the predictors"}
order_of = run.load("interference_predictors").table
as_text(order_of.set_index("predictor"))

# %% [markdown]
# `rho` is the rank correlation over the pairs, with 95 % intervals over replicas for these pairs; `s_ahead` is by how much that of S is
# larger. Signs are such that a useful predictor is positive: opposed gradients and unlike tasks should lose more. Noise in what a pair
# loses draws all of them towards 0.


# %% [markdown]
# ### How early can it be told?
#
# A measure that waits for the end of a training saves none. So pairs of tasks are looked at after a part of their steps. How well does what is seen then
# order them by what they have lost of held-out items in the end, in other replicas? There are two kinds of pairs here: every task of Alice's beside every task of
# Bob's in the game `overlap`, with noisy inputs and three hidden units; and the ten tasks on digits, with eight. A measure is *as good as at the end* where
# its rank correlation is short of that at the end by less than {glue:text}`rq5_weak`, by the whole interval.
#
# **Predictions**, written down before it was run: S and the plain drop are as good as at the end after a quarter of the steps, and not after a
# twentieth. The cosine of the gradients is best early, and worst at the end.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "How pairs are looked at"}
looked = {}
for name, count in (
    (early.GAMES, training),
    (early.DIGITS, pair_training),
):
    seen_and_fresh = [
        run.part(
            {"early": name, "first": first},
            lambda name=name, count=count, first=first: early.train_looks(
                name,
                training=count,
                held_out=held_out,
                noise=noise,
                replicas=range(first, first + early_replicas),
                seed=seed,
                **kind,
            ),
        )
        for first in (0, early_replicas)
    ]
    watched, finished = seen_and_fresh
    looked[name] = early_signs(
        watched,
        finished[finished["look"] == max(early.LOOKS)],
        measures=early.MEASURES,
        seed=seed,
    ).assign(pairs_of=name)
signs = pd.concat(looked.values(), ignore_index=True)
run.save("early_signs", signs)

# %% tags=["remove-cell"]
KINDS = {
    early.GAMES: "XORnet tasks, three units",
    early.DIGITS: "tasks on digits, eight units",
    "languages": "languages, real text",
    "mixed": "mixed tasks, real text",
}
signs_recorded = run.load("early_signs")
signs_of_real = results.load("real_early")
by_family = signs_of_real.table.rename(columns={"family": "pairs_of"})
all_signs = pd.concat([signs_recorded.table, by_family])
all_signs["pairs_of"] = all_signs["pairs_of"].map(KINDS)

# %% tags=["remove-input"] mystnb={"figure": {"name": "fig-early-signs", "caption": "How to read it: Spearman's correlation, over pairs, of what is seen after a share of the training with what the finished pair loses in other replicas; above 0 a measure has the sign that it should have. Bars: 95 % intervals over replicas. Recorded: {glue:text}`rq5_early_replicas` replicas that are measured and as many that judge; of real text {glue:text}`rq5_real_halves` and as many, both ways round."}, "image": {"alt": "Four panels with the rank correlation of several measures over the share of the training done. For XORnet tasks S and the drop are high after a tenth of the training already, Delta from the middle on, the cosine of the gradients at the end only. For tasks on digits S and the drop are highest after a quarter and lower at the end. For both kinds of real text all intervals are wide and reach across zero at the end."}}
run.show(
    plotting.titled(
        figures.early_signs(all_signs),
        "On small networks S and the drop tell early what pairs lose",
    ),
    recorded=signs_recorded,
    real=signs_of_real,
)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "From which look on each measure is as good as at the end"}
good = early.as_good_from(all_signs)
good["interval"] = [
    interval_text(ends, 2)
    for ends in zip(good["rho_low"], good["rho_high"], strict=True)
]
good["as_good"] = good["as_good"].map("{:.0%}".format)
shown = good.rename(
    columns={
        "pairs_of": "pairs",
        "rho": "at the end",
        "as_good": "as good after",
    }
)
shown = shown.set_index(["pairs", "measure"])
as_text(shown[["at the end", "interval", "as good after"]], 2)


# %% tags=["remove-cell"]
def letters(name):
    return "".join(c for c in name if c.isalnum())


def quote(key, value):
    glue(f"rq5_{key}", value, display=False)


def quote_estimate(key, row, name, digits=2):
    ends = interval_text(
        (row[f"{name}_low"], row[f"{name}_high"]), digits
    )
    quote(key, f"{number_text(row[name], digits)} {ends}")


quote("weak", WEAK)
asked = signs_recorded.provenance["parameters"]
quote("early_replicas", f"{asked['early_replicas']:,}")
good_after = good.set_index(["pairs_of", "measure"])["as_good"]
sign_of = signs_recorded.table.set_index(["pairs_of", "measure", "look"])
for name in (early.GAMES, early.DIGITS):
    for measure in ("s", "training_drop", "cosine"):
        key = f"{name}_{letters(measure)}"
        quote(f"{key}_good", good_after[KINDS[name], measure])
        for when, look in (
            ("first", 0.05),
            ("quarter", 0.25),
            ("end", 1),
        ):
            row = sign_of.loc[(name, measure, look)]
            quote_estimate(f"{key}_{when}", row, "rho")
            if when != "end":
                quote_estimate(f"{key}_{when}_short", row, "short")
at_end = by_family[by_family["look"] == 1]
asked = signs_of_real.provenance["parameters"]
quote("real_halves", asked["replicas"] // 2)
quote("real_rank", rank_name(NAMED_RANK))
told = (at_end["rho_low"] > 0) | (at_end["rho_high"] < 0)
quote("real_measures", len(at_end))
quote("real_told", int(told.sum()) or "none")

# %% [markdown]
# The predictions, and what came of them:
#
# | | XORnet tasks | tasks on digits |
# |:--|:--|:--|
# | S is as good as at the end after a quarter | yes: from {glue:text}`rq5_games_s_good` on | yes: from {glue:text}`rq5_digits_s_good` on |
# | so is the drop | yes: from {glue:text}`rq5_games_trainingdrop_good` on | yes: from {glue:text}`rq5_digits_trainingdrop_good` on |
# | neither is after a twentieth | S is short by {glue:text}`rq5_games_s_first_short`; the drop by only {glue:text}`rq5_games_trainingdrop_first_short` | S is short by {glue:text}`rq5_digits_s_first_short`; of the drop it is open, {glue:text}`rq5_digits_trainingdrop_first_short` |
# | the cosine is best early, and worst at the end | not so: {glue:text}`rq5_games_cosine_first` after a twentieth, {glue:text}`rq5_games_cosine_end` at the end | not so: {glue:text}`rq5_digits_cosine_quarter` after a quarter, {glue:text}`rq5_digits_cosine_end` at the end |
#
# For tasks on digits S after a quarter of the training is *better* than at the end, {glue:text}`rq5_digits_s_quarter` against
# {glue:text}`rq5_digits_s_end`. A finished trunk of eight units fits nearly every training item, so that training items no longer tell pairs apart. The drop does the
# same, {glue:text}`rq5_digits_trainingdrop_quarter` against {glue:text}`rq5_digits_trainingdrop_end`.
#
# On real text nothing can be said. Of {glue:text}`rq5_real_measures` correlations at the end, six measures in two families, the interval of {glue:text}`rq5_real_told` keeps clear of 0.
# The replicas are too few to order what such pairs gain or lose.

# %% [markdown]
# ### Which tasks should share a trunk?
#
# People who train several tasks ask which of them to train together. Published answers train groups and search for the best way {cite:p}`standley2020`, read *affinities* off one training
# of all tasks {cite:p}`fifty2021`, or estimate gains from gradients {cite:p}`li2024,ayman2026`. As far as we know, S has not stood beside them before. Here, ten tasks on digits, each asking whether a digit is one of three
# to five drawn ones, are divided into pairs and singles, a trunk of eight or two hidden units for each. There are 9,496 ways. Every pair and every task alone
# is trained, so that each way has a price: what its pairs gain on held-out items, in fresh replicas, against all tasks alone. Measures of pairs, taken from other
# replicas, choose a way. What a choice costs is its *regret*, by how much the best way gains more.
#
# | measure | of a pair | networks a replica |
# |:--|:--|:--|
# | S | of the game above | 55 |
# | Delta | its signalling | 55 |
# | drop | the share of training items lost | 55 |
# | drop and both wrong | the same, and the share that both get wrong | 55 |
# | cosine of the pair | of both gradients, in the pair's training | 55 |
# | cosine, all in one | the same where all ten tasks share one trunk | 1 |
# | lookahead, all in one | by how much a step for one task lowers the other's loss {cite:p}`fifty2021` | 1 |
# | likeness | of the classes over the digits | none |
#
# A measure says what a pair gains by a line, fitted on other sets of tasks. By the identity above S is 2, plus twice the drops of both, less four times the
# share that both get wrong. So the only thing that S knows beyond the drop is P(both wrong), and the question is what that adds. A set of ten tasks is the unit.
#
# **Predictions**, written down before it was run, with smallest effects of {glue:text}`rq5_smallest_share` of the variance of gains and of
# {glue:text}`rq5_smallest_regret` points of held-out accuracy:
#
# 1. P(both wrong) adds nothing to the drop, and S explains no more than the drop does.
# 2. At five trunks the choice by the drop costs less than one by chance, and the choice by S no less than that by the drop.
# 3. Measures of one training with all tasks explain less than the drop, and likeness explains least.
# 4. In trunks of two hidden units all this is so, too, and the drop explains more than a quarter of the variance. (Added after a first run, with eight
#    units alone: there nearly every training item was fitted, which leaves a drop little to tell.)
# 5. On the recorded pairs of real tasks ({doc}`rq3_lora`), of which there are ten among the mixed ones and 21 of languages, with little to gain, no measure
#    is clearly better than another.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "How sets of tasks are trained"}
sets = [
    run.part(
        {"set": number, "hidden_size": size},
        lambda number=number, size=size: grouping.train_set(
            grouping.draw_tasks(number),
            hidden_size=size,
            training=pair_training,
            replicas=set_replicas,
            steps=steps,
            **items,
        ).assign(set=number),
    )
    for size in grouping.SIZES
    for number in range(drawn_sets)
]
sets = pd.concat(sets, ignore_index=True)
of_sets = grouping.by_set(sets)
run.save("grouping_pairs", sets)
run.save("grouping_sets", of_sets)
run.save("grouping", grouping.summary(of_sets))

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "All numbers of the measures"}
table_names = {
    "explained": "of the variance",
    "more_explained": "more than the drop",
    "regret": "regret at five trunks",
    "less_regret": "less than the drop",
    "regret_any": "at any number",
}
shown = grouped.table.rename(columns={"hidden_size": "units"})
shown["trainings"] = shown["trainings"].map("{:g}".format)
for name, label in table_names.items():
    ends = zip(shown[f"{name}_low"], shown[f"{name}_high"], strict=True)
    # What is compared with itself has no interval.
    shown[label] = [
        f"{number_text(value, 2)} {interval_text(interval, 2)}"
        if interval[0] < interval[1]
        else NONE
        for value, interval in zip(shown[name], ends, strict=True)
    ]
shown["trainings"] = shown["trainings"].replace("nan", NONE)
columns = ["trainings", *table_names.values()]
shown.set_index(["units", "measure"])[columns]

# %% [markdown]
# What was asked of each measure, and what the sets of tasks say of it; *yes* and *no* mean that the whole interval lies on one side of the smallest effect:

# %% tags=["remove-input"]
SAID = {True: "yes", False: "no", None: "open"}
answered = grouping.answers(grouped.table)
answered["said"] = [
    f"{SAID[answer]}: {number_text(estimate.value, 2)} "
    f"{interval_text((estimate.low, estimate.high), 2)}"
    for answer, estimate in zip(
        answered["answer"], answered["estimate"], strict=True
    )
]
wide = answered.pivot(
    index="question", columns="hidden_size", values="said"
).loc[list(grouping.PREDICTED)]
lines = [
    "| | smallest effect | predicted | eight units | two units |",
    "|:--|:--|:--|:--|:--|",
]
lines += [
    f"| {question} | {smallest} | {SAID[predicted]} "
    f"| {wide.loc[question, 8]} | {wide.loc[question, 2]} |"
    for question, (
        *_,
        smallest,
        predicted,
    ) in grouping.PREDICTED.items()
]
Markdown("\n".join(lines))

# %% [markdown]
# The last was predicted of two units only. (Differences are set by set, in shares of the variance, or in points of held-out accuracy.)
#
# **S is not shown to group tasks better than the plain drop does.** In trunks of two units it explains no more by our smallest effect. In trunks of eight this is open, and so is the choice in trunks of two. In trunks of two units, where much is lost, the drop explains {glue:text}`rq5_two_drop` of the variance of what pairs
# gain, and S {glue:text}`rq5_two_S`. With P(both wrong) beside the drop it is {glue:text}`rq5_two_both`: {glue:text}`rq5_two_both_more` more, which is at most about the smallest effect.
#
# **What costs one training instead of all pairs** explains little of what pairs gain. Yet at five trunks the likeness of two tasks, which takes no training at all, chooses as cheaply as
# S, with a regret of {glue:text}`rq5_two_likeness_regret` against {glue:text}`rq5_two_S_regret`; at eight units so does the cosine in one trunk for all, {glue:text}`rq5_eight_joint_regret`
# against {glue:text}`rq5_eight_S_regret`. These were not among the questions. (The best way is the best of the replicas that judge, so a regret errs on the high side, for all measures alike.)
#
# **It hardly pays to share.** Where the number of trunks is free, leaving all ten tasks apart costs {glue:text}`rq5_eight_apart` points at eight units and {glue:text}`rq5_two_apart` at two,
# as little as any choice; a way at random costs {glue:text}`rq5_eight_chance` and {glue:text}`rq5_two_chance`.
#
# The same for the recorded pairs of real text, of which all pairs and each task alone were trained at rank {glue:text}`rq5_real_rank`. A family is one set, so its regrets bear no
# interval, and no measure can be called better than another, as predicted. Of {glue:text}`rq5_real_choices` choices that measures make, {glue:text}`rq5_real_worse` lose held-out accuracy against all tasks apart:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Regrets on real text"}
summed = grouped.table.set_index(["hidden_size", "measure"])
for size, key in ((2, "two"), (8, "eight")):
    for measure, name in (
        (grouping.DROP, "drop"),
        ("S", "S"),
        (grouping.BOTH, "both"),
        ("likeness", "likeness"),
        ("cosine, all in one", "joint"),
    ):
        row = summed.loc[(size, measure)]
        quote_estimate(f"{key}_{name}", row, "explained")
        quote_estimate(f"{key}_{name}_more", row, "more_explained", 3)
        quote_estimate(f"{key}_{name}_regret", row, "regret")
    for measure, name in (
        (grouping.APART, "apart"),
        (grouping.CHANCE, "chance"),
    ):
        row = summed.loc[(size, measure)]
        quote_estimate(f"{key}_{name}", row, "regret_any")
ends = ("explained", "explained_low", "explained_high")
for measure, name in ((grouping.DROP, "drop"), ("S", "S")):
    share, low, high = (
        100 * summed.loc[(2, measure), end] for end in ends
    )
    quote(
        f"two_{name}_percent", f"{share:.0f} % ({low:.0f} to {high:.0f})"
    )
quote("smallest_share", f"{100 * grouping.SMALLEST_SHARE:.0f} %")
quote("smallest_regret", grouping.SMALLEST_REGRET)
asked = grouped.provenance["parameters"]
quote("drawn_sets", asked["drawn_sets"])
quote("set_replicas", f"{asked['set_replicas']:,}")
real_grouped = results.load("real_grouping")
of_measures = real_grouped.table[
    ~real_grouped.table["measure"].isin([grouping.CHANCE, grouping.APART])
]
quote("real_choices", len(of_measures))
loses = of_measures["regret"] > of_measures["best"]
quote("real_worse", int(loses.sum()) or "none")
of_family = real_grouped.table.pivot(
    index=["family", "measure"], columns="trunks", values="regret"
)
of_family.columns = [f"{count} trunks" for count in of_family.columns]
as_text(of_family, 2)


# %% tags=["remove-cell"]
def quote_criterion(criterion, rows):
    """Which sizes a criterion chose, and what it cost, over the conditions."""
    key = f"rq5_{letters(criterion)}"
    sizes = [*rows["lowest"], *rows["highest"]]
    glue(f"{key}_n", span_text(sizes, 0), display=False)
    regrets = 100 * rows["regret"]
    glue(f"{key}_regret", span_text(regrets, 1), display=False)


def quote_count(name, holds):
    """In how many rows something holds."""
    glue(name, str(int(holds.sum()) or "none"), display=False)


def quote_rivals(criterion, rival):
    """In how many conditions a criterion costs clearly less, or more."""
    one, other = by_criterion.loc[criterion], by_criterion.loc[rival]
    key = f"rq5_{letters(criterion + rival)}"
    cheaper = one["regret_high"] < other["regret_low"]
    dearer = one["regret_low"] > other["regret_high"]
    quote_count(f"{key}_cheaper", cheaper)
    quote_count(f"{key}_dearer", dearer)


def quote_pair(key, row):
    pair = f"{row['first']} and {row['second']}"
    glue(f"{key}_pair", pair, display=False)
    for column in ("s", "s_low", "s_high"):
        glue(f"{key}_{column}", float(row[column]), display=False)


# %% tags=["remove-cell"]
by_criterion = table_of.set_index(["criterion", "condition"])
for criterion, of_criterion in by_criterion.groupby("criterion"):
    quote_criterion(criterion, of_criterion)
for ours in ("S at 2", "S at 2, all fitted"):
    for rival in ("training accuracy", "validation"):
        quote_rivals(ours, rival)
conditions = table_of.drop_duplicates("condition")
glue("rq5_conditions", len(conditions), display=False)
best, enough = conditions["best"], conditions["enough_capacity"]
glue("rq5_best", span_text(best, 0), display=False)
enough = span_text(enough, 0)
glue("rq5_enough", enough, display=False)
glue("rq5_repetitions", int(table_of["repetitions"].max()), display=False)
given = recorded.provenance["parameters"]
for name in (
    "repetition_size",
    "fresh_replicas",
    "pair_training",
    "pair_size",
    "pair_replicas",
):
    glue(f"rq5_{name}", f"{given[name]:,}", display=False)

# %% tags=["remove-cell"]
for name, row in order_of.set_index("predictor").iterrows():
    for column in order_of.columns[1:]:
        glue(f"rq5_{name}_{column}", float(row[column]), display=False)
glue("rq5_pairs", len(pairs_of), display=False)
quote_count("rq5_pairs_above", pairs_of["s_low"] > chsh.CLASSICAL_BOUND)
quote_count("rq5_pairs_below", pairs_of["s_high"] < chsh.CLASSICAL_BOUND)
quote_pair("rq5_most", pairs_of.iloc[0])
quote_pair("rq5_least", pairs_of.iloc[-1])
same = pairs_of[["s", "training_drop"]].corr("spearman").iloc[0, 1]
glue("rq5_s_and_drop", float(same), display=False)

# %% [markdown]
# (rq5-saw)=
# ## What we saw
#
# **Choosing a capacity.** Regrets are in percentage points of held-out accuracy; sizes and regrets from the lowest to the highest over the
# {glue:text}`rq5_conditions` conditions:
#
# | criterion | n chosen | regret |
# |:--|:--|:--|
# | S at 2 | {glue:text}`rq5_Sat2_n` | {glue:text}`rq5_Sat2_regret` |
# | S at 2, all fitted | {glue:text}`rq5_Sat2allfitted_n` | {glue:text}`rq5_Sat2allfitted_regret` |
# | S first at 2 | {glue:text}`rq5_Sfirstat2_n` | {glue:text}`rq5_Sfirstat2_regret` |
# | training accuracy | {glue:text}`rq5_trainingaccuracy_n` | {glue:text}`rq5_trainingaccuracy_regret` |
# | training loss | {glue:text}`rq5_trainingloss_n` | {glue:text}`rq5_trainingloss_regret` |
# | gradient conflict | {glue:text}`rq5_gradientconflict_n` | {glue:text}`rq5_gradientconflict_regret` |
# | validation | {glue:text}`rq5_validation_n` | {glue:text}`rq5_validation_regret` |
# | largest | {glue:text}`rq5_largest_n` | {glue:text}`rq5_largest_regret` |
#
# The best size is {glue:text}`rq5_best` units; enough, within a percentage point of it, are {glue:text}`rq5_enough`. In how many of the
# {glue:text}`rq5_conditions` conditions a criterion on S is clearly cheaper than a rival, or clearly dearer (intervals of the regret that do not meet):
#
# | | cheaper than training accuracy | dearer | cheaper than validation | dearer |
# |:--|:--|:--|:--|:--|
# | S at 2 | {glue:text}`rq5_Sat2trainingaccuracy_cheaper` | {glue:text}`rq5_Sat2trainingaccuracy_dearer` | {glue:text}`rq5_Sat2validation_cheaper` | {glue:text}`rq5_Sat2validation_dearer` |
# | S at 2, all fitted | {glue:text}`rq5_Sat2allfittedtrainingaccuracy_cheaper` | {glue:text}`rq5_Sat2allfittedtrainingaccuracy_dearer` | {glue:text}`rq5_Sat2allfittedvalidation_cheaper` | {glue:text}`rq5_Sat2allfittedvalidation_dearer` |
#
# Validation takes no more networks than the others, only a part of their training items.
#
# That S = 2 does not mean fitted is no subtlety. On its way to a peak above 2, S can be within 0.05 of 2, and the criterion without the demand
# stops there ({numref}`fig-first-at-2` has the curves). And with the demand, the criterion is one on the fit of the training items in other
# words.
#
# **Telling which tasks disturb each other.** S is above 2, clear of chance for all pairs together, in {glue:text}`rq5_pairs_above` of
# {glue:text}`rq5_pairs` pairs, and below 2 in {glue:text}`rq5_pairs_below`. The most disturbed are {glue:text}`rq5_most_pair`
# (S = {glue:text}`rq5_most_s:.2f`, {glue:text}`rq5_most_s_low:.2f` to {glue:text}`rq5_most_s_high:.2f`), the least
# {glue:text}`rq5_least_pair` ({glue:text}`rq5_least_s:.3f`, {glue:text}`rq5_least_s_low:.3f` to {glue:text}`rq5_least_s_high:.3f`).
#
# Ordered by S, pairs lose on held-out items of fresh replicas in much that order: the rank correlation is {glue:text}`rq5_s_rho:.2f`
# ({glue:text}`rq5_s_low:.2f` to {glue:text}`rq5_s_high:.2f`). The plain drop in training accuracy orders them with
# {glue:text}`rq5_training_drop_rho:.2f` ({glue:text}`rq5_training_drop_low:.2f` to {glue:text}`rq5_training_drop_high:.2f`). S is ahead of it by
# {glue:text}`rq5_training_drop_s_ahead:.3f` ({glue:text}`rq5_training_drop_s_ahead_low:.3f` to
# {glue:text}`rq5_training_drop_s_ahead_high:.3f`). The two are nearly one: by the identity above they differ by the failures in common, and they agree
# in order at {glue:text}`rq5_s_and_drop:.2f`. The cosine of the gradients has {glue:text}`rq5_cosine_rho:.2f` ({glue:text}`rq5_cosine_low:.2f` to
# {glue:text}`rq5_cosine_high:.2f`); a negative value orders them the wrong way round. The likeness of the tasks, which takes no training, has
# {glue:text}`rq5_likeness_rho:.2f` ({glue:text}`rq5_likeness_low:.2f` to {glue:text}`rq5_likeness_high:.2f`).
#
# **Early signs.** Both are told early. For XORnet tasks S is as good as at the end from {glue:text}`rq5_games_s_good` of the training on, the drop from
# {glue:text}`rq5_games_trainingdrop_good`; for tasks on digits from {glue:text}`rq5_digits_s_good` and {glue:text}`rq5_digits_trainingdrop_good`, and there both are better in the middle of a
# training than at its end. Delta, conflict and the cosine of the gradients tell it later, or do not tell it at all.
#
# **Groups.** S is not shown to choose better than the plain drop which tasks should share a trunk ({numref}`fig-groupings`). What it knows beyond, that two tasks fail together, explains
# {glue:text}`rq5_eight_both_more` more of the variance in trunks of eight units, and {glue:text}`rq5_two_both_more` in trunks of two. On real text the replicas are too few to say anything.
#
# So S is a *description* of how tasks disturb each other, in one number that has a known bound. As a *tool* it does no more than the accuracies that it is made of.
#
# ## What would change our mind
#
# - **A group that the drop misses.** If S or P(both wrong), by the whole interval, explained more of what groups gain than the drop does, by more than
#   {glue:text}`rq5_smallest_share` of the variance, S would have something of its own. Tasks that fail together often would be the place to look: here they seldom do.
# - **A criterion on S that is cheaper.** If *S at 2*, with or without the demand, cost clearly less than training accuracy and than a validation split in most
#   conditions, S would be worth its four trainings. Three conditions bear no interval across conditions; `papermill` takes others:
#   `-y 'populations: [hard_apart, middling]'`.
# - **An order that training accuracy misses.** If S ordered the pairs of tasks clearly better than the plain drop in training accuracy, on
#   other tasks than these, the map would be S's own. {py:func}`ncnet.training.samples.train_pairs` and
#   {py:func}`ncnet.studies.generalization.interference.interference_by_replica` take any tasks on digits; for networks of your own, {doc}`your_model` has S of any four tasks.
# - **A cost of size.** Here nothing is paid for units, and a larger network is hardly ever worse, which favours criteria that choose large ones. Where it is
#   worse, a criterion that waits for S = 2 waits too long ({doc}`rq4` has an example).
#
# ## Go further
#
# Commands and code are for a clone of the repository after `source .venv/bin/activate`, or for a cell at the end of this notebook.
#
# **Ten minutes: one task out.** The darkest row of the map is one task, *triangular*. Is it this task alone that makes S predict what pairs lose?
#
# ````{dropdown} Solution
# ```python
# from ncnet import results
#
# pairs = results.load("interference").table
# has_it = pairs[["first", "second"]].eq("triangular").any(axis=1)
# columns = ["s", "training_drop", "cosine", "likeness", "held_out_drop"]
# for name, part in {"all": pairs, "without it": pairs[~has_it]}.items():
#     print(name, len(part))
#     print(part[columns].corr("spearman")["held_out_drop"].round(2))
# ```
#
# No. Without its nine pairs the correlation of S falls a little, and so does that of the drop in training accuracy, by as much: the order of the
# other pairs is predicted nearly as well. (A pair whose gradients are less opposed, or whose tasks are less alike, loses more; the signs here are
# the plain ones.)
# ````
#
# **Half an hour: what would a unit have to cost?** Charge a price for each hidden unit, in percentage points of held-out accuracy. At which prices is
# a criterion on S the cheapest of the eight?
#
# ````{dropdown} Solution
# ```python
# import pandas as pd
#
# from ncnet import results
#
# curves = results.load("capacity_fresh").table
# choices = results.load("capacity_choices").table
# accuracy = 100 * curves.set_index(["condition", "capacity"])["held_out_accuracy"]
# units = accuracy.index.get_level_values("capacity")
#
#
# def lost(price):
#     """What each criterion loses on average, in percentage points."""
#     worth = accuracy - price * units
#     best = worth.groupby("condition").max()
#     chosen = worth.loc[list(zip(choices["condition"], choices["capacity"]))]
#     short = best.loc[choices["condition"]].values - chosen.values
#     return pd.Series(short).groupby(choices["criterion"]).mean()
#
#
# prices = [0, 0.05, 0.1, 0.2, 0.5, 1, 2]
# print(pd.DataFrame({price: lost(price) for price in prices}).round(2))
# ```
#
# While units are all but free, the criteria that choose the largest size lose next to nothing. From a fifth of a point a unit on they lose much, and
# *S at 2, all fitted* loses least of all, somewhat less than training accuracy; at a point a unit training accuracy does. So there are prices at
# which a criterion on S comes first, but it does not know the price. It stops where the training items are fitted, and there the curve of held-out
# accuracy becomes flat.
# ````
#
# **An hour: where larger is worse.** Flip three labels in ten and run the notebook. Which criteria get dearer, which cheaper?
#
# ````{dropdown} Solution
# ```console
# $ papermill notebooks/rq5.ipynb noisy.ipynb -p label_noise 0.3 -p save_to noisy \
#     -p repetition_size 64 -p fresh_replicas 128 -y 'hidden_sizes: [1, 2, 3, 4, 6, 12, 24]'
# ```
#
# ```python
# from pathlib import Path
#
# from ncnet import results
#
# table = results.load("capacity_criteria", folder=Path("noisy")).table
# print(table[["criterion", "regret", "lowest", "highest", "met", "best"]])
# ```
#
# No size meets a criterion on S or the one on training accuracy, so the largest stands in; training loss and gradient conflict choose the largest
# by themselves. All of them lose. Only the validation split finds the few units that are best. What is computed on the training items alone cannot
# tell a flipped label from a right one.
# ````

# %% [markdown]
# ## How the runs changed
#
# The run on capacity was made twice. In the first, with up to twelve units and other seeds, the largest network was the best. So 24 units were added; the criteria are as they
# were. The run on groups was made twice as well. In the first all trunks had eight units, in which nearly every training item is fitted, so that a drop has little to tell. So trunks
# of two units were added, with a prediction of their own.
