"""Lets what a figure was drawn from travel with the figure.

`show` displays a figure and writes, into the metadata of this output, the data that it was drawn
from and what made them: the parameters of the run, or which recorded table they are. Any executed
notebook then holds its figures' data. The book puts a line under each figure that names its
sources, and offers the data as files.
"""

import base64
from collections.abc import Mapping

import pandas as pd
import xarray as xr

from ncnet import renamed, results
from ncnet.checks import check_type

METADATA = "ncnet"
"""The key of an output's metadata under which `show` leaves the sources."""
LONGEST_CSV = 20_000
"""Rows up to which a table is text that a spreadsheet opens; a longer one is parquet."""
Source = pd.DataFrame | xr.Dataset | xr.DataArray | results.Result
"""Numbers of this run, or a recorded table."""


def show(figure: object, *, parameters: dict | None = None, **drawn_from: Source | None) -> None:
    """Display a figure with its sources in the output's metadata.

    Parameters
    ----------
    figure
        Anything that Jupyter can display, such as matplotlib's; nothing is shown for None.
    parameters
        Those of the run that computed live numbers, seeds included.
    drawn_from
        The sources of the figure, each under the name that its file is to have; None is left out.

    Raises
    ------
    ValueError
        For a source that is neither a table, an array nor a recorded result.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> figure = SimpleNamespace(points=1)
    >>> show(figure, parameters={"seed": 0}, s=pd.DataFrame({"n": [3], "s": [2.3]}))
    namespace(points=1)
    """
    from IPython.display import display  # a part of Jupyter, where alone figures are shown

    if figure is None:
        return
    given = {name: source for name, source in drawn_from.items() if source is not None}
    sources = [as_metadata(name, source) for name, source in given.items()]
    metadata = {"sources": sources}
    if any(source["kind"] == "live" for source in sources):
        metadata["parameters"] = parameters or {}
    display(figure, metadata={METADATA: metadata})


def as_metadata(name: str, source: Source) -> dict:
    r"""Return a source as JSON can hold it: its ``kind``, ``file`` name and ``content`` in base64.

    Of an array, such as the outcomes of every replica, the table has one row an element. A table
    recorded in ``results/`` is named, not copied.

    Examples
    --------
    >>> live = as_metadata("s", pd.DataFrame({"n": [3], "s": [2.3]}))
    >>> live["file"], base64.b64decode(live["content"])
    ('s.csv', b'n,s\n3,2.3\n')
    >>> import ncnet
    >>> outcomes = ncnet.train(ncnet.games.overlap(), hidden_size=1, replicas=2, seed=0, steps=1)
    >>> live = as_metadata("outcomes", outcomes[["a", "b"]])
    >>> live["file"], len(base64.b64decode(live["content"]).splitlines())
    ('outcomes.csv', 65)
    """
    if isinstance(source, results.Result) and source.name:
        return {"kind": "recorded", "result": source.name}
    table = _table(name, source)
    if len(table) > LONGEST_CSV:
        file, content = f"{name}.parquet", table.to_parquet(index=False)
    else:
        numbered = table.index.names == [None]
        text = table.to_csv(index=not numbered, lineterminator="\n")
        file, content = f"{name}.csv", text.encode()
    return {"kind": "live", "file": file, "content": base64.b64encode(content).decode()}


def formats(result: results.Result) -> tuple[str, ...]:
    """Return the suffixes of the files of a recorded table in the book, the handiest first.

    >>> formats(results.load("capacity"))
    ('csv', 'parquet', 'json')
    """
    stored = ("parquet", "json")
    return stored if len(result.table) > LONGEST_CSV else ("csv", *stored)


def short_commit(provenance: Mapping) -> str:
    """Return the first ten characters of the commit that a table was recorded on, or of several.

    >>> short_commit({"commit": "17d3e920446aa99a5d3d", "clean": False})
    '17d3e92044 with changes'
    >>> short_commit({"commit": None, "clean": None})
    'not recorded'
    """
    if provenance["commit"] is None:
        return "not recorded"
    short = ", ".join(one[:10] for one in provenance["commit"].split(", "))
    return short if provenance["clean"] else f"{short} with changes"


def _table(name: str, source: Source) -> pd.DataFrame:
    expected = "a table (pandas), an array (xarray) or a recorded result"
    check_type(name, source, Source, expected)
    if isinstance(source, results.Result):
        return source.table
    if isinstance(source, xr.DataArray):
        source = source.to_dataset(name=name)
    return source.to_dataframe().reset_index() if isinstance(source, xr.Dataset) else source


__getattr__ = renamed.names(__name__, {"described": "as_metadata", "commit": "short_commit"})
