"""What a Bell test reads: outcomes of two parties over settings, replicas and items."""

import numpy as np
import xarray as xr

from ncnet.checks import check_choice

Outcomes = xr.Dataset | tuple[np.ndarray, np.ndarray]
"""A Dataset as `ncnet.train` returns it, or a pair of arrays ``(a, b)``."""

DIMENSIONS = ("alice_setting", "bob_setting", "replica", "item")
READOUTS = ("correct", "solved", "prediction")


def as_dataset(outcomes: Outcomes) -> xr.Dataset:
    """Return outcomes as a checked Dataset.

    Parameters
    ----------
    outcomes
        A Dataset with `a` and `b` over (alice_setting, bob_setting, replica, item) and possibly
        `capacity`, or two arrays of shape [2, 2, replicas, items]: all their items are then read
        as training items.

    Raises
    ------
    ValueError
        For missing variables or dimensions, a missing context, no replica or item, or outcomes
        other than +-1.

    Examples
    --------
    >>> ones = np.ones((2, 2, 5, 8))
    >>> dict(as_dataset((ones, ones)).sizes)
    {'alice_setting': 2, 'bob_setting': 2, 'replica': 5, 'item': 8}
    >>> as_dataset((ones, 0 * ones))
    Traceback (most recent call last):
    ValueError: outcome `b` holds 0.0: expected +1 or -1 everywhere
    """
    dataset = outcomes if isinstance(outcomes, xr.Dataset) else _from_arrays(*outcomes)
    for name in ("a", "b"):
        _check_outcome(dataset, name)
    for setting in ("alice_setting", "bob_setting"):
        found = dataset[setting].values.tolist()
        if found != [1, 2]:
            raise ValueError(f"`{setting}` is {found}: expected [1, 2], all four contexts")
    if "split" not in dataset.coords:
        raise ValueError("outcomes have no coordinate `split` over items")
    return dataset


def read(outcomes: Outcomes, *, split: str, readout: str) -> tuple[xr.DataArray, xr.DataArray]:
    """Return both parties' outcomes of one split under one readout, as int8 +-1.

    Readouts: `correct` is +1 where the head classifies the item correctly; `solved` is +1
    only where it gets every item of the split right (one outcome a network: `item` has length
    1); `prediction` is the sign of the logit, correctness times target.

    Raises
    ------
    ValueError
        For an unknown readout, a split without items, or `prediction` without targets.
    """
    check_choice("readout", readout, READOUTS)
    dataset = as_dataset(outcomes)
    dataset = dataset.isel(item=_items(dataset, split))
    a, b = dataset["a"], dataset["b"]
    if readout == "solved":
        return a.min("item").expand_dims(item=1, axis=-1), b.min("item").expand_dims(
            item=1, axis=-1
        )
    if readout == "prediction":
        missing = [name for name in ("alice_target", "bob_target") if name not in dataset]
        if missing:
            raise ValueError(f"readout `prediction` needs targets: `{missing[0]}` is missing")
        return a * dataset["alice_target"], b * dataset["bob_target"]
    return a, b


def splits(outcomes: xr.Dataset) -> list[str]:
    """Return the splits that have items, ``training`` first.

    >>> splits(as_dataset((np.ones((2, 2, 1, 1)), np.ones((2, 2, 1, 1)))))
    ['training']
    """
    return sorted(set(outcomes["split"].values.tolist()), key=lambda split: split != "training")


def _from_arrays(a: np.ndarray, b: np.ndarray) -> xr.Dataset:
    a, b = np.asarray(a), np.asarray(b)
    for name, array in (("a", a), ("b", b)):
        if array.ndim != 4 or array.shape[:2] != (2, 2):
            raise ValueError(
                f"outcome `{name}` has shape {array.shape}: expected (2, 2, replicas, items)"
            )
    if a.shape != b.shape:
        raise ValueError(f"outcomes have shapes {a.shape} and {b.shape}: expected the same")
    coordinates = {
        "alice_setting": [1, 2],
        "bob_setting": [1, 2],
        "split": ("item", np.full(a.shape[3], "training")),
    }
    return xr.Dataset({"a": (DIMENSIONS, a), "b": (DIMENSIONS, b)}, coordinates)


def _check_outcome(dataset: xr.Dataset, name: str) -> None:
    if name not in dataset:
        raise ValueError(f"outcome `{name}` is missing: found {sorted(map(str, dataset))}")
    outcome = dataset[name]
    missing = [dimension for dimension in DIMENSIONS if dimension not in outcome.dims]
    if missing:
        raise ValueError(
            f"outcome `{name}` has no dimension `{missing[0]}`: expected {', '.join(DIMENSIONS)}"
        )
    if not outcome.size:
        raise ValueError(f"outcome `{name}` is empty: sizes {dict(outcome.sizes)}")
    values = outcome.values
    valid = (values == 1) | (values == -1)
    if not valid.all():
        raise ValueError(
            f"outcome `{name}` holds {values[~valid][0].item()}: expected +1 or -1 everywhere"
        )


def _items(dataset: xr.Dataset, split: str) -> np.ndarray:
    check_choice("split", split, splits(dataset))
    return np.flatnonzero(dataset["split"].values == split)
