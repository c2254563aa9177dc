"""Joins or records a finished batch, as the Snakefile asks: ``python -m ncnet.companion.batch``."""

import argparse
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
    parser = argparse.ArgumentParser(prog="python -m ncnet.companion.batch", description=__doc__)
    parser.add_argument("step", choices=["gather", "record"])
    parser.add_argument("file", help="the batch file")
    parser.add_argument("folder", help="where its cells are")
    main(**vars(parser.parse_args()))
