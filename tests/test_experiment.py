"""A reader's own training in all contexts: what comes of it, what is refused, what is kept."""

import argparse
import enum
import functools
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import example, given
from hypothesis import strategies as st

from ncnet import chsh, experiment
from ncnet.experiment import Trained, replica_seed
from ncnet.experiment.trained import load, save
from ncnet.files import write_or_compare
from tests.refusals import refused

CONTEXTS = list(itertools.product((1, 2), (1, 2)))
ITEMS = 6


def outcomes_of(i, j, seed):
    """Draw which of some items either head gets right, by context and seed."""
    return np.random.default_rng([i, j, seed]).random((2, ITEMS)) < 0.7


def plain(i, j, seed):
    return tuple(outcomes_of(i, j, seed))


def full(i, j, seed, width=1):
    a, b = outcomes_of(i, j, seed + int(2 * width))
    rest = np.random.default_rng(seed).random((2, 4)) < 0.5
    names = [f"item {k}" for k in range(ITEMS)]
    return Trained((a, b), tuple(rest), names, np.arange(4), 0.5 / width, torch.tensor(0.25 * i))


STATED = {"steps": 10}


def run(train_context, **changed):
    given = {"replicas": 2} | ({"configuration": STATED} if "folder" in changed else {}) | changed
    return experiment.train(train_context, **given)


def test_a_pair_becomes_the_dataset_of_the_contract():
    found = run(plain, replicas=3, seed=5)
    assert found.a.dims == ("alice_setting", "bob_setting", "replica", "item")
    assert found.a.dtype == found.b.dtype == np.int8
    assert found.split.values.tolist() == ["training"] * ITEMS
    assert found.attrs == {"paired": True, "seed": 5}
    assert set(found.variables) == {
        *("a", "b", "alice_setting", "bob_setting", "replica", "split", "replica_seed")
    }
    for (i, j), r in itertools.product(CONTEXTS, range(3)):
        cell = found.sel(alice_setting=i, bob_setting=j, replica=r)
        right = outcomes_of(i, j, replica_seed(5, r))
        np.testing.assert_array_equal([cell.a > 0, cell.b > 0], right)
    assert chsh.report(found).replicas == 3


def test_all_that_a_training_gives_has_its_place():
    found = run(full, capacities=[4, 8], capacity_name="width", configuration={"steps": 9})
    assert dict(found.sizes) == {
        **{"capacity": 2, "alice_setting": 2, "bob_setting": 2},
        **{"replica": 2, "item": ITEMS + 4},
    }
    assert found.capacity.values.tolist() == [4, 8]
    assert found.capacity.attrs == {"capacity_name": "width"}
    assert found.split.values.tolist() == ["training"] * ITEMS + ["held_out"] * 4
    assert found.item.values.tolist() == [f"item {k}" for k in range(ITEMS)] + list("0123")
    assert found.attrs == {"paired": True, "seed": 0, "steps": 9}
    networks = ("capacity", "alice_setting", "bob_setting", "replica")
    assert set(found.alice_loss.dims) == set(found.diverged.dims) == set(networks)
    assert found.alice_loss.sel(capacity=8, alice_setting=1).values == pytest.approx(0.5 / 8)
    assert found.bob_loss.sel(alice_setting=2).values == pytest.approx(0.5)
    assert not found.diverged.any()
    assert chsh.report(found.sel(capacity=4)).held_out.items == 4
    alone = [run(lambda i, j, seed, w=w: full(i, j, seed, w)) for w in (4, 8)]
    np.testing.assert_array_equal(found.a, [one.a for one in alone])


def test_a_sweep_gives_a_table_by_capacity():
    found = run(full, replicas=32, capacities=range(1, 3), capacity_name="width")
    assert chsh.by_capacity(found)["width"].tolist() == [1, 2]


def test_a_loss_that_is_not_finite_counts_as_diverged():
    def diverges(i, j, seed):
        return Trained(plain(i, j, seed), alice_loss=float("nan") if i > j else 1.0, bob_loss=2.0)

    found = run(diverges)
    assert found.diverged.sum() == 2
    assert found.diverged.sel(alice_setting=2, bob_setting=1).all()
    assert chsh.report(found).diverged == 2


def test_tasks_without_partners_are_marked():
    found = run(plain, paired=False)
    assert found.attrs["paired"] == 0
    assert chsh.report(found).s == pytest.approx(
        chsh.report((found.a.values, found.b.values)).s, abs=2
    )


