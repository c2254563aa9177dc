"""Facets, contextuality and the quantum set against linear programs and constructions."""

import itertools

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import minimize

from ncnet import chsh
from ncnet.chsh.bootstrap import distinct_columns
from ncnet.chsh.excess import CHANGE_SIGNS, excess_test, excess_test_below, functionals
from ncnet.chsh.inference import INFLUENCE_BOUNDS, WITHIN_BOUNDS, replica_rows
from tests.strategies import correlated_outcomes, signalling_outcomes, singlet_correlators

signs = st.sampled_from([-1, 1])


@st.composite
def any_outcomes(draw):
    shape = (2, 2, draw(st.integers(1, 4)), draw(st.integers(1, 3)))
    return tuple(draw(hnp.arrays(np.int8, shape, elements=signs)) for _ in range(2))


def any_means(generator):
    """Four random tables of cells, pulled by a random amount towards one of the eight boxes."""
    cells = generator.dirichlet(np.full(4, generator.choice([0.3, 2.0])), (2, 2))
    facet = chsh.FACETS.values[generator.integers(8)]
    box = np.where(facet[..., None] > 0, [0.5, 0, 0, 0.5], [0, 0.5, 0.5, 0])
    share = generator.uniform(0.3, 1)
    return chsh.from_counts(((1 - share) * cells + share * box).reshape(2, 2, 2, 2))


def boxes(generator):
    """Random tables without signalling: mixtures of local strategies and one of the eight boxes."""
    weights = generator.dirichlet(np.full(16, 0.3))
    answers = np.array(list(itertools.product((1, -1), repeat=4)))
    share = generator.random()
    facet = chsh.FACETS.values[generator.integers(8)]
    a, b = answers[:, :2], answers[:, 2:]
    both = np.einsum("k,ki,kj->ij", weights, a, b)
    values = {
        "correlator": share * facet + (1 - share) * both,
        "alice": np.repeat(((1 - share) * weights @ a)[:, None], 2, axis=1),
        "bob": np.repeat(((1 - share) * weights @ b)[None], 2, axis=0),
    }
    settings = {"alice_setting": [1, 2], "bob_setting": [1, 2]}
    return xr.Dataset({name: (tuple(settings), value) for name, value in values.items()}, settings)


def means_of(outcomes):
    return chsh.replica_means(outcomes).mean("replica")


def any_facet(means):
    return float(chsh.s_odd(means.correlator) - chsh.delta(means)) - 2


def test_facets_are_the_eight_odd_sign_patterns():
    patterns = {tuple(facet.ravel()) for facet in chsh.FACETS.values}
    assert patterns == {s for s in itertools.product((1, -1), repeat=4) if np.prod(s) == -1}
    for label, facet in zip(chsh.FACETS["facet"].values, chsh.FACETS.values, strict=True):
        assert label == "".join("+" if sign > 0 else "-" for sign in facet.ravel())
    np.testing.assert_array_equal(chsh.FACETS[0], chsh.SIGNS)


@given(any_outcomes())
def test_s_odd_is_the_largest_placement_of_the_minus_sign(outcomes):
    means = means_of(outcomes)
    total = float(means.correlator.sum())
    written_out = max(abs(total - 2 * one) for one in means.correlator.values.flat)
    assert float(chsh.s_odd(means.correlator)) == pytest.approx(written_out)


@pytest.mark.parametrize("seed", range(60))
def test_local_fraction_without_signalling_follows_from_the_facets(seed):
    means = boxes(np.random.default_rng(seed))
    expected = 1 - max(0, float(chsh.s_odd(means.correlator)) - 2) / 2
    assert chsh.local_fraction(means) == pytest.approx(expected, abs=1e-7)
    # Without signalling contextuality is nothing but a passed facet.
    assert any_facet(means) == pytest.approx(float(chsh.s_odd(means.correlator)) - 2)


@pytest.mark.parametrize("seed", range(60))
def test_coupling_deficit_is_half_of_the_formula(seed):
    means = any_means(np.random.default_rng(seed))
    expected = max(0, any_facet(means)) / 2
    assert chsh.coupling_deficit(means) == pytest.approx(expected, abs=1e-6)


def test_some_of_the_random_tables_are_contextual_and_some_are_not():
    found = [any_facet(any_means(np.random.default_rng(seed))) > 0 for seed in range(60)]
    assert 5 <= sum(found) <= 55


def test_signalling_alone_is_no_contextuality():
    means = means_of(signalling_outcomes(0.4, replicas=50, items=8, seed=0))
    assert float(chsh.s_value(means.correlator)) > 2.5
    assert float(chsh.excess(means)) == pytest.approx(0)
    assert chsh.coupling_deficit(means) == pytest.approx(0, abs=1e-9)
    assert chsh.local_fraction(means) < 1


