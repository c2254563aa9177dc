"""The book's files and its Sphinx extensions."""

import hashlib
import io
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
import yaml
from docutils import nodes
from matplotlib.figure import Figure
from sphinx.errors import ConfigError, ExtensionError

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
sys.path.append(str(BOOK / "_ext"))  # as jupyter-book does

import accessible_pages  # noqa: E402
import execution_cache  # noqa: E402
import light_pages  # noqa: E402
import light_pictures  # noqa: E402
import local_katex  # noqa: E402
import minus_signs  # noqa: E402
import repository_buttons  # noqa: E402


@pytest.mark.parametrize("name", ["_config.yml", "_toc.yml", "notebooks"])
def test_the_books_folder_links_to_the_root(name):
    link = BOOK / name
    assert link.is_symlink()
    assert link.readlink() == Path("..") / name
    assert link.exists()


def test_every_page_of_the_table_of_contents_exists():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    sections = [section for chapter in chapters for section in chapter.get("sections", [])]
    pages = [toc["root"], *(entry["file"] for entry in chapters + sections)]
    assert not [p for p in pages if not any((BOOK / f"{p}{e}").exists() for e in (".md", ".ipynb"))]


def described():
    """Return the alternative texts of the book's pictures, as they are written."""
    notebooks = (nbformat.read(path, as_version=4) for path in (ROOT / "notebooks").glob("*.ipynb"))
    of_cells = [cell.metadata.get("mystnb", {}) for one in notebooks for cell in one.cells]
    texts = [one["image"]["alt"] for one in of_cells if "image" in one]
    for page in BOOK.glob("*.md"):
        texts += re.findall(r"^:    ?alt: (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return texts


def test_no_picture_is_described_by_numbers_that_may_change():
    assert len(described()) > 40
    assert not [text for text in described() if re.search(r"\d\.\d|\d,\d{3}|\d %", text)]


VENDORED = [BOOK / "_vendor" / "katex", ROOT / "tests" / "_vendor" / "axe"]


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: folder.name)
def test_vendored_files_are_those_that_their_readme_names(folder):
    readme = (folder / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"^    ([0-9a-f]{64})  (\S+)$", readme, re.MULTILINE)
    files = [path for path in folder.rglob("*") if path.suffix in (".js", ".css", ".woff2")]
    assert set(named) == {
        (hashlib.sha256(file.read_bytes()).hexdigest(), file.relative_to(folder).as_posix())
        for file in files
    }


def test_all_fonts_of_formulas_are_there():
    katex = BOOK / "_vendor" / "katex"
    fonts = re.findall(
        r"url\((fonts/[^)]*\.woff2)\)", (katex / "katex.min.css").read_text(encoding="utf-8")
    )
    assert fonts
    assert not [font for font in fonts if not (katex / font).is_file()]


@pytest.mark.parametrize(
    ("tex", "nowrap", "shown"),
    [
        ("S = 2", False, "equation*"),
        ("a &= b \\\\\nc &= d", False, "split"),
        ("a = b\n\nc = d", False, "aligned"),
        ("\\begin{align}a &= b\\end{align}", True, "align"),
    ],
)
def test_a_formula_keeps_its_lines(tex, nowrap, shown):
    node = nodes.math_block(tex, tex, nowrap=nowrap)
    assert f"\\begin{{{shown}}}" in local_katex.display_tex(node)
    assert (local_katex.display_tex(node) == tex) is nowrap


def test_the_script_of_icons_is_taken_out():
    link = '<link href="_static/theme.css" rel="stylesheet" />'
    script = '<script defer src="../_static/scripts/fontawesome.js?digest=5"></script>'
    assert light_pages.without_icon_script(f"{link}\n{script}") == f"{link}\n"


def test_a_theme_without_the_script_of_icons_is_noticed():
    with pytest.raises(ExtensionError, match="0 scripts"):
        light_pages.without_icon_script("<link>")


def test_only_the_search_loads_what_it_searches():
    names = ("searchtools", "language_data", "searchindex")
    scripts = "".join(f'<script src="../_static/{name}.js"></script>' for name in names)
    assert light_pages.without_search_scripts(f"<meta>{scripts}", "index") == "<meta>"
    assert light_pages.without_search_scripts("<meta>", "search") == "<meta>"


def test_parameters_of_a_long_signature_are_lines():
    parameter = '<dd><em class="sig-param">{}</em>,</dd>\n'
    signature = f"(<dl>\n{parameter.format('a')}{parameter.format('b')}</dl>)"
    line = '<div class="sig-line"><em class="sig-param">{}</em>,</div>\n'
    described = "<dl>\n<dt>a</dt>\n<dd><p>A word.</p></dd>\n</dl>"
    mended = accessible_pages.mend(f"{signature}\n{described}\n{signature}")
    lines = f"({line.format('a')}{line.format('b')})"
    assert mended == f"{lines}\n{described}\n{lines}"


def test_a_folded_cell_is_called_by_its_text():
    summary = '<summary aria-label="Toggle hidden content">\n<p>Show code</p></summary>'
    assert accessible_pages.mend(summary) == "<summary>\n<p>Show code</p></summary>"


def test_entries_of_the_bibliography_are_a_list():
    entry = '<div role="list"><div class="citation" id="id1" role="{}"></div></div>'
    assert accessible_pages.mend(entry.format("doc-biblioentry")) == entry.format("listitem")


