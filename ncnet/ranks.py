"""Runs `ncnet.studies.ranks.recorded.record` as ``python -m ncnet.ranks``."""

import argparse

from ncnet.studies.ranks.recorded import record

if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m ncnet.ranks", description=record.__doc__).parse_args()
    record()
