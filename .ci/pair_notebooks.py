"""Write each notebook from its .py pair: no outputs, and nothing that changes from run to run.

`jupytext --sync` would give each new cell a random id and keep the outputs of a notebook that
someone ran. Here an id is made from the cell's own text.
"""

import hashlib
from collections import Counter
from pathlib import Path

import jupytext
import nbformat

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


def notebook_of(script):
    """Return the notebook that belongs to a script in the percent format."""
    notebook = jupytext.read(script)
    notebook.metadata = {
        "jupytext": {"formats": "ipynb,py:percent"},  # Jupyter then keeps both in step
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen = Counter()
    for cell in notebook.cells:
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[digest] += 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    return notebook


def main():
    """Write all notebooks; name those that changed."""
    for script in sorted(NOTEBOOKS.glob("*.py")):
        path = script.with_suffix(".ipynb")
        text = nbformat.writes(notebook_of(script)) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(NOTEBOOKS.parent)}")


if __name__ == "__main__":
    main()
