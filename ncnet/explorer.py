"""The command ``python -m ncnet.explorer``, by which the tables of "Play" were recorded."""

from ncnet.studies.atlas.explorer import record

if __name__ == "__main__":
    record()
