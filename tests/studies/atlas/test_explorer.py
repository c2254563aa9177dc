"""The explorer's tables: recorded in full, packed without loss, and right for any game."""

import base64
import itertools
import re
import sys

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import ncnet
from ncnet import chsh, results
from ncnet.parts import Parts
from ncnet.studies.atlas import analysis as atlas
from ncnet.studies.atlas import explorer
from ncnet.studies.mechanism import interventions
from ncnet.training import network
from ncnet.training.initialisation import draw
from ncnet.training.network import Weights
from tests.compilers import has_compiler

BOOK = results.ROOT / "book"
sys.path.append(str(BOOK / "_ext"))  # as jupyter-book does

import explorer_data  # noqa: E402
import page_scripts  # noqa: E402

GAME = ["0001", "0110", "0001", "0110"]
TASKS = st.lists(st.sampled_from(atlas.tables(2)), min_size=4, max_size=4)
NEGATION = str.maketrans("01", "10")
SMALL = {"hidden_size": 2, "replicas": 64, "seed": 3, "steps": [1, 80], "backend": "eager"}
CHOICE = {"trunk": "shared", "layout": "overlap", "activation": "tanh", "hidden_size": 2}


@pytest.fixture(scope="module")
def recorded():
    return results.load("explorer")


@pytest.fixture(scope="module")
def reported():
    return results.load("explorer_reports")


@pytest.fixture(scope="module")
def trained():
    return explorer.train_representatives("overlap", **SMALL)


@pytest.fixture(scope="module")
def apart():
    return explorer.train_representatives("overlap", trunk="own", **SMALL)


@pytest.fixture(scope="module")
def table(trained):
    return explorer.means(trained).assign(**CHOICE)


@pytest.mark.parametrize("task", atlas.tables(2))
def test_a_task_and_its_negation_have_one_representative(task):
    found = explorer.representative(task)
    assert found == explorer.representative(task.translate(NEGATION))
    assert found in (task, task.translate(NEGATION))


@pytest.mark.parametrize("text", ["011", "01102", "012x", ""])
def test_what_is_no_task_is_refused(text):
    with pytest.raises(ValueError, match="truth table"):
        explorer.representative(text)


@pytest.mark.parametrize("layout", explorer.LAYOUTS)
def test_the_games_of_the_book_are_among_them(layout):
    found, named = explorer.game(layout, GAME), ncnet.games.named(layout)
    np.testing.assert_array_equal(found.inputs, named.inputs)
    np.testing.assert_array_equal(found.alice_targets, named.alice_targets)
    np.testing.assert_array_equal(found.bob_targets, named.bob_targets)


def test_each_pair_of_classes_is_trained_as_ncnet_trains_it(trained):
    tasks = ["0101", "0110", "0000", "0011"]
    alone = ncnet.train(explorer.game("overlap", tasks), **SMALL)
    looked_up = trained.sel(alice_task=tasks[:2], bob_task=tasks[2:])
    for party in ("a", "b"):
        np.testing.assert_array_equal(looked_up[party], alone[party])


@pytest.mark.parametrize("tasks", [GAME, ["1110", "0101", "0011", "1001"]])
def test_heads_apart_are_those_of_separate_trunks(apart, tasks):
    size, training = SMALL["hidden_size"], {k: v for k, v in SMALL.items() if k != "hidden_size"}
    classes = [explorer.representative(task) for task in tasks]
    alone = interventions.separate_trunks(
        explorer.game("overlap", classes), hidden_sizes=(size, size), **training
    )
    looked_up = apart.sel(alice_task=classes[:2], bob_task=classes[2:])
    for party in ("a", "b"):
        np.testing.assert_array_equal(looked_up[party], alone[party])


