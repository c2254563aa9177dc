"""What the benchmark of the statistics compares gives the same results; time is nobody's test."""

import numpy as np
import pytest

from benchmarks import chsh
from ncnet.chsh import SIGNS, replica_means, s_value
from ncnet.studies.atlas import analysis as atlas


@pytest.fixture(scope="module")
def outcomes():
    generator = np.random.default_rng(0)
    a, b = generator.choice([-1, 1], size=(2, 2, 2, 60, 8), p=[0.3, 0.7])
    b[0, 0] = a[0, 0]  # a constant row, as trained networks have
    return a, b


@pytest.fixture(scope="module")
def rows(outcomes):
    return chsh.game_rows(outcomes)


def test_rows_begin_with_s(rows, outcomes):
    s = s_value(replica_means(outcomes).correlator)
    assert rows.shape == (9, 60)
    np.testing.assert_allclose(rows[0], s)


@pytest.mark.parametrize("engine", chsh.BOOTSTRAPS)
def test_every_bootstrap_has_the_standard_error(engine, rows):
    draws = chsh.BOOTSTRAPS[engine](rows, 2000, seed=0)
    assert draws.shape == (9, 2000)
    assert chsh.errors_apart(rows, draws) < chsh.TOLERANCE


@pytest.mark.parametrize("engine", chsh.BOOTSTRAPS)
def test_every_bootstrap_draws_the_rows_jointly(engine, rows):
    draws = chsh.BOOTSTRAPS[engine](rows, 20, seed=0)
    np.testing.assert_allclose(draws[0], SIGNS.values.reshape(4) @ draws[1:5])


@pytest.mark.parametrize("wrong_by", [0.8, 1.25])
def test_another_standard_error_is_noticed(wrong_by, rows):
    draws = chsh.with_loop(rows, 2000, seed=0)
    means = rows.mean(axis=1, keepdims=True)
    assert chsh.errors_apart(rows, means + wrong_by * (draws - means)) > chsh.TOLERANCE


def test_a_constant_row_that_varies_in_the_draws_is_noticed(rows):
    draws = chsh.with_loop(rows, 200, seed=0)
    constant = np.flatnonzero(rows.std(axis=1) == 0)
    assert constant.size
    draws[constant[0]] += np.linspace(0, 0.001, 200)
    assert chsh.errors_apart(rows, draws) > chsh.TOLERANCE


def test_closed_forms_agree_with_the_linear_program():
    pairs = chsh.drawn_pairs(tasks=3, replicas=16, seed=0)
    games = chsh.sampled_games(tasks=3, games=12, seed=0)
    found = chsh.programs([chsh.game_means(pairs, game) for game in games])
    # Games that are contextual through S, through another facet only, and not at all.
    by_s = atlas.survey(pairs)["excess"].to_numpy().reshape((3,) * 4)[tuple(games.T)] > 0
    contextual = found > 0.01
    assert by_s.any()
    assert (contextual & ~by_s).any()
    assert (~contextual).any()
    expected = chsh.closed_forms(pairs)[tuple(games.T)]
    np.testing.assert_allclose(found, expected, atol=atlas.ROUNDING)


def test_trained_pairs_are_surveyed_as_drawn_ones_are():
    pairs = atlas.train_pairs(["0001", "0110"], hidden_size=1, replicas=64, seed=0, steps=10)
    games = chsh.sampled_games(tasks=2, games=4, seed=0)
    found = chsh.programs([chsh.game_means(pairs, game) for game in games])
    expected = chsh.closed_forms(pairs)[tuple(games.T)]
    np.testing.assert_allclose(found, expected, atol=atlas.ROUNDING)


@pytest.fixture
def every_time_is_a_second(monkeypatch):
    monkeypatch.setattr(chsh, "_timed", lambda work, repeats=1: (1.0, work()))


@pytest.mark.usefixtures("every_time_is_a_second")
def test_times_from_fewer_resamples_are_extrapolated(rows):
    assert [chsh._bootstrap_times("S", rows[:1], engine)["s"] for engine in chsh.BOOTSTRAPS] == [
        1,
        1,
        chsh.RESAMPLES / chsh.LOOPED,
    ]
    grown = chsh._growth(chsh._drawn(rows, 500), resamples=chsh.RESAMPLES // 100)
    assert (grown["SciPy, s"], grown["SciPy / both"]) == ("100", "50")
    assert (grown["replicas"], int(grown["distinct"]) <= rows.shape[1]) == ("500", True)


def test_no_time_is_printed_of_another_result(rows, monkeypatch):
    monkeypatch.setitem(
        chsh.BOOTSTRAPS, "scipy", lambda *given, seed: chsh.with_loop(*given, seed) / 2
    )
    with pytest.raises(RuntimeError, match="Monte-Carlo errors off"):
        chsh._bootstrap_times("S", rows[:1], "scipy")
