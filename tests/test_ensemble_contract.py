"""What the outcomes of a training promise, whatever the chunks and threads."""

import dataclasses
import inspect
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ncnet
from ncnet.training.chunks import split_blocks
from ncnet.training.initialisation import draw
from ncnet.training.outcomes import Recorder
from ncnet.training.plan import Plan
from tests.compilers import has_compiler
from tests.refusals import refused

GAME = ncnet.games.overlap()
BACKENDS = (
    pytest.param(
        "compiled",
        marks=pytest.mark.skipif(not has_compiler(), reason="there is no C++ compiler"),
    ),
    "eager",
)
SHORT = {"hidden_size": 3, "seed": 0, "steps": 60, "trace_steps": [60]}


@pytest.fixture(scope="module", params=BACKENDS)
def reference(request):
    return ncnet.train(GAME, replicas=1000, backend=request.param, **SHORT)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    replicas=st.integers(1, 1000),
    chunk_size=st.integers(1, 2000),
    threads=st.sampled_from([1, 2, 3]),
)
def test_replicas_do_not_depend_on_how_many_chunks_or_threads(
    reference, replicas, chunk_size, threads
):
    split = {"chunk_size": chunk_size, "threads": threads, "backend": reference.attrs["backend"]}
    found = ncnet.train(GAME, replicas=replicas, **split, **SHORT)
    xr.testing.assert_identical(found, reference.isel(replica=slice(replicas)))


