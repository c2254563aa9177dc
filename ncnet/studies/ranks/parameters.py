"""Parameters of the notebook `rq3_lora`."""

from typing import Annotated, Literal

from pydantic import Field

from ncnet.parameters import Distinct, Notebook, Rate, Seed

EncoderName = Literal["bert-base-multilingual-cased", "bert-base-uncased", "minilm", "tiny"]
QuartetName = Literal[
    "mixed_hard_together",
    "mixed_hard_apart",
    "mixed_hard_twice",
    "languages",
    "languages_ja",
    "toy_mixed",
    "toy_languages",
]
Rank = Annotated[int, Field(ge=0, le=4096)] | Literal["full"]


class Rq3Lora(Notebook):
    """Parameters of ``rq3_lora``: S of an encoder against the rank of its adapters."""

    NOTEBOOK = "rq3_lora"
    TABLES = ("lora", "lora_tasks", "lora_outcomes", "lora_losses")

    encoder: EncoderName
    data: Distinct[QuartetName]
    ranks: Distinct[Rank]
    replicas: Annotated[int, Field(ge=2, le=100_000)]
    items: Annotated[int, Field(ge=2, le=100_000)]
    held_out: Annotated[int, Field(ge=0, le=100_000)]
    layers: Annotated[int, Field(ge=1, le=48)]
    steps: Annotated[int, Field(ge=0, le=1_000_000)]
    batch_size: Annotated[int, Field(ge=1, le=10_000)]
    learning_rate: Rate
    seed: Seed
