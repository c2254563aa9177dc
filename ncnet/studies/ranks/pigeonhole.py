"""Resample replicas and items, each on its own: the pigeonhole bootstrap.

Intervals about other items too need it. Where a network was tried on some sentences out of many,
its outcomes vary with the sentences as they do with its initial weights. Drawing replicas and items
independently (Owen, The Annals of Applied Statistics 1, 386, 2007, arXiv 0712.1111) takes in both.
Where such an interval errs, it is too wide.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from ncnet.checks import check, check_integer
from ncnet.chsh.bootstrap import drawn_shares, percentile_interval
from ncnet.chsh.outcomes import Outcomes, as_dataset, read
from ncnet.chsh.signalling import TASKS


def pigeonhole_means(
    outcomes: Outcomes,
    *,
    split: str = "training",
    tasks: Sequence[str] = TASKS,
    resamples: int = 10_000,
    seed: int = 0,
) -> xr.Dataset:
    """Return bootstrap means over replicas and items, drawn alike for all contexts and capacities.

    Parameters
    ----------
    outcomes
        Outcomes as `ncnet.chsh.report` takes them, perhaps with a dimension `capacity`.
    split
        Which items are resampled: "training" or "held_out".
    tasks
        Names of A1, A2, B1, B2. The items of a task are drawn from its name and the seed: alike in
        all outcomes of it, so that their draws may be compared.
    resamples, seed
        Number of bootstrap resamples, and the seed of their draw.

    Returns
    -------
    xarray.Dataset
        `correlator`, `alice` and `bob`, as `ncnet.chsh.replica_means` has them, over
        (alice_setting, bob_setting, resample) and `capacity` where there is one. Items that are
        partners are drawn together. Others (``paired`` is False) are drawn for each of the four
        tasks alone.

    Raises
    ------
    ValueError
        If outcomes have clusters, since replicas are what is resampled; for a split without items,
        or a number out of range.

    Examples
    --------
    >>> ones = np.ones((2, 2, 20, 8))
    >>> float(pigeonhole_means((ones, -ones), resamples=100).correlator.mean())
    -1.0
    """
    resamples = check_integer("resamples", resamples, at_least=1)
    seed = check_integer("seed", seed, at_least=0)
    dataset = as_dataset(outcomes)
    check("cluster" not in dataset.coords, "outcomes have clusters", "independent replicas")
    a, b = (party.astype(float) for party in read(dataset, split=split, readout="correct"))

    def weights(dimension: str, name: str = "") -> xr.DataArray:
        shares = drawn_shares(a.sizes[dimension], resamples, stream(seed, dimension, name))
        return xr.DataArray(shares.T, dims=(dimension, "resample"))

    replicas, paired = weights("replica"), dataset.attrs.get("paired", True)
    if paired:
        of_alice = of_bob = weights("item")
    else:
        settings = ((a["alice_setting"], tasks[:2]), (b["bob_setting"], tasks[2:]))
        of_alice, of_bob = (
            xr.concat([weights("item", name) for name in names], setting)
            for setting, names in settings
        )
    alice, bob = a.dot(of_alice, "item"), b.dot(of_bob, "item")
    both = (a * b).dot(of_alice, "item") if paired else alice * bob
    means = xr.Dataset({"correlator": both, "alice": alice, "bob": bob})
    return means.map(lambda values: values.dot(replicas, "replica"))


def stream(seed: int, dimension: str, name: str = "") -> np.random.Generator:
    """Return what draws replicas, items that are partners, or those of the task of this name.

    Two streams of one name draw alike, whatever they are drawn for.

    >>> int(stream(0, "item", "sst2").integers(100)), int(stream(0, "item", "mrpc").integers(100))
    (20, 83)
    """
    return np.random.default_rng([seed, *f"{dimension} {name}".encode()])


def pigeonhole_interval(draws: xr.DataArray, *, replicas: int, level: float) -> np.ndarray:
    """Return the central interval of a statistic's draws [..., resample] as [..., 2].

    Parameters
    ----------
    draws
        The statistic of `pigeonhole_means`, such as ``s_value(means.correlator)``.
    replicas
        Number of replicas that were resampled; with few, percentiles are taken further out.
    level
        Nominal coverage.

    Examples
    --------
    >>> draws = xr.DataArray(np.arange(10_001.0), dims="resample")
    >>> pigeonhole_interval(draws, replicas=1_000_000, level=0.95).round()
    array([ 250., 9750.])
    """
    values = draws.transpose(..., "resample").values
    return percentile_interval(values, level, replicas)
