"""Scatter over runs in noisy training: as long a path at every learning rate."""

import pandas as pd
import pytest

import ncnet
from ncnet import chsh
from ncnet.claims import GAMES
from ncnet.studies.capacity import noise
from ncnet.studies.capacity.claims import NAMED_NOISE, SIZES

QUICK = {"game": "overlap", "hidden_size": 2, "learning_rate": 50.0, "label_noise": 0.1}


def test_a_row_is_what_runs_of_its_noisy_training_do():
    rows = noise.scatter_under_noise(QUICK | {"batch_size": 1}, replicas=320, seed=3)
    options = {name: QUICK[name] for name in ("hidden_size", "learning_rate", "label_noise")}
    options |= {"replicas": 320, "seed": 3, "steps": 20, "batch_size": 1}
    s = chsh.s_per_replica(ncnet.train(ncnet.games.overlap(), **options)).values
    row = rows[rows["readout"] == "correct"].iloc[0]
    runs = s.reshape(10, 32).mean(axis=1)
    assert row["above"] == pytest.approx((runs > 2 + 1e-9).mean())
    assert row["spread"] == pytest.approx(s.std(ddof=1) / 32**0.5)
    assert row["temperature"] == 50.0


def test_the_temperature_of_whole_batches_counts_all_items():
    rows = noise.scatter_under_noise(QUICK | {"batch_size": 0}, replicas=64, seed=3)
    assert set(rows["temperature"]) == {50 / 8}
    assert set(rows["batch_size"]) == {0}


def test_the_named_noise_is_trained_once_at_every_size():
    for rates in ([], [0.5], [2.0]):
        trainings = noise.trainings(rates)
        assert all(trainings.count(training) == 1 for training in trainings)
        named = [one for one in trainings if {k: one[k] for k in NAMED_NOISE} == NAMED_NOISE]
        assert len(named) == len(GAMES) * len(SIZES)


def test_runs_on_both_sides_of_2_fluctuate_and_others_do_not():
    rows = pd.DataFrame({"spread": [0.2, 0.2, 0.0], "below": [0.5, 0.0, 0.5], "above": 0.5})
    ends = {f"{name}{end}": rows[name] for name in rows for end in ("_low", "_high")}
    assert noise.answers(rows.assign(**ends)) == [True, False, False]
    wide = ends | {"spread_low": 0.0, "spread_high": 0.4}
    assert noise.answers(rows.assign(**wide)) == [None, False, None]