@pytest.mark.parametrize("backend", ["compiled", "eager"])
def test_networks_too_wide_for_a_chunk_go_a_block_at_a_time(backend):
    plan = SimpleNamespace(device=torch.device("cpu"), items=8, shown=8, replicas=100)
    plan.hidden_size, plan.second_hidden_size = 10**6, 0
    assert split_blocks(plan, backend, threads=2, chunk_size=None) == [range(1), range(1, 2)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("game", [GAME, ncnet.games.separate()])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_bits_are_equal_for_every_activation_and_game(game, activation, backend):
    options = SHORT | {"hidden_size": 5, "activation": activation, "optimizer": "adam"}
    options |= {"learning_rate": 0.05, "backend": backend}
    whole = ncnet.train(game, replicas=300, chunk_size=300, threads=1, **options)
    parts = ncnet.train(game, replicas=130, chunk_size=64, threads=3, **options)
    xr.testing.assert_identical(parts, whole.isel(replica=slice(130)))


def test_another_seed_and_another_hidden_size_draw_other_weights(reference):
    for change in ({"seed": 1}, {"hidden_size": 4}):
        backend = reference.attrs["backend"]
        other = ncnet.train(GAME, replicas=64, backend=backend, **(SHORT | change))
        same = other.alice_loss.values == reference.alice_loss.values[:, :, :64]
        assert same.mean() < 0.01


def test_contexts_of_a_replica_start_from_the_same_weights():
    untrained = ncnet.train(GAME, hidden_size=3, replicas=200, seed=0, steps=0)
    prediction = untrained.a * untrained.alice_target
    assert (prediction == prediction.isel(alice_setting=0, bob_setting=0)).all()
    assert (untrained.a.sel(bob_setting=1) == untrained.a.sel(bob_setting=2)).all()


def test_the_dataset_has_the_contracts_shape(reference):
    assert reference.a.dims == ("alice_setting", "bob_setting", "replica", "item")
    assert reference.a.dtype == reference.b.dtype == np.int8
    assert set(np.unique(reference.a)) <= {-1, 1}
    assert reference.diverged.dims == ("alice_setting", "bob_setting", "replica")
    assert reference.alice_loss.dims == ("alice_setting", "bob_setting", "replica", "step")
    assert set(reference.split.values.tolist()) == {"training"}
    assert int(reference.capacity) == 3
    assert reference.capacity.attrs == {"capacity_name": "hidden_size"}
    np.testing.assert_array_equal(reference.alice_target, GAME.alice_targets)


def test_a_sweep_concatenates_along_capacity(reference):
    backend = reference.attrs["backend"]
    other = ncnet.train(GAME, replicas=1000, backend=backend, **(SHORT | {"hidden_size": 4}))
    sweep = xr.concat([reference, other], "capacity")
    assert sweep.capacity.values.tolist() == [3, 4]
    assert sweep.capacity.attrs == {"capacity_name": "hidden_size"}
    xr.testing.assert_equal(sweep.sel(capacity=4), other)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("optimizer", ["gradient_descent", "adam"])
def test_several_steps_are_the_trainings_that_stop_there(backend, optimizer):
    options = {
        "hidden_size": 2,
        "replicas": 64,
        "seed": 3,
        "backend": backend,
        "optimizer": optimizer,
    }
    along = ncnet.train(GAME, steps=[0, 7, 40], **options)
    assert along.capacity.attrs == {"capacity_name": "steps"}
    assert along.attrs["hidden_size"] == 2
    for steps in (0, 7, 40):
        stopped = ncnet.train(GAME, steps=steps, **options)
        np.testing.assert_array_equal(along.a.sel(capacity=steps), stopped.a)
        np.testing.assert_array_equal(along.b.sel(capacity=steps), stopped.b)


def test_traced_losses_fall_and_start_before_the_first_step():
    traced = ncnet.train(
        GAME, hidden_size=8, replicas=64, seed=0, steps=500, trace_steps=[0, 50, 500]
    )
    total = (traced.alice_loss + traced.bob_loss).mean("replica")
    assert (total.diff("step") < 0).all()
    assert float(traced.alice_loss.sel(step=0).mean()) == pytest.approx(0.8, abs=0.15)


def test_float64_agrees_with_float32_while_rounding_is_small():
    options = {"hidden_size": 3, "replicas": 256, "seed": 0, "steps": 100, "trace_steps": [100]}
    single, double = (ncnet.train(GAME, dtype=dtype, **options) for dtype in ("float32", "float64"))
    assert double.alice_loss.dtype == np.float64
    np.testing.assert_allclose(single.alice_loss, double.alice_loss, rtol=2e-3, atol=1e-5)
    assert float((single.a == double.a).mean()) > 0.999


@pytest.mark.slow
def test_rounding_changes_few_outcomes_after_a_whole_training():
    options = {"hidden_size": 3, "replicas": 256, "seed": 0}
    single, double = (ncnet.train(GAME, dtype=dtype, **options) for dtype in ("float32", "float64"))
    assert float((single.a != double.a).mean()) < 1 / 200
    assert float((single.b != double.b).mean()) < 1 / 200


@pytest.mark.parametrize("backend", BACKENDS)
def test_diverged_replicas_are_kept_read_as_class_0_and_counted(backend):
    wild = ncnet.train(
        GAME,
        hidden_size=8,
        replicas=64,
        seed=0,
        steps=60,
        activation="relu",
        learning_rate=1e30,
        backend=backend,
    )
    diverged = wild.diverged
    assert diverged.any()
    prediction = (wild.a * wild.alice_target).where(diverged)
    # With every logit of a head non-finite, class 0 everywhere; one head may still be finite.
    both_heads = (wild.b * wild.bob_target).where(diverged)
    assert (
        ((prediction == -1).all("item") | (both_heads == -1).all("item"))
        .where(diverged, True)
        .all()
    )
    report = ncnet.chsh.report(wild)
    assert report.replicas == 64
    assert report.diverged == int(diverged.sum())
    assert report.s_diverged_against < report.s


def test_a_tie_reads_as_class_0():
    """A relu network of one unit that is off everywhere has logit 0: its biases are zero."""
    untrained = ncnet.train(
        ncnet.games.boolean(1, alice=([0, 0], [1, 1]), bob=([0, 0], [1, 1])),
        hidden_size=1,
        replicas=200,
        seed=0,
        steps=0,
        activation="relu",
    )
    # relu(w x) is 0 on one of the two inputs, whatever w: the logit there is exactly 0.
    prediction = (untrained.a * untrained.alice_target).isel(alice_setting=0, bob_setting=0)
    assert (prediction.min("item") == -1).all()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"hidden_size": 0}, "`hidden_size` is 0: expected an integer of at least 1"),
        ({"hidden_size": 2.5}, "`hidden_size` is 2.5"),
        ({"replicas": 0}, "`replicas` is 0"),
        ({"replicas": True}, "`replicas` is True"),
        ({"seed": -1}, "`seed` is -1"),
        ({"steps": -1}, "`steps` is -1: expected an integer of at least 0"),
        ({"steps": [5, 3]}, "expected increasing numbers of steps"),
        ({"steps": []}, "expected increasing numbers of steps"),
        ({"trace_steps": [61]}, "`trace_steps` has 61: expected at most `steps`, 60"),
        ({"activation": "sigmod"}, "unknown activation `sigmod`: did you mean `sigmoid`"),
        ({"optimizer": "Adam"}, "unknown optimizer `Adam`: did you mean `adam`"),
        ({"initialisation": "lecun"}, "unknown initialisation `lecun`: did you mean"),
        ({"dtype": "float16"}, "unknown dtype `float16`"),
        ({"learning_rate": float("nan")}, "`learning_rate` is nan: expected a finite number"),
        ({"learning_rate": float("inf")}, "`learning_rate` is inf"),
        ({"learning_rate": -0.1}, "`learning_rate` is -0.1"),
        ({"device": "abacus"}, "`device` is 'abacus'"),
        ({"device": "meta"}, "`device` is 'meta'"),
        ({"device": "mps:7"}, "`device` is 'mps:7'"),
        ({"device": "hpu"}, "`device` is 'hpu'"),
        ({"device": 3.5}, "`device` is 3.5"),
        ({"trace_steps": [2, 2]}, "`trace_steps` is [2, 2]: expected increasing"),
        ({"trace_steps": 5}, "`trace_steps` is 5: expected numbers of steps"),
        ({"steps": "100"}, "`steps` is '100': expected"),
        ({"hidden_size": 10**6 + 1}, "`hidden_size` is 1000001: expected an integer of at most"),
        ({"replicas": 10**15}, "`replicas` is 1000000000000000: expected"),
        ({"learning_rate": 10**400}, "expected a finite number above 0"),
        ({"chunk_size": 0}, "`chunk_size` is 0"),
        ({"backend": "compile"}, "unknown backend `compile`: did you mean `compiled`?"),
        (
            {"backend": "compiled", "dtype": "float64"},
            "`backend` is 'compiled': it computes in float32 only, `dtype` is 'float64'",
        ),
        (
            {"backend": "compiled", "hidden_size": 10_000},
            "`hidden_size` x items of a step is 80,000: expected at most 65,536",
        ),
        ({"threads": 0}, "`threads` is 0"),
        (
            {"second_hidden_size": -1},
            "`second_hidden_size` is -1: expected an integer of at least 0",
        ),
        (
            {"backend": "compiled", "second_hidden_size": 2},
            "`backend` is 'compiled': it has one hidden layer, `second_hidden_size` is 2",
        ),
        ({"batch_size": 0}, "`batch_size` is 0: expected an integer of at least 1"),
        ({"label_noise": 0.6}, "`label_noise` is 0.6: expected a number from 0 to 0.5"),
        ({"momentum": 1}, "`momentum` is 1.0: expected a number below 1"),
        (
            {"momentum": 0.9, "optimizer": "adam"},
            "`momentum` is 0.9 with optimizer `adam`: expected 0, momentum belongs to",
        ),
        ({"weight_decay": -0.1}, "`weight_decay` is -0.1: expected a number from 0 to 1"),
        ({"own_starts": 1}, "`own_starts` is of type int: expected True or False"),
        (
            {"own_batches": True},
            "`own_batches` is True without `batch_size` and `label_noise`: expected one of them",
        ),
        ({"loss": "square_error"}, "unknown loss `square_error`: did you mean `squared_error`?"),
    ],
)
def test_bad_arguments_are_named_before_any_work(change, line, monkeypatch):
    worked = "ncnet.training.ensemble.train_chunks"
    monkeypatch.setattr(worked, lambda *_, **__: pytest.fail("work started"))
    refused(lambda: ncnet.train(GAME, **({"replicas": 64} | SHORT | change)), [line])


