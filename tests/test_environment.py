"""The lock, Binder's environment and the package's own bounds agree."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCK_LINES = (ROOT / "requirements.txt").read_text().splitlines()
LOCK = dict(line.split("==") for line in LOCK_LINES if re.match(r"[\w.-]+==", line))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BINDER = yaml.safe_load((ROOT / "environment.yml").read_text())
PIP = BINDER["dependencies"][-1]["pip"]
PINS = [line for line in PIP if not line.startswith("-")]


def test_lock_holds_only_exact_public_versions():
    lines = [line for line in LOCK_LINES if line and not line.lstrip().startswith("#")]
    assert lines == [f"{name}=={version}" for name, version in LOCK.items()]
    assert not [name for name, version in LOCK.items() if Version(version).local]


def test_lock_satisfies_the_bounds_of_all_that_make_installs():
    groups = PROJECT["optional-dependencies"]
    [locked] = re.findall(r"^EXTRAS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    # Another framework, to compare with, is for those who ask for it.
    assert set(locked.split()) == set(groups) - {"bench"}
    lines = [*PROJECT["dependencies"], *(line for name in locked.split() for line in groups[name])]
    bounds = map(Requirement, lines)
    unmet = [str(b) for b in bounds if LOCK[canonicalize_name(b.name)] not in b.specifier]
    assert not unmet
    assert "jax" not in LOCK


def test_binder_has_the_notebooks_packages_in_the_locks_versions():
    packages = [
        "jupytext",
        "matplotlib",
        "myst-nb",
        "papermill",
        "peft",
        "torch",
        "transformers",
    ]
    assert [f"{name}=={LOCK[name]}" for name in packages] == PINS


def with_all_they_bring(names):
    """Return the distributions of these names and all that they require, without their extras."""
    found, left = set(), [canonicalize_name(name) for name in names]
    while left:
        if (name := left.pop()) not in found:
            found.add(name)
            required = map(Requirement, requires(name) or [])
            left += [
                canonicalize_name(r.name)
                for r in required
                if r.marker is None or r.marker.evaluate({"extra": ""})
            ]
    return found


def imported(script):
    """Return the top-level modules that a script imports."""
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


def test_binder_has_all_that_a_notebook_imports():
    installed = with_all_they_bring(["ncnet", "ipykernel", *map(lambda p: p.split("==")[0], PINS)])
    assert "jupyter-book" not in installed
    scripts = list((ROOT / "notebooks").glob("*.py"))
    assert scripts
    modules = {module for script in scripts for module in imported(script)}
    distributions = packages_distributions()
    missing = {
        module
        for module in modules - sys.stdlib_module_names
        if not installed & set(map(canonicalize_name, distributions[module]))
    }
    assert not missing


def test_binder_installs_the_package_itself_and_a_torch_without_gpu():
    assert "-e ." in PIP
    assert "--constraint requirements.txt" in PIP
    assert "--extra-index-url https://download.pytorch.org/whl/cpu" in PIP


def test_binder_uses_the_python_the_lock_was_made_with():
    python = BINDER["dependencies"][0].removeprefix("python=")
    assert f"pip-compile with Python {python}" in "\n".join(LOCK_LINES[:3])


def test_binder_reads_the_files_of_the_root():
    # It would read those of a folder with one of these names, and none of the root's.
    assert not [name for name in ("binder", ".binder") if (ROOT / name).exists()]
    start = ROOT / "start"
    assert start.stat().st_mode & 0o111
    assert start.read_text().rstrip().endswith('exec "$@"')


def test_every_place_names_the_same_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
