from functools import cache

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ncnet import chsh
from tests.refusals import refused
from tests.strategies import (
    DETERMINISTIC,
    correlated_outcomes,
    deterministic_outcomes,
    singlet_correlators,
)

signs = st.sampled_from([-1, 1])


@st.composite
def any_outcomes(draw):
    shape = (2, 2, draw(st.integers(1, 5)), draw(st.integers(1, 4)))
    return tuple(draw(hnp.arrays(np.int8, shape, elements=signs)) for _ in range(2))


@st.composite
def local_outcomes(draw):
    """Every replica and item has its own strategy, whatever the other party's setting."""
    replicas, items = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    alice = draw(hnp.arrays(np.int8, (2, 1, replicas, items), elements=signs))
    bob = draw(hnp.arrays(np.int8, (1, 2, replicas, items), elements=signs))
    shape = (2, 2, replicas, items)
    return np.broadcast_to(alice, shape), np.broadcast_to(bob, shape)


def s_of(outcomes):
    return float(chsh.s_value(chsh.correlators(outcomes)))


@pytest.mark.parametrize(("alice", "bob"), DETERMINISTIC)
def test_the_16_deterministic_strategies_have_s_of_plus_or_minus_2(alice, bob):
    outcomes = deterministic_outcomes(alice, bob)
    assert abs(s_of(outcomes)) == 2
    assert float(chsh.delta(chsh.marginals(outcomes))) == 0


@given(local_outcomes())
def test_no_local_strategy_passes_2_in_any_replica(outcomes):
    assert (abs(chsh.s_per_replica(outcomes)) <= 2 + 1e-12).all()
    assert float(chsh.delta(chsh.marginals(outcomes))) == pytest.approx(0, abs=1e-12)


@pytest.mark.slow
@given(any_outcomes())
def test_s_and_delta_stay_within_their_algebraic_ranges(outcomes):
    s = chsh.s_per_replica(outcomes).values
    assert (abs(s) <= 4).all()
    assert s.mean() == pytest.approx(s_of(outcomes))
    assert 0 <= float(chsh.delta(chsh.marginals(outcomes))) <= 8


@pytest.mark.slow
@given(any_outcomes())
def test_relabelling_both_parties_outcomes_changes_nothing(outcomes):
    a, b = outcomes
    s = s_of(outcomes)
    assert s_of((-a, -b)) == pytest.approx(s)
    assert s_of((-a, b)) == pytest.approx(-s)


@pytest.mark.slow
@given(any_outcomes())
def test_exchanging_the_parties_changes_nothing(outcomes):
    a, b = (party.swapaxes(0, 1) for party in outcomes)
    means, exchanged = (chsh.replica_means(one).mean("replica") for one in (outcomes, (b, a)))
    for statistic in (lambda m: chsh.s_value(m.correlator), chsh.delta):
        assert float(statistic(exchanged)) == pytest.approx(float(statistic(means)))


@given(any_outcomes())
def test_relabelling_settings_and_one_outcome_keeps_s(outcomes):
    """Exchanging Alice's settings moves the minus sign; flipping Bob's B2 moves it back."""
    a, b = outcomes
    b = b.copy()
    b[:, 1] *= -1
    assert s_of((a[::-1], b[::-1])) == pytest.approx(s_of(outcomes))


@given(any_outcomes())
def test_cells_are_counted_frequencies(outcomes):
    a, b = outcomes
    cells = chsh.cells(outcomes)
    for x, y in [(1, 1), (1, -1), (-1, 1), (-1, -1)]:
        counted = ((a == x) & (b == y)).mean(axis=(2, 3))
        np.testing.assert_allclose(cells.sel(a=x, b=y), counted, atol=1e-12)


def test_singlet_reaches_tsirelsons_bound_and_pr_box_the_algebraic_one():
    assert chsh.s_value(singlet_correlators()) == pytest.approx(2 * np.sqrt(2))
    assert chsh.s_value(singlet_correlators()) == pytest.approx(chsh.TSIRELSON_BOUND)
    assert chsh.s_value([[1, 1], [1, -1]]) == chsh.ALGEBRAIC_BOUND == 4


