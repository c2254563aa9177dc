"""Every address in the built book that leads to the book itself leads somewhere."""

from collections import Counter
from functools import cache
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from tests import browser

pytestmark = browser.needs_book


class Page(HTMLParser):
    """The anchors of a page and the addresses that it names."""

    def __init__(self, file):
        super().__init__()
        self.anchors = []
        self.addresses = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.anchors.append(value)
            elif name in ("href", "src", "data") and value:
                self.addresses.append(value)


read = cache(Page)


def fault(file, address):
    """Return what is wrong with an address on the page `file`, empty if nothing."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return ""
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if not target.is_file():
        return "no such file"
    if not target.is_relative_to(browser.HTML.resolve()):
        return "outside the book"
    fragment = unquote(parts.fragment)
    if "=" in fragment:  # no anchor: what the explorer is to show
        return ""
    if fragment and target.suffix == ".html" and fragment not in read(target).anchors:
        return "no such anchor"
    return ""


@pytest.mark.slow
def test_links_within_the_book_lead_somewhere():
    files = [file.resolve() for file in browser.pages()]
    faults = {
        f"{file.relative_to(browser.HTML.resolve())}: {address}: {found}"
        for file in files
        for address in read(file).addresses
        if (found := fault(file, address))
    }
    assert not faults, "\n".join(["", *sorted(faults)])


def test_no_anchor_stands_twice_in_a_page():
    faults = {
        f"{file.relative_to(browser.HTML)}: {anchor}"
        for file in browser.pages()
        for anchor, count in Counter(read(file.resolve()).anchors).items()
        if count > 1
    }
    assert not faults, "\n".join(["", *sorted(faults)])
