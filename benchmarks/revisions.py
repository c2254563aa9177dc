"""Puts the package of another commit beside today's benchmarks, to time both in one run."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def commit(revision: str) -> str:
    """Return the name of a commit of this checkout.

    Raises
    ------
    ValueError
        For what names none.
    """
    command = ["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8")
    if done.returncode:
        raise ValueError(f"the revision is {revision!r}: expected a commit of this checkout")
    return done.stdout.strip()


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """Yield a folder in which ``python -m benchmarks...`` times the package of another commit.

    The benchmarks are today's: both packages do the same work, timed in the same way.

    Raises
    ------
    ValueError
        For what names no commit.
    """
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder) / "package.zip"
        command = ["git", "archive", f"--output={packed}", commit(revision), "ncnet"]
        subprocess.run(command, cwd=ROOT, check=True)
        shutil.unpack_archive(packed, folder)
        shutil.copytree(ROOT / "benchmarks", Path(folder) / "benchmarks")
        yield Path(folder)
