"""The built book in a browser: every page, by day and by night, on a desktop and on a phone.

Each page is loaded twice, once a width, and changes its colours while it is shown, as it does when
evening comes. Pages of source code are alike, so each is loaded only as a phone at night.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests import browser

pytestmark = [pytest.mark.slow, browser.needs_browser, browser.needs_book]

DESKTOP, PHONE = 1280, 390
MEGABYTE = 10**6

FACTS = """
    await document.fonts.ready;
    await new Promise(requestAnimationFrame);
    // Colours that are changing are not yet those that are read.
    const changes = document.getAnimations().filter((change) => change instanceof CSSTransition);
    changes.forEach((change) => change.finish());
    return {
        theme: document.documentElement.dataset.theme,
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        formulas: document.querySelectorAll(".math .tex, .math.tex").length,
        rendered: document.querySelectorAll(".tex > :is(.katex, .katex-display)").length,
        wrong: [...document.querySelectorAll(".katex-error")].map((formula) => formula.title),
        blank: [...document.querySelectorAll("i[class*=fa-]")]
            .filter((icon) => getComputedStyle(icon, "::before").content === "none")
            .map((icon) => icon.className),
        broken: [...document.images].filter((image) => !image.naturalWidth).map(({ src }) => src),
        cut: [...document.querySelectorAll(".bd-article table")]
            .filter((table) => table.offsetWidth > table.parentElement.clientWidth + 1)
            .map((table) => table.textContent.trim().slice(0, 40)),
    };
"""
# Of the elements with text of their own, some of each kind that was not seen before. Colours come
# from style sheets: they depend on an element, its classes and what it stands in.
FIND_NEW = """
    const seen = new Set(arguments[0]);
    const name = (element) => element && `${element.tagName} ${element.getAttribute("class")}`;
    const found = new Map();
    for (const element of document.body.querySelectorAll(":not(svg *)")) {
        const has_text = [...element.childNodes].some(
            (child) => child.nodeType === Node.TEXT_NODE && child.data.trim()
        );
        if (!has_text) continue;
        const parent = element.parentElement;
        const coloured = (element.getAttribute("style") ?? "").includes("color");
        const around = [element, parent, parent.parentElement].map(name).join(" in ");
        const kind = coloured ? `${element.getAttribute("style")} ${around}` : around;
        if (!seen.has(kind)) found.set(kind, [...(found.get(kind) ?? []), element]);
    }
    window.newElements = [...found.values()].flatMap((elements) => elements.slice(0, 3));
    return [...found.keys()];
