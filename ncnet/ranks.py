"""Runs `ncnet.studies.ranks.recorded.record` as ``python -m ncnet.ranks``."""

import argparse

from ncnet import results
from ncnet.studies.ranks.recorded import record

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m ncnet.ranks", description=record.__doc__)
    parser.parse_args()
    if told := results.no_clone():
        parser.error(told)
    record()
