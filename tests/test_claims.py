"""What a claim is: its rule is asked about each part of its table, and a verdict made of it."""

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnet import claims
from ncnet.claims import NOT, OPEN, PARTLY, REPRODUCED, Claim, Finding
from ncnet.estimates import Estimate
from tests.refusals import refused

UNSAID = Estimate(0.0, -1.0, 1.0)
READS = Claim(
    "reads",
    "reads",
    "S does what the table says.",
    claims.REVIEW,
    estimand="what the table says",
    smallest="none",
    region=claims.beyond(0),
    rule="The largest capacity says so.",
    result="table",
    evidence="notebooks/rq1",
    find=lambda rows: Finding(rows["says"].iloc[-1], UNSAID),
)
"""A claim whose rule says what the last row of each game says."""


def both_games(table):
    """Return the same rows for both games of the book."""
    return pd.concat(table.assign(game=game) for game in claims.GAMES)


def saying(*said, kind="game", among=claims.GAMES):
    """Return two rows for each of `among`; those of the larger capacity say what is `said`."""
    rows = [
        {kind: name, "hidden_size": size, "says": says if size == 3 else "another"}
        for name, says in zip(among, said, strict=True)
        for size in (1, 3)
    ]
    return pd.DataFrame(rows, dtype=object)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ((True, True), REPRODUCED),
        ((True, False), PARTLY),
        ((True, None), PARTLY),
        ((False, False), NOT),
        ((False, None), NOT),
        ((None, None), OPEN),
    ],
)
def test_a_verdict_is_made_of_what_the_rule_says_of_each_game(said, verdict):
    for ordered in (said, said[::-1]):
        table = {"table": saying(*ordered)}
        assert claims.verdict(READS, table) == verdict
        found = claims.findings(READS, table)
        assert tuple(found[game].holds for game in claims.GAMES) == ordered


def test_of_nothing_the_verdict_is_open():
    assert claims.verdict_on([]) == OPEN


@given(st.permutations(range(4)))
def test_a_verdict_does_not_depend_on_the_order_of_rows(order):
    table = saying(True, True).iloc[order]
    assert claims.verdict(READS, {"table": table}) == REPRODUCED


def test_a_rule_may_be_asked_about_something_else_than_games():
    of_settings = replace(READS, kind="setting", among=("a", "b", "c"))
    table = saying(True, True, False, kind="setting", among=of_settings.among)
    assert claims.verdict(of_settings, {"table": table}) == PARTLY
    without = {"table": table[table["setting"] != "c"]}
    refused(lambda: claims.verdict(of_settings, without), ["c has no rows"])
    assert claims.verdict(replace(of_settings, left_out=True), without) == REPRODUCED


def test_a_rule_about_all_rows_is_asked_once():
    asked = []

    def find(rows):
        asked.append(rows)
        return Finding(None, UNSAID)

    of_all = replace(READS, kind=None, rows=("hidden_size", "game"), find=find)
    table = saying(True, False)
    assert claims.verdict(of_all, {"table": table}) == OPEN
    [rows] = asked
    assert sorted(rows.index) == sorted(table.index)


ONE = pd.DataFrame({"hidden_size": [1, 3], "says": True}, dtype=object)
TWO = ONE.assign(which="pruned")


@pytest.mark.parametrize(
    ("tables", "parts"),
    [
        ({}, ("unknown table `table`",)),
        ({"table": both_games(ONE).iloc[:0]}, ("overlap has no rows", "each hidden size")),
        ({"table": ONE.assign(game="overlap")}, ("separate has no rows",)),
        (
            {"table": pd.concat([both_games(ONE)] * 2)},
            ("hidden size 1 twice", "one at a time"),
        ),
    ],
)
def test_nothing_is_judged_on_no_evidence_or_on_two(tables, parts):
    refused(lambda: claims.verdict(READS, tables), parts)


def test_rows_may_need_two_columns_to_be_told_apart():
    of_two = replace(READS, rows=("hidden_size", "which"))
    both = both_games(pd.concat([TWO, TWO.assign(which="whole")]))
    assert claims.verdict(of_two, {"table": both}) == REPRODUCED
    twice = {"table": pd.concat([both, both_games(TWO)])}
    refused(lambda: claims.verdict(of_two, twice), ["hidden size 1, pruned twice"])


def test_verdicts_are_listed_with_the_sources_of_their_statements():
    tables = {"table": saying(True, True)}
    listed = claims.verdict_table([READS, replace(READS, source=claims.ABSTRACT)], tables)
    *_, first, second = listed.splitlines()
    assert first == "| S does what the table says (review page). | **reproduced** |"
    assert "(abstract)" in second


def test_a_row_that_a_rule_reads_has_to_be_there_once():
    assert claims.row_where(TWO, hidden_size=3)["which"].tolist() == ["pruned"]
    refused(lambda: claims.row_where(TWO, hidden_size=4), ["no rows with hidden size 4", "one"])
    twice = pd.concat([TWO, TWO])
    refused(lambda: claims.row_where(twice, hidden_size=3), ["2 rows with hidden size 3", "one"])
