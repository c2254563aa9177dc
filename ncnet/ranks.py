"""Runs `ncnet.studies.ranks.analysis.record` as ``python -m ncnet.ranks``."""

import argparse

from ncnet.studies.ranks.analysis import record

if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m ncnet.ranks", description=record.__doc__).parse_args()
    record()
