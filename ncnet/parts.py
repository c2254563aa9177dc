"""Keeps parts of a long run while it lasts, so that one that was cut off goes on where it was.

They lie in the run's own folder and go with it: a finished run removes them, and the same command
makes everything anew. One that was cut off finds them again if its inputs are the same:
parameters, versions, and the code as checksum of the files' bytes. That checksum serves nothing
else. No recorded table depends on it, and the folder may be deleted at any time.
"""

import contextlib
import hashlib
import io
import json
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd

from ncnet import results
from ncnet.files import checksum, code_of, differences, expanded, replace

INPUTS = "inputs.json"


class Parts:
    """The parts of one run.

    Parameters
    ----------
    folder
        The folder that keeps them, each set of inputs in one of its own: no run can take another's.
    parameters
        What the run was given, seeds included; anything JSON holds.
    code
        The code that ran besides the package, such as that of a notebook.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for _ in range(2):
    ...         parts = Parts(Path(folder), {"seed": 0})
    ...         table = parts.part({"n": 3}, lambda: print("once") or pd.DataFrame({"s": [2.0]}))
    ...     parts.clear()
    once
    """

    def __init__(self, folder: Path | str, parameters: dict, *, code: str = ""):
        described = {"parameters": parameters, "versions": results.installed_versions()}
        described["code"] = _digest([_package(), code])
        self._inputs = json.loads(json.dumps(described))
        self._folder = expanded(folder).absolute()
        self._place = self._folder / _digest(self._inputs)
        self._begun = False

    def part(self, described: dict, compute: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Return ``compute()``, or what it gave before the run was cut off.

        Parameters
        ----------
        described
            Which part of the run it is; anything JSON holds.
        compute
            Makes the table, which is then written in full before it takes its name.
        """
        path = self._begin() / f"{_digest(described)}.parquet"
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            content = compute().to_parquet(index=False)
            # Gone if another run with these inputs has ended meanwhile.
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, content)
        return pd.read_parquet(io.BytesIO(content))

    def folder(self, described: dict) -> Path:
        """Return the folder of a part that keeps what it finishes itself, file by file."""
        return self._begin() / _digest(described)

    def clear(self) -> None:
        """Remove all parts: the run is finished."""
        shutil.rmtree(self._place, ignore_errors=True)
        # What else lies there, such as parts of a run that goes on elsewhere, stays.
        with contextlib.suppress(OSError):
            self._folder.rmdir()

    def _begin(self) -> Path:
        if not self._begun:
            for path in self._folder.glob("[0-9a-f]" * 32 + f"/{INPUTS}"):
                if path.parent != self._place:
                    before = json.loads(path.read_text(encoding="utf-8"))
                    changed = [
                        name if name == "code" else f"{name} was {was!r}, is {now!r}"
                        for name, was, now in differences(before, self._inputs)
                    ]
                    print(
                        f"{self._folder}: parts of a run that was cut off are deleted, and all is "
                        f"computed anew, since inputs differ: {'; '.join(changed)}",
                        file=sys.stderr,
                    )
                    shutil.rmtree(path.parent, ignore_errors=True)
            self._place.mkdir(parents=True, exist_ok=True)
            replace(self._place / INPUTS, json.dumps(self._inputs, indent=2).encode())
            self._begun = True
        return self._place


def _digest(described: object) -> str:
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:32]


@cache
def _package() -> str:
    """Return a checksum of the package's files as they were when this process first asked."""
    package = Path(__file__).resolve().parent
    return checksum(code_of(package), package)
