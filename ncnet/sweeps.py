"""Sweeps over a capacity or a grid of choices, and writes outcomes as one long table."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import pandas as pd
import xarray as xr
from tqdm import tqdm

import ncnet  # whose `train` brings torch, when it is asked for
from ncnet import chsh, games, renamed
from ncnet.parts import Parts

READINGS = (*chsh.READOUTS, "loss")
"""All ways that an outcome may be read: the readouts, and whether a loss is small."""


def compute_grid(
    compute: Callable[..., pd.DataFrame],
    axes: Mapping[str, Iterable],
    *,
    parts: Parts | None = None,
    **shared: object,
) -> pd.DataFrame:
    """Return the tables of all cells of a grid, one below the other.

    Parameters
    ----------
    compute
        Makes the table of a cell, which it is given by keyword: a value of each axis, and `shared`.
    axes
        The values of each axis, by the keyword that takes them; the last axis changes fastest.
    parts
        Keeps the table of each cell, for a run that may be cut off.
    shared
        The arguments that all cells have in common.

    Examples
    --------
    >>> def power(base, exponent):
    ...     return pd.DataFrame({"power": [base**exponent]})
    >>> compute_grid(power, {"base": [2, 3]}, exponent=2)["power"].tolist()
    [4, 9]
    """
    tables = []
    for values in tqdm(list(itertools.product(*axes.values())), "grid", disable=None):
        cell = dict(zip(axes, values, strict=True)) | shared
        make = partial(compute, **cell)
        tables.append(parts.part(cell, make) if parts else make())
    return pd.concat(tables, ignore_index=True)


def sweep(game: str, hidden_sizes: Sequence[int], **training: object) -> pd.DataFrame:
    """Return a report for each number of hidden units, every one with networks of its own.

    Parameters
    ----------
    game
        Its name.
    hidden_sizes
        Numbers of hidden units.
    training
        Replicas, seed, steps and the rest, as `ncnet.train` takes them.

    Returns
    -------
    pandas.DataFrame
        The rows of `ncnet.chsh.by_capacity`, and the columns ``game`` and ``backend``.

    Examples
    --------
    >>> rows = sweep("overlap", [2, 3], replicas=64, seed=0, steps=10)
    >>> rows[["game", "hidden_size"]].values.tolist()
    [['overlap', 2], ['overlap', 3]]
    """
    trained = [ncnet.train(games.named(game), hidden_size=n, **training) for n in hidden_sizes]
    outcomes = xr.concat(trained, "capacity")
    return chsh.by_capacity(outcomes).assign(game=game, backend=outcomes.attrs["backend"])


def means_by_reading(outcomes: xr.Dataset) -> dict[str, xr.Dataset]:
    """Return what `ncnet.chsh.replica_means` gives, in each way that an outcome may be read.

    Parameters
    ----------
    outcomes
        As `ncnet.train` returns them, with the losses at the end of training.

    Returns
    -------
    dict
        By each of `READINGS`.

    Examples
    --------
    >>> options = {"hidden_size": 3, "replicas": 64, "seed": 0, "steps": 10, "trace_steps": [10]}
    >>> trained = ncnet.train(games.overlap(), **options).squeeze("step")
    >>> list(means_by_reading(trained))
    ['correct', 'solved', 'prediction', 'loss']
    """
    found = {one: chsh.replica_means(outcomes, readout=one) for one in chsh.READOUTS}
    learnt = chsh.from_losses(outcomes["alice_loss"], outcomes["bob_loss"])
    return found | {"loss": chsh.replica_means(learnt)}


def outcome_rows(outcomes: xr.Dataset) -> pd.DataFrame:
    """Return outcomes as a long table, one row for each rank, context, replica and item.

    Within a rank its columns are those that `ncnet.chsh.from_table` reads; `from_rows` undoes it.
    """
    frame = outcomes[["a", "b", "split"]].to_dataframe().reset_index()
    context = 10 * frame["alice_setting"] + frame["bob_setting"]
    frame = frame.assign(rank=frame["capacity"], context=context.astype("int8"))
    columns = ["rank", "context", "replica", "item", "split", "a", "b"]
    return frame[columns].astype({"replica": "int32", "item": "int32", "split": "category"})


def from_rows(rows: pd.DataFrame, *, paired: bool) -> xr.Dataset:
    """Return the outcomes that `outcome_rows` wrote, of one quartet."""
    outcomes = chsh.from_table(rows.astype({"split": str}), columns={"capacity": "rank"})
    outcomes = outcomes if "capacity" in outcomes.dims else outcomes.expand_dims("capacity")
    return outcomes.assign_attrs(paired=paired)


__getattr__ = renamed.names(__name__, {"run_grid": "compute_grid"})
