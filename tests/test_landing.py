"""The first page: what it shows at first sight, its figure, and its tiles."""

import re
from collections import Counter
from itertools import groupby
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from ncnet import results
from ncnet.claims import CRITICAL_SIZE
from ncnet.companion import figures
from ncnet.companion.claims import CLAIMS
from tests import browser

VERDICTS = ("holds", "in part", "does not", "open", "out of reach")
WORD, NUMBER = r"[^\W\d_]+(?:[-'\N{RIGHT SINGLE QUOTATION MARK}][^\W\d_]+)*", r"\d+(?:[.,]\d+)*"
# Of control characters XML, as which the tests read HTML, knows few.
printed = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1)
made_up = st.builds(
    figures.Tile,
    about=st.sampled_from(("one", "an < other")),
    label=printed,
    statement=printed,
    verdict=st.sampled_from(VERDICTS),
    address=printed,
    held=st.none() | st.floats(0, 1),
)


def parsed(html):
    """Return HTML that is XML too, as an element."""
    return ElementTree.fromstring(html)


def texts(element):
    return " ".join("".join(element.itertext()).split())


@given(st.lists(made_up, max_size=40))
def test_tiles_show_whatever_statements_there_are(shown):
    groups = parsed(figures.tiles(shown, VERDICTS))
    links = groups.findall("div/ul/li/a")
    assert [link.get("href") for link in links] == [tile.address for tile in shown]
    abouts = [about for about, _ in groupby(shown, lambda tile: tile.about)]
    assert [group.findtext("p") for group in groups] == abouts
    letters = {}
    for link, tile in zip(links, shown, strict=True):
        letter, unseen = link.findall("span")
        assert letter.tail == tile.label
        assert unseen.text.startswith(f": {tile.statement} {tile.verdict.capitalize()}")
        fragile = tile.held is not None and tile.held < 0.5
        assert ("hatched" in link.get("class").split()) == fragile
        letters.setdefault(letter.text, set()).add(tile.verdict)
    assert all(len(verdicts) == 1 for verdicts in letters.values())


@given(st.lists(made_up, max_size=40))
def test_the_legend_counts_them(shown):
    counts = Counter(tile.verdict for tile in shown)
    said = texts(parsed(figures.legend(shown, VERDICTS)))
    for verdict in VERDICTS:
        assert (f"{verdict}: {counts[verdict]}" in said) == (counts[verdict] > 0)
    hatched = sum(tile.hatched for tile in shown)
    assert (f"the choices: {hatched}" in said) == (hatched > 0)


def test_a_verdict_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="perhaps"):
        figures.tiles([figures.Tile("", "a", "A.", "perhaps", "#a")], VERDICTS)


def test_names_that_hold_markup_stay_text():
    tile = figures.Tile("", "<b>", "a & b", "holds", '"#')
    [link] = parsed(figures.tiles([tile], VERDICTS)).findall("div/ul/li/a")
    assert "<b>: a & b" in texts(link)


def test_every_statement_has_a_label_of_its_own():
    labels = [claim.label for claim in CLAIMS.values()]
    assert len(set(labels)) == len(labels)
    assert max(len(label) for label in labels) <= 20


def test_the_figure_shows_the_recorded_values():
    capacity = results.load("capacity").table
    picture = parsed(figures.headline(capacity, results.load("interventions").table))
    peak = capacity.set_index(["game", "hidden_size"]).loc[("overlap", CRITICAL_SIZE)]
    assert picture.get("role") == "img"
    assert len(picture.get("aria-label").split()) >= 8
    name = {"svg": "http://www.w3.org/2000/svg"}
    assert f"S = {peak['s']:.2f}" in [text.text for text in picture.findall("svg:text", name)]
    curve = picture.find(".//svg:g[@class='drawn shared']/svg:path[@stroke]", name).get("d")
    heights = [float(point.split()[1]) for point in re.split("[ML]", curve)[1:]]
    assert heights.index(min(heights)) == CRITICAL_SIZE - 1
    separate = picture.find(".//svg:g[@class='drawn separate']/svg:path[@stroke]", name).get("d")
    bound = picture.find(".//svg:g[@class='drawn bound']/svg:path", name).get("d")
    level = float(bound.split()[-1])
    assert min(float(point.split()[1]) for point in re.split("[ML]", separate)[1:]) == level


IN_THE_BOOK = [pytest.mark.slow, browser.needs_browser, browser.needs_book]

# All text that is laid out and begins above the fold, whether it can be seen or not.
ABOVE_THE_FOLD = """
    const above = (boxes) =>
        boxes.length && Math.min(...[...boxes].map(({ top }) => top)) < innerHeight;
    const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        const inside = walker.currentNode.parentElement.closest("script, style, noscript");
        if (!inside && above(range.getClientRects())) found.push(walker.currentNode.data);
    }
    for (const name of ["alt", "aria-label", "title"])
        for (const element of document.body.querySelectorAll(`.bd-main [${name}]`))
            if (above(element.getClientRects())) found.push(element.getAttribute(name));
    return found.join(" ");
"""


