"""Several reports as one table: over capacities, as a summary, and checked for errors."""

import numpy as np
import pandas as pd
import xarray as xr

from ncnet.checks import check
from ncnet.chsh.correlators import s_per_run
from ncnet.chsh.excess import decomposition, excess, excess_bound
from ncnet.chsh.outcomes import SETTINGS, Outcomes, as_dataset
from ncnet.chsh.report import report
from ncnet.chsh.significance import holm
from ncnet.chsh.text import estimate_text, number_text, p_value_text

BAND = (0.025, 0.975)
"""The quantiles between which 95 % of the runs fall."""


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
    Heads that are always right, at two capacities:

    >>> ones = np.ones((2, 2, 64, 4))
    >>> trainings = [as_dataset((ones, ones)).assign_coords(capacity=n) for n in (2, 3)]
    >>> by_capacity(xr.concat(trainings, "capacity"))[["capacity", "s"]].values.tolist()
    [[2.0, 2.0], [3.0, 2.0]]
    """
    dataset = as_dataset(outcomes)
    check("capacity" in dataset.coords, "outcomes have no coordinate `capacity`", "capacities")
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


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what matters most of several reports as a narrow table of text.

    Parameters
    ----------
    rows
        One row a report, as `by_capacity` or `Report.row` gives them.

    Returns
    -------
    pandas.DataFrame
        With the index of `rows`: S with the betting interval, by which a report judges it,
        S - Delta - 2 with its interval, Delta, influence, and the p-values of "S is at most 2" and
        of "S - Delta - 2 is at most 0", each adjusted by `holm` for the number of rows.

    Examples
    --------
    >>> ones = np.ones((2, 2, 1600, 8))
    >>> summary(pd.DataFrame([report((ones, ones)).row()])).iloc[0].tolist()
    ['2.000 [1.984, 2.005]', '1.000', '0.000', '0.000', '0.000 [-0.031, 0.018]', '1.000']
    """

    def with_interval(name: str, ends: str) -> list[str]:
        ends = zip(rows[name], rows[f"{ends}_low"], rows[f"{ends}_high"], strict=True)
        return [estimate_text(value, (low, high)) for value, low, high in ends]

    def adjusted(name: str) -> list[str]:
        return [p_value_text(p) for p in holm(rows[name])]

    return pd.DataFrame(
        {
            "S": with_interval("s", "s_betting"),
            "p (S ≤ 2)": adjusted("p_value"),
            "Δ": rows["delta"].map(number_text).tolist(),
            "influence": rows["influence"].map(number_text).tolist(),
            "S - Δ - 2": with_interval("excess", "excess"),
            "p (≤ 0)": adjusted("excess_p_value"),
        },
        index=rows.index,
    )


def identity_errors(rows: pd.DataFrame) -> dict[str, float]:
    """Return by how much the rows of a table miss what holds in any table of outcomes.

    Parameters
    ----------
    rows
        One row a report, as `by_capacity` or `Report.row` gives them.

    Returns
    -------
    dict
        ``identity``: by how much S differs, at most, from 2 and the terms of `decomposition`.
        ``bound``: by how much S - Delta - 2 passes `excess_bound`, at most. More than
        rounding in either would be an error.

    Examples
    --------
    >>> a, b = np.random.default_rng(0).choice([-1, 1], size=(2, 2, 2, 50, 8))
    >>> identity_errors(pd.DataFrame([report((a, b)).row()]))["identity"] < 1e-12
    True
    """
    means = xr.Dataset(
        {
            name: ((*SETTINGS, "row"), [[rows[f"{name}_{i}{j}"] for j in (1, 2)] for i in (1, 2)])
            for name in ("correlator", "alice", "bob")
        },
        SETTINGS,
    )
    off = abs(2 + decomposition(means).sum("term").values - rows["s"].to_numpy())
    beyond = excess(means) - excess_bound(means)
    return {"identity": float(off.max()), "bound": float(beyond.max())}
