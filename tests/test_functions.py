"""Functions are short enough to be read at a glance."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOST_LINES = 40


def lengths(path):
    """Return the lines of each function, those of its docstring left out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            lines = node.end_lineno - node.lineno + 1
            if ast.get_docstring(node) is not None:
                lines -= node.body[0].end_lineno - node.body[0].lineno + 1
            yield f"{path.name}: {node.name}", lines


def test_functions_have_at_most_forty_lines():
    paths = [path for folder in ("ncnet", "book/_ext") for path in (ROOT / folder).rglob("*.py")]
    found = [length for path in paths for length in lengths(path)]
    assert len(found) > 500
    assert [name for name, lines in found if lines > MOST_LINES] == []
