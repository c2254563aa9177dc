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
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from safetensors.torch import load_file

import ncnet
from ncnet import encoders
from ncnet.encoders import saving, sweep, training
from ncnet.encoders.training import train_context
from ncnet.encoders.trunk import FULL
from ncnet.replay import NotReplayableError, compare
from ncnet.studies.ranks import replay as replays
from tests.small_encoders import SHORT, encoder, hyperparameters, toy, train, untrained

CONTEXTS = [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.fixture(scope="module")
def outcomes():
    return train(ranks=[0, 2, FULL], replicas=3, learning_rate=0.03)


def test_the_dataset_has_the_contracts_shape(outcomes):
    game = ncnet.train(ncnet.games.overlap(), hidden_size=2, replicas=3, seed=0, steps=1)
    single = outcomes.isel(capacity=0)
    assert outcomes.a.dims == ("capacity", *game.a.dims)
    for name in ("a", "b", "diverged"):
        assert single[name].dims == game[name].dims
        assert single[name].dtype == game[name].dtype
    assert set(np.unique(outcomes.a)) == set(np.unique(outcomes.b)) == {-1, 1}
    for name in ("alice_setting", "bob_setting", "replica"):
        assert single[name].values.tolist() == game[name].values.tolist()
    for name in ("alice_loss", "bob_loss"):
        assert outcomes[name].dims == outcomes.diverged.dims
        assert outcomes[name].dtype == np.float64
    assert set(single.coords) == set(game.coords) - {"step"}
    assert outcomes.split.values.tolist() == ["training"] * 8 + ["held_out"] * 4
    assert outcomes.capacity.values.tolist() == [0, 2, math.inf]
    assert outcomes.capacity.attrs == {"capacity_name": "rank"}


@pytest.mark.parametrize(("rank", "place"), [(0, 0), (2, 1)])
def test_a_context_alone_is_the_one_of_the_sweep(outcomes, rank, place):
    quartet, tasks = toy()
    how = hyperparameters(steps=SHORT["steps"], learning_rate=0.03)
    axes = {"capacity": [rank], "replica": [2], "alice_setting": [2], "bob_setting": [1]}
    one = sweep.Sweep(encoder(), quartet, tasks, how, None).networks(axes)
    there = {"alice_setting": [1], "bob_setting": [0], "replica": [2], "capacity": [place]}
    xr.testing.assert_identical(one, outcomes.isel(there))


def test_attributes_say_what_was_trained(outcomes):
    expected = {
        "quartet": "toy_mixed",
        "alice_tasks": ["toy/mood", "toy/which"],
        "bob_tasks": ["toy/same", "toy/sum"],
        "paired": False,
        "encoder": "tiny",
        "encoder_source": json.dumps({"generator": "ncnet.encoders"}),
        "sources": json.dumps([{"generator": "ncnet.datasets.toy"}] * 4),
        "further": [0, 0, 0, 0],
        "unknown_share": [0, 0, 0, 0],
        "cut_share": [0, 0, 0, 0],
        "device": encoder().model.device.type,
        "layers": 1,
        "steps": 4,
        "batch_size": 4,
        "learning_rate": 0.03,
        "alpha": 16.0,
        "seed": 0,
    }
    assert {name: outcomes.attrs[name] for name in expected} == expected


def test_targets_are_there_where_all_tasks_have_two_classes(outcomes):
    assert "alice_target" not in outcomes
    pairs = train("toy_languages")
    _, tasks = toy("toy_languages")
    labels = [[item.label for item in (*t.training, *t.held_out)] for t in tasks.values()]
    for party, name in enumerate(("alice", "bob")):
        target = pairs[f"{name}_target"]
        assert target.dims == (f"{name}_setting", "item")
        assert target.dtype == np.int8
        signs = 2 * np.array(labels[2 * party : 2 * party + 2]) - 1
        np.testing.assert_array_equal(target, signs)
    assert pairs.attrs["paired"] == 1


def test_the_statistics_read_it(outcomes):
    report = ncnet.chsh.report(outcomes.sel(capacity=2), resamples=1000)
    assert (report.replicas, report.items, report.held_out.items) == (3, 8, 4)
    assert report.s == pytest.approx(float(ncnet.chsh.s_per_replica(outcomes).mean("replica")[1]))
    table = ncnet.chsh.by_capacity(outcomes.isel(replica=np.arange(32) % 3))
    assert table["rank"].tolist() == [0, 2, math.inf]
    with pytest.raises(ValueError, match="expected targets, as readout `prediction` needs"):
        ncnet.chsh.report(outcomes.sel(capacity=2), readout="prediction", resamples=1000)
    pairs = train("toy_languages")
    assert ncnet.chsh.report(pairs, readout="prediction", resamples=1000).items == 8


def test_sweeps_concatenate_along_capacity(outcomes):
    one, two = (train(ranks=ranks, replicas=3, learning_rate=0.03) for ranks in ([0, 2], [FULL]))
    joined = xr.concat([one, two], "capacity")
    xr.testing.assert_identical(joined, outcomes)
    assert joined.capacity.attrs == {"capacity_name": "rank"}


def test_fewer_replicas_are_the_first_of_more(outcomes):
    fewer = train(ranks=[0, 2, FULL], replicas=2, learning_rate=0.03)
    xr.testing.assert_identical(fewer, outcomes.isel(replica=slice(2)))


def test_every_cell_is_the_training_of_its_own_tasks(outcomes):
    quartet, tasks = toy()
    for rank, replica, (i, j) in itertools.product((0, 2, FULL), (0, 2), CONTEXTS):
        pair = tasks[quartet.alice[i]], tasks[quartet.bob[j]]
        how = {"replica": replica, "steps": 4, "learning_rate": 0.03}
        alone = train_context(untrained(pair, rank, **how))
        cell = outcomes.sel(capacity=rank, replica=replica).isel(alice_setting=i, bob_setting=j)
        np.testing.assert_array_equal(alone.correct, [cell.a, cell.b])
        np.testing.assert_allclose(alone.loss, [cell.alice_loss, cell.bob_loss], rtol=1e-5)


def test_no_item_need_be_held_out():
    quartet, tasks = toy(held_out=0)
    found = encoders.train(encoder(), quartet, tasks, **SHORT)
    assert found.split.values.tolist() == ["training"] * 8
    assert ncnet.chsh.report(found, resamples=1000).held_out is None


def files(folder):
    """Return the contents of all files below a folder."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


OPTIONS = {"ranks": [0, 2, FULL], "replicas": 1, "layers": 2}


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Train all contexts of `OPTIONS`; return their folder and the outcomes."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, train(folder=folder, **OPTIONS)


@pytest.mark.slow
def test_a_folder_holds_each_context_and_is_not_trained_again(swept, monkeypatch):
    folder, first = swept
    xr.testing.assert_identical(first, train(**OPTIONS))
    written = files(folder)
    adapter = {"adapter_config.json", "adapter_model.safetensors"}
    expected = {"sweep.json"} | {
        f"rank_{rank}/replica_000/context_{context}/{name}"
        for rank, more in (("0", set()), ("2", adapter), ("inf", set()))
        for context in (11, 12, 21, 22)
        for name in {"heads.safetensors", "outcome.safetensors"} | more
    }
    assert set(written) == expected
    monkeypatch.setattr(sweep, "train_context", lambda *a, **k: pytest.fail("trained again"))
    xr.testing.assert_identical(train(folder=folder, **OPTIONS), first)
    assert files(folder) == written


@pytest.mark.slow
def test_more_ranks_and_replicas_go_into_the_same_folder(tmp_path, monkeypatch):
    train(folder=tmp_path, ranks=[2])
    trained = []

    def spy(model, **named):
        trained.append((model.trunk.rank, model.keys[0][1]))
        return train_context(model, **named)

    monkeypatch.setattr(sweep, "train_context", spy)
    more = train(folder=tmp_path, ranks=[1, 2], replicas=2)
    assert set(trained) == {(1, 0), (1, 1), (2, 1)}
    monkeypatch.undo()
    xr.testing.assert_identical(more, train(ranks=[1, 2], replicas=2))


def test_the_kept_weights_give_the_kept_outcomes(tmp_path):
    found = train(folder=tmp_path, ranks=[2], replicas=2, learning_rate=0.03)
    quartet, tasks = toy()
    for i, j in CONTEXTS:
        pair = tasks[quartet.alice[i]], tasks[quartet.bob[j]]
        model = untrained(pair, 2, steps=0)
        place = tmp_path / "rank_2" / "replica_001" / f"context_{i + 1}{j + 1}"
        encoders.load_adapters(model, place)
        outcome = train_context(model)
        cell = found.isel(capacity=0, replica=1, alice_setting=i, bob_setting=j)
        np.testing.assert_array_equal(outcome.correct, [cell.a, cell.b])
        np.testing.assert_allclose(outcome.loss, [cell.alice_loss, cell.bob_loss], rtol=1e-5)


def test_a_sweep_that_ends_between_contexts_goes_on_with_the_next(swept, tmp_path, monkeypatch):
    done = []

    def stop_after(number):
        def counted(model, **named):
            if len(done) == number:
                raise KeyboardInterrupt
            done.append(model)
            return train_context(model, **named)

        monkeypatch.setattr(sweep, "train_context", counted)

    stop_after(6)
    with pytest.raises(KeyboardInterrupt):
        train(folder=tmp_path / "cut", **OPTIONS)
    stop_after(None)
    train(folder=tmp_path / "cut", **OPTIONS)
    assert len(done) == 12
    assert files(tmp_path / "cut") == files(swept[0])


class Clock:
    """Stands in for `time` in a training, of which each step takes a minute."""

    def __init__(self, monkeypatch):
        self.now, self.steps, self.last = 0, [], math.inf
        self.step = training._step
        monkeypatch.setattr(training, "time", self)
        monkeypatch.setattr(training, "_step", self.timed)

    def monotonic(self):
        return self.now

    def timed(self, model, step, optimizer):
        if len(self.steps) == self.last:
            raise KeyboardInterrupt
        self.steps.append(step)
        self.step(model, step, optimizer)
        self.now += 61


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 2, FULL])
def test_a_training_that_is_cut_off_goes_on_at_its_step_to_the_same_result(
    rank, tmp_path, monkeypatch
):
    options = OPTIONS | {"ranks": [rank], "steps": 7, "learning_rate": 0.03}
    whole = train(folder=tmp_path / "whole", **options)
    clock = Clock(monkeypatch)
    for clock.last in (4, 7 + 5, 7 + 6, 3 * 7 + 1):
        with pytest.raises(KeyboardInterrupt):
            train(folder=tmp_path / "cut", **options)
    assert len([name for name in files(tmp_path / "cut") if "checkpoint" in name]) == 1
    clock.last = math.inf
    xr.testing.assert_identical(train(folder=tmp_path / "cut", **options), whole)
    assert clock.steps == [0, 1, 2, 3, 4, 5, 6] * 4
    assert files(tmp_path / "cut") == files(tmp_path / "whole")


def test_no_checkpoint_is_written_within_a_minute(tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "save_training", lambda *a: pytest.fail("a checkpoint was written"))
    train(folder=tmp_path)


def test_on_a_full_disk_the_earlier_checkpoint_stays_whole(tmp_path, monkeypatch):
    options = OPTIONS | {"ranks": [2], "steps": 6}
    whole = train(**options)
    clock = Clock(monkeypatch)
    synced = []

    def full(descriptor):
        synced.append(descriptor)
        if len(synced) > 3:  # what the sweep is, and two checkpoints
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left on device"):
            train(folder=tmp_path, **options)
    assert clock.steps == [0, 1, 2]
    [path] = [name for name in files(tmp_path) if name != "sweep.json"]
    assert path == "rank_2/replica_000/context_11/checkpoint.safetensors"
    assert saving.read(tmp_path / path)["step"] == 2
    xr.testing.assert_identical(train(folder=tmp_path, **options), whole)
    assert clock.steps == [0, 1, 2, 2, 3, 4, 5] + [0, 1, 2, 3, 4, 5] * 3


def test_a_disk_that_is_full_at_the_end_leaves_the_checkpoint(tmp_path, monkeypatch):
    options = OPTIONS | {"ranks": [2], "steps": 3}
    clock = Clock(monkeypatch)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as disk:
        disk.setattr(saving, "save_adapters", full)
        with pytest.raises(OSError, match="No space left on device"):
            train(folder=tmp_path, **options)
    assert list(tmp_path.rglob("checkpoint.safetensors"))
    train(folder=tmp_path, **options)
    assert clock.steps[:4] == [0, 1, 2, 2]  # not from the beginning
    assert not list(tmp_path.rglob("checkpoint.safetensors"))


def test_random_numbers_of_torch_are_left_as_they_were():
    before = torch.get_rng_state()
    train(ranks=[0, 2, math.inf], steps=1)
    assert torch.equal(before, torch.get_rng_state())


def test_a_damaged_description_of_a_folder_is_refused_in_one_line(tmp_path):
    (tmp_path / "sweep.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"sweep\.json is damaged .*: choose another folder$"):
        train(folder=tmp_path)


@pytest.mark.parametrize("name", ["checkpoint.safetensors", "outcome.safetensors"])
def test_a_damaged_file_of_a_sweep_is_refused_in_one_line(name, tmp_path, monkeypatch):
    clock = Clock(monkeypatch)
    clock.last = 6
    with pytest.raises(KeyboardInterrupt):
        train(folder=tmp_path)
    [path] = tmp_path.rglob(name)
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    line = rf"^{re.escape(str(path))} is damaged \(.*\): delete it$"
    with pytest.raises(ValueError, match=line):
        train(folder=tmp_path)
    path.unlink()
    clock.last = math.inf
    xr.testing.assert_identical(train(folder=tmp_path), train())


def test_a_checkpoint_of_another_rank_is_refused(tmp_path, monkeypatch):
    clock = Clock(monkeypatch)
    clock.last = 3
    with pytest.raises(KeyboardInterrupt):
        train(folder=tmp_path, ranks=[2])
    (tmp_path / "rank_2").rename(tmp_path / "rank_3")
    line = (
        r"checkpoint.safetensors has `trunk\.layers.*` of shape \(2, 32\), of another encoder, rank"
        r" or task: expected `trunk.* of shape \(3, 32\)$"
    )
    with pytest.raises(ValueError, match=line):
        train(folder=tmp_path, ranks=[3])


SWEEP = """
import os, sys
from pathlib import Path
from ncnet.encoders import training
from tests.small_encoders import train

stop = {"at": int(sys.argv[2])}

class Clock:
    now = 0
    monotonic = staticmethod(lambda: Clock.now)

def step(*given, inner=training._step):
    inner(*given)
    Clock.now += 61
    stop["at"] -= 1
    if not stop["at"]:
        print("here", flush=True)
        sys.stdin.read()

training.time, training._step = Clock, step
train(folder=Path(sys.argv[1]), steps=6, layers=2)
"""


@pytest.mark.slow
def test_a_process_that_is_killed_loses_no_more_than_its_last_minute(tmp_path, monkeypatch):
    process = subprocess.Popen(
        [sys.executable, "-c", SWEEP, str(tmp_path), "10"],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    with process:
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    clock = Clock(monkeypatch)
    resumed = train(folder=tmp_path, steps=6, layers=2)
    # One context is whole; of the next, four steps were made and three of them written.
    assert clock.steps == [3, 4, 5] + [0, 1, 2, 3, 4, 5] * 2
    xr.testing.assert_identical(resumed, train(steps=6, layers=2))


def test_the_kept_outcome_is_the_last_file_of_a_context(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(
        saving, "replace", lambda path, content: written.append(path.name) or path.touch()
    )
    train(folder=tmp_path)
    assert written[-1] == sweep.OUTCOME
    assert written.count(sweep.OUTCOME) == 4


def test_kept_files_are_written_whole_in_plain_formats(tmp_path):
    train(folder=tmp_path)
    place = tmp_path / "rank_2" / "replica_000" / "context_12"
    outcome = load_file(place / "outcome.safetensors")
    assert {name: tuple(found.shape) for name, found in outcome.items()} == {
        "correct": (2, 12),
        "loss": (2,),
        "diverged": (),
    }
    assert outcome["correct"].dtype == torch.int8
    described = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))
    assert described["encoder"] == {"name": "tiny", "generator": "ncnet.encoders"}
    assert (described["steps"], len(described["items"])) == (4, 4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"steps": 5}, "`steps` 4, here it is 5"),
        ({"seed": 1}, "`seed` 0, here it is 1"),
        ({"layers": 2}, "`layers` 1, here it is 2"),
        ({"learning_rate": 0.1, "alpha": 8.0}, "`learning_rate` 0.001, here it is 0.1"),
        ({"bfloat16": True}, "`bfloat16` False, here it is True"),
        ({"quartet": "toy_languages"}, "`items` ["),
    ],
)
def test_a_folder_of_another_setting_is_refused_by_the_first_difference(change, said, tmp_path):
    train(folder=tmp_path, bfloat16=False)
    before = files(tmp_path)
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        train(**{"folder": tmp_path, "bfloat16": False} | change)
    assert str(caught.value).startswith(f"{tmp_path} holds contexts with {said}")
    assert str(caught.value).endswith(": choose another folder")
    assert "\n" not in str(caught.value)
    assert files(tmp_path) == before


def test_a_folder_of_another_encoder_or_other_items_is_refused(tmp_path):
    quartet, tasks = toy()
    train(folder=tmp_path)
    other = replace(encoder(), source={"generator": "another"})
    with pytest.raises(ValueError, match=r"holds contexts with `encoder.generator`"):
        encoders.train(other, quartet, tasks, folder=tmp_path, **SHORT)
    first = tasks["toy/mood"]
    label = replace(first.training[0], label=1 - first.training[0].label)
    for changed in (
        replace(first, training=(label, *first.training[1:])),
        replace(first, training=first.training[::-1]),
        replace(first, further=first.held_out),
    ):
        with pytest.raises(ValueError, match="holds contexts with `items`"):
            encoders.train(
                encoder(), quartet, tasks | {"toy/mood": changed}, folder=tmp_path, **SHORT
            )
    # The same items, of which one is held out instead of trained on.
    moved = {
        name: replace(
            task, training=task.training[:-1], held_out=(task.training[-1], *task.held_out)
        )
        for name, task in tasks.items()
    }
    with pytest.raises(ValueError, match="holds contexts with `items`"):
        encoders.train(encoder(), quartet, moved, folder=tmp_path, **SHORT)


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
    ],
)
def test_bad_arguments_are_named_before_any_work(change, parts, tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "Sweep", lambda *a: pytest.fail("work started"))
    with pytest.raises(ValueError, match=re.escape(parts[0])) as caught:
        train(folder=tmp_path / "new", **change)
    assert all(part in str(caught.value) for part in parts)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "new").exists()


def test_an_unknown_hyperparameter_is_named():
    with pytest.raises(TypeError, match="step_size"):
        train(step_size=0.1)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (
            lambda tasks: {name: tasks[name] for name in tasks if name != "toy_pairs/dushan"},
            ("unknown task `toy_pairs/dushan`", "did you mean `toy_pairs/"),
        ),
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
    ],
)
def test_tasks_that_are_not_the_quartets_are_named_before_any_work(change, parts, monkeypatch):
    monkeypatch.setattr(sweep, "Sweep", lambda *a: pytest.fail("work started"))
    quartet, tasks = toy("toy_languages")
    with pytest.raises(ValueError, match=re.escape(parts[0])) as caught:
        encoders.train(encoder(), quartet, change(tasks), **SHORT)
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
    [replay] = [one for one in replays.REPLAYS if one.table == "lora_tasks"]
    loaded, (_, tasks) = encoder(), toy()
    other = replace(tasks["toy/mood"], name="sst2")
    with pytest.raises(NotReplayableError, match="the data of `sst2` are others"):
        replays._check_sources({"sst2": other})
    replays._check_sources(tasks)
    monkeypatch.setenv("NCNET_DATA", str(tmp_path))
    monkeypatch.setattr(encoders, "load", lambda _: loaded)
    with pytest.raises(NotReplayableError, match=r"sst2/train\.jsonl\.gz"):
        replay.make(replay.load(), {"quartet": "mixed_hard_together"})


@pytest.mark.slow
@pytest.mark.parametrize("table", ["small/lora", "small/lora_losses"])
def test_the_small_sweep_is_replayed_and_leaves_the_number_of_threads(table):
    [replay] = [one for one in replays.REPLAYS if one.table == table]
    before, recorded = torch.get_num_threads(), replay.load()
    where = {"quartet": "toy_languages"}
    made = replay.make(recorded, where)
    expected = replay.rows(recorded.table, where)
    found = compare(expected, made, replay.key, replay.tolerances, equal=False, seed="0")
    assert (found.failed, found.caught) == (0, found.controls), found.told
    assert torch.get_num_threads() == before
