"""The tour of the page "Play": it asks, waits for what the reader does, and says what happened."""

import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from ncnet import chsh, results
from ncnet.studies.atlas import explorer
from tests import browser
from tests.play_page import BOOK, NEEDED, Play

STEPS = ("unit", "critical", "neuron", "same", "failures", "apart", "line")
XOR = ["0110"] * 4

pytestmark = NEEDED


@pytest.fixture
def play(driver):
    return Play(driver)


def said(play):
    return play.by_id("tour-said").text


def answers(play):
    return play.by_id("tour-answers").find_elements(By.TAG_NAME, "button")


def is_done(play):
    next_one = play.by_id("tour-next")
    return next_one.is_displayed() and next_one.text.startswith(("Next", "Finish"))


def focused(play):
    return play.driver.switch_to.active_element


class Keyboard:
    """Somebody with nothing but a keyboard."""

    def __init__(self, play):
        self.play = play

    def send(self, *keys):
        ActionChains(self.play.driver).send_keys(*keys).perform()

    def walk_to(self, element):
        """Press Tab, or Shift and Tab, until an element has the focus."""
        for _ in range(400):
            where = self.play.driver.execute_script(
                """const [there, here] = [arguments[0], document.activeElement];
                return there === here ? 0 : here.compareDocumentPosition(there)""",
                element,
            )
            if where == 0:
                return
            if where & 2:  # DOCUMENT_POSITION_PRECEDING
                chain = ActionChains(self.play.driver).key_down(Keys.SHIFT).send_keys(Keys.TAB)
                chain.key_up(Keys.SHIFT).perform()
            else:
                self.send(Keys.TAB)
        raise AssertionError(f"no key leads to {element.get_attribute('outerHTML')}")

    def press(self, element):
        self.walk_to(element)
        self.send(Keys.ENTER)

    def press_named(self, name):
        self.press(self.play.by_id(name))

    def choose_game(self, name):
        self.walk_to(self.play.by_id("preset"))
        self.send(name)

    def train(self):
        self.walk_to(self.play.by_id("step"))
        self.send(Keys.END)

    def switch(self, name):
        self.walk_to(self.play.by_id(name))
        self.send(Keys.SPACE)


class Finger:
    """Somebody with a finger on a phone."""

    def __init__(self, play):
        self.play = play

    def tap(self, x, y):
        touch = ActionBuilder(self.play.driver, mouse=PointerInput("touch", "finger"))
        touch.pointer_action.move_to_location(x, y).pointer_down().pointer_up()
        touch.perform()

    def press(self, element):
        """Scroll to an element unless it is in sight, and tap it where nothing covers it."""
        if not self.play.is_in_sight(element):
            self.play.driver.execute_script(
                "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element
            )
        assert self.play.is_in_sight(element), element.get_attribute("outerHTML")
        place = self.play.driver.execute_script(
            "return arguments[0].getBoundingClientRect()", element
        )
        assert min(place["width"], place["height"]) >= 24
        self.tap(round(place["x"] + place["width"] / 2), round(place["y"] + place["height"] / 2))

    def press_named(self, name):
        self.press(self.play.by_id(name))

    switch = press_named

    def choose_game(self, name):
        game = self.play.by_id("preset")
        self.play.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", game)
        assert self.play.is_in_sight(game)
        Select(game).select_by_visible_text(name)

    def train(self):
        place = self.play.by_id("step").rect
        top = place["y"] - self.play.driver.execute_script("return scrollY")
        self.tap(round(place["x"] + place["width"] - 4), round(top + place["height"] / 2))


def unit(reader):
    reader.press_named("more")


def critical(reader):
    for _ in range(3):
        reader.press_named("more")


def neuron(reader):
    reader.press_named("fewer")


def same(reader):
    reader.choose_game("XOR, four times")


def failures(reader):
    reader.train()


def apart(reader):
    reader.switch("trunk")


def line(reader):
    reader.press_named("highest-remainder")


ACTIONS = (unit, critical, neuron, same, failures, apart, line)


