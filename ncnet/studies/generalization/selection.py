"""Rules that choose a capacity from training runs, and what each choice costs on fresh replicas.

All rules see networks trained in all four contexts of as many replicas: the same budget. They are
given equally many replicas, and their choice is judged on others, whose items are drawn afresh.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from ncnet import chsh
from ncnet.checks import check
from ncnet.chsh import CLASSICAL_BOUND
from ncnet.chsh.bootstrap import drawn_shares, expanded_level, percentile_interval
from ncnet.chsh.intervals import check_resampling
from ncnet.claims import LEVEL, MARGIN
from ncnet.studies.generalization.correlation import (
    AT_2,
    arrays,
    arrays_of_both,
    first_at_2,
    intervals_of_defined,
)
from ncnet.studies.generalization.replicas import CORRELATORS, TARGETS

Rule = Callable[[pd.DataFrame, pd.DataFrame], float]
ENOUGH = 0.01
"""Share of held-out items within which the smallest capacity counts as enough; fixed in advance."""
TARGET = TARGETS[0]


def _s_at_2(part: pd.DataFrame) -> bool:
    (low, high), _ = chsh.s_interval(part["s"].to_numpy(), resamples=2000)
    return low >= AT_2 and high <= CLASSICAL_BOUND + MARGIN


def _all_fitted(part: pd.DataFrame) -> bool:
    return (part[list(CORRELATORS)].mean() >= 1 - MARGIN).all()


def _accurate(part: pd.DataFrame) -> bool:
    # As lenient as a mean correlator of 1 - 2 * MARGIN, if no two failures coincide.
    accuracy = part["accuracy"].to_numpy()
    (low, _), _ = chsh.replica_interval(accuracy, bounds=(0, 1), resamples=2000)
    return low >= 1 - MARGIN / 2


RULES: dict[str, Rule] = {
    "S at 2": lambda seen, _: _smallest(seen, _s_at_2),
    "S at 2, all fitted": lambda seen, _: _smallest(seen, _all_fitted, _s_at_2),
    "S first at 2": lambda seen, _: first_at_2(seen),
    "training accuracy": lambda seen, _: _smallest(seen, _accurate),
    "training loss": lambda seen, _: _one_standard_error(seen, -seen["loss"]),
    "gradient conflict": lambda seen, _: _one_standard_error(seen, seen["cosine"]),
    "validation": lambda _, validated: _one_standard_error(validated, validated[TARGET]),
    "largest": lambda seen, _: float(seen["capacity"].max()),
}
"""Each takes the replicas that choose (`by_replica`), and the same replicas trained on a part of
their training items and tried on the rest; it returns a capacity, or NaN where none will do.

- "S at 2": the smallest whose 95 % interval of S lies within 0.05 of 2.
- "S at 2, all fitted": the smallest for which also every correlator is at least 0.95.
- "S first at 2": the smallest whose mean of S is at least 1.95.
- "training accuracy": the smallest whose interval of training accuracy lies above 0.975.
- "training loss": the smallest within one standard error of the lowest loss.
- "gradient conflict": the smallest within one standard error of the highest mean cosine of the
  heads' gradients.
- "validation": the smallest within one standard error of the best accuracy on items set aside.
- "largest": the largest there is, whatever is seen."""


def selections(
    replicas: pd.DataFrame, validated: pd.DataFrame, *, repetition_size: int
) -> pd.DataFrame:
    """Let every rule choose, again and again on replicas of its own.

    Parameters
    ----------
    replicas
        As `by_replica` returns it.
    validated
        The same replicas, trained on a part of their training items; ``held_out_accuracy`` is that
        on the rest of these (`ncnet.training.samples.set_aside`).
    repetition_size
        Replicas that one repetition of the selection sees.

    Returns
    -------
    pandas.DataFrame
        `repetition`, `rule`, `capacity`, and `found`: whether the rule is met at any capacity.
        Where it is not, the largest capacity stands in.

    Raises
    ------
    ValueError
        Where the replicas do not divide into repetitions.
    """
    indices = np.sort(replicas["replica"].unique())
    found = f"{len(indices)} replicas do not divide into repetitions of {repetition_size}"
    check(len(indices) % repetition_size == 0, found, "a divisor")
    rows = []
    for repetition, chosen in enumerate(indices.reshape(-1, repetition_size)):
        seen, set_aside = (table[table["replica"].isin(chosen)] for table in (replicas, validated))
        rows += [(repetition, name, rule(seen, set_aside)) for name, rule in RULES.items()]
    table = pd.DataFrame(rows, columns=["repetition", "rule", "capacity"])
    found = table["capacity"].notna()
    return table.assign(capacity=table["capacity"].fillna(replicas["capacity"].max()), found=found)


def regrets(
    chosen: pd.DataFrame,
    fresh: pd.DataFrame,
    *,
    level: float = LEVEL,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what each rule's choice costs: how much better the best capacity generalizes.

    The best capacity is the best of the fresh replicas, on which regret is measured too: it errs on
    the high side where several are nearly as good, and is never below 0.

    Parameters
    ----------
    chosen
        As `selections` returns it.
    fresh
        Replicas that no rule has seen, as `by_replica` returns them.
    level, resamples, seed
        Of the intervals: repetitions and fresh replicas are resampled, each by themselves, and the
        best capacity is found again in each resample.

    Returns
    -------
    pandas.DataFrame
        One row a rule: `regret`, the best capacity's mean held-out accuracy less that of the
        capacity chosen, mean over repetitions, `regret_low`, `regret_high`; `lowest` and `highest`
        capacity chosen; `enough`, the share of repetitions that choose the smallest capacity within
        0.01 of the best (`enough_capacity`), `units_more`, how much larger than that the choice is
        on average; `met`, the share of repetitions in which the rule is met at all.
    """
    level, resamples, seed = check_resampling(level, resamples, seed)
    capacities, values = arrays(fresh, (TARGET,))
    generator = np.random.default_rng(seed)
    curves = _means(values[:, 0], resamples, generator)
    losses = curves.max(1, keepdims=True) - curves
    enough = capacities[(losses[0] <= ENOUGH).argmax()]
    rows = []
    for rule, part in chosen.groupby("rule", sort=False):
        places = np.searchsorted(capacities, part["capacity"])
        drawn = generator.integers(len(places), size=(resamples, len(places)))
        draws = np.take_along_axis(losses[1:], places[drawn], axis=1).mean(1)
        ends = percentile_interval(draws, level, len(places))
        rows.append((rule, losses[0, places].mean(), *ends))
    table = pd.DataFrame(rows, columns=["rule", "regret", "regret_low", "regret_high"])
    more = chosen["capacity"] - enough
    others = chosen.assign(enough=more == 0, units_more=more).groupby("rule", sort=False)
    others = others.agg(
        lowest=("capacity", "min"),
        highest=("capacity", "max"),
        enough=("enough", "mean"),
        units_more=("units_more", "mean"),
        met=("found", "mean"),
        repetitions=("capacity", "size"),
    )
    best = capacities[losses[0].argmin()]
    table = table.merge(others, on="rule")
    return table.assign(best=float(best), enough_capacity=float(enough))


