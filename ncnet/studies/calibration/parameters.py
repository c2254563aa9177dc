"""Parameters of the notebook `calibration`."""

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from ncnet.checks import check, check_choice
from ncnet.parameters import Distinct, Notebook, Seed, Switch


def _models() -> list[str]:
    # Imported where it is used: it takes a second.
    from ncnet.studies.calibration.analysis import models

    return list(models())


def _known(name: str) -> str:
    check_choice("model", name, _models())
    return name


ModelName = Annotated[str, AfterValidator(_known)]


class Calibration(Notebook):
    """Parameters of ``calibration``: models to simulate experiments on, and how many."""

    NOTEBOOK = "calibration"
    TABLES = RECORDED = ("calibration",)
    QUOTED: ClassVar = {"replica_counts": (32,), "simulations": 200}

    models: Distinct[ModelName]
    replica_counts: Distinct[Annotated[int, Field(ge=2, le=100_000)]]
    simulations: Annotated[int, Field(ge=1, le=100_000)]
    seed: Seed
    record: Switch

    @model_validator(mode="after")
    def _records_all_models(self) -> Self:
        if self.record:
            found = f"parameter `record` is True with `models` {self.models}"
            check(set(self.models) == set(_models()), found, "all models, which the book quotes")
            found = f"parameter `record` is True with `replica_counts` {self.replica_counts}"
            check(len(self.replica_counts) > 1, found, "several, which the book quotes")
        return self
