"""Interventions on the shared trunk: take the competition away, and see what becomes of S.

Each keeps the game, the tasks and the replicas and changes how the heads share the trunk, or how it
is trained. Where the trunk keeps its size its initial weights are the same, so that a replica is
compared with itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import chsh
from ncnet.checks import check_choice, check_integer, check_positive
from ncnet.chsh.bootstrap import (
    distinct_columns,
    expanded_level,
    percentile_interval,
    resampled_means,
)
from ncnet.chsh.intervals import check_resampling
from ncnet.games import Game
from ncnet.studies.mechanism.conflict import log_steps, manipulation
from ncnet.studies.mechanism.rows import mean_with_ends, with_ends
from ncnet.training import train

SHARED, SMALL_STEPS = "shared", "small steps"
CHANGE_BOUNDS = (-8.0, 8.0)
"""Of a replica's S, and of its influence."""
LAMBDAS = (0.75, 0.5, 0.25, 0.0)
COLUMNS_OF_CHANGE = tuple(
    f"{name}{end}"
    for name in ("s_change", "influence_change", "removed")
    for end in ("", "_low", "_high")
)
"""What every row has of `change` and `excess_removed`, as a number or as NaN."""
SMALLER = 10
"""By how much the learning rate is divided, and the steps are multiplied, for small steps."""
OWN_BY_NAME = (
    "aggregator",
    "gradient_weights",
    "head_start",
    "hidden_size",
    "trace_steps",
    "trace",
)
"""What an intervention sets itself."""


@dataclass(frozen=True)
class Intervention:
    """One change of the training.

    Attributes
    ----------
    name
        As tables and figures call it.
    train
        Trains with it: takes the game, `steps` and `learning_rate`, and what else `ncnet.train`
        takes but the number of hidden units; returns the same.
    shared
        Whether both heads still share a trunk.
    steps_factor
        By how much it multiplies the number of steps.
    """

    name: str
    train: Callable[..., xr.Dataset]
    shared: bool = True
    steps_factor: int = 1


def separate_trunks(
    game: Game,
    *,
    hidden_sizes: tuple[int, int],
    trace: Sequence[str] = ("loss",),
    **training: object,
) -> xr.Dataset:
    """Train with a trunk for each head instead of a shared one.

    Neither head can know of the other's task: the outcomes of a head, given the replica, are the
    same whatever the other is trained on. So S is at most 2 in every replica, and Delta and
    influence are 0, exactly.

    Parameters
    ----------
    game, training
        As `ncnet.train` takes them, but `hidden_size`, `aggregator`, `gradient_weights` and
        `head_start`. Alice's trunk starts from the weights of the shared trunk of her size, Bob's
        of his.
    hidden_sizes
        Units of Alice's trunk and of Bob's.
    trace
        Losses only: there is no trunk with two gradients.

    Returns
    -------
    xarray.Dataset
        As `ncnet.train` returns it, without `diverged` and with both sizes as the attribute
        `hidden_sizes` in place of one as `capacity`.

    Raises
    ------
    ValueError
        For a size below 1, an argument that makes no sense here, or what `ncnet.train` refuses.

    Examples
    --------
    >>> import ncnet
    >>> apart = separate_trunks(
    ...     ncnet.games.overlap(), hidden_sizes=(2, 1), replicas=64, seed=0, steps=50
    ... )
    >>> ncnet.chsh.influence(apart).max().item()
    0.0
    """
    if not isinstance(hidden_sizes, (tuple, list)) or len(hidden_sizes) != 2:
        raise ValueError(f"`hidden_sizes` is {hidden_sizes!r}: expected Alice's and Bob's")
    hidden_sizes = [
        check_integer(f"hidden_sizes` of `{name}", size, at_least=1)
        for name, size in zip(("Alice", "Bob"), hidden_sizes, strict=True)
    ]
    for name in ("aggregator", "gradient_weights", "head_start"):
        if name in training:
            raise ValueError(f"`{name}` is given: separate trunks have no gradient to share")
    if list(trace) != ["loss"]:
        raise ValueError(f"`trace` is {list(trace)}: expected ['loss'], there is no shared trunk")
    # A trunk that follows one head's gradient alone is that head's own.
    alice, bob = (
        train(game, hidden_size=size, gradient_weights=weights, **training)
        for size, weights in zip(hidden_sizes, ((1, 0), (0, 1)), strict=True)
    )
    bobs = [name for name in ("b", "bob_loss") if name in bob]
    # The head that rides along on the other's trunk is nobody's, and so is what it diverges to.
    unsaid = ["diverged"] if "capacity" in alice.dims else ["diverged", "capacity"]
    merged = alice.drop_vars(unsaid).assign({name: bob[name].variable for name in bobs})
    merged.attrs["hidden_sizes"] = hidden_sizes
    for name in ("gradient_weights", "hidden_size"):
        merged.attrs.pop(name, None)
    return merged


