"""Link the first use of a glossary term in a section to its entry, with the definition at hand.

The page `glossary` is the only source: its entries, and in its front matter the terms that are
everyday words as well (`only_where_marked`). Those are linked only where their sense is certain:
where a page marks them by the role `term`, or has the word alone in italics. All other terms are
linked wherever they first stand in running text, in a list or in a table, and nowhere within
another link. A section is one right below the page's title, with all that is in it: readers arrive
there by a link, and not from above.

A link carries the first paragraph of its entry as the attribute `aria-description`. Screen readers
read it after the link, and `_static/glossary.css` shows it on hover, on focus and on a tap: no
script is needed, and nobody hears it twice.
"""

import re
from collections import defaultdict
from dataclasses import dataclass

from docutils import nodes
from sphinx import addnodes
from within_links import within_links

PAGE = "glossary"
WITHOUT_LINKS = (PAGE, "index", "references", "api/", "_modules/")
"""Pages, by the beginning of their names, that are left as they are: reference, and the first page,
which is to be seen at a glance."""
NOT_PROSE = (
    nodes.FixedTextElement,
    nodes.Titular,
    nodes.caption,
    nodes.legend,
    nodes.literal,
    nodes.math,
    nodes.raw,
    nodes.term,
    addnodes.desc_signature,
    addnodes.toctree,
)
NOT_PROSE_CLASSES = {"cell_input", "cell_output", "pasted-text", "sd-summary-title"}
"""Code, what code has printed, numbers from elsewhere in the text, titles of what is folded."""
CURLED = "\N{RIGHT SINGLE QUOTATION MARK}"
"""What Sphinx makes of an apostrophe."""


class definition_link(nodes.reference):  # noqa: N801 - nodes have lower-case names
    """A link to an entry of the glossary that carries the definition."""


@dataclass(frozen=True)
class Entry:
    """One entry of the glossary.

    Attributes
    ----------
    terms
        What is defined: a word or phrase and, perhaps, others for the same.
    identifier
        Where the page has it.
    definition
        Its first paragraph, as text.
    """

    terms: tuple[str, ...]
    identifier: str
    definition: str


def read(page):
    """Return the entries of the glossary's page, in its order."""
    items = [
        item
        for glossary in page.findall(addnodes.glossary)
        for item in glossary.findall(nodes.definition_list_item)
    ]
    return [_entry(item) for item in items]


def _entry(item):
    terms = list(item.findall(nodes.term))
    definition = next(item.findall(nodes.definition))
    return Entry(
        terms=tuple(term.astext() for term in terms),
        identifier=terms[0]["ids"][0],
        definition=" ".join(definition[0].astext().split()),
    )


def plural(term):
    """Return the plural of a term's last word.

    >>> [plural(term) for term in ("party", "classical bound", "bias", "hypothesis", "two-way")]
    ['parties', 'classical bounds', 'biases', 'hypotheses', 'two-ways']
    """
    if term.endswith("sis"):
        return f"{term[:-2]}es"
    if re.search("[^aeiou]y$", term):
        return f"{term[:-1]}ies"
    return f"{term}{'es' if re.search('(s|x|ch|sh)$', term) else 's'}"


class Matcher:
    """Finds the terms of a glossary in text.

    Parameters
    ----------
    entries
        What `read` returns.
    only_where_marked
        Terms that are everyday words as well.
    """

    def __init__(self, entries, only_where_marked=()):
        self.only_where_marked = set(only_where_marked)
        self.of_form = {}
        for entry in entries:
            for term in entry.terms:
                for form in (term, plural(term)):
                    self.of_form.setdefault(_plain(form), (term, entry))
        # The longest comes first, so that a term within another one does not win.
        forms = "|".join(map(_pattern, sorted(self.of_form, key=len, reverse=True)))
        self.pattern = re.compile(rf"(?<![\w+-])(?:{forms})(?![\w-])")

    def find(self, text, in_italics=False):
        """Yield the place and the entry of each term in a text, from left to right.

        Parameters
        ----------
        text
            What a text node holds.
        in_italics
            Whether it stands in italics: then an everyday word counts that is all of it.
        """
        for match in self.pattern.finditer(text):
            term, entry = self._named(match.group())
            if term not in self.only_where_marked or (in_italics and match.group() == text.strip()):
                yield match.span(), entry

    def _named(self, text):
        text = _plain(text)
        return self.of_form.get(text) or self.of_form[text[0].lower() + text[1:]]


def _plain(text):
    return " ".join(text.replace(CURLED, "'").split())