def take_the_tour(play, reader):
    """Take the tour from its first step to its end, with the first answer as a guess each time."""
    for place, act in enumerate(ACTIONS):
        assert play.chosen()["tour"] == STEPS[place]
        assert not is_done(play)
        reader.press(answers(play)[0])
        assert not is_done(play)
        act(reader)
        play.wait(lambda: is_done(play))
        assert said(play).startswith(("As you guessed.", "Not what you guessed."))
        reader.press_named("tour-next")
    assert play.chosen()["tour"] is None


@pytest.mark.parametrize("still", [False, True])
def test_the_tour_can_be_taken_with_the_keyboard_alone(play, still):
    play.open(tour="unit", still=still)
    take_the_tour(play, Keyboard(play))
    assert focused(play) == play.by_id("tour-next")


def test_the_tour_can_be_taken_on_a_phone(play):
    play.open(390, height=844, still=True, tour="unit")
    take_the_tour(play, Finger(play))


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("unit", {"tasks": BOOK, "n": 2}),
        ("critical", {"tasks": BOOK, "n": 3}),
        ("neuron", {"tasks": ["0000", "0011", "0000", "0101"], "n": 2}),
        ("same", {"tasks": BOOK, "n": 3}),
        ("failures", {"n": 1, "step": 1}),
        ("apart", {"tasks": BOOK, "n": 3, "trunk": "shared"}),
        ("line", {"n": 1, "step": 150}),
    ],
)
def test_each_step_has_an_address_that_sets_its_scene(play, name, chosen):
    found = play.open(tour=name).chosen()
    assert {key: found[key] for key in chosen} == chosen
    assert found["tour"] == name
    current = play.driver.find_element(By.CSS_SELECTOR, ".explorer-tour-steps [aria-current]")
    assert current.text == str(STEPS.index(name) + 1)


def test_the_text_links_to_each_step(play):
    play.open()
    links = play.driver.find_elements(By.CSS_SELECTOR, "#the-stories a[href^='#tour=']")
    assert [link.get_attribute("href").split("=")[-1] for link in links] == list(STEPS)
    for link, name in zip(links, STEPS, strict=True):
        assert not link.find_elements(By.TAG_NAME, "a")
        play.press(link, Keys.ENTER)
        play.wait(lambda name=name: play.chosen()["tour"] == name)
        assert not is_done(play)


def test_back_returns_to_the_step_before(play):
    play.open(tour="unit")
    play.by_id("more").click()
    play.by_id("tour-next").click()
    assert play.chosen()["tour"] == "critical"
    play.driver.back()
    play.wait(lambda: play.chosen()["tour"] == "unit")


def test_it_can_be_left_at_any_time_and_taken_up_again(play):
    play.open(tour="neuron")
    play.by_id("tour-leave").click()
    assert play.chosen()["tour"] is None
    assert not answers(play)[0].is_displayed()
    assert focused(play) == play.by_id("tour-next")
    play.wait(lambda: "tour=" not in play.driver.current_url)
    play.driver.get("about:blank")
    play.load()
    assert play.chosen()["tour"] is None
    assert "One neuron" in play.by_id("tour-next").text
    play.by_id("tour-next").click()
    assert play.chosen()["tour"] == "neuron"


def test_who_acts_before_guessing_is_told_as_well(play):
    play.open(tour="unit")
    play.by_id("more").click()
    assert is_done(play)
    assert said(play).startswith("S went from")


def test_who_changes_something_else_is_told_how_to_go_on(play):
    play.open(tour="apart")
    answers(play)[0].click()
    play.choose(activation="relu")
    assert "Something else has changed" in said(play)
    play.by_id("trunk").click()
    assert not is_done(play)
    play.driver.find_element(By.CSS_SELECTOR, "[aria-current=step]").click()
    assert play.chosen()["activation"] == "tanh"
    assert play.chosen()["trunk"] == "shared"


