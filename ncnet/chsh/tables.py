"""A long table of outcomes from elsewhere becomes a Dataset: a row a context, replica and item."""

import warnings
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import xarray as xr

from ncnet.checks import check, check_choice, check_type, suggestion
from ncnet.chsh.columns import Column, Labelled, read_labels, read_outcomes, read_settings
from ncnet.chsh.files import read_file, read_table
from ncnet.chsh.grid import Grid
from ncnet.chsh.outcomes import SETTINGS, as_dataset
from ncnet.files import storable
from ncnet.printing import shortened

REQUIRED = ("context", "replica", "item", "a", "b")
NETWORK = ("capacity", *SETTINGS, "replica")
OPTIONAL = {
    "split": ("item",),
    "cluster": ("replica",),
    "replica_seed": ("replica",),
    "alice_target": ("alice_setting", "item"),
    "bob_target": ("bob_setting", "item"),
    "diverged": NETWORK,
    "alice_loss": NETWORK,
    "bob_loss": NETWORK,
}
"""Columns that a table may have, and the dimensions that each depends on."""
COLUMNS = (*REQUIRED, *SETTINGS, "capacity", *OPTIONAL)
COORDINATES = ("split", "cluster", "replica_seed")
TARGETS = ("alice_target", "bob_target")
FEWEST_COPIED = 10
"""Distinct replicas from which on it is no accident that nearly all counts share a divisor."""
MOST_NAMED = 10
"""Columns that one warning names."""


def from_table(
    table: pd.DataFrame | str | Path, *, columns: Mapping[str, str] | None = None
) -> xr.Dataset:
    """Return a table of outcomes, one row for each context, replica and item, as a Dataset.

    For outcomes of any two-headed model, or of anything else with two parties. Every replica is
    there in all four contexts, with the same items in each.

    Parameters
    ----------
    table
        A DataFrame, of pandas or any that offers Arrow's PyCapsule interface, such as polars; or
        the path of a file: text with commas, semicolons or tabs, JSON lines or parquet, perhaps
        compressed with gzip. With these columns:
        `context`, Alice's setting and Bob's, such as 12, "(1,2)" or a tuple (1, 2), or the two
        columns `alice_setting` and `bob_setting`;
        `replica`, a number or name of what is independent: a seed, a participant;
        `item`, a number or name of what was answered. Names stay as they are written: a column of
        text holds numbers only if each cell is one, so "007", "7" and "NA" are three names;
        `a` and `b`, outcomes: all of them +1 and -1, 1 and 0, or true and false.
        And, where they are there: `split`, "training" or "held_out"; `cluster`, which replicas
        belong together and are averaged, such as the participants of a class; `capacity`; and what
        else `ncnet.train` and `ncnet.experiment.train` return, so that their
        ``outcomes.to_dataframe()`` can be read back, but for traces and attributes: where contexts
        started apart, copy these to ``table.attrs``, or the influence is reported as if they had
        not.
    columns
        What these columns are called in the table where they are called otherwise, such as
        ``{"a": "alice_right"}``.

    Returns
    -------
    xarray.Dataset
        As `report` reads it. The attribute `coding` says how outcomes were coded; others are those
        of the table (``table.attrs``), such as `paired`.

    Raises
    ------
    ValueError
        For a missing or repeated column, a cell that is missing or not allowed, outcomes in two
        codings, a row that is there twice, or a context that lacks a replica or an item: the
        message names the first; rows count from 0, without the header. For a file that holds no
        table.
    FileNotFoundError
        For a path at which there is no file.

    Warns
    -----
    UserWarning
        Of further columns, which are not read; and of ten or more distinct replicas of which nearly
        all (19 in 20) are there a multiple of the same number of times, as if they had been copied,
        where no `cluster` says what belongs together. Fewer distinct ones cannot be judged.

    Examples
    --------
    >>> rows = [(c, r, i, 1, 0) for c in (11, 12, 21, 22) for r in range(5) for i in ("x", "y")]
    >>> table = pd.DataFrame(rows, columns=["context", "replica", "item", "a", "b"])
    >>> outcomes = from_table(table)
    >>> dict(outcomes.sizes), outcomes.coding
    ({'alice_setting': 2, 'bob_setting': 2, 'replica': 5, 'item': 2}, '1 and 0')
    >>> from_table(table.drop(index=3))
    Traceback (most recent call last):
    ValueError: context (1,1) lacks replica 1 with item 'y': expected every replica with every \
item in each context, 10 rows a context
    """
    frame = _frame(table)
    chosen, ignored = _chosen(frame, columns or {})
    cells = {name: Column(series) for name, series in chosen.items()}
    labelled, coding = _labelled(cells)
    grid = Grid(_dimensions(cells))
    grid.check_unique(lambda first, second: _hint(frame, labelled, first, second))
    grid.check_complete()
    labels = {name: one for name, (one, _) in grid.dimensions.items()}
    variables = {
        name: grid.array(cells[name], one, OPTIONAL.get(name, labels))
        for name, one in labelled.items()
    }
    variables.setdefault("split", ("item", np.full(len(labels["item"]), "training")))
    coordinates = labels | {name: variables.pop(name) for name in COORDINATES if name in variables}
    dataset = xr.Dataset(variables, coordinates, storable(frame.attrs | {"coding": coding}))
    if "capacity" in cells:
        dataset["capacity"].attrs["capacity_name"] = str(chosen["capacity"].name)
        dataset = dataset if dataset.sizes["capacity"] > 1 else dataset.squeeze("capacity")
    _warn_of_ignored(ignored, cells)
    _warn_of_copies(dataset)
    return as_dataset(dataset)


