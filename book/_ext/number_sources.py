"""Link every number that a code cell quotes into the text to that cell.

MyST-NB's role `glue:text` leaves plain text behind. Here each such text knows its key, and becomes
a link to the cell that glued it, on whichever page that is. The links are not to be seen until a
button in the page's header marks them (`_static/companion.js`).
"""

from functools import cache

import executed_cells
from docutils import nodes
from myst_nb.ext.glue.roles import PasteTextRole
from myst_nb.ext.glue.utils import PendingGlueReference
from within_links import within_links


class QuotedNumber(PasteTextRole):
    """Makes the role `glue:text` remember its key and page."""

    def run(self):
        """Wrap what the role gives."""
        found, messages = super().run()
        if not found:
            return found, messages
        if isinstance(found[0], PendingGlueReference):
            page, key = found[0].refdoc, found[0].key
            env = self.document.settings.env
            env.metadata[env.docname].setdefault("quoted_pages", set()).add(page)
        else:
            key = self.text.rsplit(":", 1)[0]
            page = self.document.settings.env.docname
        wrapped = nodes.inline("", "", *found, classes=["quoted"], glue_page=page, glue_key=key)
        return [wrapped], messages


def link_numbers(app, doctree, page):
    """Turn the wrapped numbers of a page into links to their cells."""
    if app.builder.name == "singlehtml":  # made for paper
        return
    within = within_links(doctree)
    for number in list(doctree.findall(lambda node: isinstance(node, nodes.inline))):
        if "glue_key" in number and id(number) not in within:
            cell = _cells_by_key(app, number["glue_page"]).get(number["glue_key"])
            if cell is not None:
                number.children = [_link(app, page, cell, number)]


def _link(app, page, cell, number):
    uri = app.builder.get_relative_uri(page, cell.page) + f"#{cell.anchor}"
    link = nodes.reference("", "", *number.children, internal=True, refuri=uri, classes=["quoted"])
    if "landing" not in app.env.metadata[page]:  # where few words stand
        title = f"{number['glue_key']}: code cell {cell.number} of {cell.page.rpartition('/')[2]}"
        link["reftitle"] = title
    link.parent = number
    return link


def add_button(app, pagename, templatename, context, doctree):
    """Put a button that marks all quoted numbers into the header of a page that has any."""
    if doctree is not None and any("quoted" in link["classes"] for link in _links(doctree)):
        button = {"type": "javascript", "javascript": "", "icon": "fas fa-link"}
        button |= {"tooltip": "Show where numbers come from", "classes": "source-button"}
        context["header_buttons"].insert(0, button)


def _links(doctree):
    return doctree.findall(nodes.reference)


@cache
def _by_key(cells):
    return {key: cell for cell in cells for key in cell.glued}


def _cells_by_key(app, page):
    return _by_key(executed_cells.read(app, page))


def setup(app):
    """Connect to Sphinx."""
    app.setup_extension("myst_nb")
    app.add_role_to_domain("glue", "text", QuotedNumber(), override=True)
    app.connect("doctree-resolved", link_numbers)
    # after the theme, which sets up the header's buttons at 500 and 501
    app.connect("html-page-context", add_button, priority=503)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
