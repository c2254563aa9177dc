"""Holds the parameters of the notebooks `rq1` and `rq3`."""

from typing import ClassVar, get_args

from ncnet.parameters import GameName, GameNames, GameNotebook, HiddenSize, HiddenSizes, Switch


class Rq1(GameNotebook):
    """Parameters of ``rq1``: one game at a few hidden sizes, one of them looked at closely."""

    NOTEBOOK = "rq1"
    TABLES = ("capacity",)

    game: GameName
    hidden_sizes: HiddenSizes
    hidden_size: HiddenSize


class Rq3(GameNotebook):
    """Parameters of ``rq3``: S against capacity and along training."""

    NOTEBOOK = "rq3"
    TABLES = ("capacity", "along_training")
    RECORDED = (*TABLES, "scatter")
    QUOTED: ClassVar = {
        "games": get_args(GameName),
        "hidden_sizes": (3, 6),
        "hidden_sizes_along_training": (2, 3, 4),
        "replicas": 1600,
        "steps": 1,
    }

    games: GameNames
    hidden_sizes: HiddenSizes
    hidden_sizes_along_training: HiddenSizes
    record: Switch
