"""Sweeps over ranks and replicas: what they return, what they keep, how they go on."""

import errno
import itertools
import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from safetensors.torch import load_file

from ncnet import chsh, encoders
from ncnet.encoders import frozen, saving, sweep
from ncnet.encoders.training import train_networks
from ncnet.encoders.trunk import FULL
from ncnet.replay import NotReplayableError, compare
from ncnet.studies.ranks import replay as replays
from tests.small_encoders import (
    LANGUAGES,
    SHORT,
    TOY,
    encoder,
    hyperparameters,
    toy,
    train,
    untrained,
)

PAIRS = sorted([*itertools.combinations(TOY, 2), *((name,) for name in TOY)])
QUARTETS = [(names[:2], names[2:]) for names in itertools.permutations(TOY)]


@pytest.fixture(scope="module")
def pairs():
    return train(ranks=[0, 2, FULL], replicas=3, learning_rate=0.03)


def test_the_dataset_is_one_of_pairs(pairs):
    xr.testing.assert_identical(chsh.as_pairs(pairs), pairs)
    names = zip(pairs.first_task.values.tolist(), pairs.second_task.values.tolist(), strict=True)
    assert [tuple(filter(None, both)) for both in names] == PAIRS
    for name in ("first_loss", "second_loss", "diverged"):
        assert set(pairs[name].dims) == {"capacity", "pair", "replica"}
    assert pairs.split.values.tolist() == ["training"] * 8 + ["held_out"] * 4
    assert pairs.capacity.values.tolist() == [0, 2, math.inf]
    assert pairs.capacity.attrs == {"capacity_name": "rank"}
    assert pairs.task.values.tolist() == ["toy/mood", "toy/same"]
    labels = [item.label for item in (*toy()["toy/mood"].training, *toy()["toy/mood"].held_out)]
    np.testing.assert_array_equal(pairs.target.sel(task="toy/mood"), 2 * np.array(labels) - 1)


@pytest.mark.slow
def test_a_quartet_that_is_looked_up_is_the_one_that_is_trained_context_by_context(pairs):
    every = toy()
    for alice, bob in QUARTETS:
        outcomes = chsh.quartet(pairs, alice=alice, bob=bob)
        for (i, own), (j, other) in itertools.product(enumerate(alice), enumerate(bob)):
            for capacity, replica in ((1, 0), (1, 2), (2, 1)):
                rank = float(pairs.capacity[capacity])
                how = {"steps": 4, "learning_rate": 0.03, "replica": replica}
                # One network by itself, the items of its two tasks and of nothing else.
                alone = train_networks(untrained([every[own], every[other]], rank, **how))
                cell = outcomes.isel(
                    capacity=capacity, replica=replica, alice_setting=i, bob_setting=j
                )
                order = [0, 1] if own < other else [1, 0]
                np.testing.assert_array_equal(alone.correct[0][order], [cell.a, cell.b])
                losses = [cell.alice_loss, cell.bob_loss]
                np.testing.assert_allclose(alone.loss[0][order], losses, rtol=1e-4)


def test_at_rank_0_a_pair_is_both_tasks_alone(pairs):
    frozen_trunks = pairs.isel(capacity=0)
    places = {pair: k for k, pair in enumerate(PAIRS)}
    for pair in PAIRS:
        for head, name in zip(("first", "second"), pair, strict=False):
            for what in (head, f"{head}_loss"):
                together = frozen_trunks[what].isel(pair=places[pair])
                alone = frozen_trunks[what.replace("second", "first")].isel(pair=places[name,])
                np.testing.assert_array_equal(together, alone)
    looked_up = chsh.quartet(frozen_trunks, alice=TOY[:2], bob=TOY[2:])
    alone = frozen_trunks.isel(pair=[places[name,] for name in TOY])
    from_alone = chsh.quartet(alone, alice=TOY[:2], bob=TOY[2:], alone=True)
    np.testing.assert_array_equal(looked_up.a, from_alone.a)
    np.testing.assert_array_equal(looked_up.b, from_alone.b)
    # A pair that was trained with a frozen trunk, both heads on one loss, ends there too.
    both = untrained([toy()["toy/mood"], toy()["toy/sum"]], 0, steps=4, learning_rate=0.03)
    found = train_networks(both)
    cell = frozen_trunks.isel(pair=places["toy/mood", "toy/sum"], replica=0)
    np.testing.assert_array_equal(found.correct[0], [cell["first"], cell["second"]])


