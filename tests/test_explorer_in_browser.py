"""The page "Play" in a browser: what it shows is what the package computes, by keyboard too."""

import itertools

import numpy as np
import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

import ncnet
from ncnet import results
from ncnet.studies.atlas import explorer
from ncnet.studies.mechanism import interventions
from tests import browser
from tests.play_page import BOOK, NEEDED, Play

OTHER = ["1110", "0110", "0011", "1001"]
DEFAULTS = {
    "trunk": "shared",
    "layout": "overlap",
    "activation": "tanh",
    "hidden_size": 3,
    "steps": 2000,
}

pytestmark = NEEDED


@pytest.fixture(scope="module")
def table():
    return results.load("explorer").table


@pytest.fixture
def play(driver):
    return Play(driver)


def expected(table, tasks, **choice):
    found = explorer.look_up(table, tasks, **DEFAULTS | choice)
    return [found[name] for name in ("s", "delta", "excess")]


def close(shown, computed):
    return np.allclose(shown, computed, atol=0.0051)  # two digits are shown


def as_on_the_page(choice):
    """Return a choice under the names that the page has."""
    names = {"hidden_size": "n", "steps": "step"}
    return {names.get(name, name): value for name, value in choice.items()}


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
    assert "interactive/explorer" not in (browser.HTML / "index.html").read_text(encoding="utf-8")


def test_it_opens_with_the_game_of_the_book(play, table):
    play.open()
    assert close(play.numbers(), expected(table, BOOK))


def test_the_game_of_the_book_is_explained_as_its_report_explains_it(play):
    words = play.open().by_id("words").text
    assert "S is above 2" in words
    assert "enough to explain it" in words


