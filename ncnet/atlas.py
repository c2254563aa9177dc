"""Runs `ncnet.studies.atlas.analysis.record` as ``python -m ncnet.atlas``."""

import argparse

from ncnet.studies.atlas.analysis import record

if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m ncnet.atlas", description=record.__doc__).parse_args()
    record()
