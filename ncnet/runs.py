"""Saves the tables of a notebook's run, and loads the recorded ones that it shows.

A run with `save_to` leaves its tables there: a batch gives each of its jobs a folder. A run
with `record` has all that the book quotes; its tables take the place of those in ``results/``,
or, with both, are written to `save_to` and shown on its own page as the recorded ones.

Such a run keeps its parts (`ncnet.parts`) in `save_to`, or in ``runs/`` of the checkout, until the
last of its tables is saved.
"""

import json
import math
import shlex
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import yaml

from ncnet import results, sources
from ncnet.checks import check
from ncnet.parameters import Notebook
from ncnet.parts import Parts
from ncnet.printing import shown

JOBS, SHARED = "jobs", "shared"
"""Folders of a batch: of each job by itself, and of all together. A table is called jobs too."""


def command(notebook: str, chosen: dict) -> str:
    """Return the command that runs a notebook again, in the root of the checkout.

    >>> command("rq1", {"learning_rate": 0.00001, "save_to": ""})
    "papermill notebooks/rq1.ipynb rq1.ipynb -y '{learning_rate: 1.0e-05}'"
    """
    given = {name: value for name, value in chosen.items() if name != "save_to"}
    if chosen["save_to"]:
        given["save_to"] = chosen["save_to"]
    ran = ["papermill", f"notebooks/{notebook}.ipynb", f"{notebook}.ipynb", "-y", to_yaml(given)]
    return shlex.join(ran)


def to_yaml(given: dict) -> str:
    """Return parameters in a line of YAML that papermill reads as just these values.

    papermill's YAML is version 1.1, where a number without a point, such as ``1e-05``, is text.

    >>> to_yaml({"hidden_sizes": [2, 3], "learning_rate": 0.00001, "save_to": "yes"})
    "{hidden_sizes: [2, 3], learning_rate: 1.0e-05, save_to: 'yes'}"
    """
    written = yaml.safe_dump(given, default_flow_style=True, sort_keys=False, width=math.inf)
    return written.rstrip()


class Run:
    """One run of a notebook, with the parameters that it was given.

    Parameters
    ----------
    notebook
        The model of its parameters, which its study has.
    chosen
        The parameters, as `ncnet.parameters.validate` returned them.

    Attributes
    ----------
    parameters
        All that numbers may depend on: `chosen` without `save_to`.
    parts
        The `Parts` that a run keeps until all its tables are saved, should it be cut off. None, if
        it saves no tables.

    Examples
    --------
    >>> import tempfile
    >>> class Example(Notebook):
    ...     NOTEBOOK = "rq1"
    ...     TABLES = ("capacity",)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = Run(Example, {"seed": 0, "save_to": folder})
    ...     run.save("capacity", pd.DataFrame({"s": [2.0]}))
    ...     results.load("capacity", folder=Path(folder)).provenance["parameters"]
    {'seed': 0}
    """

    def __init__(self, notebook: type[Notebook], chosen: dict):
        expected = "the model of its parameters, such as ncnet.studies.capacity.parameters.Rq1"
        check(isinstance(notebook, type), f"notebook is {shown(notebook)}", expected)
        self.parameters = {name: value for name, value in chosen.items() if name != "save_to"}
        self._recorded = notebook.RECORDED if chosen.get("record") else ()
        self._folder = Path(chosen["save_to"]) if chosen["save_to"] else None
        self._command = command(notebook.NOTEBOOK, chosen)
        self._unsaved = {*self._recorded, *(notebook.TABLES if self._folder else ())}
        self.parts = None
        if self._unsaved:
            results.checkout()  # before an edit that this run does not know of
            own = self._folder or results.FOLDER.parent / "runs" / notebook.NOTEBOOK
            self.parts = Parts(own / "parts", self.parameters, code=_code(notebook.NOTEBOOK))

    def save(self, name: str, table: pd.DataFrame, *, parameters: dict | None = None) -> None:
        """Save a table, if this run saves it: in `save_to`, or for the book in ``results/``.

        `parameters` are those of the run unless told otherwise.
        """
        folder = self._folder or (results.FOLDER if name in self._recorded else None)
        if folder is not None:
            given = self.parameters if parameters is None else parameters
            results.save(name, table, parameters=given, command=self._command, folder=folder)
            self._unsaved.discard(name)
            if not self._unsaved:
                self.parts.clear()

    def load(self, name: str) -> results.Result:
        """Load a recorded table: this run's own, if it records it, or else the book's."""
        own = self._folder if name in self._recorded else None
        return results.load(name, folder=own or results.FOLDER)

    def show(self, figure: object, **drawn_from: sources.Source | None) -> None:
        """Display a figure with its sources and this run's parameters: see `ncnet.sources.show`."""
        sources.show(figure, parameters=self.parameters, **drawn_from)

    def part(self, described: dict, compute: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Compute a part, or take it from this run before it was cut off: see `ncnet.parts`."""
        return self.parts.part(described, compute) if self.parts else compute()

    def folder(self, described: dict) -> Path | None:
        """Return where a long part keeps what it finishes, if this run keeps its parts."""
        return self.parts.folder(described) if self.parts else None

    def shared(self, name: str) -> Path | None:
        """Return a folder that the jobs of a batch share, if this run keeps its parts.

        It goes with the batch, as soon as its tables are joined; that of a run by itself goes with
        the run. What lies there is found by all that it follows from.
        """
        if self._folder and self._folder.parent.name == JOBS:
            return self._folder.parent.with_name(SHARED) / name
        return self.folder({SHARED: name})


def _code(notebook: str) -> str:
    """Return the code of a notebook as it is in the checkout, without what it printed."""
    path = results.FOLDER.parent / "notebooks" / f"{notebook}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
