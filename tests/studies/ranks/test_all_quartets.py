"""S of all quartets at once: against quartets looked up one by one, identities and simulation."""

import itertools

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from ncnet import chsh
from ncnet.chsh.bootstrap import drawn_shares
from ncnet.studies.ranks import all_quartets as module
from ncnet.studies.ranks import figures
from ncnet.studies.ranks.all_quartets import ROLES, all_quartets, disturbance, mean_identity
from ncnet.studies.ranks.pigeonhole import pigeonhole_means
from tests.refusals import refused

NAMES = ("de", "en", "fr", "ja", "ko")
CAPACITIES = (4, 0)
FEW = {"resamples": 400}


def family(names=NAMES, *, seed=0, right=0.7, shape=(14, 6), alone=True, **options):
    """Return outcomes by chance of all pairs and of all tasks alone, the names in no order."""
    generator = np.random.default_rng(seed)
    given_pairs = [(t, s) for s, t in itertools.combinations(names, 2)]
    heads = [*given_pairs, *((name,) for name in names if alone)]
    outcomes = {
        tasks: np.where(generator.random((len(tasks), len(CAPACITIES), *shape)) < right, 1, -1)
        for tasks in heads
    }
    return chsh.collect_pairs(outcomes, capacities=CAPACITIES, **options)


def looked_up(pairs, row):
    """Return the outcomes of a row's quartet at its capacity."""
    alice, bob = ((row[f"{party}_1"], row[f"{party}_2"]) for party in ("alice", "bob"))
    return chsh.quartet(pairs, alice=alice, bob=bob).sel(capacity=row["capacity"])


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("split", ["training", "held_out"])
def test_a_row_is_what_its_quartet_gives(paired, split):
    pairs = family(paired=paired, split=["training"] * 4 + ["held_out"] * 2)
    table = all_quartets(pairs, split=split, **FEW)
    assert len(table) == 2 * 60
    assert table["capacity"].is_monotonic_increasing
    for row in table.sample(3, random_state=0).to_dict("records"):
        outcomes = looked_up(pairs, row)
        s = chsh.s_per_replica(outcomes, split=split)
        marginals = chsh.marginals(outcomes, split=split)
        right = (2 + marginals.alice + marginals.bob).mean() / 4
        assert row["s"] == pytest.approx(float(s.mean()), abs=1e-12)
        assert row["accuracy"] == pytest.approx(float(right))
        assert row["delta"] == pytest.approx(float(chsh.delta(marginals)))
        assert row["minus"] == f"{row['alice_2']} beside {row['bob_2']}"
        assert row["s_low"] < row["s"] < row["s_high"]


@pytest.mark.slow
@pytest.mark.parametrize("paired", [True, False])
def test_each_quartet_is_there_once_up_to_the_exchange_of_parties(paired):
    pairs = family(paired=paired)
    table = all_quartets(pairs, **FEW).query("capacity == 4")
    found = {tuple(row): s for *row, s in table[[*ROLES, "s"]].itertuples(index=False)}
    assert len(found) == 60
    for a1, a2, b1, b2 in itertools.permutations(NAMES, 4):
        s = chsh.s_per_replica(chsh.quartet(pairs, alice=(a1, a2), bob=(b1, b2)))
        expected = float(s.sel(capacity=4).mean())
        here = [found[row] for row in ((a1, a2, b1, b2), (b1, b2, a1, a2)) if row in found]
        assert here == [pytest.approx(expected, abs=1e-12)]


@pytest.mark.parametrize("paired", [True, False])
def test_draws_are_those_of_each_quartet(paired):
    pairs = family(paired=paired)
    heads = module._Heads.of(pairs, "training")
    quartets = heads.quartets()
    drawn = module._combinations(len(NAMES), quartets) @ heads.drawn(700, 3)
    for place in (0, 17, 59):
        a1, a2, b1, b2 = tasks = [NAMES[task] for task in quartets[place]]
        outcomes = chsh.quartet(pairs, alice=(a1, a2), bob=(b1, b2))
        means = pigeonhole_means(outcomes, tasks=tasks, resamples=700, seed=3)
        expected = chsh.s_value(means.correlator).sortby("capacity")
        np.testing.assert_allclose(drawn[:, place], expected.values, atol=1e-12)


