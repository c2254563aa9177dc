"""Parameters of the notebook `rq2`."""

from typing import Annotated, Self, get_args

from pydantic import AfterValidator, Field, model_validator

from ncnet.checks import check
from ncnet.parameters import (
    GameName,
    GameNames,
    HiddenSize,
    HiddenSizes,
    Number,
    Switch,
    Training,
    check_is_one_of_the_sizes,
    distinct,
)
from ncnet.studies.mechanism.oscillation import FEWEST_STEPS

Lambda = Annotated[Number, Field(ge=0, le=1)]
FEWEST_A_FOLD = 5
"""Replicas without which the folds say too little of how far an AUC would vary."""
MOST_TRACED = 20_000_000
"""Replicas x steps whose losses take some gigabytes while they are decoded."""


class Rq2(Training):
    """Parameters of ``rq2``: conflict, sensing, interventions; one size looked at closely."""

    NOTEBOOK = "rq2"
    TABLES = RECORDED = (
        *("conflict", "conflict_and_s", "interventions"),
        *("sensing", "sensing_along_training", "oscillation"),
    )

    games: GameNames
    hidden_sizes: HiddenSizes
    hidden_size: HiddenSize
    steps: Annotated[int, Field(ge=FEWEST_STEPS, le=1_000_000)]
    lambdas: Annotated[list[Lambda], Field(min_length=1), AfterValidator(distinct)]
    small_steps: Switch
    log_interval: Annotated[int, Field(ge=1)]
    folds: Annotated[int, Field(ge=2, le=100)]
    permutations: Annotated[int, Field(ge=0, le=10_000)]
    record: Switch

    @model_validator(mode="after")
    def _can_be_traced_and_decoded(self) -> Self:
        check_is_one_of_the_sizes(self)
        for name, most, why in (
            ("log_interval", self.steps, "the steps of the training"),
            ("folds", self.replicas // FEWEST_A_FOLD, f"a fold takes {FEWEST_A_FOLD} replicas"),
            ("steps", MOST_TRACED // self.replicas, "losses at every step have to fit in memory"),
        ):
            value = getattr(self, name)
            check(value <= most, f"parameter `{name}` is {value}", f"at most {most:,}: {why}")
        return self

    @model_validator(mode="after")
    def _records_what_the_book_quotes(self) -> Self:
        enough = (
            set(get_args(GameName)) <= set(self.games)
            and {2, 3, 4, 6} <= set(self.hidden_sizes)
            and self.hidden_size == 3
            and self.replicas >= 1600
            and self.permutations >= 99
            and {0.25, 0.0} <= set(self.lambdas)
        )
        if self.record and not enough:
            raise ValueError(
                "parameter `record` is True: the book quotes both games, `hidden_sizes` 2, 3, 4 "
                "and 6, `hidden_size` 3, `lambdas` 0.25 and 0, at least 1600 `replicas` and 99 "
                "`permutations`, which the run would not record"
            )
        return self
