"""Each test against an enumeration of all that could have happened, or against its definition."""

import functools
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ncnet import chsh
from ncnet.chsh import bell, significance
from ncnet.chsh.betting import log_evidence
from tests.refusals import refused
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


def test_a_betting_test_may_be_extended():
    """Sixteen looks at replicas that come one batch after the other; a true, skewed null."""
    generator = np.random.default_rng(0)
    rejected = 0
    for _ in range(200):
        low = np.cumsum(generator.binomial(25, 0.04, size=16))
        looks = zip(low, 25 * np.arange(1, 17), strict=True)
        rejected += any(
            chsh.betting_test([-4.0, 2.25], mean=2, lowest=-4, counts=[few, total - few]) <= 0.05
            for few, total in looks
        )
    assert rejected <= 0.05 * 200


@given(st.integers(1, 40), st.data())
def test_sign_test_is_the_binomial_test(replicas, data):
    values = data.draw(st.lists(st.sampled_from([1.5, 2.0, 2.5]), min_size=1, max_size=replicas))
    above = sum(value > 2 for value in values)
    expected = stats.binomtest(above, len(values), 1 / 2, alternative="greater").pvalue
    assert chsh.sign_test(values, above=2) == pytest.approx(expected)
    kinds, counts = np.unique(values, return_counts=True)
    assert chsh.sign_test(kinds, above=2, counts=counts) == chsh.sign_test(values, above=2)


def test_sign_test_needs_13_of_16():
    few, enough = (chsh.sign_test([2.1] * k + [2.0] * (16 - k), above=2) for k in (12, 13))
    assert few > 0.0125 >= enough


def counts_of_game(lost, won):
    """Counts [2, 2, 2, 2] of trials lost and won in contexts (1,1), (1,2), (2,1), (2,2)."""
    counts = np.zeros((2, 2, 2, 2), int)
    for place, (i, j) in enumerate(np.ndindex(2, 2)):
        opposite = int(i == j == 1)
        counts[i, j, 0, opposite], counts[i, j, 0, 1 - opposite] = won[place], lost[place]
    return counts


def test_game_test_is_the_binomial_tail():
    game = chsh.game_test(counts_of_game(lost=[5, 5, 5, 5], won=[20, 20, 20, 20]))
    expected = stats.binomtest(80, 100, 3 / 4, alternative="greater").pvalue
    assert game.p_value == pytest.approx(expected)
    assert (game.wins, game.trials, game.bound, game.equal_contexts) == (80, 100, 3 / 4, True)
    assert game.contexts_p_value == 1
    assert chsh.game_test(counts_of_game([1, 1, 1, 1], [0, 0, 0, 0])).p_value == 1


def test_contexts_are_compared_by_chi_squared():
    game = chsh.game_test(counts_of_game(lost=[2, 3, 4, 1], won=[50, 70, 66, 41]))
    assert game.contexts_p_value == pytest.approx(stats.chisquare([52, 73, 70, 42]).pvalue)


def test_a_game_that_is_won_for_ever_has_a_p_value_above_0():
    game = chsh.game_test(counts_of_game([0] * 4, [10**6] * 4))
    assert 0 < game.p_value < 1e-300
    assert 0 < game.p_value_any_contexts < 1e-300
    assert chsh.game_test(counts_of_game([0] * 4, [1, 1, 1, 1000])).contexts_p_value > 0


def test_no_strategy_wins_the_game_more_often_than_three_quarters():
    shares = []
    for alice, bob in DETERMINISTIC:
        won = np.outer(alice, bob) == chsh.SIGNS.values
        shares.append(won.mean())
    assert max(shares) == 3 / 4


@pytest.mark.parametrize("chances", [(1, 1, 1, 1), (3, 5, 6, 6), (1, 5, 7, 7), (4, 4, 5, 7)])
@pytest.mark.parametrize("most", [0.2, 0.4, 0.6])
def test_parties_who_know_all_do_not_beat_the_test_for_any_contexts(chances, most):
    """Dynamic programming over all that they may do, each trial in view of all before it."""
    chances = np.array(chances) / sum(chances)

    @functools.cache
    def best(trials, lost):
        if sum(trials) == 10:
            return float(bell.reach_probability(min(trials) - lost, 10) <= most)
        after = [tuple(np.add(trials, row)) for row in np.eye(4, dtype=int)]
        won, worse = (np.array([best(t, lost + more) for t in after]) for more in (0, 1))
        return max(chances @ won + chances[k] * (worse[k] - won[k]) for k in range(4))

    assert best((0, 0, 0, 0), 0) <= most