@pytest.mark.parametrize(
    ("correlators", "s"),
    [(singlet_correlators(), 2 * np.sqrt(2)), ([[1, 1], [1, -1]], 4), (np.zeros((2, 2)), 0)],
)
def test_report_covers_the_s_of_sampled_boxes(correlators, s):
    report = chsh.report(correlated_outcomes(correlators, replicas=2000, items=4, seed=1))
    low, high = report.interval
    assert low <= s <= high
    assert report.correlators == pytest.approx(np.asarray(correlators), abs=0.05)
    assert report.delta < 0.1
    assert report.delta_interval[0] <= report.delta <= report.delta_interval[1] + 1e-9


def test_full_signalling_reaches_s_4_with_delta_2():
    """Bob's answers ignore Alice; Alice flips A2 when Bob's setting is 2."""
    a, b = (np.ones((2, 2, 5, 3)) for _ in range(2))
    a[1, 1] = -1
    assert s_of((a, b)) == 4
    assert float(chsh.delta(chsh.marginals((a, b)))) == 2


def test_runs_are_means_of_consecutive_replicas():
    outcomes = correlated_outcomes(np.zeros((2, 2)), replicas=96, items=4, seed=0)
    runs = chsh.s_per_run(outcomes)
    expected = chsh.s_per_replica(outcomes).values.reshape(3, 32).mean(axis=1)
    np.testing.assert_allclose(runs, expected)


def test_replicas_that_leave_a_part_of_a_run_are_refused():
    outcomes = deterministic_outcomes([1, 1], [1, 1], replicas=40)
    with pytest.raises(ValueError, match="40 replicas do not divide into runs of 32: expected 32"):
        chsh.s_per_run(outcomes)


def test_unpaired_items_correlate_by_their_means():
    a, b = correlated_outcomes(np.ones((2, 2)), replicas=50, items=6, seed=0)
    dataset = chsh.as_dataset((a, b)).assign_attrs(paired=False)
    with pytest.raises(ValueError, match="attribute `paired` is 'no': expected true or false"):
        chsh.report(dataset.assign_attrs(paired="no"))
    expected = (a.mean(axis=3) * b.mean(axis=3)).mean(axis=2)
    np.testing.assert_allclose(chsh.correlators(dataset), expected)
    np.testing.assert_allclose(chsh.correlators((a, b)), np.ones((2, 2)))


def test_readouts():
    a, b = correlated_outcomes(np.zeros((2, 2)), replicas=50, items=3, seed=0)
    dataset = chsh.as_dataset((a, b))
    solved_a, solved_b = chsh.read(dataset, split="training", readout="solved")
    assert solved_a.sizes["item"] == solved_b.sizes["item"] == 1
    np.testing.assert_array_equal(solved_a[..., 0] == 1, (a == 1).all(axis=3))
    np.testing.assert_array_equal(solved_b[..., 0] == 1, (b == 1).all(axis=3))
    with pytest.raises(ValueError, match="`alice_target` is missing: expected targets"):
        chsh.report(dataset, readout="prediction")
    targets = np.array([[1, -1, 1], [-1, -1, 1]])
    dataset["alice_target"] = (("alice_setting", "item"), targets)
    dataset["bob_target"] = (("bob_setting", "item"), -targets)
    for wrong, value in ((0, "0"), (np.nan, "nan"), (3, "3")):
        bad = dataset.assign(bob_target=dataset["bob_target"].where(targets > 0, wrong))
        with pytest.raises(ValueError, match=f"target `bob_target` holds {value}"):
            chsh.report(bad, readout="prediction")
    predicted_a, predicted_b = chsh.read(dataset, split="training", readout="prediction")
    np.testing.assert_array_equal(predicted_a, a * targets[:, None, None])
    np.testing.assert_array_equal(predicted_b, b * -targets[None, :, None])


def test_held_out_items_are_reported_beside_and_never_mixed_in():
    a, b = (np.ones((2, 2, 40, 4)) for _ in range(2))
    b[1, 1, :, 2:] = -1
    dataset = chsh.as_dataset((a, b))
    dataset = dataset.assign_coords(split=("item", ["training"] * 2 + ["held_out"] * 2))
    report = chsh.report(dataset)
    assert (report.s, report.items) == (2, 2)
    assert (report.held_out.s, report.held_out.split) == (4, "held_out")
    assert chsh.report(dataset, split="held_out").s == 4
    assert "Held-out items: S = 4.000" in str(report)


