"""What may differ between the tables on generalization and the same rows made again."""

import pandas as pd
import pytest

from ncnet.studies.generalization.replay import STATISTICS


@pytest.mark.parametrize(
    ("name", "error", "expected"),
    [
        ("regret", 0.05, 8 * 0.025),
        ("s", 0.05, 4 * 8 / 100),  # four of a hundred replicas, whose S spans 8
        ("accuracy", 0.005, 4 / 100),
    ],
)
def test_statistics_may_differ_by_half_an_error_in_a_game_and_more_on_digits(name, error, expected):
    conditions = ["overlap, 64 items", "middling, 128 items"]
    ends = {name: 0.5, f"{name}_low": 0.5 - 1.96 * error, f"{name}_high": 0.5 + 1.96 * error}
    rows = pd.DataFrame({"condition": conditions, "replicas": 100, **ends})
    game, digits = STATISTICS[name].most(rows, name)
    assert game == pytest.approx(error / 2)
    assert digits == pytest.approx(expected)