def _frame(table: object) -> pd.DataFrame:
    """Return a table as a DataFrame whose index only counts its rows."""
    if isinstance(table, (str, Path)):
        table = read_table(read_file(table), Path(table).name)
    elif hasattr(table, "__arrow_c_stream__") and not isinstance(table, pd.DataFrame):
        table = pyarrow.table(table).to_pandas()
    check_type("table", table, pd.DataFrame, "a DataFrame or the path of a file")
    levels = [name for name in table.index.names if name is not None and name not in table]
    return table.reset_index(levels).reset_index(drop=True)


def _chosen(frame: pd.DataFrame, columns: object) -> tuple[dict[str, pd.Series], list[str]]:
    """Return the columns that are read, by our names, and the names of the others."""
    names = list(frame.columns)
    check_type("columns", columns, Mapping, "a dict")
    for name, theirs in columns.items():
        check_choice("column", name, COLUMNS)
        if theirs not in names:
            line = f"the table has no column `{shortened(str(theirs))}`, to be `{name}`"
            raise ValueError(f"{line}{suggestion(theirs, map(str, names))}")
    wanted = {name: name for name in COLUMNS} | dict(columns)
    given = {name: theirs for name, theirs in wanted.items() if theirs in names}
    if "context" in given:
        given = {name: theirs for name, theirs in given.items() if name not in SETTINGS}
    for name in (*SETTINGS, *REQUIRED[1:]) if set(SETTINGS) <= set(given) else REQUIRED:
        if name not in given:
            found = shortened(str(list(map(str, names))), 400)
            one = ", so perhaps not separated by commas"
            several = ", and no `columns` that says which of them it is"
            hint = one if len(names) == 1 else several
            raise ValueError(f"the table has no column `{name}`: found {found}{hint}")
    for theirs in given.values():
        both = [f"`{other}`" for other, same in given.items() if same == theirs]
        would = f"column `{shortened(str(theirs))}` would be read as {' and as '.join(both)}"
        check(len(both) == 1, would, "another column for one of them")
        check(names.count(theirs) == 1, f"the table has two columns `{theirs}`", "one")
    check(len(frame), "the table has no rows", "one for each context, replica and item")
    chosen = {name: frame.iloc[:, names.index(theirs)] for name, theirs in given.items()}
    return chosen, [str(name) for name in names if name not in given.values()]


