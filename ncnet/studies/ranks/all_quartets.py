"""S of all quartets of a family's tasks at once, and who disturbs whom: by look-up, not training.

K tasks have K (K - 1) (K - 2) (K - 3) ordered quartets of different tasks, and each is four of the
pairs that were trained. Exchanging the parties maps the context (i,j) onto (j,i) and leaves (2,2),
the one with the minus sign, in its place; a pair's correlator is the same whichever head comes
first. So S stays the same, and one row stands for both.

All are shown as a description: a quartet that was chosen because its S is large is selection.
The mean of S over all of them is twice the mean correlator of a pair, so at most 2
(`mean_identity`): some quartets pass 2 because of which pair has the minus sign.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import chsh
from ncnet.checks import check, check_choice
from ncnet.chsh.betting import betting_interval
from ncnet.chsh.bootstrap import DIGITS, drawn_shares
from ncnet.chsh.intervals import (
    FEWEST_OFF_MODE,
    S_BOUNDS,
    check_resampling,
    off_mode,
    with_ends,
)
from ncnet.chsh.outcomes import splits
from ncnet.chsh.pairs import HEADS, NAMES
from ncnet.claims import LEVEL, simultaneous_level
from ncnet.studies.ranks.pigeonhole import stream

SPREAD, BETTING = "bootstrap spread", "betting"
"""How an interval was made, in the column ``interval_method``."""
RESAMPLES_AT_ONCE = 500
ROLES = ("alice_1", "alice_2", "bob_1", "bob_2")
"""Columns with the names of A1, A2, B1 and B2."""
HUNDRED = 100.0


def all_quartets(
    pairs: xr.Dataset, *, split: str = "training", resamples: int = 10_000, seed: int = 0
) -> pd.DataFrame:
    """Return S of all quartets of different tasks, with intervals that hold together.

    Intervals resample replicas and items, each on its own, alike for all quartets and as
    `ncnet.studies.ranks.pigeonhole.pigeonhole_means` does. Each reaches as many standard deviations
    of resamples to either side as Student's distribution asks for, so that all quartets of one
    capacity are covered together at 95 % (Bonferroni). The largest deviation of any quartet in a
    resample (sup-t) would say less: among hundreds of quartets of a dozen replicas, the spread of
    some is far too small by chance, which no resample shows. Where fewer than ten replicas differ
    from the most frequent S, there is no spread to go by. Such an interval comes from betting, over
    replicas alone.

    Parameters
    ----------
    pairs
        Outcomes of all pairs of at least four tasks, and of each task alone, with a dimension
        `capacity`, as `ncnet.chsh.as_pairs` describes them.
    split
        Which items are read: "training" or "held_out".
    resamples, seed
        Number of bootstrap resamples, and the seed of their draw.

    Returns
    -------
    pandas.DataFrame
        One row a capacity and quartet up to the exchange of the parties: of A2 and B2, the first by
        name is Alice's. `capacity`; the names of its tasks, in `ROLES`; `minus`, those of A2 and
        B2; `s` with its interval from `s_low` to `s_high`, and `interval_method`; `accuracy`, the
        share that heads get right in its four contexts; `delta`; `points_lost`, how many percentage
        points fewer that is than the same heads get right alone; `replicas`.

    Raises
    ------
    ValueError
        For fewer than four tasks, a pair or a task alone that is not there, outcomes without a
        dimension `capacity` or with clusters, a split without items, or too few resamples.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> names = [*itertools.combinations("abcde", 2), *itertools.combinations("abcde", 1)]
    >>> outcomes = {tasks: rng.choice([-1, 1], size=(len(tasks), 1, 16, 8)) for tasks in names}
    >>> table = all_quartets(chsh.collect_pairs(outcomes, capacities=[4]), resamples=500)
    >>> len(table), table["minus"][0]
    (60, 'a beside b')
    """
    level, resamples, seed = check_resampling(LEVEL, resamples, seed)
    heads = _Heads.of(pairs, split)
    quartets = heads.quartets()
    combined = _combinations(len(heads.tasks), quartets)
    drawn = heads.drawn(resamples, seed)
    tables = []
    for place, capacity in enumerate(heads.capacities):
        correlators = heads.pair_correlators[place]
        table = pd.DataFrame(np.array(heads.tasks)[quartets], columns=list(ROLES))
        table.insert(0, "capacity", capacity)
        table["minus"] = table["alice_2"] + " beside " + table["bob_2"]
        tables.append(
            table.assign(
                **_with_intervals(combined @ correlators, combined, drawn[place], level),
                **_beside_s(heads.marginals[place].mean(-1), quartets),
                replicas=correlators.shape[-1],
            )
        )
    return pd.concat(tables, ignore_index=True)


def mean_identity(pairs: xr.Dataset, *, split: str = "training") -> pd.DataFrame:
    """Return the mean of S over all ordered quartets, and twice the mean correlator of a pair.

    Both are the same number. In the sum over all quartets every pair stands as often in each of the
    four contexts, three times with a plus and once with a minus.

    Parameters
    ----------
    pairs, split
        See `all_quartets`.

    Returns
    -------
    pandas.DataFrame
        One row a capacity: `capacity`, `mean_s` and `twice_correlator`.

    Raises
    ------
    ValueError
        For what `all_quartets` refuses.

    Examples
    --------
    >>> names = [*itertools.combinations("abcd", 2), *itertools.combinations("abcd", 1)]
    >>> outcomes = {tasks: np.ones((len(tasks), 1, 16, 8)) for tasks in names}
    >>> mean_identity(chsh.collect_pairs(outcomes, capacities=[4]))
       capacity  mean_s  twice_correlator
    0         4     2.0               2.0
    """
    heads = _Heads.of(pairs, split)
    combined = _combinations(len(heads.tasks), heads.quartets())
    correlators = heads.pair_correlators.mean(-1)
    return pd.DataFrame(
        {
            "capacity": heads.capacities,
            "mean_s": (correlators @ combined.T).mean(-1),
            "twice_correlator": 2 * correlators.mean(-1),
        }
    )


def disturbance(pairs: xr.Dataset, *, resamples: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """Return how many points each task loses beside each partner: who disturbs whom.

    Parameters
    ----------
    pairs
        See `all_quartets`; two tasks are enough.
    resamples, seed
        Number of bootstrap resamples over replicas, and the seed of their draw.

    Returns
    -------
    pandas.DataFrame
        One row a capacity, task and partner: `capacity`, `task`, `partner`; `alone` and `beside`,
        the shares of training items that the task's head gets right alone and beside the partner;
        `points`, the difference in percentage points, with its interval from `points_low` to
        `points_high` and how it was made, `interval_method`. Intervals are over initialisations,
        with the items given, at 95 % shared out over the rows of one capacity. They describe: where
        a few replicas of a dozen lose much, they miss more often.

    Raises
    ------
    ValueError
        For a pair or a task alone that is not there, outcomes without a dimension `capacity` or
        with clusters, or too few resamples.

    Examples
    --------
    >>> ones = np.ones((1, 16, 8))
    >>> alone = {("en",): [ones], ("fr",): [ones]}
    >>> pairs = chsh.collect_pairs(alone | {("en", "fr"): [ones, -ones]}, capacities=[4])
    >>> disturbance(pairs)[["task", "partner", "points"]]
      task partner  points
    0   en      fr     0.0
    1   fr      en   100.0
    """
    heads = _Heads.of(pairs, "training")
    right = (1 + heads.marginals) / 2
    beside = list(itertools.permutations(range(len(heads.tasks)), 2))
    options = {"level": simultaneous_level(len(beside)), "resamples": resamples, "seed": seed}
    rows = []
    for place, capacity in enumerate(heads.capacities):
        for task, partner in beside:
            alone, together = right[place, task, task], right[place, task, partner]
            lost = HUNDRED * (alone - together)
            interval, method = chsh.replica_interval(lost, bounds=(-HUNDRED, HUNDRED), **options)
            rows.append(
                {
                    "capacity": capacity,
                    "task": heads.tasks[task],
                    "partner": heads.tasks[partner],
                    "alone": alone.mean(),
                    "beside": together.mean(),
                    **with_ends("points", float(lost.mean()), interval),
                    "interval_method": method,
                }
            )
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class _Heads:
    """Outcomes of every head beside every partner.

    Attributes
    ----------
    tasks, capacities
        Names of the tasks, sorted, and the capacities.
    signs
        Outcomes, +-1 [capacity, task, partner, replica, item]; beside itself, a task is alone.
    paired
        True where items of different tasks are partners.
    """

    tasks: list[str]
    capacities: list[float]
    signs: np.ndarray
    paired: bool

    @classmethod
    def of(cls, pairs: xr.Dataset, split: str) -> _Heads:
        """Return those of outcomes of pairs, of the items of one split."""
        pairs = chsh.as_pairs(pairs)
        expected = "it, even of one rank"
        check("capacity" in pairs.dims, "outcomes have no dimension `capacity`", expected)
        check("cluster" not in pairs.coords, "outcomes have clusters", "independent replicas")
        check_choice("split with items", split, splits(pairs))
        chosen = pairs.isel(item=(pairs["split"] == split).values).sortby("capacity")
        names = list(zip(*(chosen[name].values.tolist() for name in NAMES), strict=True))
        tasks = sorted({task for both in names for task in both} - {""})
        at = {task: place for place, task in enumerate(tasks)}
        outcomes = [chosen[name].transpose("pair", "capacity", ...).values for name in HEADS]
        shape = outcomes[0].shape
        signs = np.zeros((shape[1], len(tasks), len(tasks), *shape[2:]), np.int8)
        for (one, other), first, second in zip(names, *outcomes, strict=True):
            signs[:, at[one], at[other or one]] = first
            if other:
                signs[:, at[other], at[one]] = second
        for task, partner in np.argwhere(signs[0, ..., 0, 0] == 0):
            what = f"beside `{tasks[partner]}`" if task != partner else "alone"
            check(False, f"`{tasks[task]}` was not trained {what}", "all pairs and tasks alone")
        paired = bool(chosen.attrs.get("paired", True))
        return cls(tasks, chosen["capacity"].values.tolist(), signs, paired)

    def quartets(self) -> np.ndarray:
        """Return the places of A1, A2, B1 and B2 [quartets, 4], up to the exchange of parties."""
        found = f"outcomes are of {len(self.tasks)} tasks"
        check(len(self.tasks) >= 4, found, "at least four, for a quartet")
        ordered = itertools.permutations(range(len(self.tasks)), 4)
        quartets = [(a1, a2, b1, b2) for a1, a2, b1, b2 in ordered if a2 < b2]
        return np.array(sorted(quartets, key=lambda q: (q[1], q[3], q[0], q[2])))

    @property
    def marginals(self) -> np.ndarray:
        """The means over items [capacity, task, partner, replica]."""
        return self.signs.mean(-1)

    @property
    def pair_correlators(self) -> np.ndarray:
        """The correlators [capacity, pair, replica], in the order of `_places`."""
        first, second = _places(len(self.tasks))
        one, other = self.signs[:, first, second], self.signs[:, second, first]
        return (one * other).mean(-1) if self.paired else one.mean(-1) * other.mean(-1)

    def drawn(self, resamples: int, seed: int) -> np.ndarray:
        """Return resamples of mean correlators over replicas and items [capacity, pair, resample].

        They are drawn as in `ncnet.studies.ranks.pigeonhole`, a part of them at a time.
        """
        replicas, items = self.signs.shape[-2:]
        of_replicas = stream(seed, "replica")
        of_items = [stream(seed, "item", task) for task in self.tasks]
        if self.paired:
            of_items = [stream(seed, "item")]
        starts = range(0, resamples, RESAMPLES_AT_ONCE)
        parts = []
        for size in np.diff([*starts, resamples]):
            shares = drawn_shares(replicas, size, of_replicas)
            by_task = [drawn_shares(items, size, generator) for generator in of_items]
            parts.append(np.einsum("...rb,br->...b", self._weighted(by_task), shares))
        return np.concatenate(parts, axis=-1)

    def _weighted(self, shares: list[np.ndarray]) -> np.ndarray:
        """Return correlators [capacity, pair, replica, resample] of items with these shares."""
        first, second = _places(len(self.tasks))
        if self.paired:
            products = self.signs[:, first, second] * self.signs[:, second, first]
            return products.astype(float) @ shares[0].T
        means = np.stack(
            [self.signs[:, task].astype(float) @ own.T for task, own in enumerate(shares)], axis=1
        )
        return means[:, first, second] * means[:, second, first]


def _places(tasks: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of the first and the second task of each pair."""
    return np.triu_indices(tasks, 1)


