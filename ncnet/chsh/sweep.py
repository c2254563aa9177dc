"""Reports over a sweep of capacities, as one table."""

import numpy as np
import pandas as pd

from ncnet.chsh.correlators import s_per_run
from ncnet.chsh.outcomes import Outcomes, as_dataset
from ncnet.chsh.report import report

BAND = (0.025, 0.975)


def by_capacity(outcomes: Outcomes, *, readout: str = "correct") -> pd.DataFrame:
    """Return one row a capacity: the report, and the band that 95 % of the runs fall in.

    The interval says where the mean over initialisations lies; the band says how far single
    runs of 32 replicas scatter, however many there are.

    Parameters
    ----------
    outcomes
        A Dataset with `capacity`, alone or as a dimension (`xarray.concat` of trainings).
    readout
        See `report`.

    Returns
    -------
    pandas.DataFrame
        The capacity under its own name (``hidden_size``, ``steps`` ...), the columns of
        `Report.row`, and `run_low` and `run_high`.

    Examples
    --------
    >>> import ncnet
    >>> outcomes = ncnet.train(
    ...     ncnet.games.overlap(), hidden_size=2, replicas=64, seed=0, steps=[0, 10]
    ... )
    >>> by_capacity(outcomes).steps.tolist()
    [0, 10]
    """
    dataset = as_dataset(outcomes)
    if "capacity" not in dataset.coords:
        raise ValueError("outcomes have no coordinate `capacity`")
    if "capacity" not in dataset.dims:
        dataset = dataset.expand_dims("capacity")
    runs = s_per_run(dataset, readout=readout).transpose("capacity", "run")
    bands = np.quantile(runs.values, BAND, axis=1)
    name = dataset["capacity"].attrs.get("capacity_name", "capacity")
    rows = [
        {name: capacity}
        | report(dataset.sel(capacity=capacity), readout=readout).row()
        | {"run_low": low, "run_high": high}
        for capacity, low, high in zip(dataset["capacity"].values.tolist(), *bands, strict=True)
    ]
    return pd.DataFrame(rows)