def test_intervals_reach_as_far_as_students_quantile_of_the_spread():
    pairs = family(names=NAMES[:4], shape=(16, 30))
    table = all_quartets(pairs, resamples=4000).query("capacity == 0")
    assert set(table["interval_method"]) == {module.SPREAD}
    due = student.ppf(1 - 0.05 / 2 / len(table), 15) * np.sqrt(16 / 15)
    for row in table[::3].to_dict("records"):
        tasks = [row[role] for role in ROLES]
        means = pigeonhole_means(looked_up(pairs, row), tasks=tasks, resamples=4000)
        spread = float(chsh.s_value(means.correlator).std("resample", ddof=1))
        assert row["s_high"] - row["s"] == pytest.approx(due * spread)
        assert row["s"] - row["s_low"] == pytest.approx(due * spread)


def test_where_replicas_hardly_differ_intervals_are_bets():
    pairs = family(right=1.1)  # all is right
    pairs["first"][{"replica": [0, 1], "item": 0}] = -1
    table = all_quartets(pairs, **FEW)
    assert set(table["interval_method"]) == {module.BETTING}
    assert (table["s_high"] - table["s_low"]).min() > 0.1
    row = table.to_dict("records")[7]
    s = chsh.s_per_replica(looked_up(pairs, row)).values
    options = {"level": 1 - 0.05 / 60, "bounds": (-4, 4), "resamples": 20_000}
    interval, method = chsh.replica_interval(s, **options)
    assert method == module.BETTING
    assert (row["s_low"], row["s_high"]) == pytest.approx(interval)


def test_points_lost_are_those_that_heads_get_right_alone():
    rows = all_quartets(family(seed=2), **FEW).to_dict("records")
    table = disturbance(family(seed=2)).set_index(["capacity", "task", "partner"])["points"]
    for row in rows[:5] + rows[-5:]:
        (a1, a2, b1, b2), capacity = (row[role] for role in ROLES), row["capacity"]
        contexts = itertools.product((a1, a2), (b1, b2))
        lost = [
            table[capacity, *heads] for pair in contexts for heads in (pair, tuple(reversed(pair)))
        ]
        assert row["points_lost"] == pytest.approx(np.mean(lost))


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.booleans(), st.floats(0, 1), st.integers(4, 6))
def test_the_mean_of_s_is_twice_that_of_a_pair_and_never_above_2(seed, paired, right, count):
    names = "abcdef"[:count]
    pairs = family(names, seed=seed, right=right, paired=paired, shape=(3, 4))
    found = mean_identity(pairs)
    assert found["capacity"].tolist() == [0, 4]
    np.testing.assert_allclose(found["mean_s"], found["twice_correlator"], rtol=0, atol=1e-12)
    assert found["mean_s"].max() <= 2 + 1e-12


@pytest.mark.slow
def test_the_identity_is_of_all_ordered_quartets():
    pairs = family(NAMES[:4], paired=False)
    s = [
        chsh.s_per_replica(chsh.quartet(pairs, alice=(a1, a2), bob=(b1, b2))).mean("replica")
        for a1, a2, b1, b2 in itertools.permutations(NAMES[:4])
    ]
    expected = xr.concat(s, "quartet").mean("quartet").sortby("capacity")
    np.testing.assert_allclose(mean_identity(pairs)["mean_s"], expected)


def test_disturbance_is_by_task_and_partner():
    pairs = family(NAMES[:3], shape=(20, 30))
    table = disturbance(pairs)
    assert len(table) == 2 * 6
    alone = pairs.sel(pair=(pairs["second_task"] == "").values).set_index(pair="first_task")
    for row in table.to_dict("records"):
        tasks = sorted((row["task"], row["partner"]))
        here = (pairs["first_task"] == tasks[0]) & (pairs["second_task"] == tasks[1])
        head = ("first", "second")[tasks.index(row["task"])]
        at = {"capacity": row["capacity"]}
        together = (pairs[head].sel(at)[here.values] == 1).mean().item()
        own = (alone["first"].sel(pair=row["task"], **at) == 1).mean().item()
        assert (row["alone"], row["beside"]) == (pytest.approx(own), pytest.approx(together))
        assert row["points"] == pytest.approx(100 * (own - together))
        assert row["points_low"] < row["points"] < row["points_high"]


def test_tasks_alone_lose_nothing():
    heads = {(name,): np.ones((1, 2, 12, 5)) for name in NAMES[:2]}
    both = {NAMES[:2]: np.ones((2, 2, 12, 5))}
    table = disturbance(chsh.collect_pairs(heads | both, capacities=CAPACITIES))
    assert (table["points"] == 0).all()
    assert set(table["interval_method"]) == {"betting"}


