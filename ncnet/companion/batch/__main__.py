"""Joins or records a finished batch: ``python -m ncnet.companion.batch gather FILE FOLDER``."""

import sys
from pathlib import Path

from ncnet.companion import batch as batches


def main(step: str, file: str, folder: str) -> None:
    """Take one step of the Snakefile; what is wrong is one line, and status 1."""
    try:
        batch = batches.read(file)
        if step == "gather":
            batches.gather(batch, Path(folder))
        else:
            print("recorded", *batches.record(batch, Path(folder)), sep="\n  ")
    except batches.BatchError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
