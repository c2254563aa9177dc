"""Asks how early in a training it can be told what a finished pair of tasks loses.

Pairs are trained for a part of the steps, and measured. A measure is as good as it is at the end
where its rank correlation with what finished pairs lose, in other replicas, is short of that at the
end by less than the smallest rank correlation that counts (`ncnet.claims.WEAK`).
"""

import itertools

import pandas as pd

from ncnet.checks import check_choice
from ncnet.claims import WEAK
from ncnet.studies.generalization.interference import pairs_with_nothing, train_pairs
from ncnet.training import samples
from ncnet.training.samples.noisy import FUNCTIONS

LOOKS = (0.05, 0.1, 0.25, 0.5, 1.0)
"""Shares of the steps after which pairs are looked at; the last is the end."""
MEASURES = {"s": 1, "delta": 1, "conflict": 1, "training_drop": 1, "cosine": -1}
"""What is measured of pairs, each with the sign that it should have against what they lose."""
GAMES, DIGITS = "games", "digits"
"""What is trained: tasks of Alice's beside tasks of Bob's in `overlap`, or ten tasks on digits."""
SIZES = {GAMES: 3, DIGITS: 8}
"""Hidden units, by what is trained. Our choice: some pairs gain in such a trunk, others lose."""


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
        Replicas and the rest, as `ncnet.training.samples.train_pairs` takes them.

    Returns
    -------
    pandas.DataFrame
        `ncnet.studies.generalization.interference.interference_by_replica` at each ``look``.

    Examples
    --------
    >>> items = {"training": 8, "held_out": 4, "noise": 0.5}
    >>> rows = train_looks(GAMES, **items, replicas=[0, 1], seed=0, steps=20)
    >>> len(rows), rows["look"].drop_duplicates().tolist()
    (490, [0.05, 0.1, 0.25, 0.5, 1.0])
    """
    check_choice("pairs", name, (GAMES, DIGITS))
    items = {"training": training, "held_out": held_out, "seed": seed}
    kind |= {"hidden_size": SIZES[name], "seed": seed}
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
        train_pairs(population, pairs, names, steps=round(look * steps), **kind).assign(look=look)
        for look in LOOKS
    ]
    return pd.concat(parts, ignore_index=True)


def as_good_from(signs: pd.DataFrame) -> pd.DataFrame:
    """Return after which share of a training each measure is as good as it is at the end.

    Parameters
    ----------
    signs
        Rows of `ncnet.experiment.early_signs` with a column ``pairs_of``, what was trained.

    Returns
    -------
    pandas.DataFrame
        A row each ``pairs_of`` and ``measure``: ``rho`` at the end, with its interval; ``as_good``,
        the first look from which on the correlation is short of that by less than
        `ncnet.claims.WEAK`, by the whole interval.

    Examples
    --------
    >>> rows = pd.DataFrame({"pairs_of": "games", "measure": "s", "look": [0.1, 0.5, 1.0]})
    >>> rows = rows.assign(rho=0.5, rho_low=0.4, rho_high=0.6, short_high=[0.3, 0.05, 0.0])
    >>> as_good_from(rows)[["rho", "as_good"]].values.tolist()
    [[0.5, 0.5]]
    """
    found = []
    for (kind, measure), rows in signs.groupby(["pairs_of", "measure"], sort=False):
        backwards = rows.sort_values("look", ascending=False)
        good = (backwards["short_high"] < WEAK).cummin()
        last = backwards.iloc[0]
        row = {"pairs_of": kind, "measure": measure} | last[
            ["rho", "rho_low", "rho_high"]
        ].to_dict()
        found.append(row | {"as_good": backwards["look"][good].min()})
    return pd.DataFrame(found)
