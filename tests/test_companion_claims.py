"""The effect beside each verdict: the right numbers, from the tables that the rule reads."""

import pytest

from ncnet import claims, effects


@pytest.fixture(scope="module")
def tables():
    """Return the recorded tables that the rules read, at the choices of the book."""
    return effects.recorded_tables()


@pytest.mark.parametrize("name", claims.CLAIMS)
def test_every_statement_has_an_effect_within_its_interval(tables, name):
    found = effects.effect(name, tables)
    assert found.quantity
    assert found.estimates
    for estimate in found.estimates:
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.of


@pytest.mark.parametrize("name", claims.CLAIMS)
def test_an_effect_reads_no_other_table_than_the_rule(tables, name):
    result = claims.CLAIMS[name].result
    assert effects.effect(name, {result: tables[result]}) == effects.effect(name, tables)


@pytest.mark.parametrize("name", claims.CAPACITY_CLAIMS)
def test_effects_on_capacity_speak_of_both_games_in_order(tables, name):
    assert [one.of for one in effects.effect(name, tables).estimates] == list(claims.GAMES)


def test_the_peak_is_compared_with_the_largest_elsewhere(tables):
    sweep = tables["multiverse"]
    elsewhere = sweep[sweep["hidden_size"] != claims.CRITICAL_SIZE].groupby("game")["s"].max()
    found = effects.effect("peak-at-3", tables)
    assert {one.of: one.value for one in found.estimates} == elsewhere.to_dict()


def test_of_many_settings_the_extremes_are_named(tables):
    lost = tables["first_at_2"]
    lost = 100 * lost.loc[lost["target"] == "held_out_accuracy", "regret"]
    found = effects.effect("first-2-generalizes", tables)
    assert [one.value for one in found.estimates] == [lost.min(), lost.max()]
    assert f"of {len(claims.SETTINGS)} settings" in found.quantity


def test_an_unknown_statement_is_refused():
    with pytest.raises(ValueError, match="peak-at-3"):
        effects.effect("peak-at-4", {})
