"""Holds the parameters of the notebook `rq3_multiverse`."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from ncnet.checks import check_choice
from ncnet.claims import CRITICAL_SIZE
from ncnet.parameters import (
    Distinct,
    HiddenSizes,
    Notebook,
    Number,
    Replicas,
    Seed,
    Switch,
    distinct,
)
from ncnet.studies.multiverse.analysis import trainings
from ncnet.studies.multiverse.noise import NOISES


def _judged(sizes: list[int]) -> list[int]:
    if CRITICAL_SIZE not in sizes:
        raise ValueError(f"expected {CRITICAL_SIZE} among them, which the rules compare with")
    return sizes


def _noise(name: str) -> str:
    check_choice("noise", name, NOISES)
    return name


class Rq3Multiverse(Notebook):
    """Parameters of ``rq3_multiverse``: S(n) under other choices."""

    NOTEBOOK = "rq3_multiverse"
    TABLES = ("multiverse", "noise", "noise_scatter")
    RECORDED = ("multiverse", "multiverse_longer", "multiverse_alone")
    # With fewer no interval at the ceiling is as short as the rules ask for.
    QUOTED: ClassVar = {"replicas": 1600}

    trainings: Annotated[int, Field(ge=1, le=len(trainings()))]
    hidden_sizes: Annotated[HiddenSizes, AfterValidator(_judged)]
    replicas: Replicas
    noises: Distinct[Annotated[str, AfterValidator(_noise)]]
    runs_of_50: Annotated[int, Field(ge=1, le=10_000)]
    rates: Annotated[list[Annotated[Number, Field(gt=0, le=1000)]], AfterValidator(distinct)]
    steps: Annotated[int, Field(ge=0, le=1_000_000_000)]
    seed: Seed
    record: Switch
