"""Describes what numbers depend on besides code and packages: the processor and the compiler."""

import os
import platform
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Returned = TypeVar("Returned")

COMPILERS = ("c++", "g++", "clang++")
PROCESSOR = "-march=native"
VERSIONS = {"clang++": "__clang_version__", "g++": "__VERSION__"}
"""The macros that hold a compiler's version; clang comes first, since it passes for g++, too."""
MOST_SECONDS = 20
"""The seconds after which a compiler is given up; it takes half a second."""


class CompilerError(RuntimeError):
    """Nothing was compiled; the message says why, in one line."""


@cache
def described() -> str:
    """Return system, architecture, cores, and the processor with its family and model.

    The processor is left out where it is not known.

    >>> described().startswith(platform.system())
    True
    """
    place = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    processor = _processor()
    return f"{place}, {processor}" if processor else place


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    first = text.split("\n\n")[0]
    fields = dict(re.findall(r"^(model name|cpu family|model)\s*: *(.*)$", first, re.MULTILINE))
    words = {"model name": "", "cpu family": "family ", "model": "model "}
    # A name alone, such as AMD EPYC, stands for processors with other instructions.
    return " ".join(words[name] + fields[name].strip() for name in words if name in fields)


@cache
def compiler() -> str | None:
    """Return the C++ compiler that would make the kernels, such as ``g++ 12.2.0``.

    None where there is none, or none that works.
    """
    try:
        _, macros = find_compiler()
    except CompilerError:
        return None
    for name, macro in VERSIONS.items():
        if found := re.search(rf'^#define {macro} "(\d[\d.]*)', macros, re.MULTILINE):
            return f"{name} {found[1]}"
    return None


def once(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """Decorate a function so that it is called once with the same arguments, also if it fails.

    A compiler that fails, or takes too long, is not tried again at every training.
    """

    @cache
    def attempt(*arguments: Given.args) -> tuple[Returned | None, CompilerError | None]:
        try:
            return function(*arguments), None
        except CompilerError as error:
            return None, error

    @wraps(function)
    def call(*arguments: Given.args) -> Returned:
        returned, error = attempt(*arguments)
        if error is not None:
            raise error
        return returned

    call.cache_clear = attempt.cache_clear
    return call


@once
def find_compiler() -> tuple[tuple[str, ...], str]:
    """Return the compiler's command, and its macros, which describe it and the processor.

    ``CXX`` names another compiler than the first of `COMPILERS` that works. It may have a wrapper
    and options, and is split as a shell would: ``ccache g++ -O1``.

    Raises
    ------
    CompilerError
        If there is none, or it fails.
    """
    named = os.environ.get("CXX", "").strip()
    try:
        candidates = [shlex.split(named)] if named else [[name] for name in COMPILERS]
    except ValueError as error:
        raise CompilerError(f"`CXX` is {named!r}: it cannot be split, {error}") from error
    failures = []
    for name, *options in candidates:
        path = shutil.which(name)
        if path is None and not (os.sep in name and Path(name).exists()):
            continue
        compiler = (path or name, *options)
        # Its version and all it knows of the processor are predefined macros.
        try:
            return compiler, run_compiler(
                [*compiler, PROCESSOR, "-dM", "-E", "-x", "c++", os.devnull]
            )
        except CompilerError as error:
            failures.append(error)
    missing = ", ".join(name for name, *_ in candidates)
    raise failures[0] if failures else CompilerError(f"no C++ compiler was found ({missing})")


def run_compiler(command: list[str]) -> str:
    """Return what a command of a compiler prints, or raise `CompilerError`."""
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
        reason = next((line for line in lines if "error" in line), lines[-1])
        raise CompilerError(f"{command[0]} failed: {reason}") from error
    except OSError as error:
        raise CompilerError(f"{command[0]} cannot be run: {error.strerror}") from error
    return done.stdout
