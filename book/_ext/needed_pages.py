"""Write again the pages that an edit has changed, and no others.

Sphinx reads again what was edited, and writes that. Other pages may show something of an edited
one: a number that it computed, its title, the text of a heading, a definition of the glossary. They
are written again as well. An edit of these extensions or of the templates is one of every page.

What was read before is noted in Sphinx's own folder, `.doctrees`. It may be deleted: all pages are
then read and written again.
"""

from pathlib import Path

import joblib
from sphinx.application import ENV_PICKLE_FILENAME

from ncnet.files import checksum

BOOK = Path(__file__).resolve().parents[1]
CODE = ("_ext/*.py", "_templates/*")
ABOUT_ALL = ("provenance", "references")
"""Pages made of what all others hold, and of the commit that the book is built from. The first page
is written every time, too: it offers the PDF once that was printed."""
DEFINITIONS = "glossary"
SOURCE = "api/"
"""Pages that are read again when the package has changed."""


def digest(book):
    """Return a digest of the extensions and templates of a book."""
    paths = (path for pattern in CODE for path in book.glob(pattern) if path.is_file())
    return checksum(paths, book)


def shown_elsewhere(env, names):
    """Return what other pages may show of these: their titles, and the texts of their labels."""
    titles = {name: env.titles[name].astext() for name in names if name in env.titles}
    labels = env.domaindata["std"]["labels"]
    return titles, {label: entry for label, entry in labels.items() if entry[0] in names}


def note_read(app, env, names):
    """Note what is about to be read, and what other pages show of it so far."""
    env.pages_read = set(names)
    env.shown_before = set(env.titles), shown_elsewhere(env, env.pages_read)


def find_needed(app, env):
    """Return the pages to write: those that were read, and those that show something of them."""
    app.parallel = joblib.cpu_count()  # from here on: reading imports the package, once
    read, unwritten = env.pages_read, getattr(env, "pages_unwritten", set())
    needed = read | unwritten | {app.config.root_doc, *ABOUT_ALL}
    if read:
        now = set(env.found_docs), shown_elsewhere(env, read)
        if now != env.shown_before or DEFINITIONS in read:
            needed |= env.found_docs
        needed |= {name for name in env.found_docs if quoted(env, name) & read}
    # Another builder reads the pages, too, and the book is then behind.
    env.pages_unwritten = set() if app.builder.name == "html" else needed
    return sorted(needed & env.found_docs)


def quoted(env, name):
    """Return the pages whose numbers a page quotes."""
    return env.metadata[name].get("quoted_pages", set())


def leave_source_pages(app):
    """Leave the pages with the package's source as they are while it has not changed.

    To compare them with it Sphinx would import all of it, and torch and transformers with it.
    """
    if not any(name.startswith(SOURCE) for name in app.env.pages_read):
        app.env._viewcode_modules = {}  # of this process: the environment is saved already
    return ()


def forget_after_warnings(app, exception):
    """Forget what was read when something was wrong: a page that was read would not repeat it."""
    if exception is not None or app._warncount:
        (Path(app.doctreedir) / ENV_PICKLE_FILENAME).unlink(missing_ok=True)


def setup(app):
    """Connect to Sphinx."""
    app.add_config_value("code_of_the_book", digest(BOOK), "env", types=str)
    app.connect("env-before-read-docs", note_read)
    app.connect("env-updated", find_needed)
    app.connect("html-collect-pages", leave_source_pages, priority=1)
    app.connect("build-finished", forget_after_warnings)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
