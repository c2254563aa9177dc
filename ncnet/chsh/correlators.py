"""Correlators, S and the facets of a CHSH experiment.

S = C(A1,B1) + C(A1,B2) + C(A2,B1) - C(A2,B2), the minus sign fixed at (2,2) in advance
(Clauser, Horne, Shimony, Holt, PRL 23, 880, 1969; arXiv 2603.04451). Parties that share causes but
do not influence each other, with settings chosen independently of those causes, have |S| <= 2;
quantum mechanics allows 2 sqrt(2) (Tsirelson, Lett. Math. Phys. 4, 93, 1980), and the algebra of
four correlators 4.
"""

import math

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import renamed
from ncnet.checks import check, check_integer
from ncnet.chsh.outcomes import SETTINGS, Outcomes, as_array, as_dataset, select

SIGNS = xr.DataArray(
    [[1, 1], [1, -1]], SETTINGS, dims=tuple(SETTINGS), name="sign of the context in S"
)
_FACETS = ("+++-", "++-+", "+-++", "-+++", "---+", "--+-", "-+--", "+---")
FACETS = xr.DataArray(
    np.reshape([int(f"{sign}1") for facet in _FACETS for sign in facet], (8, 2, 2)),
    {"facet": list(_FACETS), **SETTINGS},
    dims=("facet", *SETTINGS),
    name="sign of the context in each facet",
)
CLASSICAL_BOUND = 2.0
TSIRELSON_BOUND = 2 * math.sqrt(2)
ALGEBRAIC_BOUND = 4.0
OUTCOMES = np.array([1, -1])
"""The two outcomes, in the order in which counts and cells have them."""
REPLICAS_PER_RUN = 32
"""The replicas in one run: the paper scatters S over 50 runs, without saying what each averages."""


def replica_means(
    outcomes: Outcomes, *, split: str = "training", readout: str = "correct"
) -> xr.Dataset:
    """Return each replica's means over items: everything below averages these over replicas.

    Returns
    -------
    xarray.Dataset
        `correlator`, the mean of a*b; `alice` and `bob`, the means of a and b; all over
        (alice_setting, bob_setting, replica) and `capacity` where there is one. Where items of
        the two parties are not partners (attribute ``paired`` is false), `correlator` is the
        product of the means. Where outcomes have a coordinate `cluster`, each entry of `replica`
        is the mean of a cluster's replicas, with its name.

    Examples
    --------
    >>> ones = np.ones((2, 2, 5, 8))
    >>> replica_means((ones, -ones)).correlator.sizes["replica"]
    5
    """
    chosen = select(as_dataset(outcomes), split=split, readout=readout)
    return by_cluster(item_means(chosen))


def item_means(chosen: xr.Dataset) -> xr.Dataset:
    """Return what `replica_means` averages over clusters, of what `select` returns."""
    alice, bob = chosen.a.mean("item"), chosen.b.mean("item")
    paired = chosen.attrs.get("paired", True)
    correlator = (chosen.a * chosen.b).mean("item") if paired else alice * bob
    means = xr.Dataset({"correlator": correlator, "alice": alice, "bob": bob})
    return means.drop_attrs()


def by_cluster(values: xr.Dataset | xr.DataArray) -> xr.Dataset | xr.DataArray:
    """Return values of replicas, averaged over those of a cluster where there are clusters.

    Replicas of a cluster depend on each other: clusters are the independent units then, and each
    counts alike, however many replicas it has.

    Parameters
    ----------
    values
        Over `replica`, the last dimension, perhaps with a coordinate `cluster`.

    Examples
    --------
    >>> by_cluster(xr.DataArray([1, 2, 6], {"cluster": ("replica", ["x", "y", "y"])}, "replica"))
    <xarray.DataArray (replica: 2)> Size: 16B
    array([1., 4.])
    Coordinates:
      * replica  (replica) <U1 8B 'x' 'y'
    """
    if "cluster" not in values.coords:
        return values
    places, names = pd.factorize(values["cluster"].values)
    order, counts = np.argsort(places, kind="stable"), np.bincount(places)
    starts = np.cumsum(counts) - counts
    averaged = xr.apply_ufunc(
        lambda array: np.add.reduceat(array[..., order], starts, axis=-1) / counts,
        values,
        input_core_dims=[["replica"]],
        output_core_dims=[["replica"]],
        exclude_dims={"replica"},
    )
    return averaged.assign_coords(replica=names)


