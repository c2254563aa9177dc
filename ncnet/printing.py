"""Text for a terminal: printable, not too long, on streams that may be closed or full."""

import errno
import os
import sys
from typing import TextIO

LONGEST, LONGEST_LINE = 80, 1000
"""The most letters of a name or a value in a message, and of a whole message."""


def printable(text: str) -> str:
    r"""Return text on one line, with all that steers a terminal written out.

    >>> print(printable("red \x1b[31m, two\nlines, \u202eback"))
    red \x1b[31m, two\nlines, \u202eback
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return text of at most so many letters: of longer text the beginning and the end.

    >>> shortened("0123456789", 7)
    '01...89'
    """
    half = (longest - 3) // 2
    return text if len(text) <= longest else f"{text[:half]}...{text[-half:]}"


def shown(value: object) -> str:
    r"""Return what a value looks like in code, on one line that is not too long.

    >>> print(shown("two\nlines"), shown(list(range(100))))
    'two\nlines' [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1...1, 92, 93, 94, 95, 96, 97, 98, 99]
    """
    return shortened(printable(repr(value)))


def write(text: str) -> None:
    """Print text on standard output, and nothing where its reader has closed it.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    error = _failure(text, sys.stdout)
    # The second is what a closed pipe is on Windows.
    if error is not None and error.errno not in (errno.EPIPE, errno.EINVAL):
        raise OSError(error.errno, error.strerror, "standard output")


def say(line: str) -> None:
    """Print one line on standard error, as far as it can be: there is nowhere else to say so."""
    _failure(shortened(printable(line), LONGEST_LINE), sys.stderr)


def _failure(text: str, stream: TextIO | None) -> OSError | None:
    """Print text that any stream can take; return why it could not be."""
    if stream is None:
        return OSError(errno.EBADF, "it is closed")
    encoding = stream.encoding or "ascii"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)
    except OSError as error:
        # Python would try again at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error
    return None
