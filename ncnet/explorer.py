"""Runs `ncnet.studies.atlas.explorer.record` as ``python -m ncnet.explorer``."""

import argparse

from ncnet import results
from ncnet.studies.atlas.explorer import record

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m ncnet.explorer", description=record.__doc__)
    parser.parse_args()
    if told := results.no_clone():
        parser.error(told)
    record()
