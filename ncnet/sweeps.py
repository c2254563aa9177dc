"""Sweeps over a capacity: a report at each, and their outcomes as one long table."""

from collections.abc import Sequence

import pandas as pd
import xarray as xr

from ncnet import chsh, games
from ncnet.training import train


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
        The rows of `ncnet.chsh.by_capacity`, and the columns ``game`` and ``path``.

    Examples
    --------
    >>> rows = sweep("overlap", [2, 3], replicas=64, seed=0, steps=10)
    >>> rows[["game", "hidden_size"]].values.tolist()
    [['overlap', 2], ['overlap', 3]]
    """
    trained = [train(games.named(game), hidden_size=n, **training) for n in hidden_sizes]
    outcomes = xr.concat(trained, "capacity")
    return chsh.by_capacity(outcomes).assign(game=game, path=outcomes.attrs["path"])


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
    ranks = [
        chsh.from_table(of_rank.drop(columns="rank").astype({"split": str})).assign_coords(
            capacity=rank
        )
        for rank, of_rank in rows.groupby("rank")
    ]
    return xr.concat(ranks, "capacity").assign_attrs(paired=paired)