@pytest.mark.slow
@given(any_outcomes())
def test_contextuality_is_the_smallest_of_sixteen_means(outcomes):
    of_replicas = chsh.replica_means(outcomes)
    rows = replica_rows(of_replicas, chsh.influence(outcomes))[:8]
    weights, ranges = functionals()
    values = weights @ rows - 2
    means = of_replicas.mean("replica")
    assert values.mean(axis=-1)[0].min() == pytest.approx(float(chsh.excess(means)))
    largest = values.mean(axis=-1).min(axis=1).max()
    assert largest == pytest.approx(any_facet(means))
    assert (values >= ranges[..., :1] - 1e-9).all()
    assert (values <= ranges[..., 1:] + 1e-9).all()


def test_the_ranges_are_those_of_the_two_kinds_of_signs():
    _, ranges = functionals()
    kinds, counts = np.unique(ranges.reshape(-1, 2), axis=0, return_counts=True)
    assert kinds.tolist() == [[-12, 4], [-8, 8]]
    assert counts.tolist() == [64, 64]
    assert len(CHANGE_SIGNS) == 16


@pytest.mark.slow
@given(any_outcomes())
def test_decomposition_adds_up_in_any_table(outcomes):
    means = chsh.replica_means(outcomes)  # in every single replica, not in the mean alone
    s = chsh.s_value(means.correlator)
    np.testing.assert_allclose(2 + chsh.decomposition(means).sum("term"), s, atol=1e-12)


@pytest.mark.slow
@given(any_outcomes())
def test_the_rarest_won_cell_bounds_contextuality(outcomes):
    means = means_of(outcomes)
    cells = chsh.cells(outcomes).to_series()
    won = [
        cells.xs((a, b, i, j), level=("a", "b", *chsh.SIGNS.dims)).item()
        for i, j, a, b in itertools.product((1, 2), (1, 2), (1, -1), (1, -1))
        if a * b == (-1 if (i, j) == (2, 2) else 1)
    ]
    assert len(won) == 8
    bound = float(chsh.excess_bound(means))
    assert bound == pytest.approx(4 * min(won), abs=1e-12)
    assert float(chsh.excess(means)) <= bound + 1e-12


@given(any_outcomes(), st.integers(0, 3), signs)
def test_a_task_that_is_always_or_never_solved_rules_contextuality_out(outcomes, place, outcome):
    """In one of its contexts, for every facet."""
    a, b = (party.copy() for party in outcomes)
    (a, b)[place % 2][place // 2, place % 2] = outcome
    assert any_facet(means_of((a, b))) <= 1e-12


@given(any_outcomes())
def test_influence_bounds_s_and_delta_in_every_replica(outcomes):
    means = chsh.replica_means(outcomes)
    influence = chsh.influence(outcomes).sum("task")
    assert (chsh.s_odd(means.correlator) - 2 <= influence + 1e-12).all()
    assert (chsh.delta(means) <= influence + 1e-12).all()


def moment_matrix_is_possible(correlator):
    """Unit vectors with these products exist: their Gram matrix can be completed.

    The smallest eigenvalue is concave in the two products that no context measures.
    """

    def lowest(free):
        gram = np.eye(4)
        gram[:2, 2:] = correlator
        gram[0, 1], gram[2, 3] = free
        return -np.linalg.eigvalsh(np.triu(gram, 1) + np.triu(gram, 1).T + np.eye(4))[0]

    starts = itertools.product((-0.5, 0.5), repeat=2)
    found = [
        minimize(lowest, x, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9})
        for x in starts
    ]
    return min(one.fun for one in found) <= 1e-6


@pytest.mark.parametrize("seed", range(40))
def test_arcsine_criterion_agrees_with_unit_vectors(seed):
    """Tsirelson: correlators are quantum exactly if they are products of unit vectors."""
    generator = np.random.default_rng(seed)
    correlator = generator.uniform(-1, 1, (2, 2))
    if seed % 2:  # pull towards a facet, where it is close
        correlator = 0.45 * correlator + 0.6 * chsh.SIGNS.values
        correlator = correlator.clip(-1, 1)
    labelled = xr.DataArray(correlator, dims=("alice_setting", "bob_setting"))
    excess = float(chsh.arcsine_excess(labelled))
    if abs(excess) > 1e-3:
        assert (excess <= 0) == moment_matrix_is_possible(correlator)


def test_the_quantum_set_lies_between_the_classical_and_the_algebraic_one():
    def excess(correlator):
        return float(chsh.arcsine_excess(xr.DataArray(correlator, dims=chsh.SIGNS.dims)))

    assert excess(singlet_correlators()) == pytest.approx(0, abs=1e-9)
    assert excess([[1, 1], [1, -1]]) == pytest.approx(np.pi)
    assert excess([[1, 1], [1, 1]]) == pytest.approx(0)
    assert excess([[0.5, 0.5], [0.5, -0.5]]) < 0
    # S = 2.4 alone would be allowed: not with these four.
    assert excess([[1, 1], [0.7, 0.3]]) > 0


@pytest.mark.parametrize(("excess", "rejects"), [(0.6, True), (0.0, False)])
def test_contextuality_test_needs_every_sign(excess, rejects):
    """S = 2 + excess, none of it, or all of it, in one marginal."""
    outcomes = correlated_outcomes(chsh.SIGNS.values * (2 + excess) / 4, 1500, 8, seed=0)
    rows = replica_rows(chsh.replica_means(outcomes), chsh.influence(outcomes))[:8]
    p_value = excess_test(*distinct_columns(rows))
    assert (p_value < 0.01) == rejects
    others = [excess_test(*distinct_columns(rows), facet=facet) for facet in range(1, 8)]
    assert min(others) == 1


