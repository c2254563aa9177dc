"""Replays of S against the rank of an encoder's adapters (RQ3 on real models)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from types import ModuleType
from typing import TYPE_CHECKING

import pandas as pd
import xarray as xr

from ncnet import results, sweeps
from ncnet.datasets import hub
from ncnet.replay.comparison import absolute, intervals, outcomes, same
from ncnet.replay.pieces import NotReplayableError, Replay, Where, imported
from ncnet.replay.reports import REPORT
from ncnet.results import Result
from ncnet.studies.ranks import analysis as by

if TYPE_CHECKING:
    from ncnet.encoders.sweep import Sweep

ITEMS = ("items", "held_out")
KIND = ("encoder", *ITEMS, *by.TRAINING)
TRIED = ("items", "steps", "batch_size", "learning_rate")
"""What the trial varied."""


def _outcomes(recorded: Result, where: Where) -> pd.DataFrame:
    context = divmod(where["context"] - 11, 10)
    return _rows(sweeps.outcome_rows, recorded, where, context)


def _losses(recorded: Result, where: Where) -> pd.DataFrame:
    context = where["alice_setting"] - 1, where["bob_setting"] - 1
    return _rows(by.loss_rows, recorded, where, context)


def _rows(
    rows: Callable[[xr.Dataset], pd.DataFrame],
    recorded: Result,
    where: Where,
    context: tuple[int, int],
) -> pd.DataFrame:
    quartet = where["quartet"]
    trained = _network(quartet, _kind(recorded), where["rank"], where["replica"], context)
    return by.joined(rows, {quartet: trained})


def _of_recorded_outcomes(recorded: Result, where: Where) -> pd.DataFrame:
    _encoders()
    return by.of_recorded(where["quartet"])


def _tasks(recorded: Result, where: Where) -> pd.DataFrame:
    quartet = where["quartet"]
    untrained = _sweep(quartet, _kind(recorded), ()).networks([], [])
    return by.joined(by.task_rows, {quartet: untrained})


def _whole(recorded: Result, where: Where) -> pd.DataFrame:
    """Train a quartet at all ranks: a row says how far S rose from one to another."""
    quartet = where["quartet"]
    given = recorded.provenance["parameters"] | where
    trained = _trained(quartet, _kind(recorded, where), tuple(_ranks(recorded)), given["replicas"])
    return by.reported({quartet: trained}, given)


def _all_losses(recorded: Result, where: Where) -> pd.DataFrame:
    quartet, replicas = where["quartet"], recorded.provenance["parameters"]["replicas"]
    trained = _trained(quartet, _kind(recorded), tuple(_ranks(recorded)), replicas)
    return by.joined(by.loss_rows, {quartet: trained})


def _ranks(recorded: Result) -> list[float]:
    return sorted(set(recorded.table["rank"]))


def _kind(recorded: Result, where: Where | None = None) -> tuple:
    """Return what the networks of a table have in common, in the order of `KIND`."""
    given = recorded.provenance["parameters"] | (where or {})
    return tuple(given[name] for name in KIND)


@cache
def _network(
    quartet: str, kind: tuple, rank: float, replica: int, context: tuple[int, int]
) -> xr.Dataset:
    """Train one context: its outcomes and its losses are rows of two tables."""
    from ncnet.encoders.plan import check_ranks

    sweep = _sweep(quartet, kind, (context,))
    with _one_thread():
        return sweep.networks(check_ranks([rank], sweep.encoder), [replica], [context])


@lru_cache(maxsize=2)
def _trained(quartet: str, kind: tuple, ranks: tuple[float, ...], replicas: int) -> xr.Dataset:
    from ncnet.encoders.plan import check_ranks

    sweep = _sweep(quartet, kind, ())
    with _one_thread():
        return sweep.networks(check_ranks(ranks, sweep.encoder), range(replicas))


# The frozen states are large, and take longer than a training: pieces in a row may share them.
@lru_cache(maxsize=1)
def _sweep(quartet: str, kind: tuple, contexts: tuple) -> Sweep:
    """Return a sweep of this kind, which keeps the frozen states of these contexts' tasks."""
    encoders = _encoders()
    from ncnet.encoders.plan import ALPHA, Settings
    from ncnet.encoders.sweep import Sweep

    given = dict(zip(KIND, kind, strict=True))
    named = encoders.quartet(quartet)
    try:
        encoder = encoders.load(given["encoder"])
        tasks = named.data(**{name: given[name] for name in ITEMS}, seed=given["seed"])
    except hub.Unavailable as error:
        raise NotReplayableError(str(error)) from error
    _check_sources(tasks)
    encoder.model.to("cpu")
    of_training = {name: given[name] for name in by.TRAINING}
    settings = Settings.checked(encoder, alpha=ALPHA, bfloat16=False, **of_training)
    return Sweep(encoder, named, tasks, settings, None)


