"""Runs `ncnet.studies.atlas.explorer.record` as ``python -m ncnet.explorer``."""

import argparse

from ncnet.studies.atlas.explorer import record

if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="python -m ncnet.explorer", description=record.__doc__
    ).parse_args()
    record()
