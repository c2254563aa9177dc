"""The counts of a Bell test in which every trial has one context."""

import numpy as np
import xarray as xr

from ncnet.checks import check, check_number
from ncnet.chsh.correlators import SETTINGS
from ncnet.chsh.outcomes import as_array

OUTCOMES = np.array([1, -1])
"""In the order in which counts have them."""


def from_counts(counts: np.ndarray) -> xr.Dataset:
    """Return correlators and marginals of a Bell test that is published as counts.

    For experiments with one context a trial: there are no replicas in four contexts that `report`
    could resample. `bell_test` has all in one call, with intervals. Of single statistics, `delta`,
    `marginal_changes`, `excess`, `excess_bound`, `decomposition`, `local_fraction`
    and `coupling_deficit` take what this returns; `s_value`, `s_odd`, `facets` and
    `arcsine_excess` take its `correlator`.

    Parameters
    ----------
    counts
        [2, 2, 2, 2]: Alice's setting, Bob's setting, a, b; outcomes in the order +1, -1.

    Returns
    -------
    xarray.Dataset
        `correlator`, `alice`, `bob`, means in each context, and `trials`, their number.

    Raises
    ------
    ValueError
        For another shape, a count that is negative or no number, or a context without trials.

    Examples
    --------
    >>> means = from_counts(np.full((2, 2, 2, 2), 25))
    >>> float(means.correlator[0, 0]), int(means.trials.sum())
    (0.0, 400)
    """
    counts = read_counts(counts)
    trials = counts.sum(axis=(2, 3))
    means = {
        "correlator": np.einsum("ijab,a,b->ij", counts, OUTCOMES, OUTCOMES) / trials,
        "alice": np.einsum("ijab,a->ij", counts, OUTCOMES) / trials,
        "bob": np.einsum("ijab,b->ij", counts, OUTCOMES) / trials,
        "trials": trials,
    }
    return xr.Dataset({name: (tuple(SETTINGS), value) for name, value in means.items()}, SETTINGS)


def read_counts(counts: np.ndarray, *, whole: bool = False) -> np.ndarray:
    """Return counts [2, 2, 2, 2] of any type of number as floats, or raise ``ValueError``.

    >>> read_counts(np.full((2, 2, 2, 2), 0.5), whole=True)
    Traceback (most recent call last):
    ValueError: `count` is 0.5: expected a whole number
    """
    counts = as_array(counts)
    expected = "an array (2, 2, 2, 2) of Alice's setting, Bob's setting, a, b"
    check(counts.shape == (2, 2, 2, 2), f"counts have shape {counts.shape}", expected)
    for count in counts.ravel().tolist():
        check_number("count", count, 0)
        check(not whole or count % 1 == 0, f"`count` is {count}", "a whole number")
    counts = counts.astype(float)
    for (i, j), trials in np.ndenumerate(counts.sum(axis=(2, 3))):
        check(trials, f"context ({i + 1},{j + 1}) has no trials", "some in each context")
    return counts