@pytest.mark.parametrize("game", ["overlap", None, ncnet.games.overlap])
def test_what_is_no_game_is_named(game):
    parts = ("`game` is ", "expected a game, such as `ncnet.games")
    refused(lambda: ncnet.train(game, replicas=64, **SHORT), parts)


def test_logits_that_are_ties_or_not_finite_read_as_class_0_and_are_counted():
    arguments = inspect.signature(ncnet.train).parameters
    names = [field.name for field in dataclasses.fields(Plan)]
    given = {"game": GAME, "hidden_size": 3, "replicas": 64, "seed": 0, "steps": 0}
    found = Recorder(Plan(**({name: arguments[name].default for name in names} | given)))
    logit = torch.ones(2, 8, 256)
    logit[0, 0, 0], logit[1, 1, 1] = torch.inf, torch.nan
    logit[0, 2, 2], logit[0, 3, 3] = 0, -1
    found.write_outcomes(0, slice(0, 64), logit, torch.ones(2, 8, 256))
    correct, diverged = found.correct[:, 0, 0, 0], found.diverged[0]
    wrong = [(0, 0, 0), (1, 1, 1), (0, 2, 2), (0, 3, 3)]  # head, replica, item
    assert {tuple(place) for place in np.argwhere(correct == -1).tolist()} == set(wrong)
    assert np.argwhere(diverged).tolist() == [[0, 0, 0], [0, 0, 1]]


