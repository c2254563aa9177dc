"""Signalling and influence: changes of one party's outcomes with the other's setting.

*Signalling* shows in the marginals, the means of one party's outcomes. *Influence* is the change of
outcomes themselves, replica by replica and item by item, of which most may cancel in the means.
Both are 0 for parties that cannot influence each other and start each replica alike in every
context. ``S - 2 <= influence`` and ``Delta <= influence`` always: with a11 in place of a12, a21 of
a22, b11 of b21 and b12 of b22, S is at most 2, and each exchange moves S by no more than the
change that it undoes.
"""

import itertools
from collections.abc import Callable
from operator import sub

import numpy as np
import xarray as xr

from ncnet.checks import check, check_values
from ncnet.chsh.betting import Interval, betting_test
from ncnet.chsh.correlators import by_cluster, replica_means
from ncnet.chsh.outcomes import Outcomes, apart_in, as_dataset, select

PARTNERS = {"A1": ("B1", "B2"), "A2": ("B1", "B2"), "B1": ("A1", "A2"), "B2": ("A1", "A2")}
"""The two tasks that each task is trained beside."""
TASKS = tuple(PARTNERS)
CHANGE_BOUNDS = (-2.0, 2.0)


def marginals(
    outcomes: Outcomes, *, split: str = "training", readout: str = "correct"
) -> xr.Dataset:
    """Return the marginals: `alice`, means of a, and `bob`, means of b, in every context.

    >>> ones = np.ones((2, 2, 5, 8))
    >>> marginals((ones, -ones)).bob.values
    array([[-1., -1.],
           [-1., -1.]])
    """
    means = replica_means(outcomes, split=split, readout=readout)
    return means[["alice", "bob"]].mean("replica")


def marginal_changes(marginal: xr.Dataset) -> xr.DataArray:
    """Return how much each task's marginal changes with the other party's setting.

    Takes what `marginals`, `replica_means` or `from_counts` returns.

    Returns
    -------
    xarray.DataArray
        Over `task` ("A1", "A2", "B1", "B2") in place of the settings: <A_i> with Bob's setting 1
        less <A_i> with 2, and <B_j> with Alice's setting 1 less <B_j> with 2.
    """
    return _by_task(sub, marginal.alice, marginal.bob)


def delta(marginal: xr.Dataset) -> xr.DataArray:
    """Return Delta, the signalling seen in the marginals: the sum of their absolute changes.

    ``Delta = sum_i |<A_i>_{j=1} - <A_i>_{j=2}| + sum_j |<B_j>_{i=1} - <B_j>_{i=2}|``, from 0 (no
    signalling) to 8 (Kujala, Dzhafarov, Larsson, PRL 115, 150401, arXiv 1412.4724). Estimated
    from replicas it is biased upwards where the true changes are near 0.

    Examples
    --------
    Alice answers with Bob's setting, +1 or -1:

    >>> a = np.ones((2, 2, 5, 8))
    >>> a[:, 1] = -1
    >>> float(delta(marginals((a, np.ones_like(a)))))
    4.0
    """
    return abs(marginal_changes(marginal)).sum("task")


def influence(
    outcomes: Outcomes, *, split: str = "training", readout: str = "correct"
) -> xr.DataArray:
    """Return how often each task's outcome changes with the other party's setting, twofold.

    Outcomes of the same replica and item are compared. Summed over `task` and averaged over
    replicas, it is the influence, from 0 to 8: a bound for both S - 2 and Delta. It is defined only
    where the contexts of a replica differ in nothing but their tasks: between networks that start
    apart, outcomes differ without any influence.

    Returns
    -------
    xarray.DataArray
        Twice the share of items, over (task, replica) and `capacity` where there is one; of
        clusters as `replica_means` has them.

    Raises
    ------
    ValueError
        If the contexts of a replica have starts or batches of their own, as attrs say.

    Examples
    --------
    Alice's outcome changes on every item, one way on half of them and the other way on the rest:

    >>> a = np.ones((2, 2, 5, 8))
    >>> a[:, 0, :, :4] = a[:, 1, :, 4:] = -1
    >>> changed = influence((a, np.ones_like(a)))
    >>> changed.sum("task").mean().item(), delta(marginals((a, np.ones_like(a)))).item()
    (4.0, 0.0)
    """
    dataset = as_dataset(outcomes)
    apart = apart_in(dataset)
    found = f"the contexts of a replica differ in more than their tasks, by `{'`, `'.join(apart)}`"
    check(not apart, found, "nothing that differs, for an influence to be defined")
    return influence_of(select(dataset, split=split, readout=readout))


def influence_of(chosen: xr.Dataset) -> xr.DataArray:
    """Return `influence` of what `select` returns."""
    return by_cluster(_by_task(_share_changed, chosen.a, chosen.b))


def _share_changed(one: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    return 2 * (one != other).mean("item")


def delta_interval(change_intervals: np.ndarray) -> Interval:
    """Return the interval of Delta that intervals [4, 2] of the four changes add up to.

    Resampling Delta itself never covers a true 0: each resample adds up absolute values. The
    intervals of the changes add up as their errors may.
    """
    low, high = change_intervals.T
    nearest = np.maximum(0, np.maximum(low, -high))
    return float(nearest.sum()), float(np.maximum(abs(low), abs(high)).sum())


def deterministic_answers() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the 256 ways to answer in four contexts: Alice's and Bob's [256, 2, 2], and [256, 4].

    The last are the changes of the answers in A1, A2, B1, B2 with the other party's setting.
    """
    outcomes = np.array(list(itertools.product((1, -1), repeat=8))).reshape(-1, 2, 2, 2)
    alice, bob = outcomes[:, 0], outcomes[:, 1]
    return alice, bob, np.hstack([alice[..., 0] - alice[..., 1], bob[:, 0] - bob[:, 1]])


def no_signalling_test(changes: np.ndarray, counts: np.ndarray | None = None) -> float:
    """Return the p-value of "this marginal does not change with the other party's setting".

    It is twice the smaller p-value of two betting tests, of a change upwards and of one downwards.
    It is exact for independent replicas, to which more may be added and looked at again. There is
    one such test for each of the four tasks, to be corrected by `holm`.

    Parameters
    ----------
    changes
        One task's change in each replica, in [-2, 2], as `marginal_changes` gives it.
    counts
        How often each value is there; once each by default.

    Raises
    ------
    ValueError
        For no changes, or one outside -2 to 2.

    Examples
    --------
    >>> no_signalling_test(np.tile([0.5, -0.5], 100)), no_signalling_test(np.full(100, 0.5)) < 0.01
    (1.0, True)
    """
    changes = check_values("change", changes, *CHANGE_BOUNDS)
    sides = [
        betting_test(sign * changes, mean=0, lowest=CHANGE_BOUNDS[0], counts=counts)
        for sign in (1, -1)
    ]
    return min(1.0, 2 * min(sides))


def _by_task(compare: Callable, alice: xr.DataArray, bob: xr.DataArray) -> xr.DataArray:
    """Return each task's values beside the other party's setting 1, compared with beside 2."""
    of_alice = [alice.sel(bob_setting=setting, drop=True) for setting in (1, 2)]
    of_bob = [bob.sel(alice_setting=setting, drop=True) for setting in (1, 2)]
    compared = [
        compare(*of_alice).rename(alice_setting="task"),
        compare(*of_bob).rename(bob_setting="task"),
    ]
    return xr.concat(compared, "task").assign_coords(task=list(TASKS))