def test_some_pairs_are_those_of_all(pairs):
    chosen = [("toy/which", "toy/mood"), ("toy/sum",), ("toy/sum", "toy/same")]
    some = train(ranks=[0, 2, FULL], replicas=2, learning_rate=0.03, pairs=chosen)
    places = [PAIRS.index(pair) for pair in sorted(tuple(sorted(pair)) for pair in chosen)]
    there = pairs.isel(pair=places, replica=slice(2))
    for name in ("first", "second", "diverged"):
        np.testing.assert_array_equal(some[name], there[name])
    np.testing.assert_allclose(some.first_loss, there.first_loss, rtol=1e-4)


def test_attributes_say_what_was_trained(pairs):
    expected = {
        "paired": False,
        "encoder": "tiny",
        "encoder_source": json.dumps({"generator": "ncnet.encoders"}),
        "sources": json.dumps({name: {"generator": "ncnet.datasets.toy"} for name in TOY}),
        "further": json.dumps(dict.fromkeys(TOY, 0)),
        "unknown_share": json.dumps(dict.fromkeys(TOY, 0.0)),
        "cut_share": json.dumps(dict.fromkeys(TOY, 0.0)),
        "device": encoder().model.device.type,
        "layers": 1,
        "pooling": "first",
        "steps": 4,
        "batch_size": 4,
        "learning_rate": 0.03,
        "alpha": 16.0,
        "seed": 0,
    }
    assert {name: pairs.attrs[name] for name in expected} == expected
    assert train(LANGUAGES, paired=True).attrs["paired"] == 1


def test_the_statistics_read_it(pairs):
    outcomes = chsh.quartet(pairs, alice=TOY[:2], bob=TOY[2:])
    report = chsh.report(outcomes.sel(capacity=2), resamples=1000)
    assert (report.replicas, report.items, report.held_out.items) == (3, 8, 4)
    table = chsh.by_capacity(outcomes.isel(replica=np.arange(32) % 3))
    assert table["rank"].tolist() == [0, 2, math.inf]
    languages = chsh.quartet(train(LANGUAGES), alice=LANGUAGES[:2], bob=LANGUAGES[2:])
    [at_2] = [languages.isel(capacity=0)]
    assert chsh.report(at_2, readout="prediction", resamples=1000).items == 8


def test_sweeps_concatenate_along_capacity(pairs):
    one, two = (train(ranks=ranks, replicas=3, learning_rate=0.03) for ranks in ([0, 2], [FULL]))
    joined = xr.concat([one, two], "capacity")
    xr.testing.assert_identical(joined, pairs)
    assert joined.capacity.attrs == {"capacity_name": "rank"}


def test_fewer_replicas_are_the_first_of_more(pairs):
    fewer = train(ranks=[0, 2, FULL], replicas=2, learning_rate=0.03)
    xr.testing.assert_identical(fewer, pairs.isel(replica=slice(2)))


def test_no_item_need_be_held_out():
    found = encoders.train(encoder(), toy(held_out=0), **SHORT)
    assert found.split.values.tolist() == ["training"] * 8


def test_looks_are_there_where_they_are_asked_for():
    found = train(looks=[0.25, 0.5], replicas=2, steps=8)
    assert found.look.values.tolist() == [0.25, 0.5]
    assert set(found.first_along.dims) == {"capacity", "pair", "replica", "look", "item"}
    for name in ("cosine", "first_lookahead", "second_lookahead"):
        assert set(found[name].dims) == {"capacity", "pair", "replica", "look"}
        alone = np.array([len(pair) == 1 for pair in PAIRS])
        np.testing.assert_array_equal(
            found[name].isnull().any(("capacity", "replica", "look")), alone
        )
    assert (abs(found.cosine.fillna(0)) <= 1).all()
    plain = train(replicas=2, steps=8)
    for name in plain:
        xr.testing.assert_equal(found[name].drop_vars("look", errors="ignore"), plain[name])


