"""What a Bell test reads: outcomes of two parties over settings, replicas and items."""

import contextlib
from collections.abc import Sequence

import numpy as np
import xarray as xr

from ncnet.checks import check_choice

Outcomes = xr.Dataset | tuple[np.ndarray, np.ndarray]
"""A Dataset as `ncnet.train` returns it, or a pair of arrays ``(a, b)``."""

DIMENSIONS = ("alice_setting", "bob_setting", "replica", "item")
SPLITS = ("training", "held_out")
READOUTS = ("correct", "solved", "prediction")


def as_dataset(outcomes: Outcomes) -> xr.Dataset:
    """Return outcomes as a checked Dataset, its dimensions in the order of `DIMENSIONS`.

    Parameters
    ----------
    outcomes
        A Dataset with `a` and `b` over (alice_setting, bob_setting, replica, item) and possibly
        `capacity`, or two arrays of shape [2, 2, replicas, items]: all their items are then read
        as training items. A coordinate or variable `cluster` over `replica` says which replicas
        belong together: `replica_means` and `influence` average those of a cluster.

    Returns
    -------
    xarray.Dataset
        `a` and `b` as int8, whatever they came as; `cluster`, where it is there, a coordinate.

    Raises
    ------
    ValueError
        For missing, surplus or empty dimensions, a missing variable or context, outcomes other
        than +-1, items that are neither "training" nor "held_out", a replica without a cluster
        where others have one, or an attribute `paired` that is neither true nor false.

    Examples
    --------
    >>> ones = np.ones((2, 2, 5, 8))
    >>> dict(as_dataset((ones, ones)).sizes)
    {'alice_setting': 2, 'bob_setting': 2, 'replica': 5, 'item': 8}
    >>> as_dataset((ones, 0 * ones))
    Traceback (most recent call last):
    ValueError: outcome `b` holds 0.0: expected +1 or -1 everywhere
    """
    dataset = outcomes if isinstance(outcomes, xr.Dataset) else _from_arrays(outcomes)
    for name in ("a", "b"):
        check_dimensions(dataset, name, DIMENSIONS)
        check_signs(f"outcome `{name}`", dataset[name].values)
    for setting in ("alice_setting", "bob_setting"):
        found = dataset[setting].values.tolist()
        if found != [1, 2]:
            raise ValueError(f"`{setting}` is {found}: expected [1, 2], all four contexts")
    return checked(dataset, ("a", "b"), DIMENSIONS)


def checked(dataset: xr.Dataset, names: Sequence[str], dimensions: Sequence[str]) -> xr.Dataset:
    """Return a Dataset of outcomes, of four contexts or of pairs of tasks, with all that both have.

    Parameters
    ----------
    dataset
        Of outcomes whose dimensions and values have been checked.
    names
        Of the two outcomes.
    dimensions
        In the order that they are to have.

    Returns
    -------
    xarray.Dataset
        `split`, `paired`, `diverged` and `cluster` checked, outcomes as int8, dimensions in order.
    """
    _check_split(dataset)
    paired = dataset.attrs.get("paired", True)
    if not isinstance(paired, (bool, int, np.bool_, np.integer)) or paired not in (0, 1):
        raise ValueError(f"attribute `paired` is {paired!r}: expected true or false")
    if "diverged" in dataset:
        _check_flags(dataset["diverged"].values)
    if "cluster" in dataset:
        _check_cluster(dataset["cluster"])
        dataset = dataset.set_coords("cluster")
    # Means of float16 would be wrong from some thousand items on.
    types = dict.fromkeys(names, np.int8) | {"diverged": bool}
    others = {name: t for name, t in types.items() if name in dataset and dataset[name].dtype != t}
    if others:
        dataset = dataset.assign({name: dataset[name].astype(t) for name, t in others.items()})
    in_order = all(dataset[name].dims[-len(dimensions) :] == dimensions for name in names)
    return dataset if in_order else dataset.transpose(..., *dimensions)


def as_array(values: object) -> np.ndarray:
    """Return values as an array of numpy, also those that are tensors.

    By itself numpy reads no tensor that is on a GPU, part of a graph or of a type such as bfloat16,
    and no list of such.

    Examples
    --------
    >>> as_array([True, False]).tolist()
    [True, False]
    """
    if isinstance(values, (list, tuple)):
        values = [
            as_array(value)
            if isinstance(value, (list, tuple)) or hasattr(value, "detach")
            else value
            for value in values
        ]
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        with contextlib.suppress(TypeError):  # of a type that numpy does not have
            return np.asarray(values)
        values = values.float()
    return np.asarray(values)


