"""The benchmarks train what they say, whatever the engine; their speed is nobody's test."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import agreement, ensemble, kernels, limit
from benchmarks.engines import ENGINES, Ours
from benchmarks.problem import Problem, correct
from ncnet import machine
from ncnet.companion.replay import benchmarks as replays
from ncnet.replay import NotReplayableError, compare
from tests.compilers import has_compiler


def usable(engine):
    if engine == "jax":
        return importlib.util.find_spec("jax") is not None
    return engine != "compiled" or has_compiler()


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param(engine, marks=pytest.mark.skipif(not usable(engine), reason="not here"))
        for engine in ENGINES
    ],
)
def test_every_engine_trains_the_same_networks(engine):
    # The kernel takes networks by the sixteen; these are four contexts of four.
    problem = Problem(hidden_size=3, replicas=4, steps=20)
    found = ENGINES[engine].weights_after(problem, problem.steps, "cpu")
    exact = Ours("eager", dtype="float64").weights_after(problem, problem.steps, "cpu")
    for one, other in zip(found, exact, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, atol=2e-4)
    np.testing.assert_array_equal(correct(problem, *found), correct(problem, *exact))


def test_the_problem_is_that_of_the_public_call():
    import ncnet

    problem = Problem(hidden_size=3, replicas=70, steps=30)
    outcomes = ncnet.train(
        problem.game, hidden_size=3, replicas=70, seed=problem.seed, steps=30, dtype="float64"
    )
    weights = Ours("eager", dtype="float64").weights_after(problem, 30, "cpu")
    found = correct(problem, *weights).reshape(2, 8, 2, 2, 70)
    for party, name in enumerate("ab"):
        expected = outcomes[name].transpose("item", "alice_setting", "bob_setting", "replica") > 0
        np.testing.assert_array_equal(found[party], expected)


def test_operations_are_those_of_a_textbook():
    # A hidden output: sum, tanh, both heads' sums, and back. Then both heads' errors, and weights.
    assert (
        limit.operations(hidden_size=3, features=4, items=8)
        == 24 * (7 + 21 + 4 + 18) + 16 * 27 + 40
    )


def test_ratios_are_judged_by_their_goals():
    rates = pd.DataFrame(
        {
            "engine": ["loop", "vmap", "jax", "eager", "compiled"],
            "threads": 1,
            "rate": [1e3, 1e5, 2e6, 1e6, 1e7],
        }
    )
    lines = ensemble._ratio_table(rates).splitlines()
    assert lines == [
        "  1 thread(s): compiled / loop = 10,000.0 (goal 3,000: met)",
        "  1 thread(s): compiled / vmap = 100.0 (goal 60: met)",
        "  1 thread(s): compiled / jax = 5.0 (goal 6: missed)",
        "  1 thread(s): eager / vmap = 10.0 (goal 8: met)",
    ]


def test_every_engine_has_a_share_of_the_peak():
    rates = pd.DataFrame(
        {"label": ["a loop", "ours"], "threads": [1, 2], "rate": [1e5, 1e8], "peak": 1e12}
    )
    assert ensemble._share_table(rates).splitlines()[1:] == [
        "  a loop, 1 thread(s): 0.167 of 1000 billion a second, the peak of fused multiply-adds "
        "alone: 0.02%",
        "  ours, 2 thread(s): 167 of 1000 billion a second, the peak of fused multiply-adds "
        "alone: 16.72%",
    ]


def test_agreement_is_that_of_the_replicas_that_were_trained():
    networks = np.arange(12.0)  # three replicas in four contexts, of which one was trained
    reference = {"trunk": networks, "heads": networks, "correct": networks > 0}
    found = {"trunk": networks[::3] + 0.5, "heads": networks[::3], "correct": networks[::3] >= 0}
    assert agreement.compared(found, reference, 1, 3) == {
        "weights_apart": 0.5,
        "outcomes_differ": 0.25,
    }


@pytest.mark.skipif(not has_compiler(), reason="there is no C++ compiler")
@pytest.mark.parametrize(("activation", "optimizer"), kernels.KERNELS)
def test_kernels_are_judged_by_their_goal(tmp_path, monkeypatch, activation, optimizer):
    problem = Problem(hidden_size=3, replicas=4, steps=20)
    monkeypatch.setattr(kernels, "PROBLEM", problem)
    monkeypatch.setattr(agreement, "STEPS", 20)
    monkeypatch.setattr(agreement, "AGREE_AFTER", 10)
    kernel = f"{activation} {optimizer}"
    found = agreement.trained(Ours("compiled", "float32", activation, optimizer), problem)
    for name in ("then", "now"):
        (tmp_path / name).mkdir()
        np.savez(tmp_path / name / f"{kernel}.npz", **found)
    best = {"then": {kernel: 2e6}, "now": {kernel: 3e6}}
    row = kernels._row(best, tmp_path, activation, optimizer)
    assert (row["ratio"], row["verdict"]) == (1.5, "met")
    assert row["weights_apart_then"] == row["weights_apart_now"] < 0.01
    assert "1.50" in kernels.shown(pd.DataFrame([row]), "HEAD")


def test_an_unknown_engine_is_named_with_the_nearest(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["ensemble", "--engines", "vmapp"])
    with pytest.raises(SystemExit) as refused:
        ensemble.main()
    assert refused.value.code == 2
    assert "unknown engine `vmapp`: did you mean `vmap`?" in capsys.readouterr().err


def test_counts_of_a_batch_are_held_more_closely_than_times():
    [replay] = [one for one in replays.REPLAYS if one.table == "benchmark_batch"]
    recorded = pd.DataFrame({"quantity": ["seconds", "files"], "value": [6.0, 5.0]})
    made = recorded.assign(value=[30.0, 6.0])
    found = compare(recorded, made, ["quantity"], replay.tolerances, equal=True, seed="0")
    assert (found.failed, found.caught) == (1, found.controls)
    assert found.told.startswith("value at quantity = files")


def test_outside_a_checkout_no_benchmark_is_replayed(monkeypatch):
    monkeypatch.setattr(sys, "path", [path for path in sys.path if not is_checkout(path)])
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        monkeypatch.delitem(sys.modules, name)
    [replay] = [one for one in replays.REPLAYS if one.table == "benchmark_growth"]
    recorded = replay.load()
    with pytest.raises(NotReplayableError, match="run it in the root of a checkout"):
        replay.make(recorded, replay.pieces(recorded.table)[0])


def is_checkout(path):
    return (Path(path) / "benchmarks").is_dir()


def test_how_time_grows_is_compared_beside_another_call(monkeypatch):
    [replay] = [one for one in replays.REPLAYS if one.table == "benchmark_growth"]
    recorded = replay.load()
    table = recorded.table.set_index(["backend", "varied", "value"])

    def thrice_as_long(backend, varied, value, cores):
        asked = {"backend": backend, "varied": varied, "value": value}
        row = table.loc[backend, varied, value]
        return asked | row.to_dict() | {"seconds": 3 * row["seconds"], "rate": row["rate"] / 3}

    monkeypatch.setattr(ensemble, "grown", thrice_as_long)
    monkeypatch.setattr("os.cpu_count", lambda: 1024)
    monkeypatch.setattr(machine, "find_compiler", lambda: ["c++"])
    for varied, value in (("hidden_size", 8), ("replicas", 100), ("threads", 1)):
        selection = {"backend": "compiled", "varied": varied, "value": value}
        made = replay.make(recorded, selection)
        expected = replay.rows(recorded.table, selection)
        np.testing.assert_allclose(made[["seconds", "rate"]], expected[["seconds", "rate"]])
