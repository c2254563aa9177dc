"""Give every code cell an address, and show those that a page leaves out at its end, folded.

What a page hides (the cells that quote numbers into the text or write its tables) is what a reader
who doubts a number wants to see.
"""

import executed_cells
from docutils import nodes


def add_anchors(app, doctree):
    """Name the cells that are on the page, and append the code of all others."""
    cells = executed_cells.read(app, app.env.docname)
    by_index = {cell.index: cell for cell in cells}
    for container in doctree.findall(nodes.container):
        if container.get("nb_element") == "cell_code":
            cell = by_index[container["cell_index"]]
            if not cell.hidden:
                container["ids"].append(cell.anchor)
    hidden = [cell for cell in cells if cell.hidden]
    if hidden:
        next(iter(doctree.findall(nodes.section))).extend([code_behind(hidden)])


def code_behind(cells):
    """Return the folded code of these cells."""
    count = f"{len(cells)} code cell{'s' * (len(cells) > 1)}"
    summary = f"{count} behind the numbers and tables of this page"
    opening = f'<details class="code-behind"><summary>{summary}</summary>'
    parts = [nodes.raw("", opening, format="html")]
    for cell in cells:
        block = nodes.literal_block(cell.code, cell.code, language="ipython3")
        caption = nodes.paragraph("", f"Code cell {cell.number}")
        parts.append(nodes.container("", caption, block, ids=[cell.anchor]))
    parts.append(nodes.raw("", "</details>", format="html"))
    return nodes.container("", *parts, classes=["code-behind-the-page"])


def setup(app):
    """Connect to Sphinx."""
    app.connect("doctree-read", add_anchors)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