@pytest.fixture
def project(tmp_path):
    """Return a small project with all that a number of the book can depend on."""
    for path in ("ncnet/chsh/report.py", "results/rq3.parquet", "requirements.txt", "README.md"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("old", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "path",
    [
        "ncnet/chsh/report.py",
        "results/rq3.parquet",
        "requirements.txt",
        "ncnet/new.py",
        "ncnet/new.mplstyle",
    ],
)
def test_the_digest_changes_with_what_numbers_depend_on(project, path):
    before = execution_cache.content_digest(project)
    (project / path).write_text("new", encoding="utf-8")
    assert execution_cache.content_digest(project) != before


def test_the_digest_changes_when_a_file_moves(project):
    before = execution_cache.content_digest(project)
    (project / "results/rq3.parquet").rename(project / "results/rq1.parquet")
    assert execution_cache.content_digest(project) != before


def test_the_digest_ignores_everything_else(project):
    before = execution_cache.content_digest(project)
    (project / "README.md").write_text("new", encoding="utf-8")
    assert execution_cache.content_digest(project) == before


GITHUB = "https://github.com/owner/name"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://github.com/owner/name", GITHUB),
        ("https://github.com/owner/name.git\n", GITHUB),
        ("https://github.com/owner/name/", GITHUB),
        ("https://user:secret@github.com/owner/name.git", GITHUB),
        ("git@github.com:owner/name.git", GITHUB),
        ("ssh://git@github.com:22/owner/name.git", GITHUB),
        ("https://gitlab.com/group/sub.group/name.git", "https://gitlab.com/group/sub.group/name"),
        ("https://github.com.evil.example/owner/name", None),
        ("https://example.org/github.com/owner/name", None),
        ("https://github.com/owner", None),
        ("https://github.com/owner/name/tree/main", None),
        ("/srv/git/github.com/owner/name", None),
        ("file:///srv/git/name", None),
        ("../name", None),
        ("", None),
    ],
)
def test_public_address(text, address):
    assert repository_buttons.public_address(text) == address


@pytest.mark.parametrize(
    ("environ", "origin", "address"),
    [
        ({}, "", None),
        ({}, "git@github.com:owner/name.git", GITHUB),
        (
            {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "ci/name"},
            GITHUB,
            "https://github.com/ci/name",
        ),
        ({"CI_PROJECT_URL": "https://gitlab.com/ci/name"}, GITHUB, "https://gitlab.com/ci/name"),
        ({"CI_PROJECT_URL": "https://git.example.org/ci/name"}, "", None),
        ({"NCNET_REPOSITORY_URL": GITHUB, "CI_PROJECT_URL": "https://gitlab.com/a/b"}, "", GITHUB),
        ({"NCNET_REPOSITORY_URL": ""}, GITHUB, GITHUB),
    ],
)
def test_where_the_address_comes_from(environ, origin, address):
    assert repository_buttons.find_address(environ, origin) == address


def test_an_address_that_was_chosen_but_cannot_be_used_is_an_error():
    with pytest.raises(ConfigError, match="NCNET_REPOSITORY_URL"):
        repository_buttons.find_address({"NCNET_REPOSITORY_URL": "https://example.org/a/b"}, "")


def test_a_folder_without_git_has_no_origin(tmp_path):
    assert repository_buttons.git_origin(tmp_path) == ""


def test_links():
    notebook = "notebooks/rq1.ipynb"
    assert repository_buttons.source_url(GITHUB, notebook) == f"{GITHUB}/blob/HEAD/{notebook}"
    assert (
        repository_buttons.binder_url(GITHUB, notebook)
        == "https://mybinder.org/v2/gh/owner/name/HEAD?labpath=notebooks%2Frq1.ipynb"
    )
    gitlab = "https://gitlab.com/group/sub/name"
    assert repository_buttons.source_url(gitlab, notebook) == f"{gitlab}/-/blob/HEAD/{notebook}"
    assert (
        repository_buttons.binder_url(gitlab, notebook)
        == "https://mybinder.org/v2/gl/group%2Fsub%2Fname/HEAD?labpath=notebooks%2Frq1.ipynb"
    )


def test_a_picture_gets_shorter_and_keeps_its_size_and_its_paths():
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot(range(50), marker="o")
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg")
    lighter = light_pictures.lighter(drawn.getvalue())
    assert len(lighter) < 0.7 * len(drawn.getvalue())
    before, after = map(ElementTree.fromstring, (drawn.getvalue(), lighter))
    for name in ("width", "height", "viewBox"):
        assert float(after.get(name).split()[-1].removesuffix("pt")) == pytest.approx(
            float(before.get(name).split()[-1].removesuffix("pt"))
        )
    markers = "{http://www.w3.org/2000/svg}use"
    assert len(list(after.iter(markers))) == len(list(before.iter(markers)))
    assert light_pictures.lighter(lighter) == lighter


@pytest.mark.parametrize(
    ("text", "signed"),
    [
        ("it is -0.5 [-1, -0.2], (-3 to 2)", "it is ~0.5 [~1, ~0.2], (~3 to 2)"),
        ("S - Δ - 2, or S - 2 in all", "S ~ Δ ~ 2, or S ~ 2 in all"),
        ("a two-headed network, n-1, 2026-11-28, A - B", None),
    ],
)
def test_a_hyphen_becomes_a_minus_where_it_is_one(text, signed):
    expected = (signed or text).replace("~", "\N{MINUS SIGN}")
    assert minus_signs.with_minus(text) == expected


def test_code_keeps_its_hyphens():
    code, prose = nodes.literal("", "-1"), nodes.paragraph("", "-1")
    minus_signs.set_signs(None, nodes.section("", code, prose), "page")
    assert [code.astext(), prose.astext()] == ["-1", "\N{MINUS SIGN}1"]
