"""Finds the files that a job depends on: its notebook, the core, and the study's own folder.

Snakemake is given a checksum of their content when it plans, and runs a job again when it changes.
Times of files play no part: what is touched, checked out again or copied reruns nothing. That no
study imports another one, a linter of imports sees to.
"""

import inspect
from collections.abc import Iterable
from pathlib import Path

from ncnet import files as stored
from ncnet.companion import notebooks
from ncnet.companion.batch.grid import NOTEBOOKS
from ncnet.results import ROOT

PACKAGE = ROOT / "ncnet"
ROOMS = ("studies", "companion")


def checksum(files: Iterable[Path]) -> str:
    """Return one checksum of the names and the bytes of files of the checkout.

    >>> checksum(files_of("rq1")) == checksum(reversed(files_of("rq1")))
    True
    """
    return stored.checksum(((ROOT / file).resolve() for file in files), ROOT)[:16]


def files_of(notebook: str) -> list[Path]:
    """Return the files that a run of a notebook may depend on, recorded tables aside.

    Recorded tables do not count: a batch that has made one would otherwise be out of date at once.

    Examples
    --------
    >>> names = [path.parent.name for path in files_of("rq2")]
    >>> "chsh" in names, "mechanism" in names, "ranks" in names
    (True, True, False)
    """
    study = Path(inspect.getfile(notebooks.of(notebook))).parent
    core = [
        path
        for path in stored.code_of(PACKAGE)
        if path.parent.name == "studies" or path.relative_to(PACKAGE).parts[0] not in ROOMS
    ]
    return [NOTEBOOKS / f"{notebook}.ipynb", *core, *stored.code_of(study)]
