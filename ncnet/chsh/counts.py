"""The counts of a Bell test in which every trial has one context."""

import numpy as np
import xarray as xr


def from_counts(counts: np.ndarray) -> xr.Dataset:
    """Return correlators and marginals of a Bell test that is published as counts.

    For experiments with one context a trial: there are no replicas in four contexts that `report`
    could resample. What takes means (`s_value`, `facets`, `delta`, `contextuality`,
    `local_fraction` ...) takes this.

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
    counts = np.asarray(counts)
    if counts.shape != (2, 2, 2, 2):
        raise ValueError(f"counts have shape {counts.shape}: expected an array (2, 2, 2, 2)")
    if counts.dtype.kind not in "iuf":
        raise ValueError(f"a count is {counts.ravel().tolist()[0]!r}: expected a number")
    wrong = ~(np.isfinite(counts) & (counts >= 0))
    if wrong.any():
        raise ValueError(f"a count is {counts[wrong][0]}: expected a finite number of at least 0")
    trials = counts.sum(axis=(2, 3))
    if (trials == 0).any():
        i, j = np.argwhere(trials == 0)[0] + 1
        raise ValueError(f"context ({i},{j}) has no trials: expected some in each context")
    outcome = np.array([1, -1])
    means = {
        "correlator": np.einsum("ijab,a,b->ij", counts, outcome, outcome) / trials,
        "alice": np.einsum("ijab,a->ij", counts, outcome) / trials,
        "bob": np.einsum("ijab,b->ij", counts, outcome) / trials,
        "trials": trials,
    }
    settings = {"alice_setting": [1, 2], "bob_setting": [1, 2]}
    return xr.Dataset({name: (tuple(settings), value) for name, value in means.items()}, settings)
