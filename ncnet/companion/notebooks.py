"""Lists the parameters of all notebooks."""

from ncnet.checks import check_choice
from ncnet.companion.parameters import Batch
from ncnet.parameters import Notebook
from ncnet.studies.atlas.parameters import Rq6
from ncnet.studies.calibration.parameters import Calibration
from ncnet.studies.capacity.parameters import Rq1, Rq3
from ncnet.studies.generalization.parameters import Rq4, Rq5
from ncnet.studies.mechanism.parameters import Rq2
from ncnet.studies.multiverse.parameters import Rq3Multiverse
from ncnet.studies.ranks.parameters import Rq3Lora
from ncnet.studies.your_model.parameters import YourModel

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
