"""Interventions on the shared trunk: take the competition away, and see what becomes of S.

Each keeps game, initial weights and training, and changes one thing, so that replicas are compared
with themselves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import chsh
from ncnet.checks import check_integer
from ncnet.chsh.bootstrap import (
    distinct_columns,
    expanded_level,
    percentile_interval,
    resampled_means,
)
from ncnet.ensemble import train
from ncnet.games import Game

SHARED, SMALL_STEPS = "shared", "small steps"
CHANGE_OF_S = (-8.0, 8.0)
CHANGE_OF_INFLUENCE = (-8.0, 8.0)
LAMBDAS = (0.75, 0.5, 0.25, 0.0)
HEAD_START = 1.0
"""Length of the head start, as a share of the training that follows."""
REMOVED = ("removed", "removed_low", "removed_high")
SMALLER = 10
"""By how much the learning rate is divided, and the steps are multiplied, for small steps."""


@dataclass(frozen=True)
class Intervention:
    """One change of the training.

    Attributes
    ----------
    name
        As tables and figures call it.
    what
        What it changes, in a few words.
    train
        Trains with it: takes what `ncnet.train` takes, and returns the same.
    lowers
        Whether S is predicted to fall at the critical size if competition causes S > 2; None where
        nothing was predicted. Written before the first training.
    """

    name: str
    what: str
    train: Callable[..., xr.Dataset]
    lowers: bool | None


def separate_trunks(game: Game, *, hidden_sizes: tuple[int, int], **training: object) -> xr.Dataset:
    """Train with a trunk for each head instead of a shared one.

    Neither head can know of the other's task: the outcomes of a head, given the replica, are the
    same whatever the other is trained on. So S is at most 2 in every replica, and Delta and
    influence are 0, exactly.

    Parameters
    ----------
    game, training
        As `ncnet.train` takes them, but `hidden_size`. Alice's trunk starts from the weights of the
        shared trunk of her size, Bob's of his.
    hidden_sizes
        Units of Alice's trunk and of Bob's.

    Returns
    -------
    xarray.Dataset
        As `ncnet.train` returns it, without `diverged` and with both sizes as the attribute
        `hidden_sizes` in place of one as `capacity`.

    Raises
    ------
    ValueError
        For a size below 1, or what `ncnet.train` refuses.

    Examples
    --------
    >>> import ncnet
    >>> apart = separate_trunks(
    ...     ncnet.games.overlap(), hidden_sizes=(2, 1), replicas=64, seed=0, steps=50
    ... )
    >>> ncnet.chsh.influence(apart).max().item()
    0.0
    """
    for name, size in zip(("Alice's", "Bob's"), hidden_sizes, strict=True):
        check_integer(f"{name} part of hidden_sizes", size, at_least=1)
    # A trunk that follows one head's gradient alone is that head's own.
    alice, bob = (
        train(game, hidden_size=size, gradient_weights=weights, **training)
        for size, weights in zip(hidden_sizes, ((1, 0), (0, 1)), strict=True)
    )
    bobs = [name for name in ("b", "bob_loss") if name in bob]
    # The head that rides along on the other's trunk is nobody's, and so is what it diverges to.
    unsaid = ["diverged"] if "capacity" in alice.dims else ["diverged", "capacity"]
    merged = alice.drop_vars(unsaid).assign({name: bob[name].variable for name in bobs})
    merged.attrs["hidden_sizes"] = list(hidden_sizes)
    del merged.attrs["gradient_weights"]
    return merged


def interventions(
    hidden_size: int, *, lambdas: Sequence[float] = LAMBDAS
) -> dict[str, Intervention]:
    """Return all interventions on a trunk of this size, by name; "shared" is none.

    Parameters
    ----------
    hidden_size
        Units n of the shared trunk.
    lambdas
        Weights of Bob's gradient on the trunk, from 0 to 1.

    Raises
    ------
    ValueError
        For a weight outside 0 to 1, or one that comes twice.

    Examples
    --------
    >>> list(interventions(3, lambdas=[0.0]))[:4]
    ['shared', 'separate, n each', 'separate, ⌈n/2⌉ each', 'separate, ⌊n/2⌋ each']
    """
    check_integer("hidden_size", hidden_size, at_least=1)
    _check_lambdas(lambdas)
    halves = {"⌈n/2⌉": (hidden_size + 1) // 2, "⌊n/2⌋": hidden_size // 2}
    sizes = {"n": hidden_size} | {name: size for name, size in halves.items() if size}
    found = [
        Intervention(SHARED, "nothing", _shared(hidden_size), None),
        *(
            Intervention(f"separate, {name} each", "a trunk for each head", _separate(size), True)
            for name, size in sizes.items()
        ),
        *(
            Intervention(
                f"λ = {weight:g}",
                "weight of Bob's gradient on the trunk",
                _shared(hidden_size, gradient_weights=(1.0, weight)),
                True,
            )
            for weight in lambdas
        ),
        *(
            Intervention(name, what, _shared(hidden_size, aggregator=name.lower()), True)
            for name, what in (
                ("PCGrad", "conflicting parts of both gradients taken out"),
                ("MGDA", "the shortest vector between both gradients"),
                ("CAGrad", "near the mean, best for the head that gains less"),
            )
        ),
        Intervention("head start", "Alice's head trained first", _head_start(hidden_size), None),
        Intervention(SMALL_STEPS, "a tenth of the learning rate", _small_steps(hidden_size), True),
        Intervention(
            f"PCGrad, {SMALL_STEPS}",
            "both at once: no head's loss ever rises",
            _small_steps(hidden_size, aggregator="pcgrad"),
            True,
        ),
    ]
    return {intervention.name: intervention for intervention in found}


def success(outcomes: xr.Dataset) -> dict[str, float]:
    """Return the share of outcomes that are correct, Alice's and Bob's, over all contexts.

    >>> ones = np.ones((2, 2, 5, 8))
    >>> success(chsh.as_dataset((ones, -ones)))
    {'alice_success': 1.0, 'bob_success': 0.0}
    """
    means = chsh.marginals(outcomes)
    return {f"{party}_success": float((1 + means[party]).mean() / 2) for party in ("alice", "bob")}


def change(
    outcomes: xr.Dataset, baseline: xr.Dataset, *, level: float = 0.95, seed: int = 0
) -> dict[str, float]:
    """Return by how much an intervention moves S and the influence, replica by replica.

    Parameters
    ----------
    outcomes, baseline
        With and without the intervention, from the same initial weights.
    level
        Nominal coverage of each interval; for several interventions together see
        `ncnet.claims.simultaneous_level`.
    seed
        Of the bootstrap over replicas.

    Returns
    -------
    dict
        ``s_change``, ``influence_change``, each with ``_low`` and ``_high``.

    Raises
    ------
    ValueError
        For other replicas than those of the baseline.

    Examples
    --------
    >>> a, b = np.random.default_rng(0).choice([-1, 1], size=(2, 2, 2, 50, 8))
    >>> same = chsh.as_dataset((a, b))
    >>> change(same, same)["s_change"]
    0.0
    """
    if outcomes.sizes["replica"] != baseline.sizes["replica"]:
        raise ValueError(
            f"{outcomes.sizes['replica']} replicas with and {baseline.sizes['replica']} without "
            "the intervention: expected the same"
        )
    pairs = {
        "s_change": (chsh.s_per_replica, CHANGE_OF_S),
        "influence_change": (lambda one: chsh.influence(one).sum("task"), CHANGE_OF_INFLUENCE),
    }
    found = {}
    for name, (value, bounds) in pairs.items():
        # Equal values that were summed in another order count as equal.
        changes = (value(outcomes).values - value(baseline).values).round(9)
        (low, high), _ = chsh.replica_interval(changes, bounds=bounds, level=level, seed=seed)
        found |= {name: float(changes.mean()), f"{name}_low": low, f"{name}_high": high}
    return found


def excess_removed(
    outcomes: xr.Dataset,
    baseline: xr.Dataset,
    *,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> dict[str, float]:
    """Return which share of the excess of S over 2 an intervention removes.

    Parameters
    ----------
    outcomes, baseline, level, resamples, seed
        As `change` takes them.

    Returns
    -------
    dict
        ``removed``, the fall of S over the baseline's S - 2: 1 where S falls to 2, more where it
        falls below, less than 0 where it rises; ``removed_low`` and ``removed_high``, percentiles
        of the bootstrap over replicas, or, where nearly all replicas come to the same S, from the
        betting interval of that.

    Raises
    ------
    ValueError
        Where the baseline's S is not above 2: there is no excess.

    Examples
    --------
    A box of Popescu and Rohrlich, S = 4, and what is left of it with S = 2:

    >>> ones = np.ones((2, 2, 400, 8))
    >>> box = chsh.as_dataset((ones, ones * chsh.SIGNS.values[:, :, None, None]))
    >>> excess_removed(chsh.as_dataset((ones, ones)), box)["removed"]
    1.0
    """
    before, after = (chsh.s_per_replica(one).values for one in (baseline, outcomes))
    pairs = np.stack([before, after]) - chsh.CLASSICAL_BOUND
    excess, left = pairs.mean(axis=1)
    if excess <= 0:
        raise ValueError(f"S without the intervention is {before.mean():.3f}: expected above 2")
    (low, high), method = chsh.s_interval(after, level=level, resamples=resamples, seed=seed)
    if method == "betting":
        ends = [1 - (end - chsh.CLASSICAL_BOUND) / excess for end in (high, low)]
    else:
        columns, counts = distinct_columns(pairs)
        drawn = resampled_means(columns, counts, resamples=resamples, seed=seed)
        shares = 1 - drawn[1] / drawn[0]
        ends = percentile_interval(shares, expanded_level(level, counts.sum())).tolist()
    low, high = map(float, ends)
    return {"removed": float(1 - left / excess), "removed_low": low, "removed_high": high}


def compare(
    game: Game,
    *,
    hidden_size: int,
    level: float,
    lambdas: Sequence[float] = LAMBDAS,
    **training: object,
) -> pd.DataFrame:
    """Train with every intervention and return one row for each.

    Parameters
    ----------
    game, hidden_size, training
        As `ncnet.train` takes them; with `steps` and `learning_rate`.
    level
        Nominal coverage of each interval of a change.
    lambdas
        See `interventions`.

    Returns
    -------
    pandas.DataFrame
        ``intervention``, ``hidden_size``, the columns of `ncnet.chsh.Report.row`, `success` and,
        but for "shared" itself, `change` and, where its S is above 2 (95 % interval and exact
        test), `excess_removed`; NaN elsewhere.

    Examples
    --------
    >>> import ncnet
    >>> table = compare(
    ...     ncnet.games.overlap(), hidden_size=2, level=0.95, replicas=64, seed=0, steps=20,
    ...     learning_rate=0.5,
    ... )
    >>> table.loc[table["intervention"] == "separate, n each", "influence"].item()
    0.0
    """
    rows, baseline = [], None
    for intervention in interventions(hidden_size, lambdas=lambdas).values():
        outcomes = intervention.train(game, **training)
        row = {"intervention": intervention.name, "hidden_size": hidden_size}
        row |= chsh.report(outcomes).row() | success(outcomes)
        if baseline is None:
            baseline, exceeds = outcomes, row["verdict"] == "above 2"
        else:
            row |= change(outcomes, baseline, level=level)
            row |= excess_removed(outcomes, baseline, level=level) if exceeds else {}
        rows.append(row)
    # Where there is no excess, its columns are there as well.
    return pd.DataFrame(rows).reindex(columns=dict.fromkeys([*rows[0], *rows[-1], *REMOVED]))


def _shared(hidden_size: int, **options: object) -> Callable[..., xr.Dataset]:
    return lambda game, **training: train(game, hidden_size=hidden_size, **options, **training)


def _separate(size: int) -> Callable[..., xr.Dataset]:
    return lambda game, **training: separate_trunks(game, hidden_sizes=(size, size), **training)


def _head_start(hidden_size: int) -> Callable[..., xr.Dataset]:
    def started(game: Game, *, steps: int, **training: object) -> xr.Dataset:
        first = round(HEAD_START * steps)
        return train(game, hidden_size=hidden_size, steps=steps, head_start=first, **training)

    return started


def _small_steps(hidden_size: int, **options: object) -> Callable[..., xr.Dataset]:
    def smaller(game: Game, *, steps: int, learning_rate: float, **training: object) -> xr.Dataset:
        return train(
            game,
            hidden_size=hidden_size,
            steps=SMALLER * steps,
            learning_rate=learning_rate / SMALLER,
            **options,
            **training,
        )

    return smaller


def _check_lambdas(lambdas: Sequence[float]) -> None:
    for weight in lambdas:
        number = isinstance(weight, Real) and not isinstance(weight, bool)
        if not number or not 0 <= weight <= 1:
            raise ValueError(f"λ is {weight!r}: expected a number from 0 to 1")
    if len(set(lambdas)) < len(lambdas):
        raise ValueError(f"λ is {list(lambdas)}: expected each number once")
