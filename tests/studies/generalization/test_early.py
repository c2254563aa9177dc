"""From which look on a measure is as good as at the end."""

import pandas as pd
import pytest

from ncnet.claims import WEAK
from ncnet.studies.generalization import early


@pytest.mark.parametrize(
    ("short", "first"),
    [
        ([0.0, 0.0, 0.0], 0.1),
        ([0.2, 0.0, 0.0], 0.5),
        ([0.0, 0.2, 0.0], 1.0),
        ([WEAK, WEAK - 1e-9, 0.0], 0.5),
        ([-0.5, -0.5, 0.0], 0.1),
    ],
)
def test_a_look_counts_only_where_all_later_ones_do(short, first):
    rows = pd.DataFrame({"look": [0.1, 0.5, 1.0], "short_high": short})
    rows = rows.assign(pairs_of="games", measure="s", rho=0.5, rho_low=0.4, rho_high=0.6)
    [row] = early.as_good_from(rows.sample(frac=1, random_state=0)).to_dict("records")
    assert row["as_good"] == first
