"""Outcomes from elsewhere: a long table of contexts, replicas and items."""

from collections.abc import Collection
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from ncnet.checks import suggestion
from ncnet.chsh.outcomes import DIMENSIONS, SPLITS, as_dataset

COLUMNS = ("context", "replica", "item", "a", "b")
CONTEXTS = ((1, 1), (1, 2), (2, 1), (2, 2))
BRACKETED = r"^(?:\( *(.*?) *\)|\[ *(.*?) *\]|(.*))$"
WRITTEN = r"^([12])(?:\.0+)?(?: *, *| *)([12])(?:\.0+)?$"
"""A context as text: two settings, perhaps apart; 12.0 is a number that was 12."""
READERS = {
    ".csv": partial(pd.read_csv, low_memory=False),  # in pieces, a column could get two types
    ".parquet": pd.read_parquet,
}


def from_table(table: pd.DataFrame | str | Path) -> xr.Dataset:
    """Return a table of outcomes, one row for each context, replica and item, as a Dataset.

    For outcomes of any two-headed model, or of anything else with two parties. Every replica is
    there in all four contexts, with the same items in each.

    Parameters
    ----------
    table
        A DataFrame, or the path of a CSV or parquet file, with these columns:
        `context`, Alice's setting and Bob's, such as 12, "(1,2)" or a tuple (1, 2);
        `replica`, a number or name of what is independent: a seed, a participant;
        `item`, a number or name of what was answered;
        `a` and `b`, outcomes +1 or -1.
        A column `split`, "training" or "held_out", is read if it is there. Others are refused.

    Raises
    ------
    ValueError
        For a missing, unknown or repeated column, a value that is missing or not allowed, a row
        that is there twice, or a context that lacks a replica or an item: the message names the
        first; rows count from 0, without the header. For a file that holds no table.
    FileNotFoundError
        For a path at which there is no file.

    Examples
    --------
    >>> rows = [(c, r, i, 1, 1) for c in (11, 12, 21, 22) for r in range(5) for i in ("x", "y")]
    >>> table = pd.DataFrame(rows, columns=["context", "replica", "item", "a", "b"])
    >>> dict(from_table(table).sizes)
    {'alice_setting': 2, 'bob_setting': 2, 'replica': 5, 'item': 2}
    >>> from_table(table.drop(index=3))
    Traceback (most recent call last):
    ValueError: context (1,1) lacks replica 1 with item 'y': expected every replica with every \
item in each context, 10 rows a context
    """
    rows = _read(table)
    _check_columns(rows)
    split = rows["split"] if "split" in rows else pd.Series("training", index=rows.index)
    rows = rows.assign(context=_settings(rows["context"]), split=split)
    for party in ("a", "b"):
        _check_outcomes(rows[party])
    _check_values(rows["split"], SPLITS, "`training` or `held_out`")
    for name in ("replica", "item"):
        _check_there(rows, name)
    keys = rows[["context", "replica", "item"]]
    _check_once(keys)
    replicas, items = (pd.Index(rows[name].unique()) for name in ("replica", "item"))
    _check_all_there(keys, replicas, items)
    return _dataset(rows, replicas, items)


def _read(table: pd.DataFrame | str | Path) -> pd.DataFrame:
    if isinstance(table, pd.DataFrame):
        in_index = [name for name in table.index.names if name in COLUMNS and name not in table]
        if in_index:
            raise ValueError(f"`{in_index[0]}` is in the index: expected a column (reset_index())")
        return table.reset_index(drop=True)
    if not isinstance(table, (str, Path)):
        raise ValueError(
            f"the table is a {type(table).__name__}: expected a DataFrame or the path of a file"
        )
    path = Path(table)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"the table is {path.name}: expected a file {' or '.join(READERS)}")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        rows = reader(path)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as a table: {str(error).strip()}") from error
    return rows if isinstance(rows.index, pd.RangeIndex) else _read(rows)


def _check_columns(rows: pd.DataFrame) -> None:
    missing = [name for name in COLUMNS if name not in rows]
    if missing:
        line = f"the table has no column `{missing[0]}`: found {list(map(str, rows.columns))}"
        if len(rows.columns) == 1:
            line += ", so perhaps not separated by commas"
        raise ValueError(line)
    twice = rows.columns[rows.columns.duplicated()]
    if len(twice):
        raise ValueError(f"the table has two columns `{twice[0]}`: expected one")
    valid = [*COLUMNS, "split"]
    unknown = [str(name) for name in rows if name not in valid]
    if unknown and unknown[0].startswith("Unnamed"):  # by pandas: a column without a name
        raise ValueError("the first column has no name: expected a CSV written with index=False")
    if unknown:
        raise ValueError(f"unknown column `{unknown[0]}`{suggestion(unknown[0], valid)}")
    if rows.empty:
        raise ValueError("the table has no rows")


