"""The glossary: what its hovers link and what they leave, and that its terms are the book's."""

import re
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import jupytext
import pytest
from docutils import nodes
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from sphinx import addnodes

from tests import browser

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
sys.path.append(str(BOOK / "_ext"))  # as jupyter-book does

import glossary_hovers  # noqa: E402
from glossary_hovers import Entry, Matcher  # noqa: E402

ENTRIES = [
    Entry(("capacity",), "term-capacity", "How much it holds."),
    Entry(("critical capacity",), "term-critical", "The one that just does not suffice."),
    Entry(("CHSH statistic", "S"), "term-s", "Three correlators less the fourth."),
    Entry(("Tsirelson's bound",), "term-tsirelson", "The quantum one."),
    Entry(("run",), "term-run", "32 replicas."),
    Entry(("party",), "term-party", "Alice or Bob."),
]


@pytest.fixture
def matcher():
    return Matcher(ENTRIES, only_where_marked=["run"])


def found(matcher, text, **options):
    return [
        (text[start:stop], entry.identifier)
        for (start, stop), entry in matcher.find(text, **options)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Its capacity", [("capacity", "term-capacity")]),
        ("Capacities differ.", [("Capacities", "term-capacity")]),
        ("the critical\ncapacity of", [("critical\ncapacity", "term-critical")]),
        (
            "The party's own, and both parties'",
            [("party", "term-party"), ("parties", "term-party")],
        ),
        ("Tsirelson\u2019s bound", [("Tsirelson\u2019s bound", "term-tsirelson")]),
        ("S > 2 and CHSH statistics", [("S", "term-s"), ("CHSH statistics", "term-s")]),
        ("Ctrl+S, overcapacity, capacity-wise, non-party, s, SST, run, tsirelson's bound", []),
    ],
)
def test_what_is_found_in_text(matcher, text, expected):
    assert found(matcher, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("runs", ["runs"]), ("Run", ["Run"]), ("run it", []), ("prerun", [])]
)
def test_an_everyday_word_counts_only_where_it_is_marked(matcher, text, expected):
    assert not found(matcher, text)
    assert [word for word, _ in found(matcher, text, in_italics=True)] == expected


def paragraph(*parts):
    return nodes.paragraph("", "", *(nodes.Text(p) if isinstance(p, str) else p for p in parts))


def page(*parts):
    return nodes.section("", *parts)


def links(doctree):
    return [
        (link.astext(), link["refuri"]) for link in doctree.findall(glossary_hovers.definition_link)
    ]


def test_only_the_first_use_is_linked_and_the_text_stays(matcher):
    doctree = page(paragraph("The capacity of a party: S."), paragraph("Capacities, S, parties."))
    before = doctree.astext()
    glossary_hovers.link(doctree, matcher, "glossary.html")
    assert links(doctree) == [
        ("capacity", "glossary.html#term-capacity"),
        ("party", "glossary.html#term-party"),
        ("S", "glossary.html#term-s"),
    ]
    assert doctree.astext() == before
    definitions = [link["definition"] for link in doctree.findall(glossary_hovers.definition_link)]
    assert definitions[0] == "How much it holds."


def test_each_section_has_its_first_use_linked(matcher):
    below = page(paragraph("S"), page(paragraph("S within it")))
    doctree = page(paragraph("S, S"), below, page(paragraph("S and capacity")))
    glossary_hovers.link(doctree, matcher, "glossary.html")
    assert [text for text, _ in links(doctree)] == ["S", "S", "S", "capacity"]


def test_italics_mark_an_everyday_word(matcher):
    doctree = page(paragraph("A run. A ", nodes.emphasis("", "run"), " is a group."))
    glossary_hovers.link(doctree, matcher, "glossary.html")
    assert links(doctree) == [("run", "glossary.html#term-run")]
    assert isinstance(next(doctree.findall(glossary_hovers.definition_link)).parent, nodes.emphasis)


@pytest.mark.parametrize(
    "part",
    [
        nodes.title("", "Capacity"),
        nodes.literal_block("", "capacity"),
        paragraph(nodes.literal("", "capacity")),
        paragraph(nodes.reference("", "capacity", refuri="x.html")),
        paragraph(nodes.math("", "capacity")),
        paragraph(nodes.inline("", "capacity", classes=["pasted-text"])),
        nodes.figure("", nodes.caption("", "capacity")),
        nodes.container("", paragraph("capacity"), classes=["cell_output"]),
        nodes.definition_list_item("", nodes.term("", "capacity")),
        nodes.rubric("", "capacity"),
    ],
    ids=lambda part: part.pformat().replace("\n", " "),
)
def test_what_is_not_prose_stays_as_it_is(matcher, part):
    doctree = page(part)
    glossary_hovers.link(doctree, matcher, "glossary.html")
    assert not links(doctree)


@pytest.mark.parametrize("container", [nodes.list_item, nodes.entry, nodes.note, nodes.strong])
def test_what_is_prose_is_linked(matcher, container):
    inner = nodes.strong("", "capacity") if container is nodes.strong else nodes.Text("capacity")
    part = paragraph(inner) if container is nodes.strong else container("", paragraph(inner))
    doctree = page(part)
    glossary_hovers.link(doctree, matcher, "glossary.html")
    assert len(links(doctree)) == 1


