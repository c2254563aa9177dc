"""The command ``python -m ncnet.explorer``, which recorded tables name: `ncnet.studies.atlas.explorer`."""

from ncnet.studies.atlas.explorer import record

if __name__ == "__main__":
    record()