def interventions(
    hidden_size: int, *, lambdas: Sequence[float] = LAMBDAS, small_steps: bool = True
) -> dict[str, Intervention]:
    """Return all interventions on a trunk of this size, by name; "shared" is none.

    Parameters
    ----------
    hidden_size
        Units n of the shared trunk.
    lambdas
        Weights of Bob's gradient on the trunk, from 0 to 1.
    small_steps
        Whether those in small steps are among them, which take ten times as long.

    Raises
    ------
    ValueError
        For a weight outside 0 to 1, or one that comes twice.

    Examples
    --------
    >>> list(interventions(3, lambdas=[0.0]))[:4]
    ['shared', 'separate, n each', 'separate, ⌈n/2⌉ each', 'separate, ⌊n/2⌋ each']
    """
    hidden_size = check_integer("hidden_size", hidden_size, at_least=1)
    _check_lambdas(lambdas)
    halves = {"⌈n/2⌉": (hidden_size + 1) // 2, "⌊n/2⌋": hidden_size // 2}
    sizes = {"n": hidden_size} | {name: size for name, size in halves.items() if size}

    def sharing(name: str, **options: object) -> Intervention:
        return Intervention(name, _shared(hidden_size, **options))

    def in_small_steps(name: str, **options: object) -> Intervention:
        small = _in_small_steps(_shared(hidden_size, **options))
        return Intervention(name, small, steps_factor=SMALLER)

    found = [
        sharing(SHARED),
        *(
            Intervention(f"separate, {name} each", _separate(size), shared=False)
            for name, size in sizes.items()
        ),
        *(
            sharing(f"λ = {weight:.15g}", gradient_weights=(1.0, float(weight)))
            for weight in lambdas
        ),
        *(sharing(name, aggregator=name.lower()) for name in ("PCGrad", "MGDA", "CAGrad")),
        Intervention("head start", _with_head_start(_shared(hidden_size))),
    ]
    if small_steps:
        found += [
            in_small_steps(SMALL_STEPS),
            in_small_steps(f"PCGrad, {SMALL_STEPS}", aggregator="pcgrad"),
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


def solved(outcomes: xr.Dataset) -> dict[str, float]:
    """Return in which share of the replicas both heads get every item right, by context.

    >>> ones = np.ones((2, 2, 5, 8))
    >>> solved(chsh.as_dataset((ones, -ones)))["solved_22"]
    0.0
    """
    both = (outcomes["a"].min("item") == 1) & (outcomes["b"].min("item") == 1)
    shares = both.mean("replica").transpose(*chsh.SIGNS.dims).values
    return {f"solved_{i + 1}{j + 1}": float(share) for (i, j), share in np.ndenumerate(shares)}


def change(
    outcomes: xr.Dataset, baseline: xr.Dataset, *, level: float = 0.95, seed: int = 0
) -> dict[str, float]:
    """Return by how much an intervention moves S and the influence, replica by replica.

    Parameters
    ----------
    outcomes, baseline
        With and without the intervention: the same game, seed and replicas.
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
        Where game, seed or replicas differ.

    Examples
    --------
    >>> a, b = np.random.default_rng(0).choice([-1, 1], size=(2, 2, 2, 50, 8))
    >>> same = chsh.as_dataset((a, b))
    >>> change(same, same)["s_change"]
    0.0
    """
    outcomes, baseline = _pair(outcomes, baseline)
    values = {
        "s_change": chsh.s_per_replica,
        "influence_change": lambda one: chsh.influence(one).sum("task"),
    }
    found = {}
    for name, value in values.items():
        # Equal values that were summed in another order count as equal.
        changes = (value(outcomes).values - value(baseline).values).round(9)
        found |= mean_with_ends(name, changes, bounds=CHANGE_BOUNDS, level=level, seed=seed)
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
        As `change` takes them, with the number of resamples.

    Returns
    -------
    dict
        ``removed``, the fall of S over the baseline's S - 2: 1 where S falls to 2, more where it
        falls below, less than 0 where it rises; ``removed_low`` and ``removed_high``, percentiles
        of the bootstrap over replicas. Where nearly all replicas come to the same S with the
        intervention, a resample has no spread: the ends then come from the betting interval of
        that S and the interval of the baseline's, each at half of the error.

    Raises
    ------
    ValueError
        Where the baseline's S is not above 2 with its interval: there is no excess to speak of.

    Examples
    --------
    A box of Popescu and Rohrlich, S = 4, and what is left of it with S = 2:

    >>> ones = np.ones((2, 2, 400, 8))
    >>> box = chsh.as_dataset((ones, ones * chsh.SIGNS.values[:, :, None, None]))
    >>> excess_removed(chsh.as_dataset((ones, ones)), box)["removed"]
    1.0
    """
    level, resamples, seed = check_resampling(level, resamples, seed)
    pair = _pair(outcomes, baseline)
    after, before = (chsh.s_per_replica(one).values for one in pair)
    options = {"level": 1 - (1 - level) / 2, "resamples": resamples, "seed": seed}
    (low, high), _ = chsh.s_interval(before, **options)
    if low <= chsh.CLASSICAL_BOUND:
        raise ValueError(
            f"S without the intervention is {before.mean():.3f} [{low:.3f}, {high:.3f}]: expected "
            "above 2"
        )
    pairs = np.stack([before, after]) - chsh.CLASSICAL_BOUND
    excess, left = pairs.mean(axis=1)
    interval, method = chsh.s_interval(after, **options)
    if method == "betting":
        excesses = np.array([low, high]) - chsh.CLASSICAL_BOUND
        shares = 1 - np.outer(np.array(interval) - chsh.CLASSICAL_BOUND, 1 / excesses)
        ends = shares.min(), shares.max()
    else:
        columns, counts = distinct_columns(pairs)
        drawn = resampled_means(columns, counts, resamples=resamples, seed=seed)
        ends = percentile_interval(1 - drawn[1] / drawn[0], expanded_level(level, counts.sum()))
    return with_ends("removed", float(1 - left / excess), tuple(map(float, ends)))


def compare(
    game: Game,
    *,
    hidden_size: int,
    replicas: int,
    seed: int,
    steps: int = 2000,
    learning_rate: float = 0.5,
    lambdas: Sequence[float] = LAMBDAS,
    small_steps: bool = True,
    among: Sequence[str] | None = None,
    log_interval: int = 7,
    level: float = 0.95,
    **training: object,
) -> pd.DataFrame:
    """Train with interventions and return one row for each.

    Parameters
    ----------
    game, hidden_size, replicas, seed, steps, learning_rate, training
        As `ncnet.train` takes them.
    lambdas, small_steps
        See `interventions`.
    among
        Which of them; all by default. "shared" has a row in any case, the first.
    log_interval
        Steps between logged gradients, see `log_steps`.
    level
        Nominal coverage of each interval of a change, and of what is removed.

    Returns
    -------
    pandas.DataFrame
        ``intervention``, ``hidden_size``, the columns of `ncnet.chsh.Report.row`, `success` and
        `solved`; where the trunk is shared, `manipulation`; but for "shared" itself, `change`
        and, where its S is above 2 (verdict, and interval at `level`), `excess_removed`. NaN
        elsewhere.

    Examples
    --------
    >>> import ncnet
    >>> table = compare(ncnet.games.overlap(), hidden_size=2, replicas=64, seed=0, steps=20)
    >>> table.loc[table["intervention"] == "separate, n each", "influence"].item()
    0.0
    """
    for name in OWN_BY_NAME:
        if name in training:
            raise ValueError(f"`{name}` is given: interventions set it themselves")
    asked = interventions(hidden_size, lambdas=lambdas, small_steps=small_steps)
    if among is not None:
        for name in among:
            check_choice("intervention", name, asked)
        asked = {name: one for name, one in asked.items() if name in (SHARED, *among)}
    steps = check_integer("steps", steps, at_least=1)
    learning_rate = check_positive("learning_rate", learning_rate)
    level, *_ = check_resampling(level, 10_000, 0)
    hidden_size = check_integer("hidden_size", hidden_size, at_least=1)
    logged = log_steps(steps, log_interval)
    options = {"replicas": replicas, "seed": seed, "steps": steps, "learning_rate": learning_rate}
    rows, baseline = [], None
    for intervention in asked.values():
        traced = {}
        if intervention.shared:
            traced["trace_steps"] = [intervention.steps_factor * step for step in logged]
            traced["trace"] = ["gradients"]
        outcomes = intervention.train(game, **options, **traced, **training)
        row = {"intervention": intervention.name, "hidden_size": hidden_size}
        row |= chsh.report(outcomes).row() | success(outcomes) | solved(outcomes)
        row |= manipulation(outcomes) if intervention.shared else {}
        if baseline is None:
            baseline, exceeds = outcomes, _exceeds(outcomes, row["verdict"], level)
        else:
            row |= change(outcomes, baseline, level=level)
            row |= excess_removed(outcomes, baseline, level=level) if exceeds else {}
        rows.append(row)
    return pd.DataFrame(rows).reindex(columns=[*rows[0], *COLUMNS_OF_CHANGE])


def _shared(hidden_size: int, **options: object) -> Callable[..., xr.Dataset]:
    return lambda game, **training: train(game, hidden_size=hidden_size, **options, **training)


def _separate(size: int) -> Callable[..., xr.Dataset]:
    return lambda game, **training: separate_trunks(game, hidden_sizes=(size, size), **training)


def _with_head_start(trained: Callable[..., xr.Dataset]) -> Callable[..., xr.Dataset]:
    # As long as the training that follows: Alice's task is learnt if it can be.
    return lambda game, *, steps, **training: trained(
        game, steps=steps, head_start=steps, **training
    )


def _in_small_steps(trained: Callable[..., xr.Dataset]) -> Callable[..., xr.Dataset]:
    return lambda game, *, steps, learning_rate, **training: trained(
        game, steps=SMALLER * steps, learning_rate=float(learning_rate) / SMALLER, **training
    )


def _exceeds(outcomes: xr.Dataset, verdict: str, level: float) -> bool:
    values = chsh.s_per_replica(outcomes).values
    (low, _), _ = chsh.s_interval(values, level=1 - (1 - level) / 2)
    return verdict == "above 2" and low > chsh.CLASSICAL_BOUND


def _pair(outcomes: xr.Dataset, baseline: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    pair = chsh.as_dataset(outcomes), chsh.as_dataset(baseline)
    for name in ("game", "seed"):
        found = [one.attrs.get(name) for one in pair]
        if None not in found and found[0] != found[1]:
            raise ValueError(
                f"`{name}` is {found[0]!r} with and {found[1]!r} without: expected one"
            )
    counts = [one.sizes["replica"] for one in pair]
    if counts[0] != counts[1]:
        raise ValueError(
            f"{counts[0]} replicas with and {counts[1]} without the intervention: expected the same"
        )
    if not (pair[0]["replica"].values == pair[1]["replica"].values).all():
        raise ValueError("the replicas with and without the intervention come in another order")
    return pair


def _check_lambdas(lambdas: Sequence[float]) -> None:
    if isinstance(lambdas, str) or not isinstance(lambdas, Sequence):
        raise ValueError(f"λ is {lambdas!r}: expected a list of numbers from 0 to 1")
    for weight in lambdas:
        number = isinstance(weight, Real) and not isinstance(weight, bool)
        if not number or not 0 <= weight <= 1:
            raise ValueError(f"λ is {weight!r}: expected a number from 0 to 1")
    if len(set(lambdas)) < len(lambdas):
        raise ValueError(f"λ is {list(lambdas)}: expected each number once")
