"""Runs `ncnet.studies.atlas.analysis.record` as ``python -m ncnet.atlas``."""

import argparse

from ncnet import results
from ncnet.studies.atlas.analysis import record

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m ncnet.atlas", description=record.__doc__)
    parser.parse_args()
    if told := results.no_clone():
        parser.error(told)
    record()
