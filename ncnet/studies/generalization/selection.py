"""Rules that choose a capacity from training runs, and what each choice costs on fresh replicas.

All rules see networks trained in all four contexts of as many replicas: the same budget. They are
given equally many replicas, and their choice is judged on others, whose items are drawn afresh.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from ncnet import chsh
from ncnet.chsh import CLASSICAL_BOUND
from ncnet.chsh.bootstrap import expanded_level, percentile_interval
from ncnet.chsh.intervals import check_resampling
from ncnet.claims import LEVEL, MARGIN
from ncnet.studies.generalization.correlation import arrays, first_at_2
from ncnet.studies.generalization.replicas import CORRELATORS, TARGETS

Rule = Callable[[pd.DataFrame, pd.DataFrame], float]
ENOUGH = 0.01
"""Share of held-out items within which the smallest capacity counts as enough; fixed in advance."""
TARGET = TARGETS[0]


def _s_at_2(replicas: pd.DataFrame, _: pd.DataFrame) -> float:
    return _smallest(replicas, _settled)


def _s_at_2_and_fitted(replicas: pd.DataFrame, _: pd.DataFrame) -> float:
    def holds(part: pd.DataFrame) -> bool:
        return bool((part[list(CORRELATORS)].mean() >= 1 - MARGIN).all()) and _settled(part)

    return _smallest(replicas, holds)


def _s_first_at_2(replicas: pd.DataFrame, _: pd.DataFrame) -> float:
    return first_at_2(replicas)


def _training_accuracy(replicas: pd.DataFrame, _: pd.DataFrame) -> float:
    def holds(part: pd.DataFrame) -> bool:
        # As lenient as a mean correlator of 1 - 2 * MARGIN, if no two failures coincide.
        (low, _), _ = chsh.replica_interval(
            part["accuracy"].to_numpy(), bounds=(0, 1), resamples=2000
        )
        return low >= 1 - MARGIN / 2

    return _smallest(replicas, holds)


def _training_loss(replicas: pd.DataFrame, _: pd.DataFrame) -> float:
    return _one_standard_error(replicas, -replicas["loss"])


def _gradient_conflict(replicas: pd.DataFrame, _: pd.DataFrame) -> float:
    return _one_standard_error(replicas, replicas["cosine"])


def _validation(_: pd.DataFrame, validated: pd.DataFrame) -> float:
    return _one_standard_error(validated, validated[TARGET])


def _largest(replicas: pd.DataFrame, _: pd.DataFrame) -> float:
    return float(replicas["capacity"].max())


RULES: dict[str, Rule] = {
    "S at 2": _s_at_2,
    "S at 2, all fitted": _s_at_2_and_fitted,
    "S first at 2": _s_first_at_2,
    "training accuracy": _training_accuracy,
    "training loss": _training_loss,
    "gradient conflict": _gradient_conflict,
    "validation": _validation,
    "largest": _largest,
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
    if len(indices) % repetition_size:
        raise ValueError(
            f"{len(indices)} replicas do not divide into repetitions of {repetition_size}"
        )
    rows = []
    for repetition, chosen in enumerate(indices.reshape(-1, repetition_size)):
        seen, set_aside = (table[table["replica"].isin(chosen)] for table in (replicas, validated))
        for name, rule in RULES.items():
            capacity = rule(seen, set_aside)
            found = bool(np.isfinite(capacity))
            capacity = capacity if found else float(replicas["capacity"].max())
            rows.append((repetition, name, capacity, found))
    return pd.DataFrame(rows, columns=["repetition", "rule", "capacity", "found"])


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
    capacities = np.sort(fresh["capacity"].unique())
    generator = np.random.default_rng(seed)
    curves = _means(fresh, TARGET, resamples, generator)
    losses = curves.max(1, keepdims=True) - curves
    enough = capacities[(losses[0] <= ENOUGH).argmax()]
    rows = []
    for rule, part in chosen.groupby("rule", sort=False):
        places = np.searchsorted(capacities, part["capacity"])
        drawn = generator.integers(len(places), size=(resamples, len(places)))
        draws = np.take_along_axis(losses[1:], places[drawn], axis=1).mean(1)
        low, high = percentile_interval(draws, expanded_level(level, len(places)))
        rows.append(
            {
                "rule": rule,
                "regret": float(losses[0, places].mean()),
                "regret_low": float(low),
                "regret_high": float(high),
                "lowest": float(part["capacity"].min()),
                "highest": float(part["capacity"].max()),
                "enough": float((part["capacity"] == enough).mean()),
                "units_more": float((part["capacity"] - enough).mean()),
                "met": float(part["found"].mean()),
                "repetitions": len(part),
                "best": float(capacities[losses[0].argmin()]),
                "enough_capacity": float(enough),
            }
        )
    return pd.DataFrame(rows)


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
    capacities, _ = arrays(replicas, TARGETS)
    others, _ = arrays(choosing, ("s",))
    if capacities != others:
        raise ValueError(f"capacities are {capacities} and {others}: expected the same")
    generator = np.random.default_rng(seed)
    at_2 = _means(choosing, "s", resamples, generator) >= CLASSICAL_BOUND - MARGIN
    place, reached = at_2.argmax(1)[:, None], at_2.any(1)
    count = min(table["replica"].nunique() for table in (replicas, choosing))
    rows = []
    for target in TARGETS:
        curves = _means(replicas, target, resamples, generator)
        at_first = np.take_along_axis(curves, place, axis=1)[:, 0]
        at_first = np.where(reached, at_first, np.nan)
        best, smallest = curves.max(1), curves[:, 0]
        regret = best - at_first
        drawn = regret[1:][reached[1:]]
        known = reached[0] and len(drawn)
        low, high = (
            percentile_interval(drawn, expanded_level(level, count)) if known else (np.nan,) * 2
        )
        rise = best[0] - smallest[0]
        rows.append(
            {
                "target": target,
                "first": float(capacities[place[0, 0]]) if reached[0] else np.nan,
                "at_first": float(at_first[0]),
                "best": float(best[0]),
                "best_capacity": float(capacities[curves[0].argmax()]),
                "largest_capacity": float(capacities[-1]),
                "at_smallest": float(smallest[0]),
                "regret": float(regret[0]),
                "regret_low": float(low),
                "regret_high": float(high),
                "share_of_rise": float((at_first[0] - smallest[0]) / rise) if rise else np.nan,
                "reached": float(reached[1:].mean()),
            }
        )
    return pd.DataFrame(rows)


def _means(
    replicas: pd.DataFrame, name: str, resamples: int, generator: np.random.Generator
) -> np.ndarray:
    """Return means by capacity [1 + resamples, capacities], the sample itself first."""
    values = np.stack([p.sort_values("replica")[name] for _, p in replicas.groupby("capacity")])
    count = values.shape[1]
    weights = generator.multinomial(count, np.full(count, 1 / count), size=resamples) / count
    return np.concatenate([values.mean(1)[None], weights @ values.T])


def _settled(part: pd.DataFrame) -> bool:
    (low, high), _ = chsh.s_interval(part["s"].to_numpy(), resamples=2000)
    return low >= CLASSICAL_BOUND - MARGIN and high <= CLASSICAL_BOUND + MARGIN


def _smallest(replicas: pd.DataFrame, holds: Callable[[pd.DataFrame], bool]) -> float:
    for capacity, part in replicas.groupby("capacity"):
        if holds(part):
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