def test_numbers_follow_the_keyboard(play, table):
    play.open()
    play.press(play.by_id("more"), Keys.ENTER)
    assert close(play.numbers(), expected(table, BOOK, hidden_size=4))
    slider = play.by_id("step")
    play.press(slider, Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert slider.get_attribute("aria-valuetext") == "step 700"
    assert close(play.numbers(), expected(table, BOOK, hidden_size=4, steps=700))
    play.unfold("tasks")
    target = play.driver.find_element(
        By.CSS_SELECTOR, "[aria-label='0, target of A1 at x1 = 0, x2 = 1']"
    )
    play.press(target, Keys.SPACE)
    tasks = ["0101", *BOOK[1:]]
    assert target.get_attribute("aria-pressed") == "true"
    assert close(play.numbers(), expected(table, tasks, hidden_size=4, steps=700))
    play.press(play.by_id("trunk"), Keys.SPACE)
    assert close(play.numbers(), expected(table, tasks, hidden_size=4, steps=700, trunk="own"))
    said = play.by_id("status")
    # It is said a moment after the last change: before that, what was there is said.
    play.wait(lambda: "Alice: x2; XOR" in said.get_attribute("textContent"))
    assert "step 700" in said.get_attribute("textContent")


def test_units_end_where_the_table_ends(play):
    play.open(n=7)
    more = play.by_id("more")
    for _ in range(3):
        more.click()
    assert play.chosen()["n"] == explorer.HIDDEN_SIZES[-1]
    assert more.get_attribute("aria-disabled") == "true"


@pytest.mark.parametrize(("chart", "chosen"), [("over-n", "n"), ("over-steps", "step")])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_click_on_a_curve_chooses(play, chart, chosen, width):
    play.open(width)
    curve = play.by_id(chart)
    values = {"n": explorer.HIDDEN_SIZES, "step": explorer.STEPS}[chosen]
    play.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", curve)
    for place in (0, len(values) - 1):
        inside = 30, curve.size["width"] - 8
        across = inside[0] + (place + 0.5) * (inside[1] - inside[0]) / len(values)
        offset = round(across - curve.size["width"] / 2), 0
        ActionChains(play.driver).move_to_element_with_offset(curve, *offset).click().perform()
        assert play.chosen()[chosen] == values[place]


def test_an_address_restores_a_choice_and_follows_it(play, table):
    asked = {"game": ".".join(OTHER), "layout": "separate", "n": 2, "activation": "relu"}
    play.open(**asked, step=150, start=3, trunk="own")
    choice = {"layout": "separate", "hidden_size": 2, "activation": "relu", "steps": 150}
    assert close(play.numbers(), expected(table, OTHER, **choice, trunk="own"))
    assert play.by_id("replica").get_attribute("value") == "3"
    play.unfold("layout").find_element(By.CSS_SELECTOR, "label").click()
    play.wait(lambda: "layout=overlap" in play.driver.current_url)
    assert "step=150" in play.driver.current_url
    assert "trunk=own" in play.driver.current_url


@pytest.mark.parametrize(
    ("asked", "understood"),
    [
        ({"game": "0110.0110"}, {"tasks": BOOK}),
        ({"game": "0110.0110.0110.011x", "n": 2}, {"tasks": BOOK, "n": 2, "trunk": "shared"}),
        ({"n": 9, "layout": "other", "start": -1}, {"n": 3, "layout": "overlap", "replica": 0}),
        ({"step": 1900}, {"step": 2000}),
        ({"step": ""}, {"step": 2000}),
        ({"tour": "none", "n": 2}, {"tour": None, "n": 2}),
        ({"trunk": "both"}, {"trunk": "shared"}),
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
    play.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
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


def drawn(seed, count):
    """Yield choices and tasks by chance."""
    generator = np.random.default_rng(seed)
    axes = [
        explorer.TRUNKS,
        explorer.LAYOUTS,
        explorer.ACTIVATIONS,
        explorer.HIDDEN_SIZES,
        explorer.STEPS,
    ]
    choices = list(itertools.product(*axes))
    for place in generator.integers(len(choices), size=count):
        tasks = [f"{number:04b}" for number in generator.integers(16, size=4)]
        yield dict(zip(explorer.CHOICE, choices[place], strict=True)), tasks


def is_bounded(choice, tasks):
    """Return whether a theorem bounds S: no head, or none of a party's, can know of a setting."""
    a1, a2, b1, b2 = (min(task, task.translate(str.maketrans("01", "10"))) for task in tasks)
    return choice["trunk"] == "own" or a1 == a2 or b1 == b2


def looked_up(play, choice, tasks):
    return play.driver.execute_script(
        "return Explorer.statistics.lookUp(arguments[0])", as_on_the_page(choice) | {"tasks": tasks}
    )


def test_every_game_is_looked_up_as_in_python(play, table):
    play.open()
    for choice, tasks in drawn(seed=0, count=80):
        shown, found = looked_up(play, choice, tasks), explorer.look_up(table, tasks, **choice)
        for name, own in (("s", "s"), ("delta", "delta"), ("remainder", "excess")):
            assert shown[name]["value"] == pytest.approx(found[own], abs=1e-4)
            if shown["isReported"] or is_bounded(choice, tasks):
                continue  # narrower than what contexts are put together to
            assert shown[name]["low"] == pytest.approx(found[f"{own}_low"], abs=1e-4)
            assert shown[name]["high"] == pytest.approx(found[f"{own}_high"], abs=1e-4)


def test_games_with_a_report_have_its_intervals_and_words(play):
    reports = results.load("explorer_reports").table
    play.open()
    for row in reports.sample(60, random_state=0).itertuples():
        choice = {name: getattr(row, name) for name in explorer.CHOICE}
        shown = looked_up(play, choice, row.game.split("."))
        assert shown["isReported"]
        for name, own in (("s", "s"), ("delta", "delta"), ("remainder", "excess")):
            if is_bounded(choice, row.game.split(".")):
                continue  # Delta is 0, and nothing to estimate
            ends = getattr(row, f"{own}_low"), getattr(row, f"{own}_high")
            assert (shown[name]["low"], shown[name]["high"]) == pytest.approx(ends, abs=1e-6)
        verdicts = ("below 2", "not distinguishable from 2", "above 2")
        assert verdicts[shown["verdict"] + 1] == row.verdict
        explanations = ("within 2 + Delta", "undecided", "contextual")
        assert explanations[shown["explanation"]] == row.explanation


def test_the_games_to_begin_with_are_those_with_a_report(play):
    play.open()
    games = play.driver.execute_script("return Object.values(Explorer.games.PRESETS)")
    assert sorted(map(tuple, games)) == sorted(map(tuple, explorer.REPORTED))


def test_with_a_trunk_each_no_game_passes_2_in_any_training(play):
    play.open()
    highest, delta = play.driver.execute_script("""
        const { layouts, activations, sizes, steps } = Explorer.tables;
        let [highest, changed] = [-4, 0];
        for (const layout of layouts)
            for (const activation of activations)
                for (const n of sizes)
                    for (const step of steps) {
                        const training = { trunk: "own", layout, activation, n, step };
                        const { s, delta } = Explorer.statistics.atlas(training);
                        highest = Math.max(highest, ...s);
                        changed = Math.max(changed, ...delta);
                    }
        return [highest, changed];
    """)
    assert highest == pytest.approx(2, abs=1e-9)
    assert delta == 0


def test_with_a_trunk_each_delta_is_exactly_0(play):
    play.open(trunk="own")
    assert play.by_id("delta-interval").text == "exactly"
    play.choose(tasks=OTHER, n=1)
    assert play.numbers()[1] == 0
    assert play.numbers()[2] == pytest.approx(play.numbers()[0] - 2, abs=0.0051)


def test_what_a_theorem_bounds_is_not_passed(play):
    play.open()
    seen = 0
    for choice, (a1, _, b1, b2) in drawn(seed=1, count=200):
        shown = looked_up(play, choice, [a1, a1, b1, b2])
        assert shown["s"]["low"] <= shown["s"]["value"] <= shown["s"]["high"] <= 2
        same = looked_up(play, choice, [a1, a1, b1, b1])
        assert [same["delta"][end] for end in ("low", "value", "high")] == [0, 0, 0]
        assert same["remainder"]["high"] <= 0
        seen += shown["delta"]["high"] > 0
    assert seen


def trained_by_the_page(play, tasks, replica, **choice):
    return play.driver.execute_script(
        """return Explorer.examples.lookUp(arguments[0]).map(({ network, answers }) => ({
            trunks: network.trunks.map((trunk) => trunk.map((weights) => [...weights])),
            heads: network.heads.map((weights) => [...weights]),
            answers,
        }))""",
        choice | {"tasks": tasks, "replica": replica},
    )


def assert_same_answers(trained, outcomes):
    targets = (outcomes["alice_target"], outcomes["bob_target"])
    for context, settings in enumerate(itertools.product((0, 1), repeat=2)):
        one = outcomes.isel(alice_setting=settings[0], bob_setting=settings[1])
        for party in (0, 1):
            answers = 2 * np.array(trained[context]["answers"])[:, party] - 1
            correct = answers * targets[party].values[settings[party]]
            assert (correct == one["ab"[party]].values).mean() > 0.9  # but for a logit next to 0


@pytest.mark.parametrize("layout", explorer.LAYOUTS)
@pytest.mark.parametrize("activation", explorer.ACTIVATIONS)
def test_the_page_trains_as_ncnet_does(play, layout, activation):
    play.open()
    replica = 5
    training = {"seed": explorer.SEED, "steps": 100, "activation": activation}
    outcomes = ncnet.train(
        explorer.game(layout, OTHER),
        hidden_size=3,
        replicas=replica + 1,
        trace_steps=[100],
        trace=["weights"],
        **training,
    ).isel(replica=replica, step=0)
    choice = {"layout": layout, "activation": activation, "n": 3, "step": 100}
    trained = trained_by_the_page(play, OTHER, replica, trunk="shared", **choice)
    for context, (i, j) in enumerate(itertools.product((0, 1), repeat=2)):
        one = outcomes.isel(alice_setting=i, bob_setting=j)
        close_to = {"rtol": 1e-3, "atol": 1e-4}
        for trunk in trained[context]["trunks"]:
            np.testing.assert_allclose(trunk, one["trunk_weight"], **close_to)
        for party, name in enumerate(("alice", "bob")):
            head = [*one[f"{name}_weight"].values, float(one[f"{name}_bias"])]
            np.testing.assert_allclose(trained[context]["heads"][party], head, **close_to)
    assert_same_answers(trained, outcomes)


@pytest.mark.parametrize("layout", explorer.LAYOUTS)
@pytest.mark.parametrize("activation", explorer.ACTIVATIONS)
def test_the_page_trains_apart_as_ncnet_does(play, layout, activation):
    play.open()
    choice = {"layout": layout, "activation": activation, "n": 3, "step": 100}
    outcomes = interventions.separate_trunks(
        explorer.game(layout, OTHER),
        hidden_sizes=(3, 3),
        replicas=6,
        seed=explorer.SEED,
        steps=100,
        activation=activation,
    )
    for replica in range(6):
        trained = trained_by_the_page(play, OTHER, replica, trunk="own", **choice)
        assert_same_answers(trained, outcomes.isel(replica=replica))
        # A head knows nothing of the other's task: it is the same one in both contexts.
        assert trained[0]["heads"][0] == trained[1]["heads"][0]
        assert trained[0]["trunks"][1] == trained[2]["trunks"][1]


def test_playing_goes_through_the_steps(play):
    play.open(step=1000)
    play.by_id("play").click()
    play.wait(lambda: play.chosen()["step"] == 2000)
    play.wait(lambda: play.by_id("play").accessible_name == "Play training")


def test_who_wants_no_motion_goes_step_by_step(play):
    play.open(step=1000, still=True)
    button = play.by_id("play")
    assert button.accessible_name == "Next step"
    button.click()
    assert play.chosen()["step"] == 1400


def test_targets_are_large_enough_to_touch(play):
    play.open(390, tour="unit")
    small = play.driver.execute_script("""
        for (const fold of document.querySelectorAll(".explorer details")) fold.open = true;
        const kinds = "button, select, summary, label:has(input), input[type=range]";
        return [...document.querySelectorAll(`.explorer :is(${kinds})`)]
            .filter((element) => element.checkVisibility())
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


@pytest.mark.parametrize("asked", [{}, {"tour": "unit"}])
def test_the_first_screen_of_a_desktop_has_controls_and_what_they_change(play, asked):
    play.open(1280, height=800, **asked)
    for name in ("fewer", "more", "n", "step", "dial", "s", "delta", "over-n", "waterfall"):
        assert play.is_in_sight(play.by_id(name)), name


@pytest.mark.parametrize("asked", [{}, {"tour": "unit"}])
@pytest.mark.parametrize("seen", ["dial", "over-n"])
def test_on_a_phone_what_changes_stays_in_sight(play, seen, asked):
    play.open(390, height=844, **asked)
    play.driver.execute_script("arguments[0].scrollIntoView()", play.by_id(seen))
    before = play.chosen()["n"]
    for taps in (1, 2):
        more = play.by_id("more")
        assert play.is_in_sight(more)
        more.click()
        assert play.chosen()["n"] == before + taps
        for name in ("glance-s", "glance-delta", "n", "fewer"):
            assert play.is_in_sight(play.by_id(name)), name
        top = play.by_id(seen).rect["y"] - play.driver.execute_script("return scrollY")
        assert 0 < top < 844 / 2
        assert play.by_id("glance-s").text == play.by_id("s").text


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_moves_when_numbers_change(play, width):
    play.open(width)
    tops = """return [...document.querySelectorAll(".explorer :is(section, figure, svg, details)")]
        .map((section) => section.offsetTop + section.offsetHeight)"""
    before = play.driver.execute_script(tops)
    for choice in (
        {"n": 1},
        {"layout": "separate", "step": 70},
        {"tasks": OTHER},
        {"trunk": "own", "step": 1},
    ):
        play.choose(**choice)
        play.driver.execute_async_script(
            "requestAnimationFrame(() => setTimeout(arguments[0], 50))"
        )
        assert play.driver.execute_script(tops) == before