@given(tasks=TASKS, steps=st.sampled_from(SMALL["steps"]))
def test_heads_apart_signal_nothing_and_keep_the_bound(apart, tasks, steps):
    table = explorer.means(apart).assign(**CHOICE | {"trunk": "own"})
    found = explorer.look_up(table, tasks, **CHOICE | {"trunk": "own"}, steps=steps)
    assert found["delta"] == 0
    assert found["s"] <= chsh.CLASSICAL_BOUND


@pytest.mark.parametrize("trunk", explorer.TRUNKS)
def test_a_pair_of_tasks_alone_gives_what_it_gives_among_all(trained, apart, trunk):
    among_all = (trained if trunk == "shared" else apart).sel(alice_task="0110", bob_task="0001")
    tasks = (("0110", "0110"), ("0011", "0001"))
    alone = explorer.train_representatives("overlap", trunk=trunk, tasks=tasks, **SMALL)
    assert alone.a.shape[1:3] == (2, 2)
    for name in ("a", "b", "diverged"):
        for place in (0, 1):
            here = alone[name].isel(alice_task=place, bob_task=1)
            np.testing.assert_array_equal(here, among_all[name])


@pytest.mark.parametrize("layout", explorer.LAYOUTS)
def test_starts_of_one_size_are_those_among_all(layout):
    among_all = explorer.initial_weights(replicas=2)
    chosen = (among_all["layout"] == layout) & (among_all["hidden_size"] == 3)
    alone = explorer.initial_weights(layouts=[layout], hidden_sizes=[3], replicas=2)
    pd.testing.assert_frame_equal(
        alone, among_all[chosen].reset_index(drop=True), check_dtype=False
    )


def test_a_trunk_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="shared"):
        explorer.train_representatives("overlap", trunk="both", **SMALL)


@pytest.mark.slow
@given(tasks=TASKS, steps=st.sampled_from(SMALL["steps"]))
def test_any_game_is_looked_up_as_its_outcomes_say(trained, table, tasks, steps):
    classes = [explorer.representative(task) for task in tasks]
    contexts = trained.sel(steps=steps, alice_task=classes[:2], bob_task=classes[2:])
    means = chsh.replica_means(chsh.as_dataset((contexts["a"].values, contexts["b"].values)))
    found = explorer.look_up(table, tasks, **CHOICE, steps=steps)
    averages = means.mean("replica")
    assert found["s"] == pytest.approx(float(chsh.s_value(averages["correlator"])), abs=1e-6)
    assert found["delta"] == pytest.approx(float(chsh.delta(averages)), abs=1e-6)
    left = found["s"] - found["delta"] - chsh.CLASSICAL_BOUND
    assert found["excess"] == pytest.approx(left)
    for name in ("s", "delta", "excess"):
        assert found[f"{name}_low"] <= found[name] <= found[f"{name}_high"]


@pytest.mark.slow
def test_all_games_are_looked_up_as_the_atlas_has_them(trained, table):
    pairs = trained.isel(steps=-1)
    survey = atlas.survey(xr.Dataset({"a": pairs["a"], "b": pairs["b"]}))
    sample = survey.sample(200, random_state=0)
    for row in sample.itertuples():
        tasks = [explorer.REPRESENTATIVES[getattr(row, place)] for place in atlas.PLACES]
        found = explorer.look_up(table, tasks, **CHOICE, steps=SMALL["steps"][-1])
        assert found["s"] == pytest.approx(row.s, abs=1e-5)
        assert found["delta"] == pytest.approx(row.delta, abs=1e-5)


@given(tasks=TASKS)
def test_the_interval_of_s_is_at_least_as_wide_as_that_of_its_replicas(trained, table, tasks):
    classes = [explorer.representative(task) for task in tasks]
    contexts = trained.isel(steps=-1).sel(alice_task=classes[:2], bob_task=classes[2:])
    outcomes = chsh.as_dataset((contexts["a"].values, contexts["b"].values))
    values = chsh.s_per_replica(outcomes).values
    half = explorer.NORMAL_95 * values.std(ddof=1) / len(values) ** 0.5
    found = explorer.look_up(table, tasks, **CHOICE, steps=SMALL["steps"][-1])
    assert found["s_low"] <= max(found["s"] - half, -4) + 1e-6
    # Where correlators are next to 1, their intervals end there; an error of S does not.
    highest = np.minimum(found["correlator_high"], 1)
    assert found["s_high"] <= highest.sum() - highest[1, 1] - found["correlator_low"][1, 1] + 1e-6


