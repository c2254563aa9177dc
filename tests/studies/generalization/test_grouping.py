"""Which tasks should share a trunk: lines over sets of tasks, regrets, and one trunk for all."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from ncnet.experiment.grouping import partitions
from ncnet.studies.generalization import grouping, together
from ncnet.studies.generalization.grouping import APART, BOTH, CHANCE, DROP, HALF, MEASURES, TASKS
from ncnet.training import samples

PAIRS = list(itertools.combinations(range(TASKS), 2))


def made_up(gain, sets=6, seed=0):
    """Return pairs of several sets with measures drawn at random, and gains that follow them."""
    generator = np.random.default_rng(seed)
    columns = dict.fromkeys(name for several in MEASURES.values() for name in several)
    parts = []
    for number in range(sets):
        rows = pd.DataFrame(PAIRS, columns=["first", "second"]).assign(set=number, hidden_size=8)
        rows = rows.assign(**{name: generator.normal(size=len(rows)) for name in columns})
        parts.append(rows.assign(gain=gain(rows), gain_error=0.0))
    return pd.concat(parts, ignore_index=True)


def test_a_line_explains_what_follows_it_and_costs_nothing():
    rows = made_up(lambda rows: 1 - 2 * rows["training_drop"] + rows["both_wrong"])
    found = grouping.by_set(rows)
    of_measure = found.groupby("measure")
    assert (of_measure["explained"].get_group(BOTH) > 1 - 1e-9).all()
    assert of_measure["explained"].get_group(DROP).mean() == pytest.approx(0.8, abs=0.1)
    assert of_measure["explained"].get_group("likeness").mean() < 0.1
    regrets = [name for name in found if name.startswith("regret")]
    assert (of_measure.get_group(BOTH)[regrets].abs() < 1e-9).to_numpy().all()
    summary = grouping.summary(found).set_index("measure")
    assert summary.loc[BOTH, "more_explained_low"] > 0.02
    assert summary.loc[BOTH, "less_regret"] > 0
    assert summary.loc[BOTH, "sets"] == 6


def test_what_follows_the_drop_alone_is_answered_so_at_each_size():
    followed = made_up(lambda rows: 1 - 2 * rows["training_drop"], sets=12)
    failed = made_up(lambda rows: rows["both_wrong"] - rows["training_drop"], sets=12)
    table = pd.concat([followed, failed.assign(hidden_size=2)])
    found = grouping.answers(grouping.summary(grouping.by_set(table)))
    said = found.set_index(["hidden_size", "question"])["answer"]
    both_wrong, _, _, cheaper, *_ = grouping.PREDICTED
    assert not said[8, grouping.S_MORE]
    assert (said[8, both_wrong], said[2, both_wrong]) == (False, True)
    assert said[8, cheaper]
    assert len(said) == 2 * len(grouping.PREDICTED)


def test_chance_and_staying_apart_cost_what_all_ways_say():
    rows = made_up(lambda rows: rows["s"], sets=2)
    found = grouping.by_set(rows).set_index(["set", "measure"])
    gains = rows.loc[rows["set"] == 1, "gain"].to_numpy()
    ways, trunks = partitions(TASKS)
    true = 2 / TASKS * (ways @ gains)
    of_half = true[trunks == HALF]
    assert len(of_half) == 945
    expected = of_half.max() - of_half.mean()
    assert found.loc[(1, CHANCE), f"regret_{HALF}"] == pytest.approx(expected)
    assert found.loc[(1, APART), "regret_any"] == pytest.approx(true.max())
    assert found.loc[(1, "S"), "regret_any"] == pytest.approx(0, abs=1e-9)


def test_no_task_is_drawn_twice_in_whatever_words():
    for seed in range(20):
        members = [frozenset(one) for one in grouping.draw_tasks(seed).values()]
        assert len({frozenset([one, frozenset(range(10)) - one]) for one in members}) == TASKS
        assert all(3 <= len(one) <= 5 for one in members)


def test_what_is_seen_and_what_is_gained_come_from_other_replicas():
    tasks = {name: samples.NAMED_TASKS[name] for name in ("odd", "prime", "square")}
    options = {"training": 20, "held_out": 30, "seed": 0, "steps": 20, "hidden_size": 3}
    few, more = (grouping.train_set(tasks, replicas=count, **options) for count in (2, 3))
    assert not np.allclose(few["gain"], more["gain"])
    assert (few["gain_error"] >= 0).all()
    assert few["s"].between(-4, 4).all()


def test_tasks_pull_one_trunk_as_autograd_says():
    tasks = {name: samples.NAMED_TASKS[name] for name in ("odd", "prime", "square")}
    population = samples.digits(tasks.values(), training=12, held_out=4, seed=3)
    options = {"hidden_size": 3, "replicas": [7], "seed": 5}
    rows = together.affinities(population, list(tasks), steps=0, learning_rate=0.3, **options)
    # The same network as modules, with the weights that pairs start from.
    trunk, heads = nn.Linear(64, 3), nn.Linear(3, 3)
    network = together._Network(population, 3, [7], 5)
    with torch.no_grad():
        trunk.weight[:], trunk.bias[:] = network.trunk[0, :, :-1], network.trunk[0, :, -1]
        heads.weight[:], heads.bias[:] = network.heads[0, :, :-1], network.heads[0, :, -1]
    drawn = population.draw([7])
    inputs = torch.from_numpy(drawn.inputs[0, :12])
    targets = torch.from_numpy(drawn.targets[:, 0, :12]).float()

    def losses():
        return softplus(-targets * heads(torch.tanh(trunk(inputs))).T).mean(1)

    before = losses()
    weights = [trunk.weight, trunk.bias]
    gradients = [torch.autograd.grad(loss, weights, retain_graph=True) for loss in before]
    flat = [torch.cat([part.ravel() for part in gradient]) for gradient in gradients]
    after = []
    for gradient in gradients:
        with torch.no_grad():
            for weight, part in zip(weights, gradient, strict=True):
                weight -= 0.3 * part
            after.append(losses())
            for weight, part in zip(weights, gradient, strict=True):
                weight += 0.3 * part
    for row, (s, t) in zip(rows.itertuples(), itertools.combinations(range(3), 2), strict=True):
        cosine = torch.cosine_similarity(flat[s], flat[t], dim=0).item()
        assert row.joint_cosine == pytest.approx(cosine, abs=1e-5)
        ratios = [(after[i][k] / before[k]).item() for i, k in ((s, t), (t, s))]
        assert row.lookahead == pytest.approx(1 - np.mean(ratios), abs=1e-5)


def test_all_tasks_in_one_trunk_are_learnt():
    population = samples.digits(samples.NAMED_TASKS.values(), training=40, held_out=4, seed=0)
    network = together._Network(population, 8, range(4), 0)
    before = network.losses(network.trunk).mean().item()
    for _ in range(100):
        network.step(0.5)
    assert network.losses(network.trunk).mean().item() < before / 2
