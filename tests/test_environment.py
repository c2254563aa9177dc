"""The lock, Binder's environment and the package's own bounds agree."""

import re
import tomllib
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


def test_binder_has_the_books_packages_in_the_locks_versions():
    packages = [
        "jupyter-book",
        "jupytext",
        "matplotlib",
        "papermill",
        "peft",
        "torch",
        "transformers",
    ]
    pins = [line for line in PIP if not line.startswith("-")]
    assert pins == [f"{name}=={LOCK[name]}" for name in packages]


def test_binder_installs_the_package_itself_and_a_torch_without_gpu():
    assert "-e ." in PIP
    assert "--constraint requirements.txt" in PIP
    assert "--extra-index-url https://download.pytorch.org/whl/cpu" in PIP


def test_binder_uses_the_python_the_lock_was_made_with():
    python = BINDER["dependencies"][0].removeprefix("python=")
    assert f"pip-compile with Python {python}" in "\n".join(LOCK_LINES[:3])
