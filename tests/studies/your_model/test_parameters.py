import pytest

from ncnet.parameters import ParameterError, validate
from ncnet.studies.your_model.parameters import YourModel

YOUR_MODEL = {
    "hidden_sizes": [2, 3],
    "hidden_size": 3,
    "replicas": 4,
    "steps": 10,
    "learning_rate": 0.1,
    "seed": 0,
    "save_to": "",
}


def test_the_size_that_is_looked_at_closely_is_one_of_the_sizes():
    assert validate(dict(YOUR_MODEL), YourModel) == YOUR_MODEL
    line = "parameter `hidden_size` is 5: expected one of `hidden_sizes`"
    with pytest.raises(ParameterError, match=line):
        validate(YOUR_MODEL | {"hidden_size": 5}, YourModel)
