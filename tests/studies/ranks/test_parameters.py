import re
import typing

import pytest

from ncnet import encoders
from ncnet.parameters import ParameterError, validate
from ncnet.studies.ranks.parameters import EncoderName, QuartetName, Rq3Lora

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
    assert set(typing.get_args(EncoderName)) == set(encoders.ENCODERS)
    assert set(typing.get_args(QuartetName)) == set(encoders.QUARTETS)


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
