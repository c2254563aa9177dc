import re
import typing
from pathlib import Path

import numpy as np
import pytest

import ncnet
from ncnet import chsh, encoders, games, parameters
from ncnet import training as ensemble
from ncnet.parameters import ParameterError, Rq1, Rq3, Rq3Lora, Rq3Multiverse, validate
from ncnet.studies.calibration import analysis as calibration
from ncnet.studies.mechanism import decoding, oscillation
from ncnet.studies.multiverse import analysis as multiverse

RQ1 = {
    "game": "overlap",
    "hidden_sizes": [2, 3, 4],
    "hidden_size": 3,
    "replicas": 64,
    "steps": 10,
    "seed": 0,
    "save_to": "",
    "activation": "tanh",
    "optimizer": "gradient_descent",
    "learning_rate": 0.5,
}
RQ3 = {name: value for name, value in RQ1.items() if name not in ("game", "hidden_size")} | {
    "games": ["overlap", "separate"],
    "hidden_sizes": [3, 6],
    "hidden_sizes_along_training": [2, 3, 4],
    "record": False,
}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"hiden_sizes": [2]}, "unknown parameter `hiden_sizes`: did you mean `hidden_sizes`?"),
        ({"colour": "red"}, "unknown parameter `colour`: expected one of"),
        (
            {"hidden_sizes": "[2, 3]"},
            "parameter `hidden_sizes` is '[2, 3]': it should be a valid list "
            "(papermill takes lists by -y 'hidden_sizes: [2, 3]')",
        ),
        ({"hidden_sizes": [0, 3]}, "parameter `hidden_sizes` is 0: it should be greater"),
        ({"hidden_sizes": []}, "parameter `hidden_sizes` is []"),
        ({"hidden_sizes": [3, 3]}, "parameter `hidden_sizes` is [3, 3]: 3 is there twice"),
        ({"hidden_size": 5}, "parameter `hidden_size` is 5: expected one of `hidden_sizes`"),
        ({"replicas": 33}, "parameter `replicas` is 33: it should be a multiple of 32"),
        ({"replicas": "64"}, "parameter `replicas` is '64': it should be a valid integer"),
        ({"steps": -1}, "parameter `steps` is -1"),
        ({"seed": 2**32}, "parameter `seed` is 4294967296: it should be less than"),
        ({"steps": True}, "parameter `steps` is True"),
        ({"learning_rate": float("nan")}, "parameter `learning_rate` is nan"),
        ({"learning_rate": float("inf")}, "parameter `learning_rate` is inf"),
        ({"learning_rate": 10**400}, "parameter `learning_rate` is 1000"),
        (
            {"learning_rate": "1e-3x"},
            "parameter `learning_rate` is '1e-3x': it should be a valid n",
        ),
        (
            {"learning_rate": "inf"},
            "parameter `learning_rate` is 'inf'",
        ),
        ({"learning_rate": True}, "parameter `learning_rate` is True"),
        (
            {"hidden_sizes": 3},
            "parameter `hidden_sizes` is 3: it should be a valid list "
            "(papermill takes lists by -y 'hidden_sizes: [3]')",
        ),
        (
            {"save_to": 2026},
            "it should be a valid string (papermill takes it as text by -r save_to",
        ),
        ({"save_to": "a" * 300}, ": File name too long"),
        ({"hidden_sizes": [10**9, 3]}, "parameter `hidden_sizes` is 1000000000: it should be less"),
        ({"hidden_sizes": None}, "parameter `hidden_sizes` is None"),
        (
            {"hidden_sizes": [[2], 3]},
            "parameter `hidden_sizes` is [2]: it should be a valid integer",
        ),
        ({"replicas": 32 * 10**9}, "parameter `replicas` is 32000000000"),
        ({"learning_rate": 0}, "parameter `learning_rate` is 0"),
        ({"activation": "tnh"}, "parameter `activation` is 'tnh': did you mean `tanh`?"),
        ({"optimizer": "sgd"}, "parameter `optimizer` is 'sgd': expected one of `adam`"),
        ({"game": "overlp"}, "parameter `game` is 'overlp': did you mean `overlap`?"),
    ],
)
def test_each_fault_is_one_line_that_names_it(change, line):
    with pytest.raises(ParameterError, match=re.escape(line)) as caught:
        validate(RQ1 | change, Rq1)
    assert "\n" not in str(caught.value)
    assert caught.value._render_traceback_() == [f"ParameterError: {caught.value}"]


