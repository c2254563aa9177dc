"""What a reader reads in the built book: the text of its pages, without code and formulas."""

import re
from functools import cache
from html.parser import HTMLParser

import pytest

from ncnet import results
from ncnet.companion.claims import CLAIMS
from tests import browser

pytestmark = browser.needs_book

WITHOUT_END = {"br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
NOT_READ = {"code", "pre", "script", "style", "title"}
NOT_READ_CLASSES = {"math", "sig"}
ENDS_A_LINE = {"caption", "dd", "dt", "figcaption", "h1", "h2", "h3", "li", "p", "summary", "tr"}
READ_ALOUD = ("alt", "aria-description", "aria-label")
CODE = "\N{WHITE SQUARE}"
"""Stands for code and formulas."""


class Page(HTMLParser):
    """What a page says, its cells and its links in links."""

    def __init__(self, file):
        super().__init__()
        self.name = file.relative_to(browser.HTML).as_posix()
        self.open, self.parts, self.described = [], [], []
        self.cells, self.nested, self.quoted = [], [], []
        self.feed(file.read_text(encoding="utf-8"))
        self.text = "".join(self.parts).replace("\N{NO-BREAK SPACE}", " ")

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.described += [attributes[name] for name in READ_ALOUD if attributes.get(name)]
        if tag in WITHOUT_END:
            return
        if tag == "a" and "a" in (name for name, *_ in self.open):
            self.nested.append(attributes.get("href"))
        if tag in ("td", "th"):
            self.cells.append("")
        classes = set((attributes.get("class") or "").split())
        if "quoted" in classes:
            self.quoted.append("")
        read = not self.open or self.open[-1][1]
        read = read and tag not in NOT_READ and NOT_READ_CLASSES.isdisjoint(classes)
        if not read and (not self.open or self.open[-1][1]) and tag not in ("script", "style"):
            self.parts.append(CODE)
        self.open.append((tag, read, "quoted" in classes))

    def handle_endtag(self, tag):
        places = [place for place, (name, *_) in enumerate(self.open) if name == tag]
        if places:
            del self.open[places[-1] :]
        if tag in ENDS_A_LINE:
            self.parts.append("\n\n")
        elif tag in ("td", "th"):
            self.parts.append(" | ")

    def handle_data(self, text):
        if self.open and self.open[-1][1]:
            self.parts.append(text)
            if "td" in (name for name, *_ in self.open):
                self.cells[-1] += text.strip()
        if any(quoted for *_, quoted in self.open):
            self.quoted[-1] += text


@cache
def pages():
    """Return the pages of prose, which the reference of the package is not."""
    read = [Page(file) for file in browser.pages()]
    return [page for page in read if not page.name.startswith(("_modules", "data"))]


NUMBER = r"(?<![-+\N{MINUS SIGN}\w.,])[-+\N{MINUS SIGN}]?\d[\d,]*(?:\.\d+)?"
COUNTED = (
    "capacities|cells|confirmations|contexts|experiments|games|initialisations|items|jobs|minutes|"
    "networks|pairs|replicas|rows|runs|seconds|settings|specifications|steps|trainings|units"
)
NOWHERE = {
    "code that was not rendered": r"`|\*\*[A-Za-z]|\]\(|\{[a-z]+(?::[a-z]+)?\}",
    "no number where a number stands": r"\b(?:nan|NaN|NaT|inf)\b|<NA>",
    "a zero with a sign": r"(?<![\w.,])[-\N{MINUS SIGN}]0(?:\.0+)?%?(?![\w.,]*\d)",
    # "n = 3 and n = 3", "0.0 to 0.0", "[0.00, 0.00]"; a whole 0 is exact.
    "the same twice": r"\b(\w+ = [\w.]+) and \1\b",
    "ends that read alike": rf"({NUMBER}) ?%?\s+(?:to|and)\s+\1(?![\d.,]*\d)",
    "an interval whose ends read alike": rf"\[((?!0,){NUMBER}), \1\]",
    "one of many": rf"(?<![\d.,=])\b1 (?:{COUNTED})\b",
    "one mark after the other": r"[,;:]\s*[,;:.](?!\.)|(?<![.\s])\.\.(?!\.)|\( *\)",
    # The same figure is printed on paper and seen by the colour-blind.
    "a hue": r"(?i)\b(?:blue|brown|cyan|green|magenta|orange|pink|purple|red|violet|yellow)\b",
}
OF_PROGRAMS = {
    "an interval whose ends read alike",
    "no number where a number stands",
    "one mark after the other",
    "the same twice",
}
"""Of the reference of the package they are not asked."""


@pytest.mark.parametrize("fault", NOWHERE)
def test_no_page_says(fault):
    found = [
        f"{page.name}: {text[max(0, match.start() - 40) : match.end() + 40]!r}"
        for page in pages()
        if not (fault in OF_PROGRAMS and page.name.startswith("api"))
        for text in (page.text, *page.described)
        for match in re.finditer(NOWHERE[fault], text)
    ]
    assert not found, "\n".join(["", *found])


def test_no_cell_holds_what_stands_for_no_number():
    """Tables of single outcomes have -1."""
    found = [
        (page.name, cell)
        for page in pages()
        if page.name not in ("report.html", "your_table.html")
        for cell in page.cells
        if cell in ("-1", "-1.0", "None", "nan", "NaN")
    ]
    assert not found


def test_no_quoted_number_is_rounded_to_nothing():
    """An exact 0 is printed as such."""
    quoted = {(page.name, text) for page in pages() for text in page.quoted}
    assert len(quoted) > 300
    assert not [one for one in quoted if re.fullmatch(r"[-+]?0\.0+ ?%?", one[1])]


def test_no_link_stands_in_a_link():
    assert not [(page.name, page.nested) for page in pages() if page.nested]


def shown_by(claim):
    """Return the pages that show a statement with its verdict."""
    return {"verdicts.html", f"{claim.evidence}.html"} - {"notebooks/rq6.html"}


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=list(CLAIMS))
def test_pages_say_where_each_statement_is_known_from(claim):
    said = claim.cited.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
    by_name = {page.name: " ".join(page.text.split()) for page in pages()}
    missing = [name for name in shown_by(claim) if said not in by_name[name]]
    assert not missing


def test_the_page_on_batches_has_a_row_for_each_batch_file():
    page = (browser.HTML / "batches.html").read_text(encoding="utf-8")
    files = [path.name for path in (results.ROOT / "batches").glob("*.yml")]
    assert not [name for name in files if f">{name}<" not in page]