def regret_at_first(
    replicas: pd.DataFrame,
    choosing: pd.DataFrame,
    *,
    level: float = LEVEL,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what is lost at the capacity at which S first reaches 2.

    Parameters
    ----------
    replicas, choosing
        As `ncnet.studies.generalization.analysis.correlations` takes them.
    level, resamples, seed
        Of the intervals: both tables' replicas are resampled, that capacity and the best one are
        found again in each resample.

    Returns
    -------
    pandas.DataFrame
        One row for each `target` ("held_out_accuracy", "held_out_worst"): `first`, the capacity;
        `at_first`, `best` and `at_smallest`, the means there, at the best and at the smallest
        capacity; `best_capacity`, and `largest_capacity` of those tried: where they are one, a
        larger might be better still, and the regret is a lower bound; `regret`, best less at first,
        `regret_low`, `regret_high`; `share_of_rise`, how much of the rise from the smallest
        capacity to the best is reached; `reached`, the share of resamples in which S reaches 2 at
        all. Where it does not, there is no such capacity: NaN, or left out of the interval.

    Examples
    --------
    >>> table = pd.DataFrame({"capacity": [1, 1, 2, 2, 3, 3], "replica": [0, 1] * 3})
    >>> table = table.assign(s=[1, 1, 2, 2, 2, 2], held_out_accuracy=[.5, .5, .8, .8, .9, .9])
    >>> table = table.assign(held_out_worst=table["held_out_accuracy"])
    >>> regret_at_first(table, table, resamples=200).round(3)[["first", "regret"]].iloc[0].tolist()
    [2.0, 0.1]
    """
    level, resamples, seed = check_resampling(level, resamples, seed)
    capacities, values, s_of_others = arrays_of_both(replicas, TARGETS, choosing)
    count = min(values.shape[-1], s_of_others.shape[-1])
    generator = np.random.default_rng(seed)
    at_2 = _means(s_of_others, resamples, generator) >= AT_2
    reached = at_2.any(1)
    # [targets, 1 + resamples, capacities]
    curves = np.stack(
        [_means(of_target, resamples, generator) for of_target in values.swapaxes(0, 1)]
    )
    at_first = np.where(reached, curves[:, np.arange(len(at_2)), at_2.argmax(1)], np.nan)
    best, smallest = curves.max(-1), curves[..., 0]
    regret = best - at_first
    low, high = intervals_of_defined(regret, expanded_level(level, count)).T
    rise = np.where(best > smallest, best - smallest, np.nan)
    return pd.DataFrame(
        {
            "target": TARGETS,
            "first": first_at_2(choosing),
            "at_first": at_first[:, 0],
            "best": best[:, 0],
            "best_capacity": np.array(capacities, float)[curves[:, 0].argmax(-1)],
            "largest_capacity": float(capacities[-1]),
            "at_smallest": smallest[:, 0],
            "regret": regret[:, 0],
            "regret_low": low,
            "regret_high": high,
            "share_of_rise": ((at_first - smallest) / rise)[:, 0],
            "reached": reached[1:].mean(),
        }
    )


def _means(values: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Return means over replicas [1 + resamples, capacities], those of the sample itself first."""
    weights = drawn_shares(values.shape[1], resamples, generator)
    return np.concatenate([values.mean(1)[None], weights @ values.T])


def _smallest(replicas: pd.DataFrame, *conditions: Callable[[pd.DataFrame], bool]) -> float:
    for capacity, part in replicas.groupby("capacity"):
        if all(holds(part) for holds in conditions):
            return float(capacity)
    return float("nan")


def _one_standard_error(replicas: pd.DataFrame, score: pd.Series) -> float:
    """Return the smallest capacity within a standard error of the highest score.

    Breiman, Friedman, Olshen and Stone, Classification and Regression Trees, 1984.
    """
    by = score.groupby(replicas["capacity"])
    means, errors = by.mean(), by.sem()
    best = means.idxmax()
    return float(means.index[means >= means[best] - errors[best]].min())
