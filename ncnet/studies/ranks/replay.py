"""Replay the tables on S against the rank of an encoder's adapters (RQ3 on real models).

Tables whose names begin with ``lora`` are of the earlier runs (`ncnet.studies.ranks.earlier`),
those that begin with ``real`` of pairs of tasks. Of these a piece is a network, or a task alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

import pandas as pd
import xarray as xr

from ncnet import results, sweeps
from ncnet.chsh.outcomes import SETTINGS
from ncnet.chsh.pairs import HEADS, NAMES, Pair
from ncnet.datasets import hub
from ncnet.replay.comparison import Tolerance, absolute, intervals, outcomes, same
from ncnet.replay.pieces import NotReplayableError, Replay, Selection, import_optional, require
from ncnet.replay.reports import REPORT
from ncnet.results import Result
from ncnet.studies.ranks import analysis, earlier, tables

if TYPE_CHECKING:
    from ncnet.datasets import TaskData
    from ncnet.encoders import Encoder, Hyperparameters
    from ncnet.encoders.tasks import Sequences

EXTRAS = "train,lora"
ITEMS = ("items", "held_out")
KIND = ("encoder", *ITEMS, *analysis.TRAINING)
"""Parameters that say how networks are trained, and on what."""
PARTIES = ("alice", "bob")
_as_json = partial(json.dumps, sort_keys=True)
TRIED = ("items", "steps", "batch_size", "learning_rate")
"""Columns in which the pieces of the trial differ."""


def _kind(recorded: Result, selection: Selection) -> dict:
    """Return how the networks of a piece were trained; in the trial, pieces differ in it."""
    given = recorded.provenance["parameters"] | selection
    return {name: given[name] for name in KIND}


def _trained(recorded: Result, selection: Selection) -> dict[str, xr.Dataset]:
    """Train a quartet as it was for a table, or the one network of it that a piece is of."""
    quartet, kind = selection["quartet"], _kind(recorded, selection)
    replicas = range(recorded.provenance["parameters"]["replicas"])
    axes = {"rank": sorted(set(recorded.table["rank"])), "replica": replicas, **SETTINGS}
    if "context" in selection:
        selection = selection | dict(zip(SETTINGS, divmod(selection["context"], 10), strict=True))
    if "replica" in selection:
        axes = {name: [selection[name]] for name in axes}
    return {quartet: _networks(quartet, *map(tuple, axes.values()), **kind)}


def _outcomes(recorded: Result, selection: Selection) -> pd.DataFrame:
    return analysis.over_quartets(sweeps.outcome_rows, _trained(recorded, selection))


def _losses(recorded: Result, selection: Selection) -> pd.DataFrame:
    return analysis.over_quartets(analysis.loss_rows, _trained(recorded, selection))


def _reports(recorded: Result, selection: Selection) -> pd.DataFrame:
    """Train at all ranks: a row says how far S rose from one to another."""
    return analysis.report_rows(_trained(recorded, selection), _kind(recorded, selection))


def _of_recorded(_: Result, selection: Selection) -> pd.DataFrame:
    import_optional("ncnet.encoders", extras=EXTRAS)
    return analysis.recorded_report_rows(selection["quartet"])


def _contrasts(*_: object) -> pd.DataFrame:
    import_optional("ncnet.encoders", extras=EXTRAS)
    return analysis.recorded_contrast_rows()


def _tasks(recorded: Result, selection: Selection) -> pd.DataFrame:
    """Return what is known of the tasks of a quartet before any training."""
    name = selection["quartet"]
    encoder, tasks, _ = _loaded(name, **_kind(recorded, selection))
    from ncnet.encoders.tasks import parts_of, tokenized

    tokens = [
        tokenized(encoder, [item for part in parts_of(tasks[task]) for item in part])
        for task in earlier.EARLIER[name].tasks
    ]
    rows = _earlier_task_rows(encoder, [tasks[t] for t in tasks], tokens)
    return rows.assign(quartet=name)


def _earlier_task_rows(
    encoder: Encoder, tasks: list[TaskData], tokens: list[Sequences]
) -> pd.DataFrame:
    """Return one row for each of the four tasks: its items, its tokens, and where it is from.

    `unknown` is the share of tokens for which the encoder has no word piece, and `cut` the share of
    sequences that were too long. `source` and `encoder_source` are JSON.
    """
    return pd.DataFrame(
        {
            "setting": ["A1", "A2", "B1", "B2"],
            "task": [task.name for task in tasks],
            "training": [len(task.training) for task in tasks],
            "further": [len(task.further) for task in tasks],
            "held_out": [len(task.held_out) for task in tasks],
            "unknown": [found.unknown / len(found.ids) for found in tokens],
            "cut": [found.cut / len(found.lengths) for found in tokens],
            "source": [_as_json(task.source) for task in tasks],
            "encoder_source": _as_json(encoder.source),
        }
    )


# Outcomes and losses are rows of two tables.
@cache
def _networks(
    quartet: str, ranks: tuple, replicas: tuple, *settings: tuple, **kind: object
) -> xr.Dataset:
    encoder, tasks, hyperparameters = _loaded(quartet, **kind)
    from ncnet.encoders.hyperparameters import check_ranks

    axes = {"capacity": check_ranks(ranks, encoder), "replica": replicas}
    axes |= dict(zip(SETTINGS, settings, strict=True))
    return _train_earlier(encoder, quartet, tasks, hyperparameters, axes)


def _loaded(quartet: str, **given: object) -> tuple[Encoder, dict, Hyperparameters]:
    """Return encoder, items and hyperparameters of the earlier runs."""
    encoders = import_optional("ncnet.encoders", extras=EXTRAS)
    try:
        encoder = encoders.load(given["encoder"])
        of_data = {name: given[name] for name in (*ITEMS, "seed")}
        tasks = earlier.EARLIER[quartet].data(**of_data)
    except hub.Unavailable as error:
        raise NotReplayableError(str(error)) from error
    _check_sources(tasks, _sources_of("lora_tasks"), "lora_tasks")
    encoder.model.to("cpu")
    of_training = {name: given[name] for name in analysis.TRAINING}
    hyperparameters = encoders.Hyperparameters(bfloat16=False, pooling="first", **of_training)
    return encoder, tasks, hyperparameters.checked(encoder)


def _train_earlier(
    encoder: Encoder,
    name: str,
    tasks: Mapping[str, TaskData],
    hyperparameters: Hyperparameters,
    axes: Mapping[str, list],
) -> xr.Dataset:
    """Return the outcomes and losses of the networks along these axes.

    Parameters
    ----------
    encoder, hyperparameters
        The encoder, and how networks are trained.
    name, tasks
        The quartet's name, and its items.
    axes
        The `capacity` (ranks), `replica` and settings of the networks.
    """
    from ncnet.encoders.sweep import Sweep

    quartet, found = earlier.EARLIER[name], {}
    of_axes = {"capacity": axes["capacity"], "replica": axes["replica"]}
    for i in axes["alice_setting"]:
        for j in axes["bob_setting"]:
            both = quartet.alice[i - 1], quartet.bob[j - 1]
            pair = tuple(sorted(both))
            keys = {both[0]: (0,), both[1]: (1,)}
            data = {task: tasks[task] for task in both}
            sweep = Sweep(encoder, data, [pair], hyperparameters, keys=keys)
            of_pair = sweep.outcomes(*of_axes.values()).isel(pair=0)
            heads = ("first", "second") if pair == both else ("second", "first")
            names = dict(zip(heads, ("a", "b"), strict=True))
            names |= {f"{head}_loss": f"{p}_loss" for head, p in zip(heads, PARTIES, strict=True)}
            found[i, j] = of_pair.rename(names)[[*names.values(), "diverged"]]
    rows = [
        xr.concat([found[i, j] for j in axes["bob_setting"]], "bob_setting")
        for i in axes["alice_setting"]
    ]
    outcomes = xr.concat(rows, "alice_setting").drop_vars(["first_task", "second_task"])
    settings = {name: list(axes[name]) for name in SETTINGS}
    return outcomes.assign_coords(settings).assign_attrs(paired=int(quartet.paired))


def _check_sources(tasks: dict, recorded: Mapping[str, str], table: str) -> None:
    """Refuse data sets that are not those of the recorded runs: other items, other networks."""
    for name in set(tasks) & set(recorded):
        there = json.loads(recorded[name])
        where = "the folder" if there.get("folder") else "the commit of the hub"
        require(
            tasks[name].source == there,
            f"the data of `{name}` are others than those of the recorded runs: NCNET_DATA has to "
            f"name {where} that the column `source` of {table} has checksums of",
        )


def _sources_of(table: str) -> dict[str, str]:
    return results.load(table).table.set_index("task")["source"].to_dict()


OF_RUN = ("family", "encoder", "pooling", "shuffled", "ratio", "steps")
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
    hyperparameters = encoders.Hyperparameters(
        bfloat16=False,
        pooling=given["pooling"],
        **{n: given[n] for n in analysis.TRAINING} | changed,
    )
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


SHARE = 0.02
"""Share of the networks that rounding may send elsewhere."""
IN_CONTEXT = ("rank", *SETTINGS, "replica")
LOSSES, LOSSES_OF_PAIRS = ("alice_loss", "bob_loss"), ("first_loss", "second_loss")
LOSS = absolute(0.005, "rounding sends hundreds of steps of Adam on slightly other ways")
OF_OUTCOMES = {**dict.fromkeys(("a", "b"), outcomes(share=SHARE)), "split": same()}
OF_LOSSES = {**dict.fromkeys(LOSSES, LOSS), "diverged": same("logits are far from overflow")}
OF_TASKS = dict.fromkeys(
    ("task", "training", "further", "held_out", "unknown", "cut", "source", "encoder_source"),
    same("items and tokens are drawn and cut without any arithmetic"),
)
ASKED = ("encoder", *analysis.TRAINING, "readout", "split", "level", "items", "replicas")
STATISTICS = REPORT | intervals("accuracy", "held_out_accuracy", "held_out_s")
FROM_RECORDED = dict.fromkeys(
    (*STATISTICS, *ASKED), same("it is made from recorded outcomes, without any training")
)
FEW = absolute(0.1, "of so few replicas intervals are wide: a few outcomes may turn, no more")
FEW_ITEMS = absolute(
    16 * SHARE,
    f"where {100 * SHARE:g} % of the outcomes turn, either party moves each of the four "
    "correlators by up to twice that share; few held-out items show it",
)
ONE_OF_TWO = absolute(0.5, "one of two replicas may pass 2 by a single outcome")
WORDS = ("interval_method", "verdict", "excess_method", "explanation")
OF_TRIAL = {
    **dict.fromkeys(STATISTICS, FEW),
    **intervals("share_above", tolerance=ONE_OF_TWO),
    **intervals("held_out_s", tolerance=FEW_ITEMS),
    **{name: REPORT[name] for name in WORDS},
    **dict.fromkeys(ASKED, same("it says which networks, and what they were trained on")),
}
FROM_REPLICAS = {name: FROM_RECORDED["s"] for name in ("s", "s_low", "s_high", "replicas")}
REPLAYS = tuple(
    Replay(table, ("quartet", *piece), key, make, tolerances)
    for table, piece, key, make, tolerances in (
        ("lora_outcomes", ("rank", "context", "replica"), ("item",), _outcomes, OF_OUTCOMES),
        ("lora_losses", IN_CONTEXT, (), _losses, OF_LOSSES),
        ("lora", (), ("rank",), _of_recorded, FROM_RECORDED),
        ("lora_tasks", (), ("setting",), _tasks, OF_TASKS),
        ("trial/lora", TRIED, ("rank",), _reports, OF_TRIAL),
    )
)
REPLAYS += (
    Replay("lora_contrasts", (), ("contrast", "quartet", "rank"), _contrasts, FROM_REPLICAS),
)
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
    **dict.fromkeys(("further", "unknown", "cut", "source", "encoder_source"), OF_TASKS["cut"]),
}
ALONE_PIECE = (*OF_RUN, *HOW, "rank", "task")
PIECE = (*OF_RUN, "rank", *NAMES, "replica")
AT_END = {**dict.fromkeys(HEADS, _beside(outcomes(share=SHARE))), "split": same()}
OF_NETWORK = {
    **dict.fromkeys(LOSSES_OF_PAIRS, _beside(LOSS)),
    **dict.fromkeys(tables.LOOKED, _beside(absolute(0.05, "so far may it have come elsewhere"))),
    "diverged": same("logits are far from overflow"),
}
VARIED = {"small/": (), "": ("pairs", "items", "held_out")}
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


REPLAYS += (
    _of_tasks("trial/", ("items",)),
    *(replay for of_folder in VARIED.items() for replay in _replays(*of_folder)),
)
