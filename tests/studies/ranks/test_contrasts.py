"""Contrasts over doses, from outcomes of pairs to a verdict."""

import itertools
import math
from functools import cache

import numpy as np
import pytest

from ncnet import chsh
from ncnet.claims import findings, simultaneous_level
from ncnet.studies.ranks import claims as rules
from ncnet.studies.ranks.contrasts import DOSES, contrast, dose_contrasts, measure
from tests.refusals import refused

ALICE, BOB = ("sst2", "mathqa"), ("paws", "csqa")
DOSES_RUN = {rules.DIFFICULTY: (0.0, 0.25, 0.5, 0.75, 1.0), rules.BALANCE: (0.25, 1.0, 4.0)}
BY_NAME = {claim.name: claim for claim in rules.CLAIMS}
FEW = {"resamples": 500}


@cache
def quartet_at(right, *, seed=0, replicas=16, items=40, **options):
    """Return a quartet at ranks 0 and 1 whose minus pair gets this share of items right."""
    draws = np.random.default_rng(seed).random((4, 2, 2, replicas, items))
    pairs = itertools.product(ALICE, BOB)
    shares = (0.97, 0.97, 0.97, right)
    outcomes = {
        pair: np.where(own < share, 1, -1)
        for pair, own, share in zip(pairs, draws, shares, strict=True)
    }
    found = chsh.collect_pairs(outcomes, capacities=[0, 1], **{"paired": False, **options})
    return chsh.quartet(found, alice=ALICE, bob=BOB)


def run_at(name, rights):
    """Return outcomes at every dose of a run; the same draws decide at all of them."""
    doses = DOSES_RUN[name]
    return {dose: quartet_at(right) for dose, right in zip(doses, rights, strict=True)}


def verdict_of(name, table):
    claim = BY_NAME[f"mixed-depends-on-{name}"]
    table = table.assign(quartet=rules.MIXED)
    [found] = findings(claim, {"real_contrasts": table}).values()
    return found.holds


@pytest.mark.parametrize(
    ("name", "rights", "holds"),
    [
        (rules.DIFFICULTY, (0.97, 0.9, 0.8, 0.7, 0.6), True),
        (rules.DIFFICULTY, (0.97, 0.97, 0.97, 0.97, 0.97), False),
        (rules.BALANCE, (0.97, 0.7, 0.97), True),
        (rules.BALANCE, (0.9, 0.9, 0.9), False),
    ],
)
def test_from_outcomes_by_dose_to_a_verdict(name, rights, holds):
    table = dose_contrasts(run_at(name, rights), name, quartet="mixed", **FEW)
    assert len(table) == len(DOSES[name])
    assert verdict_of(name, table) is holds
    assert (table["p_beyond"].min() <= 0.05) == holds
    assert (table["p_short"].max() <= 0.05) != holds


@pytest.mark.parametrize("name", DOSES)
def test_a_row_is_the_contrast_of_its_doses_at_that_rank(name):
    by_dose = run_at(name, np.linspace(0.6, 0.95, len(DOSES_RUN[name])))
    table = dose_contrasts(by_dose, name, quartet="mixed", rank=0, seed=4, **FEW)
    measured = {
        dose: measure(outcomes, (*ALICE, *BOB), seed=4, **FEW)[0]
        for dose, outcomes in by_dose.items()
    }
    level = simultaneous_level(len(table))
    s = {dose: chsh.s_per_replica(one).sel(capacity=0).values for dose, one in by_dose.items()}
    for row, weights in zip(table.to_dict("records"), DOSES[name], strict=True):
        expected = contrast(measured, weights, level=level)
        found = (row["s"], row["s_low"], row["s_high"])
        assert found == (expected.value, expected.low, expected.high)
        each = sum(weight * s[dose] for dose, weight in weights.items())
        assert row["s"] == pytest.approx(each.mean())
        assert (row["above"], row["below"]) == ((each > 0.05).sum(), (each < -0.05).sum())
        assert (row["replicas"], row["rank"], row["quartet"]) == (16, 0, "mixed")


def test_p_values_are_those_of_the_binomial_distribution():
    table = dose_contrasts(
        run_at(rules.BALANCE, (0.95, 0.85, 0.95)), rules.BALANCE, quartet="mixed", **FEW
    )
    [row] = table.to_dict("records")

    def tail(successes):
        return sum(math.comb(16, k) for k in range(successes, 17)) / 2**16

    assert row["p_beyond"] == pytest.approx(min(1, 2 * tail(max(row["above"], row["below"]))))
    assert row["p_short"] == pytest.approx(tail(16 - max(row["above"], row["below"])))


def test_what_all_doses_share_cancels():
    """Draws of replicas and items are alike at every dose: equal outcomes differ in none."""
    by_dose = run_at(rules.DIFFICULTY, (0.8,) * 5)
    table = dose_contrasts(by_dose, rules.DIFFICULTY, quartet="mixed", **FEW)
    assert table[["s", "s_low", "s_high"]].abs().max(axis=None) < 1e-12


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({0.5: None}, ["dose 0.5 is missing", "0.0", "1.0"]),
        ({0.5: quartet_at(0.9, replicas=15)}, ["dose 0.5 has other tasks", "first dose"]),
        ({1.0: quartet_at(0.9, items=59)}, ["dose 1 has other tasks, replicas, items"]),
        ({0.5: quartet_at(0.9).assign_attrs(alice_tasks=["mrpc", "mathqa"])}, ["other tasks"]),
        ({0.5: quartet_at(0.9).assign_coords(replica=range(100, 116))}, ["dose 0.5 has other"]),
        ({0.5: quartet_at(0.9).assign_attrs(seed=1)}, ["dose 0.5 has other", "first dose"]),
        ({0.5: quartet_at(0.9).isel(capacity=[0])}, ["dose 0.5 has ranks [0]", "rank 1"]),
        ({0.5: quartet_at(0.9).isel(capacity=1)}, ["dose 0.5 has ranks []", "a dimension"]),
    ],
)
def test_doses_that_do_not_compare_are_refused(change, parts):
    by_dose = run_at(rules.DIFFICULTY, (0.9,) * 5) | change
    by_dose = {dose: outcomes for dose, outcomes in by_dose.items() if outcomes is not None}
    refused(lambda: dose_contrasts(by_dose, rules.DIFFICULTY, quartet="mixed"), parts)


def test_another_contrast_is_refused():
    parts = ["unknown contrast of doses `difficult`", "`difficulty`"]
    refused(lambda: dose_contrasts({}, "difficult", quartet="mixed"), parts)