def test_the_curve_keeps_to_itself_what_the_step_asks(play):
    play.open(tour="critical")
    described = play.by_id("over-n").get_attribute("aria-label")
    assert "3: " in described
    assert "4: " not in described
    play.by_id("more").click()
    described = play.by_id("over-n").get_attribute("aria-label")
    assert "4: " in described
    assert "5: " not in described


@pytest.fixture(scope="module")
def found():
    """Look up as the package does, of a step's game."""
    table = results.load("explorer").table

    def look_up(tasks, hidden_size, trunk="shared", steps=2000):
        choice = {"trunk": trunk, "layout": "overlap", "activation": "tanh"}
        return explorer.look_up(table, tasks, **choice, hidden_size=hidden_size, steps=steps)

    return look_up


def outcome(play, name, act):
    play.open(tour=name, still=True)
    act(Keyboard(play))
    play.wait(lambda: is_done(play))
    return said(play)


def test_what_it_says_is_what_the_package_finds(play, found):
    two, three, six = (found(BOOK, n)["s"] for n in (2, 3, 6))
    assert three > chsh.CLASSICAL_BOUND > two
    assert f"from {two:.2f} to {three:.2f}" in outcome(play, "unit", unit)
    assert f"{six:.2f} with 6" in outcome(play, "critical", critical)
    one = found(["0000", "0011", "0000", "0101"], 1)
    assert one["s"] > chsh.TSIRELSON_BOUND
    text = outcome(play, "neuron", neuron)
    assert f"S = {one['s']:.2f}, beyond" in text
    assert f"that is {one['delta']:.2f}, and" in text
    xor = found(XOR, 3)
    assert xor["delta"] == 0
    assert f"= {xor['s']:.2f}" in outcome(play, "same", same)
    own = found(BOOK, 3, trunk="own")
    assert f"S = {own['s']:.2f}" in outcome(play, "apart", apart)


def test_two_failures_have_the_s_of_two_successes(play):
    play.open(tour="failures")
    score = "return Explorer.examples.score(Explorer.state.get())"
    before = play.driver.execute_script(score)
    assert before["s"] == chsh.CLASSICAL_BOUND
    assert max(right for pair in before["right"] for right in pair) <= before["inputs"] / 2
    Keyboard(play).train()
    after = play.driver.execute_script(score)
    assert after["s"] == chsh.CLASSICAL_BOUND
    assert {right for pair in after["right"] for right in pair} == {after["inputs"]}


def test_where_a_game_stands_above_the_line(play):
    text = outcome(play, "line", line)
    choice = play.chosen()
    above = play.driver.execute_script(
        "return Explorer.statistics.gamesAbove(arguments[0])", choice
    )
    assert above
    assert f"Above the line: {len(above):,} of" in text
    link = play.by_id("tour-said").find_element(By.TAG_NAME, "a")
    assert link.get_attribute("href").endswith("notebooks/rq6.html")


def test_a_first_visit_plays_until_it_is_touched(play):
    play.open_first()
    assert play.chosen()["tour"] == "unit"
    seen = play.chosen()["step"]
    play.wait(lambda: play.chosen()["step"] > seen)
    assert play.chosen()["step"] < 2000
    play.press(play.by_id("tour-title"), Keys.SHIFT)
    assert play.chosen()["step"] == 2000
    assert play.by_id("play").get_attribute("data-playing") == "false"


def test_a_first_visit_can_be_paused(play):
    play.open_first()
    button = play.by_id("play")
    assert button.accessible_name == "Pause training"
    button.click()
    assert button.get_attribute("data-playing") == "false"
    assert play.chosen()["step"] < 2000


def test_an_address_that_arrives_ends_what_plays(play):
    """Or else the scene of the step would be gone before it is read."""
    play.open_first()
    play.wait(lambda: play.driver.execute_script("return Explorer.controls.isPlaying()"))
    play.driver.execute_script("location.hash = '#n=7&step=10'")
    play.wait(lambda: play.chosen()["n"] == 7)
    assert not play.driver.execute_script("return Explorer.controls.isPlaying()")
    play.by_id("more").click()
    chosen = play.chosen()
    assert (chosen["n"], chosen["step"]) == (8, 10)
    assert not browser.complaints(play.driver)


