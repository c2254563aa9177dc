"""Compiles a C++ file with the reader's own compiler, for the reader's own processor, once.

The shared library is kept in the user's cache folder under a name made of all that it depends on:
the source, its definitions, the compiler and the processor's instructions. It may be deleted at any
time, and is then compiled again. It is written in full and then renamed, so that processes that
compile the same file at once do not disturb each other.
"""

import atexit
import ctypes
import hashlib
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from platformdirs import user_cache_path

from ncnet.machine import PROCESSOR, CompilerError, find_compiler, once, run_compiler

FLAGS = (
    "-std=c++17",
    "-O3",
    PROCESSOR,
    # Neither is ever read; both would keep vectors from being used.
    "-fno-math-errno",
    "-fno-trapping-math",
    # 0 + x is x.
    "-fno-signed-zeros",
    "-fPIC",
    "-shared",
)
INCLUDED = Path(__file__).parent
HEADERS = sorted(INCLUDED.glob("*.h"))
"""What any source may include."""


@once
def library(source: Path, definitions: tuple[tuple[str, str], ...] = ()) -> ctypes.CDLL:
    """Return a C++ file as a loaded library, compiled unless it was before.

    Parameters
    ----------
    source
        The file.
    definitions
        Names and values for the preprocessor.

    Raises
    ------
    CompilerError
        If there is no compiler, it fails, or it takes too long.
    """
    compiler, macros = find_compiler()
    command = [*FLAGS, *(f"-D{name}={value}" for name, value in definitions)]
    described = "\0".join([*compiler, macros, *command]).encode()
    described += b"".join(file.read_bytes() for file in (*HEADERS, source))
    path = cache_folder() / f"{source.stem}-{hashlib.sha256(described).hexdigest()[:24]}.so"
    try:
        if not path.exists():
            _compile([*compiler, *command, f"-I{INCLUDED}", str(source)], path)
        return ctypes.CDLL(str(path))
    except OSError as error:
        line = f"the compiled kernel could not be kept or loaded: {error}"
        raise CompilerError(line) from error


def _compile(command: list[str], path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        written = Path(folder) / path.name
        run_compiler([*command, "-o", str(written)])
        written.replace(path)


@lru_cache
def cache_folder() -> Path:
    """Return the folder that keeps compiled libraries, made if it is missing.

    Where it cannot be written to, it is a folder that is removed when the process ends.
    """
    folder = user_cache_path("ncnet")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        private = tempfile.mkdtemp(prefix="ncnet-")
        atexit.register(shutil.rmtree, private, ignore_errors=True)
        return Path(private)
