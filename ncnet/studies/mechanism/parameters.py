"""Holds the parameters of the notebook `rq2`."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from ncnet.checks import check
from ncnet.parameters import Distinct, GameNames, GameNotebook, HiddenSize, Number, Switch

FEWEST_STEPS = 20  # the filter that finds the trend of a trace needs as many
FEWEST_A_FOLD = 5  # with fewer replicas folds say too little of how far an AUC would vary
MOST_TRACED = 20_000_000  # replicas x steps, whose losses take gigabytes while they are decoded


class Rq2(GameNotebook):
    """Parameters of ``rq2``: conflict, sensing, interventions; one size looked at closely."""

    NOTEBOOK = "rq2"
    TABLES = RECORDED = (
        "conflict",
        "conflict_and_s",
        "interventions",
        "sensing",
        "sensing_along_training",
        "oscillation",
    )
    QUOTED: ClassVar = {
        "games": ("overlap", "separate"),
        "hidden_sizes": (2, 3, 4, 6),
        "lambdas": (0.25, 0.0),
        "replicas": 1600,
        "permutations": 99,
    }

    games: GameNames
    hidden_sizes: Distinct[HiddenSize]
    hidden_size: HiddenSize
    steps: Annotated[int, Field(ge=FEWEST_STEPS, le=1_000_000)]
    lambdas: Distinct[Annotated[Number, Field(ge=0, le=1)]]
    small_steps: Switch
    log_interval: Annotated[int, Field(ge=1)]
    folds: Annotated[int, Field(ge=2, le=100)]
    permutations: Annotated[int, Field(ge=0, le=10_000)]
    record: Switch

    @model_validator(mode="after")
    def _can_be_traced_and_decoded(self) -> Self:
        for name, most, why in (
            ("log_interval", self.steps, "the steps of the training"),
            ("folds", self.replicas // FEWEST_A_FOLD, f"a fold takes {FEWEST_A_FOLD} replicas"),
            ("steps", MOST_TRACED // self.replicas, "losses at every step have to fit in memory"),
        ):
            value = getattr(self, name)
            check(value <= most, f"parameter `{name}` is {value}", f"at most {most:,}: {why}")
        return self

    def _short_of_a_record(self) -> list[str]:
        closely = [] if self.hidden_size == 3 else [f"`hidden_size` 3 (here {self.hidden_size})"]
        return closely + super()._short_of_a_record()
