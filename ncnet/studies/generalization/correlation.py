"""Rank correlations of S with held-out accuracy, within each capacity.

Spearman's correlation of S of a replica's training items with its held-out accuracy, at each
capacity by itself, then averaged over the capacities up to the one at which S first reaches 2, and
beyond it. Which one that is, other replicas choose. Capacities with fewer than ten replicas off the
most frequent S are at the ceiling and left out: there are no ranks to correlate.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata, spearmanr

from ncnet.chsh import CLASSICAL_BOUND
from ncnet.chsh.bootstrap import DIGITS_OF_SUMS, expanded_level, percentile_interval
from ncnet.chsh.intervals import FEWEST_OFF_MODE, check_resampling
from ncnet.claims import LEVEL, MARGIN
from ncnet.studies.generalization.replicas import CONTEXTS, MEANS, TARGETS

MEASURES = {"spearman": (), "given means": MEANS, "given contexts": CONTEXTS}
"""Each with what is held fixed: nothing, mean training accuracy and loss, or each context's."""
UP_TO, BEYOND = "up to 2", "beyond 2"
VALUES_AT_ONCE = 2**21
EXPLAINED = 1e-6
"""Share of a variable's variance below which what is held fixed leaves nothing of it."""


def first_at_2(replicas: pd.DataFrame) -> float:
    """Return the smallest capacity at which the mean of S is at least 1.95, or NaN.

    >>> first_at_2(pd.DataFrame({"capacity": [1, 1, 2, 2], "s": [0.5, 0.7, 2.1, 1.9]}))
    2.0
    """
    means = replicas.groupby("capacity")["s"].mean()
    reached = means.index[means >= CLASSICAL_BOUND - MARGIN]
    return float(reached.min()) if len(reached) else float("nan")


