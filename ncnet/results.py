"""Recorded results: a table with its provenance, so that hours of training happen once.

A result ``name`` is two files of `FOLDER`: ``name.parquet``, the table, and ``name.json``, where it
came from. `FOLDER` is the checkout's ``results/``, wherever the reader's working directory is.
"""

import ast
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from platformdirs import user_cache_path

from ncnet.files import expanded, replace

FOLDER = Path(__file__).resolve().parents[1] / "results"
VERSIONS_OF = ("ncnet", "numpy", "pandas", "scikit-learn", "scipy", "torch", "xarray")
VERSIONS_OF_EXTRAS = ("peft", "transformers")
DRAW_ONLY = (
    "ncnet.batch",
    "ncnet.figures",
    "ncnet.plotting",
    "ncnet.files",
    "ncnet.parameters",
    "ncnet.results",
    "ncnet.runs",
    "ncnet.sources",
)
"""Modules that no recorded number depends on."""


@dataclass(frozen=True)
class Result:
    """A recorded table and its provenance.

    Attributes
    ----------
    table
        The numbers.
    provenance
        `command` that remakes it, `parameters`, `versions`, `machine`, `date`, digests of the
        modules that were imported, and the table's `checksum` (SHA-256 of the file).
    changed_modules
        Modules whose source differs from the recorded one: the table stands, but was recorded
        with an earlier version.
    name
        Its path in the folder of recorded results, without suffix; empty for one that lies
        elsewhere.
    """

    table: pd.DataFrame
    provenance: dict
    changed_modules: tuple[str, ...]
    name: str = ""

    def made_with(self, **parameters: object) -> bool:
        """Return whether the run was given just these values for these parameters."""
        given = self.provenance["parameters"]
        return all(name in given and given[name] == value for name, value in parameters.items())

    def __str__(self) -> str:
        provenance = self.provenance
        versions = provenance["versions"]
        line = f"recorded {provenance['date'][:10]} with torch {versions['torch']}"
        line += f" on {provenance['machine']}"
        if self.changed_modules:
            rooms = dict.fromkeys(".".join(m.split(".")[:2]) for m in self.changed_modules)
            line += f"; with an earlier version of {', '.join(rooms)}"
        return line


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
        What the run was given, seeds included; anything JSON holds.
    command
        The command that remakes the table from the root of the checkout.
    folder
        Where to write: the checkout's ``results/`` unless told otherwise.
    """
    provenance = {
        "command": command,
        "parameters": parameters,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": installed_versions(),
        "modules": _imported_modules(),
    }
    write(Result(table, provenance, ()), name, folder=folder)


def write(result: Result, name: str, *, folder: Path) -> None:
    """Write a table that was made elsewhere, with the provenance it has, as `save` does."""
    folder = expanded(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = result.table.to_parquet(index=False)
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
        If the table is not the one that its provenance describes.
    """
    folder = expanded(folder)
    for suffix in ("parquet", "json"):
        if not (folder / f"{name}.{suffix}").exists():
            there = sorted(path.stem for path in folder.glob("*.parquet"))
            raise FileNotFoundError(
                f"no recorded result `{name}` ({name}.{suffix}) in {folder}: found {there}"
            )
    content = (folder / f"{name}.parquet").read_bytes()
    provenance = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    checksum = hashlib.sha256(content).hexdigest()
    if checksum != provenance["checksum"]:
        raise ValueError(
            f"{name}.parquet has checksum {checksum[:12]}, its provenance says "
            f"{provenance['checksum'][:12]}: restore both files, or remake them by "
            f"`{provenance['command']}`"
        )
    table = pd.read_parquet(io.BytesIO(content))
    return Result(table, provenance, changed_modules(provenance), _recorded_name(name, folder))


def _recorded_name(name: str, folder: Path) -> str:
    path = (folder / name).resolve()
    return path.relative_to(FOLDER).as_posix() if path.is_relative_to(FOLDER) else ""


def changed_modules(provenance: dict) -> tuple[str, ...]:
    """Return the modules that were others when a table was made than they are in this process."""
    now = DIGESTS_AT_IMPORT
    return tuple(m for m, digest in provenance["modules"].items() if now.get(m) != digest)


def kept(
    parameters: dict, compute: Callable[[], pd.DataFrame], *, folder: Path | None = None
) -> pd.DataFrame:
    """Return ``compute()``, or what it gave before for these parameters with this code.

    For the parts of a run that takes so long that it may be cut off: repeated, it goes on where
    it was. A part is written in full before it takes its name.

    Parameters
    ----------
    parameters
        All that the table depends on besides the code; anything JSON holds.
    compute
        Makes the table.
    folder
        Where parts are kept: the user's cache folder unless told otherwise.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for _ in range(2):
    ...         table = kept({"n": 3}, lambda: print("once") or pd.DataFrame(), folder=Path(folder))
    once
    """
    folder = user_cache_path("ncnet") / "parts" if folder is None else expanded(folder)
    path = folder / f"{_digest([parameters, installed_versions(), _imported_modules()])}.parquet"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        replace(path, compute().to_parquet(index=False))
    return pd.read_parquet(path)


def kept_folder(parameters: dict, packages: tuple[str, ...]) -> Path:
    """Return the folder for what these packages make of these parameters, in the user's cache.

    For a run that keeps its parts itself, file by file; another version of one of the packages,
    such as ``ncnet.encoders``, or of what they are built on, gives another folder.
    """
    digests = {m: digest for m, digest in DIGESTS_AT_IMPORT.items() if m.startswith(packages)}
    described = _digest([parameters, installed_versions(), digests])
    return user_cache_path("ncnet") / "parts" / described


def _digest(described: list) -> str:
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:32]


def installed_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a number may depend on."""
    extras = [name for name in VERSIONS_OF_EXTRAS if importlib.util.find_spec(name)]
    versions = {name: importlib.metadata.version(name) for name in (*VERSIONS_OF, *extras)}
    return {"python": platform.python_version()} | versions


def _imported_modules() -> dict[str, str]:
    """Return the digests of the modules that a number of this run may depend on."""
    return {
        module: DIGESTS_AT_IMPORT[module]
        for module in sorted(sys.modules)
        if module.startswith("ncnet.") and not module.startswith(DRAW_ONLY)
    }


def code_digest(modules: dict[str, str] | None = None) -> str:
    """Return one digest for many modules: those given with their own, or those of this run.

    >>> code_digest({"ncnet.games": "0f"}) == code_digest({"ncnet.games": "0e"})
    False
    """
    return _digest(sorted((_imported_modules() if modules is None else modules).items()))[:12]


def source_digests() -> dict[str, str]:
    """Return a digest of what every module of the package does.

    Of Python without comments, docstrings and layout: words may be mended without turning hours
    of training into an earlier version's. Of C++ beside a module, the whole text.
    """
    package = Path(__file__).resolve().parent
    digests = {}
    for path in package.rglob("*.py"):
        parts = (package.name, *path.relative_to(package).with_suffix("").parts)
        name = ".".join(parts).removesuffix(".__init__")
        native = path.with_suffix(".cpp")
        code = _code(path.read_text(encoding="utf-8")) + (
            native.read_text(encoding="utf-8") if native.exists() else ""
        )
        digests[name] = hashlib.sha256(code.encode()).hexdigest()[:16]
    return digests


def _code(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            # An attribute's docstring is such an expression too, without being the first.
            node.body = [part for part in node.body if not _is_text(part)] or [ast.Pass()]
    return ast.unparse(tree)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str)


# What ran is what was imported: an edit made during a long run must not pass for it.
DIGESTS_AT_IMPORT = source_digests()
