"""Takes the competition on the shared trunk away, by interventions, and sees what becomes of S.

Each keeps the game, the tasks and the replicas and changes how the heads share the trunk, or how it
is trained. Where the trunk keeps its size its initial weights are the same, so that a replica is
compared with itself. The function `interventions` makes the recorded table of this name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import chsh
from ncnet.checks import check, check_choice, check_integer, check_number, check_once
from ncnet.chsh.bootstrap import distinct_columns, percentile_interval, resampled_means
from ncnet.chsh.intervals import check_resampling, means_with_ends, with_ends
from ncnet.claims import LEVEL, simultaneous_level
from ncnet.estimates import Estimate, columns_of, mean_of_replicas
from ncnet.games import Game
from ncnet.printing import shown
from ncnet.studies.mechanism.conflict import manipulation_check, steps_to_trace
from ncnet.training import train

SHARED, SMALL_STEPS = "shared", "small steps"
LAMBDAS = (0.75, 0.5, 0.25, 0.0)
SMALLER = 10  # small steps are so many times smaller, and as many more
# Interventions set these arguments of `ncnet.train`.
SET_BY_INTERVENTIONS = ("aggregator", "gradient_weights", "head_start")
# `change` measures these, with their bounds.
CHANGES = dict.fromkeys(("s_change", "influence_change"), (-8.0, 8.0))
# Every row of `interventions` has these columns, as a number or as NaN.
OF_CHANGE = [f"{name}{end}" for name in (*CHANGES, "removed") for end in ("", "_low", "_high")]
# The bounds of what is left of the violation, less what is gone of it.
LEFT_LESS_GONE = (-14.0, 10.0)
RESAMPLES = 10_000


@dataclass(frozen=True)
class Intervention:
    """A change of the training.

    Attributes
    ----------
    hidden_size
        Units of the shared trunk, or of each of two separate ones.
    options
        Arguments that it gives `ncnet.train`.
    shared
        Whether both heads still share a trunk.
    head_start
        Whether Alice's head trains first, for as many steps as both do then.
    steps_factor
        The factor that multiplies the number of steps and divides the learning rate.
    """

    hidden_size: int
    options: Mapping[str, object] = field(default_factory=dict)
    shared: bool = True
    head_start: bool = False
    steps_factor: int = 1

    def train(
        self, game: Game, *, steps: int = 2000, learning_rate: float = 0.5, **training: object
    ) -> xr.Dataset:
        """Train with it; steps, and those that are traced, are counted as without it."""
        steps = check_integer("steps", steps, at_least=1)
        rate = check_number("learning_rate", learning_rate, 0, inside=True)
        times, traced = self.steps_factor, training.get("trace_steps", ())
        training |= {"steps": times * steps, "trace_steps": [times * step for step in traced]}
        training |= {**self.options, "learning_rate": rate / times}
        training |= {"head_start": steps} if self.head_start else {}
        if not self.shared:
            return separate_trunks(game, hidden_sizes=(self.hidden_size,) * 2, **training)
        return train(game, hidden_size=self.hidden_size, **training)


def separate_trunks(game: Game, *, hidden_sizes: tuple[int, int], **training: object) -> xr.Dataset:
    """Train with a trunk for each head instead of a shared one.

    Neither head can know of the other's task: the outcomes of a head, given the replica, are the
    same whatever the other is trained on. So S is at most 2 in every replica, and Delta and
    influence are 0, exactly.

    Parameters
    ----------
    game, training
        As `ncnet.train` takes them, but `hidden_size`, `aggregator`, `gradient_weights`,
        `head_start` and `trace`: losses alone are traced, there is no trunk with two gradients.
        Alice's trunk starts from the weights of the shared trunk of her size, Bob's of his.
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
    pair = isinstance(hidden_sizes, (tuple, list)) and len(hidden_sizes) == 2
    check(pair, f"`hidden_sizes` is {hidden_sizes!r}", "Alice's and Bob's")
    hidden_sizes = [check_integer("hidden_sizes", size, at_least=1) for size in hidden_sizes]
    _check_unset(training, *SET_BY_INTERVENTIONS, "trace")
    # A trunk that follows one head's gradient alone is that head's own.
    alice = train(game, hidden_size=hidden_sizes[0], gradient_weights=(1, 0), **training)
    bob = train(game, hidden_size=hidden_sizes[1], gradient_weights=(0, 1), **training)
    bobs = {name: bob[name].variable for name in ("b", "bob_loss") if name in bob}
    # The head that rides along on the other's trunk is nobody's, and so is what it diverges to.
    unsaid = {"diverged", "capacity"} - set(alice.dims)
    merged = alice.drop_vars(unsaid).assign(bobs).assign_attrs(hidden_sizes=hidden_sizes)
    for name in ("gradient_weights", "hidden_size"):
        merged.attrs.pop(name, None)
    return merged


