"""Parameters of the notebook `your_model`."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ncnet.parameters import (
    HiddenSize,
    HiddenSizes,
    Notebook,
    Rate,
    Seed,
    check_is_one_of_the_sizes,
)


class YourModel(Notebook):
    """Parameters of ``your_model``: the report on a network that the reader wrote."""

    NOTEBOOK = "your_model"
    TABLES = ("capacity",)

    hidden_sizes: HiddenSizes
    hidden_size: HiddenSize
    replicas: Annotated[int, Field(ge=2, le=100_000)]
    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    learning_rate: Rate
    log_interval: Annotated[int, Field(ge=1, le=1_000_000)]
    seed: Seed

    @model_validator(mode="after")
    def _looks_at_one_of_the_sizes(self) -> Self:
        check_is_one_of_the_sizes(self)
        return self
