import re

import pytest

from ncnet.parameters import ParameterError, validate
from ncnet.studies.capacity.parameters import Rq1, Rq3

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


def test_the_size_that_is_looked_at_closely_is_one_of_the_sizes():
    assert validate(dict(RQ1), Rq1) == RQ1
    line = "parameter `hidden_size` is 5: expected one of `hidden_sizes`"
    with pytest.raises(ParameterError, match=line):
        validate(RQ1 | {"hidden_size": 5}, Rq1)


@pytest.mark.parametrize(
    ("change", "least"),
    [
        ({"games": ["overlap"]}, "`games` with separate"),
        ({"hidden_sizes": [3, 5]}, "`hidden_sizes` with 6"),
        ({"hidden_sizes_along_training": [3]}, "`hidden_sizes_along_training` with 2, 4"),
        ({"replicas": 64}, "`replicas` of at least 1600 (here 64)"),
        ({"steps": 0}, "`steps` of at least 1 (here 0)"),
    ],
)
def test_a_record_must_hold_what_the_book_quotes(change, least):
    recording = RQ3 | {"record": True, "replicas": 1600}
    assert validate(dict(recording), Rq3)["record"]
    assert not validate(RQ3 | change, Rq3)["record"]
    line = f"parameter `record` is True: expected {least}, which the book quotes"
    with pytest.raises(ParameterError, match=re.escape(line)):
        validate(recording | change, Rq3)
