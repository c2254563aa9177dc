"""The files that a cell of a batch depends on: its notebook, and the modules that this imports.

Snakemake is given a checksum of their content when it plans, and runs a cell again when it changes.
Times of files play no part: what is touched, checked out again or copied reruns nothing.
"""

import ast
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ncnet.batch.grid import NOTEBOOKS, ROOT, notebook_cells


def checksum(files: Iterable[Path]) -> str:
    """Return one checksum of the names and the bytes of files of the checkout.

    >>> checksum(files_of("rq1")) == checksum(reversed(files_of("rq1")))
    True
    """
    content = hashlib.sha256()
    for path in sorted({(ROOT / file).resolve() for file in files}):
        content.update(f"{os.path.relpath(path, ROOT)}\0".encode())
        content.update(hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()[:16]


def files_of(notebook: str) -> list[Path]:
    """Return the files that a run of a notebook may depend on, recorded tables aside.

    The notebook, the modules of `modules_of`, and the C++ beside them. Recorded tables do not
    count: a batch that has made one would otherwise be out of date at once.
    """
    modules = [_path(module) for module in sorted(modules_of(notebook))]
    native = [path.with_suffix(".cpp") for path in modules]
    return [NOTEBOOKS / f"{notebook}.ipynb", *modules, *(path for path in native if path.exists())]


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