def test_capacities_broadcast_and_a_report_asks_for_one():
    datasets = [
        chsh.as_dataset(deterministic_outcomes(a, [1, 1], replicas=32)).assign_coords(capacity=n)
        for n, a in ((2, [1, 1]), (3, [-1, -1]))
    ]
    sweep = xr.concat(datasets, "capacity")
    assert chsh.s_value(chsh.correlators(sweep)).values.tolist() == [2, -2]
    assert chsh.s_per_run(sweep).dims == ("capacity", "run")
    assert chsh.delta(chsh.marginals(sweep)).values.tolist() == [0, 0]
    with pytest.raises(ValueError, match=r"outcomes hold 2 capacities, \[2, 3\]: expected one"):
        chsh.report(sweep)
    table = chsh.by_capacity(sweep)
    assert table["capacity"].tolist() == [2, 3]
    assert table["s"].tolist() == [2, -2]
    assert chsh.report(sweep.sel(capacity=[3])).s == -2


def asymmetric_outcomes():
    """Ten replicas of ten items, every number different: right shares of a, b and of both."""
    a, b = (np.ones((2, 2, 10, 10)) for _ in range(2))
    for (i, j), alice_wrong, bob_wrong in [
        ((0, 0), 1, 2),
        ((0, 1), 2, 1),
        ((1, 0), 4, 1),
        ((1, 1), 3, 4),
    ]:
        a[i, j, :, :alice_wrong] = -1
        b[i, j, :, -bob_wrong:] = -1
    return a, b


EXPECTED = {
    "correlators": [[0.4, 0.4], [0.0, -0.4]],
    "alice": [[0.8, 0.6], [0.2, 0.4]],
    "bob": [[0.6, 0.8], [0.8, 0.2]],
}


def test_a_report_puts_every_number_where_it_belongs():
    report = chsh.report(asymmetric_outcomes())
    for name, values in EXPECTED.items():
        np.testing.assert_allclose(getattr(report, name), values, err_msg=name)
    assert report.s == pytest.approx(1.2)
    assert report.delta == pytest.approx(0.2 + 0.2 + 0.2 + 0.6)
    inside = report.correlator_intervals
    assert (inside[..., 0] <= report.correlators).all()
    assert (report.correlators <= inside[..., 1]).all()


def test_correlator_intervals_belong_to_their_contexts():
    correlators = np.array([[0.9, 0.3], [-0.3, -0.9]])
    report = chsh.report(correlated_outcomes(correlators, replicas=400, items=4, seed=5))
    low, high = np.moveaxis(report.correlator_intervals, -1, 0)
    assert (low < correlators).all()
    assert (correlators < high).all()


@cache
def report_in_the_usual_order():
    return str(chsh.report(asymmetric_outcomes()))


@pytest.mark.slow
@given(st.permutations(["alice_setting", "bob_setting", "replica", "item"]))
def test_the_order_of_dimensions_changes_nothing(order):
    dataset = chsh.as_dataset(asymmetric_outcomes())
    assert str(chsh.report(dataset.transpose(*order))) == report_in_the_usual_order()


@pytest.mark.parametrize("capacities", [(), ("capacity",)])
def test_traces_stay_in_the_order_in_which_networks_have_them(capacities):
    networks = ("alice_setting", "bob_setting", "replica")
    dataset = chsh.as_dataset(asymmetric_outcomes()).assign(
        alice_loss=((*networks, "step"), np.zeros((2, 2, 10, 3)))
    )
    found = chsh.as_dataset(dataset.expand_dims({name: [4] for name in capacities}))
    assert found["a"].dims == (*capacities, *networks, "item")
    assert found["alice_loss"].dims == (*capacities, *networks, "step")
    turned = chsh.as_dataset(dataset.transpose("step", "item", ..., "alice_setting"))
    assert turned.identical(chsh.as_dataset(dataset))


def test_a_coordinate_of_the_readers_own_is_left_alone():
    dataset = chsh.as_dataset(asymmetric_outcomes())
    named = dataset.assign_coords(task=("replica", np.arange(10)), note="mine")
    assert str(chsh.report(named)) == report_in_the_usual_order()