CODINGS = {
    "booleans": lambda right: right,
    "0 and 1": lambda right: right.astype(int),
    "+-1": lambda right: 2 * right.astype(int) - 1,
    "floats": lambda right: right.astype(np.float32),
    "bytes": lambda right: right.astype(np.uint8),
    "lists": lambda right: right.tolist(),
    "tensors": torch.tensor,
    "tensors with a graph": lambda right: torch.tensor(right * 1.0, requires_grad=True),
    "bfloat16": lambda right: torch.tensor(right * 1.0, dtype=torch.bfloat16, requires_grad=True),
    "lists of tensors": lambda right: list(torch.tensor(right * 1.0, requires_grad=True)),
    "objects": lambda right: right.astype(object),
}


@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
def test_outcomes_may_be_coded_in_several_ways(coding):
    found = run(lambda i, j, seed: [coding(party) for party in plain(i, j, seed)])
    xr.testing.assert_identical(found, run(plain))


@pytest.mark.parametrize("coding", ["0 and 1", "+-1"])
def test_booleans_may_stand_beside_either_coding(coding):
    def mixed(i, j, seed):
        a, b = plain(i, j, seed)
        return a, CODINGS[coding](b)

    xr.testing.assert_identical(run(mixed), run(plain))


TENSORS = {
    "float32 of a graph": lambda values: torch.tensor(values * 1.0, requires_grad=True),
    "bfloat16 of a graph": lambda values: torch.tensor(values * 1.0).bfloat16().requires_grad_(),
    "float16": lambda values: torch.tensor(values).half(),
    "int8": lambda values: torch.tensor(values).to(torch.int8),
    "lists": lambda values: [list(torch.tensor(part).bfloat16()) for part in values],
}


@pytest.mark.parametrize("tensor", TENSORS.values(), ids=TENSORS)
def test_the_statistics_read_tensors(tensor):
    a, b = np.random.default_rng(0).choice([-1, 1], (2, 2, 2, 40, 6))
    assert chsh.report((tensor(a), tensor(b))).row() == chsh.report((a, b)).row()
    counts = np.arange(8, 24).reshape(2, 2, 2, 2)
    xr.testing.assert_identical(chsh.from_counts(tensor(counts)), chsh.from_counts(counts))


def test_all_right_and_all_wrong_are_understood_in_every_coding():
    ones = [1] * ITEMS
    assert (run(lambda i, j, seed: (ones, ones)).a == 1).all()
    for wrong in (0, -1, False):
        found = run(lambda i, j, seed, wrong=wrong: (ones, [wrong] * ITEMS))
        assert (found.a == 1).all()
        assert (found.b == -1).all()


def test_the_name_of_before_is_found_and_warns():
    with pytest.warns(FutureWarning, match="`train`"):
        assert experiment.run is experiment.train


def test_fewer_replicas_are_the_first_of_more():
    xr.testing.assert_identical(run(plain), run(plain, replicas=5).isel(replica=slice(2)))


@pytest.mark.parametrize("seed", [None, True, "3", -1])
def test_a_replicas_seed_is_made_of_whole_numbers(seed):
    for pair in ((seed, 0), (0, seed)):
        refused(lambda pair=pair: replica_seed(*pair), ["expected an integer of at least 0"])


def test_contexts_and_capacities_share_the_seed_of_a_replica():
    seeds = {}

    def spy(i, j, seed, width):
        seeds.setdefault(seed, []).append((width, i, j))
        return plain(i, j, seed)

    run(spy, replicas=3, capacities=[2, 1.5], seed=7)
    assert list(seeds) == [replica_seed(7, r) for r in range(3)]
    assert all(type(seed) is int for seed in seeds)
    expected = [(width, i, j) for width in (2, 1.5) for i, j in CONTEXTS]
    assert all(called == expected for called in seeds.values())
    assert {replica_seed(0, r) for r in range(50)}.isdisjoint(replica_seed(1, r) for r in range(50))


def test_work_goes_by_capacity_then_replica_then_context():
    order = []

    def spy(i, j, seed, width):
        order.append((width, seed, i, j))
        return plain(i, j, seed)

    run(spy, capacities=[9, 3])
    seeds = [replica_seed(0, r) for r in range(2)]
    assert order == [(w, s, i, j) for w in (9, 3) for s in seeds for i, j in CONTEXTS]


@pytest.mark.parametrize("value", [0.7, 2, float("nan"), "yes", None, -2, 1j], ids=str)
def test_a_value_that_is_no_outcome_is_named(value):
    def wrong(i, j, seed):
        b = [True] * ITEMS
        return [True] * ITEMS, [value, *b[1:]] if (i, j) == (1, 2) else b

    where = "context (1,2) of replica 0: item 0 of Bob's `training` is "
    expected = "right, as true or false, 1 or 0, or +1 or -1"
    refused(lambda: run(wrong), (where, repr(value), expected))


ONES = [1] * ITEMS
SOME = [0, *ONES[1:]]
SIGNS = [-1, *ONES[1:]]


