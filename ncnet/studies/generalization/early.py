"""Asks how early in a training it can be told what a finished pair of tasks loses.

Pairs are trained for a part of the steps, and measured. A measure is as good as it is at the end
where its rank correlation with what finished pairs lose, in other replicas, is short of that at the
end by less than the smallest rank correlation that counts (`ncnet.claims.WEAK`).
"""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ncnet.checks import check_choice
from ncnet.chsh.bootstrap import drawn_shares, percentile_interval, spearman
from ncnet.claims import LEVEL
from ncnet.experiment.grouping import PAIR
from ncnet.studies.generalization.interference import pairs_with_nothing, train_pairs
from ncnet.studies.generalization.measurements import RESAMPLES, as_arrays
from ncnet.training import samples
from ncnet.training.samples.noisy import FUNCTIONS

LOOKS = (0.05, 0.1, 0.25, 0.5, 1.0)
"""Shares of the steps after which pairs are looked at; the last is the end."""
MEASURES = {"s": 1, "delta": 1, "conflict": 1, "training_drop": 1, "cosine": -1}
"""What is measured of pairs, each with the sign that it should have against what they lose."""
GAMES, DIGITS = "games", "digits"
"""What is trained: tasks of Alice's beside tasks of Bob's in `overlap`, or ten tasks on digits."""


def train_looks(
    name: str, *, training: int, held_out: int, noise: float, seed: int, steps: int, **kind: object
) -> pd.DataFrame:
    """Train pairs of tasks for each of `LOOKS`, from the same starts on the same items.

    Parameters
    ----------
    name
        `GAMES` or `DIGITS`.
    training, held_out, noise, seed
        Items of each replica, as `ncnet.training.samples` takes them; digits take no noise.
    steps
        Number of steps of the whole training.
    kind
        Hidden size and replicas, as `ncnet.training.samples.train_pairs` takes them.

    Returns
    -------
    pandas.DataFrame
        `ncnet.studies.generalization.interference.interference_by_replica` at each ``look``.

    Examples
    --------
    >>> items = {"training": 8, "held_out": 4, "noise": 0.5}
    >>> rows = train_looks(GAMES, **items, hidden_size=1, replicas=[0, 1], seed=0, steps=20)
    >>> len(rows), rows["look"].drop_duplicates().tolist()
    (490, [0.05, 0.1, 0.25, 0.5, 1.0])
    """
    check_choice("pairs", name, (GAMES, DIGITS))
    items = {"training": training, "held_out": held_out, "seed": seed}
    if name == GAMES:
        population = samples.noisy_functions("overlap", noise=noise, **items)
        names, count = population.tasks, len(FUNCTIONS)
        alice, bob, last = range(count), range(count, 2 * count), 2 * count
        pairs = [*itertools.product(alice, bob), *((task, last) for task in (*alice, *bob))]
    else:
        population = samples.digits([*samples.NAMED_TASKS.values(), ()], **items)
        names = (*samples.NAMED_TASKS, samples.NOTHING)
        pairs = pairs_with_nothing(names)
    parts = [
        train_pairs(population, pairs, names, seed=seed, steps=round(look * steps), **kind).assign(
            look=look
        )
        for look in LOOKS
    ]
    return pd.concat(parts, ignore_index=True)


def early_signs(
    seen: pd.DataFrame, fresh: pd.DataFrame, *, measures: Mapping[str, int], seed: int = 0
) -> pd.DataFrame:
    """Return how well each measure tells, at each look, what finished pairs lose.

    Parameters
    ----------
    seen
        Rows of replicas that are measured, at each ``look``, as `train_looks` returns them.
    fresh
        Rows of other replicas, at the end of training.
    measures
        As `MEASURES`. Whatever is no column, or not a mean of one, is not asked.
    seed
        Seed of the bootstrap: replicas of both are resampled, the pairs being given.

    Returns
    -------
    pandas.DataFrame
        A row each ``measure`` and ``look``: ``rho``, Spearman's correlation over pairs with what
        is lost on held-out items, positive where the measure has the sign that it should have;
        ``short``, by how much it is lower than at the last look; both with the ends of their
        intervals at 95 %; ``pairs``.
    """
    generator = np.random.default_rng(seed)
    columns = [name for name in (*measures, "first_drop", "second_drop") if name != "delta"]
    looks = sorted(seen["look"].unique())
    shares = None
    found = []
    for look in looks:
        _, values = as_arrays(seen[seen["look"] == look], columns, PAIR)
        shares = _shares(values.shape[-1], generator) if shares is None else shares
        means = np.einsum("pnr,kr->nkp", values, shares)
        found.append(_measured(dict(zip(columns, means, strict=True)), measures))
    _, lost = as_arrays(fresh, ["held_out_drop"], PAIR)
    lost = np.einsum("pr,kr->kp", lost[:, 0], _shares(lost.shape[-1], generator))
    # [looks, measures, 1 + resamples], the sample itself first
    rho = np.array([[spearman(of_one, lost) for of_one in of_look] for of_look in found])
    rho = np.nan_to_num(rho)  # what does not differ between pairs orders none
    replicas = min(table["replica"].nunique() for table in (seen, fresh))
    rows = []
    for (at, look), (place, measure) in itertools.product(enumerate(looks), enumerate(measures)):
        row = {"measure": measure, "look": look, "pairs": lost.shape[-1]}
        for name, draws in (("rho", rho[at, place]), ("short", rho[-1, place] - rho[at, place])):
            low, high = percentile_interval(draws[1:], LEVEL, replicas)
            row |= {name: draws[0], f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def _shares(count: int, generator: np.random.Generator) -> np.ndarray:
    """Return the share of each replica in the sample and in each resample."""
    return np.vstack([np.full(count, 1 / count), drawn_shares(count, RESAMPLES, generator)])


def _measured(means: Mapping[str, np.ndarray], measures: Mapping[str, int]) -> list[np.ndarray]:
    """Return measures [resamples, pairs] of means over replicas, with the sign they should have."""
    delta = 2 * (abs(means["first_drop"]) + abs(means["second_drop"]))
    known = {**means, "delta": delta}
    return [sign * known[name] for name, sign in measures.items()]