def _settings(contexts: pd.Series) -> pd.Series:
    """Return contexts as pairs of settings, whichever way they are written."""
    place, written = pd.factorize(contexts.map(_as_text))
    inner = pd.Series(written, dtype=object).str.strip().str.extract(BRACKETED)
    digits = inner.bfill(axis=1)[0].str.extract(WRITTEN)
    wrong = digits.isna().any(axis=1).to_numpy()[place]
    if wrong.any():
        _refuse(contexts, wrong, "11, 12, 21 or 22")
    pairs = pd.Series(list(zip(digits[0].astype(int), digits[1].astype(int), strict=True)))
    return pairs.take(place).set_axis(contexts.index)


def _as_text(context: object) -> str:
    return ",".join(map(str, context)) if isinstance(context, (tuple, list)) else str(context)


def _check_outcomes(outcomes: pd.Series) -> None:
    wrong = ~outcomes.isin([-1, 1])
    if not wrong.any():
        return
    expected = "+1 or -1"
    first = outcomes[wrong].iloc[0]
    if isinstance(first, str):
        expected += ", as a number"
    elif not pd.isna(first) and first == 0:
        expected += " (if 1 is right and 0 wrong, 2 * x - 1 is)"
    _refuse(outcomes, wrong, expected)


def _check_values(column: pd.Series, valid: Collection, expected: str) -> None:
    wrong = ~column.isin(valid)
    if wrong.any():
        _refuse(column, wrong, expected)


def _check_there(rows: pd.DataFrame, name: str) -> None:
    wrong = rows[name].isna()
    if rows[name].dtype == object:
        wrong |= ~rows[name].map(pd.api.types.is_hashable)
    if wrong.any():
        _refuse(rows[name], wrong, "a number or a name")


def _refuse(column: pd.Series, wrong: pd.Series, expected: str) -> None:
    row = int(wrong.argmax())
    value = _plain(column.iloc[row])
    raise ValueError(f"row {row}: `{column.name}` is {value!r}: expected {expected}")


def _plain(value: object) -> object:
    """Return what numpy wraps, so that messages show 1 and not np.int64(1)."""
    return value.item() if isinstance(value, np.generic) else value


def _check_once(keys: pd.DataFrame) -> None:
    twice = keys.duplicated(keep=False)
    if twice.any():
        rows = np.flatnonzero((keys == keys[twice].iloc[0]).all(axis=1))[:2]
        raise ValueError(
            f"rows {rows[0]} and {rows[1]} both have {_named(*keys.iloc[rows[0]])}: expected one"
        )


def _check_all_there(keys: pd.DataFrame, replicas: pd.Index, items: pd.Index) -> None:
    for context in CONTEXTS:
        there = keys.loc[keys["context"] == context, ["replica", "item"]]
        if there.empty:
            raise ValueError(f"context {_pair(context)} is empty: expected all four contexts")
        if len(there) == len(replicas) * len(items):
            continue
        missing = pd.MultiIndex.from_product([replicas, items]).difference(
            pd.MultiIndex.from_frame(there), sort=False
        )
        replica, item = map(_plain, missing[0])
        raise ValueError(
            f"context {_pair(context)} lacks replica {replica!r} with item {item!r}: expected "
            "every replica with every item in each context, "
            f"{len(replicas) * len(items):,} rows a context"
        )


def _named(context: tuple[int, int], replica: object, item: object) -> str:
    return f"context {_pair(context)}, replica {_plain(replica)!r}, item {_plain(item)!r}"


def _pair(context: tuple[int, int]) -> str:
    return f"({context[0]},{context[1]})"


def _dataset(rows: pd.DataFrame, replicas: pd.Index, items: pd.Index) -> xr.Dataset:
    shape = (2, 2, len(replicas), len(items))
    context = rows["context"].map(CONTEXTS.index).to_numpy()
    place = (context // 2, context % 2, replicas.get_indexer(rows["replica"]))
    place = (*place, items.get_indexer(rows["item"]))
    outcomes = {}
    for party in ("a", "b"):
        values = np.zeros(shape, np.int8)
        values[place] = rows[party]
        outcomes[party] = (DIMENSIONS, values)
    splits = rows.groupby("item", sort=False)["split"].agg(["first", "nunique"]).reindex(items)
    mixed = splits.index[splits["nunique"] > 1]
    if len(mixed):
        raise ValueError(f"item {_plain(mixed[0])!r} is in two splits: expected one")
    coordinates = {
        "alice_setting": [1, 2],
        "bob_setting": [1, 2],
        "replica": replicas.to_numpy(),
        "item": items.to_numpy(),
        "split": ("item", splits["first"].to_numpy(str)),
    }
    return as_dataset(xr.Dataset(outcomes, coordinates))
