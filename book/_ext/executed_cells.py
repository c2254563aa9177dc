"""Read the executed code cells of a page, with all that they left behind.

MyST-NB takes glued numbers out of the notebooks that it writes; the execution cache has them. A
cell's number counts the code cells of its page from 1, as Jupyter does when a notebook runs.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from myst_nb.sphinx_ import NbMetadataCollector

from ncnet.sources import METADATA

FOLDER = "jupyter_execute"
HIDDEN = {"remove-cell", "remove-input"}


@dataclass(frozen=True)
class Cell:
    """A code cell: its place in the notebook, its number, its code and what it left behind."""

    page: str
    index: int
    number: int
    code: str
    hidden: bool
    figure: str | None
    glued: tuple[str, ...]
    sources: tuple[dict, ...] = field(hash=False)

    @property
    def anchor(self):
        """Return the cell's anchor, which is unique in the book."""
        return f"{self.page.rpartition('/')[2].replace('_', '-')}-cell-{self.number}"


def read(app, page):
    """Return the code cells of a page; none if it is not executed."""
    if not NbMetadataCollector.get_exec_data(app.env, page):
        return ()
    path = Path(app.outdir).parent / FOLDER / f"{page}.ipynb"
    return _read(page, path, path.stat().st_mtime_ns, app.config.nb_execution_cache_path)


@cache
def _read(page, path, _changed, cache_path):
    notebook = nbformat.read(path, as_version=4)
    _, notebook = get_cache(cache_path).merge_match_into_notebook(notebook)
    code = [(place, cell) for place, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    return tuple(_cell(page, place, number, cell) for number, (place, cell) in enumerate(code, 1))


def _cell(page, index, number, cell):
    metadata = [output.get("metadata", {}) for output in cell.outputs]
    return Cell(
        page,
        index,
        number,
        cell.source,
        hidden=bool(HIDDEN & set(cell.metadata.get("tags", ()))),
        figure=cell.metadata.get("mystnb", {}).get("figure", {}).get("name"),
        glued=tuple(one["scrapbook"]["name"] for one in metadata if "scrapbook" in one),
        sources=tuple(one[METADATA] for one in metadata if METADATA in one),
    )