def test_no_interval_is_a_point(recorded):
    table = recorded.table
    easy = (table["correlator"] == 1) & (table["correlator_error"] == 0)
    assert easy.any()
    margins = explorer.margin_of_error(table["correlator_error"], table["replicas"])
    assert margins.min() > 0.004


@pytest.mark.parametrize("activation", explorer.ACTIVATIONS)
@pytest.mark.parametrize("negated", [(0,), (1,), (0, 1)])
def test_negating_tasks_and_heads_negates_logits(activation, negated):
    """The symmetry that lets eight tasks stand for sixteen: along a training, in every network."""
    torch.manual_seed(0)
    trunk, heads = (
        torch.as_tensor(part)
        for part in draw("lecun_normal", features=3, hidden_size=2, seed=0, replicas=range(64))
    )
    inputs = network.with_bias(torch.as_tensor(ncnet.games.overlap().inputs))
    signs = 1.0 - 2 * torch.randint(2, (2, len(inputs), trunk.shape[-1]))
    mirror = torch.ones(2, 1, 1)
    mirror[list(negated)] = -1
    one = _descend(inputs, Weights(trunk, heads), signs, activation)
    other = _descend(inputs, Weights(trunk, mirror * heads), mirror * signs, activation)
    torch.testing.assert_close(other, mirror * one, rtol=0, atol=1e-9)


def _descend(inputs, weights, signs, activation, steps=200):
    kind, loss = network.ACTIVATIONS[activation], network.LOSSES["cross_entropy"]
    for _ in range(steps):
        gradient = network.gradient(inputs, weights, signs.double(), kind, loss)
        weights = Weights(*(w - 0.5 * g for w, g in zip(weights, gradient, strict=True)))
    return network.logits(network.hidden_units(inputs, weights.trunk, kind), weights.heads)


needs_compiler = pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")


@needs_compiler  # the recorded path
@pytest.mark.parametrize(
    ("layout", "activation", "hidden_size", "tasks"),
    [
        ("overlap", "tanh", 3, GAME),
        ("separate", "relu", 2, ["0111", "0110", "0010", "0101"]),
        ("overlap", "sigmoid", 1, ["0000", "0011", "0110", "0110"]),
    ],
)
def test_the_recorded_numbers_are_those_of_ncnet(recorded, layout, activation, hidden_size, tasks):
    choice = {"layout": layout, "activation": activation, "hidden_size": hidden_size}
    outcomes = _train(tasks, **choice, steps=100)
    choice |= {"trunk": "shared"}
    report = chsh.report(outcomes, resamples=800)
    found = explorer.look_up(recorded.table, tasks, **choice, steps=100)
    # Machines differ in the last bit, which may turn a single outcome of 1,600 x 8.
    assert found["s"] == pytest.approx(report.s, abs=1e-3)
    assert found["delta"] == pytest.approx(report.delta, abs=1e-3)
    assert found["excess"] == pytest.approx(report.excess, abs=2e-3)
    np.testing.assert_allclose(found["correlator"], report.correlators, atol=1e-3)


@needs_compiler
@pytest.mark.parametrize("activation", explorer.ACTIVATIONS)
@pytest.mark.parametrize(
    "tasks", [["1110", "1001", "0001", "0110"], ["1111", "1011", "1100", "1000"]]
)
def test_games_with_negated_tasks_agree_within_their_error(recorded, activation, tasks):
    choice = {"layout": "overlap", "activation": activation, "hidden_size": 3}
    found = explorer.look_up(recorded.table, tasks, trunk="shared", **choice, steps=100)
    values = chsh.s_per_replica(_train(tasks, **choice, steps=100)).values
    error = (found["s_high"] - found["s_low"]) / 2 / explorer.NORMAL_95
    error = np.hypot(error, values.std(ddof=1) / len(values) ** 0.5)
    assert abs(found["s"] - values.mean()) < 4 * error