def correlators(
    outcomes: Outcomes, *, split: str = "training", readout: str = "correct"
) -> xr.DataArray:
    """Return the correlators C(Ai,Bj), means of a*b over items and replicas.

    Examples
    --------
    Two parties that always fail are as correlated as two that always succeed:

    >>> failures = -np.ones((2, 2, 5, 8))
    >>> correlators((failures, failures)).values
    array([[1., 1.],
           [1., 1.]])
    """
    return replica_means(outcomes, split=split, readout=readout).correlator.mean("replica")


def s_value(correlator: xr.DataArray | np.ndarray) -> xr.DataArray | float:
    """Return S of correlators: a DataArray over both settings, or an array [2, 2].

    Other dimensions of a DataArray stay, so that S of every replica or capacity comes at once.

    Raises
    ------
    ValueError
        For a missing dimension, settings other than 1 and 2, an array of another shape, or a
        Dataset of means, whose `correlator` it takes.

    Examples
    --------
    The Popescu-Rohrlich box reaches the algebraic bound:

    >>> s_value([[1, 1], [1, -1]])
    4.0
    """
    if isinstance(correlator, (xr.DataArray, xr.Dataset)):
        _check_settings(correlator)
        return (SIGNS * correlator).sum(SIGNS.dims)
    array = as_array(correlator).astype(float)
    check(array.shape == (2, 2), f"correlators have shape {array.shape}", "(2, 2)")
    return float((SIGNS.values * array).sum())


def facets(correlator: xr.DataArray) -> xr.DataArray:
    """Return the sums of the four correlators with an odd number of minus signs: eight of them.

    Together with the ranges of probabilities, "none of them is above 2" is necessary and
    sufficient for parties without influence, provided that nothing signals (Fine, PRL 48, 291,
    1982). The first, ``+++-``, is S; a label gives the signs of (1,1), (1,2), (2,1), (2,2).

    Examples
    --------
    >>> ones = np.ones((2, 2, 5, 8))
    >>> facets(correlators((ones, ones))).values
    array([ 2.,  2.,  2.,  2., -2., -2., -2., -2.])
    """
    _check_settings(correlator)
    return (FACETS * correlator).sum(SIGNS.dims)


def _check_settings(correlator: xr.DataArray) -> None:
    """Raise ``ValueError`` unless correlators are over both settings, 1 and 2."""
    if isinstance(correlator, xr.Dataset):
        raise ValueError("correlators are a Dataset: did you mean its `.correlator`?")
    for setting, expected in SETTINGS.items():
        check(setting in correlator.dims, f"correlators have no dimension `{setting}`", "it")
        found = correlator[setting].values.tolist() if setting in correlator.coords else expected
        check(sorted(found) == expected, f"`{setting}` is {found}", expected)


def s_odd(correlator: xr.DataArray) -> xr.DataArray:
    """Return the largest of the eight facets: how far the correlators pass 2 in any direction.

    A maximum of eight, chosen after the fact: it exceeds 2 whenever one context's deficit 1 - E
    is larger than the other three together, whichever that is.

    >>> ones = np.ones((2, 2, 5, 8))
    >>> float(s_odd(correlators((ones, -ones))))
    2.0
    """
    return facets(correlator).max("facet")


