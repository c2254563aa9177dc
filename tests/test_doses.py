"""Doses of difficulty: a share of a task's training labels is shuffled."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnet import datasets
from ncnet.datasets.doses import shuffled_labels


def task(items=40, further=20):
    more = {"toy/which": further}
    return datasets.load(["toy/which"], items=items, held_out=6, seed=0, further=more)["toy/which"]


def labels(of):
    return [item.label for item in (*of.training, *of.further)]


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 99))
def test_texts_and_the_counts_of_labels_stay_and_a_smaller_share_is_within_a_larger(one, two, seed):
    whole = task()
    low, high = sorted((one, two))
    less, more = (shuffled_labels(whole, share, seed=seed) for share in (low, high))
    for share, found in ((low, less), (high, more)):
        assert Counter(labels(found)) == Counter(labels(whole))
        moved = sum(a != b for a, b in zip(labels(found), labels(whole), strict=True))
        assert moved <= round(share * 60)
        assert found.held_out == whole.held_out
        assert (found.name, len(found.training), len(found.further)) == ("toy/which", 40, 20)
        for before, after in zip(whole.training, found.training, strict=True):
            assert replace(after, label=before.label) == before
    everything = shuffled_labels(whole, 1, seed=seed)
    assert labels(everything) != labels(whole)


def test_what_is_shuffled_is_nested():
    whole = task(items=400, further=0)
    places = []
    for share in (0.25, 0.5, 0.75, 1):
        found = shuffled_labels(whole, share, seed=3)
        before_after = zip(labels(whole), labels(found), strict=True)
        places.append({k for k, (before, after) in enumerate(before_after) if before != after})
    for share, moved in zip((0.25, 0.5, 0.75, 1), places, strict=True):
        # Of five choices, drawn evenly, four in five labels come to a place of another.
        assert len(moved) == pytest.approx(share * 400 * 0.8, rel=0.12)
    assert len(places[0] - places[1]) < 0.35 * len(places[0])


def test_no_share_leaves_the_task_as_it_is_and_a_share_is_named_in_its_source():
    whole = task()
    assert shuffled_labels(whole, 0, seed=1) == whole
    source = shuffled_labels(whole, 0.5, seed=1).source
    assert source == whole.source | {"shuffled": 0.5, "shuffled_seed": 1}


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), "half"])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(ValueError, match=r"`share` is .*: expected a number from 0 to 1"):
        shuffled_labels(task(), share, seed=0)
