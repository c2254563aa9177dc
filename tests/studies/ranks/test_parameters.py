import re
import typing

import pytest

from ncnet import encoders
from ncnet.datasets import hub
from ncnet.parameters import ParameterError, validate
from ncnet.studies.ranks.families import FAMILIES
from ncnet.studies.ranks.parameters import SIZES, EncoderName, FamilyName, Rq3Lora
from tests.small_encoders import encoder

RQ3_LORA = {
    "encoder": "tiny",
    "family": "toy_mixed",
    "tasks": [],
    "pairs": "all",
    "pooling": "first",
    "shuffled": 0.25,
    "ratio": 4.0,
    "ranks": [1, 4, "full"],
    "looks": [0.1, 0.5],
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


def test_encoders_and_families_are_those_there_are():
    assert set(typing.get_args(EncoderName)) == set(encoders.ENCODERS) == set(SIZES)
    assert set(typing.get_args(FamilyName)) == set(FAMILIES)


@pytest.mark.parametrize("name", ["tiny", "minilm", pytest.param("e5", marks=pytest.mark.slow)])
def test_sizes_are_those_of_the_encoders(name):
    try:
        of = encoder(name)
    except hub.Unavailable as error:
        pytest.skip(str(error))
    assert (of.layers, of.width) == SIZES[name]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"encoder": "mini-lm"}, "parameter `encoder` is 'mini-lm': did you mean `minilm`?"),
        ({"family": "mix"}, "parameter `family` is 'mix': did you mean `mixed`?"),
        ({"pairs": "every"}, "parameter `pairs` is 'every': expected one of `all`, `alone`"),
        (
            {"tasks": ["toy/sums"], "pairs": "alone"},
            "unknown task `toy/sums`: did you mean `toy/sum`",
        ),
        (
            {"tasks": ["toy/sum"]},
            "parameter `tasks` is ['toy/sum']: expected pairs `alone`, or all",
        ),
        ({"pooling": "max"}, "parameter `pooling` is 'max'"),
        ({"shuffled": 1.5}, "parameter `shuffled` is 1.5: it should be less than or equal to 1"),
        ({"ratio": 0}, "parameter `ratio` is 0: it should be greater than 0"),
        ({"ratio": 0.3}, "`ratio` is 0.3: expected a whole number, or one divided by one"),
        (
            {"looks": [0.5, 0.25]},
            "`looks` are [0.5, 0.25] of 60 steps, so [30, 15]",
        ),
        ({"ranks": [0, 4]}, "`looks` at rank 0, where no trunk is trained"),
        ({"looks": [0.5, 1]}, "parameter `looks` is 1: it should be less than 1"),
        ({"ranks": [0, -1]}, "parameter `ranks` is -1: it should be greater than or equal to 0"),
        ({"ranks": [0, 0.5]}, "parameter `ranks` is 0.5"),
        ({"ranks": ["all"]}, "parameter `ranks` is 'all'"),
        ({"replicas": 1}, "parameter `replicas` is 1: it should be greater than or equal to 2"),
        ({"items": 0}, "parameter `items` is 0"),
        ({"layers": 0}, "parameter `layers` is 0"),
        ({"layers": 3}, "parameter `layers` is 3: expected at most 2, those of `tiny`"),
        ({"ranks": [1, 33]}, "parameter `ranks` is 33: expected at most 32, the width of `tiny`"),
    ],
)
def test_a_sweep_over_ranks_that_cannot_be_is_refused(change, line):
    assert validate(dict(RQ3_LORA), Rq3Lora) == RQ3_LORA
    with pytest.raises(ParameterError, match=re.escape(line)):
        validate(RQ3_LORA | change, Rq3Lora)
