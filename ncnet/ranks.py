"""Runs `ncnet.studies.ranks.analysis.record` as ``python -m ncnet.ranks``."""

from ncnet.studies.ranks.analysis import record

if __name__ == "__main__":
    record()