def test_a_marked_term_is_dressed_everywhere():
    def role(text, **target):
        inner = nodes.inline("", text, classes=["xref", "std", "std-term"])
        return nodes.reference("", "", inner, internal=True, **target)

    doctree = page(
        paragraph(role("runs", refuri="glossary.html#term-run")),
        paragraph(role("capacity", refid="term-capacity")),
        paragraph(nodes.reference("", "elsewhere", refuri="glossary.html#term-run")),
    )
    glossary_hovers.add_definitions(doctree, ENTRIES)
    dressed = list(doctree.findall(glossary_hovers.definition_link))
    assert [link["definition"] for link in dressed] == ["32 replicas.", "How much it holds."]
    assert dressed[1]["refid"] == "term-capacity"


def raw(html):
    return nodes.raw("", html, format="html")


def by_role(text):
    inner = nodes.inline("", text, classes=["xref", "std", "std-term"])
    return nodes.reference("", "", inner, internal=True, refuri="glossary.html#term-run")


@pytest.mark.parametrize(
    "link",
    [
        lambda inner: [nodes.reference("", "", inner, refuri="x.html")],
        lambda inner: [nodes.reference("", "", nodes.strong("", "", inner), refuri="x.html")],
        lambda inner: [raw('<a href="x.html">'), inner, raw("</a>")],
        lambda inner: [raw('<A\nHREF="x"><b>'), nodes.emphasis("", "", inner), raw("</b></A>")],
        lambda inner: [raw('<a href="x"></a><a href="y">'), inner, raw("</a>")],
    ],
)
@pytest.mark.parametrize("inner", [nodes.Text("a run's capacity"), by_role("runs of capacity")])
def test_no_term_is_linked_within_a_link(matcher, link, inner):
    doctree = page(paragraph(*link(inner.deepcopy())), paragraph("Capacity."))
    before = doctree.astext()
    glossary_hovers.add_definitions(doctree, ENTRIES)
    glossary_hovers.link(doctree, matcher, "glossary.html")
    assert [text for text, _ in links(doctree)] == ["Capacity"]
    assert doctree.astext() == before
    assert not [
        reference
        for reference in doctree.findall(nodes.reference)
        if isinstance(reference.next_node(nodes.reference), nodes.reference)
    ]


def test_what_follows_a_link_of_raw_html_is_linked(matcher):
    doctree = page(paragraph(raw("<abbr>"), "S", raw("</abbr> <a>x</a>"), ": capacity"))
    glossary_hovers.link(doctree, matcher, "glossary.html")
    assert [text for text, _ in links(doctree)] == ["S", "capacity"]


def test_a_term_that_is_marked_first_is_not_linked_again(matcher):
    term = nodes.inline("", "S", classes=["xref", "std", "std-term"])
    reference = nodes.reference("", "", term, internal=True, refuri="glossary.html#term-s")
    doctree = page(paragraph(reference), paragraph("S and capacity"))
    glossary_hovers.add_definitions(doctree, ENTRIES)
    glossary_hovers.link(doctree, matcher, "glossary.html")
    assert [text for text, _ in links(doctree)] == ["S", "capacity"]


def test_entries_are_read_from_the_page():
    first, second = (
        nodes.definition_list_item(
            "",
            *(nodes.term("", text, ids=[f"term-{text}"]) for text in terms),
            nodes.definition("", paragraph("One\nline."), paragraph("More.")),
        )
        for terms in (["S", "statistic"], ["run"])
    )
    glossary = addnodes.glossary("", nodes.definition_list("", first, second))
    assert glossary_hovers.read(page(glossary)) == [
        Entry(("S", "statistic"), "term-S", "One line."),
        Entry(("run",), "term-run", "One line."),
    ]


@pytest.mark.parametrize(
    ("builder", "name", "expected"),
    [
        ("html", "signalling", True),
        ("html", "api/chsh", False),
        ("html", "glossary", False),
        ("singlehtml", "signalling", False),
    ],
)
def test_which_pages_have_links(builder, name, expected):
    item = nodes.definition_list_item(
        "",
        nodes.term("", "capacity", ids=["term-capacity"]),
        nodes.definition("", paragraph("How much it holds.")),
    )
    glossary = page(addnodes.glossary("", nodes.definition_list("", item)))
    env = SimpleNamespace(
        found_docs={"glossary"}, get_doctree=lambda _: glossary, metadata={"glossary": {}}
    )
    writer = SimpleNamespace(
        format="html", name=builder, get_relative_uri=lambda _, to: f"{to}.html"
    )
    doctree = page(paragraph("Its capacity."))
    glossary_hovers.add_links(SimpleNamespace(builder=writer, env=env), doctree, name)
    assert bool(links(doctree)) is expected


# The book's own glossary, as it is written.