@given(
    trials=st.integers(200, 5000),
    chances=st.lists(st.floats(0.05, 1), min_size=4, max_size=4),
    strategy=st.sampled_from(DETERMINISTIC),
    seed=st.integers(0, 1000),
)
def test_what_contexts_alone_win_is_not_significant_for_any_contexts(
    trials, chances, strategy, seed
):
    """A deterministic strategy loses all trials of some context, so that nothing is left to win."""
    drawn = np.random.default_rng(seed).multinomial(trials - 4, np.array(chances) / sum(chances))
    won = (np.outer(*strategy) == chsh.SIGNS.values).ravel()
    counts = counts_of_game(lost=(drawn + 1) * ~won, won=(drawn + 1) * won)
    assert chsh.game_test(counts).p_value_any_contexts == 1


def test_strategies_at_unequal_contexts_reject_as_seldom_as_they_should():
    """Mixed strategies, contexts at random, many trials: the test of the contexts sees them."""
    generator = np.random.default_rng(0)
    significant = 0
    for _ in range(300):
        chances = generator.dirichlet([5] * 4)
        lost_in = generator.dirichlet([0.3] * 4)  # which context a party loses in, trial by trial
        drawn = generator.multinomial(20_000, chances)
        lost = generator.binomial(drawn, lost_in)
        significant += chsh.game_test(counts_of_game(lost, drawn - lost)).p_value <= 0.05
    assert significant <= 0.05 * 300


def test_equal_contexts_reject_as_seldom_as_they_should():
    """Whichever of both bounds the counts of the contexts ask for."""
    generator = np.random.default_rng(0)
    significant = 0
    for _ in range(1000):
        drawn = generator.multinomial(400, [1 / 4] * 4)
        won = drawn * np.array([1, 1, 1, 0])
        significant += chsh.game_test(counts_of_game(drawn - won, won)).p_value <= 0.05
    assert significant <= 0.06 * 1000


def test_a_bias_that_counts_do_not_show_takes_the_test_for_any_contexts():
    """As the docstring says: up to half are significant where 3/4 is taken for the bound."""
    generator = np.random.default_rng(0)
    trials, missing = 10_000, 2.4 * np.sqrt(3 / 16 / 10_000)
    chances = np.array([1 / 4 + missing / 3] * 3 + [1 / 4 - missing])
    games = []
    for _ in range(300):
        won = generator.multinomial(trials, chances)
        lost = won * np.array([0, 0, 0, 1])
        games.append(chsh.game_test(counts_of_game(lost, won - lost)))
    assert 0.4 < np.mean([game.p_value <= 0.05 for game in games]) < 0.6
    assert {game.p_value_any_contexts for game in games} == {1}


