"""Parameters of the notebook `rq3_lora`."""

from typing import Annotated, Literal

from pydantic import Field

from ncnet.parameters import Distinct, Notebook, Rate, Seed

EncoderName = Literal[
    "bert-base-multilingual-cased", "bert-base-uncased", "e5", "minilm", "minilm_4bit", "tiny"
]
FamilyName = Literal["languages", "mixed", "toy_languages", "toy_mixed"]
Rank = Annotated[int, Field(ge=0, le=4096)] | Literal["full"]
Share = Annotated[float, Field(ge=0, le=1)]


class Rq3Lora(Notebook):
    """Parameters of ``rq3_lora``: S of an encoder against the rank of its adapters."""

    NOTEBOOK = "rq3_lora"
    TABLES = ("real_outcomes", "real_networks", "real_tasks")

    encoder: EncoderName
    family: FamilyName
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
