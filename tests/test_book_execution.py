"""What a build executes, reads and writes: from a page that fails to edits of one page."""

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from docutils import nodes

from tests import small_book, test_book_files  # noqa: F401 - the extensions are found through it

# isort: split
import needed_pages
import parallel_execution

INDEX = f"""{small_book.CODE}
# First

The other page found {{glue:text}}`number.md::found:.2f`.

```{{code-cell}}
from pathlib import Path

print("the package has", Path("../ncnet/number.py").read_text())
```
"""
NUMBER = f"""{small_book.CODE}
# Number

```{{code-cell}}
from myst_nb import glue

glue("found", 2.25, display=False)
```
"""
BROKEN = f"""{small_book.CODE}
# Broken

```{{code-cell}}
zero = 0
```

```{{code-cell}}
1 / zero
```
"""
PLAIN = "# Plain\n\nNo code.\n"


@dataclass
class Build:
    """What one build printed, executed and left behind."""

    status: int
    printed: str
    pages: dict[str, str]
    written: dict[str, int]

    @property
    def executed(self) -> set[str]:
        return set(
            re.findall(r"^executed (\S+) in [\d.]+ s, \d of \d$", self.printed, re.MULTILINE)
        )


class Story:
    """A book that is built again and again."""

    def __init__(self, root: Path):
        (root / "ncnet").mkdir()
        self.number = root / "ncnet" / "number.py"
        self.number.write_text("41.5", encoding="utf-8")
        pages = {"index": INDEX, "number": NUMBER, "broken": BROKEN, "plain": PLAIN}
        self.book = small_book.write(root, pages)

    def edit(self, page: str, old: str, new: str) -> None:
        path = self.book / f"{page}.md"
        assert old in path.read_text(encoding="utf-8")
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    def build(self) -> Build:
        status, printed = small_book.build(self.book)
        html = sorted((self.book / "_build" / "html").glob("*.html"))
        pages = {path.stem: path.read_text(encoding="utf-8") for path in html}
        return Build(status, printed, pages, {path.stem: path.stat().st_mtime_ns for path in html})


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """Build a book with a broken page; mend it; change a number, and the package."""
    story = Story(tmp_path_factory.mktemp("story"))
    found = {"broken": story.build()}
    story.edit("broken", "zero = 0", "zero = 1")
    found["mended"] = story.build()
    story.edit("number", "2.25", "2.75")
    found["another number"] = story.build()
    story.number.write_text("99.25", encoding="utf-8")
    found["another package"] = story.build()
    return found


@pytest.mark.slow
def test_a_cell_that_fails_fails_the_build_which_names_it(builds):
    build = builds["broken"]
    assert build.status != 0
    assert "broken, code cell 2: ZeroDivisionError: division by zero" in build.printed
    assert re.search(r"^failed broken after [\d.]+ s, \d of 3$", build.printed, re.MULTILINE)


@pytest.mark.slow
def test_a_page_that_fails_stops_no_other(builds):
    assert builds["broken"].executed == {"index", "number"}
    assert builds["mended"].status == 0, builds["mended"].printed
    assert builds["mended"].executed == {"broken"}
    assert "2.25" in builds["mended"].pages["index"]


@pytest.mark.slow
def test_an_edit_executes_its_page_and_writes_those_that_quote_it(builds):
    before, build = builds["mended"], builds["another number"]
    assert build.status == 0, build.printed
    assert build.executed == {"number"}
    assert "2.75" in build.pages["index"]
    assert build.written["plain"] == before.written["plain"]


@pytest.mark.slow
def test_every_page_follows_an_edit_of_the_package(builds):
    assert "the package has 41.5" in builds["another number"].pages["index"]
    build = builds["another package"]
    assert build.executed == {"index", "number", "broken"}
    assert "the package has 99.25" in build.pages["index"]


