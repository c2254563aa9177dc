"""S along training: where it is read, and that its last row is what a sweep finds."""

import itertools

import pandas as pd
import pytest

from ncnet.studies.capacity.analysis import along_training, marks
from ncnet.sweeps import sweep

SMALL = {"replicas": 64, "seed": 3}


@pytest.mark.parametrize("steps", [0, 1, 2, 15, 16, 17, 2000, 1_000_000])
def test_marks_begin_untrained_end_at_the_last_step_and_rise(steps):
    found = marks(steps)
    assert (found[0], found[-1]) == (0, steps)
    assert found == sorted(set(found))
    assert len(found) <= 17


def test_marks_are_a_fixed_factor_apart():
    late = [mark for mark in marks(100_000) if mark > 100]
    factors = [after / before for before, after in itertools.pairwise(late)]
    assert max(factors) == pytest.approx(min(factors), rel=0.02)


@pytest.mark.slow
def test_the_last_mark_is_what_a_sweep_finds():
    along = along_training("overlap", 3, steps=40, **SMALL)
    assert along["steps"].tolist() == marks(40)
    assert (along["hidden_size"] == 3).all()
    last = along.iloc[[-1]].reset_index(drop=True)
    swept = sweep("overlap", [3], steps=40, **SMALL)
    common = last.columns.intersection(swept.columns)
    assert {"s", "delta", "influence", "run_low"} <= set(common)
    pd.testing.assert_frame_equal(last[common], swept[common])
