"""Estimates, what they say of a smallest effect, and intervals for a dozen replicas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ncnet import estimates
from ncnet.estimates import Estimate, all_of, any_of, largest, smallest
from tests.refusals import refused

answers = st.lists(st.sampled_from([True, False, None]), max_size=5)
numbers = st.floats(-10, 10)
made_up = st.builds(
    lambda value, below, above: Estimate(value, value - below, value + above),
    numbers,
    st.floats(0, 5),
    st.floats(0, 5),
)


@given(answers)
def test_answers_follow_kleenes_logic(given_answers):
    # True, open and False as 1, 1/2 and 0: all is the smallest, any the largest.
    place = {True: 1.0, None: 0.5, False: 0.0}
    placed = [place[answer] for answer in given_answers]
    assert place[all_of(*given_answers)] == min(placed, default=1.0)
    assert place[any_of(*given_answers)] == max(placed, default=0.0)


@given(made_up, st.floats(0, 3))
def test_what_lies_beyond_an_effect_is_not_within_it(estimate, effect):
    if estimate.beyond(effect):
        assert estimate.within(effect) is False
        assert estimate.apart(effect) is True
    if estimate.within(effect):
        assert estimate.apart(effect) is False
    assert (-estimate).apart(effect) == estimate.apart(effect)


@given(made_up, numbers)
def test_a_wider_interval_never_decides_what_a_narrower_one_left_open(estimate, effect):
    wider = Estimate(estimate.value, estimate.low - 1, estimate.high + 1)
    assert wider.beyond(effect) in (estimate.beyond(effect), None)


@given(st.lists(st.tuples(made_up, st.floats(0, 1)), min_size=1, max_size=5))
def test_the_largest_is_covered_where_each_is(drawn):
    truths = [one.low + share * (one.high - one.low) for one, share in drawn]
    found = largest([one for one, _ in drawn])
    assert found.low <= max(truths) <= found.high
    least = smallest([one for one, _ in drawn])
    assert least.low <= min(truths) <= least.high


@pytest.mark.parametrize("replicas", [6, 12, 16, 41])
def test_the_median_interval_is_where_the_sign_test_rejects_neither_side(replicas):
    values = np.random.default_rng(0).permutation(np.arange(replicas) * 1.0)
    low, high = estimates.median_interval(values, level=0.95)

    def p_value(median, side):
        above = int((values > median).sum())
        return stats.binomtest(above, replicas, alternative=side).pvalue

    # Just below the lower end "the median is at most this" is rejected, at the end no longer.
    assert p_value(low - 0.5, "greater") <= 0.025 < p_value(low, "greater")
    assert p_value(high, "less") <= 0.025 or p_value(high + 0.5, "less") <= 0.025
    assert p_value(high - 0.5, "less") > 0.025


def test_few_replicas_leave_the_median_open():
    assert estimates.median_interval(np.arange(5.0), level=0.95) == (-np.inf, np.inf)
    low, high = estimates.median_interval(np.arange(6.0), level=0.95)
    assert (low, high) == (0.0, 5.0)


def test_the_mean_of_replicas_covers_a_skewed_truth():
    generator = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        # The mean is 2: most replicas a little above, one in a hundred at -4.
        rare = generator.random(100) < 0.01
        found = estimates.mean_of_replicas(
            np.where(rare, -4.0, 2 + 0.06 / 0.99), bounds=(-4, 4), level=0.95
        )
        covered += found.low <= 2 <= found.high
    assert covered >= 190


def test_values_outside_their_bounds_are_refused():
    refused(
        lambda: estimates.mean_of_replicas(np.array([0.0, 5.0]), bounds=(-4, 4), level=0.95),
        ["5", "4"],
    )
    refused(lambda: estimates.median_interval(np.array([]), level=0.95), ["value of replica"])


def test_what_is_not_defined_is_printed_as_such_and_open():
    assert str(estimates.UNKNOWN) == "not defined"
    assert estimates.UNKNOWN.beyond(0.1) is None
    assert estimates.UNKNOWN.within(0.1) is None
