import re
import typing

import pytest

from ncnet.parameters import ParameterError, validate
from ncnet.studies.generalization.parameters import PopulationName, Rq4, Rq5
from ncnet.training import ACTIVATIONS, OPTIMIZERS, samples

SAMPLED = {
    "populations": ["overlap", "separate", "hard_together"],
    "hidden_sizes": [1, 2, 3],
    "training": 8,
    "held_out": 8,
    "noise": 0.6,
    "label_noise": 0.0,
    "steps": 10,
    "seed": 0,
    "save_to": "",
    "activation": "tanh",
    "optimizer": "adam",
    "learning_rate": 0.1,
}
RQ4 = SAMPLED | {"replicas": 40, "resamples": 2200}
RQ4 |= {"capacity_name": "hidden_size", "steps_tried": [10]}
RQ5 = SAMPLED | {
    "repetitions": 2,
    "repetition_size": 800,
    "fresh_replicas": 800,
    "set_aside": 0.25,
    "pair_size": 2,
    "pair_training": 8,
    "pair_replicas": 100,
    "early_replicas": 2,
    "drawn_sets": 2,
    "set_replicas": 2,
    "record": True,
}


def test_choices_are_those_of_the_package():
    assert set(typing.get_args(PopulationName)) <= set(samples.NAMES)
    for name, there in (("activation", ACTIVATIONS), ("optimizer", OPTIMIZERS)):
        assert set(typing.get_args(Rq4.model_fields[name].annotation)) == set(there)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"replicas": 41}, "parameter `replicas` is 41: it should be a multiple of 2"),
        ({"resamples": 2199}, "parameter `resamples` is 2199"),
        ({"capacity_name": "patience"}, "parameter `capacity_name` is 'patience'"),
        ({"populations": ["overlap", "overlap"]}, "'overlap' is there twice"),
        ({"populations": ["hard_togther"]}, "did you mean `hard_together`?"),
    ],
)
def test_a_correlation_that_cannot_be_measured_is_refused(change, line):
    assert validate(dict(RQ4), Rq4) == RQ4
    with pytest.raises(ParameterError, match=re.escape(line)):
        validate(RQ4 | change, Rq4)


@pytest.mark.parametrize("share", [0.05, 0.9])
def test_items_are_set_aside_and_left(share):
    with pytest.raises(ParameterError, match=f"`set_aside` is {share}: .* 1 to 6 of the 8 "):
        validate(RQ5 | {"set_aside": share}, Rq5)


@pytest.mark.parametrize(
    "change",
    [
        {"populations": ["overlap", "separate"]},
        {"repetition_size": 799},
        {"fresh_replicas": 799},
        {"pair_replicas": 99},
    ],
)
def test_a_record_must_hold_what_the_book_quotes(change):
    assert validate(dict(RQ5), Rq5)["record"]
    assert not validate(RQ5 | change | {"record": False}, Rq5)["record"]
    [name] = change
    with pytest.raises(ParameterError, match=f"parameter `record` is True: expected `{name}` "):
        validate(RQ5 | change, Rq5)
