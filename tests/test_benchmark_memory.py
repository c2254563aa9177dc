"""What the benchmark of memory sees, and that it ends what takes too much."""

import subprocess
import sys

import nbformat
import psutil
import pytest
from jupyter_client.manager import start_new_kernel

from benchmarks import memory

# A child of its own takes what the notebooks' kernels take: the server is not what grows.
TAKES = """
import subprocess, sys
child = "x = bytearray(b'1' * {size}); print('taken', flush=True); input()"
subprocess.run([sys.executable, "-c", child])
"""


@pytest.fixture
def taken():
    """Start processes that take 200 MB together; a watch of them."""
    process = subprocess.Popen(
        [sys.executable, "-c", TAKES.format(size=200_000_000)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    with process:
        assert process.stdout.readline() == "taken\n"
        watch = memory.Watch(psutil.Process(process.pid), limit=1000)
        yield watch
        watch.end()


def test_it_sees_what_a_child_takes(taken):
    found = taken.look()
    assert 200 < found < 300
    assert taken.peak == found
    assert taken.processor_seconds() > 0


@pytest.mark.slow
def test_it_remembers_the_peak_and_ends_all(taken):
    peak = taken.look()
    processes = [taken.process, *taken.process.children()]
    taken.end()
    psutil.wait_procs(processes, timeout=60)
    assert taken.look() == 0
    assert taken.peak == peak


def test_it_refuses_what_passes_the_limit(taken):
    taken.limit = 150
    with pytest.raises(memory.OverLimitError, match=r"\d+ MB, more than 150"):
        taken.look()


def notebook(folder, *sources):
    path = folder / "tried.ipynb"
    cells = [nbformat.v4.new_markdown_cell("Prose."), *map(nbformat.v4.new_code_cell, sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


@pytest.fixture(scope="module")
def kernel():
    """Start a kernel; its client and a watch of it."""
    manager, client = start_new_kernel()
    yield client, memory.Watch(psutil.Process(manager.provisioner.pid), limit=1000)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.slow
def test_it_runs_the_cells_of_a_notebook_in_order(kernel, tmp_path):
    client, watch = kernel
    path = notebook(
        tmp_path, "x = 6", "%time x *= 7", f"open({str(tmp_path / 'x')!r}, 'w').write(str(x))"
    )
    memory.run(client, path, watch)
    assert (tmp_path / "x").read_text(encoding="utf-8") == "42"
    assert watch.peak > 0


def test_a_cell_that_fails_is_told(kernel, tmp_path):
    with pytest.raises(RuntimeError, match="tried: ZeroDivisionError: division by zero"):
        memory.run(kernel[0], notebook(tmp_path, "1 / 0"), kernel[1])


def test_a_cell_that_takes_too_much_is_told(kernel, tmp_path):
    client, watch = kernel
    tight = memory.Watch(watch.process, limit=watch.look() + 50)
    path = notebook(tmp_path, "import time; x = bytearray(b'1' * 200_000_000); time.sleep(60)")
    with pytest.raises(memory.OverLimitError):
        memory.run(client, path, tight)


def test_it_installs_what_binder_does_from_this_machines_index():
    listed = memory.packages()
    assert "--constraint requirements.txt" in listed
    assert "-e .[train,report]" in listed
    assert not [line for line in listed if "http" in line]


def test_a_table_of_one_notebook_is_not_recorded(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["memory", "rq1", "--record"])
    with pytest.raises(SystemExit, match="2"):
        memory.main()
    assert "--record takes no names" in capsys.readouterr().err
