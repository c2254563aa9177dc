"""Parameters of the notebook `rq6`."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ncnet.parameters import Activations, HiddenSizes, Notebook, Rate, Replicas, Seed, Switch


class Rq6(Notebook):
    """Parameters of ``rq6``: what of S > 2 survives, over capacities and over all games."""

    NOTEBOOK = "rq6"
    TABLES = ("capacity",)
    RECORDED = ("search", "search_counts")

    hidden_sizes: HiddenSizes
    hidden_sizes_of_the_atlas: HiddenSizes
    activations: Activations
    replicas: Replicas
    fresh_replicas: Replicas
    steps: Annotated[int, Field(ge=0, le=1_000_000_000)]
    seed: Seed
    learning_rate: Rate
    record: Switch

    @model_validator(mode="after")
    def _looks_where_it_is_found(self) -> Self:
        if 1 not in self.hidden_sizes_of_the_atlas:
            raise ValueError(
                f"parameter `hidden_sizes_of_the_atlas` is {self.hidden_sizes_of_the_atlas}: "
                "expected 1 among them, at which a game is looked at closely"
            )
        return self
