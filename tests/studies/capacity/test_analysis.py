"""S against a capacity: a row depends on its own networks, not on what is made beside it."""

import itertools

import pandas as pd
import pytest

import ncnet
from ncnet import chsh

SMALL = {"replicas": 64, "seed": 3}


def test_a_sweep_of_two_sizes_is_the_two_sweeps_of_one():
    both = capacity.sweep("separate", [3, 1], steps=20, **SMALL)
    alone = [capacity.sweep("separate", [n], steps=20, **SMALL) for n in (3, 1)]
    pd.testing.assert_frame_equal(both, pd.concat(alone, ignore_index=True))


def test_a_row_is_the_report_of_its_networks():
    [row] = capacity.sweep("separate", [2], steps=30, activation="relu", **SMALL).to_dict("records")
    training = {"hidden_size": 2, "steps": 30, "activation": "relu"}
    outcomes = ncnet.train(ncnet.games.separate(), **training, **SMALL)
    report = chsh.report(outcomes)
    assert (row["game"], row["hidden_size"], row["path"]) == (
        "separate",
        2,
        outcomes.attrs["path"],
    )
    assert (row["s"], row["s_low"], row["s_high"]) == (report.s, *report.interval)


@pytest.mark.parametrize("steps", [0, 1, 2, 15, 16, 17, 2000, 1_000_000])
def test_marks_begin_untrained_end_at_the_last_step_and_rise(steps):
    marks = capacity.marks(steps)
    assert (marks[0], marks[-1]) == (0, steps)
    assert marks == sorted(set(marks))
    assert len(marks) <= 17


def test_marks_are_a_fixed_factor_apart():
    late = [mark for mark in capacity.marks(100_000) if mark > 100]
    factors = [after / before for before, after in itertools.pairwise(late)]
    assert max(factors) == pytest.approx(min(factors), rel=0.02)


@pytest.mark.slow
def test_the_last_mark_is_what_a_sweep_finds():
    along = capacity.along_training("overlap", 3, steps=40, **SMALL)
    assert along["steps"].tolist() == capacity.marks(40)
    assert (along["hidden_size"] == 3).all()
    last = along.iloc[[-1]].reset_index(drop=True)
    swept = capacity.sweep("overlap", [3], steps=40, **SMALL)
    common = last.columns.intersection(swept.columns)
    assert {"s", "delta", "influence", "run_low"} <= set(common)
    pd.testing.assert_frame_equal(last[common], swept[common])


def test_a_game_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="unknown game `overlaps`: did you mean `overlap`"):
        capacity.sweep("overlaps", [1], steps=1, **SMALL)
