"""Writes files whole or not at all, and folders of one kind only; says what files can hold."""

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from ncnet.printing import printable, shown

CODE = (".py", ".cpp", ".h", ".mplstyle")
"""Suffixes of the files that a package's results depend on."""


def expanded(path: str | Path) -> Path:
    """Return a path whose leading ``~`` is the home folder, as in a shell.

    What begins with ``~`` and names nobody's home stays as it is: a file may be called so.

    >>> expanded("~/outcomes.csv") == Path.home() / "outcomes.csv"
    True
    >>> expanded("~outcomes.csv").name
    '~outcomes.csv'
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111, the other one refuses such files


def replace(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it, so that none is ever read half written.

    A link stays one: what it points to is replaced.

    Raises
    ------
    OSError
        Where it cannot be written, such as on a full disk: what was there before is still there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "numbers"
    ...     replace(path, b"1 2 3")
    ...     path.read_bytes()
    b'1 2 3'
    """
    place = Path(os.path.realpath(path))
    try:
        with _beside(place, content) as written:
            written.replace(place)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextlib.contextmanager
def _beside(path: Path, content: bytes) -> Iterator[Path]:
    """Write a file of another name into the folder of `path`, and remove it in the end."""
    written = path.with_name(f".{uuid.uuid4().hex}")
    try:
        with written.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        written.chmod(0o644)  # others may read results, whatever this process is told of its files
        # Closed by now: Windows renames and deletes no file that is open.
        yield written
    finally:
        written.unlink(missing_ok=True)


def code_of(folder: Path) -> list[Path]:
    """Return the files of Python and C++, and style sheets, in a folder and below it, sorted."""
    return sorted(path for path in folder.rglob("*") if path.suffix in CODE)


def checksum(files: Iterable[Path], root: Path) -> str:
    """Return one checksum of the names of files, as seen from `root`, and of their bytes.

    Times of files, and the order in which they are named, play no part.
    """
    content = hashlib.sha256()
    for path in sorted(set(files)):
        content.update(f"{os.path.relpath(path, root)}\0".encode())
        content.update(hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()


def write_or_compare(path: Path, described: dict) -> None:
    """Write into `path` what all files of its folder have in common, or check that it is the same.

    Of two that write at once one is first, and the other is held against it.

    Raises
    ------
    ValueError
        If it is something else; the line names the first difference.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_or_compare(Path(folder) / "run.json", {"seed": 0})
    ...     write_or_compare(Path(folder) / "run.json", {"seed": 0})
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(described, indent=2)
    if not path.exists():
        _create(path, text.encode())
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        different = list(differences(before, json.loads(text)))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}): choose another folder") from None
    for name, was, now in different:
        with_name = f"{path.parent} holds contexts with `{printable(name)}`"
        found = f"{with_name} {shown(was)}, here it is {shown(now)}"
        raise ValueError(f"{found}: choose another folder")


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


NOTHING = _Nothing()
"""Stands for the value of a name that is not there; None is one that is."""


def differences(before: dict, now: dict, within: str = "") -> Iterator[tuple[str, object, object]]:
    """Yield the name of each value that differs, and both values; ``a.b`` is within a dict.

    >>> list(differences({"seed": 0, "code": {"a": 1}}, {"seed": 0, "code": {"a": 2, "b": None}}))
    [('code.a', 1, 2), ('code.b', nothing, None)]
    """
    for name in {**now, **before}:
        one, other = before.get(name, NOTHING), now.get(name, NOTHING)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from differences(one, other, f"{within}{name}.")
        # As texts: not a number is no equal of itself.
        elif one != other and repr(one) != repr(other):
            yield f"{within}{name}", one, other


def _create(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, whole; leave one that is."""
    with _beside(path, content) as written, contextlib.suppress(FileExistsError):
        try:
            os.link(written, path)
        except OSError:
            # A file system without links, such as a drive in the cloud.
            with path.open("xb") as file:
                file.write(content)


def storable(attributes: Mapping) -> dict:
    """Return attributes of a Dataset in a form that netCDF and zarr hold, and give back.

    Numbers and texts stay, and so do lists of at least two numbers or two texts. True and false
    become 1 and 0; anything else becomes its text in JSON.

    >>> storable({"paired": True, "tasks": ["AND", "XOR"], "data": {"rows": [1, 2]}})
    {'paired': 1, 'tasks': ['AND', 'XOR'], 'data': '{"rows": [1, 2]}'}
    """
    return {str(name): _storable(value) for name, value in attributes.items()}


def is_storable_text(text: str) -> bool:
    """Return whether files hold this text: no zero character, no half of a surrogate pair."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _storable(value: object) -> object:
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, bool):
        return int(value)
    several = list(value) if isinstance(value, (list, tuple)) and len(value) > 1 else [value]
    if len({isinstance(one, str) for one in several}) == 1 and all(map(_is_plain, several)):
        return value if len(several) == 1 else several
    return json.dumps(value, default=str)


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return is_storable_text(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, float) or (whole and -(2**63) <= value < 2**64)
