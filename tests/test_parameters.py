"""What the parameters of all notebooks share: what is refused, and what a notebook goes on with."""

import re
import typing
from pathlib import Path

import numpy as np
import pytest

import ncnet
from ncnet import chsh, games, parameters, training
from ncnet.parameters import (
    GameName,
    GameNotebook,
    HiddenSize,
    HiddenSizes,
    ParameterError,
    Switch,
    validate,
)


class Example(GameNotebook):
    """Parameters of a notebook that there is not."""

    NOTEBOOK = "example"
    TABLES = ("one", "two")
    RECORDED = ("two", "three")

    game: GameName
    hidden_sizes: HiddenSizes
    hidden_size: HiddenSize
    record: Switch


GIVEN = {
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
    "record": False,
}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"hiden_sizes": [2]}, "unknown parameter `hiden_sizes`: did you mean `hidden_sizes`?"),
        ({"xyz": "red"}, "unknown parameter `xyz`: expected one of"),
        (
            {"hidden_sizes": "[2, 3]"},
            "parameter `hidden_sizes` is '[2, 3]': it should be a valid list "
            "(papermill takes it by -y 'hidden_sizes: [2, 3]')",
        ),
        ({"hidden_sizes": [0, 3]}, "parameter `hidden_sizes` is 0: it should be greater"),
        ({"hidden_sizes": []}, "parameter `hidden_sizes` is []"),
        ({"hidden_sizes": [3, 3]}, "parameter `hidden_sizes` is [3, 3]: 3 is there twice"),
        (
            {"hidden_size": 5},
            "parameter `hidden_size` is 5: expected one of `hidden_sizes`, [2, 3, 4]",
        ),
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
            "(papermill takes it by -y 'hidden_sizes: [3]')",
        ),
        (
            {"save_to": 2026},
            "it should be a valid string (papermill takes it by -r save_to 2026)",
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
        ({"record": "yes please"}, "parameter `record` is 'yes please'"),
    ],
)
def test_each_fault_is_one_line_that_names_it(change, line):
    with pytest.raises(ParameterError, match=re.escape(line)) as caught:
        validate(GIVEN | change, Example)
    assert "\n" not in str(caught.value)
    of_several = ("hidden_size", "hidden_sizes") if change == {"hidden_size": 5} else None
    assert caught.value.names == (of_several or tuple(change))
    assert caught.value._render_traceback_() == [f"ParameterError: {caught.value}"]


@pytest.mark.parametrize("change", [{"save_to": None}, {"hidden_sizes": None}, {"save_to": [1]}])
def test_what_papermill_cannot_be_given_is_no_advice(change):
    with pytest.raises(ParameterError) as caught:
        validate(GIVEN | change, Example)
    assert "papermill" not in str(caught.value)


def test_a_missing_parameter_is_named():
    with pytest.raises(ParameterError, match="parameter `seed` is missing"):
        validate({name: value for name, value in GIVEN.items() if name != "seed"}, Example)


def test_what_is_no_parameter_is_let_be():
    namespace = {"_": 3, "parameters": parameters, "In": [], "Example": Example, "glue": validate}
    assert validate(GIVEN | namespace, Example) == GIVEN


def test_the_cell_can_be_run_again_among_the_notebooks_own_variables():
    namespace = dict(GIVEN)
    validate(namespace, Example)
    namespace |= {"chosen": GIVEN, "outcomes": 1, "replica": 2}
    assert validate(namespace, Example) == GIVEN
    with pytest.raises(ParameterError, match="parameter `steps` is -1"):
        validate(namespace | {"steps": -1}, Example)


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
    namespace = GIVEN | {name: given}
    chosen = validate(namespace, Example)
    for found in (chosen[name], namespace[name]):
        assert type(found) is type(meant)
        assert found == meant


@pytest.mark.parametrize(
    ("record", "tables"), [(False, ("one", "two")), (True, ("one", "two", "three"))]
)
def test_a_run_that_records_saves_what_the_book_quotes_too(record, tables):
    assert Example(**GIVEN | {"record": record}).tables == tables


def test_choices_are_those_of_the_package():
    """`parameters` knows nothing of the rest of the package; this keeps its lists true."""
    choices = {name: field.annotation for name, field in Example.model_fields.items()}
    assert set(typing.get_args(choices["game"])) == set(games.NAMED)
    assert set(typing.get_args(choices["activation"])) == set(training.ACTIVATIONS)
    assert set(typing.get_args(choices["optimizer"])) == set(training.OPTIMIZERS)
    multiple_of = next(
        m for m in Example.model_fields["replicas"].metadata if hasattr(m, "multiple_of")
    )
    assert multiple_of.multiple_of == chsh.REPLICAS_PER_RUN
    for game in games.NAMED:
        assert ncnet.games.named(game).name == game
