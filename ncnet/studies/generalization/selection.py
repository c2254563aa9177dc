"""Choose a capacity by S and by other criteria, and measure what each choice costs.

All criteria see networks trained in all four contexts of equally many replicas: the same budget.
Their choice is judged on other replicas, whose items are drawn afresh.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ncnet import chsh
from ncnet.checks import check, check_integer, check_number
from ncnet.chsh.bootstrap import percentile_interval
from ncnet.claims import LEVEL, MARGIN
from ncnet.estimates import UNKNOWN, Estimate, columns_of, largest, mean_of_replicas
from ncnet.studies.generalization import measurements as measured
from ncnet.studies.generalization.measurements import AT_2, RESAMPLES, TARGET, TARGETS

ENOUGH = 0.01
"""Share of held-out items within which the smallest capacity counts as enough; fixed in advance."""


def _smallest(replicas: pd.DataFrame, holds: Callable[[pd.DataFrame], bool]) -> float:
    """Return the smallest capacity at which something holds of the replicas, or NaN."""
    capacities = (capacity for capacity, part in replicas.groupby("capacity") if holds(part))
    return float(next(capacities, np.nan))


def _one_standard_error(replicas: pd.DataFrame, score: pd.Series) -> float:
    """Return the smallest capacity within a standard error of the highest mean score.

    The rule is that of Breiman, Friedman, Olshen and Stone, Classification and Regression Trees,
    1984.
    """
    by = score.groupby(replicas["capacity"])
    means, errors = by.mean(), by.sem()
    best = means.idxmax()
    return float(means.index[means >= means[best] - errors[best]].min())


def _s_at_2(part: pd.DataFrame) -> bool:
    """Return whether the 95 % interval of S lies within 0.05 of 2."""
    (low, high), _ = chsh.s_interval(part["s"].to_numpy(), resamples=RESAMPLES)
    return low >= AT_2 and high <= chsh.CLASSICAL_BOUND + MARGIN


def _fitted_with_s_at_2(part: pd.DataFrame) -> bool:
    """Return whether every correlator is at least 0.95, and S at 2."""
    return (part[list(measured.CORRELATORS)].mean() >= 1 - MARGIN).all() and _s_at_2(part)


def _accurate(part: pd.DataFrame) -> bool:
    """Return whether the 95 % interval of training accuracy lies above 0.975."""
    # As lenient as a mean correlator of 1 - 2 * MARGIN, if no two failures coincide.
    accuracy = part["accuracy"].to_numpy()
    (low, _), _ = chsh.replica_interval(accuracy, bounds=(0, 1), resamples=RESAMPLES)
    return low >= 1 - MARGIN / 2


CRITERIA: dict[str, Callable[[pd.DataFrame, pd.DataFrame], float]] = {
    "S at 2": lambda seen, _: _smallest(seen, _s_at_2),
    "S at 2, all fitted": lambda seen, _: _smallest(seen, _fitted_with_s_at_2),
    "S first at 2": lambda seen, _: measured.first_capacity_at_2(seen),
    "training accuracy": lambda seen, _: _smallest(seen, _accurate),
    "training loss": lambda seen, _: _one_standard_error(seen, -seen["loss"]),
    "gradient conflict": lambda seen, _: _one_standard_error(seen, seen["cosine"]),
    "validation": lambda _, validated: _one_standard_error(validated, validated[TARGET]),
    "largest": lambda seen, _: float(seen["capacity"].max()),
}
"""Criteria by name, each a function from two tables to a capacity, or to NaN where none will do.