def at(context, returned):
    """Return a training that is well in all contexts but one of replica 0."""
    first = replica_seed(0, 0)
    return lambda i, j, seed: returned if (i, j, seed) == (*context, first) else (SOME, ONES)


PAIR = "expected a pair (a, b)"
OTHERS = {
    "nothing": (None, "returned None", PAIR),
    "a dict": ({"training": (ONES, ONES)}, "returned {'training'", PAIR),
    "three": ((ONES, ONES, 0.3), "1], 0.3)", PAIR),
    "an array": (Trained(np.ones((2, 6))), "`training` is array(", PAIR),
    "no pair": (Trained(None), "`training` is None", PAIR),
    "three of a split": (Trained((ONES, ONES), (ONES,) * 3), "`held_out` is ([1", PAIR),
    "means": ((0.9, 0.8), "Alice's `training` has shape ()", "(items,), neither their mean"),
    "a column": ((ONES, np.ones((6, 1))), "Bob's `training` has shape (6, 1)", "one outcome an"),
    "logits": ((ONES, np.ones((6, 2))), "has shape (6, 2)", "nor logits"),
    "none": (([], []), "the items of Alice's `training` are none", "expected at least one"),
    "ragged": ((ONES, [[1], [1, 2]]), "Bob's `training` cannot be read as an array: ", ""),
    "a tensor that is none": ((ONES, torch.ones(6, device="meta")), "Bob's `training` cannot", ""),
    "a name twice": (Trained((ONES, ONES), items=[*"abcdea"]), "item `a` is there twice", "once"),
    "a number twice": (
        Trained((ONES, ONES), (ONES[:1], ONES[:1]), items=range(6), held_out_items=[5]),
        *("item `5` is there twice", "each once"),
    ),
    "one loss": (Trained((ONES, ONES), bob_loss=1.0), "`bob_loss` is given alone", "both losses"),
    "unlike": ((ONES, ONES[1:]), "`training` has 6 items, Bob's 5", "as many of each"),
    "unlike, held out": (
        Trained((ONES, ONES), (ONES, SOME[1:])),
        *("Alice's `held_out` has 6 items, Bob's 5", "as many of each"),
    ),
    "two names": (Trained((ONES, ONES), items=["a", "b"]), "`items` are 2, items of `train", "6"),
    "names of none": (
        Trained((ONES, ONES), held_out_items=["a", "b"]),
        *("`held_out_items` are 2, items of `held_out` 0", "as many of each"),
    ),
    "pairs": (Trained((ONES, ONES), items=[("a", 1)] * 6), "`items` has shape (6, 2)", "name an i"),
    "no name": (Trained((ONES, ONES), items=[None, *"bcdef"]), "and type object", "one number or"),
    "losses": (
        Trained((ONES, ONES), alice_loss=[1.0, 2.0]),
        "`alice_loss` has shape (2,)",
        "one n",
    ),
    "a text": (Trained((ONES, ONES), bob_loss="small"), "and type <U5", "expected one number"),
    "two codings": ((SOME, SIGNS), "Bob's `training` holds -1, Alice's `training` in", "holds 0:"),
    "both in one": (
        (ONES, [0, -1, 1, 1, 1, 1]),
        "Bob's `training` holds -1, ",
        "one coding, 0 and",
    ),
}


@pytest.mark.parametrize("context", [(1, 1), (2, 1)])
@pytest.mark.parametrize(("returned", "found", "expected"), OTHERS.values(), ids=OTHERS)
def test_what_is_no_outcome_of_a_context_is_refused(context, returned, found, expected):
    where = f"context ({context[0]},{context[1]}) of replica 0: "
    refused(lambda: run(at(context, returned)), (where, found, expected))


FIRST = "context (1,1) of replica 0"


EVERY = "it in every context or in none"
UNLIKE = {
    "codings": ((ONES, SIGNS), "Bob's `training` holds -1, Alice's `training`", "one coding, 0"),
    "numbers": ((ONES[1:], ONES[1:]), "`training` has 5 items, ", "as many in every context"),
    "splits": (Trained((ONES, ONES), held_out=([1], [1])), "`held_out` is given in context", EVERY),
    "losses": (
        Trained((ONES, ONES), alice_loss=1.0, bob_loss=1.0),
        *("`alice_loss` is given in context", EVERY),
    ),
    "names": (Trained((ONES, ONES), items=range(6)), "`items` is given in context", EVERY),
}


@pytest.mark.parametrize("context", [(1, 2), (2, 1), (2, 2)])
@pytest.mark.parametrize(("returned", "found", "expected"), UNLIKE.values(), ids=UNLIKE)
def test_contexts_that_differ_are_named(context, returned, found, expected):
    where = f"context ({context[0]},{context[1]}) of replica 0: "
    refused(lambda: run(at(context, returned)), (where + found, FIRST, f": expected {expected}"))


