"""Take out of every page what the theme loads and the book does not use.

The theme serves Font Awesome twice: as a font with its style sheet, and as a script of 1.5 MB that
replaces every icon by a drawing and holds the drawings of all two thousand. The font is enough. And
it loads the index of the whole book for a search while typing, which is switched off: the page of
the search loads the index for itself. `book/_templates/layout.html` calls these functions.
"""

import re

from sphinx.errors import ExtensionError

ICONS = re.compile(r'<script defer src="[^"]*/fontawesome\.js[^"]*"></script>')
SEARCH = re.compile(r'<script src="[^"]*\b(?:searchtools|language_data|searchindex)\.js"></script>')


def without_icon_script(head):
    """Return a part of a page's head without the script of icons.

    >>> without_icon_script('<script defer src="a/fontawesome.js?v=1"></script><link>')
    '<link>'
    """
    return cut(ICONS, head, 1)


def without_search_scripts(head, pagename):
    """Return a part of a page's head without the scripts of the search, which only it needs."""
    return head if pagename == "search" else cut(SEARCH, head, 3)


def cut(pattern, head, times):
    """Return `head` without what matches.

    Raises
    ------
    ExtensionError
        If that is not there so many times: the theme has changed, and this extension may not be
        needed.
    """
    lighter, count = pattern.subn("", head)
    if count != times:
        raise ExtensionError(f"light_pages: {count} scripts in a page, and not {times}")
    return lighter


def give_to_template(app, pagename, templatename, context, doctree):
    """Let the template call these functions."""
    context["without_icon_script"] = without_icon_script
    context["without_search_scripts"] = without_search_scripts


def setup(app):
    """Connect to Sphinx."""
    app.connect("html-page-context", give_to_template)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
