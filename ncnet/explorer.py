"""Runs `ncnet.studies.atlas.explorer.record` as ``python -m ncnet.explorer``."""

from ncnet.studies.atlas.explorer import record

if __name__ == "__main__":
    record()
