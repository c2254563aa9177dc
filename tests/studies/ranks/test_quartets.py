"""S of all quartets at once, against the look-up of each; who disturbs whom."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ncnet import chsh
from ncnet.studies.ranks import figures, quartets
from ncnet.studies.ranks.contrasts import contrast, measure

NAMES = ["de", "en", "fr", "ja", "ko"]


def random_pairs(seed, *, names=NAMES, replicas=20, items=30, paired=True):
    """Return outcomes of all pairs and of tasks alone, of tasks that are got right unequally."""
    rng = np.random.default_rng(seed)
    right = {name: rng.uniform(0.5, 1) for name in names}
    found = {}
    for pair in [*itertools.combinations(names, 2), *((name,) for name in names)]:
        shown = [rng.random((replicas, items)) < right[name] for name in pair]
        found[pair] = [np.where(one, 1, -1) for one in shown]
    split = ["training"] * (items - 6) + ["held_out"] * 6
    return chsh.collect_pairs(found, split=split, paired=paired)


@given(st.integers(0, 999), st.booleans())
@settings(max_examples=10)
def test_the_mean_over_all_quartets_is_twice_the_mean_pair_correlator(seed, paired):
    mean, twice = quartets.mean_identity(random_pairs(seed, paired=paired))
    assert mean == pytest.approx(twice, abs=1e-12)
    assert mean <= 2


@pytest.mark.parametrize("paired", [True, False])
def test_s_of_each_quartet_is_that_of_its_look_up(paired):
    pairs = random_pairs(1, paired=paired)
    table = quartets.quartet_rows(pairs, resamples=500).set_index(["a1", "a2", "b1", "b2"])
    assert len(table) == 60
    for a1, a2, b1, b2 in itertools.permutations(NAMES, 4):
        looked_up = chsh.quartet(pairs, alice=(a1, a2), bob=(b1, b2))
        expected = float(chsh.s_per_replica(looked_up).mean())
        place = (a1, a2, b1, b2) if (a1, a2) < (b1, b2) else (b1, b2, a1, a2)
        assert table.loc[place, "s"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("paired", [True, False])
def test_intervals_of_all_quartets_are_those_of_one_drawn_out(paired):
    pairs = random_pairs(2, paired=paired)
    table = quartets.quartet_rows(pairs, resamples=4000)
    row = table.iloc[7]
    alice, bob = (row["a1"], row["a2"]), (row["b1"], row["b2"])
    looked_up = chsh.quartet(pairs, alice=alice, bob=bob).expand_dims(capacity=[1.0])
    measured = measure(looked_up, (*alice, *bob), resamples=4000)
    alone = contrast(measured, {1.0: 1})
    own = measured[1.0][1].std()
    reach = (table["s_high"] - table["s"]) / own
    # Beyond what one quartet needs, short of Bonferroni over all sixty.
    assert 2 < reach[7] < 3.6
    assert row["s_low"] < alone.low + 0.05
    assert (table["interval_method"] == "sup-t bootstrap").all()


def test_they_cover_what_replicas_and_items_come_from():
    """Of outcomes by chance every S is 0, and all intervals together say so in most draws."""
    covered = 0
    for seed in range(40):
        rng = np.random.default_rng([9, seed])
        found = {
            pair: rng.choice([-1, 1], size=(2, 16, 60)) for pair in itertools.combinations(NAMES, 2)
        }
        table = quartets.quartet_rows(chsh.collect_pairs(found), resamples=400)
        covered += ((table["s_low"] <= 0) & (table["s_high"] >= 0)).all()
    assert covered >= 35


def test_where_hardly_any_replica_differs_bets_are_made():
    ones = np.ones((2, 30, 8))
    found = {pair: ones.copy() for pair in itertools.combinations(NAMES[:4], 2)}
    found["de", "en"][0, :3, 0] = -1
    table = quartets.quartet_rows(chsh.collect_pairs(found), resamples=500)
    assert (table["interval_method"] == "betting").all()
    assert (table["s_high"] > table["s_low"]).all()


def test_points_lost_are_those_of_the_tables():
    pairs = random_pairs(3)
    lost = quartets.disturbance(pairs).set_index(["task", "partner"])["lost"]
    assert len(lost) == 20
    first = pairs.isel(item=pairs.split.values == "training")
    both = (first[name].values.tolist() for name in ("first_task", "second_task"))
    names = list(zip(*both, strict=True))
    alone = (first["first"].isel(pair=names.index(("fr", ""))) == 1).mean()
    beside = (first["second"].isel(pair=names.index(("de", "fr"))) == 1).mean()
    assert lost["fr", "de"] == pytest.approx(100 * float(alone - beside))


def test_both_figures_are_drawn():
    pairs = random_pairs(4)
    named = (("ko", "de"), ("en", "fr"))
    drawn = figures.all_quartets(quartets.quartet_rows(pairs, resamples=500), named)
    [axes] = drawn.axes
    assert len(axes.get_yticks()) == 10
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["other quartets", "named beforehand"]
    assert len(figures.disturbance(quartets.disturbance(pairs)).axes) == 2
