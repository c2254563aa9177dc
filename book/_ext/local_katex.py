r"""Show formulas with KaTeX, which comes from `book/_vendor` and not from another host.

Sphinx's own way is MathJax, whose one script is several times as heavy as KaTeX with its fonts.
A formula stands in the page as TeX, in an element of the class `tex`, and is set where it stands,
together with MathML for those who listen to it; copying it copies its TeX. Only pages with formulas
load any of this, and it therefore does not lie in `book/_static`: jupyter-book loads every script
there on every page.

Equations are numbered by Sphinx, which knows what refers to them, and not by KaTeX.
"""

from pathlib import Path

from docutils import nodes
from sphinx.locale import _
from sphinx.util.math import get_node_equation_number, wrap_displaymath

VENDOR = Path(__file__).resolve().parents[1] / "_vendor"

CLASSES = "math notranslate nohighlight"

# A formula that KaTeX cannot read stays as it is, marked for the tests of the book. KaTeX's own
# mark, with `throwOnError: false`, would not be there where only a word is unknown.
RENDER = """
document.addEventListener("DOMContentLoaded", () => {
  for (const formula of document.querySelectorAll(".tex")) {
    try {
      const displayMode = formula.tagName === "DIV";
      formula.innerHTML = katex.renderToString(formula.textContent, { displayMode });
    } catch (error) {
      formula.classList.add("katex-error");
      formula.title = error.message;
    }
  }
});
"""


def visit_inline(translator, node):
    """Write a formula within a line."""
    translator.body.append(translator.starttag(node, "span", "", CLASS=f"{CLASSES} tex"))
    translator.body.append(translator.encode(node.astext()) + "</span>")
    raise nodes.SkipNode


def visit_display(translator, node):
    """Write a formula on lines of its own, and its number if it has one."""
    translator.body.append(translator.starttag(node, "div", CLASS=CLASSES))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, _("Link to this equation"))
        translator.body.append("</span>")
    tex = translator.encode(display_tex(node))
    translator.body.append(f'<div class="tex">{tex}</div></div>\n')
    raise nodes.SkipNode


def display_tex(node):
    r"""Return the TeX of a block: with Sphinx's rules for lines and `&`, or as it is.

    An environment of its own, `\begin{align}`, is `nowrap`.
    """
    if node["nowrap"]:
        return node.astext()
    return wrap_displaymath(node.astext(), label=None, numbering=False)


def copy_katex(app, config):
    """Copy what is vendored into the built book."""
    config.html_static_path.append(str(VENDOR))


def load_katex(app, pagename, templatename, context, doctree):
    """Load KaTeX on pages with formulas."""
    if doctree is None or not any(map(doctree.next_node, (nodes.math, nodes.math_block))):
        return
    app.add_css_file("katex/katex.min.css")
    app.add_js_file("katex/katex.min.js", loading_method="defer")
    app.add_js_file("katex/copy-tex.min.js", loading_method="defer")
    app.add_js_file(None, body=RENDER)


def setup(app):
    """Connect to Sphinx."""
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_display, None))
    app.connect("config-inited", copy_katex)
    app.connect("html-page-context", load_katex)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
