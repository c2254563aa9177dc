"""Write a minus in prose where a number or a difference has a hyphen.

Computed numbers come with a hyphen, as Python prints them. In code, in what code prints and in
formulas it stays.
"""

import re

from docutils import nodes
from sphinx import addnodes

AS_IT_IS = (nodes.literal, nodes.FixedTextElement, nodes.math, nodes.raw, addnodes.desc_signature)
NEGATIVE = r"(?<![^\s(\[])-(?=\d)"
DIFFERENCE = r"(?<=[\dSΔ)\]] )-(?= [\dSΔ(])"
HYPHEN = re.compile(f"{NEGATIVE}|{DIFFERENCE}")


def with_minus(text):
    """Return a text with a minus for each hyphen that is one."""
    return HYPHEN.sub("\N{MINUS SIGN}", text)


def stays(node):
    """Return whether a text stands in code, in output or in a formula."""
    return node is not None and (isinstance(node, AS_IT_IS) or stays(node.parent))


def set_signs(app, doctree, docname):
    """Set the signs of a page."""
    for text in list(doctree.findall(nodes.Text)):
        signed = with_minus(text)
        if signed != text and not stays(text.parent):
            text.parent.replace(text, nodes.Text(signed))


def setup(app):
    """Connect to Sphinx."""
    # Others find a number by what it was when it was computed.
    app.connect("doctree-resolved", set_signs, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