@pytest.mark.parametrize("kind", [bool, int, float])
def test_s_with_diverged_networks_set_against_it(kind):
    dataset = chsh.as_dataset(asymmetric_outcomes())
    flags = np.zeros((2, 2, 10))
    flags[0, 0, :5] = flags[1, 1, :2] = 1
    dims = ("alice_setting", "bob_setting", "replica")
    report = chsh.report(dataset.assign(diverged=(dims, flags.astype(kind))))
    assert report.diverged == 7
    assert f"Diverged: 7 of {4 * report.replicas:,} networks" in str(report)
    # (1,1) falls from .4 to (5 x .4 - 5) / 10, (2,2) rises from -.4 to (8 x -.4 + 2) / 10.
    assert report.s_diverged_against == pytest.approx(-0.3 + 0.4 + 0.0 - (-0.12))


@pytest.mark.slow
def test_the_band_holds_the_middle_95_percent_of_the_runs():
    outcomes = correlated_outcomes(np.full((2, 2), 0.5), replicas=32 * 400, items=2, seed=0)
    dataset = chsh.as_dataset(outcomes).assign_coords(capacity=1)
    table = chsh.by_capacity(dataset)
    runs = chsh.s_per_run(dataset)
    assert float((runs < table["run_low"][0]).mean()) == pytest.approx(0.025, abs=0.01)
    assert float((runs > table["run_high"][0]).mean()) == pytest.approx(0.025, abs=0.01)


NETWORKS = ("alice_setting", "bob_setting", "replica")


def dataset_with(**changes):
    dataset = chsh.as_dataset(deterministic_outcomes([1, 1], [1, 1]))
    return dataset.assign(changes)


@pytest.mark.parametrize(
    ("outcomes", "parts"),
    [
        ((np.ones((2, 2, 3)), np.ones((2, 2, 3))), ("`a` has shape (2, 2, 3)",)),
        (
            (np.ones((2, 3, 4, 5)), np.ones((2, 3, 4, 5))),
            ("`a` has shape", "(alice_setting: 2, bob_setting: 2, replica, item)"),
        ),
        (
            (np.ones((2, 2, 3, 4)), np.ones((2, 2, 3, 5))),
            ("`b` has shape (2, 2, 3, 5)", "item: 4)"),
        ),
        ((np.ones((2, 2, 3, 4)), np.zeros((2, 2, 3, 4))), ("`b` holds 0.0",)),
        ((np.full((2, 2, 3, 4), np.nan), np.ones((2, 2, 3, 4))), ("`a` holds nan",)),
        ((np.ones((2, 2, 0, 4)), np.ones((2, 2, 0, 4))), ("`a` is empty",)),
        (dataset_with().drop_vars("b"), ("outcome `b` is missing",)),
        (dataset_with().isel(bob_setting=[0]), ("`bob_setting` is [1]", "[1, 2]")),
        (dataset_with().isel(bob_setting=0), ("`a` has no dimension `bob_setting`",)),
        (dataset_with().rename(item="example"), ("`a` has no dimension `item`",)),
        (dataset_with().drop_vars("split"), ("no coordinate `split`",)),
        (dataset_with().assign_coords(split="training"), ("no coordinate `split` over `item`",)),
        (
            dataset_with().assign_coords(split=("item", ["train", "test"])),
            ("`split` holds 'train'", "`training` or `held_out`"),
        ),
        (dataset_with().expand_dims(epoch=2), ("`a` has a dimension `epoch`",)),
        (dataset_with(diverged=(NETWORKS, np.full((2, 2, 3), 2))), ("`diverged` holds 2", "true")),
        (dataset_with(diverged=("replica", [0, 1, 1])), ("`diverged` is over", "alice_setting")),
        ((np.full((2, 2, 3, 4), None), np.ones((2, 2, 3, 4))), ("`a` holds None",)),
        (None, ("outcomes are a NoneType", "a Dataset or two arrays")),
        ((np.ones((2, 2, 3, 4)),), ("outcomes are a tuple",)),
    ],
)
def test_bad_outcomes_are_named(outcomes, parts):
    refused(lambda: chsh.report(outcomes), parts)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"readout": "corect"}, ("unknown readout `corect`", "did you mean `correct`")),
        ({"split": "test"}, ("unknown split `test`", "one of `held_out`, `training`")),
        ({"level": 95}, ("`level` is 95", "a number between 0 and 1")),
        ({"level": "0.95"}, ("`level` is '0.95'",)),
        ({"resamples": 0}, ("`resamples` is 0",)),
        ({"seed": -1}, ("`seed` is -1",)),
    ],
)
def test_bad_options_are_named(options, parts):
    refused(lambda: chsh.report(deterministic_outcomes([1, 1], [1, 1]), **options), parts)
