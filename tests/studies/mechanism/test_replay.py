"""A piece that is made alone has the rows that the whole table has."""

import pandas as pd
import pytest

from ncnet import games
from ncnet.results import Result
from ncnet.studies.mechanism import conflict, decoding, interventions, sensing
from ncnet.studies.mechanism.replay import REPLAYS

TRAINING = {
    "replicas": 40,
    "seed": 3,
    "steps": 40,
    "activation": "tanh",
    "optimizer": "gradient_descent",
    "learning_rate": 0.5,
}
OF_GRADIENTS = {"log_interval": 7}
COMPARED = OF_GRADIENTS | {"lambdas": [0.5], "small_steps": True}
OF_DECODER = {"folds": 2}
PLACE = games.overlap(), 2


def traced():
    return conflict.train_traced(*PLACE, **OF_GRADIENTS, **TRAINING)


WHOLE = {
    "conflict": lambda: conflict.conflict(traced()),
    "conflict_and_s": lambda: conflict.conflict_and_s(traced()),
    "interventions": lambda: interventions.interventions(*PLACE, **COMPARED, **TRAINING),
    "sensing": lambda: sensing.sensing(*PLACE, permutations=3, **OF_DECODER, **TRAINING),
    "sensing_along_training": lambda: sensing.sensing_along_training(
        *PLACE, seen=sensing.seen_until(TRAINING["steps"]), **OF_DECODER, **TRAINING
    ),
    "oscillation": lambda: sensing.oscillation(
        *PLACE, among=sensing.OSCILLATION_COMPARED, **OF_DECODER, **TRAINING
    ),
}
GIVEN = TRAINING | COMPARED | OF_DECODER | {"permutations": 3, "hidden_size": 2}


@pytest.mark.slow
@pytest.mark.parametrize("one", REPLAYS, ids=lambda one: one.table)
def test_each_piece_alone_has_the_rows_of_the_whole_table(one):
    table = WHOLE[one.table]()
    recorded = Result(table, {"parameters": GIVEN})
    assert set(table.columns) == set(one.load().table.columns)
    for where in one.pieces(table):
        made = one.make(recorded, where)
        rows = one.rows(table, where)
        pd.testing.assert_frame_equal(
            made[list(rows)].reset_index(drop=True), rows, check_dtype=False, rtol=1e-12
        )


@pytest.mark.parametrize("use", ["whole", "level", "oscillation (fast)", "whole, separate trunks"])
def test_a_use_is_decoded_with_no_more_permutations_than_its_own(use, monkeypatch):
    asked = {}

    def decode_by_use(traces, **options):
        asked.update(options)
        return pd.DataFrame({"use": [*options["uses"], *options["others"]]})

    monkeypatch.setattr(decoding, "decode_by_use", decode_by_use)
    [one] = [one for one in REPLAYS if one.table == "sensing"]
    where = {"game": "overlap", "hidden_size": 2, "use": use}
    made = one.make(Result(pd.DataFrame(), {"parameters": GIVEN}), where)
    assert made["use"].tolist() == [use]
    assert asked["permuted"] == ([use] if use in sensing.PERMUTED else [])
    assert len(asked["uses"]) + len(asked["others"]) == 1 + (use != "whole")


def test_rows_that_no_piece_asked_for_are_reported(monkeypatch):
    rows = pd.DataFrame({"use": ["whole", "level", "whole"]})
    monkeypatch.setattr(decoding, "decode_by_use", lambda *_, **__: rows)
    [one] = [one for one in REPLAYS if one.table == "sensing"]
    where = {"game": "overlap", "hidden_size": 2, "use": "whole"}
    made = one.make(Result(pd.DataFrame(), {"parameters": GIVEN}), where)
    assert made["use"].tolist() == ["whole", "whole"]


def test_a_table_of_one_size_is_made_at_the_size_that_was_looked_at_closely():
    [one] = [one for one in REPLAYS if one.table == "oscillation"]
    recorded = Result(pd.DataFrame(), {"parameters": GIVEN | {"hidden_size": 3}})
    made = one.make(recorded, {"game": "overlap", "intervention": "shared"})
    assert made["hidden_size"].tolist() == [3]


def test_a_share_of_replicas_has_an_error_even_where_it_is_whole():
    [one] = [one for one in REPLAYS if one.table == "interventions"]
    rows = pd.DataFrame({"replicas": [400, 400], "solved_22": [1.0, 0.5]})
    tolerance = one.tolerances["solved_22"]
    whole, half = tolerance.most(rows, "solved_22")
    assert 0.001 < whole < half < 0.0126
    exact = tolerance.here().most(rows, "solved_22")
    assert exact.max() < 1e-7


@pytest.mark.slow
def test_an_intervention_is_compared_alone_or_not_at_all():
    options = {"replicas": 30, "seed": 0, "steps": 20}
    table = interventions.interventions(*PLACE, among=["MGDA"], **options)
    assert table["intervention"].tolist() == ["shared", "MGDA"]
    alone = interventions.interventions(*PLACE, among=["shared"], **options)
    assert list(alone) == list(table)
    assert alone["s_change"].isna().all()