class Silent(list):
    """A list that cannot be shown: of many items, that takes longer than to read them."""

    __repr__ = None


PLAIN = Silent([Silent(ONES), Silent(SOME)])


@pytest.mark.parametrize("returned", [PLAIN, Trained(PLAIN, PLAIN)], ids=["pair", "Trained"])
def test_a_result_that_is_fine_is_never_shown(returned):
    run(lambda i, j, seed: returned)


def test_items_that_a_loader_shuffles_are_named():
    def shuffled(i, j, seed, width):
        items = np.random.default_rng(i).permutation(ITEMS)
        return Trained(plain(i, j, seed), items=items)

    first, other = (np.random.default_rng(i).permutation(ITEMS) for i in (1, 2))
    k = int((first != other).argmax())
    parts = (
        f"context (2,1) of replica 0 at width 3: number {k} of `items` is {other[k]}, in ",
        f"context (1,1) of replica 0 at width 3 it is {first[k]}: expected",
        "the same items in the same order",
    )
    refused(lambda: run(shuffled, capacities=[3], capacity_name="width"), parts)


def test_names_and_numbers_are_different_items():
    def mixed(i, j, seed):
        return Trained(plain(i, j, seed), items=list("012345") if j == 2 else range(6))

    refused(lambda: run(mixed), ("number 0 of `items` is '0', in context ", " it is 0: "))


def test_items_of_unpaired_tasks_have_no_names():
    parts = ("context (1,1) of replica 0: `items` is given", "expected none")
    refused(lambda: run(full, paired=False), parts)


