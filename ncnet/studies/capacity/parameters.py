"""Parameters of the notebooks `rq1` and `rq3`."""

from typing import Self, get_args

from pydantic import model_validator

from ncnet.parameters import (
    GameName,
    GameNames,
    HiddenSize,
    HiddenSizes,
    Switch,
    Training,
    check_is_one_of_the_sizes,
)


class Rq1(Training):
    """Parameters of ``rq1``: one game at a few hidden sizes, one of them looked at closely."""

    NOTEBOOK = "rq1"
    TABLES = ("capacity",)

    game: GameName
    hidden_sizes: HiddenSizes
    hidden_size: HiddenSize

    @model_validator(mode="after")
    def _looks_at_one_of_the_sizes(self) -> Self:
        check_is_one_of_the_sizes(self)
        return self


class Rq3(Training):
    """Parameters of ``rq3``: S against capacity and along training."""

    NOTEBOOK = "rq3"
    TABLES = ("capacity", "along_training")
    RECORDED = TABLES

    games: GameNames
    hidden_sizes: HiddenSizes
    hidden_sizes_along_training: HiddenSizes
    record: Switch

    @model_validator(mode="after")
    def _records_what_the_book_quotes(self) -> Self:
        enough = (
            set(get_args(GameName)) <= set(self.games)
            and {3, 6} <= set(self.hidden_sizes)
            and {2, 3, 4} <= set(self.hidden_sizes_along_training)
        )
        if self.record and not enough:
            raise ValueError(
                "parameter `record` is True: the book quotes both games, `hidden_sizes` 3 and 6, "
                "and `hidden_sizes_along_training` 2, 3 and 4, which the run would not record"
            )
        if self.record and (self.replicas < 1600 or self.steps < 1):
            raise ValueError(
                f"parameter `record` is True: a record takes at least 1600 `replicas` (here "
                f"{self.replicas}) and a step of training (here {self.steps})"
            )
        return self
