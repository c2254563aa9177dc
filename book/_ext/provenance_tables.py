"""Fill the page on provenance: what was executed, and what every figure was made from.

`{executed-pages}` lists all pages with code, when they ran and how long.
`{figure-index}` lists all figures with their cell, live or recorded, and their data.
"""

import subprocess
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import executed_cells
import figure_sources
from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[2]


class Table(nodes.General, nodes.Element):
    """Stands for a table until all pages are read."""


class ExecutedPages(SphinxDirective):
    """Place the table of executed pages."""

    def run(self):
        """Leave a place."""
        return [Table(about="pages")]


class FigureIndex(SphinxDirective):
    """Place the table of figures."""

    def run(self):
        """Leave a place."""
        return [Table(about="figures")]


def fill(app, doctree, page):
    """Replace the places by tables."""
    for place in list(doctree.findall(Table)):
        write = {"pages": executed_pages, "figures": figure_index}[place["about"]]
        place.replace_self(nodes.raw("", write(app, page), format="html"))


def executed_pages(app, here):
    """Return the table of executed pages, and the commit that the book was built from."""
    rows = []
    for page in sorted(app.env.found_docs):
        ran = NbMetadataCollector.get_exec_data(app.env, page)
        if not ran:
            continue
        cells = executed_cells.read(app, page)
        when = datetime.fromtimestamp(ran["mtime"], UTC).strftime("%Y-%m-%d %H:%M")
        seconds = "" if ran["runtime"] is None else f"{ran['runtime']:.1f}"
        link = _link(app, here, page, "", app.env.titles[page].astext())
        rows.append([link, when, seconds, str(len(cells))])
    header = ["page", "executed (UTC)", "seconds", "code cells"]
    return f"<p>Built from {escape(commit())}.</p>" + _table(header, rows)


def figure_index(app, here):
    """Return the table of figures."""
    rows = []
    for page in sorted(app.env.found_docs):
        for cell in executed_cells.read(app, page):
            if cell.figure:
                link = _link(app, here, page, f"#{cell.figure}", cell.figure)
                where = _link(app, here, page, f"#{cell.anchor}", f"cell {cell.number}")
                title = escape(app.env.titles[page].astext())
                rows.append([link, f"{title}, {where}", *_made_from(app, here, cell)])
    return _table(["figure", "code", "live or recorded", "data"], rows)


def _made_from(app, here, cell):
    sources = [one for shown in cell.sources for one in shown["sources"]]
    kinds = " and ".join(dict.fromkeys(source["kind"] for source in sources)) or "drawing"
    top = None if app.builder.name == "singlehtml" else "../" * here.count("/")
    return kinds, ", ".join(figure_sources.data_links(cell.page, sources, top))


def commit():
    """Return which commit the checkout is at, and whether it has changes; or that it has none."""
    command = [
        "git",
        "-C",
        str(ROOT),
        "describe",
        "--always",
        "--dirty= with changes",
        "--abbrev=12",
    ]
    try:
        found = subprocess.run(
            command, capture_output=True, encoding="utf-8", check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):  # no git, or an unpacked archive
        return "files that are not under version control"
    return f"commit {found}"


def _link(app, here, page, anchor, text):
    if app.builder.name == "singlehtml":  # made for paper
        return escape(text)
    return f'<a href="{app.builder.get_relative_uri(here, page)}{anchor}">{escape(text)}</a>'


def _table(header, rows):
    head = "".join(f'<th scope="col">{name}</th>' for name in header)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    table = f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="pst-scrollable-table-container">{table}</div>'


def setup(app):
    """Connect to Sphinx."""
    app.add_node(Table)
    app.add_directive("executed-pages", ExecutedPages)
    app.add_directive("figure-index", FigureIndex)
    app.connect("doctree-resolved", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