def files(folder):
    """Return the contents of all files below a folder."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


OPTIONS = {"ranks": [0, 2, FULL], "replicas": 2, "layers": 2, "pairs": PAIRS[:2]}


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Train all blocks of `OPTIONS`; return their folder and the outcomes."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, train(folder=folder, **OPTIONS)


def test_a_folder_holds_each_block_and_is_not_trained_again(swept, monkeypatch):
    folder, first = swept
    xr.testing.assert_identical(first, train(**OPTIONS))
    written = files(folder)
    adapter = {"adapter_config.json", "adapter_model.safetensors"}
    networks = {"0": ("toy_mood", "toy_same")}
    expected = {"sweep.json"}
    for rank, more in (("0", set()), ("2", adapter), ("inf", set())):
        for replica in range(2):
            place = f"rank_{rank}/replica_{replica:03}"
            expected.add(f"{place}/outcomes.safetensors")
            for network in networks.get(rank, ("toy_mood", "toy_mood+toy_same")):
                kept = {"heads.safetensors"} | more
                expected |= {f"{place}/{network}/{name}" for name in kept}
    assert set(written) == expected
    monkeypatch.setattr(sweep, "train_networks", lambda *a: pytest.fail("trained again"))
    xr.testing.assert_identical(train(folder=folder, **OPTIONS), first)
    assert files(folder) == written


def test_more_ranks_and_replicas_go_into_the_same_folder(tmp_path, monkeypatch):
    train(folder=tmp_path, ranks=[2])
    trained = []

    def spy(networks, looks):
        trained.append((networks.rank, networks.keys["toy/mood"][1]))
        return train_networks(networks, looks)

    monkeypatch.setattr(sweep, "train_networks", spy)
    more = train(folder=tmp_path, ranks=[1, 2], replicas=2)
    assert trained == [(1, 0), (1, 1), (2, 1)]
    monkeypatch.undo()
    xr.testing.assert_identical(more, train(ranks=[1, 2], replicas=2))


def test_a_sweep_that_ends_between_blocks_goes_on_with_the_next(swept, tmp_path, monkeypatch):
    done = []

    def stop_after(number):
        def counted(networks, looks):
            if len(done) == number:
                raise KeyboardInterrupt
            done.append(networks)
            return train_networks(networks, looks)

        monkeypatch.setattr(sweep, "train_networks", counted)

    stop_after(3)
    with pytest.raises(KeyboardInterrupt):
        train(folder=tmp_path / "cut", **OPTIONS)
    stop_after(None)
    train(folder=tmp_path / "cut", **OPTIONS)
    assert len(done) == 6
    assert files(tmp_path / "cut") == files(swept[0])


def test_a_block_that_cannot_be_kept_is_trained_again(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as disk:
        disk.setattr(saving, "write", full)
        with pytest.raises(OSError, match="No space left on device"):
            train(folder=tmp_path)
    assert not list(tmp_path.rglob(sweep.OUTCOMES))
    xr.testing.assert_identical(train(folder=tmp_path), train())


def test_random_numbers_of_torch_are_left_as_they_were():
    before = torch.get_rng_state()
    train(ranks=[0, 2, math.inf], steps=1)
    assert torch.equal(before, torch.get_rng_state())


def test_the_number_of_threads_changes_nothing_and_is_left_as_it_was():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        two = train(ranks=[0, 2])
        assert torch.get_num_threads() == 2
        torch.set_num_threads(1)
        xr.testing.assert_identical(train(ranks=[0, 2]), two)
    finally:
        torch.set_num_threads(before)


def test_a_damaged_description_of_a_folder_is_refused_in_one_line(tmp_path):
    (tmp_path / "sweep.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"sweep\.json is damaged .*: choose another folder$"):
        train(folder=tmp_path)


def test_a_damaged_block_is_refused_in_one_line(tmp_path):
    train(folder=tmp_path)
    [path] = tmp_path.rglob(sweep.OUTCOMES)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))} is damaged \(.*\): delete it$"):
        train(folder=tmp_path)
    path.unlink()
    xr.testing.assert_identical(train(folder=tmp_path), train())


SWEEP = """
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from ncnet.encoders import sweep
from tests.small_encoders import train

stop = {"at": int(sys.argv[2])}

def train_networks(*given, inner=sweep.train_networks):
    stop["at"] -= 1
    if not stop["at"]:
        print("here", flush=True)
        sys.stdin.read()
    return inner(*given)

