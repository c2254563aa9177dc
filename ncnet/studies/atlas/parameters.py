"""Parameters of the notebook `rq6`."""

from typing import Annotated

from pydantic import AfterValidator, Field

from ncnet.parameters import Activations, HiddenSizes, Notebook, Rate, Replicas, Seed, Switch


def _looked_at(sizes: list[int]) -> list[int]:
    if 1 not in sizes:
        raise ValueError("expected 1 among them, at which a game is looked at closely")
    return sizes


class Rq6(Notebook):
    """Parameters of ``rq6``: what of S > 2 survives, over capacities and over all games."""

    NOTEBOOK = "rq6"
    TABLES = ("capacity",)
    RECORDED = ("search", "search_counts")

    hidden_sizes: HiddenSizes
    hidden_sizes_of_the_atlas: Annotated[HiddenSizes, AfterValidator(_looked_at)]
    activations: Activations
    replicas: Replicas
    fresh_replicas: Replicas
    steps: Annotated[int, Field(ge=0, le=1_000_000_000)]
    seed: Seed
    learning_rate: Rate
    record: Switch
