"""Numbers of numpy and torch, of whatever width, mean what the same numbers of Python do."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

import ncnet
from ncnet import chsh, datasets, encoders, experiment, games
from ncnet.studies.calibration import analysis as calibration
from ncnet.studies.mechanism import interventions, sensing
from ncnet.training import samples

GAME = games.overlap()
TRAINING = {"hidden_size": 2, "replicas": 40, "seed": 3, "steps": 20, "learning_rate": 0.5}


def trained(**options):
    return ncnet.train(GAME, **options)


def reported(**options):
    return chsh.report(trained(**TRAINING), **options).row()


def run_of(**options):
    return experiment.train(lambda i, j, seed: ([1, seed % 2], [1, 1]), **options)


def sampled(**options):
    population = samples.named("overlap", training=8, held_out=8, noise=1.0, seed=0)
    return samples.train(population, replicas=range(3), **options)


def drawn(**options):
    return samples.named("overlap", **options).draw([0]).inputs


def digits(**options):
    return samples.digits([[1], [2], [3], [4]], **options).draw([0]).inputs


def encoders_trained(**options):
    tasks = datasets.load(["toy/mood", "toy/sum"], items=4, held_out=2, seed=0)
    given = {"pairs": [tuple(tasks)], "ranks": [2], "replicas": 1}
    return encoders.train(encoders.load("tiny"), tasks, **given, **options)


def compared(**options):
    return interventions.interventions(GAME, lambdas=[0.0], small_steps=False, **options)


def oscillating(**options):
    return sensing.oscillation(GAME, among=["shared"], **options)


def loaded(**options):
    return datasets.load(["toy/mood"], **options)["toy/mood"].training


CALLS = [
    (trained, TRAINING | {"head_start": 2, "threads": 1, "chunk_size": 32}),
    (reported, {"level": 0.9, "resamples": 2000, "seed": 3}),
    (chsh.bell_test, {"level": 0.9}),
    (run_of, {"replicas": 2, "seed": 3}),
    (sampled, {"hidden_size": 2, "seed": 3, "steps": 5, "learning_rate": 0.5}),
    (drawn, {"training": 8, "held_out": 8, "noise": 1.0, "label_noise": 0.1, "seed": 3}),
    (digits, {"training": 8, "held_out": 8, "label_noise": 0.1, "seed": 3}),
    (encoders_trained, {"seed": 3, "steps": 2, "batch_size": 2, "alpha": 16.0, "layers": 1}),
    (compared, TRAINING | {"log_interval": 5}),
    (oscillating, TRAINING | {"folds": 2}),
    (calibration.study, {"replicas": 4, "simulations": 2, "seed": 3}),
    (loaded, {"items": 4, "held_out": 2, "seed": 3}),
]
FIXED = {
    chsh.bell_test: (np.full((2, 2, 2, 2), 50),),
    calibration.study: ("singlet",),
}


def wrapped(number):
    """Return the same number of other kinds."""
    if isinstance(number, int):
        small = np.uint8 if number < 256 else np.uint16
        return [small(number), np.int64(number), np.array(number), torch.tensor(number)]
    return [np.float64(number), np.array(number), torch.tensor(number, dtype=torch.float64)]


def comparable(found):
    if isinstance(found, xr.Dataset):
        json.dumps(found.attrs)  # holds plain numbers only, as files of netCDF do
        return found.to_dict()
    if isinstance(found, pd.DataFrame):
        return found.to_json()
    return repr(found)


@pytest.mark.slow
@pytest.mark.parametrize(("call", "numbers"), CALLS, ids=[call.__name__ for call, _ in CALLS])
def test_numbers_of_any_kind_give_the_same(call, numbers):
    expected = comparable(call(*FIXED.get(call, ()), **numbers))
    for kind in range(4):
        given = {name: (wrapped(number) * 2)[kind] for name, number in numbers.items()}
        assert comparable(call(*FIXED.get(call, ()), **given)) == expected


WHOLE = [
    (call, numbers, name)
    for call, numbers in CALLS
    for name, number in numbers.items()
    if isinstance(number, int)
]


@pytest.mark.parametrize(
    ("call", "numbers", "name"), WHOLE, ids=[f"{call.__name__}-{name}" for call, _, name in WHOLE]
)
def test_true_is_no_number(call, numbers, name):
    for true in (True, np.True_):
        with pytest.raises(ValueError, match=r"is True: expected an? "):
            call(*FIXED.get(call, ()), **numbers | {name: true})
