import re

import pytest

from ncnet.parameters import ParameterError, validate
from ncnet.studies.multiverse import analysis as multiverse
from ncnet.studies.multiverse.parameters import Rq3Multiverse

MULTIVERSE = {
    "trainings": 2,
    "hidden_sizes": [1, 3],
    "replicas": 320,
    "noises": ["none"],
    "runs_of_50": 8,
    "rates": [],
    "steps": 2000,
    "seed": 0,
    "save_to": "",
    "record": False,
}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"hidden_sizes": [1, 2]}, "parameter `hidden_sizes` is [1, 2]: expected 3 among them"),
        (
            {"record": True},
            "parameter `record` is True: expected `replicas` of at least 1600 (here 320)",
        ),
        ({"noises": ["own start"]}, "unknown noise `own start`: did you mean `own starts`?"),
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
