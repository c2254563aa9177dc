"""Runs `ncnet.studies.atlas.analysis.record` as ``python -m ncnet.atlas``."""

from ncnet.studies.atlas.analysis import record

if __name__ == "__main__":
    record()
