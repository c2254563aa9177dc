"""Link pages to their source and notebooks to Binder, once the repository has a public address.

The address is written nowhere. It comes from the variable `NCNET_REPOSITORY_URL`, from the
continuous integration that builds the book, or from the git remote `origin`, in this order.
While none of them names a repository on a known forge, no page has such a button, and the command
that installs from the repository leaves its address to the reader, as in the README.
"""

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import quote

from sphinx.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "NCNET_REPOSITORY_URL"
INSTALL = 'pip install "ncnet[report] @ git+ADDRESS"'
UNKNOWN = f"{INSTALL}  # ADDRESS: of this repository"
"""What pages and the README say, whatever the address is."""

# Any other git server would need its own way of addressing a file, and Binder may not reach it.
ADDRESS = re.compile(
    r"(?:(?:https?|ssh)://(?:[^@/]*@)?|[^@/:]+@)"  # a scheme, perhaps with credentials, or user@
    r"(github\.com|gitlab\.com)(?::\d+)?[:/]"
    r"([\w.][\w.-]*(?:/[\w.][\w.-]*)+)"
)

# The default branch, whatever its name. A commit would be more exact, but the one being built
# may not be public yet.
REF = "HEAD"


def public_address(text):
    """Return the https address of a repository, without credentials; None if it is not public.

    >>> public_address("git@github.com:owner/name.git")
    'https://github.com/owner/name'
    >>> public_address("/home/someone/name") is None
    True
    """
    match = ADDRESS.fullmatch(text.strip().rstrip("/").removesuffix(".git"))
    if match is None:
        return None
    host, project = match.groups()
    if host == "github.com" and project.count("/") > 1:  # a page of a repository
        return None
    return f"https://{host}/{project}"


def find_address(environ, origin):
    """Return the public address of the repository or None if it is not known.

    Parameters
    ----------
    environ : mapping
        Environment variables.
    origin : str
        Address of the git remote `origin`, empty if there is none.
    """
    if chosen := environ.get(VARIABLE):
        if address := public_address(chosen):
            return address
        raise ConfigError(f"{VARIABLE}: no repository on github.com or gitlab.com: {chosen!r}")
    github = f"{environ.get('GITHUB_SERVER_URL', '')}/{environ.get('GITHUB_REPOSITORY', '')}"
    gitlab = environ.get("CI_PROJECT_URL", "")
    return next(filter(None, map(public_address, (github, gitlab, origin))), None)


def git_origin(root):
    """Return the address of the git remote `origin`, empty if there is none."""
    if not (root / ".git").exists():  # an unpacked archive, perhaps inside another repository
        return ""
    command = ["git", "-C", str(root), "remote", "get-url", "origin"]
    try:
        return subprocess.run(command, capture_output=True, encoding="utf-8").stdout
    except OSError:  # git is not installed
        return ""


def source_url(address, path):
    """Return where the file at `path` is shown."""
    infix = "/-" if "//gitlab.com/" in address else ""
    return f"{address}{infix}/blob/{REF}/{quote(path)}"


def binder_url(address, path):
    """Return the link that opens the notebook at `path` on Binder."""
    host, project = address.removeprefix("https://").split("/", 1)
    repository = f"gh/{project}" if host == "github.com" else f"gl/{quote(project, safe='')}"
    return f"https://mybinder.org/v2/{repository}/{REF}?labpath={quote(path, safe='')}"


def with_address(text, address):
    """Return the text of a page with the address in the command that installs from it.

    >>> with_address(f"$ {UNKNOWN}", "https://github.com/owner/name")
    '$ pip install "ncnet[report] @ git+https://github.com/owner/name"'
    """
    return text.replace(UNKNOWN, INSTALL.replace("ADDRESS", address)) if address else text


def fill_in_address(app, docname, source):
    """Put the address into a page that is read."""
    source[0] = with_address(source[0], app.config.repository_address)


def set_address(app, config):
    """Find the address, once a build."""
    config.repository_address = find_address(os.environ, git_origin(ROOT))


def add_buttons(app, pagename, templatename, context, doctree):
    """Put the buttons first in the page's header, and let templates have the address."""
    address = app.config.repository_address
    context["repository_address"] = address
    if address is None or doctree is None:  # pages such as the search have no source
        return
    # Links are followed: the notebooks lie in the root, as Binder and the forge see them.
    path = Path(app.env.doc2path(pagename)).resolve().relative_to(ROOT).as_posix()
    forge = "github" if "//github.com/" in address else "gitlab"
    buttons = [link_button(source_url(address, path), "Source of this page", f"fab fa-{forge}")]
    if path.endswith(".ipynb"):
        url = binder_url(address, path)
        buttons.insert(0, link_button(url, "Run this notebook on Binder", "fas fa-rocket"))
    context["header_buttons"][:0] = buttons


def link_button(url, tooltip, icon):
    """Return a button in the form of the theme's templates."""
    return {"type": "link", "url": url, "tooltip": tooltip, "icon": icon}


def setup(app):
    """Connect to Sphinx."""
    app.add_config_value("repository_address", None, "env")
    app.connect("config-inited", set_address)
    app.connect("source-read", fill_in_address)
    # after the theme, which sets up the header's buttons at 500 and 501
    app.connect("html-page-context", add_buttons, priority=502)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
