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
MODULE = r"^\.\. automodule:: (?P<module>.+)$"
MEMBER = r"^\.\. auto[a-z]+:: (?P<member>ncnet[\w.]*)$"
# A constant is described by hand and belongs to the module above it, as in Sphinx.
CONSTANT = r"^\.\. py:data:: (?P<constant>\w+)$(?:\n   :value: (?P<value>.+)$)?"
DESCRIBED, NAMED, CONSTANTS = [], [], []
for text in (page.read_text(encoding="utf-8") for page in PAGES):
    for found in re.finditer("|".join((MODULE, MEMBER, CONSTANT)), text, re.MULTILINE):
        if found["module"]:
            DESCRIBED.append(found["module"])
        elif found["member"]:
            NAMED.append(found["member"])
        else:
            NAMED.append(f"{DESCRIBED[-1]}.{found['constant']}")
            CONSTANTS.append((DESCRIBED[-1], found["constant"], found["value"]))
# They serve the other modules. What a reader calls of `commands` is `ncnet.cli`, and of `plotting`
# `use_style`.
INTERNAL = {
    "checks",
    "commands",
    "files",
    "keys",
    "machine",
    "page",
    "plotting",
    "printing",
    "renamed",
}
# Former places, and commands.
INTERNAL |= {"__main__", "atlas", "explorer", "probe", "probe_callback", "ranks"}
INTERNAL |= {"studies.mechanism.analysis", "studies.generalization.analysis"}
INTERNAL |= {"studies.ranks.crossed"}
# What a reader calls of `training` is `ncnet.train`; of the others, see below.
INTERNAL |= {"companion", "studies", "training"}
WITHIN = ["datasets.hub", "experiment.callback", "experiment.probe", "training.samples"]


def modules_in(folder):
    """Return the names of the modules in a folder of the package."""
    return {module.name for module in pkgutil.iter_modules([ROOT / "ncnet" / folder])}


def source_of(module):
    """Return the statements of a module; importing it may load large packages."""
    path = ROOT.joinpath("ncnet", *module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8")).body


def public_names(module):
    """Return what a module offers, and what more it holds."""
    body = source_of(module)
    defined = {node.name for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    assigned = {}
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            assigned[ast.unparse(target)] = node.value
    package = ROOT.joinpath("ncnet", *module.split(".")).is_dir()
    if package or "__all__" in assigned or not (defined or assigned):
        room = module if package else module.rpartition(".")[0]
        elsewhere = {name for origin, name in imported(module) if f"{origin}.{name}" in NAMED}
        names = {name for name in defined if not name.startswith("_")}
        names |= {name for origin, name in imported(module) if origin.startswith(f"ncnet.{room}.")}
        if "__all__" in assigned:
            names = set(ast.literal_eval(assigned["__all__"]))
        return names - elsewhere, set() if "__all__" in assigned else set(assigned)
    return {name for name in defined if not name.startswith("_")}, set(assigned)


def imported(module):
    """Return what a module imports by name, each with the module that it is from."""
    nodes = [node for node in source_of(module) if isinstance(node, ast.ImportFrom)]
    return {(node.module, alias.name) for node in nodes for alias in node.names}


def modules_of(study):
    """Return the modules of a study, but for those whose functions its `analysis` offers."""
    names = modules_in(f"studies/{study}")
    package = f"studies.{study}"
    if "analysis" in names:
        offered, _ = public_names(f"{package}.analysis")
        origins = {origin for origin, name in imported(f"{package}.analysis") if name in offered}
        names -= {origin.removeprefix(f"ncnet.{package}.") for origin in origins}
    return [module for name in names if (module := f"{package}.{name}") not in INTERNAL]


MODULES = [*(modules_in("") - INTERNAL), *WITHIN]
MODULES += [f"companion.{name}" for name in modules_in("companion")]
MODULES += [module for study in modules_in("studies") for module in modules_of(study)]


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_page_names_all_that_a_module_offers(module):
    assert f"ncnet.{module}" in DESCRIBED, "no page: CONTRIBUTING.md, `Add a module`"
    offered, others = public_names(module)
    prefix = f"ncnet.{module}."
    named = {name.removeprefix(prefix) for name in NAMED if name.startswith(prefix)}
    named = {name for name in named if "." not in name}
    assert named
    assert offered - named == set(), "not on its page in book/api"
    assert named - offered - others == set(), "not in the module"


def test_every_room_is_described():
    rooms = {f"studies.{study}" for study in modules_in("studies")} | {"studies", "companion"}
    assert {f"ncnet.{room}" for room in rooms} <= set(DESCRIBED)


def test_the_pages_name_all_that_the_package_offers():
    assert {"ncnet", *(f"ncnet.{name}" for name in ncnet.__all__)} <= {*DESCRIBED, *NAMED}


def test_nothing_is_described_twice():
    assert not [name for name, count in Counter(DESCRIBED + NAMED).items() if count > 1]


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