def _pattern(form):
    """Return a pattern for a form as it may stand in a sentence: first, or across two lines."""
    first, rest = form[0], form[1:]
    first = f"[{first}{first.upper()}]" if first.islower() else re.escape(first)
    return first + re.escape(rest).replace(r"\ ", r"\s+").replace("'", f"['{CURLED}]")


def link(doctree, matcher, address):
    """Link the first use of each entry in each section of a resolved page, in place.

    Parameters
    ----------
    doctree
        The page; links that it has already count.
    matcher
        The `Matcher` of the glossary.
    address
        Where the glossary is, as seen from the page.
    """
    in_section, within = defaultdict(set), within_links(doctree)
    for node in list(doctree.findall()):
        linked = in_section[_section(node)]
        if isinstance(node, definition_link):
            linked.add(node["identifier"])
        elif isinstance(node, nodes.Text) and id(node) not in within and _is_prose(node):
            parts = _parts(node, matcher, linked, address)
            node.parent.replace(node, [part for part in parts if part.astext()])


def _section(node):
    """Return the identity of the section that a node is in, None above the first of a page."""
    around = []
    while node is not None:
        if isinstance(node, nodes.section):
            around.append(id(node))
        node = node.parent
    return around[-2] if len(around) > 1 else None


def _parts(text, matcher, linked, address):
    """Yield a text in parts, links among them; the entries that these are to become `linked`."""
    end = 0
    for (start, stop), entry in matcher.find(text, isinstance(text.parent, nodes.emphasis)):
        if entry.identifier not in linked:
            linked.add(entry.identifier)
            yield nodes.Text(text[end:start])
            uri = f"{address}#{entry.identifier}"
            yield _link(text[start:stop], entry, refuri=uri)
            end = stop
    yield nodes.Text(text[end:])


def _is_prose(text):
    """Return whether a text stands in a paragraph, and in nothing there that is not prose."""
    node, in_paragraph = text.parent, False
    while node is not None:
        if isinstance(node, NOT_PROSE) or not NOT_PROSE_CLASSES.isdisjoint(_classes(node)):
            return False
        in_paragraph = in_paragraph or isinstance(node, nodes.paragraph)
        node = node.parent
    return in_paragraph


def _classes(node):
    return node.get("classes", [])


def _link(text, entry, **target):
    described = {"identifier": entry.identifier, "definition": entry.definition}
    return definition_link("", text, internal=True, **described, **target)


def add_definitions(doctree, entries):
    """Give the links of the role `term` in a resolved page the definition too, in place.

    Within another link the term stays as text.
    """
    by_target = {entry.identifier: entry for entry in entries}
    within = within_links(doctree)
    for reference in list(doctree.findall(nodes.reference)):
        target = reference.get("refid") or reference.get("refuri", "").partition("#")[2]
        if "std-term" not in {name for node in reference.children for name in _classes_of(node)}:
            continue
        if id(reference) in within:
            reference.replace_self(nodes.Text(reference.astext()))
        else:
            _dress(reference, by_target[target])


def _classes_of(node):
    return _classes(node) if isinstance(node, nodes.Element) else []


def _dress(reference, entry):
    target = {name: reference[name] for name in ("refid", "refuri") if name in reference}
    reference.replace_self(_link(reference.astext(), entry, **target))


def visit_definition_link(translator, node):
    """Open a link whose wrapper a tap can focus, so that it shows the definition first."""
    address = node.get("refuri") or f"#{node['refid']}"
    attributes = {"href": address, "aria-description": node["definition"]}
    translator.body.append('<span class="glossary-term" tabindex="-1">')
    translator.body.append(translator.starttag(node, "a", "", **attributes))


def depart_definition_link(translator, node):
    """Close it."""
    translator.body.append("</a></span>")


def add_links(app, doctree, docname):
    """Link the terms of a page that is about to be written."""
    # One page that holds all others has each term linked once: by the role.
    if app.builder.format != "html" or app.builder.name == "singlehtml":
        return
    if PAGE not in app.env.found_docs:
        return
    entries = read(app.env.get_doctree(PAGE))
    add_definitions(doctree, entries)
    if not docname.startswith(WITHOUT_LINKS):
        everyday = app.env.metadata[PAGE].get("only_where_marked", "")
        matcher = Matcher(entries, re.split(r",\s*", everyday))
        link(doctree, matcher, app.builder.get_relative_uri(docname, PAGE))


def setup(app):
    """Connect to Sphinx."""
    app.add_node(definition_link, html=(visit_definition_link, depart_definition_link))
    app.connect("doctree-resolved", add_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
