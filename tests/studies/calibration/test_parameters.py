import re

import pytest

from ncnet.parameters import ParameterError, validate
from ncnet.studies.calibration import analysis as calibration
from ncnet.studies.calibration.parameters import Calibration

CALIBRATION = {
    "models": ["local", "singlet"],
    "replica_counts": [32, 200],
    "simulations": 200,
    "seed": 0,
    "save_to": "",
    "record": False,
}


def test_models_of_the_calibration_are_those_there_are():
    every = CALIBRATION | {"models": list(calibration.models())}
    assert validate(dict(every), Calibration) == every


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"models": ["lokal"]},
            "parameter `models` is 'lokal': unknown model `lokal`: did you mean `local`?",
        ),
        ({"models": ["local", "local"]}, "'local' is there twice"),
        ({"replica_counts": [1]}, "parameter `replica_counts` is 1"),
        ({"models": [3]}, "parameter `models` is 3: unknown model `3`: expected one of `PR box`"),
        ({"record": True}, "`record` is True: expected `models` with 'ceiling', "),
        ({"record": True}, ", 'overlap, n = 1', "),
        (
            {"record": True, "replica_counts": [8]},
            "`replica_counts` (here [8]); `replica_counts` with 32",
        ),
    ],
)
def test_a_calibration_that_cannot_be_is_refused(change, line):
    assert validate(dict(CALIBRATION), Calibration) == CALIBRATION
    with pytest.raises(ParameterError, match=re.escape(line)):
        validate(CALIBRATION | change, Calibration)
