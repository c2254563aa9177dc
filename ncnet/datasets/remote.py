"""Reads the published tasks from the Hugging Face hub, each at a pinned commit.

What was fetched once lies in the hub's own cache, by repository and commit, whoever fetched it:
later runs need no connection, and read the same rows.
"""

import io
from pathlib import Path

from pyarrow import ArrowException
from pyarrow.parquet import read_table

from ncnet.datasets import hub, validation
from ncnet.datasets.catalogue import Published
from ncnet.datasets.items import ItemsByKey


def read(task: str, published: Published) -> tuple[ItemsByKey, ItemsByKey, dict]:
    """Return the training items and the held-out ones by key, and where they are from.

    Raises
    ------
    ncnet.datasets.hub.Unavailable
        If what is needed was not fetched before and the hub cannot be reached.
    ValueError
        If a file is damaged, or a row is not what the data set's description promises.
    """
    name, fields_of, configuration, file, branch = published.repository
    configuration = configuration or task.rpartition("/")[2]
    files = [file.format(configuration=configuration, split=split) for split in published.splits]
    try:
        commit = hub.revision(name, kind="dataset", at=branch)
        folder = hub.download(name, commit, files, kind="dataset", at=branch)
    except hub.Unavailable as error:
        line = "connect, or give a folder that has the task (`folder`, or NCNET_DATA)"
        raise hub.Unavailable(f"{error}; {line}") from error
    found = []
    for split, path in zip(published.splits, files, strict=True):
        rows, where = map(fields_of, _published(folder / path)), f"`{task}`, {split} row"
        found.append(validation.items(published.row, split, rows, where=where, first=0))
    return *found, {"repository": name, "revision": commit, "configuration": configuration}


def _published(path: Path) -> list[dict]:
    content = io.BytesIO(path.read_bytes())
    try:
        return read_table(content).to_pylist()
    except (ArrowException, OSError, ValueError):
        # Of a link into the hub's cache, what it points to: a new link would lead there again.
        raise ValueError(f"{path.resolve()} is damaged: delete it") from None