def test_order_of_settings_does_not_matter_and_other_settings_are_refused():
    means = any_means(np.random.default_rng(1))
    turned = means.isel(alice_setting=[1, 0], bob_setting=[1, 0])
    for statistic in (
        lambda m: chsh.s_value(m.correlator),
        lambda m: chsh.s_odd(m.correlator),
        lambda m: chsh.arcsine_excess(m.correlator),
        chsh.delta,
        chsh.excess,
        chsh.excess_bound,
        chsh.local_fraction,
        chsh.coupling_deficit,
    ):
        assert float(statistic(turned)) == pytest.approx(float(statistic(means)), abs=1e-9)
    for statistic in (chsh.s_value, chsh.s_odd):
        with pytest.raises(ValueError, match=r"`bob_setting` is \[0, 1\]: expected \[1, 2\]"):
            statistic(means.correlator.assign_coords(bob_setting=[0, 1]))


@pytest.mark.parametrize("seed", range(20))
def test_programs_take_single_precision(seed):
    means = any_means(np.random.default_rng(seed)).astype(np.float32)
    assert chsh.coupling_deficit(means) == pytest.approx(max(0, any_facet(means)) / 2, abs=1e-5)
    assert chsh.local_fraction(means) <= 1 + 1e-9


@pytest.mark.parametrize("program", [chsh.local_fraction, chsh.coupling_deficit])
def test_means_without_a_table_are_refused(program):
    means = any_means(np.random.default_rng(0))
    means["correlator"].loc[{"alice_setting": 1, "bob_setting": 2}] = -0.5
    means["alice"].loc[{"alice_setting": 1, "bob_setting": 2}] = 1
    means["bob"].loc[{"alice_setting": 1, "bob_setting": 2}] = 1
    with pytest.raises(ValueError, match=r"context \(1,2\) has a probability of -0.375"):
        program(means)
    with pytest.raises(ValueError, match=r"means have dimensions .*replica"):
        program(chsh.replica_means(correlated_outcomes(np.zeros((2, 2)), 5, 2, seed=0)))


@given(any_outcomes())
def test_given_replica_and_item_nothing_is_contextual(outcomes):
    """In a single deterministic case the marginals change wherever the outcomes do."""
    a, b = (party[:, :, :1, :1] for party in outcomes)
    assert any_facet(means_of((a, b))) <= 0


@given(any_outcomes())
def test_two_facets_are_never_above_2_together(outcomes):
    assert (chsh.facets(means_of(outcomes).correlator) > 2 + 1e-12).sum() <= 1


@pytest.mark.slow
@given(any_outcomes())
def test_rows_of_reports_keep_the_identity_and_the_bound(outcomes):
    report = chsh.report(outcomes, resamples=800)
    off = chsh.identity_errors(pd.DataFrame([report.row()]))
    assert abs(off["identity"]) < 1e-9
    assert off["bound"] < 1e-9
    assert report.excess_within <= report.excess + 1e-9


def test_a_row_that_was_tampered_with_departs():
    row = chsh.report(correlated_outcomes(np.zeros((2, 2)), 20, 4, seed=0)).row()
    tampered = pd.DataFrame([row, row | {"s": row["s"] + 0.1}])
    assert chsh.identity_errors(tampered)["identity"] == pytest.approx(0.1)


def test_bounds_within_a_replica_hold_and_the_upper_ones_are_reached():
    """Of every outcome that never varies, and of Popescu and Rohrlich's box."""
    signs = np.array(list(itertools.product((-1, 1), repeat=8))).T.reshape(2, 2, 2, 256, 1)
    fixed = chsh.replica_means(tuple(signs))
    box = np.ones((2, 2, 2, 1, 2))
    box[..., 1] = -1
    box[1, 1, 1] *= -1
    left = np.append(chsh.excess(fixed), chsh.excess(chsh.replica_means(tuple(box))))
    assert WITHIN_BOUNDS[0] <= left.min()
    assert left.max() == WITHIN_BOUNDS[1]
    influence = chsh.influence(tuple(signs)).sum("task")
    assert (influence.min(), influence.max()) == INFLUENCE_BOUNDS


def test_enough_is_said_by_a_test_that_rare_replicas_do_not_mislead():
    """Nineteen of twenty replicas have S = 1.9, one is a box of S = 4: the mean passes 2."""
    rows = np.zeros((8, 2))
    rows[:4, 0] = [0.9, 1, 1, 1]
    rows[:4, 1] = [1, 1, 1, -1]
    generator = np.random.default_rng(0)
    boxes = generator.binomial(60, 0.05, 400)
    said = [excess_test_below(rows, np.array([60 - box, box])) <= 0.05 for box in boxes]
    assert np.mean(said) <= 0.05
    assert excess_test_below(rows, np.array([1600, 0])) < 0.01
