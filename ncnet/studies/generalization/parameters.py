"""Parameters of the notebooks `rq4` and `rq5`."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ncnet.checks import check
from ncnet.parameters import Distinct, HiddenSize, HiddenSizes, Number, Switch, TrainingNotebook

PopulationName = Literal["overlap", "separate", "hard_together", "hard_apart", "middling"]


class Sampled(TrainingNotebook):
    """Parameters that notebooks on held-out items share."""

    populations: Distinct[PopulationName]
    hidden_sizes: HiddenSizes
    training: Annotated[int, Field(ge=4, le=898)]
    held_out: Annotated[int, Field(ge=2, le=899)]
    noise: Annotated[Number, Field(gt=0, le=100)]
    label_noise: Annotated[Number, Field(ge=0, le=0.5)]
    steps: Annotated[int, Field(ge=1, le=1_000_000)]


class Rq4(Sampled):
    """Parameters of ``rq4``: S of the training items against held-out accuracy."""

    NOTEBOOK = "rq4"
    TABLES = (
        "generalization",
        "generalization_rules",
        "generalization_gains",
        "generalization_capacity",
        "generalization_replicas",
        "first_at_2",
    )

    replicas: Annotated[int, Field(ge=40, le=1_000_000, multiple_of=2)]
    capacity_name: Literal["hidden_size", "steps"]
    steps_tried: Distinct[Annotated[int, Field(ge=1, le=1_000_000)]]
    # Enough for intervals that hold together over all conditions.
    resamples: Annotated[int, Field(ge=2200, le=1_000_000)]


class Rq5(Sampled):
    """Parameters of ``rq5``: criteria that choose a capacity, and a map of interference."""

    NOTEBOOK = "rq5"
    RECORDED = (
        "capacity_choices",
        "capacity_criteria",
        "capacity_fresh",
        "interference",
        "interference_predictors",
    )
    TABLES = (*RECORDED, "early_signs", "grouping_pairs", "grouping_sets", "grouping")
    QUOTED: ClassVar = {
        "populations": ("overlap", "separate", "hard_together"),
        "repetition_size": 800,
        "fresh_replicas": 800,
        "pair_replicas": 100,
    }

    repetitions: Annotated[int, Field(ge=2, le=10_000)]
    repetition_size: Annotated[int, Field(ge=20, le=1_000_000)]
    fresh_replicas: Annotated[int, Field(ge=20, le=1_000_000)]
    set_aside: Annotated[Number, Field(gt=0, lt=1)]
    pair_size: HiddenSize
    pair_training: Annotated[int, Field(ge=4, le=898)]
    pair_replicas: Annotated[int, Field(ge=2, le=100_000)]
    early_replicas: Annotated[int, Field(ge=2, le=100_000)]
    # A line is fitted on all sets but one.
    drawn_sets: Annotated[int, Field(ge=2, le=1000)]
    set_replicas: Annotated[int, Field(ge=2, le=100_000)]
    record: Switch

    @model_validator(mode="after")
    def _can_be_validated(self) -> Self:
        count, most = round(self.set_aside * self.training), self.training - 2
        found = f"parameter `set_aside` is {self.set_aside}"
        expected = f"a share that sets 1 to {most} of the {self.training} `training` items aside"
        check(1 <= count <= most, found, expected)
        return self
