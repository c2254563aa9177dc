"""Offer each notebook with the results that its page shows, beside the plain one.

The theme's menu of downloads has the plain notebook; it gets an entry for the other, which is put
together from the execution cache. (MyST-NB leaves notebooks in `jupyter_execute`, but without
results where those came from the cache.)
"""

from pathlib import Path

import nbformat
from jupyter_cache import get_cache

FOLDER = "_executed"


def add_entry(app, pagename, templatename, context, doctree):
    """List the executed notebook after the plain one."""
    if context.get("page_source_suffix") != ".ipynb":
        return
    entry = {
        "type": "link",
        "url": context["pathto"](f"{FOLDER}/{pagename}.ipynb", 1),
        "text": "with results",
        "icon": "fas fa-file-circle-check",
        "tooltip": "Download the notebook with its results",
        "label": "download-executed-button",
    }
    for group in context["header_buttons"]:
        if group.get("label") == "download-buttons":
            group["buttons"].insert(1, entry)


def write_notebooks(app, exception):
    """Write the executed notebooks into the built book."""
    if exception or app.builder.name != "html":
        return
    cache = get_cache(app.config.nb_execution_cache_path)
    for name in app.env.found_docs:
        path = Path(app.env.doc2path(name))
        if path.suffix == ".ipynb":
            _, executed = cache.merge_match_into_notebook(nbformat.read(path, as_version=4))
            target = Path(app.outdir) / FOLDER / f"{name}.ipynb"
            target.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(executed, target)


def setup(app):
    """Connect to Sphinx."""
    # after the theme, which sets up the header's buttons at 500 and 501
    app.connect("html-page-context", add_entry, priority=502)
    app.connect("build-finished", write_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
