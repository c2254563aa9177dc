"""The command ``python -m ncnet.ranks``, by which tables of RQ3 on real models were recorded."""

from ncnet.studies.ranks.analysis import record

if __name__ == "__main__":
    record()
