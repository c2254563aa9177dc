"""The command ``python -m ncnet.ranks``, which recorded tables name: `ncnet.studies.ranks.analysis`."""

from ncnet.studies.ranks.analysis import record

if __name__ == "__main__":
    record()
