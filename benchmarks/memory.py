"""Whether each notebook fits a machine of Binder: ``python -m benchmarks.memory``.

Each notebook runs at its defaults as it would there: the packages of ``environment.yml`` in an
environment of their own, JupyterLab's server started by ``start``, one kernel, one processor. The
memory of the server and of all that it started is added up ten times a second, a page that
processes share counted once; what passes the limit is ended. The environment is kept in the user's
cache folder (`environment`), for the next time. With ``--record`` the table goes to
``results/``; with ``--without-compiler`` it is another table, of what a machine without one takes,
and has no limit.
"""

import argparse
import hashlib
import json
import math
import os
import queue
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
import pandas as pd
import psutil
import yaml
from jupyter_client import BlockingKernelClient
from platformdirs import user_cache_path

from ncnet import results

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 1000
"""Megabytes: Binder promises its machines 1 GB, and ends them at 2."""
INTERVAL = 0.1  # seconds between two looks at the memory
STARTED_WITHIN = 60  # seconds
CELL_WITHIN = 600  # seconds, as in the book
WITHOUT_COMPILER = {"CXX": "none"}
MADE = "made"  # a file that says so
# It serves the notebooks, and Binder has its own.
SERVER = "jupyterlab"


class OverLimitError(RuntimeError):
    """The processes took more memory than they may."""


