"""A browser for the tests of pages: headless, with a profile of its own, out of reach of any host.

A module of such tests says what it needs; they share the one browser of the fixture `driver`::

    pytestmark = [pytest.mark.slow, browser.needs_browser, browser.needs_book]

    def test_the_front_page_is_quiet(driver):
        browser.emulate(driver, width=390, scheme="dark")
        driver.get((browser.HTML / "index.html").as_uri())
        assert not browser.complaints(driver)
"""

import json
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver

HTML = Path(__file__).resolve().parents[1] / "book" / "_build" / "html"
AXE = Path(__file__).parent / "_vendor" / "axe" / "axe.min.js"

# Without `preload: false` it would ask for all style sheets again, as no page from a file may.
# What is minor to axe is a matter of taste: a table's corner may be empty.
AUDIT = """
    const [where, options] = arguments;
    const context = window[where];
    if (context.length === 0) return [];
    const { violations } = await axe.run(
        context, { resultTypes: ["violations"], preload: false, ...options }
    );
    return violations
        .filter(({ impact }) => impact !== "minor")
        .map(({ id, nodes }) => `${id}: ${nodes.length} times, first ${nodes[0].html}`);
"""
ALL_BUT_COLOURS = {"rules": {"color-contrast": {"enabled": False}}}
"""Options of an audit."""

# Chrome comes first: where a machine has both, as GitHub's have, the driver is Chrome's.
CHROME = next(
    filter(None, map(shutil.which, ("google-chrome", "chromium", "chromium-browser"))), None
)
CHROMEDRIVER = shutil.which("chromedriver")

needs_browser = pytest.mark.skipif(
    CHROME is None or CHROMEDRIVER is None, reason="Chrome or chromedriver is not installed"
)
needs_book = pytest.mark.skipif(
    not (HTML / "index.html").is_file(), reason="the book is not built: make book"
)


def pages():
    """Return the files of the book's pages, sorted."""
    return sorted(path for path in HTML.rglob("*.html") if "_static" not in path.parts)


@contextmanager
def chrome(profile):
    """Start a browser on a fresh `profile` folder and end it with the block."""
    options = webdriver.ChromeOptions()
    # With both paths named, Selenium looks for neither and downloads neither.
    options.binary_location = CHROME
    service = webdriver.ChromeService(CHROMEDRIVER)
    options.add_argument("--headless=new")
    options.add_argument(f"--user-data-dir={profile}")
    options.add_argument("--no-first-run")
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND")
    options.add_argument("--no-sandbox")  # a container's root can start it too
    options.add_argument("--disable-dev-shm-usage")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, service)
    try:
        # Into its first tab it loads a page of its own, perhaps only after a test's first page.
        driver.switch_to.new_window("tab")
        yield driver
    finally:
        driver.quit()


def emulate(driver, width, scheme, height=844):
    """Let pages see a screen of this width and height in pixels, and a `light` or `dark` scheme.

    It holds for the open page and all that follow. No window is as narrow as a phone, so it is
    the page that is told, not the window.
    """
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    preference = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [preference]})


def complaints(driver):
    """Return the errors and warnings of the console since the last call, exceptions included."""
    return [
        entry["message"]
        for entry in driver.get_log("browser")
        if entry["level"] in ("SEVERE", "WARNING")
    ]


def audit(driver, where="document", options=None):
    """Return what axe finds wrong with the open page.

    `where` is the part to look at, by a name that the window knows: an id is one.
    """
    if not driver.execute_script("return 'axe' in window"):
        driver.execute_script(AXE.read_text(encoding="utf-8"))
    return driver.execute_script(AUDIT, where, options or {})


OWN = ("chrome://", "chrome-untrusted://")
"""How addresses of the browser's own pages begin."""


def requests(driver):
    """Return the addresses that pages asked for since the last call, in order.

    What the browser asks itself for, to show the tab that it starts with, is left out.
    """
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    addresses = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    return [address for address in addresses if not address.startswith(OWN)]