"""

COLOURS = "newElements", {"runOnly": ["color-contrast"]}
ALL_BUT_COLOURS = "document", browser.ALL_BUT_COLOURS
MANY = 20
"""New kinds of elements from which on a page is also audited on a phone."""


@dataclass
class Visit:
    """What a page was like at one width in one colour scheme."""

    page: str
    width: int
    scheme: str
    facts: dict
    faults: list
    complaints: list
    requests: list

    def __str__(self):
        return f"{self.page} at {self.width} px, {self.scheme}"


def assert_nothing(visits, look):
    """Fail and say what `look` finds wrong, one visit a line."""
    lines = [f"{visit}: {fault}" for visit in visits if (fault := look(visit))]
    assert not lines, "\n".join(["", *lines])


def look_at(driver, page, width, audits):
    """Yield a visit of the loaded page for each scheme in `audits`, which says what axe checks."""
    for scheme, asked in audits.items():
        browser.emulate(driver, width, scheme)
        facts = driver.execute_script(FACTS)
        faults = [fault for audit in asked for fault in browser.audit(driver, *audit)]
        complaints, requests = browser.complaints(driver), browser.requests(driver)
        yield Visit(page, width, scheme, facts, faults, complaints, requests)


def load(driver, page, width, scheme):
    browser.emulate(driver, width, scheme)
    driver.get((browser.HTML / page).as_uri())


def look_twice(driver, page, seen):
    """Yield the visits of a page that is loaded on a desktop and on a phone.

    Colours are audited where a page has elements of a kind that no page before it had; `seen` are
    those kinds, and is added to.
    """
    load(driver, page, DESKTOP, "light")
    new = driver.execute_script(FIND_NEW, list(seen))
    seen.update(new)
    colours = [COLOURS] if new else []
    audits = {"light": [ALL_BUT_COLOURS, *colours], "dark": colours}
    yield from look_at(driver, page, DESKTOP, audits)
    load(driver, page, PHONE, "dark")
    on_a_phone = [ALL_BUT_COLOURS] if len(new) >= MANY else []
    yield from look_at(driver, page, PHONE, {"dark": [], "light": on_a_phone})


def look_once(driver, page):
    load(driver, page, PHONE, "dark")
    yield from look_at(driver, page, PHONE, {"dark": []})


def looked_at():
    """Return the pages; of those with source code, which are alike, their list and the longest."""
    paths = browser.pages()
    sources = [path for path in paths if path.relative_to(browser.HTML).parts[0] == "_modules"]
    some = {browser.HTML / "_modules" / "index.html", *sorted(sources, key=size)[-3:]}
    return [path for path in paths if path not in sources or path in some]


def size(path):
    return path.stat().st_size


@pytest.fixture(scope="module", params=[0, 1], ids=["odd pages", "even pages"])
def visits(driver, request):
    """Return the visits of every other page, so that two processes can share them."""
    pages = [path.relative_to(browser.HTML).as_posix() for path in looked_at()]
    seen = set()
    looks = [
        look_once(driver, page) if page.startswith("_modules/") else look_twice(driver, page, seen)
        for page in pages[request.param :: 2]
    ]
    return list(itertools.chain.from_iterable(looks))


def test_nothing_is_requested_from_another_host(visits):
    def strangers(visit):
        own = (browser.HTML.as_uri(), "data:", "blob:")
        return [address for address in visit.requests if not address.startswith(own)]

    assert_nothing(visits, strangers)


def test_no_page_complains(visits):
    assert_nothing(visits, lambda visit: visit.complaints)


def test_no_image_is_broken(visits):
    assert_nothing(visits, lambda visit: visit.facts["broken"])


def test_icons_are_drawn(visits):
    assert_nothing(visits, lambda visit: visit.facts["blank"])
    assert any("fa-solid-900.woff2" in address for visit in visits for address in visit.requests)


def test_each_visit_is_in_the_colour_scheme_that_it_names(visits):
    assert_nothing(visits, lambda visit: visit.facts["theme"] != visit.scheme)


def test_no_page_scrolls_sideways(visits):
    assert_nothing(visits, lambda visit: visit.facts["overflow"])


def test_no_table_is_cut(visits):
    assert_nothing(visits, lambda visit: visit.facts["cut"])


def test_formulas_are_rendered(visits):
    assert any(visit.facts["rendered"] for visit in visits)
    assert_nothing(visits, lambda visit: visit.facts["wrong"])
    assert_nothing(visits, lambda visit: visit.facts["formulas"] - visit.facts["rendered"])


def test_everybody_can_use_every_page(visits):
    assert_nothing(visits, lambda visit: visit.faults)


def test_no_page_is_heavy(visits):
    loads = [visit for visit in visits if visit.requests]
    theme = min(map(weight, loads))
    limits = {"play.html": theme + 3 * MEGABYTE}  # the explorer brings its table with it

    def excess(visit):
        return max(0, weight(visit) - limits.get(visit.page, 2 * MEGABYTE))

    assert_nothing(loads, excess)


def weight(visit):
    """Return the bytes of all files that a page asked for and got."""
    paths = {unquote(urlsplit(url).path) for url in visit.requests if url.startswith("file:")}
    return sum(size(path) for path in map(Path, paths) if path.is_file())


def test_the_search_has_the_scripts_that_it_needs(driver):
    """Other pages load none of them."""
    driver.get(f"{(browser.HTML / 'search.html').as_uri()}?q=signalling")
    summary = (By.CLASS_NAME, "search-summary")
    WebDriverWait(driver, 20).until(lambda driver: driver.find_element(*summary).text)
    links = driver.find_elements(By.CSS_SELECTOR, "#search-results li a")
    found = [urlsplit(link.get_attribute("href")).path for link in links]
    assert urlsplit((browser.HTML / "signalling.html").as_uri()).path in found
