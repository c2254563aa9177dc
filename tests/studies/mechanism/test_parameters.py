import re

import pytest

from ncnet.parameters import ParameterError, validate
from ncnet.studies.mechanism.parameters import Rq2

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
QUOTED = {
    "games": ["overlap", "separate"],
    "hidden_sizes": [2, 3, 4, 6],
    "lambdas": [0.25, 0],
    "replicas": 1600,
    "permutations": 99,
    "record": True,
}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"log_interval": 201}, "parameter `log_interval` is 201: expected at most 200: the steps"),
        ({"steps": 10}, "parameter `steps` is 10"),
        ({"lambdas": [0.5, 1.01]}, "parameter `lambdas` is 1.01"),
        ({"lambdas": [-0.1]}, "parameter `lambdas` is -0.1"),
        ({"lambdas": [0.5, 0.5]}, "0.5 is there twice"),
        ({"folds": 13}, "parameter `folds` is 13: expected at most 12: a fold takes 5 replicas"),
        ({"steps": 400_000}, "parameter `steps` is 400000: expected at most 312,500: losses"),
        ({"folds": 1}, "parameter `folds` is 1"),
        ({"hidden_size": 4}, "parameter `hidden_size` is 4: expected one of `hidden_sizes`"),
        (
            {"record": True, "hidden_size": 2},
            "parameter `record` is True: expected `hidden_size` 3 (here 2); `games` with separate; "
            "`hidden_sizes` with 4, 6; `lambdas` with 0.25; `replicas` of at least 1600 (here 64); "
            "`permutations` of at least 99 (here 19), which the book quotes",
        ),
    ],
)
def test_a_mechanism_that_cannot_be_measured_is_refused(change, line):
    assert validate(dict(RQ2), Rq2) == RQ2
    with pytest.raises(ParameterError, match=re.escape(line)):
        validate(RQ2 | change, Rq2)


def test_a_record_of_the_mechanism_holds_what_the_book_quotes():
    assert validate(RQ2 | QUOTED, Rq2)["record"]
