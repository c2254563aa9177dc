"""Each notebook is the clean twin of its .py pair: `make notebooks` writes it."""

import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_every_script_has_its_notebook_and_the_reverse():
    scripts = {path.stem for path in (ROOT / "notebooks").glob("*.py")}
    assert scripts == {path.stem for path in NOTEBOOKS}


@each_notebook
def test_cells_equal_the_scripts(path):
    def cells(notebook):
        return [(cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells]

    script = jupytext.read(path.with_suffix(".py"))
    assert cells(nbformat.read(path, as_version=4)) == cells(script), "run: make notebooks"


@each_notebook
def test_nothing_of_a_run_is_kept(path):
    code = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    assert not [cell.source for cell in code if cell.outputs or cell.execution_count], (
        "run: make notebooks"
    )


@each_notebook
def test_the_first_code_cell_holds_the_parameters(path):
    code = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    tagged = ["parameters" in cell.metadata.get("tags", []) for cell in code]
    assert tagged == [True] + [False] * (len(code) - 1)


@pytest.mark.slow
def test_writing_the_notebooks_again_changes_nothing(tmp_path):
    for folder in (".ci", "notebooks"):
        (tmp_path / folder).mkdir()
    writer = tmp_path / ".ci" / "pair_notebooks.py"
    writer.write_bytes((ROOT / ".ci" / "pair_notebooks.py").read_bytes())
    script = '# %% tags=["parameters"]\nn: int = 3\n\n# %%\nn + n\n\n# %%\nn + n\n'
    (tmp_path / "notebooks" / "sum.py").write_text(script, encoding="utf-8")
    notebook = tmp_path / "notebooks" / "sum.ipynb"

    subprocess.run([sys.executable, writer], check=True)
    first = notebook.read_bytes()
    ids = [cell.id for cell in nbformat.read(notebook, as_version=4).cells]
    assert len(set(ids)) == 3
    subprocess.run([sys.executable, writer], check=True)
    assert notebook.read_bytes() == first
