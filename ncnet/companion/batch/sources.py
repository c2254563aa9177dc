"""Finds the files that a job depends on: its notebook, the core, and the studies that it imports.

Snakemake is given a checksum of their content when it plans, and runs a job again when it changes.
Times of files play no part: what is touched, checked out again or copied reruns nothing. That no
study imports another one, a linter of imports sees to.
"""

import inspect
import json
import re
from collections.abc import Iterable
from pathlib import Path

from ncnet import files as stored
from ncnet.companion import notebooks
from ncnet.companion.batch.grid import NOTEBOOKS
from ncnet.results import ROOT

PACKAGE = ROOT / "ncnet"
ROOMS = ("studies", "companion")
IMPORTED = re.compile(r"^\s*from ncnet\.studies\.(\w+)", re.MULTILINE)
"""How a notebook names a study that it reads."""


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
    file = NOTEBOOKS / f"{notebook}.ipynb"
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    code = "".join("".join(c["source"]) + "\n" for c in cells if c["cell_type"] == "code")
    studies = {Path(inspect.getfile(notebooks.of(notebook))).parent}
    studies |= {PACKAGE / "studies" / name for name in IMPORTED.findall(code)}
    core = [
        path
        for path in stored.code_of(PACKAGE)
        if path.parent.name == "studies" or path.relative_to(PACKAGE).parts[0] not in ROOMS
    ]
    return [file, *core, *(path for study in sorted(studies) for path in stored.code_of(study))]
