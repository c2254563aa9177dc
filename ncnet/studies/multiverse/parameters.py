"""Parameters of the notebook `rq3_multiverse`."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from ncnet.checks import check
from ncnet.claims import CRITICAL_SIZE
from ncnet.parameters import HiddenSizes, Notebook, Replicas, Seed, Switch
from ncnet.studies.multiverse.analysis import trainings


def _judged(sizes: list[int]) -> list[int]:
    if CRITICAL_SIZE not in sizes:
        raise ValueError(f"expected {CRITICAL_SIZE} among them, which the rules compare with")
    return sizes


FEWEST_RECORDED = 1600  # replicas


class Rq3Multiverse(Notebook):
    """Parameters of ``rq3_multiverse``: S(n) under other choices."""

    NOTEBOOK = "rq3_multiverse"
    TABLES = ("multiverse",)
    RECORDED = ("multiverse", "multiverse_longer", "multiverse_alone")

    trainings: Annotated[int, Field(ge=1, le=len(trainings()))]
    hidden_sizes: Annotated[HiddenSizes, AfterValidator(_judged)]
    replicas: Replicas
    steps: Annotated[int, Field(ge=0, le=1_000_000_000)]
    seed: Seed
    record: Switch

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        found = f"parameter `replicas` is {self.replicas} with `record` True"
        why = "or else no interval at the ceiling is as short as the rules ask for"
        enough = not self.record or self.replicas >= FEWEST_RECORDED
        check(enough, found, f"at least {FEWEST_RECORDED}, {why}")
        return self