def test_games_with_other_inputs_and_other_shapes_are_independent():
    draws = [
        draw("lecun_normal", features=features, hidden_size=units, seed=seed, replicas=rows)[0]
        for features, units, seed, rows in [
            (3, 2, 0, range(64)),
            (4, 2, 0, range(64)),
            (3, 3, 0, range(64)),
            (3, 2, 1, range(64)),
            (3, 2, 0, range(64, 128)),
        ]
    ]
    for other in draws[1:]:
        shared = np.intersect1d(draws[0][:, :3].round(12), other[:, :3].round(12))
        assert shared.size == 0


def test_threads_of_torch_are_left_as_they_were():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        ncnet.train(GAME, replicas=64, **SHORT)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


MILLION = """
from pathlib import Path
import ncnet
outcomes = ncnet.train(
    ncnet.games.overlap(), hidden_size=8, replicas=1_000_000, seed=0, steps=3
)
assert outcomes.sizes["replica"] == 1_000_000
# Of this process alone; ru_maxrss begins at the peak of the one that started it.
[peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
print(int(peak.split()[1]) / 2**20)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Linux says it in /proc")
def test_a_million_replicas_stay_under_two_gibibytes():
    done = subprocess.run(
        [sys.executable, "-c", MILLION], check=True, capture_output=True, encoding="utf-8"
    )
    assert float(done.stdout) < 2


# protocol table: S over n for both games, 512 replicas of a prototype.
TABLE = {
    "overlap": {1: 0.54, 2: 1.82, 3: 2.30, 4: 2.03, 5: 2.00, 6: 2.00, 8: 2.00},
    "separate": {1: 0.52, 2: 1.08, 3: 2.26, 4: 2.12, 5: 1.98, 6: 1.99, 8: 2.00},
}


@pytest.mark.slow
@pytest.mark.parametrize("game", TABLE)
def test_default_training_gives_the_independent_prototypes_s(game):
    for n, expected in TABLE[game].items():
        outcomes = ncnet.train(ncnet.games.named(game), hidden_size=n, replicas=512, seed=0)
        s = float(ncnet.chsh.s_per_replica(outcomes).mean())
        assert s == pytest.approx(expected, abs=0.1), f"n = {n}"