def _train(tasks, *, layout, steps, **training):
    return ncnet.train(
        explorer.game(layout, tasks),
        replicas=explorer.REPLICAS,
        seed=explorer.SEED,
        steps=steps,
        backend="compiled",
        **training,
    )


def test_every_choice_is_recorded_once(recorded):
    axes = [
        explorer.TRUNKS,
        explorer.LAYOUTS,
        explorer.ACTIVATIONS,
        explorer.HIDDEN_SIZES,
        explorer.STEPS,
    ]
    choices = list(itertools.product(*axes, explorer.REPRESENTATIVES, explorer.REPRESENTATIVES))
    names = [*explorer.CHOICE, "alice_task", "bob_task"]
    assert sorted(recorded.table[names].itertuples(index=False, name=None)) == sorted(choices)
    assert recorded.made_with(replicas=explorer.REPLICAS, seed=explorer.SEED)
    assert recorded.provenance["command"].endswith(".explorer")


@pytest.mark.parametrize("name", explorer_data.TABLES)
def test_the_recorded_tables_are_small(name):
    assert (results.FOLDER / f"{name}.parquet").stat().st_size < 1.5e6


def test_examples_start_where_ncnet_starts():
    starts = results.load("explorer_networks").table
    pd.testing.assert_frame_equal(starts, explorer.initial_weights())
    of_three = starts[(starts["layout"] == "separate") & (starts["hidden_size"] == 3)]
    trunk, heads = draw("lecun_normal", features=4, hidden_size=3, seed=0, replicas=range(64))
    eleventh = of_three[of_three["replica"] == 10]
    np.testing.assert_allclose(eleventh[["x1", "x2", "x3", "x4"]], trunk[:, :-1, 10], rtol=1e-6)
    np.testing.assert_allclose(eleventh[["alice", "bob"]].T, heads[:, :-1, 10], rtol=1e-6)


def test_a_run_goes_on_where_it_was(tmp_path, monkeypatch):
    asked = {"layouts": ["overlap"], "activations": ["relu"], "hidden_sizes": [1], "steps": [1]}
    asked["trunks"] = ["shared"]
    parts = Parts(tmp_path, asked)
    first = explorer.run(**asked, replicas=2, parts=parts)
    monkeypatch.setattr(explorer, "train", None)
    pd.testing.assert_frame_equal(explorer.run(**asked, replicas=2, parts=parts), first)


