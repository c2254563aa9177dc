"""Print a release's section of the changelog: ``python .ci/release_notes.py v0.1.0``.

A tag that is not the version of ``pyproject.toml``, or that has no section, is refused.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def notes(tag, version, changelog):
    """Return what `changelog` says of the release `tag`.

    Raises
    ------
    ValueError
        If the tag is of another version, or the changelog has no section of it.
    """
    if tag != f"v{version}":
        raise ValueError(f"the tag is {tag}, but the version in pyproject.toml is {version}")
    heading = rf"^## \[?{re.escape(version)}\]?(?: [^\n]*)?\n"
    found = re.search(rf"{heading}(.*?)(?=^## |^\[|\Z)", changelog, re.MULTILINE | re.DOTALL)
    if not found or not found[1].strip():
        raise ValueError(f"CHANGELOG.md has no section on {version}")
    return found[1].strip()


def main():
    """Print the notes of the tag on the command line, or say what is wrong."""
    [tag] = sys.argv[1:]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]
    try:
        print(notes(tag, version, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    except ValueError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
