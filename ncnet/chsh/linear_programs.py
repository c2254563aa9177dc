"""Linear programs that decide by enumeration what `facets` and `excess` have formulas for.

They know nothing of CHSH: they look for a distribution over deterministic answers. Each solves one
table of means in some 10 ms, where the formulas take whole atlases at once.
"""

import numpy as np
import xarray as xr

from ncnet.checks import check
from ncnet.chsh.correlators import OUTCOMES, cells_of
from ncnet.chsh.outcomes import SETTINGS
from ncnet.chsh.signalling import deterministic_answers, marginal_changes

ROUNDED = 1e-6
"""A probability may be as much below 0, as of means in single precision."""


def local_fraction(means: xr.Dataset) -> float:
    """Return the largest share of the outcomes that parties without influence could produce.

    It is the largest total weight of the 16 deterministic strategies (a1, a2, b1, b2) that fits
    into the four tables of cells (Abramsky and Brandenburger, New Journal of Physics 13, 113036,
    2011, arXiv 1102.0264). It is 1 exactly if a joint distribution exists (Fine, PRL 48, 291,
    1982); without signalling it is ``1 - max(0, s_odd - 2) / 2``.

    Parameters
    ----------
    means
        Means over replicas of what `replica_means` returns, or what `from_counts` returns.

    Raises
    ------
    ValueError
        For means of which no table of probabilities is possible.

    Examples
    --------
    >>> from ncnet.chsh import replica_means
    >>> ones = np.ones((2, 2, 5, 8))
    >>> local_fraction(replica_means((ones, ones)).mean("replica"))
    1.0
    """
    from scipy.optimize import linprog

    alice, bob, changes = deterministic_answers()
    local = (changes == 0).all(axis=1)  # these answer alike, whatever the other's setting
    best = linprog(-np.ones(local.sum()), A_ub=_fits(alice[local], bob[local]), b_ub=_cells(means))
    return float(-best.fun)


def coupling_deficit(means: xr.Dataset) -> float:
    """Return by how much outcomes have to change more often than their marginals force them to.

    A task's outcome is the same in both its contexts with some probability, and the largest that it
    could reach alone follows from its marginals. The deficit is the sum of these largest ones, less
    the largest sum over all joint distributions of the eight outcomes that have the four tables of
    cells. It is above 0 exactly if the table is contextual by default: then it is half of
    ``s_odd - Delta - 2`` (Kujala, Dzhafarov, Larsson, PRL 115, 150401, arXiv 1412.4724).

    Parameters
    ----------
    means
        Means over replicas of what `replica_means` returns, or what `from_counts` returns.

    Raises
    ------
    ValueError
        For means of which no table of probabilities is possible.

    Examples
    --------
    >>> from ncnet.chsh import replica_means
    >>> a = np.ones((2, 2, 5, 8))
    >>> a[1, 1] = -1  # S = 4, which the marginal of A2 explains
    >>> abs(coupling_deficit(replica_means((a, np.ones_like(a))).mean("replica"))) < 1e-9
    True
    """
    from scipy.optimize import linprog

    alice, bob, changes = deterministic_answers()
    same = (changes == 0).sum(axis=1)
    best = linprog(-same, A_eq=_fits(alice, bob), b_eq=_cells(means))
    alone = 1 - abs(marginal_changes(means)) / 2
    return float(alone.sum("task")) + best.fun


def _fits(alice: np.ndarray, bob: np.ndarray) -> np.ndarray:
    """Return whether answers [answers, 2, 2] by settings fall in each cell, [16, answers]."""
    a, b = ((party[..., None] == OUTCOMES).astype(float) for party in (alice, bob))
    return np.einsum("kija,kijb->ijabk", a, b).reshape(16, -1)


def _cells(means: xr.Dataset) -> np.ndarray:
    """Return the cells of four contexts [16], as `_fits` has them."""
    found = f"means have dimensions {list(means.sizes)}"
    check(set(means.sizes) == set(SETTINGS), found, list(SETTINGS))
    cells = cells_of(means.astype(float).sortby(list(SETTINGS))).transpose(*SETTINGS, "a", "b")
    lowest = cells.min(["a", "b"])
    for (i, j), probability in np.ndenumerate(lowest.values):
        found = f"context ({i + 1},{j + 1}) has a probability of {probability:.3g}"
        check(probability >= -ROUNDED, found, "a correlator and marginals of some table")
    # Four probabilities that add up to just 1, or else the program may find no answer.
    cells = cells.clip(min=0)
    return (cells / cells.sum(["a", "b"])).values.ravel()
