"""Each test against an enumeration of all that could have happened, or against its definition."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ncnet import chsh
from tests.strategies import DETERMINISTIC


def rejection_probability(test, values, probabilities, replicas, alpha):
    """Enumerate how often each value is drawn, and add up where the test rejects."""
    total = 0
    for counts in itertools.product(range(replicas + 1), repeat=len(values) - 1):
        if sum(counts) > replicas:
            continue
        counts = np.array([*counts, replicas - sum(counts)])
        if test(np.repeat(values, counts)) <= alpha:
            total += stats.multinomial.pmf(counts, replicas, probabilities)
    return total


NULLS = [
    ([-4.0, 2.25], [0.04, 0.96]),  # mean 2, skewed: a t-test rejects far too often
    ([1.0, 2.0, 3.0], [0.3, 0.4, 0.3]),
    ([-4.0, 4.0], [0.25, 0.75]),
    ([0.0, 2.0, 4.0], [0.25, 0.5, 0.25]),
]


@pytest.mark.parametrize(("values", "probabilities"), NULLS)
@pytest.mark.parametrize("alpha", [0.05, 0.3])
def test_betting_rejects_a_true_hypothesis_as_seldom_as_it_says(values, probabilities, alpha):
    def bet(drawn):
        return chsh.betting_test(drawn, mean=2, lowest=-4)

    assert np.dot(values, probabilities) == pytest.approx(2)
    assert rejection_probability(bet, values, probabilities, 40, alpha) <= alpha


def test_a_t_test_does_not():
    def t(drawn):
        if np.ptp(drawn) == 0:
            return 0.0 if drawn[0] > 2 else 1.0
        return stats.ttest_1samp(drawn, 2, alternative="greater").pvalue

    assert rejection_probability(t, *NULLS[0], 40, 0.05) > 0.15


@pytest.mark.parametrize(("s", "replicas"), [(2.3, 62), (2.2, 92), (2.1, 182), (2.03, 601)])
def test_no_test_can_do_with_fewer_replicas_and_betting_does_with_few_more(s, replicas):
    """Where all S_r = s, nothing that knows only the range beats (6 / (s + 4))^R."""
    assert (6 / (s + 4)) ** replicas <= 0.05 < (6 / (s + 4)) ** (replicas - 1)
    best = (6 / (s + 4)) ** np.array([replicas, 1.3 * replicas + 10])
    few, enough = (
        chsh.betting_test(np.full(int(count), s), mean=2, lowest=-4)
        for count in (replicas, 1.3 * replicas + 10)
    )
    assert best[0] < few < 2 * best[0] + 1e-9
    assert enough <= 0.05


def test_a_run_of_32_replicas_is_never_significant_at_the_s_of_this_book():
    assert chsh.betting_test(np.full(32, 2.33), mean=2, lowest=-4) > 0.05


def test_counts_stand_for_repeated_values():
    values, counts = np.array([2.5, 1.0, 3.0]), np.array([40, 3, 7])
    weighted = chsh.betting_test(values, mean=2, lowest=-4, counts=counts)
    assert weighted == pytest.approx(
        chsh.betting_test(np.repeat(values, counts), mean=2, lowest=-4)
    )
    changes = np.array([-1.0, 0.5, 1.0])
    assert chsh.no_signalling_test(changes, counts) == pytest.approx(
        chsh.no_signalling_test(np.repeat(changes, counts))
    )


def test_hoeffding_is_the_formula_of_s():
    values = np.random.default_rng(0).choice([2.0, 3.0], size=100)
    expected = np.exp(-100 * (values.mean() - 2) ** 2 / 32)
    given = chsh.hoeffding_test(values, mean=2, lowest=-4, highest=4)
    assert given == pytest.approx(expected)
    assert chsh.hoeffding_test(values - 2, mean=2, lowest=-4, highest=4) == 1


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_no_signalling_test_is_two_sided(shift):
    changes = np.random.default_rng(1).choice([-1.0, 0.0, 1.0], size=400) * 0.5 + shift
    p, mirrored = chsh.no_signalling_test(changes), chsh.no_signalling_test(-changes)
    assert p == pytest.approx(mirrored)
    assert (p <= 0.05) == (shift > 0)


def test_game_test_is_the_binomial_tail():
    assert chsh.game_test(80, 100) == pytest.approx(
        stats.binomtest(80, 100, 3 / 4, alternative="greater").pvalue
    )
    assert chsh.game_test(0, 10) == 1


def test_no_strategy_wins_the_game_more_often_than_three_quarters():
    shares = []
    for alice, bob in DETERMINISTIC:
        won = np.outer(alice, bob) == chsh.SIGNS.values
        shares.append(won.mean())
    assert max(shares) == 3 / 4


def closed_testing(p_values):
    """The adjusted p-value of a hypothesis is the largest of all the intersections it is in.

    Each intersection is tested by Bonferroni's method: its smallest p-value times its size.
    """
    places = range(len(p_values))
    subsets = [
        s for size in range(1, len(p_values) + 1) for s in itertools.combinations(places, size)
    ]
    return [
        max(min(1, len(s) * min(p_values[k] for k in s)) for s in subsets if place in s)
        for place in places
    ]


def test_a_p_value_is_never_0():
    p = chsh.betting_test(np.array([4.0]), mean=2, lowest=-4, counts=np.array([10**6]))
    assert 0 < p < 1e-300


def test_a_bet_that_lost_everything_is_no_evidence_and_rounding_is_no_loss():
    values = np.array([2.5] * 50 + [-4.0])
    assert chsh.betting_test(values, mean=2, lowest=-4) <= 1
    assert chsh.betting_test(values - 1e-12, mean=2, lowest=-4) <= 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_shortcut_of_closed_testing(p_values):
    np.testing.assert_allclose(chsh.holm(p_values), closed_testing(p_values))


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: chsh.holm([0.1, np.nan]), "a p-value is nan: expected 0 to 1"),
        (lambda: chsh.holm([1.2]), "a p-value is 1.2"),
        (lambda: chsh.game_test(11, 10), "`wins` is 11: expected an integer of at most 10"),
        (lambda: chsh.game_test(1, 0), "`trials` is 0"),
        (lambda: chsh.betting_test([], mean=2, lowest=-4), r"values have shape \(0,\): expected"),
        (lambda: chsh.betting_test([np.nan], mean=2, lowest=-4), "value 0 is nan: expected at"),
        (lambda: chsh.betting_test([2, -9], mean=2, lowest=-4), "value 1 is -9.0: expected at"),
        (lambda: chsh.betting_test([3], mean=2, lowest=2), "`mean` is 2: expected more than"),
        (lambda: chsh.no_signalling_test([0, 3]), "change 1 is 3.0: expected -2 to 2"),
        (
            lambda: chsh.hoeffding_test([5], mean=2, lowest=-4, highest=4),
            "value 0 is 5.0: expected -4 to 4",
        ),
    ],
)
def test_bad_input_is_named(call, line):
    with pytest.raises(ValueError, match=line):
        call()