sweep.train_networks = train_networks
train(folder=Path(sys.argv[1]), replicas=4)
"""


@pytest.mark.slow
def test_a_process_that_is_killed_loses_one_block_at_most(tmp_path, monkeypatch):
    process = subprocess.Popen(
        [sys.executable, "-c", SWEEP, str(tmp_path), "3"],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    with process:
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    trained = []

    def spy(networks, looks):
        trained.append(networks.keys["toy/mood"][1])
        return train_networks(networks, looks)

    monkeypatch.setattr(sweep, "train_networks", spy)
    resumed = train(folder=tmp_path, replicas=4)
    assert trained == [2, 3]
    xr.testing.assert_identical(resumed, train(replicas=4))


def test_the_outcomes_are_the_last_file_of_a_block(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(
        saving, "replace", lambda path, content: written.append(path.name) or path.touch()
    )
    train(folder=tmp_path)
    assert written[-1] == sweep.OUTCOMES
    assert written.count(sweep.OUTCOMES) == 1


def test_kept_files_are_written_whole_in_plain_formats(tmp_path):
    train(folder=tmp_path)
    outcomes = load_file(tmp_path / "rank_2" / "replica_000" / "outcomes.safetensors")
    assert {name: tuple(found.shape) for name, found in outcomes.items()} == {
        "correct": (10, 2, 12),
        "loss": (10, 2),
        "diverged": (10,),
    }
    assert outcomes["correct"].dtype == torch.int8
    described = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))
    assert described["encoder"] == {"name": "tiny", "generator": "ncnet.encoders"}
    assert (described["steps"], len(described["items"])) == (4, 4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"steps": 5}, "`steps` 4, here it is 5"),
        ({"seed": 1}, "`seed` 0, here it is 1"),
        ({"layers": 2}, "`layers` 1, here it is 2"),
        ({"pooling": "mean"}, "`pooling` 'first', here it is 'mean'"),
        ({"learning_rate": 0.1, "alpha": 8.0}, "`learning_rate` 0.001, here it is 0.1"),
        ({"bfloat16": True}, "`bfloat16` False, here it is True"),
        ({"names": LANGUAGES}, "`items.toy_pairs/avelic` nothing"),
        ({"pairs": PAIRS[:3]}, "`pairs` ["),
        ({"looks": [0.5]}, "`looks` []"),
    ],
)
def test_a_folder_of_another_kind_is_refused_by_the_first_difference(change, said, tmp_path):
    train(folder=tmp_path, bfloat16=False)
    before = files(tmp_path)
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        train(**{"folder": tmp_path, "bfloat16": False} | change)
    assert str(caught.value).startswith(f"{tmp_path} holds contexts with {said}")
    assert str(caught.value).endswith(": choose another folder")
    assert "\n" not in str(caught.value)
    assert files(tmp_path) == before


def test_a_folder_of_another_encoder_or_other_items_is_refused(tmp_path):
    tasks = toy()
    train(folder=tmp_path)
    other = replace(encoder(), source={"generator": "another"})
    with pytest.raises(ValueError, match=r"holds contexts with `encoder.generator`"):
        encoders.train(other, tasks, folder=tmp_path, **SHORT)
    first = tasks["toy/mood"]
    label = replace(first.training[0], label=1 - first.training[0].label)
    # The same items, of which one is held out instead of trained on.
    moved = {
        name: replace(
            task, training=task.training[:-1], held_out=(task.training[-1], *task.held_out)
        )
        for name, task in tasks.items()
    }
    for changed in (
        tasks | {"toy/mood": replace(first, training=(label, *first.training[1:]))},
        tasks | {"toy/mood": replace(first, training=first.training[::-1])},
        tasks | {"toy/mood": replace(first, further=first.held_out)},
        moved,
    ):
        with pytest.raises(ValueError, match=r"holds contexts with `items\.toy/mood`"):
            encoders.train(encoder(), changed, folder=tmp_path, **SHORT)


def test_frozen_states_are_computed_once_for_all_who_need_them(tmp_path, monkeypatch):
    plain = train(ranks=[0, 2, FULL])
    xr.testing.assert_identical(train(ranks=[0, 2, FULL], states=tmp_path), plain)
    kept = files(tmp_path)
    assert len([name for name in kept if name.endswith(".npy")]) == 2 * len(TOY)
    monkeypatch.setattr(frozen, "_filled", lambda *a: pytest.fail("computed again"))
    xr.testing.assert_identical(train(ranks=[0, 2, FULL], states=tmp_path), plain)
    assert files(tmp_path) == kept
    # Other labels, and a part of the tasks, read the same states.
    labels = replace(
        toy()["toy/sum"],
        training=tuple(replace(item, label=0) for item in toy()["toy/sum"].training),
    )
    encoders.train(encoder(), {"toy/sum": labels}, states=tmp_path, **SHORT)
    for changed in ({"layers": 2}, {"names": LANGUAGES}):
        with pytest.raises(pytest.fail.Exception, match="computed again"):
            train(states=tmp_path, **changed)
    other = replace(encoder(), model=encoders.load("tiny").model)
    with torch.no_grad():
        other.model.embeddings.word_embeddings.weight += 1
    with pytest.raises(pytest.fail.Exception, match="computed again"):
        encoders.train(other, toy(), states=tmp_path, **SHORT)
    other = replace(encoder(), model=encoders.load("tiny").model)
    other.model.config.layer_norm_eps *= 2
    with pytest.raises(pytest.fail.Exception, match="computed again"):
        encoders.train(other, toy(), states=tmp_path, **SHORT)


def test_what_a_head_was_along_the_training_is_its_partys_in_a_quartet():
    pairs = train(replicas=2, steps=8, looks=[0.5])
    along = pairs.assign(first_along=pairs["first"], second_along=pairs["second"])
    found = chsh.quartet(along, alice=("toy/sum", "toy/which"), bob=("toy/mood", "toy/same"))
    np.testing.assert_array_equal(found["alice_along"], found["a"])
    np.testing.assert_array_equal(found["bob_along"], found["b"])
    assert {"cosine", "alice_lookahead", "bob_lookahead"} <= {*found}
    assert not [name for name in found if name.startswith(("first", "second"))]


def test_states_that_were_cut_off_or_are_of_another_size_are_computed_again(tmp_path):
    plain = train(states=tmp_path)
    cut, other, empty, *_ = sorted(tmp_path.glob("*.npy"))
    cut.write_bytes(cut.read_bytes()[:-5])
    np.save(other, np.zeros((3, 96), np.float32))
    empty.write_bytes(b"")
    xr.testing.assert_identical(train(states=tmp_path), plain)


def test_of_two_that_need_the_same_states_at_once_one_computes_them(tmp_path, monkeypatch):
    computed, fill, both = [], frozen._filled, threading.Barrier(2)

    def slowly(*given):
        computed.append(1)
        time.sleep(0.2)
        return fill(*given)

    def read(_):
        both.wait()
        return frozen.encoded(encoder(), toy()["toy/sum"], layers=1, folder=tmp_path).states

    monkeypatch.setattr(frozen, "_filled", slowly)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(read, range(2))
    assert len(computed) == 2  # training items, and held-out ones
    for states, again in zip(one, other, strict=True):
        np.testing.assert_array_equal(states, again)


def test_the_order_in_which_pairs_are_named_changes_nothing():
    pairs = [("toy/sum", "toy/mood"), ("toy/which",), ("toy/same", "toy/mood")]
    for sweep_pairs in (pairs, pairs[::-1]):
        found = sweep.Sweep(encoder(), toy(), sweep_pairs, hyperparameters()).outcomes([2], [0])
        xr.testing.assert_identical(found, train(pairs=pairs, steps=6, bfloat16=False))


def test_blocks_of_a_kind_that_nothing_says_are_refused_and_a_failed_start_claims_no_folder(
    tmp_path,
):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        train(folder=tmp_path / "kept", states=tmp_path / "file")
    train(folder=tmp_path / "kept", steps=2)
    (tmp_path / "kept" / sweep.DESCRIPTION).unlink()
    with pytest.raises(ValueError, match=r"has blocks, and no sweep.json .*: expected another"):
        train(folder=tmp_path / "kept")


def test_the_order_of_the_tasks_is_not_of_the_kind_of_a_folder(tmp_path):
    first = train(folder=tmp_path)
    tasks = dict(reversed(toy().items()))
    again = encoders.train(encoder(), tasks, folder=tmp_path, **SHORT)
    xr.testing.assert_equal(again["first"], first["first"])


@pytest.mark.parametrize(
    ("of", "tasks", "line"),
    [
        ("tiny", toy(), "`encoder` is of type str: expected one that `ncnet.encoders.load` ret"),
        (encoder(), list(TOY), "`tasks` is of type list: expected a dict of tasks by name"),
        (encoder(), {"toy/sum": "toy/sum"}, "is of type str: expected a task from"),
    ],
)
def test_what_is_no_encoder_and_no_tasks_is_refused(of, tasks, line):
    with pytest.raises(ValueError, match=line):
        encoders.train(of, tasks, **SHORT)


def test_made_up_tasks_that_are_no_translations_are_no_partners():
    with pytest.raises(ValueError, match="training items of `toy/same` are no partners of those"):
        train(paired=True)
    train(names=LANGUAGES, paired=True)


def test_tasks_without_training_items_are_refused():
    none = {name: replace(task, training=()) for name, task in toy().items()}
    with pytest.raises(ValueError, match="tasks have no training items: expected some"):
        encoders.train(encoder(), none, **SHORT)


def test_states_that_cannot_be_written_leave_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match=r"No space left on device: .*\.npy"):
        train(states=tmp_path)
    assert not [name for name in files(tmp_path) if not name.endswith(".lock")]


RANKS = ("0 to 32", "`tiny`", "inf for full fine-tuning")


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"ranks": [0, -1]}, ("`rank` is -1", *RANKS)),
        ({"ranks": [2.5]}, ("`rank` is 2.5", *RANKS)),
        ({"ranks": [33]}, ("`rank` is 33", *RANKS)),
        ({"ranks": [math.nan]}, ("`rank` is nan", *RANKS)),
        ({"ranks": [-math.inf]}, ("`rank` is -inf", *RANKS)),
        ({"ranks": [True]}, ("`rank` is True", *RANKS)),
        ({"ranks": ["2"]}, ("`rank` is '2'", *RANKS)),
        ({"ranks": []}, ("`ranks` is []", "a list of ranks")),
        ({"ranks": 4}, ("`ranks` is 4", "a list of ranks")),
        ({"ranks": [2, 2.0]}, ("rank `2.0` is there twice",)),
        ({"bfloat16": "no"}, ("`bfloat16` is 'no'", "true or false")),
        ({"replicas": 0}, ("`replicas` is 0", "at least 1")),
        ({"replicas": 1.5}, ("`replicas` is 1.5", "an integer")),
        ({"seed": -1}, ("`seed` is -1", "at least 0")),
        ({"layers": 0}, ("`layers` is 0", "at least 1")),
        ({"layers": 3}, ("`layers` is 3", "at most 2")),
        ({"steps": -1}, ("`steps` is -1", "at least 0")),
        ({"steps": 2.0}, ("`steps` is 2.0", "an integer")),
        ({"steps": 10**8}, ("`steps` is 100000000", "at most 10,000,000")),
        ({"batch_size": 0}, ("`batch_size` is 0", "at least 1")),
        ({"batch_size": 10**6}, ("`batch_size` is 1000000", "at most 100,000")),
        ({"learning_rate": 0}, ("`learning_rate` is 0", "above 0")),
        ({"learning_rate": math.inf}, ("`learning_rate` is inf", "finite")),
        ({"alpha": -16}, ("`alpha` is -16", "above 0")),
        ({"pooling": "max"}, ("unknown pooling `max`", "`mean`")),
        ({"pairs": []}, ("`pairs` is []", "a list of pairs")),
        ({"pairs": [("toy/mood", "toy/moot")]}, ("unknown task `toy/moot`", "`toy/mood`")),
        ({"pairs": [("toy/mood", "toy/mood")]}, ("`toy/mood` is paired with itself",)),
        (
            {"pairs": [("toy/mood", "toy/sum"), ("toy/sum", "toy/mood")]},
            ("pair `toy/mood beside toy/sum` is there twice",),
        ),
        ({"looks": [0.5, 1]}, ("`looks` is 1", "between 0 and 1")),
        ({"looks": [0.5, 0.25]}, ("`looks` are [0.5, 0.25] of 4 steps", "in order")),
        ({"looks": [0.1, 0.5]}, ("`looks` are [0.1, 0.5] of 4 steps", "in order")),
        ({"looks": [0.01]}, ("`looks` are [0.01] of 4 steps, so [0]", "different")),
        ({"looks": 0.5}, ("`looks` is of type float", "a list of shares")),
        ({"paired": "yes"}, ("`paired` is 'yes'", "true or false")),
        ({"stpes": 4}, ("unknown hyperparameter `stpes`", "`steps`")),
        ({"looks": [0.5], "ranks": [0, 2]}, ("`looks` at rank 0", "expected none")),
    ],
)
def test_bad_arguments_are_named_before_any_work(change, parts, tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "Sweep", lambda *a, **k: pytest.fail("work started"))
    with pytest.raises(ValueError, match=re.escape(parts[0])) as caught:
        train(folder=tmp_path / "new", **change)
    assert all(part in str(caught.value) for part in parts)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "new").exists()


def test_an_unknown_hyperparameter_is_named():
    line = "unknown hyperparameter `step_size`: did you mean `steps`"
    with pytest.raises(ValueError, match=line):
        train(step_size=0.1)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (
            lambda tasks: changed(tasks, training=slice(1, None)),
            ("'toy_pairs/dushan': 7", "training items", "as many of each"),
        ),
        (
            lambda tasks: changed(tasks, held_out=slice(1, None)),
            ("'toy_pairs/dushan': 3", "held_out items", "as many of each"),
        ),
        (
            lambda tasks: changed(tasks, training=slice(None, None, -1)),
            ("training items of `toy_pairs/dushan`", "no partners of those of `toy_pairs/avelic`"),
        ),
        (
            lambda tasks: changed(tasks, held_out=slice(None, None, -1)),
            ("held_out items of `toy_pairs/dushan`", "expected tasks that are loaded together"),
        ),
        (lambda _: {}, ("`tasks` is []", "tasks by name")),
    ],
)
def test_tasks_that_do_not_fit_are_named_before_any_work(change, parts, monkeypatch):
    monkeypatch.setattr(sweep, "Sweep", lambda *a, **k: pytest.fail("work started"))
    with pytest.raises(ValueError, match=re.escape(parts[0])) as caught:
        encoders.train(encoder(), change(toy(LANGUAGES)), paired=True, **SHORT)
    assert all(part in str(caught.value) for part in parts)
    assert "\n" not in str(caught.value)


def changed(tasks, **chosen):
    """Return tasks of which the last has chosen items only."""
    last = tasks["toy_pairs/dushan"]
    parts = {part: getattr(last, part)[items] for part, items in chosen.items()}
    return tasks | {last.name: replace(last, **parts)}


def test_a_float_that_is_whole_is_a_rank():
    found = train(ranks=[2.0])
    xr.testing.assert_identical(found, train(ranks=[2]))
    assert type(found.attrs["steps"]) is int


def test_a_replay_refuses_other_data_than_the_recorded_runs_had(tmp_path, monkeypatch):
    [replay] = [one for one in replays.REPLAYS if one.table == "trial/real_tasks"]
    recorded = replay.load().table
    sources = recorded.set_index("task")["source"].to_dict()
    loaded, tasks = encoder(), toy()
    other = replace(tasks["toy/mood"], name="sst2")
    with pytest.raises(NotReplayableError, match="the data of `sst2` are others"):
        replays._check_sources({"sst2": other}, sources, "trial/real_tasks")
    replays._check_sources(tasks, sources, "trial/real_tasks")
    monkeypatch.setenv("NCNET_DATA", str(tmp_path))
    monkeypatch.setattr(encoders, "load", lambda _: loaded)
    with pytest.raises(NotReplayableError, match=r"sst2/train\.jsonl\.gz"):
        replay.make(replay.load(), replay.pieces(recorded.query("task == 'sst2'"))[0])


@pytest.mark.slow
@pytest.mark.parametrize("table", ["real_outcomes", "real_networks", "real_tasks"])
def test_the_small_sweep_is_replayed_and_leaves_the_number_of_threads(table):
    [replay] = [one for one in replays.REPLAYS if one.table == f"small/{table}"]
    before, recorded = torch.get_num_threads(), replay.load()
    where = next(one for one in replay.pieces(recorded.table) if one["rank"] == 4)
    made = replay.make(recorded, where)
    expected = replay.rows(recorded.table, where)
    found = compare(expected, made, replay.key, replay.tolerances, equal=False, seed="0")
    assert (found.failed, found.caught) == (0, found.controls), found.told
    assert torch.get_num_threads() == before
