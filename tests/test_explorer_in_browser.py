"""The page "Play" in a browser: what it shows is what the package computes, by keyboard too."""

import itertools
from urllib.parse import urlencode

import numpy as np
import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

import ncnet
from ncnet import explorer, results
from tests import browser

PAGE = browser.HTML / "play.html"
BOOK = ["0001", "0110", "0001", "0110"]
OTHER = ["1110", "0110", "0011", "1001"]
DEFAULTS = {"layout": "overlap", "activation": "tanh", "hidden_size": 3, "steps": 2000}

pytestmark = [
    pytest.mark.slow,
    browser.needs_browser,
    browser.needs_book,
    pytest.mark.skipif(not PAGE.is_file(), reason="the built book has no page `play`"),
]


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with browser.chrome(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def table():
    return results.load("explorer").table


class Play:
    """The open page."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, width=1280, scheme="light", **choice):
        browser.emulate(self.driver, width=width, scheme=scheme)
        self.driver.get("about:blank")  # or else another hash would not load the page anew
        self.driver.get(PAGE.as_uri() + ("#" + urlencode(choice) if choice else ""))
        self.wait(lambda: self.examples_are_shown())
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

    def press(self, element, *keys):
        """Focus an element and press keys."""
        self.driver.execute_script("arguments[0].focus()", element)
        element.send_keys(*keys)


@pytest.fixture
def play(driver):
    return Play(driver)


def expected(table, tasks, **choice):
    found = explorer.look_up(table, tasks, **DEFAULTS | choice)
    return [found[name] for name in ("s", "delta", "contextuality")]


def close(shown, computed):
    return np.allclose(shown, computed, atol=0.0051)  # two digits are shown


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_is_quiet_local_and_fits(play, width, scheme):
    browser.requests(play.driver), browser.complaints(play.driver)
    play.open(width, scheme)
    assert not browser.complaints(play.driver)
    requested = browser.requests(play.driver)
    assert any(address.endswith("play.js") or "play.js?" in address for address in requested)
    local = (browser.HTML.as_uri(), "data:", "about:")
    assert not [address for address in requested if not address.startswith(local)]
    assert play.driver.execute_script(
        "const page = document.documentElement; return page.scrollWidth <= page.clientWidth"
    )


def test_other_pages_load_none_of_it(driver):
    assert "interactive/" not in (browser.HTML / "index.html").read_text(encoding="utf-8")


def test_it_opens_with_the_game_of_the_book(play, table):
    play.open()
    assert close(play.numbers(), expected(table, BOOK))


def test_numbers_follow_the_keyboard(play, table):
    play.open()
    units = play.driver.find_element(By.CSS_SELECTOR, "#explorer-n input:checked")
    play.press(units, Keys.ARROW_RIGHT)
    assert close(play.numbers(), expected(table, BOOK, hidden_size=4))
    slider = play.by_id("step")
    play.press(slider, Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert slider.get_attribute("aria-valuetext") == "step 700"
    assert close(play.numbers(), expected(table, BOOK, hidden_size=4, steps=700))
    target = play.driver.find_element(
        By.CSS_SELECTOR, "[aria-label='0, target of A1 at x1 = 0, x2 = 1']"
    )
    play.press(target, Keys.SPACE)
    tasks = ["0101", *BOOK[1:]]
    assert target.get_attribute("aria-pressed") == "true"
    assert close(play.numbers(), expected(table, tasks, hidden_size=4, steps=700))
    said = play.by_id("status")
    play.wait(lambda: "step 700" in said.get_attribute("textContent"))
    assert "Alice: x2; XOR" in said.get_attribute("textContent")


def test_an_address_restores_a_choice_and_follows_it(play, table):
    asked = {"game": ".".join(OTHER), "layout": "separate", "n": 2, "activation": "relu"}
    play.open(**asked, step=150, start=3)
    choice = {"layout": "separate", "hidden_size": 2, "activation": "relu", "steps": 150}
    assert close(play.numbers(), expected(table, OTHER, **choice))
    assert play.by_id("replica").get_attribute("value") == "3"
    play.driver.find_element(By.CSS_SELECTOR, "#explorer-layout label").click()
    play.wait(lambda: "layout=overlap" in play.driver.current_url)
    assert "step=150" in play.driver.current_url


@pytest.mark.parametrize(
    ("asked", "understood"),
    [
        ({"game": "0110.0110"}, {"tasks": BOOK}),
        ({"game": "0110.0110.0110.011x", "n": 2}, {"tasks": BOOK, "n": 2}),
        ({"n": 9, "layout": "other", "start": -1}, {"n": 3, "layout": "overlap", "replica": 0}),
        ({"step": 1900}, {"step": 2000}),
        ({"step": ""}, {"step": 2000}),
    ],
)
def test_what_an_address_does_not_say_is_as_usual(play, asked, understood):
    chosen = play.open(**asked).chosen()
    assert {name: chosen[name] for name in understood} == understood


def test_the_atlas_opens_games_and_back_returns(play, table):
    play.open(n=2)
    board = play.by_id("atlas-board")
    play.press(board, Keys.ARROW_UP, Keys.ARROW_UP)
    said = play.by_id("atlas-game").text
    play.press(board, Keys.ENTER)
    tasks = play.chosen()["tasks"]
    assert tasks != BOOK
    assert close(play.numbers(), expected(table, tasks, hidden_size=2))
    assert f"S = {play.by_id('s').text}, \N{GREEK CAPITAL LETTER DELTA} = " in said
    play.driver.back()
    play.wait(lambda: play.chosen()["tasks"] == BOOK)


def test_the_atlas_opens_the_point_that_is_clicked(play):
    play.open(n=2)
    place = play.driver.execute_script("""
        const choice = Explorer.state.get();
        const { s, delta } = Explorer.statistics.atlas(choice);
        const highest = s.indexOf(Math.max(...s));
        const { x, y } = Explorer.atlas.view();
        return { x: x(delta[highest]), y: y(s[highest]), s: s[highest], delta: delta[highest] };
    """)
    canvas = play.by_id("atlas-canvas")
    size = canvas.rect
    offset = round(place["x"] - size["width"] / 2), round(place["y"] - size["height"] / 2)
    ActionChains(play.driver).move_to_element_with_offset(canvas, *offset).click().perform()
    assert close(play.numbers()[:2], [place["s"], place["delta"]])


def test_from_the_atlas_a_button_leads_back_to_the_open_game(play):
    play.open(width=390)
    top = "return document.getElementById('explorer-root').getBoundingClientRect().top"
    play.driver.execute_script("arguments[0].scrollIntoView()", play.by_id("atlas-board"))
    assert play.driver.execute_script(top) < -500
    play.press(play.by_id("show-open"), Keys.ENTER)
    play.wait(lambda: abs(play.driver.execute_script(top)) < 200)


def test_every_game_is_looked_up_as_in_python(play, table):
    play.open()
    generator = np.random.default_rng(0)
    axes = [explorer.LAYOUTS, explorer.ACTIVATIONS, explorer.HIDDEN_SIZES, explorer.STEPS]
    choices = list(itertools.product(*axes))
    for place in generator.integers(len(choices), size=60):
        choice = dict(zip(explorer.CHOICE, choices[place], strict=True))
        tasks = [f"{number:04b}" for number in generator.integers(16, size=4)]
        shown = play.driver.execute_script(
            "return Explorer.statistics.lookUp(arguments[0])",
            {
                "tasks": tasks,
                "layout": choice["layout"],
                "activation": choice["activation"],
                "n": choice["hidden_size"],
                "step": choice["steps"],
            },
        )
        found = explorer.look_up(table, tasks, **choice)
        for name, own in (("s", "s"), ("delta", "delta"), ("remainder", "contextuality")):
            for end, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
                assert shown[name][end] == pytest.approx(found[own + suffix], abs=1e-4)


@pytest.mark.parametrize("layout", explorer.LAYOUTS)
@pytest.mark.parametrize("activation", explorer.ACTIVATIONS)
def test_the_page_trains_as_ncnet_does(play, layout, activation):
    play.open()
    replica = 5
    outcomes = ncnet.train(
        explorer.game(layout, OTHER),
        hidden_size=3,
        replicas=replica + 1,
        seed=explorer.SEED,
        steps=100,
        activation=activation,
        trace_steps=[100],
        trace=["weights"],
    ).isel(replica=replica, step=0)
    choice = {"layout": layout, "activation": activation, "n": 3, "step": 100}
    trained = play.driver.execute_script(
        """return Explorer.examples.lookUp(arguments[0]).map(({ network, answers }) => ({
            trunk: network.trunk.map((weights) => [...weights]),
            heads: network.heads.map((weights) => [...weights]),
            answers,
        }))""",
        choice | {"tasks": OTHER, "replica": replica},
    )
    targets = (outcomes["alice_target"], outcomes["bob_target"])
    for context, (i, j) in enumerate(itertools.product((0, 1), repeat=2)):
        one = outcomes.isel(alice_setting=i, bob_setting=j)
        close_to = {"rtol": 1e-3, "atol": 1e-4}
        np.testing.assert_allclose(trained[context]["trunk"], one["trunk_weight"], **close_to)
        for party, name in enumerate(("alice", "bob")):
            head = [*one[f"{name}_weight"].values, float(one[f"{name}_bias"])]
            np.testing.assert_allclose(trained[context]["heads"][party], head, **close_to)
            answers = 2 * np.array(trained[context]["answers"])[:, party] - 1
            correct = answers * targets[party].values[(i, j)[party]]
            assert (correct == one["ab"[party]].values).mean() > 0.9  # but for a logit next to 0


def test_playing_goes_through_the_steps(play):
    play.open(step=1000)
    play.by_id("play").click()
    play.wait(lambda: play.chosen()["step"] == 2000)
    play.wait(lambda: play.by_id("play").text == "Play")


def test_who_wants_no_motion_goes_step_by_step(play):
    play.open(step=1000)
    media = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    play.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    play.driver.refresh()
    play.wait(play.examples_are_shown)
    button = play.by_id("play")
    assert button.text == "Next step"
    button.click()
    assert play.chosen()["step"] == 1400


def test_targets_are_large_enough_to_touch(play):
    play.open(390)
    small = play.driver.execute_script("""
        const touched = ".explorer :is(button, select, fieldset label, input[type=range])";
        return [...document.querySelectorAll(touched)]
            .map((element) => [element.outerHTML, element.getBoundingClientRect()])
            .filter(([, { width, height }]) => width < 24 || height < 24)
            .map(([html]) => html);
    """)
    assert not small


def test_all_that_is_drawn_is_said_too(play):
    play.open()
    unnamed = play.driver.execute_script("""
        return [...document.querySelectorAll(".explorer :is([role=img], [role=application])")]
            .filter((element) => !element.getAttribute("aria-label"))
            .map((element) => element.outerHTML);
    """)
    assert not unnamed


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_moves_when_numbers_change(play, width):
    play.open(width)
    tops = """return [...document.querySelectorAll(".explorer section")]
        .map((section) => section.offsetTop + section.offsetHeight)"""
    before = play.driver.execute_script(tops)
    for choice in ({"n": 1}, {"layout": "separate", "step": 70}, {"tasks": OTHER}):
        play.driver.execute_script("Explorer.state.set(arguments[0])", choice)
        play.driver.execute_async_script(
            "requestAnimationFrame(() => setTimeout(arguments[0], 50))"
        )
        assert play.driver.execute_script(tops) == before
