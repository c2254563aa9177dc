"""The parameters of all notebooks, by the notebook's name."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict

from ncnet.checks import check_choice, suggestion
from ncnet.parameters import Notebook, at_home
from ncnet.results import ROOT
from ncnet.studies.atlas.parameters import Rq6
from ncnet.studies.calibration.parameters import Calibration
from ncnet.studies.capacity.parameters import Rq1, Rq3
from ncnet.studies.generalization.parameters import Rq4, Rq5
from ncnet.studies.mechanism.parameters import Rq2
from ncnet.studies.multiverse.parameters import Rq3Multiverse
from ncnet.studies.ranks.parameters import Rq3Lora
from ncnet.studies.your_model.parameters import YourModel


def _batch(folder: str) -> str:
    if not (ROOT / folder / "cells.json").exists():
        found = ROOT.glob("r*/*/cells.json")
        names = [path.parent.relative_to(ROOT).as_posix() for path in found]
        raise ValueError(f"no finished batch is there{suggestion(folder, names)}")
    return folder


class Batch(BaseModel):
    """Parameters of ``batch``: the folder of a batch, within the checkout or an absolute path.

    It shows tables and makes none.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    NOTEBOOK: ClassVar[str] = "batch"
    TABLES: ClassVar[tuple[str, ...]] = ()

    folder: Annotated[str, AfterValidator(at_home), AfterValidator(_batch)]


_MODELS = (Rq1, Rq2, Rq3, Rq3Multiverse, Rq3Lora, Rq4, Rq5, Rq6, Calibration, YourModel, Batch)
NOTEBOOKS = {model.NOTEBOOK: model for model in _MODELS}
"""The parameters of each notebook, by its name."""


def of(notebook: str) -> type[Notebook] | type[Batch]:
    """Return the parameters of a notebook.

    Raises
    ------
    ValueError
        If there are none of that name; the line names the nearest.

    Examples
    --------
    >>> of("rq3_multiverse").__name__
    'Rq3Multiverse'
    >>> of("rq33")
    Traceback (most recent call last):
    ValueError: unknown notebook `rq33`: did you mean `rq3`?
    """
    check_choice("notebook", notebook, NOTEBOOKS)
    return NOTEBOOKS[notebook]
