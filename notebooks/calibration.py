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
# # Can the intervals and tests be trusted?
#
# **The question.** What this book says rests on intervals at 95 % and tests at 5 % ({doc}`../protocol`). Do
# such intervals hold the true value in 95 % of the experiments? Do such tests reject what is true in at most
# 5 % of them, and what is false often? Formulas answer this for many replicas and for distributions that are
# kind. Ours are neither always: near the ceiling almost every replica has S = 2, Δ adds up absolute
# values, and a single run has few replicas.
#
# **The paper's statement.** None on this. It shows S of 50 runs; how it judges them, public summaries {cite:p}`summaries2026` do not say.
#
# **What we did.** We made experiments whose truth is known. A *model* is a list of kinds of replica with their
# probabilities, so that its own S, Δ and all else are sums without any error. An experiment draws replicas from it and
# makes every interval and every test of {py:func}`ncnet.chsh.report`, and those of plainer methods. Each is then
# compared with the model. The share of experiments in which an interval holds the truth is its *coverage*.
# The share in which a test rejects is its *size* where the hypothesis is true, and its *power* where it
# is false. A large study is recorded; a small one runs live.
#
# **What we saw.** Recorded: {glue:text}`size_framed` of {glue:text}`size_cells` cells of the report's tests reject what is true
# too often by more than chance, and {glue:text}`framed` of {glue:text}`cells` cells of its intervals cover too seldom,
# {glue:text}`framed_fewest` of these with {glue:text}`fewest` replicas. The verdict on S goes by the betting interval, which
# covers in at least {glue:text}`betting_lowest:.1%`; it is wrong in at most {glue:text}`wrong:.1%`. A t-test rejects what is true in up to {glue:text}`size_t:.0%`.
# [All of it, below](calibration-saw).
#
# **Time.** 20 seconds of one processor.

# %% tags=["parameters"]
models: list = ["ceiling", "skewed", "boundary", "singlet"]
replica_counts: list = [32, 200]
simulations: int = 24  # experiments for each model and number of replicas
seed: int = 0
record: bool = False  # replace the table in results/
save_to: str = ""  # a folder for the tables of this run

# %%
from ncnet.parameters import validate
from ncnet.studies.calibration.parameters import Calibration

chosen = validate(globals(), Calibration)

# %%

from ncnet import plotting, runs
from ncnet.studies.calibration import analysis as calibration

plotting.use_style()
run = runs.Run(Calibration, chosen)

# %% [markdown]
# The small study, live; with `record` it is the one that is drawn below.

# %%
live = calibration.run(
    models,
    replicas=replica_counts,
    simulations=simulations,
    seed=seed,
    parts=run.parts,
)

run.save("calibration", live)
