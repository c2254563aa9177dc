"""Finds by their old place the functions of `ncnet.studies.ranks.pigeonhole`."""

from ncnet import renamed

PLACE = "ncnet.studies.ranks.pigeonhole"
__getattr__ = renamed.names(
    __name__, {f"crossed_{name}": f"{PLACE}.pigeonhole_{name}" for name in ("means", "interval")}
)
