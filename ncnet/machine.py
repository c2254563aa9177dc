"""What a number may depend on besides code, packages and parameters: processor and compiler."""

import os
import platform
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

COMPILERS = ("c++", "g++", "clang++")
"""Looked for in this order, as `ncnet.training.compiler` does, which brings torch."""
MACROS = {
    "clang++": ("__clang_major__", "__clang_minor__", "__clang_patchlevel__"),
    "g++": ("__GNUC__", "__GNUC_MINOR__", "__GNUC_PATCHLEVEL__"),
}
"""Where compilers say their version, clang first, which also passes for g++."""
MOST_SECONDS = 20


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
    said = dict(re.findall(r"^(model name|cpu family|model)\s*: *(.*)$", first, re.MULTILINE))
    words = {"model name": "", "cpu family": "family ", "model": "model "}
    # A name alone, such as AMD EPYC, stands for processors with other instructions.
    return " ".join(words[name] + said[name].strip() for name in words if name in said)


@cache
def compiler() -> str | None:
    """Return the C++ compiler that would make the kernels, such as ``g++ 12.2.0``.

    None where there is none, or none that works. ``CXX`` names another one than the first of
    `COMPILERS`.
    """
    named = os.environ.get("CXX", "").strip()
    try:
        candidates = [shlex.split(named)] if named else [[name] for name in COMPILERS]
    except ValueError:
        return None
    return next(filter(None, map(_version, candidates)), None)


def _version(command: list[str]) -> str | None:
    """Return what a compiler's predefined macros say that it is, whatever it is called."""
    asked = [*command, "-march=native", "-dM", "-E", "-x", "c++", os.devnull]
    try:
        done = subprocess.run(
            asked,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=MOST_SECONDS,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    macros = dict(re.findall(r"^#define (\w+) (.*)$", done.stdout, re.MULTILINE))
    for name, numbers in MACROS.items():
        if numbers[0] in macros:
            return f"{name} {'.'.join(macros.get(one, '0') for one in numbers)}"
    return None