def test_a_missing_parameter_is_named():
    with pytest.raises(ParameterError, match="parameter `seed` is missing"):
        validate({name: value for name, value in RQ1.items() if name != "seed"}, Rq1)


def test_what_is_no_parameter_is_let_be():
    namespace = RQ1 | {"_": 3, "parameters": parameters, "In": [], "Rq1": Rq1, "glue": validate}
    assert validate(namespace, Rq1) == RQ1


def test_the_cell_can_be_run_again_among_the_notebooks_own_variables():
    namespace = dict(RQ1)
    validate(namespace, Rq1)
    namespace |= {"chosen": RQ1, "outcomes": 1, "replica": 2}
    assert validate(namespace, Rq1) == RQ1
    with pytest.raises(ParameterError, match="parameter `steps` is -1"):
        validate(namespace | {"steps": -1}, Rq1)


def test_a_record_must_hold_what_the_book_quotes():
    with pytest.raises(ParameterError, match="parameter `record` is True: the book quotes both"):
        validate(RQ3 | {"record": True, "games": ["overlap"]}, Rq3)
    with pytest.raises(ParameterError, match=r"at least 1600 `replicas` \(here 64\)"):
        validate(RQ3 | {"record": True}, Rq3)
    assert validate(RQ3 | {"record": True, "replicas": 1600}, Rq3)["record"]


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("learning_rate", 1, 1.0),
        ("learning_rate", "2e-5", 2e-5),
        ("learning_rate", np.float32(0.5), 0.5),
        ("record", "true", True),
        ("record", "False", False),
        ("save_to", "~/tables", str(Path.home() / "tables")),
    ],
)
def test_the_notebook_goes_on_with_what_is_meant(name, given, meant):
    namespace = RQ3 | {"replicas": 1600, name: given}
    chosen = validate(namespace, Rq3)
    for found in (chosen[name], namespace[name]):
        assert type(found) is type(meant)
        assert found == meant


def test_choices_are_those_of_the_package():
    """`parameters` knows nothing of the rest of the package; this keeps its lists true."""
    choices = {name: field.annotation for name, field in Rq1.model_fields.items()}
    assert set(typing.get_args(choices["game"])) == set(games.NAMED)
    assert set(typing.get_args(choices["activation"])) == set(ensemble.ACTIVATIONS)
    assert set(typing.get_args(choices["optimizer"])) == set(ensemble.OPTIMIZERS)
    multiple_of = next(
        m for m in Rq3.model_fields["replicas"].metadata if hasattr(m, "multiple_of")
    )
    assert multiple_of.multiple_of == chsh.RUN_LENGTH
    for game in games.NAMED:
        assert ncnet.games.named(game).name == game


MULTIVERSE = {
    "trainings": 2,
    "hidden_sizes": [1, 3],
    "replicas": 320,
    "steps": 2000,
    "seed": 0,
    "save_to": "",
    "record": False,
}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"hidden_sizes": [1, 2]}, "parameter `hidden_sizes` is [1, 2]: expected 3 among them"),
        ({"record": True}, "parameter `replicas` is 320: a record takes at least 1600"),
        ({"trainings": 0}, "parameter `trainings` is 0"),
    ],
)
def test_a_multiverse_that_no_rule_can_judge_is_refused(change, line):
    assert validate(dict(MULTIVERSE), Rq3Multiverse) == MULTIVERSE
    with pytest.raises(ParameterError, match=re.escape(line)):
        validate(MULTIVERSE | change, Rq3Multiverse)


def test_no_more_trainings_can_be_drawn_than_there_are():
    everything = len(multiverse.trainings())
    assert validate(MULTIVERSE | {"trainings": everything}, Rq3Multiverse)
    with pytest.raises(ParameterError):
        validate(MULTIVERSE | {"trainings": everything + 1}, Rq3Multiverse)


def test_models_of_the_calibration_are_those_there_are():
    assert list(typing.get_args(parameters.ModelName)) == list(calibration.models())


RQ3_LORA = {
    "encoder": "tiny",
    "data": ["toy_mixed"],
    "ranks": [0, 4, "full"],
    "replicas": 12,
    "items": 24,
    "held_out": 24,
    "layers": 1,
    "steps": 60,
    "batch_size": 8,
    "learning_rate": 0.02,
    "seed": 0,
    "save_to": "",
}