def never(i, j, seed):
    pytest.fail("trained")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"replicas": 0}, ["`replicas` is 0", "an integer of at least 1"]),
        ({"replicas": 2.0}, ["`replicas` is 2.0", "an integer of at least 1"]),
        ({"seed": -1}, ["`seed` is -1", "an integer of at least 0"]),
        ({"paired": "no"}, ["`paired` is 'no'", "true or false"]),
        ({"capacity_name": ""}, ["`capacity_name` is ''", "a name"]),
        ({"capacities": []}, ["`capacities` is []", "at least one, or None for no sweep"]),
        ({"capacities": [4, 4.0]}, ["4.0", "twice", "each once"]),
        ({"capacities": [2**53, 2**53 + 1]}, ["9007199254740992.0", "twice", "each once"]),
        ({"capacities": [10**400]}, ["`capacities` holds 10000", "numbers"]),
        ({"capacities": [1, "full"]}, ["`capacities` holds 'full'", "numbers"]),
        ({"capacities": [True]}, ["`capacities` holds True", "numbers"]),
        ({"capacities": [float("nan")]}, ["`capacities` holds nan", "numbers"]),
        ({"capacities": "12"}, ["`capacities` is '12'", "a list of numbers"]),
        ({"capacities": 8}, ["`capacities` is 8", "a list of numbers"]),
        ({"configuration": {"layers": [{1: 2, "1": 3}]}}, ["`configuration` names 1", "text"]),
        ({"configuration": "steps"}, ["`configuration` is of type str", "a dict"]),
        ({"configuration": {"seed": 1}}, ["`configuration` names 'seed'", "none of the arguments"]),
        ({"configuration": {3: 1}}, ["`configuration` names 3", "a name"]),
        ({"configuration": {"data": np.ones(2)}}, ["`configuration` holds array(", "JSON"]),
        ({"folder": ""}, ["`folder` is empty", "a folder, or None"]),
        ({"folder": __file__, "configuration": STATED}, ["test_experiment.py, a file", "a folder"]),
        ({"folder": "new"}, ["`configuration` says nothing", "what outcomes depend on"]),
        ({"folder": "new", "configuration": {}}, ["`configuration` says nothing"]),
        *(
            ({"tolerance": share}, [f"`tolerance` is {share!r}", "a number from 0 to 1"])
            for share in (-0.1, 1.5, float("nan"), "none", True)
        ),
        (
            {"train_context": None},
            ["is None", "a function with these", "train_context(alice_setting, bob_setting, seed)"],
        ),
        (
            {"train_context": lambda i, j: never(i, j, 0)},
            [
                "takes (i, j), and is called as train_context(alice_setting, bob_setting, seed)",
                *("too many positional", "a function with these arguments"),
            ],
        ),
        (
            {"train_context": lambda i, j, seed: never(i, j, seed), "capacities": [1]},
            ["train_context(alice_setting, bob_setting, seed, capacity)", "too many positional"],
        ),
        (
            {"train_context": lambda seed, i, j: never(i, j, seed)},
            ["takes (seed, i, j)", "`seed` at place 3"],
        ),
    ],
)
def test_arguments_that_cannot_be_used_are_refused_before_any_work(
    changed, named, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    given = {"train_context": lambda i, j, seed, width=0: never(i, j, seed), "replicas": 2}
    refused(lambda: experiment.train(**(given | changed)), named)
    assert not [*tmp_path.iterdir()]


class Training:
    def __call__(self, alice_setting, bob_setting, seed):
        return plain(alice_setting, bob_setting, seed)


@pytest.mark.parametrize(
    "function", [Training(), Training().__call__, functools.partial(plain)], ids=type
)
def test_methods_objects_and_partials_will_do(tmp_path, function):
    xr.testing.assert_identical(run(function, folder=tmp_path), run(plain, configuration=STATED))


class Training3Error(RuntimeError):
    pass


def test_an_error_of_the_training_keeps_its_traceback_and_names_the_context(tmp_path):
    def fails(i, j, seed, width):
        if (i, j) == (2, 1):
            raise Training3Error("out of memory")
        return plain(i, j, seed)

    with pytest.raises(Training3Error, match=r"^out of memory") as caught:
        run(fails, capacities=[5], capacity_name="width", folder=tmp_path)
    assert caught.value.__notes__ == [
        "raised by `train_context` in context (2,1) of replica 0 at width 5, called with "
        f"(2, 1, {replica_seed(0, 0)}, 5)"
    ]
    assert caught.traceback[-1].name == "fails"
    assert sorted(path.name for path in tmp_path.rglob("*.npz")) == [
        *("context_11.npz", "context_12.npz")
    ]


def test_replicas_that_are_all_one_are_told():
    def unseeded(i, j, seed):
        return [True, i == 1], [True, True]

    line = "^all 3 replicas came out the same: does `train_con"
    with pytest.warns(RuntimeWarning, match=line) as told:
        experiment.train(unseeded, replicas=3)
    assert told[0].filename == __file__, "the warning names another line than the caller's"
    run(unseeded, replicas=2)
    run(lambda i, j, seed: ([True], [True]), replicas=3)  # at the ceiling they may well be

    def seeded(i, j, seed):
        return Trained(([True, i == 1], [True, True]), alice_loss=seed / 2**32, bob_loss=0.5)

    run(seeded, replicas=3)


@pytest.mark.parametrize("name", ["s", "replica", "item", "split", "a"])
def test_a_capacity_is_not_named_like_a_column_of_the_report(name):
    parts = [f"`capacity_name` is '{name}', which is something else"]
    refused(lambda: run(full, capacities=[1], capacity_name=name, replicas=1), parts)


@given(st.integers(0, 2**64), st.integers(0, 2**20))
def test_a_replicas_seed_is_one_that_any_library_takes(seed, replica):
    found = replica_seed(seed, replica)
    assert np.int32(found) == found >= 0
    state = np.random.SeedSequence(seed, spawn_key=(replica,)).generate_state(1)[0]
    assert found == int(state) & 0x7FFFFFFF


def test_a_folder_may_lie_in_the_users_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    run(plain, folder="~/kept")
    assert (tmp_path / "kept" / "experiment.json").exists()


def files(folder):
    """Return the contents of all files below a folder."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def stopping(after, error):
    """Return a training that is cut off after so many contexts, and the list of those trained."""
    done = []

    def train_context(i, j, seed, width):
        if len(done) == after[0]:
            raise error
        done.append((width, seed, i, j))
        return full(i, j, seed, width)

    return train_context, done


SWEEP = {"capacities": [4, 0.5], "capacity_name": "width"}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("no")])
def test_a_run_that_was_cut_off_goes_on_where_it_was(tmp_path, error):
    after = [None]
    train_context, done = stopping(after, error)
    whole = run(train_context, folder=tmp_path / "whole", **SWEEP)
    expected = done.copy()
    done.clear()
    after[0] = 3
    with pytest.raises(type(error)):
        run(train_context, folder=tmp_path / "cut", **SWEEP)
    assert len(list(tmp_path.glob("cut/**/*.npz"))) == 3
    after[0] = None
    found = run(train_context, folder=tmp_path / "cut", **SWEEP)
    xr.testing.assert_identical(found, whole)
    assert done.pop(3) in expected[:3]  # one of the finished, again
    assert done == expected
    assert files(tmp_path / "cut") == files(tmp_path / "whole")
    assert set(files(tmp_path / "cut")) == {"experiment.json"} | {
        f"capacity_{c}/replica_{r:03}/context_{i}{j}.npz"
        for c, r, (i, j) in itertools.product(("4", "0.5"), (0, 1), CONTEXTS)
    }


def test_a_foreign_folder_among_the_replicas_is_no_matter(tmp_path):
    run(plain, folder=tmp_path / "kept")
    for folder in ("notes", "replica_000/context_11"):
        (tmp_path / "kept" / folder).mkdir(parents=True)
        (tmp_path / "kept" / folder / "context_11.npz").write_text("mine", encoding="utf-8")
    found = run(plain, folder=tmp_path / "kept")
    xr.testing.assert_identical(found, run(plain, configuration=STATED))


def test_more_replicas_and_capacities_go_into_the_same_folder(tmp_path):
    train_context, done = stopping([None], None)
    run(train_context, folder=tmp_path, replicas=1, capacities=[4])
    more = run(train_context, folder=str(tmp_path), replicas=2, capacities=[8, 4.0])
    assert len(done) == 1 + len(set(done)) == 17
    xr.testing.assert_identical(more, run(full, capacities=[8, 4.0], configuration=STATED))


KILLED = """
import sys, time
from pathlib import Path
import numpy as np
from ncnet import experiment

trained = Path(sys.argv[2])

def train_context(i, j, seed):
    with trained.open("a") as log:
        log.write(f"{seed} {i}{j}\\n")
    time.sleep(float(sys.argv[3]))
    return tuple(np.random.default_rng([i, j, seed]).random((2, 6)) < 0.7)

found = experiment.train(train_context, replicas=3, folder=sys.argv[1], configuration={"items": 6})
np.save(sys.argv[4], np.stack([found.a, found.b]))
"""


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path):
    script, log, result = (tmp_path / name for name in ("killed.py", "log", "found.npy"))
    script.write_text(KILLED, encoding="utf-8")
    folder = tmp_path / "kept"
    command = [sys.executable, script, folder, log]
    process = subprocess.Popen([*command, "0.1", result])
    while len(list(folder.rglob("*.npz"))) < 5:
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finished = len(list(folder.rglob("*.npz")))
    begun = log.read_text(encoding="utf-8").splitlines()
    assert 5 <= finished <= len(begun) <= finished + 1 < 12
    subprocess.run([*command, "0", result], check=True)
    again, *trained = log.read_text(encoding="utf-8").splitlines()[len(begun) :]
    assert again in begun[:finished]
    assert (
        trained
        == [f"{replica_seed(0, r)} {i}{j}" for r in range(3) for i, j in CONTEXTS][finished:]
    )
    found = run(plain, replicas=3)
    np.testing.assert_array_equal(np.load(result), [found.a, found.b])


@pytest.mark.parametrize(
    ("function", "changed", "line"),
    [
        (plain, {"seed": 1}, "`seed` 0, here it is 1"),
        (plain, {"paired": False}, "`paired` True, here it is False"),
        (
            plain,
            {"configuration": {"steps": 20}},
            "`configuration.steps` 10, here it is 20",
        ),
        (full, {"capacities": [1]}, "`capacity_name` None, here it is 'capacity'"),
    ],
)
def test_a_folder_of_another_experiment_is_refused_before_any_work(
    tmp_path, function, changed, line
):
    run(plain, folder=tmp_path)
    before = files(tmp_path)
    line = rf"^{re.escape(str(tmp_path))} holds contexts with {re.escape(line)}.*: choose another f"
    with pytest.raises(ValueError, match=line):
        run(function, folder=tmp_path, **({"replicas": 3} | changed))
    assert files(tmp_path) == before


def test_a_folder_of_an_earlier_form_is_refused(tmp_path):
    run(plain, folder=tmp_path)
    path = tmp_path / "experiment.json"
    described = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(described | {"source of train_context": "5a"}), encoding="utf-8")
    parts = ["with `source of train_context` '5a', here it is nothing"]
    refused(lambda: run(never, folder=tmp_path), parts)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.slow
@given(JSON, JSON)
@example({}, {"two\nlines": None})
def test_a_folder_is_that_of_its_description_and_of_no_other(one, other):
    def of(value):
        return {"folder": folder, "replicas": 1, "configuration": {"of": value}}

    with tempfile.TemporaryDirectory() as folder:
        run(plain, **of(one))
        run(plain, **of(one))
        if repr(one) != repr(other) and one != other:
            refused(lambda: run(never, **of(other)), ["holds contexts with `configuration"])


class Kind(enum.Enum):
    FIRST, SECOND = 1, 2


@dataclass
class Configuration:
    rate: float


def configured(i, j, seed, *, of):
    """Draw outcomes that depend on a configuration of any type."""
    called = of() if callable(of) else of
    return plain(i, j, seed + zlib.crc32(repr(called).encode()))


CONFIGURATIONS = {
    "integers": (1, 2),
    "lists": ([16, 3], [32, 3]),
    "dicts": ({"rate": 0.1}, {"rate": 0.2}),
    "namespaces": (argparse.Namespace(rate=0.1), argparse.Namespace(rate=0.2)),
    "dataclasses": (Configuration(0.1), Configuration(0.2)),
    "paths": (Path("one.csv"), Path("other.csv")),
    "enums": (Kind.FIRST, Kind.SECOND),
    "numpy's integers": (np.int64(1), np.int64(2)),
    "numpy's floats": (np.float32(1), np.float32(2)),
    "functions": (str, list),
    "lambdas of one line": (lambda: 1, lambda: 2),
}


@pytest.mark.parametrize(("one", "other"), CONFIGURATIONS.values(), ids=CONFIGURATIONS)
@pytest.mark.parametrize("finished", [1, 2])
def test_contexts_of_another_configuration_never_come_back(tmp_path, one, other, finished):
    """Whatever the description says: the one that is trained again does not come out the same."""
    run(functools.partial(configured, of=one), folder=tmp_path, replicas=finished)
    before = files(tmp_path)
    with pytest.raises(ValueError, match=r"is refused: context .* trained again, differs in "):
        run(functools.partial(configured, of=other), folder=tmp_path)
    assert files(tmp_path) == before


def test_it_is_said_how_much_of_a_context_comes_out_otherwise(tmp_path, capsys):
    def shaky(i, j, seed):
        right = np.ones(8, bool)
        right[: next(failing)] = False
        return Trained((right, ~right), alice_loss=next(losses), bob_loss=1.0)

    failing, losses = iter([0, 0, 0, 0, 3, 3, 3]), iter([0.5] * 4 + [0.25] * 3)
    one = {"folder": tmp_path, "replicas": 1}
    first = run(shaky, **one)
    before = files(tmp_path)
    assert capsys.readouterr().out == ""
    told = r"trained again, differs in 6 of 16 outcomes \(a share of 0.375\) and in a loss by 0.25"
    for tolerance, stated in ((0.0, "0"), (0.37, "0.37")):
        line = (
            rf"^{re.escape(str(tmp_path))} is refused: context \([12],[12]\) of replica 0, {told}, "
        )
        with pytest.raises(ValueError, match=line + f"and `tolerance` is {stated}: choose anoth"):
            run(shaky, tolerance=tolerance, **one)
    assert capsys.readouterr().out == ""
    again = run(shaky, tolerance=0.375, **one)
    assert re.search(rf"^context \([12],[12]\) of replica 0, {told}$", capsys.readouterr().out)
    # What is kept stays.
    xr.testing.assert_identical(again, first)
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("loss", "other", "refused"),
    [
        (0.5, 0.5, None),
        (0.5, 0.5002, None),
        (0.0, 1e-12, None),
        (np.nan, np.inf, None),
        (0.5, 0.51, "0.01"),
        (1e-4, 2e-4, "0.0001"),
        (0.5, np.nan, "nan"),
        (0.5, np.inf, "inf"),
    ],
)
def test_a_loss_tells_trainings_apart_that_get_everything_right(tmp_path, loss, other, refused):
    def easy(i, j, seed):
        return Trained((ONES, ONES), alice_loss=0.1, bob_loss=found)

    found = loss
    run(easy, folder=tmp_path)
    found = other
    run(easy, folder=tmp_path, tolerance=0.1)
    if refused:
        line = rf"in 0 of 12 outcomes \(a share of 0\) and in a loss by {refused}, and `tol"
        with pytest.raises(ValueError, match=line):
            run(easy, folder=tmp_path)
    else:
        run(easy, folder=tmp_path)


@pytest.mark.slow
def test_any_finished_context_may_be_the_one_that_is_trained_again(tmp_path):
    def spy(i, j, seed, width):
        called.append((width, seed, i, j))
        return plain(i, j, seed)

    called = []
    run(spy, replicas=1, capacities=[2, 3], folder=tmp_path)
    finished, times = set(called), 150
    called.clear()
    for _ in range(times):  # by chance one of the eight is missed, once in sixty million tries
        run(spy, replicas=1, capacities=[3, 2], folder=tmp_path)
    assert set(called) == finished
    assert len(called) == times
    called.clear()
    run(spy, replicas=1, capacities=[3], folder=tmp_path)
    assert [width for width, *_ in called] == [3]
    called.clear()
    run(spy, replicas=1, capacities=[0.5], folder=tmp_path)  # none of them is finished
    assert [width for width, *_ in called[1:]] == [0.5] * 4
    assert called[0] in finished
    assert type(called[0][0]) is int, "a width stays a whole number"


def test_what_another_run_leaves_in_the_folder_meanwhile_is_compared(tmp_path):
    def slow(i, j, seed):
        if (i, j) == (1, 2):
            run(fast, replicas=1, folder=tmp_path)
        return plain(i, j, seed)

    fast = plain
    found = run(slow, replicas=1, folder=tmp_path)
    xr.testing.assert_identical(found, run(plain, replicas=1, configuration=STATED))
    for path in tmp_path.rglob("*.npz"):
        path.unlink()
    fast = functools.partial(configured, of=1)  # in the folder's first context it is refused
    with pytest.raises(ValueError, match="is refused: context"):
        run(slow, replicas=1, folder=tmp_path)


def test_a_folder_stays_where_it_is_if_a_training_goes_elsewhere(tmp_path, monkeypatch):
    def elsewhere(i, j, seed):
        (tmp_path / f"{i}{j}").mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / f"{i}{j}")
        return plain(i, j, seed)

    monkeypatch.chdir(tmp_path)
    run(elsewhere, replicas=1, folder="kept")
    assert len(list(tmp_path.rglob("*.npz"))) == len(list((tmp_path / "kept").rglob("*.npz"))) == 4


def test_other_items_than_those_that_are_kept_are_another_training(tmp_path):
    run(plain, folder=tmp_path)
    line = r" does not fit this training: context .* \(trained again\): `training` has 5 items, in "
    with pytest.raises(ValueError, match=line):
        run(lambda i, j, seed: (ONES[1:], ONES[1:]), folder=tmp_path)


def test_an_error_of_what_is_trained_again_stays_what_it_is(tmp_path):
    def fails(i, j, seed):
        raise ValueError("no data")

    run(plain, folder=tmp_path)
    with pytest.raises(ValueError, match=r"^no data") as caught:
        run(fails, folder=tmp_path)
    assert caught.value.__notes__[0].startswith("raised by `train_context` in context (")


def no_links(*paths):
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize("link", [os.link, no_links])
def test_of_two_runs_that_begin_at_once_one_is_let_in(tmp_path, monkeypatch, link):
    monkeypatch.setattr(os, "link", link)
    others = 4
    together = threading.Barrier(others)

    def begin(path, seed):
        together.wait()
        try:
            write_or_compare(path, {"seed": seed})
        except ValueError:
            return None
        return seed

    with ThreadPoolExecutor(others) as pool:
        for k in range(100):
            path = tmp_path / str(k) / "experiment.json"
            let_in = {*pool.map(functools.partial(begin, path), range(others))} - {None}
            assert let_in == {json.loads(path.read_text(encoding="utf-8"))["seed"]}
            assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize("change", ["cut", "empty", "swapped"])
def test_a_damaged_file_is_refused_in_one_line(tmp_path, change):
    run(full, folder=tmp_path)
    path = tmp_path / "replica_001" / "context_21.npz"
    content = bytearray(path.read_bytes())
    if change == "swapped":
        np.savez(path, something=1)
    else:
        path.write_bytes(content[:-9] if change == "cut" else b"")
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))} is damaged \(.*\): delete it$"):
        run(full, folder=tmp_path)
    path.unlink()
    xr.testing.assert_identical(run(full, folder=tmp_path), run(full, configuration=STATED))


def test_no_wrong_bit_of_a_file_passes_for_an_outcome(tmp_path):
    path = tmp_path / "context_11.npz"
    written = Trained((np.array([True, False]), np.array([1, 0], np.int8)), items=np.arange(2))
    save(path, written)
    content = path.read_bytes()
    refused = 0
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        try:
            found = load(path)
        except ValueError as error:
            assert str(error).endswith("delete it")  # noqa: PT017
            refused += 1
            continue
        # Dates and the like do not matter.
        for one, other in zip(found.training, written.training, strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(found.items, written.items)
    assert refused > 20


def test_a_damaged_description_is_refused(tmp_path):
    (tmp_path / "experiment.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"experiment.json is damaged .*: choose another folder$"):
        run(never, folder=tmp_path)


def test_codings_are_compared_with_those_that_are_kept(tmp_path):
    def signs(i, j, seed):
        calls.append((i, j))
        return (SOME, SOME) if i == 1 else (SIGNS, SIGNS)

    calls = []
    line = r"\(2,1\) of replica 0: Alice's `training` holds -1, Alice's `t.* in context \(1,[12]\)"
    for _ in range(2):
        with pytest.raises(ValueError, match=line):
            run(signs, folder=tmp_path)
    assert len(calls) == 5


def test_the_description_is_plain_json(tmp_path):
    run(plain, folder=tmp_path)
    described = json.loads((tmp_path / "experiment.json").read_text(encoding="utf-8"))
    assert described["configuration"] == STATED
    assert described["capacity_name"] is None


def test_neither_torch_nor_anything_large_is_imported():
    code = "import sys; from ncnet import experiment; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        encoding="utf-8",
        cwd=Path.cwd(),
    )
    assert not set(done.stdout.split()) & {"torch", "transformers", "matplotlib", "sklearn"}
