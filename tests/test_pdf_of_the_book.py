"""The book on paper, and the notebooks that it offers with their results."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
sys.path += [str(BOOK / "_ext"), str(ROOT / ".ci")]

import pdf_of_the_book  # noqa: E402
import print_book  # noqa: E402

BROWSER = next(filter(None, map(shutil.which, print_book.BROWSERS)), None)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<a href="index.html#ncnet.train">x</a>', '<a href="#ncnet.train">x</a>'),
        (
            '<a href="index.html#id1">[1]</a> <div class="citation" id="id1">',
            '<a href="#cited-id1">[1]</a> <div class="citation" id="cited-id1">',
        ),
        # An id that only looks like an entry's.
        (
            '<a href="index.html#id2">2</a> <p id="id2"> <div class="citation" id="id1">',
            '<a href="#id2">2</a> <p id="id2"> <div class="citation" id="cited-id1">',
        ),
        ('<a href="https://arxiv.org/">x</a>', '<a href="https://arxiv.org/">x</a>'),
    ],
)
def test_links_on_paper_lead_into_the_paper(body, expected):
    assert pdf_of_the_book.self_contained(body) == expected


PAGE = """# A small book

```{figure} picture.svg
A square.
```

```{toctree}
```
"""
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>'
PDF = b"%PDF-1.7 of another day"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Return a checkout whose book has a page and a notebook."""
    root = tmp_path_factory.mktemp("small")
    for folder in ("book/notebooks", "ncnet"):
        (root / folder).mkdir(parents=True)
    for folder in ("_ext", "_static", "_templates", "_vendor"):
        if (BOOK / folder).is_dir():
            shutil.copytree(BOOK / folder, root / "book" / folder)
    shutil.copy(ROOT / "CITATION.cff", root)
    shutil.copy(ROOT / "_config.yml", root / "book")
    toc = {"format": "jb-book", "root": "index", "chapters": [{"file": "notebooks/sum"}]}
    (root / "book" / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    (root / "book" / "index.md").write_text(PAGE, encoding="utf-8")
    (root / "book" / "picture.svg").write_text(PICTURE, encoding="utf-8")
    cells = [nbformat.v4.new_markdown_cell("# A sum"), nbformat.v4.new_code_cell("6 * 7")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(notebook, root / "book" / "notebooks" / "sum.ipynb")
    return root


def build(root, builder):
    """Build the book; return the folder of its pages."""
    command = [Path(sys.executable).with_name("jupyter-book"), "build", "-q"]
    command += ["--builder", builder, "book/"]
    done = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr[-3000:]
    return root / "book" / "_build" / builder


@pytest.mark.slow
def test_a_book_carries_the_pdf_that_was_printed_before(small):
    html = build(small, "html")
    assert pdf_of_the_book.NAME not in (html / "index.html").read_text(encoding="utf-8")

    pdf = small / "book" / "_build" / "pdf" / pdf_of_the_book.NAME
    pdf.parent.mkdir()
    pdf.write_bytes(PDF)
    html = build(small, "html")
    assert f'href="{pdf_of_the_book.NAME}"' in (html / "index.html").read_text(encoding="utf-8")
    assert pdf_of_the_book.NAME not in (html / "notebooks" / "sum.html").read_text(encoding="utf-8")
    assert (html / pdf_of_the_book.NAME).read_bytes() == PDF


@pytest.mark.slow
def test_a_notebooks_page_offers_it_plain_and_with_results(small):
    html = build(small, "html")
    page = (html / "notebooks" / "sum.html").read_text(encoding="utf-8")
    for place, outputs in (("_sources", 0), ("_executed", 1)):
        assert f'href="../{place}/notebooks/sum.ipynb"' in page
        notebook = nbformat.read(html / place / "notebooks" / "sum.ipynb", as_version=4)
        [cell] = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert len(cell.outputs) == outputs
    assert "_executed" not in (html / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_whole_book_is_printed(small, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    page = build(small, "singlehtml") / "index.html"
    # The theme's own first page, which paper does not show, comes before.
    text = page.read_text(encoding="utf-8").partition('class="title-page"')[2]
    version = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"]
    assert f"Version {version}, printed on 02 January 1970" in text
    assert "by Hanyu Zhao, Yang Wu and Yuexian Hou" in text
    assert text.index("Contents</p>") < text.index("<h1>A small book") < text.index("<h2>A sum")
    assert 'href="index.html#' not in text
    if BROWSER is None:
        pytest.skip("Chromium is not installed")
    packer = shutil.which("qpdf")
    monkeypatch.setattr(
        print_book.shutil, "which", lambda name: None if "qpdf" in name else BROWSER
    )
    print_book.print_page(page, tmp_path / "new" / "book.pdf")
    printed = (tmp_path / "new" / "book.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    # A title page, the contents, the first page, the notebook.
    assert printed.count(b"/Type /Page\n") == 4
    assert b"file:" not in printed
    if packer:
        monkeypatch.undo()
        print_book.print_page(page, tmp_path / "packed.pdf")
        assert (tmp_path / "packed.pdf").stat().st_size < len(printed)


def test_make_prints_the_file_that_the_book_looks_for():
    assert f"PDF := book/_build/pdf/{pdf_of_the_book.NAME}\n" in (ROOT / "Makefile").read_text(
        encoding="utf-8"
    )


def test_without_a_browser_a_line_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match="neither is installed: sudo apt install chromium"):
        print_book.find_browser()
