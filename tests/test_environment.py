"""The lock, Binder's environment and the package's own bounds agree."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCK_LINES = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
LOCK = dict(line.split("==") for line in LOCK_LINES if re.match(r"[\w.-]+==", line))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BINDER = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
PIP = BINDER["dependencies"][-1]["pip"]
PINS = [line for line in PIP if not line.startswith("-")]
STATISTICS = (ROOT / "tests" / "statistics.txt").read_text(encoding="utf-8").splitlines()


def test_lock_holds_only_exact_public_versions():
    lines = [line for line in LOCK_LINES if line and not line.lstrip().startswith("#")]
    assert lines == [f"{name}=={version}" for name, version in LOCK.items()]
    assert not [name for name, version in LOCK.items() if Version(version).local]


def test_lock_satisfies_the_bounds_of_all_that_make_installs():
    groups = PROJECT["optional-dependencies"]
    [locked] = re.findall(
        r"^EXTRAS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    # Another framework, to compare with, is for those who ask for it.
    assert set(locked.split()) == set(groups) - {"bench"}
    lines = [*PROJECT["dependencies"], *(line for name in locked.split() for line in groups[name])]
    bounds = map(Requirement, lines)
    unmet = [str(b) for b in bounds if LOCK[canonicalize_name(b.name)] not in b.specifier]
    assert not unmet
    assert "jax" not in LOCK


def test_no_extra_repeats_what_another_brings():
    # But what two of them use of their own accord: `book` and `batch` run notebooks.
    groups = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    names = [Requirement(line).name for lines in groups.values() for line in lines]
    assert {name for name in names if names.count(name) > 1} == {"papermill", "pyyaml"}
    assert "ncnet" not in names


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


def with_all_they_bring(asked):
    """Return the distributions that are asked for, as in ``ncnet[train]``, and all they require."""
    seen, left = set(), [Requirement(line) for line in asked]
    while left:
        name, extras = canonicalize_name((one := left.pop()).name), ("", *one.extras)
        for extra in {(name, extra) for extra in extras} - seen:
            seen.add(extra)
            required = map(Requirement, requires(name) or [])
            left += [r for r in required if not r.marker or r.marker.evaluate({"extra": extra[1]})]
    return {name for name, _ in seen}


def imported(script):
    """Return the top-level modules that a script imports."""
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


def test_binder_has_all_that_a_notebook_imports():
    [ours] = [line.replace("-e .", "ncnet") for line in PIP if line.startswith("-e .")]
    installed = with_all_they_bring([ours, "ipykernel", *(p.split("==")[0] for p in PINS)])
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


BROUGHT = with_all_they_bring(["ncnet[report,test]"])
NAMED = {
    canonicalize_name(Requirement(line).name)
    for lines in PROJECT["optional-dependencies"].values()
    for line in lines
}
FOREIGN = {
    module
    for module, names in packages_distributions().items()
    if (NAMED - BROUGHT) & set(map(canonicalize_name, names))
}
"""What other extras name: it may be imported by tests, but not by those of the statistics."""


def listed(module):
    """Return the lines of the statistics' tests that name a module, or a folder around it."""
    place = Path(module.replace(".", "/"))
    names = (place.with_suffix(".py"), place / "__init__.py", place, *place.parents)
    return {name.as_posix() for name in names} & set(STATISTICS)


def test_the_statistics_bring_no_torch():
    assert {"ncnet", "scipy", "matplotlib", "pytest", "h5py"} <= BROUGHT
    assert not {"torch", "pydantic", "scikit-learn", "transformers"} & BROUGHT


def used(script):
    """Return the modules that a script imports, and what it calls of `ncnet` itself."""
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            whole = node.module not in ("ncnet", "tests")
            yield from [node.module] if whole else (f"{node.module}.{a.name}" for a in node.names)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "ncnet":
            yield f"ncnet.{node.attr}"


def test_the_tests_of_the_statistics_are_all_listed():
    assert sorted(set(STATISTICS)) == STATISTICS
    assert not [line for line in STATISTICS if not (ROOT / line).exists()]
    for script in (ROOT / "tests").rglob("test_*.py"):
        modules = set(used(script))
        packages = {module.split(".")[0] for module in modules}
        ours = {module for module in modules if module.startswith(("ncnet.", "tests."))}
        of_statistics = "ncnet" in packages and not (
            FOREIGN & packages or any(not listed(module) for module in ours - {"tests.strategies"})
        )
        name = script.relative_to(ROOT).as_posix()
        assert name in STATISTICS or not of_statistics, f"tests/statistics.txt lacks {name}"


@pytest.mark.slow
def test_all_modules_that_the_command_imports_are_tested_with_the_statistics():
    names = "cli, commands, experiment, games, plotting"
    code = f"import sys; from ncnet import {names}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    modules = [module for module in done.stdout.split() if module.startswith("ncnet.")]
    assert not [module for module in modules if not listed(module)]
    needed = set().union(*map(listed, modules))
    assert needed == {line for line in STATISTICS if not line.startswith("tests/")}


@pytest.mark.slow
def test_the_tests_of_the_statistics_can_be_imported_with_what_they_bring():
    code = f"""
import sys, pytest

class Without:
    def find_spec(name, path=None, target=None):
        if name in {FOREIGN}:
            raise ModuleNotFoundError(f"there would be no {{name}}", name=name)

sys.meta_path.insert(0, Without)
sys.exit(pytest.main(["--collect-only", "-q", "@tests/statistics.txt"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout


def test_binder_installs_the_package_itself_and_a_torch_without_gpu():
    assert "-e .[train,report]" in PIP
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
    assert start.read_text(encoding="utf-8").rstrip().endswith('exec "$@"')


def test_every_place_names_the_same_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]
