"""Install the locked packages and this one: ``python .ci/install.py``.

uv does it in half a minute, and pip in minutes where uv cannot be had or fails. Both read one lock
and look where pip's settings say. Where there is no NVIDIA driver, torch's build for CPUs is taken,
which is several GB smaller: from wheels that the settings name, or else from torch's own index.
"""

import argparse
import ast
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"
DRIVER = (
    "/sys/module/nvidia/version",
    "/proc/driver/nvidia/version",
    "/usr/lib/wsl/lib/nvidia-smi",
)
SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}
"""Settings of pip, and the variables by which uv is told the same."""
LISTS = {"UV_INDEX": " ", "UV_FIND_LINKS": ","}
LOCKED = [["-r", "requirements.txt"], ["--no-deps", "--no-build-isolation", "--editable", "."]]
"""What pip and uv are asked for, one after the other."""


def locked(name):
    """Return the version that the lock has of a package."""
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return re.search(rf"^{re.escape(name)}==(\S+)$", lock, re.MULTILINE)[1]


def as_uv_is_told(listed, environ):
    r"""Return the variables by which uv looks for packages where pip does.

    Parameters
    ----------
    listed
        What ``pip config list`` prints: pip's files and its variables (``:env:``).
    environ
        The environment. What it says to uv already, stays.

    >>> as_uv_is_told("global.find-links='/a /b'", {})
    {'UV_FIND_LINKS': '/a,/b'}
    >>> as_uv_is_told("global.cert='/a'\n:env:.index-url='https://b'", {"SSL_CERT_FILE": "/c"})
    {'UV_DEFAULT_INDEX': 'https://b', 'UV_INDEX_STRATEGY': 'unsafe-best-match'}
    """
    found = {}
    lines = re.findall(r"^(:env:|global|install)\.([\w-]+)=(.+)$", listed, re.MULTILINE)
    for where in ("global", "install", ":env:"):  # the last one wins, as with pip
        found |= {name: ast.literal_eval(value) for place, name, value in lines if place == where}
    told = {SETTINGS[name]: value for name, value in found.items() if name in SETTINGS}
    told = {name: LISTS.get(name, "").join(value.split()) for name, value in told.items()}
    told = {name: value for name, value in told.items() if value and name not in environ}
    if not told.keys().isdisjoint({"UV_DEFAULT_INDEX", "UV_INDEX"}):
        told["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # all indexes are asked, as by pip
    return told


def wants_cpu_build(system, driver_files):
    """Return whether torch's build for CPUs is another one here, and the one to take.

    >>> wants_cpu_build("Linux", []), wants_cpu_build("Darwin", [])
    (True, False)
    """
    return system == "Linux" and not any(map(os.path.exists, driver_files))


def run(command, environ, quiet=False):
    """Run a command and return whether it succeeded."""
    errors = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, env=environ, cwd=ROOT, stderr=errors).returncode == 0


def pip(python):
    """Return the command by which pip installs into the environment of a Python."""
    return [python, "-m", "pip", "--disable-pip-version-check", "install", "-qq"]


def uv(python):
    """Return the command by which this environment's uv does."""
    return [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python]


def install(installer, asked, environ, cpu_build):
    """Install all that is asked for with pip or uv; return whether that succeeded."""
    if cpu_build:
        torch = [*installer, "--no-deps", f"torch=={locked('torch')}+cpu"]
        places = (["--no-index"], ["--index-url", CPU_BUILDS])
        if not any(run([*torch, *place], environ, quiet=True) for place in places):
            print("No build of torch for CPUs was found: the usual one follows, of several GB.")
    return all(run([*installer, *arguments], environ) for arguments in asked)


def main():
    """Install with uv, or else with pip."""
    parser = argparse.ArgumentParser(
        prog="python .ci/install.py",
        description="Install the locked packages and this one with uv, or else with pip.",
    )
    parser.add_argument(
        "--python", default=sys.executable, help="whose environment is filled (default: this one)"
    )
    parser.add_argument("--requirements", help="a file to install in place of the locked packages")
    options = parser.parse_args()
    asked = [["-r", options.requirements]] if options.requirements else LOCKED
    # setuptools warns of what an editable installation is
    environ = os.environ | {"PYTHONWARNINGS": "ignore"}
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    cpu_build = wants_cpu_build(platform.system(), DRIVER)
    if run([*pip(sys.executable), f"uv=={locked('uv')}"], environ, quiet=True):
        told = environ | as_uv_is_told(listed, environ)
        if install(uv(options.python), asked, told, cpu_build):
            return
        print("uv could not install the packages: pip tries, which takes some minutes.")
    else:
        print("uv cannot be had here: pip installs the packages, which takes some minutes.")
    if not install(pip(options.python), asked, environ, cpu_build):
        sys.exit("error: the packages could not be installed; the reason stands above")


if __name__ == "__main__":
    main()
