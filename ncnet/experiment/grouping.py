"""Says what tasks do to each other where each pair of them, and each alone, was trained.

Of two tasks s and t a CHSH game is made whose setting 1 asks nothing of a head, so that its outcome
counts as +1; A2 is s, B2 is t. Then

    S = 2 + (<s> alone - <s> beside t) + (<t> alone - <t> beside s) - 4 P(both wrong, together):

above 2 the two hurt each other by more than they fail together. All of it is signalling, and here
signalling is what is asked for. Which tasks to train together is another question: `group` asks
what a pair gains on items that neither was trained on.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import xarray as xr

from ncnet.checks import check, check_integer
from ncnet.chsh.intervals import check_resampling, means_with_ends
from ncnet.chsh.outcomes import SPLITS
from ncnet.chsh.pairs import HEADS, NAMES, as_pairs
from ncnet.chsh.text import number_text
from ncnet.estimates import Estimate, estimates_in
from ncnet.printing import shown

PAIR = ["first", "second"]
"""Columns with the names of both tasks."""


def interference(pairs: xr.Dataset) -> pd.DataFrame:
    """Return by how much the tasks of each pair hurt each other, in each replica.

    Parameters
    ----------
    pairs
        As `ncnet.chsh.as_pairs` describes them: pairs of tasks, and each of these tasks alone.

    Returns
    -------
    pandas.DataFrame
        A row each pair and replica. ``first`` and ``second`` task, ``replica``. Of the training
        items: ``s`` of the game above; ``first_drop`` and ``second_drop``, by how much the share
        that is right is lower together than alone, and ``training_drop``, the mean of both;
        ``both_wrong``, the share of the items that both get wrong together. Where there are
        held-out items, ``held_out_drop``, the mean drop of these. Items that are no partners
        (``paired`` is False) count as paired at random.

    Raises
    ------
    ValueError
        If a task of a pair was not trained alone, there is no pair, or outcomes are along a
        capacity; and all that `ncnet.chsh.as_pairs` refuses.

    Examples
    --------
    >>> from ncnet import chsh
    >>> right, half = np.ones((1, 4)), np.array([[1.0, 1, -1, -1]])
    >>> trained = {("en",): (right,), ("fr",): (right,), ("en", "fr"): (right, half)}
    >>> rows = interference(chsh.collect_pairs(trained))
    >>> rows[["first", "second", "s", "second_drop", "both_wrong"]].values.tolist()
    [['en', 'fr', 3.0, 0.5, 0.0]]
    """
    pairs = as_pairs(pairs)
    found = f"outcomes are along {shown(pairs['first'].dims)}"
    check("capacity" not in pairs["first"].dims, found, "those of one capacity")
    names = list(zip(*(pairs[name].values.tolist() for name in NAMES), strict=True))
    together = [place for place, (_, second) in enumerate(names) if second]
    check(together, "there are only tasks alone", "pairs of them, too")
    alone = np.array([_places_alone(names, names[place]) for place in together]).T
    columns = {}
    for split in (name for name in SPLITS if (pairs["split"] == name).any()):
        columns |= _of_split(pairs, split, together, alone)
    replicas = pairs["replica"].values.tolist()
    index = [(*names[place], replica) for place, replica in itertools.product(together, replicas)]
    rows = pd.DataFrame(index, columns=[*PAIR, "replica"])
    return rows.assign(**{name: values.ravel() for name, values in columns.items()})


def _places_alone(names: list[tuple[str, str]], pair: tuple[str, str]) -> list[int]:
    """Return where both tasks of a pair were trained alone."""
    for task in pair:
        expected = "every task of a pair alone, too: what it loses is told from that"
        check((task, "") in names, f"task `{task}` was not trained alone", expected)
    return [names.index((task, "")) for task in pair]


def _of_split(
    pairs: xr.Dataset, split: str, together: list[int], alone: np.ndarray
) -> dict[str, np.ndarray]:
    """Return what `interference` says of the items of a split, each [pairs, replicas]."""
    of_split = pairs.isel(item=pairs["split"].values == split)
    first, second = (of_split[head].values.astype(float) for head in HEADS)
    of_head = first.mean(-1), second.mean(-1)
    mean_alone = of_head[0][alone]  # [tasks of the pair, pairs, replicas]
    drops = [(mean_alone[place] - mean[together]) / 2 for place, mean in enumerate(of_head)]
    if split != "training":
        return {f"{split}_drop": np.mean(drops, axis=0)}
    mean_first, mean_second = (mean[together] for mean in of_head)
    both = mean_first * mean_second
    if pairs.attrs.get("paired", True):
        both = (first[together] * second[together]).mean(-1)
    wrong = (1 - mean_first - mean_second + both) / 4
    return {
        "s": 1 + mean_alone.sum(axis=0) - both,
        "first_drop": drops[0],
        "second_drop": drops[1],
        "training_drop": np.mean(drops, axis=0),
        "both_wrong": wrong,
    }


@cache
def partitions(tasks: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all ways to divide so many tasks into pairs and singles.

    There are 26 ways for five tasks, 9,496 for ten and 140,152 for twelve.

    Parameters
    ----------
    tasks
        Number of tasks.

    Returns
    -------
    tuple
        Which pairs each way has, bool [ways, pairs], pairs in the order of
        `itertools.combinations`; and its number of trunks [ways].

    Examples
    --------
    >>> ways, trunks = partitions(3)
    >>> ways.astype(int).tolist(), trunks.tolist()
    ([[0, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]], [3, 2, 2, 2])
    """
    places = {pair: k for k, pair in enumerate(itertools.combinations(range(tasks), 2))}

    def divided(left: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if not left:
            yield ()
            return
        first, *others = left
        yield from divided(tuple(others))
        for other in others:
            for pairs in divided(tuple(task for task in others if task != other)):
                yield (places[first, other], *pairs)

    found = list(divided(tuple(range(tasks))))
    ways = np.zeros((len(found), len(places)), bool)
    for way, pairs in zip(ways, found, strict=True):
        way[list(pairs)] = True
    return ways, tasks - ways.sum(axis=1)


def regrets(scores: np.ndarray, gains: np.ndarray, *, tasks: int) -> dict[int, float]:
    """Return what is lost by choosing by a measure of pairs, by the number of trunks.

    Parameters
    ----------
    scores
        How good the measure thinks each pair [pairs], in the order of `partitions`. Of ways that
        are equally good by it, the mean loss is taken.
    gains
        What each pair truly gains [pairs].
    tasks
        Number of tasks.

    Examples
    --------
    >>> regrets(np.array([1.0, 2.0, 3.0]), np.array([0.0, 4.0, 2.0]), tasks=3)
    {2: 2.0}
    """
    ways, trunks = partitions(tasks)
    found = {}
    for count in range(trunks.min(), tasks):
        thought, true = (ways[trunks == count] @ values for values in (scores, gains))
        chosen = np.isclose(thought, thought.max())
        found[count] = float(true.max() - true[chosen].mean())
    return found


@dataclass(frozen=True)
class Grouping:
    """Which tasks to train together, and what may be lost by that; printed, it says so in words.

    Attributes
    ----------
    groups
        The tasks that share a trunk: two, or one alone.
    gain
        By how much the share of items right is higher than with every task alone, mean over tasks.
    regret
        By how much some other way to group may gain more, at most.
    level
        The level at which the interval of `gain` and `regret` hold together.
    split
        Whose items: "held_out", or "training" where there are no others.
    pairs
        A row each pair: ``first``, ``second``, and ``gain``, mean over both tasks, with the ends of
        its interval, ``gain_low`` and ``gain_high``. These hold together.
    """

    groups: tuple[tuple[str, ...], ...]
    gain: Estimate
    regret: float
    level: float
    split: str
    pairs: pd.DataFrame

    def __str__(self) -> str:
        ends = (self.gain.low, self.gain.value, self.gain.high)
        low, value, high = (number_text(100 * end, 1) for end in ends)
        return "\n".join(
            [
                *(" and ".join(group) for group in self.groups),
                f"gain in points of {self.split.replace('_', '-')} items right, mean over tasks: "
                f"{value} [{low}, {high}]",
                f"another way gains {self._more()}, at {self.level:.0%}",
            ]
        )

    def _more(self) -> str:
        most = number_text(100 * self.regret, 1)
        return f"at most {most} points more" if self.regret else "no more"


def group(
    pairs: xr.Dataset | pd.DataFrame,
    *,
    trunks: int | None = None,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Grouping:
    """Return which tasks to train in one trunk: in pairs, or alone.

    Of all ways to divide the tasks, the one is taken whose pairs gain most, together, on items that
    they were not trained on. It is found exactly, as a matching of greatest weight.

    Parameters
    ----------
    pairs
        As `ncnet.chsh.collect_pairs` returns them: every pair of the tasks, and each alone. Or rows
        of `interference`, such as a table that was kept.
    trunks
        The largest number of trunks that may be trained; by default as many as tasks.
    level
        The level at which all that the result says holds together.
    resamples, seed
        Number of resamples for the intervals, and the seed of their draw.

    Returns
    -------
    Grouping
        Its intervals and its bound on the regret come from intervals of what each pair gains, which
        hold together over all pairs (Bonferroni). So they hold of the pairs that were chosen, too.

    Raises
    ------
    ValueError
        For a pair that was not trained, or not in all replicas, a number of trunks that is too
        small or too large, too few resamples, and all that `interference` refuses.

    Examples
    --------
    >>> from ncnet import chsh
    >>> rng = np.random.default_rng(0)
    >>> right, same, worse = (np.where(rng.random((40, 90)) < p, 1, -1) for p in (0.8, 0.8, 0.6))
    >>> trained = {("de",): (right,), ("en",): (right,), ("fr",): (right,)}
    >>> trained |= {("de", "en"): (right, worse), ("de", "fr"): (worse, worse)}
    >>> print(group(chsh.collect_pairs(trained | {("en", "fr"): (right, same)}), trunks=2))
    de
    en and fr
    gain in points of training items right, mean over tasks: 0.1 [-0.7, 1.0]
    another way gains no more, at 95%
    """
    rows = pairs if isinstance(pairs, pd.DataFrame) else interference(pairs)
    split = "held_out" if "held_out_drop" in rows else "training"
    gains = -rows.pivot(index=PAIR, columns="replica", values=f"{split}_drop")
    tasks = sorted({task for pair in gains.index for task in pair})
    for pair in itertools.combinations(tasks, 2):
        whole = pair in gains.index and gains.loc[pair].notna().all()
        check(whole, f"`{' beside '.join(pair)}` was not trained", "every pair, in all replicas")
    bounds = {"at_least": (len(tasks) + 1) // 2, "at_most": len(tasks)}
    trunks = check_integer("trunks", len(tasks) if trunks is None else trunks, **bounds)
    level, resamples, seed = check_resampling(level, resamples, seed, parts=len(gains))
    options = {"level": 1 - (1 - level) / len(gains), "resamples": resamples, "seed": seed}
    table = pd.DataFrame(
        means_with_ends({"gain": of_pair}, {"gain": (-1, 1)}, **options)
        for of_pair in gains.to_numpy()
    )
    each = dict(zip(gains.index, estimates_in(table, "gain"), strict=True))
    chosen = _best({pair: one.value for pair, one in each.items()}, tasks, trunks)
    alone = {(task,) for task in tasks if not any(task in pair for pair in chosen)}
    ends = (sum(getattr(each[pair], end) for pair in chosen) for end in ("value", "low", "high"))
    share = 2 / len(tasks)
    return Grouping(
        groups=tuple(sorted(chosen | alone)),
        gain=Estimate(*ends) * share,
        regret=share * _most_lost(each, chosen, tasks, trunks),
        level=level,
        split=split,
        pairs=pd.concat([gains.index.to_frame(index=False), table], axis=1),
    )


def _most_lost(
    each: dict[tuple[str, str], Estimate],
    chosen: set[tuple[str, str]],
    tasks: list[str],
    trunks: int,
) -> float:
    """Return by how much another way gains more than the chosen pairs, at most."""
    # A pair that both ways have cancels.
    most = {pair: one.low if pair in chosen else one.high for pair, one in each.items()}
    best = _best(most, tasks, trunks)
    return sum(most[pair] for pair in best) - sum(most[pair] for pair in chosen)


def _best(
    gains: dict[tuple[str, str], float], tasks: list[str], trunks: int
) -> set[tuple[str, str]]:
    """Return the pairs of the best way to divide tasks among at most so many trunks."""
    # Imported where it is used: a fifth of a second.
    import networkx

    graph = networkx.Graph()
    graph.add_weighted_edges_from((*pair, gain) for pair, gain in gains.items())
    # Who has no partner is matched with a place to be alone, and such places with each other.
    places = range(len(tasks) - 2 * (len(tasks) - trunks))
    graph.add_weighted_edges_from((task, place, 0) for task in tasks for place in places)
    graph.add_weighted_edges_from((*two, 0) for two in itertools.combinations(places, 2))
    matched = networkx.max_weight_matching(graph, maxcardinality=True)
    return {pair for pair in gains if pair in matched or pair[::-1] in matched}