class Watch:
    """What a process and all that it started take.

    Parameters
    ----------
    process
        The first of them.
    limit
        Megabytes that they may take together; none unless told otherwise.
    """

    def __init__(self, process: psutil.Process, limit: float = math.inf):
        self.process = process
        self.limit = limit
        self.peak = 0.0
        """Megabytes, the most that was seen."""

    def look(self) -> float:
        """Return the megabytes taken now.

        Raises
        ------
        OverLimitError
            If they are more than the limit.
        """
        taken = sum(self._each(lambda process: process.memory_full_info().pss)) / 1e6
        self.peak = max(self.peak, taken)
        if taken > self.limit:
            raise OverLimitError(f"{taken:.0f} MB, more than {self.limit:.0f}")
        return taken

    def processor_seconds(self) -> float:
        """Return the time that they computed, ended children included."""
        return sum(self._each(lambda process: sum(process.cpu_times()[:4])))

    def end(self) -> None:
        """End them all."""
        for process in self._family():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def _family(self) -> list[psutil.Process]:
        try:
            return [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _each(self, value: Callable[[psutil.Process], float]) -> Iterator[float]:
        for process in self._family():
            # One that ends meanwhile takes nothing.
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                yield value(process)


def packages() -> list[str]:
    """Return what pip installs on Binder, less the index: it is another where this runs."""
    *_, pip = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    return [line for line in pip["pip"] if not line.startswith("--extra-index-url")]


def environment() -> Path:
    """Return where the environment of the packages that Binder has is kept, once it is made.

    In the user's cache folder, by a name that says all it depends on: the lock, the packages, this
    Python and this checkout. It may be deleted at any time, and is made again when it is needed.
    """
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    made_of = json.dumps([lock, packages(), sys.version, sys.prefix, str(ROOT)])
    digest = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    return user_cache_path("ncnet") / "binder" / digest


def is_made() -> bool:
    """Return whether the environment is there, whole."""
    return (environment() / MADE).exists()


def make_environment() -> None:
    """Make the environment, or what is lacking of one whose making was cut off."""
    folder = environment()
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    # In the root, since the list names a file beside it.
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt", dir=ROOT) as listed:
        listed.write("\n".join([*packages(), SERVER]))
        listed.flush()
        command = [sys.executable, ".ci/install.py", "--python", folder / "bin" / "python"]
        subprocess.run([*command, "--requirements", listed.name], cwd=ROOT, check=True)
    (folder / MADE).touch()


@contextmanager
def served(
    environment: Path, limit: float, variables: dict[str, str]
) -> Iterator[tuple[Watch, BlockingKernelClient]]:
    """Start a server and a kernel in `environment`; yield a watch of both and the kernel's client.

    They have the environment variables of this process, without settings of Jupyter, and
    `variables`. All that was started has ended when the context is left.
    """
    with tempfile.TemporaryDirectory() as home:
        # No settings of the person who runs this, and no kernels that were compiled before.
        runtime = Path(home) / "runtime"
        settings = {"HOME": home, "XDG_CACHE_HOME": home, "JUPYTER_RUNTIME_DIR": str(runtime)}
        kept = {name: value for name, value in os.environ.items() if "JUPYTER" not in name}
        # On Binder all packages are compiled: here what one notebook imports is, for the next one.
        for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
            kept.pop(name, None)
        command = [ROOT / "start", environment / "bin" / "jupyter", "lab", "--no-browser"]
        command += ["--allow-root", "--ServerApp.port=0", f"--ServerApp.root_dir={ROOT}"]
        with subprocess.Popen(
            command,
            env=kept | settings | variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as server:
            watch = Watch(psutil.Process(server.pid), limit)
            watch.process.cpu_affinity(watch.process.cpu_affinity()[:1])
            try:
                yield watch, _kernel(runtime, server)
            finally:
                watch.end()


def _kernel(runtime: Path, server: subprocess.Popen) -> BlockingKernelClient:
    described = runtime / f"jpserver-{server.pid}.json"
    address = _once_started(lambda: json.loads(described.read_text(encoding="utf-8")))
    request = urllib.request.Request(
        f"{address['url']}api/kernels",
        data=json.dumps({"name": "python3", "path": "notebooks"}).encode(),
        headers={"Authorization": f"token {address['token']}"},
    )
    kernel = _once_started(lambda: json.load(urllib.request.urlopen(request)))["id"]
    client = BlockingKernelClient(connection_file=str(runtime / f"kernel-{kernel}.json"))
    client.load_connection_file()
    client.start_channels()
    return client


def _once_started(ask: Callable[[], dict]) -> dict:
    """Return what `ask` does, as soon as it does not fail: a server starts bit by bit."""
    until = time.monotonic() + STARTED_WITHIN
    while True:
        try:
            return ask()
        except (OSError, ValueError):  # no file, half a file, no connection
            if time.monotonic() > until:
                raise
            time.sleep(INTERVAL)


def run(client: BlockingKernelClient, notebook: Path, watch: Watch) -> None:
    """Run the cells of a notebook one after the other.

    Raises
    ------
    OverLimitError
        If what `watch` watches takes too much memory.
    RuntimeError
        If a cell fails.
    TimeoutError
        If a cell takes too long, as it does when its kernel has died.
    """
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        # A cell that failed must not have the kernel refuse the next one for a moment.
        asked = client.execute(cell.source, allow_stdin=False, stop_on_error=False)
        answer = _answer(client, asked, watch)
        if answer["status"] != "ok":
            raise RuntimeError(f"{notebook.stem}: {answer['ename']}: {answer['evalue']}")


def _answer(client: BlockingKernelClient, request: str, watch: Watch) -> dict:
    until = time.monotonic() + CELL_WITHIN
    while time.monotonic() < until:
        watch.look()
        with suppress(queue.Empty):
            reply = client.get_shell_msg(timeout=INTERVAL)
            if reply["parent_header"]["msg_id"] == request:
                return reply["content"]
    raise TimeoutError(f"a cell has not ended within {CELL_WITHIN} s")


def measure(name: str, limit: float, variables: dict[str, str]) -> dict:
    """Return a row of the table: the notebook, the memory that it takes, and the time.

    It runs in the `environment` that is kept.
    """
    notebook = ROOT / "notebooks" / f"{name}.ipynb"
    with served(environment(), limit, variables) as (watch, client):
        before, started = watch.processor_seconds(), time.perf_counter()
        fits = True
        try:
            run(client, notebook, watch)
        except OverLimitError:
            fits = False
        finally:
            client.stop_channels()
        return {
            "notebook": name,
            "megabytes": watch.peak,
            "fits": fits,
            "seconds": time.perf_counter() - started,
            "processor_seconds": watch.processor_seconds() - before,
        }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("notebooks", nargs="*", help="their names; all unless told otherwise")
    parser.add_argument("--limit", type=float, default=LIMIT, help="in megabytes")
    parser.add_argument("--record", action="store_true", help="write the table to results/")
    parser.add_argument(
        "--without-compiler", action="store_true", help="as where there is no C++ compiler"
    )
    options = parser.parse_args()
    if options.record and options.notebooks:
        parser.error("--record takes no names: the table is of all notebooks")
    table_name, command, variables = "benchmark_memory", "python -m benchmarks.memory", {}
    if options.without_compiler:
        table_name, options.limit = "benchmark_without_compiler", math.inf
        command, variables = f"{command} --without-compiler", WITHOUT_COMPILER
    names = options.notebooks or sorted(p.stem for p in (ROOT / "notebooks").glob("*.ipynb"))
    if not is_made():
        print(f"Installing what Binder installs, into {environment()}.", flush=True)
        make_environment()
    table = pd.DataFrame(_measured(names, options.limit, variables))
    if options.record:
        limit = {} if options.without_compiler else {"limit": options.limit}
        results.save(table_name, table, parameters=limit, command=f"{command} --record")
    sys.exit(not table["fits"].all())


def _measured(names: list[str], limit: float, variables: dict[str, str]) -> Iterator[dict]:
    print(f"load of the machine's {os.cpu_count()} cores at the start: {os.getloadavg()[0]:.1f}")
    print(f"at most {limit:.0f} MB, on one processor")
    print(f"{'notebook':<16}{'peak, MB':>10}{'seconds':>10}{'of processor':>14}")
    for name in names:
        row = measure(name, limit, variables)
        line = "{notebook:<16}{megabytes:>10.0f}{seconds:>10.0f}{processor_seconds:>14.0f}"
        print(line.format(**row) + ("" if row["fits"] else "  ended: over the limit"), flush=True)
        yield row


if __name__ == "__main__":
    main()
