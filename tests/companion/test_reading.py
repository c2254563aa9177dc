"""Readings of the paper: what they may answer, what they refuse, and the verdicts under them."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import ncnet
from ncnet import chsh
from ncnet.__main__ import main
from ncnet.claims import verdict
from ncnet.companion import reading, verdicts
from ncnet.companion.claims import CLAIMS
from ncnet.companion.reading import Reading
from ncnet.results import ROOT
from ncnet.studies.multiverse.analysis import PRIMARY
from ncnet.training import INITIALISATIONS
from tests.refusals import refused

OWN = """
readout: solved
games:
  - overlap
  - name: mine
    alice: ["0001", "0110"]
    bob: ["0001", "1001"]
minus_at: [2, 1]
steps: 50
"""


def written(tmp_path, text):
    path = tmp_path / "my_reading.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_of_the_project_is_its_own_reading():
    assert reading.read(ROOT / "reading.yml") == Reading()
    ours = Reading().model_dump()
    for name in ("readout", "activation", "optimizer", "learning_rate", "steps", "initialisation"):
        assert ours[name] == PRIMARY[name]


def test_every_initialisation_may_be_asked_for():
    assert set(get_args(reading.Initialisation)) == set(INITIALISATIONS)


def test_what_a_reading_does_not_say_is_this_books_own(tmp_path):
    found = reading.read(written(tmp_path, OWN))
    assert (found.readout, found.steps, found.activation) == ("solved", 50, "tanh")
    assert reading.read(written(tmp_path, "")) == Reading()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("stepz: 5", ("unknown entry `stepz`", "`steps`")),
        ("readout: correkt", ("`readout`", "`correct`")),
        ("games: [overlap, overlapp]", ("`games.1`", "overlapp", "`overlap`")),
        ("games: [overlap, overlap]", ("games", "once")),
        ("games:\n  - {name: a, alice: ['01', '11'], bob: ['01']}", ("`games.0.bob`", "2 items")),
        ("games:\n  - {name: a, alice: ['01', '011'], bob: ['01', '10']}", ("3 rows", "2")),
        ("games:\n  - {name: a, alice: [0110, 0001], bob: ['01', '10']}", (":2", "0110")),
        ("minus_at: [1, 3]", ("`minus_at`", "[1, 3]", "1 or 2")),
        ("learning_rate: -1", ("`learning_rate`", "-1", "greater than 0")),
        ("- steps", ("entries",)),
        ("steps: [", ("not YAML",)),
    ],
)
def test_a_reading_is_refused_in_one_line(tmp_path, text, parts):
    path = written(tmp_path, text)
    refused(lambda: reading.read(path), [str(path), *parts])


def test_a_file_that_is_not_there_is_refused(tmp_path):
    refused(lambda: reading.read(tmp_path / "none.yml"), ["none.yml", "No such file"])


def test_the_place_of_the_minus_sign_is_an_order_of_tasks():
    """S of the games in their order, with the minus sign elsewhere, is S of the games as played."""
    options = {"hidden_size": 3, "replicas": 64, "seed": 0, "steps": 100}
    for place in ([1, 1], [1, 2], [2, 1], [2, 2]):
        played = Reading(minus_at=place).played["overlap"]
        swapped = ncnet.train(played, **options)
        correlators = chsh.correlators(swapped).values
        order = [slice(None) if setting == 2 else slice(None, None, -1) for setting in place]
        there = correlators[tuple(order)]
        signs = np.ones((2, 2))
        signs[place[0] - 1, place[1] - 1] = -1
        s = float(chsh.s_per_replica(swapped).mean())
        assert s == pytest.approx(float((signs * there).sum()))
        game = ncnet.games.overlap()
        expected = (game.alice[place[0] - 1], game.bob[place[1] - 1])
        assert (played.alice[1], played.bob[1]) == expected


def test_a_loss_is_read_at_the_end_of_training():
    outcomes = ncnet.train(
        ncnet.games.overlap(), hidden_size=3, replicas=64, seed=0, steps=400, trace_steps=[0, 400]
    )
    read, readout = Reading(readout="loss").read(outcomes)
    learnt = (outcomes["alice_loss"].sel(step=400) < 0.2).mean()
    assert readout == "correct"
    assert float((read["a"] > 0).mean()) == pytest.approx(float(learnt))
    assert isinstance(read, xr.Dataset)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Return a reading, and the tables that its rules read, of few replicas and steps."""
    found = reading.read(written(tmp_path_factory.mktemp("reading"), OWN))
    return found, verdicts.tables_under(found, replicas=80, seed=1)