def unpack(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


def test_the_page_gets_the_recorded_table(recorded):
    table = recorded.table.sample(frac=1, random_state=0)  # whatever the order of its rows
    packed = explorer_data.packed_means(table)
    table = table.set_index(list(explorer_data.AXES))
    places = list(itertools.product(*packed["axes"].values()))
    ordered = table.loc[places]
    outcomes = ordered["replicas"] * np.where(["overlap" in place for place in places], 8, 16)
    for name in explorer.MEANS:
        means = unpack(packed["means"][name], "<i2") / outcomes
        np.testing.assert_allclose(means, ordered[name], atol=1e-6)
        errors = unpack(packed["errors"][name], "<u2") * packed["errorUnit"]
        np.testing.assert_allclose(errors, ordered[f"{name}_error"], atol=packed["errorUnit"])


def test_reports_are_those_of_the_networks_that_are_looked_up(recorded, reported):
    """Also where a task is negated: then both are about the class that stands for it."""
    table = reported.table
    assert set(table["game"]) == {".".join(tasks) for tasks in explorer.REPORTED}
    for row in table.sample(40, random_state=0).itertuples():
        choice = {name: getattr(row, name) for name in explorer.CHOICE}
        found = explorer.look_up(recorded.table, row.game.split("."), **choice)
        for name in ("s", "delta", "excess"):
            low, high = getattr(row, f"{name}_low"), getattr(row, f"{name}_high")
            assert getattr(row, name) == pytest.approx(found[name], abs=1e-5)
            assert low < found[name] < high or found[name] in (low, high)


def test_a_report_is_that_of_chsh():
    asked = {"trunks": ["shared"], "layouts": ["overlap"], "hidden_sizes": [3], "steps": [100]}
    [row] = explorer.reports(tasks=[GAME], replicas=64, **asked).to_dict("records")
    outcomes = ncnet.train(ncnet.games.overlap(), hidden_size=3, replicas=64, seed=0, steps=100)
    report = chsh.report(outcomes).row()
    assert {name: row[name] for name in explorer.REPORT_COLUMNS} == {
        name: report[name] for name in explorer.REPORT_COLUMNS
    }


def test_of_the_book_s_game_the_page_says_what_the_first_page_says(reported):
    capacity = results.load("capacity").table.set_index(["game", "hidden_size"])
    of_page = reported.table[
        (reported.table["game"] == ".".join(GAME))
        & (reported.table["trunk"] == "shared")
        & (reported.table["layout"] == "overlap")
        & (reported.table["steps"] == 2000)
    ].set_index("hidden_size")
    for name in ("verdict", "explanation"):
        assert of_page.loc[3, name] == capacity.loc[("overlap", 3), name]


def test_the_page_gets_the_recorded_reports(reported):
    table = reported.table.sample(frac=1, random_state=0)
    packed = explorer_data.packed_reports(table)
    places = list(itertools.product(*packed["axes"].values()))
    ordered = table.set_index(list(explorer_data.REPORT_AXES)).loc[places]
    for name in explorer_data.ENDS:
        ends = unpack(packed["numbers"][name], "<f4")
        np.testing.assert_allclose(ends, ordered[name], atol=1e-6)
    for name, words in (
        ("verdict", explorer_data.VERDICTS),
        ("explanation", explorer_data.EXPLANATIONS),
    ):
        assert [words[k] for k in unpack(packed[name], "<i1")] == ordered[name].tolist()


def test_the_page_gets_the_recorded_starts():
    table = results.load("explorer_networks").table
    packed = explorer_data.packed_starts(table)
    weights = unpack(packed["weights"]["overlap"][2], "<f4").reshape(-1, 2, 5)
    chosen = table[(table["layout"] == "overlap") & (table["hidden_size"] == 2)]
    expected = chosen[["x1", "x2", "x3", "alice", "bob"]].to_numpy().reshape(-1, 2, 5)
    np.testing.assert_array_equal(weights, expected)


def test_a_table_with_a_gap_is_refused(recorded):
    with pytest.raises(ValueError, match="rows: expected"):
        explorer_data.packed_means(recorded.table.iloc[1:])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="expected numbers of type"):
        explorer_data.text([40_000], "<i2")


def test_all_scripts_are_loaded():
    there = {
        path.relative_to(page_scripts.SOURCES).as_posix()
        for path in page_scripts.SOURCES.rglob("*.*")
    }
    listed = {name for names in page_scripts.PAGES.values() for name in names}
    assert listed - {page_scripts.DATA} == {name for name in there if not name.endswith(".html")}


def test_the_page_loads_little_and_nothing_from_elsewhere():
    sources = [path.read_text(encoding="utf-8") for path in page_scripts.SOURCES.rglob("*.*")]
    data = explorer_data.data_script()
    assert len(data) + sum(map(len, sources)) < 2.5e6
    addresses = {a for text in sources for a in re.findall(r"https?://[^\s\"']+", text)}
    assert addresses <= {"http://www.w3.org/2000/svg"}