def _warn_of_ignored(ignored: list[str], read: Mapping) -> None:
    """Warn of columns that are not read, each with the optional one that it may be."""
    if not ignored:
        return
    optional = [name for name in ("capacity", *OPTIONAL) if name not in read]
    said = []
    for name in ignored[:MOST_NAMED]:
        near = get_close_matches(name.lower(), optional, n=1, cutoff=0.75)
        hint = f" (did you mean `{near[0]}`?)" if near else ""
        said.append(f"`{shortened(name)}`{hint}" if name else "one without a name")
    if len(ignored) > MOST_NAMED:
        said.append(f"{len(ignored) - MOST_NAMED} more")
    warnings.warn(f"columns that are not read: {', '.join(said)}", UserWarning, stacklevel=3)


def _labelled(cells: Mapping[str, Column]) -> tuple[dict[str, Labelled], str]:
    """Return what outcomes and optional columns mean, row by row, and the outcomes' coding."""
    outcomes, coding = read_outcomes({name: cells[name] for name in ("a", "b")})
    targets, _ = read_outcomes({name: cells[name] for name in TARGETS if name in cells})
    others = _read(cells, *(name for name in OPTIONAL if name not in TARGETS))
    return outcomes | targets | others, coding


def _dimensions(cells: Mapping[str, Column]) -> dict[str, Labelled]:
    """Return the labels of each dimension, and which of them a row has, in order."""
    contexts = [cells[name] for name in ("context", *SETTINGS) if name in cells]
    settings = dict(zip(SETTINGS, read_settings(contexts), strict=True))
    return _read(cells, "capacity") | settings | _read(cells, "replica", "item")


def _read(cells: Mapping[str, Column], *names: str) -> dict[str, Labelled]:
    """Return the labels of those of the named columns that the table has."""
    return {name: read_labels(name, cells[name]) for name in names if name in cells}


def _copied(counts: np.ndarray) -> tuple[int, int]:
    """Return of which number nearly all counts are multiples, else 1, and how many are not.

    Parameters
    ----------
    counts
        How often each distinct replica is there [K]. At most K // 20 may be no multiple, as where
        some copies were dropped. That all others are multiples by chance has a probability of about
        2^-K times few. Fewer than ten counts cannot be judged.

    Examples
    --------
    >>> _copied(np.array([6] * 19 + [5]))
    (6, 1)
    """
    spared = len(counts) // 20
    if len(counts) < FEWEST_COPIED:
        return 1, 0
    times = np.arange(np.sort(counts)[spared], 0, -1)
    others = (counts % times[:, None] > 0).sum(axis=1)
    found = (others <= spared).argmax()
    return int(times[found]), int(others[found])


def _hint(frame: pd.DataFrame, labelled: Mapping[str, Labelled], *rows: int) -> str:
    """Return why two rows may have the same context, replica and item, for a message."""
    if "step" in frame:
        return " (traces, which are over `step`, are not read: leave them out)"
    if "split" in labelled and len(set(labelled["split"][1][list(rows)])) > 1:
        return " (they differ in `split`: items of two splits need different names)"
    return ""


def _warn_of_copies(dataset: xr.Dataset) -> None:
    """Warn where replicas look copied and no `cluster` says which belong together."""
    if "cluster" in dataset.coords:
        return
    both = dataset[["a", "b"]].to_dataarray().transpose("replica", ...).values
    _, counts = np.unique(both.reshape(len(both), -1), axis=0, return_counts=True)
    times, others = _copied(counts)
    if times > 1:
        each = f"all but {others} of them" if others else "each"
        warnings.warn(
            f"{len(both):,} replicas are {len(counts):,} different ones, {each} there a "
            f"multiple of {times:,} times: if they are copies, intervals are too narrow (a column "
            "`cluster` says which belong together)",
            UserWarning,
            stacklevel=3,
        )
