"""Counts of Bell tests: what they become, what is published of them, and what is refused."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from ncnet import chsh
from tests.refusals import refused
from tests.strategies import DETERMINISTIC, correlated_outcomes, singlet_correlators

A, B = correlated_outcomes(singlet_correlators(), replicas=12, items=3, seed=0)


def counts_of(*rows):
    """Counts of (1,1), (1,2), (2,1), (2,2), each in the order (+,+), (+,-), (-,+), (-,-)."""
    return np.array(rows).reshape(2, 2, 2, 2)


DELFT = counts_of([23, 3, 4, 23], [33, 11, 5, 30], [22, 10, 6, 24], [4, 20, 21, 6])
"""Hensen et al. (Nature 526, 682, 2015): S = 2.42 +- .20, 196 of 245 won, p = .039."""
INNSBRUCK = counts_of(
    [1683, 418, 361, 1578], [1100, 269, 156, 1386], [1728, 313, 351, 1978], [179, 1636, 1143, 294]
)
"""Weihs et al. (PRL 81, 5039, 1998): S = 2.73 +- .02, of coincidences alone."""
VIENNA = counts_of(
    [141_439, 73_391, 76_224, 875_392_736],
    [146_831, 67_941, 326_768, 874_976_534],
    [158_338, 425_067, 58_742, 875_239_860],
    [8_392, 576_445, 463_985, 874_651_457],
)
"""Giustina et al. (PRL 115, 250401, 2015): J = 7.27e-6. Outcome + is a detection."""
NIST = counts_of(
    [6_378, 3_289, 3_147, 44_336_240],
    [6_794, 2_825, 23_230, 44_311_018],
    [6_486, 21_358, 2_818, 44_302_570],
    [106, 27_562, 30_000, 44_274_530],
)
"""Shalm et al. (PRL 115, 250402, 2015), 5 pulses: 6,378 of 12,127 relevant events, p = 5.9e-9."""
NIST_ELSEWHERE = counts_of(
    [6_378, 3_282, 3_189, 43_897_356],
    [6_794, 2_821, 23_243, 43_276_943],
    [6_486, 21_334, 2_843, 43_338_281],
    [106, 27_539, 30_040, 42_502_788],
)
"""The same experiment in another table (in public code, after arXiv 2209.00702): 3 % apart."""
PUBLISHED = {"Delft": DELFT, "Innsbruck": INNSBRUCK, "Vienna": VIENNA, "NIST": NIST}
TAKE_MEANS = (
    chsh.delta,
    chsh.marginal_changes,
    chsh.excess,
    chsh.excess_bound,
    chsh.decomposition,
    chsh.local_fraction,
    chsh.coupling_deficit,
)
TAKE_CORRELATORS = (chsh.s_value, chsh.s_odd, chsh.facets, chsh.arcsine_excess)


def relevant_events(counts):
    """Of photons: those whose sum, signed, no parties without influence make positive."""
    return [
        int(counts[place]) for place in ((0, 0, 0, 0), (0, 1, 0, 1), (1, 0, 1, 0), (1, 1, 0, 0))
    ]


def without_influence(alice, bob, trials):
    """Counts of parties who always answer alike, [2] and [2], in so many trials a context."""
    counts = np.zeros((2, 2, 2, 2), int)
    for i, j in np.ndindex(2, 2):
        counts[i, j, int(alice[i] < 0), int(bob[j] < 0)] = trials[i][j]
    return counts


def test_delft_has_its_published_statistics():
    found = chsh.bell_test(DELFT)
    assert (found.game.wins, found.game.trials, found.game.bound) == (196, 245, 0.75)
    assert found.s == pytest.approx(2.42, abs=0.005)
    assert found.s_error == pytest.approx(0.20, abs=0.005)
    assert found.s_error == pytest.approx(np.hypot.reduce(found.correlator_errors, axis=None))
    assert found.game.p_value == pytest.approx(0.039, abs=0.0005)
    assert found.signalling == []


def test_innsbruck_has_its_published_statistics():
    found = chsh.bell_test(INNSBRUCK)
    assert (found.s, found.s_error) == pytest.approx((2.73, 0.02), abs=0.005)
    assert not found.game.equal_contexts
    assert found.signalling == ["A1", "A2", "B1", "B2"]  # selected: nobody detected both each time


def test_vienna_has_its_published_statistics():
    first, *others = (
        events / trials
        for events, trials in zip(relevant_events(VIENNA), VIENNA.sum((2, 3)).flat, strict=True)
    )
    assert first - sum(others) == pytest.approx(7.27e-6, abs=5e-9)
    found = chsh.bell_test(VIENNA)
    assert (found.s - 2) / 4 == pytest.approx(first - sum(others), rel=0.05)
    assert found.signalling == []


def test_nist_has_its_published_statistics():
    events = relevant_events(NIST)
    assert (NIST.sum(), sum(events)) == (177_358_351, 12_127)
    assert stats.binom.sf(events[0] - 1, sum(events), 1 / 2) == pytest.approx(5.9e-9, abs=5e-11)
    found = chsh.bell_test(NIST)
    assert found.interval[0] > 2
    assert found.signalling == []


@pytest.mark.parametrize("counts", [*PUBLISHED.values(), NIST_ELSEWHERE])
def test_no_strategy_without_influence_is_significant_at_published_settings(counts):
    """With 3/4 as the bound, "always -" had p = 0 where NIST's contexts differ."""
    trials = counts.sum(axis=(2, 3))
    for alice, bob in DETERMINISTIC:
        assert chsh.game_test(without_influence(alice, bob, trials)).p_value > 0.05


