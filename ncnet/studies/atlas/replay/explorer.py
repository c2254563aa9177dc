"""Replays of the tables behind the page "Play"."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ncnet.replay.comparison import absolute, intervals, same, standard_errors
from ncnet.replay.pieces import Replay, Where
from ncnet.replay.reports import FOLLOWS, REPORT
from ncnet.results import Result
from ncnet.studies.atlas import explorer


def _pair(recorded: Result, where: Where) -> pd.DataFrame:
    """Make the rows of one pair of tasks, after each of the recorded numbers of steps."""
    given = recorded.provenance["parameters"]
    training = {name: where[name] for name in TRAINING}
    # A game has two tasks a party: the same one twice.
    twice = tuple((where[name], where[name]) for name in PAIR)
    asked = {name: given[name] for name in ("steps", "replicas", "seed")}
    trained = explorer.train_classes(**training, tasks=twice, **asked)
    return explorer.means(trained.isel(alice_task=[0], bob_task=[0])).assign(**training)


def _report(recorded: Result, where: Where) -> pd.DataFrame:
    given = recorded.provenance["parameters"]
    return explorer.reports(
        tasks=[where["game"].split(".")],
        trunks=[where["trunk"]],
        layouts=[where["layout"]],
        hidden_sizes=[where["hidden_size"]],
        steps=[where["steps"]],
        replicas=given["replicas"],
        seed=given["seed"],
    )


def _starts(recorded: Result, where: Where) -> pd.DataFrame:
    given = recorded.provenance["parameters"]
    return explorer.starts(
        layouts=[where["layout"]],
        hidden_sizes=[where["hidden_size"]],
        replicas=given["replicas"],
        seed=given["seed"],
    )


*TRAINING, _ = explorer.CHOICE
PAIR = ("alice_task", "bob_task")


def _of_mean(name: str) -> Callable[[pd.DataFrame], np.ndarray]:
    """Return how the error of a mean is read off its rows, and what it is where all are alike."""

    def error(rows: pd.DataFrame) -> np.ndarray:
        half = explorer.half_width(rows[f"{name}_error"], rows["replicas"])
        return half / explorer.NORMAL_95

    return error


OF_MEANS = {name: standard_errors(of=_of_mean(name)) for name in explorer.MEANS}
# An error that is too large by some share would allow itself as large a share more.
OF_MEANS |= {f"{name}_error": standard_errors(0.25, of=_of_mean(name)) for name in explorer.MEANS}
REPLAYS = (
    Replay(
        "explorer",
        (*TRAINING, *PAIR),
        ("steps",),
        _pair,
        {
            **dict.fromkeys((*explorer.CHOICE, *PAIR, "replicas"), same()),
            **OF_MEANS,
            "diverged": REPORT["diverged"],
        },
    ),
    Replay(
        "explorer_reports",
        ("game", *explorer.CHOICE),
        (),
        _report,
        {
            **dict.fromkeys(("game", *explorer.CHOICE), same()),
            **intervals("s", "delta", "contextuality"),
            **dict.fromkeys(("verdict", "explanation"), FOLLOWS),
        },
    ),
    Replay(
        "explorer_networks",
        ("layout", "hidden_size"),
        ("replica", "unit"),
        _starts,
        {
            **dict.fromkeys(explorer.PLACE, same("all weights come from one generator")),
            **dict.fromkeys(explorer.WEIGHTS, absolute(1e-6, "weights have single precision")),
        },
    ),
)