@given(st.integers(4, 400), st.data())
def test_the_test_for_any_contexts_is_the_more_careful_one(trials, data):
    won = data.draw(st.integers(0, trials))
    rarest = data.draw(st.integers(1, trials // 4))
    careful = bell.reach_probability(rarest - (trials - won), trials)
    assert careful >= significance.binomial_tail(won, trials, 3 / 4) * (1 - 1e-9)


def test_a_walk_reaches_a_height_as_often_as_counted():
    """Against all walks of seven steps -1, 0, 0, +1."""
    steps = np.array(list(itertools.product((-1, 0, 0, 1), repeat=7)))
    highest = np.cumsum(steps, axis=1).max(axis=1)
    for height in range(1, 8):
        expected = np.mean(highest >= height)
        assert bell.reach_probability(height, 7) == pytest.approx(expected)


@pytest.mark.parametrize(("s", "replicas"), [(2.3, 62), (2.2, 92), (2.1, 182), (2.03, 601)])
def test_replicas_needed_are_the_fewest_that_bet_enough(s, replicas):
    needed = chsh.replicas_needed([s], mean=2, lowest=-4, alpha=0.05)
    assert replicas < needed < 1.2 * replicas
    few, enough = (
        chsh.betting_test(np.full(count, s), mean=2, lowest=-4) for count in (needed - 1, needed)
    )
    assert few > 0.05 >= enough


@given(
    st.lists(st.sampled_from([1.0, 2.0, 2.5, 3.0, 4.0]), min_size=1, max_size=6),
    st.sampled_from([0.05, 0.01]),
)
def test_so_many_replicas_like_these_show_it_and_fewer_do_not(values, alpha):
    needed = chsh.replicas_needed(values, mean=2, lowest=-4, alpha=alpha)
    assert (needed is None) == (np.mean(values) <= 2)
    if needed is None:
        return
    kinds, counts = np.unique(values, return_counts=True)
    share = counts / counts.sum()
    for replicas, shown in ((needed - 1, False), (needed, True)):
        evidence = log_evidence(kinds, 2, -4, replicas * share)
        assert (evidence >= -np.log(alpha)) == shown
    weighted = chsh.replicas_needed(kinds, mean=2, lowest=-4, alpha=alpha, counts=counts)
    assert weighted == needed


def test_replicas_that_would_have_to_be_millions_are_not_counted():
    assert chsh.replicas_needed([2 + 1e-7], mean=2, lowest=-4, alpha=0.05) is None


@given(st.integers(1, 5000), st.sampled_from([0.05, 0.001]))
def test_the_smallest_mean_shown_is_just_shown(replicas, alpha):
    smallest = chsh.smallest_mean_shown(replicas, mean=2, lowest=-4, highest=4, alpha=alpha)
    counts = np.array([replicas])

    def p_value(s):
        return chsh.betting_test([s], mean=2, lowest=-4, counts=counts)

    if smallest is None:
        assert p_value(4.0) > alpha
        return
    assert p_value(smallest) <= alpha * (1 + 1e-9)
    assert p_value(smallest - 1e-6) > alpha
    assert chsh.replicas_needed([smallest + 1e-6], mean=2, lowest=-4, alpha=alpha) <= replicas


@given(st.integers(1, 5000), st.sampled_from([0.05, 0.001]))
def test_no_test_could_show_a_smaller_mean_than_any_test(replicas, alpha):
    """If replicas have it or the lowest value, all have it with a chance of `alpha`."""
    limit = chsh.smallest_mean_any_test(replicas, mean=2, lowest=-4, alpha=alpha)
    share = (2 - -4) / (limit - -4)
    assert share * limit + (1 - share) * -4 == pytest.approx(2)
    assert stats.binom.pmf(replicas, replicas, share) == pytest.approx(alpha)
    ours = chsh.smallest_mean_shown(replicas, mean=2, lowest=-4, highest=4, alpha=alpha)
    assert ours is None or ours > limit


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


def shown(replicas, **options):
    defaults = {"mean": 2, "lowest": -4, "highest": 4, "alpha": 0.05}
    return chsh.smallest_mean_shown(replicas, **{**defaults, **options})


def needed(values, **options):
    return chsh.replicas_needed(values, **{"mean": 2, "lowest": -4, "alpha": 0.05, **options})


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda: chsh.holm([0.1, np.nan]), ("`p_value` is nan", "a number from 0 to 1")),
        (lambda: chsh.holm([1.2]), ("`p_value` is 1.2",)),
        (lambda: chsh.sign_test([], above=2), ("values have shape (0,)",)),
        (lambda: chsh.sign_test([2, np.inf], above=2), ("value 1 is inf",)),
        (lambda: shown(0), ("`replicas` is 0", "an integer of at least 1")),
        (
            lambda: chsh.smallest_mean_any_test(0, mean=2, lowest=-4, alpha=0.05),
            ("`replicas` is 0", "an integer of at least 1"),
        ),
        (lambda: shown(5, mean=4), ("`mean` is 4", "less than the highest value, 4")),
        (lambda: shown(5, mean=-4), ("`mean` is -4", "more than the lowest value, -4")),
        (lambda: shown(5, alpha=0), ("`alpha` is 0", "a number between 0 and 1")),
        (lambda: needed([]), ("values have shape (0,)",)),
        (lambda: needed([-5]), ("value 0 is -5.0", "at least -4")),
        (lambda: needed([3], alpha=5), ("`alpha` is 5", "a number between 0 and 1")),
        (lambda: chsh.betting_test([], mean=2, lowest=-4), ("values have shape (0,)",)),
        (lambda: chsh.betting_test([np.nan], mean=2, lowest=-4), ("value 0 is nan", "at")),
        (lambda: chsh.betting_test([2, -9], mean=2, lowest=-4), ("value 1 is -9.0", "at")),
        (lambda: chsh.betting_test([3], mean=2, lowest=2), ("`mean` is 2", "more than")),
        (lambda: chsh.no_signalling_test([0, 3]), ("change 1 is 3.0", "-2 to 2")),
        (
            lambda: chsh.hoeffding_test([5], mean=2, lowest=-4, highest=4),
            ("value 0 is 5.0", "-4 to 4"),
        ),
    ],
)
def test_bad_input_is_named(call, parts):
    refused(call, parts)
