"""The rules on real models, on sweeps over ranks whose verdict is plain."""

import numpy as np
import pandas as pd
import pytest

from ncnet.claims import verdict
from ncnet.studies.ranks.claims import CLAIMS, MIXED

BY_NAME = {claim.name: claim for claim in CLAIMS}


def ranks(s, low, high, **others):
    table = pd.DataFrame({"rank": [0.0, 1.0, 2.0, 8.0][: len(s)], "s": s, "s_low": low})
    return table.assign(s_high=high, **others)


def around(values, width=0.05, **others):
    values = np.array(values)
    return ranks(values, values - width, values + width, **others)


def verdict_on(name, **quartets):
    tables = {"lora": pd.concat([t.assign(quartet=q) for q, t in quartets.items()])}
    return verdict(BY_NAME[name], tables)


@pytest.mark.parametrize(
    ("s", "rise_low", "with_rank_low", "expected"),
    [
        ([1.0, 1.5, 1.8, 2.0], 0.9, 0.4, "reproduced"),
        ([1.0, 2.0, 2.0, 2.0], 0.9, -0.1, "partly"),  # adapters raise S, their rank does not
        ([1.9, 2.0, 2.0, 2.0], -0.1, -0.1, "not"),
        ([1.0, 2.0, 1.5, 2.0], 0.9, -0.1, "not"),  # falls on the way
    ],
)
def test_multilingual_s_has_to_rise_with_the_rank(s, rise_low, with_rank_low, expected):
    # The last rank is judged, whatever those before it came to.
    before = [-9.0, -9.0, -9.0]
    table = around(s, rise_low=[*before, rise_low], rise_with_rank_low=[*before, with_rank_low])
    assert verdict_on("multilingual-rises-with-rank", languages=table) == expected
    both = {
        "languages": table,
        "languages_ja": around([1.0, 1.5, 1.8, 2.0]).assign(rise_low=0.9, rise_with_rank_low=0.4),
    }
    either = {"reproduced": "reproduced", "partly": "partly", "not": "partly"}
    assert verdict_on("multilingual-rises-with-rank", **both) == either[expected]


def test_mixed_s_has_to_pass_2_at_low_rank_and_come_back():
    name = "mixed-passes-2-at-low-rank"
    passes, stays = around([1.0, 2.3, 2.1, 2.0]), around([1.0, 2.0, 2.0, 2.0])
    above = around([1.0, 2.3, 2.3, 2.3])
    late = around([1.0, 1.8, 1.9, 2.3])  # above 2 at the largest rank only
    together, apart = MIXED[:2]
    assert verdict_on(name, **{together: passes, apart: passes}) == "reproduced"
    assert verdict_on(name, **{together: passes, apart: stays}) == "partly"
    assert verdict_on(name, **{together: above, apart: above}) == "partly"
    too_high, too_low = around([1.0, 2.4, 2.3]), around([1.0, 2.4, 1.7])
    assert verdict_on(name, **{together: too_high, apart: too_high}) == "partly"
    assert verdict_on(name, **{together: too_low, apart: too_low}) == "partly"
    assert verdict_on(name, **{together: stays, apart: late}) == "not"
    assert verdict_on(name, **{together: passes}) == "reproduced"  # the other was not run


def test_what_decides_whether_s_passes_2_has_to_tell_two_sweeps_apart():
    name = "mixed-depends-on-difficulty-and-balance"
    together, apart, twice = MIXED
    passes, stays = around([1.0, 2.3, 2.1, 2.0]), around([1.0, 2.0, 2.0, 2.0])
    wide = around([1.0, 2.0, 2.0, 2.0], width=0.5)

    def of_three(first, second, third):
        return verdict_on(name, **{together: first, apart: second, twice: third})

    assert of_three(passes, stays, stays) == "reproduced"
    assert of_three(stays, passes, passes) == "reproduced"
    assert of_three(passes, stays, passes) == "partly"
    assert of_three(passes, passes, passes) == "not"
    assert of_three(stays, stays, stays) == "not testable here"
    assert of_three(passes, wide, passes) == "not testable here"
    assert of_three(passes, wide, stays) == "partly"


def test_a_rank_that_comes_twice_is_refused():
    table = around([1.0, 2.0]).assign(quartet="languages")
    twice = {"lora": pd.concat([table, table])}
    with pytest.raises(ValueError, match=r"languages has rank 0\.0 twice"):
        verdict(BY_NAME["multilingual-rises-with-rank"], twice)