@pytest.mark.slow
def test_every_claim_on_small_networks_is_judged_under_a_reading(judged):
    found, tables = judged
    claims = verdicts.claims_under(found)
    # Real models and noise in training are no part of a reading, and it has one readout.
    left_out = {
        name
        for name in CLAIMS
        if name.startswith(("multilingual", "mixed", "text"))
        or "-solved" in name
        or name.endswith("-in-batches")
    }
    assert set(claims) == set(CLAIMS) - left_out
    for claim in claims.values():
        assert verdict(claim, tables) in ("reproduced", "partly", "not", "open")
        if claim.kind == "game":
            assert claim.among == ("overlap", "mine")


@pytest.mark.slow
def test_verdicts_stand_beside_ours(judged):
    found, tables = judged
    table = verdicts.compared(found, tables, verdicts.recorded())
    assert set(table.index) == set(CLAIMS)
    assert table.loc["multilingual-rises-with-rank", "yours"] == ""
    assert (table["ours"] != "").all()
    said = verdicts.text(table)
    assert "exceeds-2" in said
    assert "not asked" in said


@pytest.mark.slow
def test_under_our_reading_the_tables_are_those_of_the_book():
    tables = verdicts.tables_under(Reading(games=["overlap"], steps=50), replicas=80, seed=2)
    sweep = tables["multiverse"].set_index("hidden_size")
    outcomes = ncnet.train(ncnet.games.overlap(), hidden_size=3, replicas=80, seed=2, steps=50)
    assert sweep.loc[3, "s"] == pytest.approx(float(chsh.s_per_replica(outcomes).mean()))
    assert set(tables["sensing"]["use"]) == {"whole", *verdicts.SENSED}


@pytest.mark.slow
def test_predictions_of_samples_are_not_judged():
    asked = Reading(readout="prediction", games=["overlap"], steps=20)
    tables = verdicts.tables_under(asked, replicas=80, seed=0)
    assert "first_at_2" not in tables
    assert "first-2-generalizes" not in verdicts.claims_under(asked)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--reading", "none.yml"], "none.yml cannot be read"),
        (["--replicas", "10"], "`--replicas` is 10"),
        (["-o", "verdicts.pdf"], ".csv"),
    ],
)
def test_the_command_refuses_before_any_work(capsys, monkeypatch, options, said):
    monkeypatch.setattr("sys.argv", ["ncnet", "verdicts", *options])
    assert main() == 2
    assert said in capsys.readouterr().err


def test_the_command_prints_and_writes_what_is_found(capsys, tmp_path, monkeypatch):
    table = pd.DataFrame(
        {"ours": ["reproduced"], "yours": ["not"], "found": ["overlap: open, 0.01 [0.00, 0.02]"]},
        ["exceeds-2"],
    )
    asked = {}

    def tables_under(found, **given):
        asked.update(given, reading=found)

    monkeypatch.setattr(verdicts, "tables_under", tables_under)
    monkeypatch.setattr(verdicts, "recorded", lambda: None)
    monkeypatch.setattr(verdicts, "compared", lambda *_: table)
    output = tmp_path / "verdicts.csv"
    command = ["ncnet", "verdicts", "--seed", "7", "-o", str(output)]
    monkeypatch.setattr("sys.argv", command)
    assert main() == 0
    assert capsys.readouterr().out.splitlines()[0] == "exceeds-2: not (ours: reproduced)"
    assert (asked["seed"], asked["replicas"]) == (7, 1600)
    assert asked["reading"] == Reading()
    assert pd.read_csv(output, index_col=0).loc["exceeds-2", "yours"] == "not"
