"""Joins or records a finished batch, as the Snakefile asks: ``python -m ncnet.companion.batch``."""

import argparse
import sys
from pathlib import Path

from ncnet.companion import batch as batches

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m ncnet.companion.batch", description=__doc__)
    parser.add_argument("step", choices=["gather", "record"])
    parser.add_argument("file", help="the batch file")
    parser.add_argument("folder", help="where its jobs are", type=Path)
    asked = parser.parse_args()
    try:
        batch = batches.read(asked.file)
        if asked.step == "gather":
            batches.gather(batch, asked.folder)
        else:
            print("recorded", *batches.record(batch, asked.folder), sep="\n  ")
    except batches.BatchError as error:
        sys.exit(str(error))