@pytest.mark.parametrize("function", [all_quartets, mean_identity, disturbance])
@pytest.mark.parametrize(
    ("pairs", "parts"),
    [
        (family(alone=False), ["`de` was not trained alone", "all pairs and tasks alone"]),
        (family().isel(pair=[0, *range(2, 15)]), ["was not trained beside"]),
        (family().isel(capacity=0), ["no dimension `capacity`"]),
        (family().assign_coords(cluster=("replica", [*"aabbccddeeffgg"])), ["clusters"]),
    ],
)
def test_what_is_no_family_is_refused(function, pairs, parts):
    refused(lambda: function(pairs), parts)


@pytest.mark.parametrize("function", [all_quartets, mean_identity])
def test_three_tasks_have_no_quartet(function):
    refused(lambda: function(family(NAMES[:3])), ["3 tasks", "at least four"])


@pytest.mark.parametrize("function", [all_quartets, mean_identity])
def test_a_split_without_items_is_refused(function):
    refused(lambda: function(family(), split="held_out"), ["held_out", "training"])


def test_too_few_resamples_are_refused():
    refused(lambda: all_quartets(family(), resamples=100), ["`resamples` is 100", "at least 200"])
    refused(
        lambda: disturbance(family(), resamples=1000), ["`resamples` is 1000", "at least 4,000"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("paired", [True, False])
def test_all_quartets_are_covered_together(paired):
    """Replicas and items have effects of their own, and the true S is 2 c with one correlator c."""
    rng, trials, replicas, items = np.random.default_rng(5), 100, 14, 60
    skill, ease = rng.normal(0.5, 0.7, size=(2000, 1)), rng.normal(size=(1, 2000))
    mean = np.tanh((skill + ease) / 2)
    c = (mean**2).mean() if paired else (mean.mean(1) ** 2).mean()
    covered = 0
    for trial in range(trials):
        ease = rng.normal(size=(1 if paired else 4, 1, items))
        outcomes = {}
        for tasks in [*itertools.combinations(range(4), 2), *((task,) for task in range(4))]:
            skill = rng.normal(0.5, 0.7, size=(1, replicas, 1))
            chances = [(1 + np.tanh((skill + ease[0 if paired else k]) / 2)) / 2 for k in tasks]
            heads = [np.where(rng.random(x.shape) < x, 1, -1) for x in chances]
            outcomes[tuple("abcd"[k] for k in tasks)] = heads
        pairs = chsh.collect_pairs(outcomes, capacities=[1], paired=paired)
        table = all_quartets(pairs, resamples=400, seed=trial)
        covered += ((table["s_low"] <= 2 * c) & (2 * c <= table["s_high"])).all()
    assert covered >= 88


@pytest.mark.slow
@pytest.mark.parametrize("skewed", [False, True])
def test_420_quartets_of_a_dozen_replicas_are_covered_together(skewed):
    """Where replicas alone differ; the largest deviation in resamples covers some 85 % of these."""
    rng, trials, replicas, mean = np.random.default_rng(4), 100, 12, 0.8
    pairs = chsh.collect_pairs(
        {
            tasks: np.ones((len(tasks), 1, 2, 1))
            for size in (1, 2)
            for tasks in itertools.combinations("abcdefg", size)
        },
        capacities=[1],
    )
    combined = module._combinations(7, module._Heads.of(pairs, "training").quartets())
    assert combined.shape == (420, 21)
    covered = 0
    for _ in range(trials):
        noise = 1 - rng.exponential(size=(21, replicas)) if skewed else rng.normal(size=(21, 12))
        c = mean + 0.05 * noise
        draws = c @ drawn_shares(replicas, 1000, rng).T
        found = module._with_intervals(combined @ c, combined, draws, 0.95)
        covered += ((found["s_low"] <= 2 * mean) & (2 * mean <= found["s_high"])).all()
    assert covered >= 87


def test_both_figures_are_drawn():
    rng = np.random.default_rng(4)
    names = ["de", "en", "fr", "ja", "ko"]
    outcomes = {
        pair: rng.choice([-1, 1], size=(len(pair), 1, 16, 8), p=[0.2, 0.8])
        for count in (1, 2)
        for pair in itertools.combinations(names, count)
    }
    pairs = chsh.collect_pairs(outcomes, capacities=[4])
    table = all_quartets(pairs)
    figure = figures.all_quartets(table, (("ko", "de"), ("en", "fr")))
    assert len(figure.axes[0].get_yticks()) == 10
    [legend] = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["other quartets", "named beforehand"]
    assert len(figures.disturbance(disturbance(pairs)).axes) == 2