def correlations(
    replicas: pd.DataFrame,
    choosing: pd.DataFrame,
    *,
    level: float = LEVEL,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the correlations of S with held-out accuracy, with intervals.

    The bootstrap goes through the whole pipeline: in each resample the replicas that choose and the
    replicas that are correlated are drawn anew, jointly over capacities, the capacity at which S
    first reaches 2 is found again, and so are the capacities at the ceiling.

    Parameters
    ----------
    replicas
        As `by_replica` returns it; the same replicas at every capacity.
    choosing
        Other replicas, of which `capacity`, `replica` and `s` are read: they say at which capacity
        S first reaches 2.
    level
        Nominal coverage of each interval by itself.
    resamples, seed
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row for each `target` ("held_out_accuracy", "held_out_worst"), `measure` ("spearman";
        "given means", Spearman's partial correlation at given mean training accuracy and loss;
        "given contexts", at given accuracies and losses of all four contexts) and `part`: "at" each
        `capacity`, or the means "up to 2" and "beyond 2". `estimate`, `low`, `high`, NaN where
        there is none; `off_mode`, replicas off the most frequent S, and `at_ceiling`; `first`, the
        capacity at which S first reaches 2; `defined`, the share of resamples that have a value.

    Raises
    ------
    ValueError
        If capacities differ between the tables, or replicas between capacities; for fewer resamples
        than the level needs.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> columns = ["s", *TARGETS, *MEANS, *CONTEXTS]
    >>> table = pd.DataFrame(rng.normal(size=(80, len(columns))), columns=columns)
    >>> table = table.assign(capacity=[1] * 40 + [2] * 40, replica=[*range(40)] * 2)
    >>> found = correlations(table, table, resamples=200)
    >>> found.loc[found["capacity"] == 2, "measure"].unique().tolist()
    ['spearman', 'given means', 'given contexts']
    """
    level, resamples, seed = check_resampling(level, resamples, seed)
    capacities, values = arrays(replicas, _VARIABLES)
    others, s_of_others = arrays(choosing, _VARIABLES[:1])
    if capacities != others:
        raise ValueError(f"capacities are {capacities} and {others}: expected the same")
    count, of_choosing = values.shape[-1], s_of_others.shape[-1]
    generator = np.random.default_rng(seed)
    whole = _pipeline(values[..., None, :], s_of_others[..., None, :], capacities)
    # [capacities, variables, resamples, replicas] at once.
    batch = max(1, VALUES_AT_ONCE // values[0].size)
    draws = []
    for size in np.diff([*range(0, resamples, batch), resamples]):
        drawn = generator.integers(count, size=(size, count))
        chosen = generator.integers(of_choosing, size=(size, of_choosing))
        draws.append(_pipeline(values[..., drawn], s_of_others[..., chosen], capacities))
    return _rows(capacities, values, whole, draws, expanded_level(level, count))


def pooled(replicas: pd.DataFrame, target: str = "held_out_accuracy") -> float:
    """Return Spearman's correlation over replicas of all capacities thrown together.

    Not a result: capacity moves both. It is here to be shown beside those within capacities.

    >>> pooled(pd.DataFrame({"s": [1, 2, 3], "held_out_accuracy": [0.1, 0.2, 0.3]}))
    1.0
    """
    return float(spearmanr(replicas["s"], replicas[target]).statistic)


def across(replicas: pd.DataFrame, target: str = "held_out_accuracy") -> tuple[float, int]:
    """Return Spearman's correlation of the capacities' means, and how many capacities there are.

    Descriptive: a handful of capacities that somebody chose are no sample.

    >>> columns = {"capacity": [1, 1, 2], "s": [1, 2, 3], "held_out_accuracy": [0, 1, 2]}
    >>> table = pd.DataFrame(columns)
    >>> across(table)
    (1.0, 2)
    """
    means = replicas.groupby("capacity")[["s", target]].mean()
    return round(float(spearmanr(means["s"], means[target]).statistic), 12), len(means)


def arrays(replicas: pd.DataFrame, names: tuple[str, ...]) -> tuple[list, np.ndarray]:
    """Return the capacities, and the columns of these names as [capacities, names, replicas].

    Raises
    ------
    ValueError
        If a capacity has other replicas than the first.
    """
    parts = {c: part.sort_values("replica") for c, part in replicas.groupby("capacity")}
    first = next(iter(parts.values()))
    for capacity, part in parts.items():
        if part["replica"].tolist() != first["replica"].tolist():
            raise ValueError(
                f"capacity {capacity} has other replicas than the first: expected the same at all"
            )
    values = [part[list(names)].to_numpy(float).T for part in parts.values()]
    return list(parts), np.stack(values)


_VARIABLES = ("s", *TARGETS, *MEANS, *CONTEXTS)


def _pipeline(values: np.ndarray, choosing: np.ndarray, capacities: list) -> dict[str, np.ndarray]:
    """Return all estimates for arrays [capacities, variables, resamples, replicas].

    Keys are (target, measure); values [capacities + 2, resamples], the last two being the means up
    to and beyond the capacity at which S first reaches 2; and ``first`` [resamples].
    """
    reached = choosing[:, 0].mean(-1) >= CLASSICAL_BOUND - MARGIN
    place = np.where(reached.any(0), reached.argmax(0), len(capacities))
    open_ = np.stack([_off_mode(of_capacity[0]) for of_capacity in values]) >= FEWEST_OFF_MODE
    low = np.arange(len(capacities))[:, None] <= place
    tables = [_correlation_matrices(of_capacity) for of_capacity in values]
    found = {"first": place}
    for target in TARGETS:
        for measure, given in MEASURES.items():
            estimates = np.stack([_partial(table, target, given) for table in tables])
            estimates[~open_] = np.nan
            averages = [_mean(np.where(part, estimates, np.nan)) for part in (low, ~low)]
            found[target, measure] = np.concatenate([estimates, averages])
    return found


def _off_mode(s: np.ndarray) -> np.ndarray:
    """Return how many of the replicas of each row [resamples, replicas] are off its mode."""
    ordered = np.sort(s.round(DIGITS_OF_SUMS), axis=-1)
    new = np.diff(ordered, axis=-1, prepend=np.nan) != 0
    runs = np.maximum.accumulate(np.where(new, np.arange(s.shape[-1]), 0), axis=-1)
    return s.shape[-1] - (np.arange(s.shape[-1]) - runs + 1).max(-1)


def _correlation_matrices(values: np.ndarray) -> np.ndarray:
    """Return the correlations of the ranks of [variables, resamples, replicas], by resample."""
    ranks = rankdata(values, axis=-1)
    ranks -= ranks.mean(-1, keepdims=True)
    spread = np.linalg.norm(ranks, axis=-1, keepdims=True)
    # What never varies correlates with nothing.
    ranks /= np.where(spread > 0, spread, np.inf)
    by_resample = ranks.transpose(1, 0, 2)
    return by_resample @ by_resample.transpose(0, 2, 1)


def _partial(matrices: np.ndarray, target: str, given: tuple[str, ...]) -> np.ndarray:
    """Return the partial correlation of S and the target in each matrix, NaN where undefined."""
    pair = [0, _VARIABLES.index(target)]
    held = [_VARIABLES.index(name) for name in given]
    left = matrices[:, pair][:, :, pair].copy()
    if held:
        between = matrices[:, pair][:, :, held]
        inverse = np.linalg.pinv(matrices[:, held][:, :, held], rcond=EXPLAINED, hermitian=True)
        left -= between @ inverse @ between.transpose(0, 2, 1)
    variances = left[:, [0, 1], [0, 1]]
    defined = (variances > EXPLAINED).all(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = left[:, 0, 1] / np.sqrt(variances.prod(-1))
    return np.where(defined, estimate.clip(-1, 1), np.nan)


def _mean(values: np.ndarray) -> np.ndarray:
    there = np.isfinite(values)
    count = there.sum(0)
    total = np.where(there, values, 0).sum(0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _rows(
    capacities: list, values: np.ndarray, whole: dict, draws: list[dict], level: float
) -> pd.DataFrame:
    off_mode = [int(_off_mode(of_capacity[:1])[0]) for of_capacity in values]
    place = int(whole.pop("first")[0])
    first = float(capacities[place]) if place < len(capacities) else np.nan
    parts = [("at", capacity) for capacity in capacities] + [(UP_TO, np.nan), (BEYOND, np.nan)]
    rows = []
    for (target, measure), estimates in whole.items():
        drawn = np.concatenate([part[target, measure] for part in draws], axis=-1)
        for row, (part, capacity) in enumerate(parts):
            of_part = drawn[row][np.isfinite(drawn[row])]
            estimate = float(estimates[row, 0])
            there = len(of_part) > 0 and np.isfinite(estimate)
            low, high = percentile_interval(of_part, level) if there else (np.nan, np.nan)
            rows.append(
                {
                    "target": target,
                    "measure": measure,
                    "part": part,
                    "capacity": capacity,
                    "estimate": estimate,
                    "low": float(low),
                    "high": float(high),
                    "defined": len(of_part) / drawn.shape[-1],
                    "replicas": values.shape[-1],
                    "off_mode": off_mode[row] if part == "at" else -1,
                    "at_ceiling": part == "at" and off_mode[row] < FEWEST_OFF_MODE,
                    "first": first,
                }
            )
    return pd.DataFrame(rows)
