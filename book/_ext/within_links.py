"""Tell what stands within a link already, whoever made it: a browser takes a link in a link apart.

A link is a reference of Sphinx, or what lies between the tags of raw HTML, which are nodes beside
its text and not around it.
"""

import re

from docutils import nodes

TAG = re.compile(r"<(/?)a\b", re.IGNORECASE)


def within_links(doctree):
    """Return the nodes of a page that stand within a link, as a set of their identities."""
    within, is_open = set(), False
    for node in doctree.findall():
        if is_open or isinstance(node.parent, nodes.reference) or id(node.parent) in within:
            within.add(id(node))
        if isinstance(node, nodes.raw) and "html" in node.get("format", "").split():
            for tag in TAG.finditer(node.astext()):
                is_open = not tag[1]
    return within