def test_what_is_won_by_unequal_contexts_alone_is_said_to_be_so():
    game = chsh.game_test(NIST_ELSEWHERE)
    assert stats.binom.sf(game.wins - 1, game.trials, 3 / 4) == 0
    assert 0 < game.contexts_p_value < 1e-300
    assert game.bound == 1 - NIST_ELSEWHERE[1, 1].sum() / NIST_ELSEWHERE.sum()
    assert game.p_value == game.p_value_any_contexts > 0.5


def test_standard_errors_are_the_spread_over_experiments():
    found = chsh.bell_test(DELFT)
    trials = DELFT.sum(axis=(2, 3))
    generator = np.random.default_rng(0)
    drawn = np.array(
        [
            [
                generator.multinomial(trials[i, j], DELFT[i, j].ravel() / trials[i, j], size=10_000)
                for j in (0, 1)
            ]
            for i in (0, 1)
        ]
    )
    a, b = np.array([1, 1, -1, -1]), np.array([1, -1, 1, -1])
    correlator, alice = (drawn @ x / trials[..., None] for x in (a * b, a))
    s = np.tensordot(chsh.SIGNS.values, correlator, axes=2)
    assert found.s_error == pytest.approx(s.std(), rel=0.03)
    changes = alice[:, 0] - alice[:, 1]
    np.testing.assert_allclose(found.change_errors[:2], changes.std(axis=-1), rtol=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("size", [0.7, 0.97])
def test_intervals_of_counts_cover(size):
    """Near 1 the plain error is far too small: two of them would cover in 80 %."""
    generator = np.random.default_rng(1)
    covered = np.zeros(3)
    for _ in range(600):
        found = chsh.bell_test(drawn_counts(generator, size * chsh.SIGNS.values, trials=50))
        intervals = found.interval, found.delta_interval, found.excess_interval
        truths = 4 * size, 0, 4 * size - 2
        covered += [
            low <= true <= high for (low, high), true in zip(intervals, truths, strict=True)
        ]
    assert (covered >= 0.93 * 600).all()


def drawn_counts(generator, correlators, trials):
    """Counts of outcomes that are + and - equally often, with these correlators."""
    counts = np.empty((2, 2, 2, 2), int)
    for i, j in np.ndindex(2, 2):
        alike, unlike = (1 + correlators[i, j]) / 4, (1 - correlators[i, j]) / 4
        counts[i, j] = generator.multinomial(trials, [alike, unlike, unlike, alike]).reshape(2, 2)
    return counts


def test_no_interval_has_zero_width():
    box = np.zeros((2, 2, 2, 2), int)
    box[..., 0, 0], box[1, 1] = 50, [[0, 50], [0, 0]]
    found = chsh.bell_test(box)
    assert (found.s, found.s_error, found.interval[1]) == (4, 0, 4)
    assert 3.8 < found.interval[0] < 4
    assert found.delta_interval[0] < found.delta_interval[1]
    assert found.excess_interval[0] < found.excess_interval[1]
    assert "4.000" in str(found)


def test_a_bell_test_is_told_as_a_table_with_digits_that_its_error_allows():
    found = chsh.bell_test(NIST)
    assert found.statistics.loc["S"].tolist() == [
        "2.000041", "0.000015", "[2.000011, 2.000071]", "", ""
    ]  # fmt: skip
    assert found.contexts.loc["(2,2)", "trials"] == "44,332,198"
    assert found._repr_html_().count("<table") == 2
    assert "are not equally likely" in str(chsh.bell_test(VIENNA))
    assert chsh.bell_test(DELFT, level=0.9).statistics.columns[2] == "90 % interval"


@pytest.mark.parametrize("statistic", TAKE_MEANS)
def test_what_takes_means_takes_counts(statistic):
    assert np.isfinite(statistic(chsh.from_counts(DELFT))).all()


@pytest.mark.parametrize("statistic", TAKE_CORRELATORS)
def test_what_takes_correlators_says_so_to_means(statistic):
    means = chsh.from_counts(DELFT)
    assert np.isfinite(statistic(means.correlator)).all()
    with pytest.raises(ValueError, match=r"are a Dataset: did you mean its `.correlator`\?"):
        statistic(means)


def test_a_bell_test_has_what_single_functions_give():
    means, found = chsh.from_counts(DELFT), chsh.bell_test(DELFT)
    assert found.s == pytest.approx(float(chsh.s_value(means.correlator)))
    np.testing.assert_allclose(found.changes, chsh.marginal_changes(means))
    assert found.delta == pytest.approx(float(chsh.delta(means)))
    assert found.excess == pytest.approx(float(chsh.excess(means)))
    assert found.local_fraction == chsh.local_fraction(means)
    assert found.game == chsh.game_test(DELFT)


@pytest.mark.parametrize("number", [object, np.int8, np.uint8, np.float32, "O8", Fraction])
def test_counts_may_be_any_type_of_number(number):
    counts = np.vectorize(Fraction, otypes=[object])(DELFT) if number is Fraction else DELFT
    counts = counts.astype(object if number is Fraction else number)
    assert chsh.from_counts(counts).equals(chsh.from_counts(DELFT))
    assert chsh.bell_test(counts).game == chsh.bell_test(DELFT).game
    many = chsh.from_counts(DELFT.astype(object) * 10**20)  # beyond 64 bits
    np.testing.assert_allclose(many.correlator, chsh.from_counts(DELFT).correlator)


def test_counts_of_balanced_outcomes_give_the_means_of_replicas():
    counts = np.zeros((2, 2, 2, 2))
    for i, j, x, y in np.ndindex(2, 2, 2, 2):
        counts[i, j, x, y] = ((A[i, j] == 1 - 2 * x) & (B[i, j] == 1 - 2 * y)).sum()
    means, expected = chsh.from_counts(counts), chsh.replica_means((A, B)).mean("replica")
    for name in ("correlator", "alice", "bob"):
        np.testing.assert_allclose(means[name], expected[name], atol=1e-12)


@pytest.mark.parametrize("function", [chsh.from_counts, chsh.game_test, chsh.bell_test])
@pytest.mark.parametrize(
    ("counts", "parts"),
    [
        (np.ones((2, 2, 4)), ("counts have shape (2, 2, 4)", "an array (2, 2, 2, 2)")),
        (-np.ones((2, 2, 2, 2)), ("`count` is -1.0", "a finite number of at least 0")),
        (np.full((2, 2, 2, 2), np.inf), ("`count` is inf", "a finite number")),
        (np.full((2, 2, 2, 2), "7"), ("`count` is '7'", "a finite number")),
        (np.full((2, 2, 2, 2), None), ("`count` is None", "a finite number")),
        (np.full((2, 2, 2, 2), True), ("`count` is True", "a finite number")),
        ({(1, 1): [1, 2, 3, 4]}, ("counts have shape ()", "an array")),
        (1j * DELFT, ("`count` is 23j", "a finite number")),
        (np.full((2, 2, 2, 2), np.nan), ("`count` is nan",)),
        (DELFT * np.array([1, 0])[:, None, None], ("context (1,2) has no trials",)),
    ],
)
def test_bad_counts_are_named(function, counts, parts):
    refused(lambda: function(counts), parts)


@pytest.mark.parametrize("function", [chsh.game_test, chsh.bell_test])
def test_trials_come_whole(function):
    with pytest.raises(ValueError, match=r"`count` is 11\.5: expected a whole number"):
        function(DELFT / 2)


def test_a_level_is_a_share():
    with pytest.raises(ValueError, match="`level` is 95: expected a number between 0 and 1"):
        chsh.bell_test(DELFT, level=95)
