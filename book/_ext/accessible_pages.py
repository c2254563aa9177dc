"""Mend what Sphinx and its extensions write and assistive technology stumbles over.

Each mend is for a fault that the tests of the built book found; when it is no longer needed, taking
it out breaks none of them. What the theme's templates write is mended in `book/_templates`.
"""

import re

# The parameters of a long signature stand one a line, in a list of definitions of nothing.
SIGNATURE = re.compile(r'<dl>\n((?:<dd><em class="sig-param">.*</dd>\n)+)</dl>')

# The cell says in words what its summary toggles, and the words change with its state; the label
# hides them from those who listen, and from those who speak to click.
TOGGLE = '<summary aria-label="Toggle hidden content">'

# An entry of a list has to be one: the role that docutils gives it is deprecated for that reason.
ENTRY, LISTED = 'role="doc-biblioentry"', 'role="listitem"'


def mend(body):
    """Return the mended HTML of a page's body.

    >>> mend('<summary aria-label="Toggle hidden content">Show code</summary>')
    '<summary>Show code</summary>'
    """
    return SIGNATURE.sub(as_lines, body).replace(TOGGLE, "<summary>").replace(ENTRY, LISTED)


def as_lines(signature):
    """Return a signature's list of parameters as lines."""
    return signature[1].replace("<dd>", '<div class="sig-line">').replace("</dd>", "</div>")


def mend_page(app, pagename, templatename, context, doctree):
    """Mend the body of a page before it is put into the template."""
    if "body" in context:
        context["body"] = mend(context["body"])


def setup(app):
    """Connect to Sphinx."""
    app.connect("html-page-context", mend_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
