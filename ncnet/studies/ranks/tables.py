"""Writes what became of pairs of tasks as long tables, and reads it back.

Networks are told apart by rank, the two tasks, whose second is empty where one is trained alone,
and the replica. A column `look` says after which share of the steps something was seen: 1 at the
end.
"""

import json
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr

from ncnet.checks import check
from ncnet.chsh import collect_pairs, replica_interval
from ncnet.chsh.pairs import HEADS, NAMES

END = 1.0
NETWORK = ["rank", *NAMES, "replica"]
LOOKED = ["cosine", *(f"{head}_lookahead" for head in HEADS)]
SPLITS = {"training": "right", "held_out": "held_out_right"}
_as_json = partial(json.dumps, sort_keys=True)


def outcome_rows(pairs: xr.Dataset) -> pd.DataFrame:
    """Return one row for each network, look and item, with the outcome of either head.

    Parameters
    ----------
    pairs
        As `ncnet.encoders.train` returns them.

    Returns
    -------
    pandas.DataFrame
        The columns that tell networks apart, ``look``, ``item``, ``split``, and ``first`` and
        ``second``, which is 0 where a task is alone. `from_outcome_rows` undoes it.
    """
    seen = {END: pairs[list(HEADS)]}
    if "look" in pairs.dims:
        renamed = {f"{head}_along": head for head in HEADS}
        along = pairs[[*renamed]].rename(renamed)
        seen |= {look: along.sel(look=look, drop=True) for look in pairs["look"].values.tolist()}
    parts = []
    for look, outcomes in sorted(seen.items()):
        rows = outcomes.drop_vars(["task", "target"], errors="ignore").to_dataframe()
        parts.append(rows.reset_index().assign(look=look))
    frame = pd.concat(parts, ignore_index=True).rename(columns={"capacity": "rank"})
    kinds = dict.fromkeys([*NAMES, "split"], "category") | {"replica": "int32", "item": "int32"}
    return frame[[*NETWORK, "look", "item", "split", *HEADS]].astype(kinds)


def from_outcome_rows(rows: pd.DataFrame, *, paired: bool) -> xr.Dataset:
    """Return the outcomes at the end that `outcome_rows` wrote, of networks of one kind.

    Pairs are all those that there are at every rank, and replicas those that all of these have:
    without any, ``ValueError`` is raised.
    """
    at_end = _complete(rows[rows["look"] == END])
    items = at_end.drop_duplicates("item").sort_values("item")
    shape = [at_end[name].nunique() for name in ("rank", "replica", "item")]
    found = {}
    for names, of_pair in at_end.groupby(list(NAMES), observed=True):
        of_pair = of_pair.sort_values(["rank", "replica", "item"])
        pair = tuple(filter(None, names))
        found[pair] = [of_pair[head].to_numpy().reshape(shape) for head in HEADS[: len(pair)]]
    pairs = collect_pairs(
        found,
        split=items["split"].tolist(),
        capacities=np.sort(at_end["rank"].unique()),
        capacity_name="rank",
        paired=paired,
    )
    return pairs.assign_coords(replica=np.sort(at_end["replica"].unique()))


def _complete(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of pairs that are there at every rank, and of replicas of all of these."""
    networks = rows[NETWORK].drop_duplicates()
    pairs = networks.groupby(list(NAMES), observed=True)["rank"].nunique()
    pairs = pairs.index[pairs == networks["rank"].nunique()]
    rows = rows[pd.MultiIndex.from_frame(rows[list(NAMES)]).isin(pairs)]
    counts = rows[NETWORK].drop_duplicates()["replica"].value_counts()
    whole = counts.index[counts == networks["rank"].nunique() * len(pairs)]
    check(len(whole), "no pair is there at every rank", "ranks of the same pairs and replicas")
    return rows[rows["replica"].isin(whole)]


def network_rows(pairs: xr.Dataset) -> pd.DataFrame:
    """Return one row for each network and look: losses at the end, and how tasks pull along it.

    The columns of `ncnet.encoders.along.look` are empty at the end, and losses and ``diverged``
    along the training.
    """
    beside = pairs.drop_vars(["task", "target", "split"], errors="ignore")
    at_end = beside[[f"{head}_loss" for head in HEADS] + ["diverged"]].to_dataframe()
    parts = [at_end.reset_index().assign(look=END)]
    if "look" in pairs.dims:
        parts.append(beside[LOOKED].to_dataframe().reset_index())
    frame = pd.concat(parts, ignore_index=True).rename(columns={"capacity": "rank"})
    columns = [*NETWORK, "look", *(f"{head}_loss" for head in HEADS), "diverged", *LOOKED]
    frame = frame.reindex(columns=columns).sort_values([*NETWORK, "look"], ignore_index=True)
    kinds = dict.fromkeys(NAMES, "category") | {"replica": "int32", "diverged": "boolean"}
    return frame.astype(kinds | dict.fromkeys(LOOKED, float))


def task_rows(pairs: xr.Dataset) -> pd.DataFrame:
    """Return one row for each rank and task: what a head alone gets right, and of what items.

    Returns
    -------
    pandas.DataFrame
        ``rank``, ``task``; ``right``, the share of training items that a head alone gets right,
        with an interval over replicas at 95 %, and ``held_out_right`` of held-out ones, with its
        own: no numbers of a task that was not trained alone; numbers of items and replicas;
        ``unknown``, the share of tokens for which the encoder has no word piece, and ``cut``, the
        share of sequences that were too long; ``source`` and ``encoder_source`` in JSON.
    """
    about = {
        name: json.loads(pairs.attrs[name])
        for name in ("sources", "further", "unknown_share", "cut_share", "encoder_source")
    }
    alone = pairs.isel(pair=pairs["second_task"].values == "")
    places = {task: place for place, task in enumerate(alone["first_task"].values.tolist())}
    rows = []
    for rank in pairs["capacity"].values.tolist():
        for task, source in about["sources"].items():
            row = {"rank": rank, "task": task}
            for split, name in SPLITS.items():
                items = pairs["split"].values == split
                if task in places and items.any():
                    of_task = alone["first"].sel(capacity=rank).isel(pair=places[task], item=items)
                    row |= _right(name, of_task)
                else:
                    row |= dict.fromkeys((name, f"{name}_low", f"{name}_high"), np.nan)
            row |= {
                "training": int((pairs["split"] == "training").sum()),
                "further": about["further"][task],
                "held_out": int((pairs["split"] == "held_out").sum()),
                "replicas": pairs.sizes["replica"],
                "unknown": about["unknown_share"][task],
                "cut": about["cut_share"][task],
                "source": _as_json(source),
                "encoder_source": _as_json(about["encoder_source"]),
            }
            rows.append(row)
    return pd.DataFrame(rows)


def _right(name: str, outcomes: xr.DataArray) -> dict[str, float]:
    """Return the share of items that are right, with its interval over replicas."""
    of_replicas = ((outcomes == 1).mean("item")).values
    (low, high), _ = replica_interval(of_replicas, bounds=(0, 1))
    return {name: float(of_replicas.mean()), f"{name}_low": low, f"{name}_high": high}