def test_encoders_and_quartets_are_those_there_are():
    assert set(typing.get_args(parameters.EncoderName)) == set(encoders.ENCODERS)
    assert set(typing.get_args(parameters.QuartetName)) == set(encoders.QUARTETS)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"encoder": "mini-lm"}, "parameter `encoder` is 'mini-lm': did you mean `minilm`?"),
        ({"data": ["mixed_hard"]}, "parameter `data` is 'mixed_hard': did you mean `mixed_hard_"),
        ({"data": ["toy_mixed", "toy_mixed"]}, "'toy_mixed' is there twice"),
        ({"ranks": [0, -1]}, "parameter `ranks` is -1: it should be greater than or equal to 0"),
        ({"ranks": [0, 0.5]}, "parameter `ranks` is 0.5"),
        ({"ranks": ["all"]}, "parameter `ranks` is 'all'"),
        ({"replicas": 1}, "parameter `replicas` is 1: it should be greater than or equal to 2"),
        ({"items": 0}, "parameter `items` is 0"),
        ({"layers": 0}, "parameter `layers` is 0"),
    ],
)
def test_a_sweep_over_ranks_that_cannot_be_is_refused(change, line):
    assert validate(dict(RQ3_LORA), Rq3Lora) == RQ3_LORA
    with pytest.raises(ParameterError, match=re.escape(line)):
        validate(RQ3_LORA | change, Rq3Lora)


CALIBRATION = {
    "models": ["local", "singlet"],
    "replica_counts": [32, 200],
    "simulations": 200,
    "seed": 0,
    "save_to": "",
    "record": False,
}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"models": ["lokal"]}, "parameter `models` is 'lokal': did you mean `local`?"),
        ({"models": ["local", "local"]}, "'local' is there twice"),
        ({"replica_counts": [1]}, "parameter `replica_counts` is 1"),
        ({"record": True}, "parameter `record` is True: the book quotes all models"),
    ],
)
def test_a_calibration_that_cannot_be_is_refused(change, line):
    assert parameters.validate(dict(CALIBRATION), parameters.Calibration) == CALIBRATION
    with pytest.raises(parameters.ParameterError, match=re.escape(line)):
        parameters.validate(CALIBRATION | change, parameters.Calibration)


RQ2 = {
    "games": ["overlap"],
    "hidden_sizes": [2, 3],
    "hidden_size": 3,
    "lambdas": [0.5, 0.0],
    "small_steps": False,
    "replicas": 64,
    "steps": 200,
    "log_interval": 10,
    "folds": 5,
    "permutations": 19,
    "seed": 0,
    "save_to": "",
    "activation": "tanh",
    "optimizer": "adam",
    "learning_rate": 0.1,
    "record": False,
}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"log_interval": 201}, "parameter `log_interval` is 201: expected at most the 200 steps"),
        ({"steps": 10}, "parameter `steps` is 10"),
        ({"lambdas": [0.5, 1.01]}, "parameter `lambdas` is 1.01"),
        ({"lambdas": [-0.1]}, "parameter `lambdas` is -0.1"),
        ({"lambdas": [0.5, 0.5]}, "0.5 is there twice"),
        ({"folds": 13}, "parameter `folds` is 13: expected at most 12, a fold takes 5 of the 64"),
        ({"steps": 400_000}, "parameter `steps` is 400000: expected at most 312,500 with 64"),
        ({"folds": 1}, "parameter `folds` is 1"),
        ({"hidden_size": 4}, "parameter `hidden_size` is 4: expected one of `hidden_sizes`"),
        ({"record": True}, "parameter `record` is True: the book quotes both games"),
    ],
)
def test_a_mechanism_that_cannot_be_measured_is_refused(change, line):
    assert validate(dict(RQ2), parameters.Rq2) == RQ2
    with pytest.raises(ParameterError, match=re.escape(line)):
        validate(RQ2 | change, parameters.Rq2)


def test_a_record_of_the_mechanism_holds_what_the_book_quotes():
    quoted = {"games": ["overlap", "separate"], "hidden_sizes": [2, 3, 4, 6], "record": True}
    quoted |= {"lambdas": [0.25, 0], "replicas": 1600, "permutations": 99}
    assert validate(RQ2 | quoted, parameters.Rq2)["record"]


def test_as_many_steps_are_asked_for_as_a_trend_takes():
    assert parameters.FEWEST_TRACED == oscillation.FEWEST_STEPS
    assert parameters.FEWEST_A_FOLD == decoding.FEWEST_A_FOLD
