"""The command ``python -m ncnet.atlas``, which recorded tables name: `ncnet.studies.atlas.analysis`."""

from ncnet.studies.atlas.analysis import record

if __name__ == "__main__":
    record()
