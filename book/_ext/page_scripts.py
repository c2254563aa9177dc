"""Give the interactive pages their scripts and style sheets, each page its own.

They lie outside `book/_static`, where jupyter-book would load them on every page.
"""

import shutil
from pathlib import Path

import explorer_data

BOOK = Path(__file__).resolve().parents[1]
SOURCES = BOOK / "_interactive"
DATA = "explorer/data.js"
"""The script that is not there but made: from the recorded tables."""
PAGES = {
    "play": (
        "shared/page.css",
        "explorer/play.css",
        "shared/page.js",
        "shared/axes.js",
        "shared/waterfall.js",
        "explorer/explorer.js",
        DATA,
        "explorer/games.js",
        "explorer/tables.js",
        "explorer/reports.js",
        "explorer/statistics.js",
        "explorer/network.js",
        "explorer/examples.js",
        "explorer/stories.js",
        "explorer/state.js",
        "explorer/controls.js",
        "explorer/truth_tables.js",
        "explorer/dial.js",
        "explorer/numbers.js",
        "explorer/planes.js",
        "explorer/charts.js",
        "explorer/atlas.js",
        "explorer/tour_steps.js",
        "explorer/tour.js",
        "explorer/play.js",
    ),
    "your_table": (
        "shared/page.css",
        "report/report.css",
        "shared/page.js",
        "shared/axes.js",
        "shared/waterfall.js",
        "report/your_table.js",
        "report/text.js",
        "report/reading.js",
        "report/columns.js",
        "report/tables.js",
        "report/betting.js",
        "report/resampling.js",
        "report/statistics.js",
        "report/words.js",
        "report/picture.js",
        "report/answer.js",
        "report/hints.js",
        "report/example.js",
        "report/choose.js",
    ),
}
"""Style sheets, and scripts in the order in which they are loaded."""


def note_sources(app, docname, _source):
    """Let Sphinx read a page anew when a script or a table of it has changed."""
    for name in PAGES.get(docname, ()):
        paths = explorer_data.recorded() if name == DATA else [SOURCES / name]
        for path in paths:
            app.env.note_dependency(str(path))
    if docname in PAGES:
        for fragment in SOURCES.rglob("*.html"):
            app.env.note_dependency(str(fragment))


def add_scripts(app, pagename, templatename, context, doctree):
    """Write a page's scripts beside it and load them there, once the page has been parsed."""
    for name in PAGES.get(pagename, ()):
        copy = Path(app.outdir) / "_static" / "interactive" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if name == DATA:
            copy.write_text(explorer_data.data_script(), encoding="utf-8")
        else:
            shutil.copyfile(SOURCES / name, copy)
        if copy.suffix == ".css":
            app.add_css_file(f"interactive/{name}")
        else:
            app.add_js_file(f"interactive/{name}", loading_method="defer")


def setup(app):
    """Connect to Sphinx."""
    app.connect("source-read", note_sources)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
