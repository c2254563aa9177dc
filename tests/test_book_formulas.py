"""Formulas of all kinds in a small book, which is built and opened in a browser."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests import browser

ROOT = Path(__file__).resolve().parents[1]
pytestmark = [pytest.mark.slow, browser.needs_browser]

PAGES = {
    "index.md": "# Words\n\nNo formula.\n",
    "formulas.md": r"""# Formulas

Inline, $\tfrac12 \langle a \rangle < \sqrt{b_{ij}}$ & more; see {eq}`lines` and {eq}`single`.

$$
a &= b \\
c &= d
$$ (lines)

$$ a = b

c = d $$

\begin{align}
a &= b
\end{align}

```{math}
:label: single
\begin{aligned} a &= b \end{aligned}
```
""",
    "wrong.md": "# Wrong\n\nNo such word: $\\nosuchword$, and one that is: $\\Delta$.\n",
    "cell.md": r"""---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3}
---
# A cell

```{code-cell}
from IPython.display import Math

Math(r"S \le 2")
```
""",
}


def small_config():
    """Return those of the book's settings that formulas depend on."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    extensions = ["jupyter_book", "local_katex", "myst_nb", "sphinx_book_theme"]
    extensions += ["sphinx_comments", "sphinx_external_toc"]  # jupyter-book sets them up
    context = config["sphinx"]["config"]["html_context"]
    return {
        "only_build_toc_files": True,
        "execute": config["execute"],
        "parse": config["parse"],
        "sphinx": {
            "local_extensions": {"local_katex": "_ext"},
            "config": {"extensions": extensions, "html_context": context},
        },
    }


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    book = tmp_path_factory.mktemp("small") / "book"
    for folder in ("_ext", "_static", "_vendor"):
        shutil.copytree(ROOT / "book" / folder, book / folder)
    (book / "_config.yml").write_text(yaml.safe_dump(small_config()), encoding="utf-8")
    names = [name.removesuffix(".md") for name in PAGES]
    toc = {"format": "jb-book", "root": "index", "chapters": [{"file": name} for name in names[1:]]}
    (book / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    for name, text in PAGES.items():
        (book / name).write_text(text, encoding="utf-8")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", "-q", "-n", "-W", book]
    subprocess.run(command, check=True)
    return book / "_build" / "html"


@pytest.fixture
def open_page(driver, html):
    def open_page(name):
        browser.complaints(driver), browser.requests(driver)
        address = (html / f"{name}.html").as_uri()
        driver.get(address)
        WebDriverWait(driver, 20).until(lambda _: driver.current_url == address)

    return open_page


def texts(driver, selector):
    """Return what is seen of the elements."""
    return [element.text for element in driver.find_elements(By.CSS_SELECTOR, selector)]


def test_formulas_are_set_for_eyes_and_ears(driver, open_page):
    open_page("formulas")
    assert len(texts(driver, ".tex")) == 5
    for part in (".katex-html[aria-hidden=true]", ".katex-mathml math"):
        assert len(texts(driver, f".tex > .katex {part}, .tex > .katex-display {part}")) == 5
    assert not texts(driver, ".katex-error")
    assert not browser.complaints(driver)


def test_equations_are_numbered_once_and_as_references_say(driver, open_page):
    open_page("formulas")
    numbers = [text.rstrip("#") for text in texts(driver, ".eqno")]
    assert numbers == ["(1)", "(2)", "(3)"]
    assert texts(driver, "article p a.reference") == ["(1)", "(3)"]
    katex = driver.find_elements(By.CSS_SELECTOR, ".eqn-num, .mml-eqn-num")
    assert [number.is_displayed() for number in katex] == [False, False]


def test_a_cell_can_show_a_formula(driver, open_page):
    open_page("cell")
    assert len(texts(driver, ".cell_output .tex .katex-mathml math")) == 1


def test_a_formula_that_cannot_be_read_is_marked_and_others_are_set(driver, open_page):
    open_page("wrong")
    assert texts(driver, ".katex-error") == [r"\nosuchword"]
    assert len(texts(driver, ".tex .katex-html")) == 1


def test_only_pages_with_formulas_load_what_sets_them(driver, open_page):
    open_page("index")
    assert not [address for address in browser.requests(driver) if "katex" in address]
    open_page("formulas")
    assert [address for address in browser.requests(driver) if "katex.min.js" in address]
