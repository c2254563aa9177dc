"""Parameters of the notebook `your_model`."""

from typing import Annotated

from pydantic import Field

from ncnet.parameters import HiddenSize, HiddenSizes, Notebook, Rate, Seed


class YourModel(Notebook):
    """Parameters of ``your_model``: what tasks of one network do to each other."""

    NOTEBOOK = "your_model"
    TABLES = ("your_pairs", "your_capacity")

    hidden_sizes: HiddenSizes
    hidden_size: HiddenSize
    replicas: Annotated[int, Field(ge=2, le=100_000)]
    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    learning_rate: Rate
    seed: Seed