def read(outcomes: Outcomes, *, split: str, readout: str) -> tuple[xr.DataArray, xr.DataArray]:
    """Return both parties' outcomes, +-1, of one split under one readout.

    Readouts: `correct` is +1 where the head classifies the item correctly; `solved` is +1
    only where it gets every item of the split right (one outcome a network: `item` has length
    1); `prediction` is the sign of the logit, correctness times target.

    Raises
    ------
    ValueError
        For an unknown readout, a split without items, or `prediction` without targets of +-1.
    """
    check_choice("readout", readout, READOUTS)
    dataset = as_dataset(outcomes)
    read_of = [name for name in ("a", "b", "alice_target", "bob_target") if name in dataset]
    dataset = dataset[read_of].isel(item=_items(dataset, split))
    a, b = dataset["a"], dataset["b"]
    if readout == "solved":
        solved = [party.min("item").expand_dims(item=1, axis=-1) for party in (a, b)]
        return solved[0], solved[1]
    if readout == "prediction":
        missing = [name for name in ("alice_target", "bob_target") if name not in dataset]
        if missing:
            raise ValueError(f"readout `prediction` needs targets: `{missing[0]}` is missing")
        for name in ("alice_target", "bob_target"):
            check_signs(f"target `{name}`", dataset[name].values)
        return a * dataset["alice_target"], b * dataset["bob_target"]
    return a, b


def splits(outcomes: xr.Dataset) -> list[str]:
    """Return the splits that have items, ``training`` first.

    >>> splits(as_dataset((np.ones((2, 2, 1, 1)), np.ones((2, 2, 1, 1)))))
    ['training']
    """
    present = set(outcomes["split"].values.tolist())
    return [split for split in SPLITS if split in present]


def _from_arrays(outcomes: object) -> xr.Dataset:
    if not isinstance(outcomes, (tuple, list)) or len(outcomes) != 2:
        raise ValueError(
            f"outcomes are a {type(outcomes).__name__}: expected a Dataset or two arrays (a, b)"
        )
    a, b = map(as_array, outcomes)
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


def check_dimensions(dataset: xr.Dataset, name: str, dimensions: Sequence[str]) -> None:
    """Raise ``ValueError`` unless an outcome is there, over these and perhaps over `capacity`."""
    if name not in dataset:
        raise ValueError(f"outcome `{name}` is missing: found {sorted(map(str, dataset))}")
    outcome = dataset[name]
    missing = [dimension for dimension in dimensions if dimension not in outcome.dims]
    if missing:
        raise ValueError(
            f"outcome `{name}` has no dimension `{missing[0]}`: expected {', '.join(dimensions)}"
        )
    surplus = [str(d) for d in outcome.dims if d not in (*dimensions, "capacity")]
    if surplus:
        raise ValueError(
            f"outcome `{name}` has a dimension `{surplus[0]}`: expected "
            f"{', '.join(dimensions)} and perhaps capacity"
        )
    if not outcome.size:
        raise ValueError(f"outcome `{name}` is empty: sizes {dict(outcome.sizes)}")


def check_signs(name: str, values: np.ndarray) -> None:
    """Raise ``ValueError`` for a value other than +1 and -1.

    >>> check_signs("outcome `a`", np.array([1, 0]))
    Traceback (most recent call last):
    ValueError: outcome `a` holds 0: expected +1 or -1 everywhere
    """
    valid = (values == 1) | (values == -1)
    if not valid.all() or values.dtype.kind == "c":
        wrong = values[~valid] if not valid.all() else values
        value = wrong.ravel().tolist()[0]
        raise ValueError(f"{name} holds {value!r}: expected +1 or -1 everywhere")


def _check_split(dataset: xr.Dataset) -> None:
    if "split" not in dataset.coords or dataset["split"].dims != ("item",):
        raise ValueError("outcomes have no coordinate `split` over `item`")
    unknown = [split for split in dataset["split"].values.tolist() if split not in SPLITS]
    if unknown:
        raise ValueError(f"`split` holds {unknown[0]!r}: expected `training` or `held_out`")


def _check_flags(diverged: np.ndarray) -> None:
    wrong = (diverged != 0) & (diverged != 1)
    if wrong.any():
        value = diverged[wrong].tolist()[0]
        raise ValueError(f"`diverged` holds {value!r}: expected true or false")


def _check_cluster(cluster: xr.DataArray) -> None:
    if cluster.dims != ("replica",):
        raise ValueError(f"`cluster` is over {cluster.dims}: expected one for each replica")
    missing = cluster.isnull().values | (cluster.values == "")
    for where in np.flatnonzero(missing)[:1].tolist():
        name = cluster.values.tolist()[where]
        raise ValueError(f"`cluster` {where} is {name!r}: expected a name")


def _items(dataset: xr.Dataset, split: str) -> np.ndarray:
    check_choice("split", split, SPLITS)
    there = splits(dataset)
    if split not in there:
        raise ValueError(f"no item has split `{split}`: expected split `{there[0]}`")
    return np.flatnonzero(dataset["split"].values == split)
