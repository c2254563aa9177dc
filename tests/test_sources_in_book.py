"""In a built book every figure and quoted number leads to the cell and the data behind it."""

import re
from html import escape

import pandas as pd
import pytest

from ncnet import results
from tests import small_book

INDEX = f"""{small_book.CODE}
# First

The other page found {{glue:text}}`pages/figures.md::found:.2f`.
"""
FIGURES = f"""{small_book.CODE}
# Figures

```{{code-cell}}
:tags: [remove-cell]
import pandas as pd
from matplotlib.figure import Figure
from myst_nb import glue

from ncnet import results, sources

figure = Figure()
recorded = results.load("capacity")
table = pd.DataFrame({{"s": [2.25]}})
glue("found", 2.25, display=False)
```

It is {{glue:text}}`found:.1f`.

```{{code-cell}}
:mystnb: {{figure: {{name: fig-both, caption: Both.}}, image: {{alt: An empty figure.}}}}
sources.show(figure, parameters={{"seed": 7}}, live=table, capacity=table, recorded=recorded)
```

```{{code-cell}}
:mystnb: {{figure: {{name: fig-drawing, caption: None.}}, image: {{alt: An empty figure.}}}}
figure
```

```{{code-cell}}
:tags: [remove-input]
table
```

```{{code-cell}}
:tags: [hide-input]
sources.show(table, recorded=recorded)
```
"""
PROVENANCE = """# Provenance

```{executed-pages}
```

```{figure-index}
```
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Write a book of three pages with the extensions of ours."""
    pages = {"index": INDEX, "pages/figures": FIGURES, "provenance": PROVENANCE}
    return small_book.write(tmp_path_factory.mktemp("book"), pages)


def build(book, builder):
    status, printed = small_book.build(book, builder)
    assert status == 0, printed
    return book / "_build" / builder


@pytest.fixture(scope="module")
def html(book):
    return build(book, "html")


def test_under_a_figure_stand_its_cell_its_seed_and_its_data(html):
    page = (html / "pages" / "figures.html").read_text(encoding="utf-8")
    [line] = re.findall(r'<div class="source-line"><p>([^\n]*code cell 2[^\n]*)', page)
    assert "live and recorded" in line
    assert "seed = 7" in line
    recorded = results.load("capacity")
    assert recorded.provenance["checksum"][:12] in line
    assert escape(recorded.provenance["command"]) in line
    for name in ("live.csv", "capacity.csv (live)", "capacity.csv (recorded)"):
        assert f">{name}</a>" in line
    for href in re.findall(r'href="(\.\./data/[^"]+)"', line):
        assert (html / "pages" / href).resolve().is_file()
    live = pd.read_csv(html / "data" / "figures" / "live.csv")
    assert live["s"].tolist() == [2.25]
    table = pd.read_csv(html / "data" / "recorded" / "capacity.csv")
    assert table["s"].tolist() == pytest.approx(recorded.table["s"].tolist())


def test_every_file_of_live_data_is_linked(html):
    page = (html / "pages" / "figures.html").read_text(encoding="utf-8")
    for path in (html / "data" / "figures").iterdir():
        assert f'href="../data/figures/{path.name}"' in page


def test_a_drawing_says_that_it_has_no_data(html):
    page = (html / "pages" / "figures.html").read_text(encoding="utf-8")
    [line] = re.findall(r'<div class="source-line"><p>([^\n]*code cell 3[^\n]*)', page)
    assert "a drawing, no data" in line


def test_a_table_whose_code_is_not_shown_names_its_cell(html):
    page = (html / "pages" / "figures.html").read_text(encoding="utf-8")
    assert re.search(r'<div class="source-line"><p>Source: <a href="#figures-cell-4">', page)


def test_numbers_lead_to_their_cell_also_from_another_page(html):
    for path, href in (("index.html", "pages/figures.html"), ("pages/figures.html", "")):
        page = (html / path).read_text(encoding="utf-8")
        assert re.search(rf'<a class="[^"]*quoted[^"]*" href="{href}#figures-cell-1"', page), path


def test_a_page_with_quoted_numbers_has_a_button_that_marks_them(html):
    for path, has_one in (("pages/figures.html", True), ("provenance.html", False)):
        page = (html / path).read_text(encoding="utf-8")
        assert bool(re.search(r'class="[^"]*(?<![\w-])source-button', page)) is has_one, path


def test_every_cell_of_a_page_is_on_it_once(html):
    page = (html / "pages" / "figures.html").read_text(encoding="utf-8")
    for number in (1, 2, 3, 4, 5):
        assert page.count(f'id="figures-cell-{number}"') == 1
    behind = page[page.index('<details class="code-behind">') :]
    assert 'id="figures-cell-1"' in behind
    assert 'id="figures-cell-2"' not in behind


def test_the_page_on_provenance_lists_what_was_executed_and_every_figure(html):
    page = (html / "provenance.html").read_text(encoding="utf-8")
    assert '<a href="pages/figures.html">Figures</a>' in page
    for name in ("fig-both", "fig-drawing"):
        assert f'<a href="pages/figures.html#{name}">{name}</a>' in page
    for href in re.findall(r'href="(data/[^"]+)"', page):
        assert (html / href).is_file()


def test_the_book_for_paper_names_the_sources_without_links(book, html):
    page = (build(book, "singlehtml") / "index.html").read_text(encoding="utf-8")
    lines = re.findall(r'<div class="source-line"><p>(.*?)</p>', page)
    numbers = [re.search(r"code cell (\d)", line)[1] for line in lines]
    assert numbers == ["2", "3", "4", "5"]
    assert not any("href" in line for line in lines)
    assert "capacity.csv (recorded)" in lines[0]
    assert "quoted" not in re.findall(r"<a [^>]*>", page)
