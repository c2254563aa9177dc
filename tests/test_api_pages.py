"""The pages of the Python API name everything that is public."""

import ast
import importlib
import pkgutil
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

import ncnet

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "book" / "api").glob("*.md"))
MODULE = r"^\.\. automodule:: (.+)$"
# A constant is described by hand and belongs to the module of its page, as in Sphinx.
CONSTANT = r"^\.\. py:data:: (\w+)$(?:\n   :value: (.+)$)?"
NAMED, CONSTANTS = [], []
for text in map(Path.read_text, PAGES):
    NAMED += re.findall(r"^\.\. auto[a-z]+:: (ncnet[\w.]*)$", text, re.MULTILINE)
    for name, value in re.findall(CONSTANT, text, re.MULTILINE):
        [module] = re.findall(MODULE, text, re.MULTILINE)
        CONSTANTS.append((module, name, value))
        NAMED.append(f"{module}.{name}")
# `checks`, `files`, `machine`, `page`, `plotting` and `printing` serve the other modules; what a
# reader calls of `ensemble` is `ncnet.train`, of `commands` `ncnet.cli`.
INTERNAL = {"__main__", "checks", "commands", "ensemble", "files", "machine", "page"}
INTERNAL |= {"plotting", "printing"}
MODULES = [m.name for m in pkgutil.iter_modules(ncnet.__path__) if m.name not in INTERNAL]


def public_names(module):
    """Return what a module offers and what more it holds, from its source.

    Importing it may load large packages.
    """
    path = ROOT / "ncnet" / module
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    body = ast.parse(path.read_text(encoding="utf-8")).body
    defined = {node.name for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    assigned = {}
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            assigned[ast.unparse(target)] = node.value
    if "__all__" in assigned:
        return set(ast.literal_eval(assigned["__all__"])), set()
    return {name for name in defined if not name.startswith("_")}, set(assigned)


@pytest.mark.parametrize("module", MODULES)
def test_a_page_names_all_that_a_module_offers(module):
    assert f"ncnet.{module}" in NAMED, "no page: CONTRIBUTING.md, `Add a module`"
    offered, others = public_names(module)
    prefix = f"ncnet.{module}."
    named = {name.removeprefix(prefix) for name in NAMED if name.startswith(prefix)}
    assert offered
    assert offered - named == set(), "not on its page in book/api"
    assert named - offered - others == set(), "not in the module"


def test_the_pages_name_all_that_the_package_offers():
    assert {"ncnet", *(f"ncnet.{name}" for name in ncnet.__all__)} <= set(NAMED)


def test_nothing_is_described_twice():
    assert not [name for name, count in Counter(NAMED).items() if count > 1]


def test_constants_have_the_value_that_their_page_gives():
    given = [constant for constant in CONSTANTS if constant[2]]
    assert given
    for module, name, value in given:
        assert repr(getattr(importlib.import_module(module), name)) == value, name


def test_every_page_is_in_the_table_of_contents_and_on_the_first_page():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    [entry] = [c for part in toc["parts"] for c in part["chapters"] if c["file"] == "api/index"]
    pages = {page.stem for page in PAGES} - {"index"}
    assert {section["file"] for section in entry["sections"]} == {f"api/{page}" for page in pages}
    first = (ROOT / "book" / "api" / "index.md").read_text(encoding="utf-8")
    assert not [page for page in pages if f"{{doc}}`{page}`" not in first]
