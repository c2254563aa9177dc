"""Keeps recorded results: tables with their provenance, so that hours of training happen once.

A result ``name`` is two files of `FOLDER`: ``name.parquet``, the table, and ``name.json``, where it
came from. `FOLDER` is the checkout's ``results/``, wherever the reader's working directory is.
"""

import hashlib
import importlib.metadata
import importlib.util
import io
import json
import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pandas as pd

from ncnet import machine
from ncnet.checks import check
from ncnet.files import expanded, replace

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""
FOLDER = ROOT / "results"
VERSIONS_OF = ("ncnet", "numpy", "pandas", "scikit-learn", "scipy", "torch", "xarray")
VERSIONS_OF_EXTRAS = ("peft", "transformers")
REQUIRED = ("command", "parameters", "versions", "machine", "date", "checksum")
"""Names that each provenance has."""
NO_NUMBER_DEPENDS_ON = ("ncnet", "python")
"""Versions that may differ although numbers are to be the same; those of others may not."""
MOST_SECONDS = 30
"""The time within which git must answer."""


@dataclass(frozen=True)
class Result:
    """A recorded table and its provenance.

    Attributes
    ----------
    table
        The numbers.
    provenance
        `command` that remakes it; `parameters`; git `commit`, and whether the checkout was `clean`
        (both None where that is not known); `versions` of Python, packages and compiler;
        `machine`; `date`; and the table's `checksum` (SHA-256 of the file).
    name
        Its path in the folder of recorded results, without suffix; empty for one that lies
        elsewhere.
    """

    table: pd.DataFrame
    provenance: dict
    name: str = ""

    def made_with(self, **parameters: object) -> bool:
        """Return whether the run was given just these values for these parameters."""
        given = self.provenance["parameters"]
        return all(name in given and given[name] == value for name, value in parameters.items())

    def __str__(self) -> str:
        date, torch = self.provenance["date"][:10], self.provenance["versions"]["torch"]
        return f"recorded {date} with torch {torch} on {self.provenance['machine']}"


def save(
    name: str, table: pd.DataFrame, *, parameters: dict, command: str, folder: Path = FOLDER
) -> None:
    """Write a table and its provenance.

    Each file is written in full beside its final place and then renamed: none is ever read half
    written. Should a kill fall between the two renames, the checksum no longer matches and `load`
    refuses the pair.

    Parameters
    ----------
    name
        The result's name, without suffix.
    table
        The numbers.
    parameters
        The parameters of the run, seeds included; anything JSON holds.
    command
        The command that remakes the table from the root of the checkout.
    folder
        The folder to write to: the checkout's ``results/`` unless told otherwise.
    """
    commit, clean = checkout()
    provenance = {
        "command": command,
        "parameters": parameters,
        "commit": commit,
        "clean": clean,
        "versions": installed_versions(),
        "machine": machine.described(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write(Result(table, provenance), name, folder=folder)


def write(result: Result, name: str, *, folder: Path) -> None:
    """Write a table that was made elsewhere, with the provenance it has, as `save` does."""
    folder = expanded(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = result.table.to_parquet(index=False, compression="zstd")  # a third less than snappy
    provenance = result.provenance | {"checksum": hashlib.sha256(content).hexdigest()}
    description = json.dumps(provenance, indent=2, allow_nan=False) + "\n"
    replace(folder / f"{name}.parquet", content)
    replace(folder / f"{name}.json", description.encode())


def load(name: str, *, folder: Path = FOLDER) -> Result:
    """Read a recorded table and check it against its provenance.

    Raises
    ------
    FileNotFoundError
        If there is no such result; the message names those there are.
    ValueError
        If the table is not the one that its provenance describes, or either cannot be read.
    """
    folder = expanded(folder)
    try:
        content = (folder / f"{name}.parquet").read_bytes()
        provenance = _provenance(folder / f"{name}.json")
    except FileNotFoundError as error:
        names = sorted(path.stem for path in folder.glob("*.parquet"))
        missing = f"no recorded result `{name}` ({Path(error.filename).name}) in {folder}"
        raise FileNotFoundError(f"{missing}: found {names}") from None
    checksum, recorded = hashlib.sha256(content).hexdigest(), provenance["checksum"]
    found = f"{name}.parquet has checksum {checksum[:12]}, its provenance says {recorded[:12]}"
    remade = f"the same: restore both files, or remake them by `{provenance['command']}`"
    check(checksum == recorded, found, remade)
    try:
        table = pd.read_parquet(io.BytesIO(content))
    except (OSError, ValueError) as error:
        raise ValueError(f"{name}.parquet is no table: {error}") from error
    return Result(table, provenance, _recorded_name(name, folder))


def _provenance(path: Path) -> dict:
    try:
        provenance = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} is no JSON: {error}") from error
    expected = "a whole provenance: restore it, or remake the table"
    for name in REQUIRED:
        told = isinstance(provenance, dict) and name in provenance
        check(told, f"{path.name} has no `{name}`", expected)
    return provenance


def _recorded_name(name: str, folder: Path) -> str:
    path = (folder / name).resolve()
    return path.relative_to(FOLDER).as_posix() if path.is_relative_to(FOLDER) else ""


def no_clone() -> str | None:
    """Return in words why tables cannot be recorded here; None where the package lies in a clone.

    >>> no_clone() is None
    True
    """
    root = FOLDER.parent
    there = (root / "pyproject.toml").is_file()
    return None if there else f"it writes recorded tables, and {root} is no clone: call it in one"


@cache
def checkout() -> tuple[str | None, bool | None]:
    """Return the git commit that the package lies in, and whether nothing was changed since.

    Both are None where the package lies in no checkout of its own, in one without a commit, or git
    is missing. Files of `FOLDER` do not count as changes: a run that records tables makes them
    itself. Git is asked once a process, and so should be when a run begins: an edit during a long
    run is not what ran.
    """
    root = FOLDER.parent
    git = ["git", "--no-optional-locks", f"--git-dir={root / '.git'}", f"--work-tree={root}"]
    asked = ["status", "--porcelain=v2", "--branch", "--", ".", f":(exclude){FOLDER.name}"]
    # Within a hook, git names another repository in these.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            [*git, *asked],
            cwd=root,
            env=variables,
            capture_output=True,
            encoding="utf-8",
            timeout=MOST_SECONDS,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None, None
    commit, *others = done.stdout.splitlines()
    commit = commit.removeprefix("# branch.oid ")
    if commit == "(initial)":
        return None, None
    return commit, all(line.startswith("#") for line in others)


def installed_versions() -> dict[str, str]:
    """Return the versions of Python, and of the packages and compiler that numbers depend on.

    There is no ``compiler`` where none was found, so that training is eager.
    """
    extras = [name for name in VERSIONS_OF_EXTRAS if importlib.util.find_spec(name)]
    versions = {name: importlib.metadata.version(name) for name in (*VERSIONS_OF, *extras)}
    compiler = machine.compiler()
    versions |= {"compiler": compiler} if compiler else {}
    return {"python": platform.python_version()} | versions


def same_place(provenance: dict) -> bool:
    """Return whether a table was made with this machine, these packages and this compiler.

    Then what makes it again gives the same numbers to the last digit. Where the provenance names
    no processor, as tables recorded earlier, the answer is no.

    >>> same_place(load("capacity").provenance | {"machine": "another"})
    False
    """
    said, here = provenance["versions"], installed_versions()
    names = {*said, "compiler"}.difference(NO_NUMBER_DEPENDS_ON)
    same_versions = all(said.get(name) == here.get(name) for name in names)
    return same_versions and provenance["machine"] == machine.described()
