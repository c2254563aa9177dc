"""Keys of random numbers that follow from a name, the same on every machine."""

import hashlib


def task_key(name: str) -> int:
    """Return the key of a task's random numbers: a digest of its name.

    A head that is drawn by it follows from its task, and not from whose it is.

    >>> task_key("sst2")
    16970584048441915917
    """
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