def executed(tmp_path, *sources, timeout=60):
    cells = [nbformat.v4.new_markdown_cell("Prose."), *map(nbformat.v4.new_code_cell, sources)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    return parallel_execution.execute(notebook, tmp_path / "page.ipynb", timeout)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("import time; time.sleep(60)", "code cell 2: A cell timed out"),
        ("import os; os._exit(1)", "code cell 2: Kernel died"),
    ],
)
def test_a_cell_that_says_nothing_is_named_too(tmp_path, source, line):
    done = executed(tmp_path, "1", source, "2", timeout=3)
    assert done.failure.startswith(line)


def test_a_kernel_that_does_not_start_is_started_again():
    fails = ["first", "second"]

    def run():
        if fails:
            raise RuntimeError(fails.pop())
        return "outputs"

    assert parallel_execution.with_started_kernel(run, begun=[]) == "outputs"
    fails += ["again"] * parallel_execution.STARTS
    with pytest.raises(RuntimeError, match="again"):
        parallel_execution.with_started_kernel(run, begun=[])
    fails[:] = ["in a cell"]
    with pytest.raises(RuntimeError, match="in a cell"):
        parallel_execution.with_started_kernel(run, begun=[0])


@pytest.mark.slow
def test_a_page_is_executed_in_its_folder_and_keeps_its_outputs(tmp_path):
    done = executed(tmp_path, "from pathlib import Path", "print(Path.cwd())")
    assert done.failure is None
    assert done.notebook.cells[-1].outputs[0].text.strip() == str(tmp_path.resolve())


def needed(read, **after):
    """Return the pages that are written when those of `read` are, whatever `after` says of them."""
    names = {"index", "number", "plain", "glossary", "provenance"}
    titles = {name: nodes.title("", name) for name in names}
    env = SimpleNamespace(
        titles=titles,
        found_docs=names,
        metadata=defaultdict(dict, {"plain": {"quoted_pages": {"number"}}}),
        domaindata={"std": {"labels": {"here": ("number", "here", "A heading")}}},
    )
    config = SimpleNamespace(root_doc="index")
    app = SimpleNamespace(config=config, builder=SimpleNamespace(name="html"))
    needed_pages.note_read(app, env, read)
    env.titles |= after.get("titles", {})
    env.domaindata["std"]["labels"] |= after.get("labels", {})
    return set(needed_pages.find_needed(app, env))


EVERY_TIME = {"index", "provenance"}


def test_what_is_written_is_what_was_read_and_what_quotes_it():
    assert needed([]) == EVERY_TIME
    assert needed(["plain"]) == EVERY_TIME | {"plain"}
    assert needed(["number"]) == EVERY_TIME | {"number", "plain"}


@pytest.mark.parametrize(
    "after",
    [
        {"titles": {"number": nodes.title("", "Another title")}},
        {"labels": {"here": ("number", "here", "Another heading")}},
        {"labels": {"there": ("number", "there", "A new heading")}},
    ],
)
def test_what_every_page_may_show_is_written_on_every_page(after):
    everything = EVERY_TIME | {"number", "plain", "glossary"}
    assert needed(["number"], **after) == everything
    assert needed(["glossary"]) == everything


@pytest.mark.parametrize(
    ("exception", "warnings", "kept"),
    [(None, 0, True), (None, 1, False), (ValueError(), 0, False)],
)
def test_what_was_read_is_forgotten_when_something_was_wrong(tmp_path, exception, warnings, kept):
    pickle = tmp_path / "environment.pickle"
    pickle.touch()
    app = SimpleNamespace(doctreedir=tmp_path, _warncount=warnings)
    needed_pages.forget_after_warnings(app, exception)
    assert pickle.exists() is kept


@pytest.mark.parametrize("path", ["_ext/mine.py", "_templates/layout.html"])
def test_an_edit_of_extensions_or_templates_is_noticed(tmp_path, path):
    (tmp_path / path).parent.mkdir()
    (tmp_path / path).write_text("old", encoding="utf-8")
    before = needed_pages.digest(tmp_path)
    (tmp_path / "index.md").write_text("new", encoding="utf-8")
    assert needed_pages.digest(tmp_path) == before
    (tmp_path / path).write_text("new", encoding="utf-8")
    assert needed_pages.digest(tmp_path) != before
