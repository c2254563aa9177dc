"""Writes files whole or not at all."""

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
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as temporary:
        written = Path(temporary.name)
        try:
            temporary.write(content)
            temporary.flush()
            os.fsync(temporary.fileno())
            written.chmod(0o644)  # temporary files are private, results are not
            written.replace(path)
        except BaseException as error:
            written.unlink()
            if isinstance(error, OSError) and error.errno:
                raise OSError(error.errno, error.strerror, str(path)) from error
            raise
