import re

import pytest

from ncnet.parameters import ParameterError, validate
from ncnet.studies.atlas.parameters import Rq6

RQ6 = {
    "hidden_sizes": [2, 3],
    "hidden_sizes_of_the_atlas": [2, 1],
    "activations": ["tanh", "relu"],
    "replicas": 64,
    "fresh_replicas": 64,
    "steps": 10,
    "seed": 0,
    "learning_rate": 0.1,
    "save_to": "",
    "record": False,
}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"hidden_sizes_of_the_atlas": [2]}, "parameter `hidden_sizes_of_the_atlas` is [2]"),
        ({"activations": ["tanh", "tanh"]}, "'tanh' is there twice"),
        ({"fresh_replicas": 16}, "parameter `fresh_replicas` is 16"),
    ],
)
def test_an_atlas_without_what_is_looked_at_is_refused(change, line):
    assert validate(dict(RQ6), Rq6) == RQ6
    with pytest.raises(ParameterError, match=re.escape(line)):
        validate(RQ6 | change, Rq6)
