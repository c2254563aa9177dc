"""The command ``python -m ncnet.atlas``, by which tables of RQ6 were recorded."""

from ncnet.studies.atlas.analysis import record

if __name__ == "__main__":
    record()
