"""Checks the parameters of the notebook `batch`."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict

from ncnet.checks import suggestion
from ncnet.parameters import expand_home
from ncnet.results import ROOT


def _batch(folder: str) -> str:
    if not (ROOT / folder / "jobs.json").exists():
        found = ROOT.glob("r*/*/jobs.json")
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

    folder: Annotated[str, AfterValidator(expand_home), AfterValidator(_batch)]
