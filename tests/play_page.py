"""The page "Play" of the built book, open in a browser."""

from urllib.parse import urlencode

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests import browser

PAGE = browser.HTML / "play.html"
NEEDED = [
    pytest.mark.slow,
    browser.needs_browser,
    browser.needs_book,
    pytest.mark.skipif(not PAGE.is_file(), reason="the built book has no page `play`"),
]
"""Marks of the tests of this page."""
BOOK = ["0001", "0110", "0001", "0110"]

IN_SIGHT = """
    const { top, bottom, left, right } = arguments[0].getBoundingClientRect();
    if (!(left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight)) return false;
    const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return arguments[0].contains(there) || there.contains(arguments[0]);
"""
"""Whether an element is in the window, and nothing else over its middle."""


class Play:
    """The open page."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, width=1280, scheme="light", height=800, still=False, **choice):
        """Load the page as somebody does who has seen it before."""
        self.leave(width, scheme, height, still)
        self.driver.execute_script("localStorage.setItem('ncnet-tour', 'unit')")
        return self.load(**choice)

    def open_first(self, width=1280, scheme="light", height=800, still=False):
        """Load the page as somebody does who has never seen it."""
        self.leave(width, scheme, height, still)
        self.driver.execute_script("localStorage.clear()")
        return self.load()

    def leave(self, width, scheme, height, still):
        browser.emulate(self.driver, width=width, scheme=scheme, height=height)
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else ""},
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.get((browser.HTML / "glossary.html").as_uri())

    def load(self, **choice):
        self.driver.get(PAGE.as_uri() + ("#" + urlencode(choice) if choice else ""))
        self.wait(self.examples_are_shown)
        return self

    def wait(self, condition):
        return WebDriverWait(self.driver, 30).until(lambda _: condition())

    def examples_are_shown(self):
        return self.driver.execute_script(
            "return document.querySelectorAll('.explorer-answers').length === 32"
        )

    def by_id(self, name):
        return self.driver.find_element(By.ID, f"explorer-{name}")

    def numbers(self):
        """Return S, Delta and the remainder as they stand on the page."""
        texts = [self.by_id(name).text for name in ("s", "delta", "remainder")]
        return [float(text.replace("\N{MINUS SIGN}", "-")) for text in texts]

    def chosen(self):
        return self.driver.execute_script("return Explorer.state.get()")

    def choose(self, **choice):
        self.driver.execute_script("Explorer.state.set(arguments[0])", choice)

    def unfold(self, name):
        """Open the fold that an element stands in."""
        element = self.by_id(name)
        self.driver.execute_script("arguments[0].closest('details').open = true", element)
        return element

    def press(self, element, *keys):
        """Focus an element and press keys."""
        self.driver.execute_script("arguments[0].focus()", element)
        element.send_keys(*keys)

    def is_in_sight(self, element):
        return self.driver.execute_script(IN_SIGHT, element)