def arcsine_excess(correlator: xr.DataArray) -> xr.DataArray:
    """Return by how much the correlators pass the quantum set, in radians; at most 0 within it.

    The largest of ``|arcsin E11 + arcsin E12 + arcsin E21 + arcsin E22 - 2 arcsin E_k| - pi`` over
    the four contexts k. At most 0 is necessary and sufficient for correlators of two parties with
    two settings (Tsirelson, J. Soviet Math. 36, 557, 1987; Landau, Found. Phys. 18, 449, 1988;
    Masanes, quant-ph/0309137). It looks at correlators alone: where marginals change with the
    other's setting no quantum experiment without influence gives them. ``S <= 2 sqrt(2)`` is
    necessary but not sufficient.

    Examples
    --------
    >>> E = xr.DataArray([[1, 1], [1, -1]], dims=("alice_setting", "bob_setting"))
    >>> abs(float(arcsine_excess(E / 2**0.5))) < 1e-12  # Tsirelson's bound
    True
    >>> bool(arcsine_excess(0.99 * E) > 0), bool(arcsine_excess(0.5 * E) > 0)
    (True, False)
    """
    return facets(np.arcsin(correlator.clip(-1, 1))).max("facet") - np.pi


def s_per_replica(
    outcomes: Outcomes, *, split: str = "training", readout: str = "correct"
) -> xr.DataArray:
    """Return S of every replica, in [-4, 4], over `replica` (and `capacity`).

    >>> ones = np.ones((2, 2, 3, 8))
    >>> s_per_replica((ones, ones)).values
    array([2., 2., 2.])
    """
    return s_value(replica_means(outcomes, split=split, readout=readout).correlator)


@renamed.keywords(run_length="replicas_per_run")
def s_per_run(
    outcomes: Outcomes,
    *,
    replicas_per_run: int = REPLICAS_PER_RUN,
    split: str = "training",
    readout: str = "correct",
) -> xr.DataArray:
    """Return S of every run of consecutive replicas, over `run` (and `capacity`).

    Raises
    ------
    ValueError
        Where the replicas do not divide into whole runs: leaving some out would be a choice
        after the fact.

    Examples
    --------
    >>> ones = np.ones((2, 2, 64, 8))
    >>> s_per_run((ones, ones)).values
    array([2., 2.])
    """
    replicas_per_run = check_integer("replicas_per_run", replicas_per_run, at_least=1)
    values = s_per_replica(outcomes, split=split, readout=readout)
    replicas = values.sizes["replica"]
    below = replicas - replicas % replicas_per_run
    nearest = " or ".join(str(count) for count in (below, below + replicas_per_run) if count)
    found = f"{replicas} replicas do not divide into runs of {replicas_per_run}"
    check(below == replicas, found, nearest)
    values = values.drop_vars("replica", errors="ignore")
    return values.coarsen(replica=replicas_per_run).mean().rename(replica="run")


def cells(outcomes: Outcomes, *, split: str = "training", readout: str = "correct") -> xr.DataArray:
    """Return the four cells of every context: how often each pair of outcomes occurred.

    A correlator alone hides whether two parties agree in success or in failure.

    Returns
    -------
    xarray.DataArray
        Probabilities over `a`, `b` (+1, -1), `alice_setting` and `bob_setting`.

    Examples
    --------
    >>> ones = np.ones((2, 2, 5, 8))
    >>> cells((ones, -ones)).sel(a=1, b=-1).values
    array([[1., 1.],
           [1., 1.]])
    """
    means = replica_means(outcomes, split=split, readout=readout).mean("replica")
    return cells_of(means).clip(0, 1)  # rounding may leave -1e-17


def cells_of(means: xr.Dataset) -> xr.DataArray:
    """Return the cells of a table of means, as `cells` has them, but for rounding."""
    a, b = (xr.DataArray(OUTCOMES, {party: OUTCOMES}, party) for party in ("a", "b"))
    return (1 + a * means.alice + b * means.bob + a * b * means.correlator) / 4
