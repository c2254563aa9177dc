"""Say under each figure where it comes from, and offer its data as files.

`ncnet.sources.show` leaves the data of a figure, and what made them, in the executed notebook. From
there comes the line under the figure: its code cell, live or recorded, parameters, and links to
the data; of a recorded table its seed, checksum, commit and command. The files lie in `data/` of
the built book: live ones by page, recorded ones as CSV and as the parquet and provenance that
`results/` has.
"""

import base64
import json
from collections import Counter
from functools import cache
from html import escape
from pathlib import Path

import executed_cells
from docutils import nodes
from sphinx.util import logging

from ncnet import results
from ncnet.sources import formats, short_commit

LOGGER = logging.getLogger(__name__)
FOLDER = "data"


class SourceLine(nodes.General, nodes.Element):
    """Stands under a figure until the builder, and with it the way to the files, is known."""


def place_lines(app, doctree):
    """Put a line under the figures and other results of cells whose code the page does not show."""
    by_index = {cell.index: cell for cell in executed_cells.read(app, app.env.docname)}
    for container in list(doctree.findall(nodes.container)):
        if container.get("nb_element") != "cell_code":
            continue
        cell = by_index[container["cell_index"]]
        figures = list(container.findall(nodes.figure))
        if figures:
            figures[-1].append(
                nodes.legend("", SourceLine(page=cell.page, cell_number=cell.number))
            )
        elif cell.hidden or cell.sources:
            container.append(SourceLine(page=cell.page, cell_number=cell.number))


def write_lines(app, doctree, page):
    """Replace the places by lines, now that links can be made."""
    for place in list(doctree.findall(SourceLine)):
        cell = executed_cells.read(app, place["page"])[place["cell_number"] - 1]
        linked = app.builder.name != "singlehtml"  # which is made for paper
        text = line(cell, "../" * page.count("/") if linked else None)
        place.replace_self(nodes.raw("", text, format="html"))


def line(cell, top):
    """Return the line about one cell; `top` leads to the root of the book, None: no links."""
    sources = [source for shown in cell.sources for source in shown["sources"]]
    where = f"code cell {cell.number}"
    parts = [f"Source: {where}" if top is None else f'Source: <a href="#{cell.anchor}">{where}</a>']
    if sources:
        parts.append(" and ".join(dict.fromkeys(source["kind"] for source in sources)))
        parts.append("data: " + ", ".join(data_links(cell.page, sources, top)))
    elif cell.figure:
        parts.append("a drawing, no data")
    return f'<div class="source-line"><p>{" · ".join(parts)}</p>{_details(cell, top)}</div>'


def data_links(page, sources, top):
    """Return a link to the file of each source; its name alone where `top` is None."""
    files = files_of(page, sources)
    if top is None:
        return [escape(name) for name, _ in files]
    return [f'<a href="{top}{path}" download>{escape(name)}</a>' for name, path in files]


def files_of(page, sources):
    """Return a label and the path of each source's file; twins are told apart."""
    files = [(*file_of(page, source), source["kind"]) for source in sources]
    names = Counter(name for name, _, _ in dict.fromkeys(files))
    return [
        (f"{name} ({kind})" if names[name] > 1 else name, path)
        for name, path, kind in dict.fromkeys(files)
    ]


def file_of(page, source):
    """Return the name of a source's file and where it lies in the built book."""
    if source["kind"] == "recorded":
        name, suffix = source["result"], recorded_formats(source["result"])[0]
        return f"{name}.{suffix}", recorded_path(name, suffix)
    return source["file"], live_path(page, source["file"])


def _details(cell, top):
    rows = [_live_row(shown) for shown in cell.sources if "parameters" in shown]
    for shown in cell.sources:
        names = [one["result"] for one in shown["sources"] if one["kind"] == "recorded"]
        rows += [_recorded_row(name, top) for name in names]
    if not rows:
        return ""
    summary = "<summary>parameters and provenance</summary>"
    return f"<details>{summary}<ul>{''.join(dict.fromkeys(rows))}</ul></details>"


def _live_row(shown):
    given = ", ".join(f"{name} = {json.dumps(v)}" for name, v in shown["parameters"].items())
    given = f" with <code>{escape(given)}</code>" if given else ""
    return f"<li>live: computed when this page was built{given}</li>"


def _recorded_row(name, top):
    result = results.load(name)
    provenance = result.provenance
    seed = provenance["parameters"].get("seed")
    seeded = "" if seed is None else f", seed {json.dumps(seed)}"
    known = "" if provenance["commit"] is None else f"commit {_code(short_commit(provenance))}, "
    row = (
        f"{_code(name)}: {escape(str(result))}{seeded}; "
        f"{known}parquet {_code(provenance['checksum'][:12])}; {_code(provenance['command'])}"
    )
    if top is not None:
        links = [
            f'<a href="{top}{recorded_path(name, suffix)}" download>{suffix}</a>'
            for suffix in recorded_formats(name)
        ]
        row += f" ({', '.join(links)})"
    return f"<li>{row}</li>"


def _code(text):
    return f"<code>{escape(text)}</code>"


@cache
def recorded_formats(name):
    """Return the suffixes of the files of a recorded table."""
    return formats(results.load(name))


def live_path(page, file):
    """Return where the live data of a page lie in the built book."""
    return f"{FOLDER}/{page.rpartition('/')[2]}/{file}"


def recorded_path(name, suffix):
    """Return where a recorded table lies in the built book."""
    return f"{FOLDER}/recorded/{name}.{suffix}"


def write_files(app, exception):
    """Write the data of all figures, and all recorded tables, into the built book."""
    if exception is not None or app.builder.name == "singlehtml":
        return
    top = Path(app.outdir)
    contents = {}
    for page in sorted(app.env.found_docs):
        for cell in executed_cells.read(app, page):
            for source in (one for shown in cell.sources for one in shown["sources"]):
                if source["kind"] == "live":
                    path = live_path(page, source["file"])
                    content = base64.b64decode(source["content"])
                    if contents.setdefault(path, content) != content:
                        LOGGER.warning("two figures of %s have other data named %s", page, path)
    for path in sorted(results.FOLDER.rglob("*.json")):
        name = path.relative_to(results.FOLDER).with_suffix("").as_posix()
        for suffix in recorded_formats(name):
            file = path.with_suffix(f".{suffix}")
            content = file.read_bytes() if file.exists() else _csv(name)
            contents[recorded_path(name, suffix)] = content
    for path, content in contents.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(content)


def _csv(name):
    return results.load(name).table.to_csv(index=False).encode()


def setup(app):
    """Connect to Sphinx."""
    app.add_node(SourceLine)
    app.connect("doctree-read", place_lines)
    app.connect("doctree-resolved", write_lines)
    app.connect("build-finished", write_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
