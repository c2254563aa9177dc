"""Small books with the extensions of ours, for tests of what a build does."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CODE = """---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3}
---
"""
"""The first lines of a page with code."""


def write(root: Path, pages: dict[str, str]) -> Path:
    """Write a book of these pages, by name, the first one its root; return its folder."""
    book = root / "book"
    for folder in ("_ext", "_templates", "_static", "_vendor"):
        shutil.copytree(ROOT / "book" / folder, book / folder)
    for name in ("CITATION.cff", "pyproject.toml"):  # the title page for paper is made of them
        shutil.copy(ROOT / name, root)
    shutil.copy(ROOT / "_config.yml", book)
    shutil.copy(ROOT / "book" / "references.bib", book)
    for name, text in pages.items():
        (book / f"{name}.md").parent.mkdir(exist_ok=True)
        (book / f"{name}.md").write_text(text, encoding="utf-8")
    first, *others = pages
    chapters = ", ".join(f"{{file: {name}}}" for name in others)
    (book / "_toc.yml").write_text(
        f"{{format: jb-book, root: {first}, chapters: [{chapters}]}}", encoding="utf-8"
    )
    return book


def build(book: Path, builder: str = "html") -> tuple[int, str]:
    """Build a book as a reader would; return its exit status and all it printed."""
    command = [Path(sys.executable).with_name("jupyter-book"), "build", "book/"]
    done = subprocess.run(
        [*command, "--builder", builder],
        cwd=book.parent,
        env=os.environ | {"NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    return done.returncode, done.stdout
