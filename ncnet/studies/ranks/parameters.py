"""Parameters of the notebook `rq3_lora`."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ncnet.checks import check, check_choice, check_shares
from ncnet.parameters import Distinct, Notebook, Rate, Seed, distinct

EncoderName = Literal[
    "bert-base-multilingual-cased", "bert-base-uncased", "e5", "minilm", "minilm_4bit", "tiny"
]
SIZES = {
    "bert-base-multilingual-cased": (12, 768),
    "bert-base-uncased": (12, 768),
    "e5": (12, 384),
    "minilm": (6, 384),
    "minilm_4bit": (6, 384),
    "tiny": (2, 32),
}
"""Layers and width of each encoder, so that what it has not is refused before it is loaded."""
FamilyName = Literal["languages", "mixed", "toy_languages", "toy_mixed"]
Rank = Annotated[int, Field(ge=0, le=4096)] | Literal["full"]
Share = Annotated[float, Field(ge=0, le=1)]


class Rq3Lora(Notebook):
    """Parameters of ``rq3_lora``: S of an encoder against the rank of its adapters."""

    NOTEBOOK = "rq3_lora"
    TABLES = ("real_outcomes", "real_networks", "real_tasks")

    encoder: EncoderName
    family: FamilyName
    tasks: Annotated[list[str], AfterValidator(distinct)]
    pairs: Literal["all", "named", "alone"]
    pooling: Literal["first", "mean"]
    shuffled: Share
    ratio: Annotated[float, Field(gt=0, le=100)]
    ranks: Distinct[Rank]
    looks: list[Annotated[float, Field(gt=0, lt=1)]]
    replicas: Annotated[int, Field(ge=2, le=100_000)]
    items: Annotated[int, Field(ge=2, le=100_000)]
    held_out: Annotated[int, Field(ge=0, le=100_000)]
    layers: Annotated[int, Field(ge=1, le=48)]
    steps: Annotated[int, Field(ge=0, le=1_000_000)]
    batch_size: Annotated[int, Field(ge=1, le=10_000)]
    learning_rate: Rate
    seed: Seed

    @model_validator(mode="after")
    def _of_the_family(self) -> Self:
        from ncnet.studies.ranks.families import family, times  # takes a second, and an extra

        times(self.ratio)
        layers, width = SIZES[self.encoder]
        found = f"parameter `layers` is {self.layers}"
        check(self.layers <= layers, found, f"at most {layers}, those of `{self.encoder}`")
        largest = max((rank for rank in self.ranks if rank != "full"), default=0)
        found = f"parameter `ranks` is {largest}"
        check(largest <= width, found, f"at most {width}, the width of `{self.encoder}`")
        check_shares("looks", self.looks, self.steps)
        trained = not self.looks or 0 not in self.ranks
        check(trained, "`looks` at rank 0, where no trunk is trained", "none")
        for task in self.tasks:
            check_choice("task", task, family(self.family).tasks)
        alone = self.pairs == "alone" or not self.tasks
        check(alone, f"parameter `tasks` is {self.tasks}", "pairs `alone`, or all of the family")
        return self