def test_a_first_visit_stays_still_for_who_wants_no_motion(play):
    play.open_first(still=True)
    assert play.chosen()["tour"] == "unit"
    assert play.chosen()["step"] == 2000
    assert play.by_id("play").get_attribute("data-playing") == "false"
    assert play.by_id("play").accessible_name == "Next step"
    assert answers(play)[0].is_displayed()


def test_a_second_visit_does_not_play(play):
    play.open_first()
    play.driver.get("about:blank")
    play.load()
    assert play.chosen()["tour"] is None
    assert play.by_id("play").get_attribute("data-playing") == "false"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("name", "act"), [("failures", failures), ("line", line)])
def test_everybody_can_use_it(play, width, name, act):
    play.open(width, still=True, tour=name)
    answers(play)[0].click()
    assert not browser.audit(play.driver, options=browser.ALL_BUT_COLOURS)
    act(Keyboard(play))
    assert not browser.audit(play.driver, options=browser.ALL_BUT_COLOURS)


def test_the_focus_goes_to_the_new_step(play):
    play.open(tour="unit")
    play.by_id("more").click()
    play.press(play.by_id("tour-next"), Keys.ENTER)
    assert focused(play) == play.by_id("tour-title")
    assert focused(play).text == "The critical size"


def test_who_acts_with_keys_reads_on_at_the_outcome(play):
    play.open(tour="neuron")
    play.press(play.by_id("fewer"), Keys.ENTER)
    play.wait(lambda: focused(play).text == said(play))
    ActionChains(play.driver).send_keys(Keys.TAB).perform()
    assert focused(play) == play.by_id("tour-next")


def test_who_points_keeps_the_focus_where_it_was(play):
    play.open(tour="neuron")
    play.by_id("fewer").click()
    play.driver.execute_async_script("setTimeout(arguments[0], 1000)")
    assert is_done(play)
    assert focused(play) == play.by_id("fewer")


SCROLLED = "return document.documentElement.scrollTop"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
@pytest.mark.parametrize("name", ["unit", "failures"])
def test_it_does_not_scroll_to_what_is_in_view(play, width, height, name):
    play.open(width, height=height, still=True, tour=name)
    answers(play)[0].click()
    before = play.driver.execute_script(SCROLLED)
    play.by_id("tour-show").click()
    play.driver.execute_async_script("setTimeout(arguments[0], 300)")
    assert play.driver.execute_script(SCROLLED) == before


def test_the_keyboard_goes_through_the_sheet_without_scrolling(play):
    play.open(390, height=844, still=True, tour="critical")
    play.driver.execute_script("window.scrollTo(0, 400)")
    play.driver.execute_script(
        "arguments[0].focus({ preventScroll: true })", play.by_id("tour-title")
    )
    for _ in range(9):
        ActionChains(play.driver).send_keys(Keys.TAB).perform()
        assert play.driver.execute_script(SCROLLED) == 400


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
@pytest.mark.parametrize(
    ("name", "act", "seen"), [("apart", apart, "over-n"), ("line", line, "atlas-canvas")]
)
def test_what_has_happened_is_in_view(play, width, height, name, act, seen):
    play.open(width, height=height, still=True, tour=name)
    act(Keyboard(play))
    play.wait(lambda: is_done(play))
    assert play.driver.execute_script(
        """const { top, bottom } = arguments[0].getBoundingClientRect();
        const tour = arguments[1].getBoundingClientRect();
        const foot = innerWidth < 800 ? tour.top : innerHeight;
        return top > 0 && Math.min(bottom, foot) - top > 0.6 * (bottom - top)""",
        play.by_id(seen),
        play.by_id("tour"),
    )


def test_on_a_phone_the_tour_is_taken_up_near_the_top(play):
    play.open(390, height=844)
    assert play.is_in_sight(play.by_id("tour-next"))
    assert play.is_in_sight(play.by_id("dial"))