def open_landing(driver, width=1280, height=800):
    browser.emulate(driver, width, "light", height)
    driver.get((browser.HTML / "index.html").as_uri())
    WebDriverWait(driver, 20).until(
        lambda _: driver.find_elements(By.CSS_SELECTOR, ".landing-statements li")
    )


def set_media(driver, **features):
    listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": listed})


class TestTheBuiltPage:
    """In a browser."""

    pytestmark = IN_THE_BOOK

    @pytest.mark.parametrize(("width", "height"), [(1280, 800), (1400, 900), (390, 844)])
    def test_little_stands_above_the_fold(self, driver, width, height):
        open_landing(driver, width, height)
        text = driver.execute_script(ABOVE_THE_FOLD)
        assert "Bell" in text
        assert len(re.findall(WORD, text)) <= 150, text
        assert len(re.findall(NUMBER, text)) <= 25, text

    @pytest.mark.parametrize(("width", "height"), [(1280, 800), (1400, 900)])
    def test_the_first_screen_holds_figure_statements_and_ways(self, driver, width, height):
        open_landing(driver, width, height)
        for seen in ("svg.headline", ".landing-statements", ".landing-ways"):
            box = driver.find_element(By.CSS_SELECTOR, seen).rect
            assert box["y"] + box["height"] <= height, seen

    def test_no_statement_has_more_than_two_numbers(self, driver):
        open_landing(driver)
        statements = driver.find_elements(By.CSS_SELECTOR, ".landing-statements li")
        assert len(statements) == 4
        for statement in statements:
            assert 1 <= len(re.findall(NUMBER, statement.text)) <= 2, statement.text

    def test_every_tile_leads_to_a_section_of_its_own(self, driver):
        open_landing(driver)
        tiles = driver.find_elements(By.CSS_SELECTOR, "a.tile")
        targets = [tile.get_attribute("href").rpartition("#")[2] for tile in tiles]
        assert targets == list(CLAIMS)
        verdicts = (browser.HTML / "verdicts.html").read_text(encoding="utf-8")
        assert [name for name in targets if f'id="{name}"' not in verdicts] == []

    @pytest.mark.parametrize("width", [1280, 390])
    def test_the_contents_are_closed_until_they_are_opened(self, driver, width):
        open_landing(driver, width)
        links = "#pst-primary-sidebar nav a, #pst-primary-sidebar-modal nav a"
        assert not any(a.is_displayed() for a in driver.find_elements(By.CSS_SELECTOR, links))
        driver.find_element(By.CLASS_NAME, "primary-toggle").click()
        assert any(a.is_displayed() for a in driver.find_elements(By.CSS_SELECTOR, links))

    def test_the_figure_draws_itself_within_three_seconds(self, driver):
        open_landing(driver)
        driver.execute_script("document.querySelector('svg.headline').style.display = 'none'")
        ends = driver.execute_script("""
            const picture = document.querySelector("svg.headline");
            picture.style.display = "";
            return picture.getAnimations({ subtree: true })
                .map((one) => one.effect.getComputedTiming().endTime);
        """)
        assert ends
        assert max(ends) <= 3000

    def test_with_reduced_motion_it_is_there_at_once(self, driver):
        open_landing(driver)
        set_media(driver, prefers_reduced_motion="reduce")
        driver.refresh()
        moving = "return document.querySelector('svg.headline').getAnimations({subtree: true})"
        assert driver.execute_script(f"{moving}.length") == 0

    def test_without_scripts_it_is_complete(self, driver):
        open_landing(driver)
        shown = "a.tile, .landing-statements li, svg.headline path, .landing-ways a, .sd-card"
        count = len(driver.find_elements(By.CSS_SELECTOR, shown))
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            driver.refresh()
            found = driver.find_elements(By.CSS_SELECTOR, shown)
            assert len(found) == count
            assert all(one.is_displayed() for one in found if one.tag_name != "path")
            assert driver.find_element(By.ID, "pst-primary-sidebar").is_displayed()
        finally:
            driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})

    def test_on_a_phone_letters_can_be_read_and_nothing_is_cut(self, driver):
        open_landing(driver, 390, 844)
        sizes = driver.execute_script("""
            return [...document.querySelectorAll("svg.headline text")]
                .map((text) => parseFloat(getComputedStyle(text).fontSize));
        """)
        assert min(sizes) >= 11
        cut = driver.execute_script("""
            const right = document.documentElement.clientWidth;
            const boxes = [...document.querySelectorAll("svg.headline text, a.tile")];
            return boxes.filter((one) => one.scrollWidth > one.clientWidth + 1
                && one.matches("a") || one.getBoundingClientRect().right > right)
                .map((one) => one.textContent);
        """)
        assert cut == []
        tops = driver.execute_script("""
            return ["h1", "svg.headline", ".landing-statements", ".landing-ways", ".tiles"]
                .map((name) => document.querySelector(`.bd-article ${name}`))
                .map((one) => one.getBoundingClientRect().top);
        """)
        assert tops == sorted(tops)
