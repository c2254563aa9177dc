"""The statements on capacity under noise: the same sweeps, judged by the same rules."""

import pandas as pd
import pytest

import ncnet
from ncnet import chsh
from ncnet.studies.multiverse import analysis, noise
from ncnet.studies.multiverse.claims import CLAIMS, judge

ASKED = {"hidden_sizes": [2, 3], "replicas": 64, "seed": 1, "steps": 50}


def test_without_noise_a_sweep_is_that_of_the_multiverse():
    training = {name: analysis.PRIMARY[name] for name in analysis.TRAINING}
    options = ASKED | {"steps": [50]}
    rows = analysis.run_one(training, options.pop("hidden_sizes"), **options)
    rows = rows[rows["readout"] == "correct"].reset_index(drop=True)
    found = noise.sweep("none", "overlap", **ASKED)
    columns = [name for name in found if name in rows and name != "backend"]
    assert {"s", "rise_low", "delta", "correlator_22"} <= set(columns)
    pd.testing.assert_frame_equal(found[columns], rows[columns], check_dtype=False)


@pytest.mark.parametrize("name", [name for name in noise.NOISES if name != "none"])
def test_a_noise_is_what_training_is_given(name):
    rows = noise.sweep(name, "separate", **ASKED)
    deeper = {"second_hidden_size": 3} if name == noise.DEEPER else {}
    options = {"hidden_size": 3, "replicas": 64, "seed": 1, "steps": 50}
    trained = ncnet.train(ncnet.games.separate(), **options | noise.NOISES[name] | deeper)
    assert rows["s"].iloc[1] == pytest.approx(float(chsh.s_per_replica(trained).mean()))
    assert rows["noise"].tolist() == [name] * 2


def test_every_noise_and_game_is_judged_by_the_rules_on_capacity():
    table = noise.sweeps(["none", "own starts"], **ASKED)
    found = noise.verdicts(table)
    assert found[["noise", "game"]].values.tolist()[1:3] == [
        ["none", "separate"],
        ["own starts", "overlap"],
    ]
    part = table[(table["noise"] == "own starts") & (table["game"] == "overlap")]
    expected = judge(part)
    assert found.loc[2, [claim.name for claim in CLAIMS]].to_dict() == expected
