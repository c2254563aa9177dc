"""Parameters of the notebook `calibration`."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from ncnet.checks import check_choice
from ncnet.parameters import Notebook, Seed, Switch, distinct


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

    models: Annotated[list[ModelName], Field(min_length=1), AfterValidator(distinct)]
    replica_counts: Annotated[
        list[Annotated[int, Field(ge=2, le=100_000)]],
        Field(min_length=1),
        AfterValidator(distinct),
    ]
    simulations: Annotated[int, Field(ge=1, le=100_000)]
    seed: Seed
    record: Switch

    @model_validator(mode="after")
    def _records_what_the_book_quotes(self) -> Self:
        enough = (
            set(self.models) == set(_models())
            and 32 in self.replica_counts
            and len(self.replica_counts) > 1
            and self.simulations >= 200
        )
        if self.record and not enough:
            raise ValueError(
                "parameter `record` is True: the book quotes all models, at 32 replicas and at "
                "more, with at least 200 simulations each, which the run would not record"
            )
        return self