def _encoders() -> ModuleType:
    return imported("ncnet.encoders", extras="train,lora")


def _check_sources(tasks: dict) -> None:
    """Refuse data sets that are not those of the recorded runs: other items, other networks."""
    recorded = results.load("lora_tasks").table
    sources = dict(zip(recorded["task"], recorded["source"].map(json.loads), strict=True))
    for name, task in tasks.items():
        there = sources.get(name, task.source)
        if task.source != there:
            where = "the folder" if there.get("folder") else "the commit of the hub"
            raise NotReplayableError(
                f"the data of `{name}` are others than those of the recorded runs: NCNET_DATA "
                f"has to name {where} that the column `source` of lora_tasks has checksums of"
            )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one thread, as the recorded runs did: others would take sums in another order."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


SHARE = 0.02
OUTCOME = outcomes(share=SHARE)
LOSS = absolute(0.005, "rounding sends hundreds of steps of Adam on slightly other ways")
FROM_RECORDED = same("it is made from recorded outcomes, without any training")
ASKED = dict.fromkeys(
    ("rank", "quartet", "encoder", *by.TRAINING, "readout", "split", "level", "items", "replicas"),
    same("it says which networks, and what they were trained on"),
)
MEASURED = {
    **REPORT,
    **intervals("accuracy", "rise", "rise_with_rank", "held_out_s", "held_out_accuracy"),
}
FEW = absolute(0.1, "of so few replicas intervals are wide: a few outcomes may turn, no more")
FEW_ITEMS = absolute(
    16 * SHARE,
    f"where {100 * SHARE:g} % of the outcomes turn, either party moves each of the four "
    "correlators by up to twice that share; few held-out items show it",
)
ONE_OF_TWO = absolute(0.5, "one of two replicas may pass 2 by a single outcome")
WORDS = {name: MEASURED[name] for name in ("interval_method", "verdict", "contextuality_method")}
OF_FEW = {
    **dict.fromkeys(MEASURED, FEW),
    **intervals("share_above", tolerance=ONE_OF_TWO),
    **intervals("held_out_s", tolerance=FEW_ITEMS),
    **WORDS,
    "explanation": MEASURED["explanation"],
    **ASKED,
}
OF_LOSSES = {
    **dict.fromkeys(("quartet", "rank", "alice_setting", "bob_setting", "replica"), same()),
    **dict.fromkeys(("alice_loss", "bob_loss"), LOSS),
    "diverged": same("logits are far from overflow"),
}
OF_TASKS = same("items and tokens are drawn and cut without any arithmetic")
REPLAYS = (
    Replay(
        "lora_outcomes",
        ("quartet", "rank", "context", "replica"),
        ("item",),
        _outcomes,
        {
            **dict.fromkeys(("quartet", "rank", "context", "replica", "item", "split"), same()),
            **dict.fromkeys(("a", "b"), OUTCOME),
        },
    ),
    Replay(
        "lora_losses",
        ("quartet", "rank", "alice_setting", "bob_setting", "replica"),
        (),
        _losses,
        OF_LOSSES,
    ),
    Replay(
        "lora",
        ("quartet",),
        ("rank",),
        _of_recorded_outcomes,
        dict.fromkeys((*MEASURED, *ASKED), FROM_RECORDED),
    ),
    Replay(
        "lora_tasks",
        ("quartet",),
        ("setting",),
        _tasks,
        dict.fromkeys(("setting", "task", "training", "further", "held_out"), OF_TASKS)
        | dict.fromkeys(("unknown", "cut", "source", "encoder_source", "quartet"), OF_TASKS),
    ),
    Replay("trial/lora", ("quartet", *TRIED), ("rank",), _whole, OF_FEW),
    Replay("small/lora", ("quartet",), ("rank",), _whole, OF_FEW),
    Replay(
        "small/lora_losses",
        ("quartet",),
        ("rank", "alice_setting", "bob_setting", "replica"),
        _all_losses,
        OF_LOSSES,
    ),
)