The tables are the replicas that choose (`by_replica`), and the same replicas trained on a part of
their training items and tried on the rest. The page of this module says what each criterion asks.
"""


def selections(
    replicas: pd.DataFrame, validated: pd.DataFrame, *, repetition_size: int
) -> pd.DataFrame:
    """Let every criterion choose a capacity, again and again on replicas of its own.

    Parameters
    ----------
    replicas
        Rows as `by_replica` returns them.
    validated
        Rows of the same replicas, trained on a part of their training items. Their
        ``held_out_accuracy`` is that on the rest of these (`ncnet.training.samples.set_aside`).
    repetition_size
        Number of replicas that one repetition of the selection sees.

    Returns
    -------
    pandas.DataFrame
        `repetition`, `criterion`, `capacity`, and `found`: whether the criterion is met at any
        capacity. Where it is not, the largest capacity stands in.

    Raises
    ------
    ValueError
        If the replicas do not divide into repetitions.
    """
    indices = np.sort(replicas["replica"].unique())
    found = f"{len(indices)} replicas do not divide into repetitions of {repetition_size}"
    check(len(indices) % repetition_size == 0, found, "a divisor")
    rows = []
    for repetition, chosen in enumerate(indices.reshape(-1, repetition_size)):
        seen, set_aside = (table[table["replica"].isin(chosen)] for table in (replicas, validated))
        rows += [(repetition, name, choose(seen, set_aside)) for name, choose in CRITERIA.items()]
    table = pd.DataFrame(rows, columns=["repetition", "criterion", "capacity"])
    found = table["capacity"].notna()
    return table.assign(capacity=table["capacity"].fillna(replicas["capacity"].max()), found=found)


def regrets(chosen: pd.DataFrame, fresh: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Return what each criterion's choice costs: how much better the best capacity generalizes.

    The best capacity is the best of the fresh replicas, on which regret is measured too. Regret
    therefore errs on the high side where several capacities are nearly as good, and is never below
    0.

    Parameters
    ----------
    chosen
        Choices as `selections` returns them.
    fresh
        Replicas that no criterion has seen, as `by_replica` returns them.
    seed
        Seed of the bootstrap for the 95 % intervals. Repetitions and fresh replicas are resampled,
        each by themselves, and each resample finds the best capacity again.

    Returns
    -------
    pandas.DataFrame
        One row a criterion. `regret` is the best capacity's mean held-out accuracy less that of the
        capacity chosen, mean over repetitions, with `regret_low` and `regret_high`. `lowest` and
        `highest` are the capacities chosen. `enough` is the share of repetitions that choose the
        smallest capacity within 0.01 of the best (`enough_capacity`), and `units_more` how much
        larger than that the choice is on average. `met` is the share of repetitions in which the
        criterion is met at all.
    """
    generator = np.random.default_rng(check_integer("seed", seed, at_least=0))
    capacities, values = measured.as_arrays(fresh, [TARGET])
    curves = measured.resampled_means(values[:, 0], RESAMPLES, generator)
    losses = curves.max(1, keepdims=True) - curves
    enough = capacities[(losses[0] <= ENOUGH).argmax()]
    places, more = np.searchsorted(capacities, chosen["capacity"]), chosen["capacity"] - enough
    rows = chosen.assign(place=places, regret=losses[0, places], enough=more == 0)
    rows = rows.assign(units_more=more, met=rows["found"])
    by_criterion = rows.groupby("criterion", sort=False)
    ends = []
    for _, of_criterion in by_criterion["place"]:
        drawn = generator.integers(len(of_criterion), size=(RESAMPLES, len(of_criterion)))
        draws = np.take_along_axis(losses[1:], of_criterion.to_numpy()[drawn], axis=1).mean(1)
        ends.append(percentile_interval(draws, LEVEL, len(of_criterion)))
    table = by_criterion[["regret", "enough", "units_more", "met"]].mean()
    table[["regret_low", "regret_high"]] = ends
    chosen_by = by_criterion["capacity"].agg(lowest="min", highest="max", repetitions="size")
    best = capacities[losses[0].argmin()]
    table = table.join(chosen_by).assign(best=float(best), enough_capacity=float(enough))
    return table.reset_index()


def regret_at_first_2(
    replicas: pd.DataFrame, choosing: pd.DataFrame, *, level: float = LEVEL
) -> pd.DataFrame:
    """Return what is lost at the capacity at which S first reaches 2.

    Parameters
    ----------
    replicas, choosing
        See `ncnet.studies.generalization.correlation.correlations_by_reading`.
    level
        Coverage of the interval of what is lost.

    Returns
    -------
    pandas.DataFrame
        One row for each `target` ("held_out_accuracy", "held_out_worst"). `first` is the capacity
        at which S first reaches 2; `at_first`, `best` and `at_smallest` are the means there, at the
        best and at the smallest capacity. `best_capacity` and `largest_capacity` of those tried
        come with them: where they are one, a larger might be better still, and what is lost is a
        lower bound. `lost` is best less at first, with `lost_low` and `lost_high`: the largest of
        the differences within replicas between each capacity and the first, whose intervals hold
        together. `share_of_rise` is how much of the rise from the smallest capacity to the best is
        reached. Where S reaches 2 nowhere, there is no such capacity: values are NaN.

    Examples
    --------
    >>> table = pd.DataFrame({"capacity": [1, 1, 2, 2, 3, 3], "replica": [0, 1] * 3})
    >>> table = table.assign(s=[1, 1, 2, 2, 2, 2], held_out_accuracy=[.5, .5, .8, .8, .9, .9])
    >>> table = table.assign(held_out_worst=table["held_out_accuracy"])
    >>> found = regret_at_first_2(table, table).round(3)
    >>> found[["first", "lost"]].iloc[0].tolist()
    [2.0, 0.1]
    """
    check_number("level", level, 0, 1, inside=True)
    capacities, values, _ = measured.as_arrays_with_s(replicas, TARGETS, choosing)
    first = measured.first_capacity_at_2(choosing)
    means = values.mean(-1)
    at_first, lost = np.nan, [UNKNOWN] * len(TARGETS)
    if first in capacities:
        place = capacities.index(first)
        at_first = means[place]
        lost = [_lost(of_target, place, level) for of_target in values.swapaxes(0, 1)]
    table = pd.DataFrame({"target": TARGETS, "first": first, "at_first": at_first})
    table = table.assign(best=means.max(0), at_smallest=means[0])
    ends = pd.DataFrame([columns_of("lost", estimate) for estimate in lost])
    risen, rise = (table[name] - table["at_smallest"] for name in ("at_first", "best"))
    return table.assign(
        best_capacity=np.array(capacities, float)[means.argmax(0)],
        largest_capacity=float(capacities[-1]),
        **ends,
        share_of_rise=(risen / rise).where(rise > 0),
    )


def _lost(values: np.ndarray, first: int, level: float) -> Estimate:
    """Return how much more the best capacity has than the first, of [capacities, replicas]."""
    differences = np.delete(values, first, axis=0) - values[first]
    each = 1 - (1 - level) / max(1, len(differences))  # Bonferroni
    compared = [mean_of_replicas(one, bounds=(-1, 1), level=each) for one in differences]
    return largest([Estimate(0.0, 0.0, 0.0), *compared])
