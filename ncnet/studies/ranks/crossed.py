"""Intervals for what is claimed of other items too: replicas and items resampled, each on its own.

Where a network was tried on some sentences out of many, its outcomes vary with the sentences as
they do with its initial weights. Drawing replicas and items independently (Owen, The Annals of
Applied Statistics 1, 386, 2007, arXiv 0712.1111) takes in both; it errs, where it does, on the wide
side.
"""

import numpy as np
import xarray as xr

from ncnet.checks import check_integer
from ncnet.chsh.bootstrap import expanded_level, percentile_interval
from ncnet.chsh.correlators import SIGNS
from ncnet.chsh.outcomes import Outcomes, as_dataset, read


def crossed_means(
    outcomes: Outcomes, *, split: str = "training", resamples: int = 10_000, seed: int = 0
) -> xr.Dataset:
    """Return bootstrap means over replicas and items, drawn alike for all contexts and capacities.

    Returns
    -------
    xarray.Dataset
        `correlator`, `alice` and `bob`, as `ncnet.chsh.replica_means` has them, over
        (alice_setting, bob_setting, resample) and `capacity` where there is one. Items that are
        partners are drawn together; others (``paired`` is False) for each of the four tasks alone.

    Raises
    ------
    ValueError
        For outcomes with clusters: it is replicas that are resampled.

    Examples
    --------
    >>> ones = np.ones((2, 2, 20, 8))
    >>> float(crossed_means((ones, -ones), resamples=100).correlator.mean())
    -1.0
    """
    resamples = check_integer("resamples", resamples, at_least=1)
    seed = check_integer("seed", seed, at_least=0)
    dataset = as_dataset(outcomes)
    if "cluster" in dataset.coords:
        raise ValueError("outcomes have clusters: expected independent replicas, no `cluster`")
    a, b = read(dataset, split=split, readout="correct")
    paired = dataset.attrs.get("paired", True)
    generator = np.random.default_rng(seed)
    replicas = _weights(generator, a.sizes["replica"], resamples)
    # Of the tasks A1, A2, B1, B2.
    items = [_weights(generator, a.sizes["item"], resamples) for _ in range(1 if paired else 4)]
    items = items * 4 if paired else items

    def of_context(i: int, j: int) -> dict[str, np.ndarray]:
        here = {"alice_setting": i + 1, "bob_setting": j + 1}
        alice, bob = (x.sel(here).transpose(..., "replica", "item").values for x in (a, b))
        both = (alice * bob) @ items[0] if paired else (alice @ items[i]) * (bob @ items[2 + j])
        parts = {"correlator": both, "alice": alice @ items[i], "bob": bob @ items[2 + j]}
        return {name: np.einsum("...rk,rk->...k", part, replicas) for name, part in parts.items()}

    found = [[of_context(i, j) for j in (0, 1)] for i in (0, 1)]
    lead = [str(dimension) for dimension in a.dims if dimension == "capacity"]
    means = {
        name: ((*SIGNS.dims, *lead, "resample"), [[cell[name] for cell in row] for row in found])
        for name in ("correlator", "alice", "bob")
    }
    coordinates = {name: a[name] for name in (*SIGNS.dims, *lead)}
    return xr.Dataset(means, coordinates)


def crossed_interval(draws: xr.DataArray, *, replicas: int, level: float) -> np.ndarray:
    """Return the central interval of a statistic's draws [..., resample] as [..., 2].

    Parameters
    ----------
    draws
        The statistic of `crossed_means`, such as ``s_value(means.correlator)``.
    replicas
        How many replicas were resampled; with few, percentiles are taken further out.
    level
        Nominal coverage.

    Examples
    --------
    >>> draws = xr.DataArray(np.arange(10_001.0), dims="resample")
    >>> crossed_interval(draws, replicas=1_000_000, level=0.95).round()
    array([ 250., 9750.])
    """
    values = draws.transpose(..., "resample").values
    return percentile_interval(values, expanded_level(level, replicas))


def _weights(generator: np.random.Generator, count: int, resamples: int) -> np.ndarray:
    """Return the weights of units in each resample [count, resamples]: how often it is drawn."""
    drawn = generator.multinomial(count, np.full(count, 1 / count), size=resamples)
    return drawn.T / count
