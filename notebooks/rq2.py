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
# # RQ2: does the competition of gradients cause it?
#
# **The paper's statement.** S passes 2 because the gradients of both heads compete for shared hidden
# units, not because of an explicit channel; a head "implicitly senses" the other's task through
# oscillations of its own loss {cite:p}`zhao2026`.
#
# ## What is predicted
#
# Written and committed before any of the trainings below was run. If competition is the cause, then at
# the critical size, n = 3:
#
# | intervention | what it does | S | Δ and influence |
# |:--|:--|:--|:--|
# | separate, n each | a trunk of n units for each head | falls | 0, by theorem |
# | separate, ⌈n/2⌉ or ⌊n/2⌋ each | the n units are shared out | falls | 0, by theorem |
# | λ from 1 to 0 | the trunk moves along $g_A + \lambda g_B$; the heads' own weights learn in full | falls with λ | fall; Alice's part is 0 at λ = 0, by theorem |
# | PCGrad | each gradient loses its part against the other; the trunk stays shared | falls | fall |
# | MGDA, CAGrad | compromises that no head is made to pay for | falls | fall |
# | head start | Alice's head is trained first, then both | no prediction: the competition goes on | no prediction |
# | small steps | a tenth of the learning rate, ten times the steps: hardly any oscillation of the optimizer's own making | falls, if oscillation is the way | fall |
#
# (The last line was added after a first run of the others, on 512 replicas of `overlap`, and before its own.)
#
# And if a head senses the other's task through oscillations of its own loss, then at n = 3 Bob's
# setting can be told from Alice's loss; from its oscillation alone as well; less well without its
# oscillation; and hardly at all at sizes at which S is 2.
#
# And if conflict is what drives S, then gradients at n = 3 are opposed most in the context of both hard
# tasks, and there most in the replicas whose own S is largest.
