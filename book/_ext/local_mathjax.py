"""Show formulas without asking another host: MathJax comes from `book/_vendor`, not from a CDN.

The script cannot lie in `book/_static`: jupyter-book loads every script there on every page, and
this one is 2 MB that only pages with formulas need.
"""

from pathlib import Path

VENDOR = Path(__file__).resolve().parents[1] / "_vendor"


def use_local_mathjax(app, config):
    """Copy the vendored MathJax into the built book and load it from there."""
    config.html_static_path.append(str(VENDOR))
    config.mathjax_path = "mathjax/tex-svg-full.js"


def setup(app):
    """Connect to Sphinx."""
    app.connect("config-inited", use_local_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