TEXT = (BOOK / "glossary.md").read_text(encoding="utf-8")
TERMS = [
    line
    for block in re.findall(r"```\{glossary\}\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line and not line.startswith(" ")
]


def prose():
    """Yield the text of each page beside the glossary, without its code."""
    for path in sorted(BOOK.rglob("*.md")):
        if "_build" not in path.parts and path.name != "glossary.md":
            text = path.read_text(encoding="utf-8")
            yield re.sub(r"^```\{code-cell\}.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    for path in sorted((ROOT / "notebooks").glob("*.py")):
        cells = jupytext.read(path).cells
        yield "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def test_no_term_is_defined_twice():
    assert [term for term, count in Counter(map(str.lower, TERMS)).items() if count > 1] == []


def test_every_term_is_used_in_the_book():
    entries = [Entry((term,), term, "") for term in TERMS]
    matcher = Matcher(entries)
    used = {entry.identifier for text in prose() for _, entry in matcher.find(text)}
    assert [term for term in TERMS if term not in used] == []


def test_every_everyday_word_is_a_term():
    everyday = re.search(r"^only_where_marked: (.*)$", TEXT, re.MULTILINE)[1]
    assert [word for word in everyday.split(", ") if word not in TERMS] == []


def test_definitions_are_short_and_plain():
    """A hover shows text alone: no roles, no formulas, at most three sentences."""
    for block in re.findall(r"```\{glossary\}\n(.*?)```", TEXT, re.DOTALL):
        for definition in re.findall(r"^\S.*\n((?:  .*\n)+)", block, re.MULTILINE):
            assert not re.search(r"[{}$]", definition), definition
            sentences = re.findall(r"[.?](?:\s|$)", definition)
            assert 1 <= len(sentences) <= 3, definition


@pytest.mark.slow
@browser.needs_browser
@browser.needs_book
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_definition_shows_on_focus_and_fits(width, scheme, tmp_path):
    show = """
        const link = document.querySelector("article .glossary-term > a");
        link.scrollIntoView({block: "center"});
        const hidden = getComputedStyle(link, "::after").content;
        link.focus();
        const card = getComputedStyle(link, "::after");
        return [hidden, card.content, link.getAttribute("aria-description"),
                document.documentElement.scrollWidth, innerWidth];
    """
    with browser.chrome(tmp_path) as driver:
        browser.emulate(driver, width=width, scheme=scheme)
        driver.get((browser.HTML / "ten_minutes.html").as_uri())
        hidden, content, definition, page_width, window = driver.execute_script(show)
    assert hidden == "none"
    assert definition in content
    assert page_width <= window


TERM = "article .glossary-term > a"
MIDDLE = f"""
    const link = document.querySelector("{TERM}");
    link.scrollIntoView({{block: "center"}});
    const box = link.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
"""
SHOWN = f"""
    const link = document.querySelector("{TERM}");
    return getComputedStyle(link, "::after").content !== "none";
"""


@pytest.mark.slow
@browser.needs_browser
@browser.needs_book
def test_escape_closes_a_definition_until_the_term_is_left(tmp_path):
    display = f"""
        const link = document.querySelector("{TERM}");
        return getComputedStyle(link, "::after").display;
    """
    with browser.chrome(tmp_path) as driver:
        browser.emulate(driver, width=1280, scheme="light")
        driver.get((browser.HTML / "ten_minutes.html").as_uri())
        term, other = driver.find_elements(By.CSS_SELECTOR, TERM)[:2]
        driver.execute_script("arguments[0].focus()", term)
        assert driver.execute_script(display) == "block"
        term.send_keys(Keys.ESCAPE)
        assert driver.execute_script(display) == "none"
        driver.execute_script("arguments[1].focus(); arguments[0].focus()", term, other)
        assert driver.execute_script(display) == "block"


@pytest.mark.slow
@browser.needs_browser
@browser.needs_book
def test_a_first_tap_shows_the_definition_and_a_second_follows_the_link(tmp_path):
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    with browser.chrome(tmp_path) as driver:
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
        driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
        driver.get((browser.HTML / "ten_minutes.html").as_uri())

        def tap():
            x, y = driver.execute_script(MIDDLE)
            for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
                event = {"type": kind, "touchPoints": points}
                driver.execute_cdp_cmd("Input.dispatchTouchEvent", event)

        tap()
        WebDriverWait(driver, 10).until(lambda driver: driver.execute_script(SHOWN))
        assert driver.current_url.endswith("ten_minutes.html")
        tap()
        WebDriverWait(driver, 10).until(lambda driver: "glossary.html#" in driver.current_url)


@pytest.mark.slow
@browser.needs_browser
@browser.needs_book
def test_a_screen_reader_reads_the_term_and_then_the_definition_once(tmp_path):
    with browser.chrome(tmp_path) as driver:
        driver.get((browser.HTML / "ten_minutes.html").as_uri())
        link = driver.find_element(By.CSS_SELECTOR, TERM)
        driver.execute_script("arguments[0].focus()", link)
        tree = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        focused = [
            node
            for node in tree
            if node["role"]["value"] == "link"
            and {"name": "focused", "value": {"type": "booleanOrUndefined", "value": True}}
            in node.get("properties", [])
        ]
        assert [node["name"]["value"] for node in focused] == [link.text]
        assert focused[0]["description"]["value"] == link.get_attribute("aria-description")
