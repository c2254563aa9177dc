"""What a cell depends on besides its parameters: the notebook, the modules it imports, versions.

Snakemake is given a digest of all three and reruns a cell when it changes. Times of files play no
part: a checkout, a copy or a mended docstring reruns nothing.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from ncnet import results
from ncnet.batch.grid import NOTEBOOKS, ROOT, Batch, notebook_cells


def code_digest(notebook: str) -> str:
    """Return a digest of all code that a run of a notebook may depend on.

    Of the notebook it takes every cell, since all of them are in the executed one; of a module
    what it does, not its comments and docstrings (`ncnet.results.source_digests`). Recorded
    tables do not count: a batch that has made one would otherwise be out of date at once.
    """
    shown = notebook_cells(NOTEBOOKS / f"{notebook}.ipynb")
    digests = results.DIGESTS_AT_IMPORT
    modules = {module: digests[module] for module in sorted(modules_of(notebook))}
    everything = json.dumps([shown, modules, results.installed_versions()])
    return hashlib.sha256(everything.encode()).hexdigest()[:16]


def joining_digest(batch: Batch) -> str:
    """Return a digest of all that the joining of a batch's tables depends on but the tables."""
    digests = results.DIGESTS_AT_IMPORT
    joining = {name: digests[name] for name in digests if name.startswith("ncnet.batch")}
    described = [batch.path.as_posix(), list(batch.cells.items()), list(batch.varied.items())]
    everything = json.dumps([described, batch.record, joining], sort_keys=True)
    return hashlib.sha256(everything.encode()).hexdigest()[:16]


def modules_of(notebook: str) -> set[str]:
    """Return the modules of the package that a notebook imports, directly or through others.

    Imports within functions count.

    Examples
    --------
    >>> found = modules_of("rq1")
    >>> "ncnet.chsh.bootstrap" in found, "ncnet.atlas" in found
    (True, False)
    """
    cells = notebook_cells(NOTEBOOKS / f"{notebook}.ipynb")
    code = "\n".join(source for kind, source, _ in cells if kind == "code")
    found, ahead = set(), list(_imports(code))
    while ahead:
        module = ahead.pop()
        if module not in found:
            found.add(module)
            ahead += _imports(_path(module).read_text(encoding="utf-8"))
    return found


def _imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            names = []
        for name in names:
            if name.split(".")[0] == "ncnet":
                yield from _with_parents(name)


def _with_parents(name: str) -> Iterator[str]:
    """Yield a module and the packages it is in; of an object in a module, these only."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        module = ".".join(parts[:count])
        if _path(module).exists():
            yield module


def _path(module: str) -> Path:
    place = ROOT.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
