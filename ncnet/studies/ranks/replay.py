"""Replay the tables on S against the rank of an encoder's adapters (RQ3 on real models).

Of outcomes a piece is a network, or a task alone; what they come to is made of recorded outcomes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial

import pandas as pd
import xarray as xr

from ncnet import results
from ncnet.chsh.pairs import HEADS, NAMES, Pair
from ncnet.datasets import hub
from ncnet.replay.comparison import Tolerance, absolute, intervals, outcomes, same
from ncnet.replay.pieces import NotReplayableError, Replay, Selection, import_optional, require
from ncnet.replay.reports import REPORT
from ncnet.results import Result
from ncnet.studies.ranks import recorded, tables
from ncnet.studies.ranks.contrasts import SIGN_TESTS

EXTRAS = "train,lora"
TRAINING = ("layers", "steps", "batch_size", "learning_rate", "seed")
"""Hyperparameters that the tables name."""


def _check_sources(tasks: dict, sources: Mapping[str, str], table: str) -> None:
    """Refuse data sets that are not those of the recorded runs: other items, other networks."""
    for name in set(tasks) & set(sources):
        there = json.loads(sources[name])
        where = "the folder" if there.get("folder") else "the commit of the hub"
        require(
            tasks[name].source == there,
            f"the data of `{name}` are others than those of the recorded runs: NCNET_DATA has to "
            f"name {where} that the column `source` of {table} has checksums of",
        )


OF_RUN = ("family", *recorded.OF_RUN, "steps")
"""Columns that tell runs apart."""
HOW = ("training", "held_out", "replicas", "layers", "batch_size", "learning_rate", "seed")
"""Columns of ``real_tasks`` that say how the networks of a run are trained, and on what."""


def _pairs(
    folder: str,
    selection: Selection,
    pairs: list[Pair],
    replicas: list[int],
    looks: tuple[float, ...] = (),
    **changed: object,
) -> xr.Dataset:
    """Train pairs of tasks, or tasks alone, as they were for the tables of a folder."""
    table = f"{folder}real_tasks"
    rows = results.load(table).table
    like = [name for name in (*OF_RUN, *HOW, "rank") if name in selection]
    rows = rows[(rows[like] == [selection[name] for name in like]).all(axis=1)]
    given = rows.iloc[0]
    encoders = import_optional("ncnet.encoders", extras=EXTRAS)
    from ncnet.encoders.sweep import Sweep
    from ncnet.studies.ranks.families import family

    of_family = family(given["family"])
    try:
        encoder = encoders.load(given["encoder"])
        tasks = of_family.data(
            items=int(given["training"]),
            held_out=int(given["held_out"]),
            seed=int(given["seed"]),
            shuffled=float(given["shuffled"]),
            ratio=float(given["ratio"]),
        )
    except hub.Unavailable as error:
        raise NotReplayableError(str(error)) from error
    _check_sources(tasks, rows.set_index("task")["source"].to_dict(), table)
    encoder.model.to("cpu")
    how = {name: given[name] for name in ("pooling", *TRAINING)} | changed
    hyperparameters = encoders.Hyperparameters(bfloat16=False, **how)
    chosen = {name: tasks[name] for name in tasks if any(name in pair for pair in pairs)}
    checked = hyperparameters.checked(encoder)
    sweep = Sweep(encoder, chosen, pairs, checked, paired=of_family.paired, looks=looks)
    return sweep.outcomes([selection["rank"]], replicas or list(range(int(given["replicas"]))))


# One training serves two tables.
@cache
def _network(folder: str, piece: tuple[tuple[str, object], ...]) -> xr.Dataset:
    selection = dict(piece)
    rows = results.load(f"{folder}real_networks").table
    rows = rows[(rows[list(selection)] == list(selection.values())).all(axis=1)]
    looks = sorted(set(rows["look"]) - {tables.END})
    pair = tuple(filter(None, (selection[name] for name in NAMES)))
    return _pairs(folder, selection, [pair], [selection["replica"]], tuple(looks))


def _real_outcomes(folder: str, _: Result, selection: Selection) -> pd.DataFrame:
    rows = tables.outcome_rows(_network(folder, tuple(selection.items())))
    return _told(tables.item_rows(rows), selection)


def _real_networks(folder: str, _: Result, selection: Selection) -> pd.DataFrame:
    return _told(tables.network_rows(_network(folder, tuple(selection.items()))), selection)


def _real_tasks(folder: str, found: Result, selection: Selection) -> pd.DataFrame:
    """Train a task alone, where it was; else all but its training is made again."""
    rows, task = found.table, selection["task"]
    like = [*OF_RUN, "rank"]
    of_run = rows[(rows[like] == [selection[name] for name in like]).all(axis=1)]
    if math.isnan(of_run[of_run["task"] == task]["right"].iloc[0]):
        beside = next(name for name in of_run["task"] if name != task)
        pairs = _pairs(folder, selection, [tuple(sorted((task, beside)))], [0], steps=0)
    else:
        pairs = _pairs(folder, selection, [(task,)], [])
    return _told(tables.task_rows(pairs).query("task == @task"), selection)


def _told(made: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    """Return rows with the values that select the piece."""
    return made.assign(**selection)


def _from_recorded(table: str, _: Result, selection: Selection) -> pd.DataFrame:
    import_optional("ncnet.encoders", extras=EXTRAS)
    [value] = selection.values()
    return recorded.piece(table, value)


SHARE = 0.02
"""Share of the networks that rounding may send elsewhere."""
LOSSES = ("first_loss", "second_loss")
LOSS = absolute(0.005, "rounding sends hundreds of steps of Adam on slightly other ways")
BESIDE = "it was trained beside other pairs, and beside none a sum is made in another order"


def _beside(tolerance: Tolerance) -> Tolerance:
    """Return a tolerance that holds at the place of the recording, too."""
    return replace(tolerance, reason=f"{BESIDE}; {tolerance.reason}", measured=True)


ALONE = absolute(0.05, "rounding may send a network elsewhere, and few replicas make the mean")
ENDS = absolute(
    0.3, "one replica that differs more or less may turn an interval by betting into a bootstrap's"
)
OF_ALONE = {
    **intervals("right", "held_out_right", tolerance=_beside(ENDS)),
    **dict.fromkeys(("right", "held_out_right"), _beside(ALONE)),
    **dict.fromkeys(
        ("further", "unknown", "cut", "source", "encoder_source"),
        same("items and tokens are drawn and cut without any arithmetic"),
    ),
}
ALONE_PIECE = (*OF_RUN, *HOW, "rank", "task")
PIECE = (*OF_RUN, "rank", *NAMES, "replica")
AT_END = {**dict.fromkeys(HEADS, _beside(outcomes(share=SHARE))), "split": same()}
OF_NETWORK = {
    **dict.fromkeys(LOSSES, _beside(LOSS)),
    **dict.fromkeys(tables.LOOKED, _beside(absolute(0.05, "so far may it have come elsewhere"))),
    "diverged": same("logits are far from overflow"),
}
VARIED = {
    "small/": (),
    recorded.RUNS: ("pairs", "items", "held_out"),
    recorded.IN_DOSES: (),
    recorded.REPEATED: (),
    recorded.FULL: ("items", "held_out"),
    recorded.MINILM: ("replicas",),
}
"""By folder of runs: what varies in its tables beside the columns of all."""


def _replays(folder: str, varied: tuple[str, ...]) -> list[Replay]:
    """Return the replays of the tables of a folder."""
    of_pairs = (*PIECE, *varied)
    made, networks = (partial(make, folder) for make in (_real_outcomes, _real_networks))
    return [
        _of_tasks(folder, varied),
        Replay(
            f"{folder}real_outcomes", of_pairs, ("look", "item"), made, AT_END, tables.item_rows
        ),
        Replay(f"{folder}real_networks", of_pairs, ("look",), networks, OF_NETWORK),
    ]


def _of_tasks(folder: str, varied: tuple[str, ...]) -> Replay:
    columns = tuple(dict.fromkeys((*ALONE_PIECE, *varied)))
    return Replay(f"{folder}real_tasks", columns, (), partial(_real_tasks, folder), OF_ALONE)


COLUMNS = (
    *(*REPORT, *intervals("accuracy", "held_out_s", "held_out_accuracy"), *OF_RUN),
    *("minus", "points_lost", "alone", "beside", *intervals("points", "correlation")),
    *(*SIGN_TESTS, "independent", *intervals("rho", "short"), "pairs", "regret", "best"),
)
FROM_RECORDED = dict.fromkeys(
    COLUMNS, same("it is made from recorded outcomes, without any training")
)
REPLAYS = (
    _of_tasks("trial/", ("items",)),
    *(replay for of_folder in VARIED.items() for replay in _replays(*of_folder)),
)
REPLAYS += tuple(
    Replay(table, (made.column,), made.keys, partial(_from_recorded, table), FROM_RECORDED)
    for table, made in recorded.TABLES.items()
)
