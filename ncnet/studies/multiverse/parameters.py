"""Parameters of the notebook `rq3_multiverse`."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ncnet.parameters import HiddenSizes, Notebook, Replicas, Seed, Switch


class Rq3Multiverse(Notebook):
    """Parameters of ``rq3_multiverse``: S(n) under other choices."""

    NOTEBOOK = "rq3_multiverse"
    TABLES = ("multiverse",)
    RECORDED = (
        "multiverse",
        "multiverse_longer",
        "multiverse_alone",
    )

    trainings: Annotated[int, Field(ge=1, le=108)]
    hidden_sizes: HiddenSizes
    replicas: Replicas
    steps: Annotated[int, Field(ge=0, le=1_000_000_000)]
    seed: Seed
    record: Switch

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        if 3 not in self.hidden_sizes:
            raise ValueError(
                f"parameter `hidden_sizes` is {self.hidden_sizes}: expected 3 among them, which "
                "the rules compare with"
            )
        if self.record and self.replicas < 1600:
            raise ValueError(
                f"parameter `replicas` is {self.replicas}: a record takes at least 1600, or else "
                "no interval at the ceiling is as short as the rules ask for"
            )
        return self
