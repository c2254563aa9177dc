"""Families of tasks, their named quartets, and doses on the pair with the minus sign."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnet import datasets, results
from ncnet.studies.ranks.families import FAMILIES, family, name_quartet


@pytest.mark.parametrize("one", FAMILIES.values(), ids=lambda one: one.name)
def test_a_family_has_known_tasks_and_a_quartet_of_four_of_them(one):
    assert set(one.tasks) <= set(datasets.TASKS)
    chosen = list(itertools.chain(*one.named))
    assert len(set(chosen)) == 4
    assert set(chosen) <= set(one.tasks)
    (a1, a2), (b1, b2) = one.named
    assert one.contexts == ((a1, b1), (a1, b2), (a2, b1), (a2, b2))
    assert one.minus == (a2, b2)


SHARES = st.lists(st.sampled_from([0.2, 0.5, 0.5, 0.9, 1.0]), min_size=4, max_size=7)


@given(SHARES, st.randoms())
def test_the_named_quartet_follows_from_what_is_right_alone(shares, random):
    right = {f"task {k}": share for k, share in enumerate(shares)}
    (a1, a2), (b1, b2) = name_quartet(right)
    rest = [share for task, share in right.items() if task not in (a1, a2, b1, b2)]
    assert right[a1] >= right[b1] >= max(rest, default=0)
    assert right[a2] <= right[b2] <= min([*rest, right[b1]])
    order = list(right)
    random.shuffle(order)
    assert name_quartet({task: right[task] for task in order}) == ((a1, a2), (b1, b2))


@pytest.mark.parametrize(
    ("right", "line"),
    [
        ({"a": 0.5, "b": 0.5, "c": 0.5}, "there are 3 tasks: expected four or more"),
        (dict.fromkeys("abcd", float("nan")), r"`right\['a'\]` is nan: expected a number from"),
    ],
)
def test_a_quartet_that_cannot_be_named_is_refused(right, line):
    with pytest.raises(ValueError, match=line):
        name_quartet(right)


@pytest.mark.parametrize(
    ("ratio", "times"), [(4, (4, 1)), (2, (2, 1)), (1, (1, 1)), (0.5, (1, 2)), (1 / 3, (1, 3))]
)
def test_a_ratio_is_that_of_training_items_of_one_task_to_the_other_in_every_context(ratio, times):
    of = family("toy_languages")
    plain, tasks = (of.data(items=4, held_out=2, seed=0, ratio=one) for one in (1, ratio))
    counts = {name: len(task.training) + len(task.further) for name, task in tasks.items()}
    for alice, bob in of.contexts:
        assert (counts[alice], counts[bob]) == (4 * times[0], 4 * times[1])
    for name, task in tasks.items():
        assert (task.training, task.held_out) == (plain[name].training, plain[name].held_out)


def test_only_the_minus_pair_is_shuffled():
    of = family("toy_mixed")
    plain, dosed = (of.data(items=20, held_out=2, seed=0, shuffled=share) for share in (0, 1))
    for name in of.tasks:
        assert (plain[name] == dosed[name]) == (name not in of.minus)


@pytest.mark.parametrize("ratio", [0, 1.5, 0.3, -1, float("inf"), "two"])
def test_other_ratios_are_refused(ratio):
    with pytest.raises(ValueError, match=r"`ratio` is .*: expected"):
        family("toy_mixed").data(items=2, held_out=1, seed=0, ratio=ratio)


@pytest.mark.parametrize("name", ["languages", "mixed"])
def test_the_named_quartet_is_the_one_that_the_trial_gives(name):
    rows = results.load("real_tasks", folder=results.FOLDER / "trial").table
    rows = rows[(rows["family"] == name) & (rows["steps"] > 300) & (rows["rank"] == 1)]
    right = rows.set_index("task")["right"].to_dict()
    assert set(right) == set(family(name).tasks)
    assert name_quartet(right) == family(name).named


@pytest.mark.parametrize("name", ["languages", "mixed"])
def test_in_the_trial_the_rank_is_a_capacity(name):
    rows = results.load("real_tasks", folder=results.FOLDER / "trial").table
    rows = rows[(rows["family"] == name) & (rows["steps"] > 300)]
    right = rows.pivot(index="task", columns="rank", values="right")
    assert (right.max(axis=1) - right[0] >= 0.1).all()
