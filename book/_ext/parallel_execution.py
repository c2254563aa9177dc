"""Execute the pages with code side by side, before Sphinx reads the first of them.

MyST-NB executes a page when it is read, one after the other. Here all that are not in its execution
cache are executed first, one process for each processor, with the threads divided between them.
MyST-NB then finds every page in the cache. The pages that take longest start first.

A page that fails does not stop the others. When all have ended, the build fails and names the cell
of each page that did.
"""

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import joblib
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from light_pictures import lighten
from myst_nb.core.read import create_nb_reader
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from sphinx.util import logging

from ncnet import results

LOGGER = logging.getLogger(__name__)
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
STARTS = 3
"""How often a kernel is started, if it does not start."""
MEASURED = "benchmark_memory"
"""The recorded table that has how long each notebook takes."""


@dataclass(frozen=True)
class Page:
    """A page with code that is to be executed."""

    name: str
    path: Path
    notebook: NotebookNode


@dataclass(frozen=True)
class Executed:
    """An executed page: the notebook with its outputs, how long it took, and what failed if so."""

    notebook: NotebookNode
    seconds: float
    failure: str | None
    details: str


def execute_pages(app, env, names):
    """Execute all pages that Sphinx is about to read and the cache does not have."""
    cache = get_cache(app.config.nb_execution_cache_path)
    pages = sorted(_pages(env, names, cache), key=_seconds, reverse=True)
    failures = {}
    for number, (page, executed) in enumerate(_side_by_side(app, pages), 1):
        where = f"{number} of {len(pages)}"
        if executed.failure is None:
            _keep(cache, page, executed)
            LOGGER.info("executed %s in %.1f s, %s", page.name, executed.seconds, where)
        else:
            failures[page.name] = executed
            LOGGER.info("failed %s after %.1f s, %s", page.name, executed.seconds, where)
    if failures:
        for name, executed in failures.items():
            print(f"\n{name}:\n{executed.details}", file=sys.stderr)
        lines = [f"{name}, {failures[name].failure}" for name in sorted(failures)]
        # Not an error of Sphinx, which would bury these lines under tracebacks of its own.
        sys.exit("\n".join(["error: pages whose code failed, so that nothing is built:", *lines]))


def _pages(env, names, cache):
    for name in names:
        path = Path(env.doc2path(name))
        text = path.read_text(encoding="utf-8")
        reader = create_nb_reader(str(path), env.myst_config, env.mystnb_config, text)
        if reader is not None:
            page = Page(name, path, reader.read(text))
            try:
                cache.match_cache_notebook(page.notebook)
            except KeyError:
                yield page


def _seconds(page):
    """Return how long a page has taken where it was measured; other pages are short."""
    measured = results.load(MEASURED).table.set_index("notebook")["processor_seconds"]
    return measured.get(page.name.rpartition("/")[2], 0.0)


def _side_by_side(app, pages):
    """Yield each page and what came of it, as they end."""
    if not pages:
        return
    cores = joblib.cpu_count()
    workers = min(cores, len(pages))
    # Processes that are forked from one with threads may hang.
    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_begin_process, initargs=[cores // workers]
    ) as pool:
        timeout = app.config.nb_execution_timeout
        ends = {pool.submit(execute, page.notebook, page.path, timeout): page for page in pages}
        try:
            for end in as_completed(ends):
                yield ends[end], end.result()
        except BaseException as error:
            # Ended, not waited for: a page takes long. A kernel whose process is gone ends itself.
            for process in list(pool._processes.values()):
                process.kill()
            if isinstance(error, KeyboardInterrupt):
                sys.exit("interrupted: pages that have been executed are kept for the next build")
            raise


def _begin_process(threads):
    os.setsid()  # Ctrl-C is for the build, which then ends its processes
    for name in THREADS:
        os.environ.setdefault(name, str(threads))


def execute(notebook, path, timeout):
    """Execute a notebook in the folder of its file, within `timeout` seconds a cell."""
    # Its real folder: the book reads the notebooks through a link.
    folder, begun = str(path.parent.resolve()), []
    started = time.monotonic()
    try:
        error = with_started_kernel(
            lambda: (
                single_nb_execution(
                    notebook,
                    folder,
                    timeout,
                    allow_errors=False,
                    on_cell_execute=lambda cell, cell_index: begun.append(cell_index),
                ).err
            ),
            begun,
        )
    except DeadKernelError as dead:
        error = dead
    seconds = time.monotonic() - started
    lighten(notebook)
    failure = None if error is None else _failure(notebook.cells[: begun[-1] + 1], error)
    return Executed(notebook, seconds, failure, "" if error is None else str(error))


def with_started_kernel(execute, begun):
    """Return what `execute` returns; begin again if its kernel did not start.

    A kernel is told ports that were free a moment before: another program may have taken one.
    """
    for _ in range(STARTS - 1):
        try:
            return execute()
        except RuntimeError:
            if begun:
                raise
    return execute()


def _failure(begun, error):
    """Return one line: the last of the cells that were begun, as the book counts them, and why."""
    number = sum(cell.cell_type == "code" for cell in begun)
    told = str(error)
    if isinstance(error, CellExecutionError):
        told = f"{error.ename}: {error.evalue}"
    return f"code cell {number}: {told.splitlines()[0]}"


def _keep(cache, page, executed):
    data = {"execution_seconds": executed.seconds}
    bundle = CacheBundleIn(executed.notebook, str(page.path), data=data)
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def setup(app):
    """Connect to Sphinx."""
    app.connect("env-before-read-docs", execute_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
