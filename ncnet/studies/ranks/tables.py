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
OUTCOMES = {
    "first": ("first", "training"),
    "second": ("second", "training"),
    "held_out_first": ("first", "held_out"),
    "held_out_second": ("second", "held_out"),
}
"""Columns of arrays of outcomes, with the head and the items whose outcomes they are."""
AS_RANK = {"capacity": "rank"}
_as_json = partial(json.dumps, sort_keys=True)


def rank_name(rank: float) -> str:
    """Return a rank in words: an infinite one is full fine-tuning.

    >>> rank_name(4.0), rank_name(np.inf)
    ('4', 'full')
    """
    return "full" if np.isinf(rank) else f"{rank:g}"


def outcome_rows(pairs: xr.Dataset) -> pd.DataFrame:
    """Return one row for each network and look, with the outcomes of all items in arrays.

    Parameters
    ----------
    pairs
        As `ncnet.encoders.train` returns them.

    Returns
    -------
    pandas.DataFrame
        The columns that tell networks apart, ``look``, and in `OUTCOMES` arrays of 1 (right) and -1
        of the training and of the held-out items, by head; that of ``second`` is 0 where a task is
        alone. `item_rows` has a row for each item, and `from_outcome_rows` undoes it.
    """
    seen = {END: pairs[list(HEADS)]}
    if "look" in pairs.dims:
        renamed = {f"{head}_along": head for head in HEADS}
        along = pairs[[*renamed]].rename(renamed)
        seen |= {look: along.sel(look=look, drop=True) for look in pairs["look"].values.tolist()}
    networks = pairs[["first_loss"]].to_dataframe().reset_index().rename(columns=AS_RANK)
    parts = []
    for look, outcomes in sorted(seen.items()):
        outcomes = outcomes.transpose(*pairs["first_loss"].dims, "item").astype("int8")
        arrays = {}
        for name, (head, split) in OUTCOMES.items():
            of_split = outcomes[head].values[..., pairs["split"].values == split]
            arrays[name] = list(of_split.reshape(len(networks), -1))
        parts.append(networks[NETWORK].assign(look=look, **arrays))
    kinds = dict.fromkeys(NAMES, "category") | {"replica": "int32"}
    return pd.concat(parts, ignore_index=True).astype(kinds)


def item_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each network, look and item, of rows as `outcome_rows` returns them.

    In place of the columns of `OUTCOMES` there are ``item``, ``split``, and ``first`` and
    ``second``, the outcomes of the two heads.
    """
    parts = []
    for split in SPLITS:
        names = {name: head for name, (head, of) in OUTCOMES.items() if of == split}
        part = rows.drop(columns=OUTCOMES.keys() - names.keys()).rename(columns=names)
        numbers = [np.arange(len(outcomes)) for outcomes in part[HEADS[0]]]
        parts.append(part.assign(item=numbers, split=split))
    parts[1]["item"] += parts[0]["item"].map(len)
    listed = pd.concat(parts, ignore_index=True).explode(["item", *HEADS], ignore_index=True)
    return listed.dropna(subset="item").astype({"item": "int64", **dict.fromkeys(HEADS, "int8")})


def from_outcome_rows(rows: pd.DataFrame, *, paired: bool) -> xr.Dataset:
    """Return the outcomes at the end that `outcome_rows` wrote, of networks of one kind.

    Pairs are all those that there are at every rank, and replicas those that all of these have:
    without any, ``ValueError`` is raised.
    """
    at_end = _complete(rows[rows["look"] == END])
    shape = [at_end[name].nunique() for name in ("rank", "replica")]
    found = {}
    for names, of_pair in at_end.groupby(list(NAMES), observed=True):
        of_pair = of_pair.sort_values(["rank", "replica"])
        pair = tuple(filter(None, names))
        both = ((head, f"held_out_{head}") for head in HEADS[: len(pair)])
        stacked = [np.hstack([np.stack(of_pair[name].tolist()) for name in two]) for two in both]
        found[pair] = [outcomes.reshape(*shape, -1) for outcomes in stacked]
    first = at_end.iloc[0]
    split = [of for name, (head, of) in OUTCOMES.items() if head == HEADS[0] for _ in first[name]]
    pairs = collect_pairs(
        found,
        split=split,
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
    frame = pd.concat(parts, ignore_index=True).rename(columns=AS_RANK)
    columns = [*NETWORK, "look", *(f"{head}_loss" for head in HEADS), "diverged", *LOOKED]
    frame = frame.reindex(columns=columns).sort_values([*NETWORK, "look"], ignore_index=True)
    kinds = dict.fromkeys(NAMES, "category") | {"replica": "int32", "diverged": "boolean"}
    return frame.astype(kinds | dict.fromkeys(LOOKED, float))


def task_rows(pairs: xr.Dataset) -> pd.DataFrame:
    """Return one row for each rank and task: what is got right of it alone, and of what items.

    Returns
    -------
    pandas.DataFrame
        ``rank``, ``task``; ``right``, the share of training items got right when trained alone,
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
