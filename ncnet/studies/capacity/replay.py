"""Replays S against hidden units and along training (RQ3)."""

import pandas as pd

from ncnet import sweeps
from ncnet.replay.comparison import intervals, same
from ncnet.replay.pieces import TRAINING, Replay, Selection, parameters_of
from ncnet.replay.reports import REPORT
from ncnet.results import Result
from ncnet.studies.capacity import analysis, noise
from ncnet.studies.capacity.claims import NAMED_NOISE, RUNS


def _sweep(recorded: Result, selection: Selection) -> pd.DataFrame:
    training = parameters_of(recorded, TRAINING)
    return sweeps.sweep(selection["game"], [selection["hidden_size"]], **training)


def _along_training(recorded: Result, selection: Selection) -> pd.DataFrame:
    [game, *_] = recorded.provenance["parameters"]["games"]
    training = parameters_of(recorded, TRAINING)
    return analysis.along_training(game, selection["hidden_size"], **training)


def _scatter(recorded: Result, selection: Selection) -> pd.DataFrame:
    training = parameters_of(recorded, TRAINING)
    return analysis.scatter(selection["game"], selection["hidden_size"], **training)


def _noise_scatter(recorded: Result, selection: Selection) -> pd.DataFrame:
    varied = (*NAMED_NOISE, "game", "hidden_size")
    training = {name: selection[name] for name in varied}
    given = recorded.provenance["parameters"]
    replicas = RUNS["solved"] * given["runs_of_50"]
    return noise.scatter_under_noise(training, replicas=replicas, seed=given["seed"])


SCATTER = {
    **dict.fromkeys(("run_size", "runs", "replicas"), same()),
    **intervals("spread", "below", "above"),
}
NOISY = ("game", "hidden_size", *NAMED_NOISE)
NOISE = dict.fromkeys(("steps", "temperature"), same())
REPLAYS = (
    Replay("capacity", ("game", "hidden_size"), (), _sweep, REPORT),
    Replay("small/capacity", ("game", "hidden_size"), (), _sweep, REPORT),
    Replay("scatter", ("game", "hidden_size"), ("readout",), _scatter, SCATTER),
    Replay("noise_scatter", NOISY, ("readout",), _noise_scatter, SCATTER | NOISE),
    Replay("along_training", ("hidden_size",), ("steps",), _along_training, REPORT),
)
