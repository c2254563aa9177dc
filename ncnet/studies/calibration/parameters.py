"""Parameters of the notebook `calibration`."""

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from ncnet.checks import check_choice
from ncnet.parameters import Distinct, Notebook, Seed, Switch


def _models() -> list[str]:
    # Imported where it is used: it takes a second.
    from ncnet.studies.calibration.analysis import models

    return list(models())


def _known(name: str) -> str:
    check_choice("model", name, _models())
    return name


ModelName = Annotated[str, BeforeValidator(_known)]


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

    def _short_of_a_record(self) -> list[str]:
        missing = [name for name in _models() if name not in self.models]
        # Some names have a comma in them.
        short = ["`models` with " + ", ".join(f"'{name}'" for name in missing)] if missing else []
        several = len(self.replica_counts) > 1
        short += [] if several else [f"several `replica_counts` (here {self.replica_counts})"]
        return short + super()._short_of_a_record()