def available_interventions(
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
    >>> list(available_interventions(3, lambdas=[0.0]))[:4]
    ['shared', 'separate, n each', 'separate, ⌈n/2⌉ each', 'separate, ⌊n/2⌋ each']
    """
    n = check_integer("hidden_size", hidden_size, at_least=1)
    check(isinstance(lambdas, (list, tuple)), f"`lambdas` is {lambdas!r}", "a list of numbers")
    lambdas = [check_number("λ", weight, 0, 1) for weight in lambdas]
    check_once("λ", lambdas)
    found = {SHARED: Intervention(n)}
    for name, size in {"n": n, "⌈n/2⌉": (n + 1) // 2, "⌊n/2⌋": n // 2}.items():
        if size:
            found[f"separate, {name} each"] = Intervention(size, shared=False)
    for weight in lambdas:
        found[f"λ = {weight:.15g}"] = Intervention(n, {"gradient_weights": (1.0, weight)})
    for name in ("PCGrad", "MGDA", "CAGrad"):
        found[name] = Intervention(n, {"aggregator": name.lower()})
    found["head start"] = Intervention(n, head_start=True)
    if small_steps:
        found[SMALL_STEPS] = replace(found[SHARED], steps_factor=SMALLER)
        found[f"PCGrad, {SMALL_STEPS}"] = replace(found["PCGrad"], steps_factor=SMALLER)
    return found


def interventions(
    game: Game,
    hidden_size: int,
    *,
    lambdas: Sequence[float] = LAMBDAS,
    small_steps: bool = True,
    among: Sequence[str] | None = None,
    steps: int = 2000,
    log_interval: int = 7,
    **training: object,
) -> pd.DataFrame:
    """Train with interventions and return one row for each.

    Parameters
    ----------
    game, hidden_size, steps, training
        As `ncnet.train` takes them.
    lambdas, small_steps
        See `available_interventions`.
    among
        Which of them to make; all by default. "shared" has a row in any case, the first.
    log_interval
        Steps between traced gradients, see `steps_to_trace`.

    Returns
    -------
    pandas.DataFrame
        ``intervention``, ``hidden_size``, the columns of `ncnet.chsh.Report.row`, `success` and
        `solved`; ``left_less_gone`` with ``_low`` and ``_high``, see the function of this name;
        where the trunk is shared, `manipulation_check`; but for "shared" itself, `change`
        and, where its S is above 2 (verdict and interval), `violation_removed`, whose intervals
        hold together over all available interventions at 95 %; ``game``. NaN elsewhere.

    Raises
    ------
    ValueError
        For an unknown intervention, or an argument that interventions set themselves.

    Examples
    --------
    >>> import ncnet
    >>> table = interventions(ncnet.games.overlap(), 2, replicas=64, seed=0, steps=20)
    >>> table.loc[table["intervention"] == "separate, n each", "influence"].item()
    0.0
    """
    _check_unset(training, *SET_BY_INTERVENTIONS)
    available = available_interventions(hidden_size, lambdas=lambdas, small_steps=small_steps)
    names = dict.fromkeys([SHARED, *(available if among is None else among)])
    for name in names:
        check_choice("intervention", name, available)
    level = simultaneous_level(len(available) - 1)
    gradients_too = {"trace_steps": steps_to_trace(steps, log_interval), "trace": ["gradients"]}
    rows = []
    for name in names:
        traced = gradients_too if available[name].shared else {}
        outcomes = available[name].train(game, steps=steps, **training, **traced)
        row = {"intervention": name, "hidden_size": available[SHARED].hidden_size}
        row |= chsh.report(outcomes).row() | success(outcomes) | solved(outcomes)
        row |= manipulation_check(outcomes) if traced else {}
        if name == SHARED:
            baseline, shared_s = outcomes, chsh.s_per_replica(outcomes).values
            violates = row["verdict"] == "above 2" and violation(baseline, level, 0)[1][0] > 0
        else:
            row |= change(outcomes, baseline, level=level)
            row |= violation_removed(outcomes, baseline, level=level) if violates else {}
        left = left_less_gone(chsh.s_per_replica(outcomes).values, shared_s)
        rows.append(row | columns_of("left_less_gone", left))
    return pd.DataFrame(rows).reindex(columns=[*rows[0], *OF_CHANGE]).assign(game=game.name)


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
        Seeds the bootstrap over replicas.

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
    given, without = (
        {"s_change": chsh.s_per_replica(one), "influence_change": chsh.influence(one).sum("task")}
        for one in _same_replicas(outcomes, baseline)
    )
    # Equal values that were summed in another order count as equal.
    changes = {name: (given[name] - without[name]).round(9) for name in CHANGES}
    return means_with_ends(changes, CHANGES, level=level, seed=seed)


def violation_removed(
    outcomes: xr.Dataset, baseline: xr.Dataset, *, level: float = 0.95, seed: int = 0
) -> dict[str, float]:
    """Return which share of the violation, S - 2, an intervention removes.

    Parameters
    ----------
    outcomes, baseline, level, seed
        As `change` takes them.

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
        Where the baseline's S is not above 2 with its interval: there is no violation to remove.

    Examples
    --------
    A box of Popescu and Rohrlich, S = 4, and what is left of it with S = 2:

    >>> ones = np.ones((2, 2, 400, 8))
    >>> box = chsh.as_dataset((ones, ones * chsh.SIGNS.values[:, :, None, None]))
    >>> violation_removed(chsh.as_dataset((ones, ones)), box)["removed"]
    1.0
    """
    level, _, seed = check_resampling(level, RESAMPLES, seed)
    outcomes, baseline = _same_replicas(outcomes, baseline)
    before, ends, _ = violation(baseline, level, seed)
    after, left, method = violation(outcomes, level, seed)
    found = f"S without the intervention exceeds 2 by {before.mean():.3f} {ends.round(3)}"
    check(ends[0] > 0, found, "an interval above 0")
    if method == "betting":
        shares = 1 - np.outer(left, 1 / ends)
        low, high = shares.min(), shares.max()
    else:
        columns, counts = distinct_columns(np.stack([before, after]))
        drawn = resampled_means(columns, counts, resamples=RESAMPLES, seed=seed)
        low, high = percentile_interval(1 - drawn[1] / drawn[0], level, counts.sum())
    return with_ends("removed", float(1 - after.mean() / before.mean()), (float(low), float(high)))


def left_less_gone(s: np.ndarray, shared_s: np.ndarray) -> Estimate:
    """Return what is left of the violation, S - 2, less what is gone of it, in units of S.

    It is the mean of 2 S - S(shared) - 2: below 0 where more than half of the violation is gone.
    Of the shared trunk itself nothing is gone: there it is the violation.

    Parameters
    ----------
    s, shared_s
        S of the same replicas with an intervention and without [replicas].

    Returns
    -------
    ncnet.estimates.Estimate
        With its exact 95 % interval, which holds by itself.

    Examples
    --------
    With S = 2.5 there is a violation of 0.5, of which 0.25 is as much left as gone:

    >>> before = np.full(1600, 2.5)
    >>> for after in (2.5, 2.25, 2.0):
    ...     print(left_less_gone(np.full(1600, after), before))
    0.50 [0.46, 0.52]
    0.00 [-0.04, 0.03]
    -0.50 [-0.54, -0.47]
    """
    values = 2 * s - shared_s - chsh.CLASSICAL_BOUND
    return mean_of_replicas(values, bounds=LEFT_LESS_GONE, level=LEVEL)


def violation(outcomes: xr.Dataset, level: float, seed: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Return S - 2 of every replica, its interval at half of the error, and how that was made.

    Parameters
    ----------
    outcomes, level, seed
        As `change` takes them. Of the error, 1 - `level`, half is left to another interval.

    Returns
    -------
    tuple
        S - 2 [replicas]; the interval of its mean [2]; "percentile bootstrap" or "betting".

    Examples
    --------
    >>> ones = np.ones((2, 2, 400, 8))
    >>> values, interval, method = violation(chsh.as_dataset((ones, ones)), level=0.95, seed=0)
    >>> values.max().item(), method
    (0.0, 'betting')
    """
    s = chsh.s_per_replica(outcomes).values
    interval, method = chsh.s_interval(s, level=1 - (1 - level) / 2, resamples=RESAMPLES, seed=seed)
    return s - chsh.CLASSICAL_BOUND, np.array(interval) - chsh.CLASSICAL_BOUND, method


def _check_unset(training: Mapping[str, object], *names: str) -> None:
    for name in names:
        check(name not in training, f"`{name}` is given", "none: an intervention sets it itself")


def _same_replicas(*pair: xr.Dataset) -> list[xr.Dataset]:
    pair = [chsh.as_dataset(outcomes) for outcomes in pair]
    given, without = (
        [one.attrs.get("game"), one.attrs.get("seed"), one["replica"].values.tolist()]
        for one in pair
    )
    found = f"game, seed, replicas are {shown(given)} with and {shown(without)} without"
    check(given == without, found, "the same")
    return pair