def _combinations(tasks: int, quartets: np.ndarray) -> np.ndarray:
    """Return what each pair counts in S of each quartet, 1, -1 or 0 [quartets, pairs]."""
    pair_at = np.zeros((tasks, tasks), int)
    pair_at[_places(tasks)] = np.arange(math.comb(tasks, 2))
    pair_at += pair_at.T
    a1, a2, b1, b2 = quartets.T
    combined, rows = np.zeros((len(quartets), math.comb(tasks, 2))), np.arange(len(quartets))
    for alice, bob, sign in ((a1, b1, 1), (a1, b2, 1), (a2, b1, 1), (a2, b2, -1)):
        combined[rows, pair_at[alice, bob]] = sign
    return combined


def _heads_of(quartets: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield each task of all quartets, and its two partners."""
    a1, a2, b1, b2 = quartets.T
    yield from ((a1, b1, b2), (a2, b1, b2), (b1, a1, a2), (b2, a1, a2))


def _beside_s(marginals: np.ndarray, quartets: np.ndarray) -> dict[str, np.ndarray]:
    """Return accuracy, Delta and points lost of quartets, of means [task, partner]."""
    beside, lost, changes = [], [], []
    for task, *partners in _heads_of(quartets):
        one, other = (marginals[task, partner] for partner in partners)
        alone = marginals[task, task]
        beside.append((one + other) / 2)
        lost.append(alone - beside[-1])
        changes.append(abs(one - other))
    return {
        "accuracy": (1 + np.mean(beside, axis=0)) / 2,
        "delta": np.sum(changes, axis=0),
        "points_lost": HUNDRED * np.mean(lost, axis=0) / 2,
    }


def _with_intervals(
    s: np.ndarray, combined: np.ndarray, draws: np.ndarray, level: float
) -> dict[str, np.ndarray]:
    """Return the mean of S [quartets, replicas] over replicas, with intervals that hold together.

    `draws` are those of pair correlators [pairs, resamples].
    """
    s = s.round(DIGITS)
    count, replicas = s.shape
    mean, level = s.mean(-1), 1 - (1 - level) / count
    covariance = np.atleast_2d(np.cov(draws))
    spread = np.sqrt(((combined @ covariance) * combined).sum(-1).clip(0))
    reach = _student(level, replicas) * spread
    low, high = mean - reach, mean + reach
    alike = np.array([off_mode(row, np.ones(replicas)) for row in s]) < FEWEST_OFF_MODE
    if alike.any():
        # Near the ceiling many quartets have the same few values.
        distinct, places = np.unique(np.sort(s[alike], axis=-1), axis=0, return_inverse=True)
        bets = [betting_interval(values, bounds=S_BOUNDS, level=level) for values in distinct]
        low[alike], high[alike] = np.array(bets)[places].T
    ends = {"s_low": low.clip(*S_BOUNDS), "s_high": high.clip(*S_BOUNDS)}
    return {"s": mean, **ends, "interval_method": np.where(alike, BETTING, SPREAD)}


def _student(level: float, replicas: int) -> float:
    """Return how many standard deviations of resamples an interval reaches to either side.

    A resample of R replicas spreads by a factor of sqrt(1 - 1 / R) too little, as it does where
    percentiles are taken (`ncnet.chsh.bootstrap.expanded_level`).
    """
    # Imported where it is used: it takes a quarter of a second.
    from scipy.special import stdtrit

    student = stdtrit(replicas - 1, (1 + level) / 2)
    return float(student * math.sqrt(replicas / (replicas - 1)))
