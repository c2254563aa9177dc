"""Compiles a C++ file with the reader's own compiler, for the reader's own processor, once.

The shared library is kept in the user's cache folder under a name that says all it depends on:
the source, its definitions, the compiler and the processor's instructions. It may be deleted at any
time, and is then compiled again. It is written in full and then renamed, so that processes that
compile the same file at once do not disturb each other.
"""

import atexit
import ctypes
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

from platformdirs import user_cache_path

COMPILERS = ("c++", "g++", "clang++")
PROCESSOR = "-march=native"
FLAGS = (
    "-std=c++17",
    "-O3",
    PROCESSOR,
    # Neither is ever read; both would keep vectors from being used.
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fPIC",
    "-shared",
)
MOST_SECONDS = 20
"""A compiler takes half a second; one that takes this long is given up."""


class CompilerError(RuntimeError):
    """Nothing was compiled; the message says why, in one line."""


def library(source: Path, definitions: tuple[tuple[str, str], ...] = ()) -> ctypes.CDLL:
    """Return a C++ file as a loaded library, compiled unless it was before.

    Parameters
    ----------
    source
        The file.
    definitions
        Names and values given to the preprocessor.

    Raises
    ------
    CompilerError
        If there is no compiler, it fails, or it takes longer than `MOST_SECONDS`.
    """
    compiler, target = find()
    found = _library(compiler, target, source, definitions)
    if isinstance(found, CompilerError):
        raise found
    return found


def find() -> tuple[tuple[str, ...], str]:
    """Return the compiler's command, and what it says of itself and of the processor.

    ``CXX`` names another compiler than the first of `COMPILERS` that works. It may have a wrapper
    and options, and is split as a shell would: ``ccache g++ -O1``.

    Raises
    ------
    CompilerError
        If there is none, or it fails.
    """
    found = _find()
    if isinstance(found, CompilerError):
        raise found
    return found


# Both remember a failure as well: what failed or took too long is not tried at every training.


@lru_cache
def _library(
    compiler: tuple[str, ...], target: str, source: Path, definitions: tuple[tuple[str, str], ...]
) -> ctypes.CDLL | CompilerError:
    command = [*FLAGS, *(f"-D{name}={value}" for name, value in definitions)]
    described = "\0".join([*compiler, target, *command]).encode() + source.read_bytes()
    path = _folder() / f"{source.stem}-{hashlib.sha256(described).hexdigest()[:24]}.so"
    try:
        if not path.exists():
            _compile([*compiler, *command, str(source)], path)
        return ctypes.CDLL(str(path))
    except CompilerError as error:
        return error
    except OSError as error:
        return CompilerError(f"the compiled kernel could not be kept or loaded: {error}")


@lru_cache
def _find() -> tuple[tuple[str, ...], str] | CompilerError:
    named = os.environ.get("CXX", "").strip()
    try:
        candidates = [shlex.split(named)] if named else [[name] for name in COMPILERS]
    except ValueError as error:
        return CompilerError(f"`CXX` is {named!r}: it cannot be split, {error}")
    failures = []
    for name, *options in candidates:
        path = shutil.which(name)
        if path is None and not (os.sep in name and Path(name).exists()):
            continue
        compiler = (path or name, *options)
        # Its version and all it knows of the processor are predefined macros.
        try:
            return compiler, _run([*compiler, PROCESSOR, "-dM", "-E", "-x", "c++", os.devnull])
        except CompilerError as error:
            failures.append(error)
    missing = ", ".join(name for name, *_ in candidates)
    return failures[0] if failures else CompilerError(f"no C++ compiler was found ({missing})")


def _compile(command: list[str], path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        written = Path(folder) / path.name
        _run([*command, "-o", str(written)])
        written.replace(path)


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            # For errors in English, which are looked for below.
            env=os.environ | {"LC_ALL": "C"},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=MOST_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise CompilerError(f"{command[0]} took longer than {MOST_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"exit status {error.returncode}"]
        told = next((line for line in lines if "error" in line), lines[-1])
        raise CompilerError(f"{command[0]} failed: {told}") from error
    except OSError as error:
        raise CompilerError(f"{command[0]} cannot be run: {error.strerror}") from error
    return done.stdout


@lru_cache
def _folder() -> Path:
    folder = user_cache_path("ncnet")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        # A home that cannot be written to: kept as long as this process runs.
        private = tempfile.mkdtemp(prefix="ncnet-")
        atexit.register(shutil.rmtree, private, ignore_errors=True)
        return Path(private)
