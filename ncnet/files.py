"""Writes files whole or not at all, and folders of one kind only."""

import json
import os
import tempfile
from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it, so that none is ever read half written.

    Raises
    ------
    OSError
        Where it cannot be written, such as on a full disk: what was there before is still there.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "numbers"
    ...     replace(path, b"1 2 3")
    ...     path.read_bytes()
    b'1 2 3'
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    written = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as temporary:
            temporary.write(content)
            temporary.flush()
            os.fsync(temporary.fileno())
        # Closed by now: Windows renames and deletes no file that is open.
        written.chmod(0o644)  # temporary files are private, results are not
        written.replace(path)
    except BaseException as error:
        written.unlink()
        if isinstance(error, OSError) and error.errno:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def claim(path: Path, described: dict) -> None:
    """Write into `path` what all files of its folder have in common, or check that it is the same.

    Raises
    ------
    ValueError
        If it is something else; the line names the first difference.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     claim(Path(folder) / "run.json", {"seed": 0})
    ...     claim(Path(folder) / "run.json", {"seed": 0})
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    described = json.loads(json.dumps(described))
    if not path.exists():
        replace(path, json.dumps(described, indent=2).encode())
    try:
        there = dict(json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}): choose another folder") from None
    for name, value in described.items():
        if there.get(name) == value:
            continue
        if name.startswith("source of "):
            what = f"another version of `{name.removeprefix('source of ')}` than is given here"
        else:
            what = f"`{name}` {there.get(name)!r}, here it is {value!r}"
        raise ValueError(f"{path.parent} holds contexts with {what}: choose another folder")
