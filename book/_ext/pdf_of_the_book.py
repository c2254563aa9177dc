"""Print the whole book as one PDF, and offer it where it was printed.

`make pdf` builds all pages as one (Sphinx's `singlehtml`), which a browser prints. That one page
begins with a title page and the contents; `_static/print.css` says how paper shows it. A book that
is built after it carries the file along: its first page has a button, and `pdf_of_the_book` is the
file's name for whoever else wants to link it, None where there is none.
"""

import re
from pathlib import Path

import yaml
from markupsafe import Markup
from sphinx.util.i18n import format_date

ROOT = Path(__file__).resolve().parents[2]
NAME = "ncnet-companion.pdf"

TITLE_PAGE = Markup("""
<div class="title-page">
<p class="title">{title}</p>
<p>A companion to <em>{paper}</em><br/>by {authors}, <a href="{url}">{identifier}</a></p>
<p>{maker}</p>
<p>Version {version}, printed on {date}<br/>{address}</p>
</div>
""")
# Its captions are no headings: the PDF's outline has the chapters' own.
CONTENTS = Markup('<nav class="book-contents"><p class="title">Contents</p>{}</nav>')


def carry_along(app):
    """Make the PDF, if there is one, a file of the built book."""
    pdf = Path(app.outdir).parent / "pdf" / NAME
    if app.builder.name == "html" and pdf.is_file():
        app.config.html_extra_path.append(str(pdf))
        app.config.pdf_of_the_book = NAME


def add_button(app, pagename, templatename, context, doctree):
    """Put the button first in the header of the first page."""
    if app.config.pdf_of_the_book and pagename == app.config.root_doc:
        button = {"type": "link", "url": app.config.pdf_of_the_book, "icon": "fas fa-book"}
        context["header_buttons"].insert(0, button | {"tooltip": "This book as one PDF"})
        context["pdf_of_the_book"] = app.config.pdf_of_the_book


def prepare_for_print(app, pagename, templatename, context, doctree):
    """Give the one page of the whole book what paper needs."""
    if app.builder.name != "singlehtml":
        return
    contents = CONTENTS.format(Markup(context["toc"].replace(' role="heading"', "")))
    context["body"] = title_page(app.config) + contents + Markup(self_contained(context["body"]))
    context["default_mode"] = "light"


def title_page(config):
    """Return the title page: what the book is, of which paper, by whom, and which edition."""
    software = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    paper = software["references"][0]
    *others, last = [f"{a['given-names']} {a['family-names']}" for a in paper["authors"]]
    return TITLE_PAGE.format(
        title=config.html_title,
        paper=paper["title"],
        authors=f"{', '.join(others)} and {last}",
        url=paper["url"],
        identifier=paper["identifiers"][0]["value"],
        maker=config.author,
        version=software["version"],
        date=format_date("%d %B %Y", language="en"),  # that of SOURCE_DATE_EPOCH, if it is set
        address=config.repository_address or "",
    )


def self_contained(body):
    """Return the page with links into itself that name no file: its own, or one that it holds.

    The file's place on this machine would be printed with them. Entries of the bibliography get
    ids that nothing else has: several pages use `id1`.

    >>> self_contained('<a href="index.html#ncnet.train">train</a>')
    '<a href="#ncnet.train">train</a>'
    >>> self_contained('<a href="verdicts.html#peak-at-3">the peak</a>')
    '<a href="#peak-at-3">the peak</a>'
    >>> self_contained('<a href="index.html#id1">[1]</a> <div class="citation" id="id1">')
    '<a href="#cited-id1">[1]</a> <div class="citation" id="cited-id1">'
    """
    entries = set(re.findall(r'<div class="citation" id="([^"]+)"', body))
    body = re.sub(r'(<div class="citation" id=")', r"\1cited-", body)

    def link(match):
        target = match[1]
        return f'href="#cited-{target}"' if target in entries else f'href="#{target}"'

    return re.sub(r'href="\w+\.html#([^"]+)"', link, body)


def setup(app):
    """Connect to Sphinx."""
    app.add_config_value("pdf_of_the_book", None, "html")
    app.connect("builder-inited", carry_along)
    # after the theme, which sets up the header's buttons at 500 and 501
    app.connect("html-page-context", add_button, priority=502)
    app.connect("html-page-context", prepare_for_print)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
