"""Outcomes of two parties over settings, replicas and items: checked, split and read out."""

import contextlib
from collections.abc import Sequence

import numpy as np
import xarray as xr

from ncnet.checks import check, check_choice, check_number, check_sizes

Outcomes = xr.Dataset | tuple[np.ndarray, np.ndarray]
"""A Dataset as `ncnet.train` returns it, or a pair of arrays ``(a, b)``."""

SETTINGS = {"alice_setting": [1, 2], "bob_setting": [1, 2]}
CONTEXTS = ((1, 1), (1, 2), (2, 1), (2, 2))
"""The four contexts: Alice's setting and Bob's."""
DIMENSIONS = (*SETTINGS, "replica", "item")
SPLITS = ("training", "held_out")
READOUTS = ("correct", "solved", "prediction")
LEARNT = 0.2
"""A loss below it counts as that of a task that is learnt; the paper names none."""


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
        than +-1, `diverged` over other dimensions than networks have, items that are neither
        "training" nor "held_out", a replica without a cluster where others have one, or an
        attribute `paired` that is neither true nor false.

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
    for setting, expected in SETTINGS.items():
        found = dataset[setting].values.tolist()
        check(found == expected, f"`{setting}` is {found}", f"{expected}, all four contexts")
    # The statistics have a dimension of this name, over the four tasks.
    dataset = dataset.drop_vars("task", errors="ignore")
    return normalised(dataset, ("a", "b"), DIMENSIONS)


def normalised(dataset: xr.Dataset, names: Sequence[str], dimensions: Sequence[str]) -> xr.Dataset:
    """Return outcomes of four contexts or of pairs in one form, and check what both may have.

    Parameters
    ----------
    dataset
        Outcomes whose dimensions and values have been checked.
    names
        The names of the two outcomes.
    dimensions
        The dimensions in the order that they are to have.

    Returns
    -------
    xarray.Dataset
        `split`, `paired`, `diverged` and `cluster` checked, outcomes as int8, dimensions in order.
    """
    split = dataset.coords.get("split", xr.DataArray(""))
    expected = "`training` or `held_out`"
    check(split.dims == ("item",), "outcomes have no coordinate `split` over `item`", expected)
    for value in dict.fromkeys(split.values.tolist()):
        check(value in SPLITS, f"`split` holds {value!r}", expected)
    paired = dataset.attrs.get("paired", True)
    flag = isinstance(paired, (bool, int, np.bool_, np.integer)) and paired in (0, 1)
    check(flag, f"attribute `paired` is {paired!r}", "true or false")
    if "diverged" in dataset:
        check_over(dataset["diverged"], {*dimensions} - {"item"})
        check_only("`diverged`", dataset["diverged"].values, (0, 1), "true or false")
        dataset = dataset.assign(diverged=dataset["diverged"].astype(bool, copy=False))
    if "cluster" in dataset:
        dataset = dataset.set_coords("cluster")
        _check_cluster(dataset["cluster"])
    # Means of float16 would be wrong from some thousand items on.
    dataset = dataset.assign(dataset[[*names]].astype(np.int8, copy=False))
    *networks, item = dimensions
    return dataset.transpose("capacity", *networks, ..., item, missing_dims="ignore")


def as_array(values: object) -> np.ndarray:
    """Return values as an array of numpy, also those that are tensors.

    By itself numpy reads no tensor that is on a GPU, part of a graph or of a type such as bfloat16,
    and no list of such tensors.

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
    chosen = select(as_dataset(outcomes), split=split, readout=readout)
    return chosen["a"], chosen["b"]


def select(dataset: xr.Dataset, *, split: str, readout: str) -> xr.Dataset:
    """Return a checked Dataset with the `a` and `b` that `read` returns."""
    check_choice("readout", readout, READOUTS)
    check_choice("split", split, SPLITS)
    present = splits(dataset)
    check(split in present, f"no item has split `{split}`", f"split `{present[0]}`")
    targets = ("alice_target", "bob_target") if readout == "prediction" else ()
    for name in targets:
        check(name in dataset, f"`{name}` is missing", f"targets, as readout `{readout}` needs")
        check_signs(f"target `{name}`", dataset[name].values)
    items = np.flatnonzero(dataset["split"].values == split)
    chosen = dataset[["a", "b", *targets]].isel(item=items)
    if readout == "solved":
        return chosen.min("item", keep_attrs=True).expand_dims(item=1, axis=-1)
    if readout == "prediction":
        predicted = {"a": chosen.a * chosen.alice_target, "b": chosen.b * chosen.bob_target}
        return chosen.assign(predicted)
    return chosen


def from_losses(
    alice_loss: xr.DataArray, bob_loss: xr.DataArray, *, below: float = LEARNT
) -> xr.Dataset:
    """Return outcomes that say whether a head has learnt its task: +1 where its loss is small.

    Parameters
    ----------
    alice_loss, bob_loss
        The losses of the heads at the end of training, over (alice_setting, bob_setting, replica).
    below
        The loss below which a task counts as learnt. A loss that is not finite is never below.

    Returns
    -------
    xarray.Dataset
        Outcomes with one item, as `as_dataset` returns them.

    Examples
    --------
    >>> losses = xr.DataArray(np.full((2, 2, 5), 0.01), dims=[*SETTINGS, "replica"])
    >>> losses = losses.assign_coords(SETTINGS)
    >>> int(from_losses(losses, 1 + losses)["b"].max())
    -1
    """
    below = check_number("below", below, 0, inside=True)
    outcomes = {
        name: xr.where(loss < below, 1, -1).expand_dims(item=1, axis=-1)
        for name, loss in (("a", alice_loss), ("b", bob_loss))
    }
    return as_dataset(xr.Dataset(outcomes).assign_coords(split=("item", ["training"])))


def apart_in(dataset: xr.Dataset) -> list[str]:
    """Return what each context of a replica has of its own, besides its tasks.

    `ncnet.train` says so in attrs, and whoever trains elsewhere can.

    >>> ones = np.ones((2, 2, 1, 1))
    >>> apart_in(as_dataset((ones, ones)).assign_attrs(own_starts=1, own_batches=0))
    ['own_starts']
    """
    return [name for name in ("own_starts", "own_batches") if dataset.attrs.get(name)]


def splits(outcomes: xr.Dataset) -> list[str]:
    """Return the splits that have items, ``training`` first.

    >>> splits(as_dataset((np.ones((2, 2, 1, 1)), np.ones((2, 2, 1, 1)))))
    ['training']
    """
    present = set(outcomes["split"].values.tolist())
    return [split for split in SPLITS if split in present]


def _from_arrays(outcomes: object) -> xr.Dataset:
    """Return two arrays [2, 2, replicas, items] as a Dataset of training items."""
    pair = isinstance(outcomes, (tuple, list)) and len(outcomes) == 2
    found = f"outcomes are a {type(outcomes).__name__}"
    check(pair, found, "a Dataset or two arrays (a, b)")
    a, b = map(as_array, outcomes)
    check_sizes("outcome `a`", a, dict(zip(DIMENSIONS, (2, 2, None, None), strict=True)))
    check_sizes("outcome `b`", b, dict(zip(DIMENSIONS, a.shape, strict=True)))
    split = ("item", np.full(a.shape[3], "training"))
    return xr.Dataset({"a": (DIMENSIONS, a), "b": (DIMENSIONS, b)}, {**SETTINGS, "split": split})


def check_dimensions(dataset: xr.Dataset, name: str, dimensions: Sequence[str]) -> None:
    """Raise ``ValueError`` unless an outcome is there, over these and perhaps over `capacity`."""
    found, expected = f"outcome `{name}`", f"{', '.join(dimensions)} and perhaps capacity"
    check(name in dataset, f"{found} is missing", f"it beside {sorted(map(str, dataset))}")
    outcome = dataset[name]
    for dimension in dimensions:
        check(dimension in outcome.dims, f"{found} has no dimension `{dimension}`", expected)
    for dimension in outcome.dims:
        known = dimension in (*dimensions, "capacity")
        check(known, f"{found} has a dimension `{dimension}`", expected)
    check(outcome.size, f"{found} is empty, of sizes {dict(outcome.sizes)}", "some of each")


def check_over(variable: xr.DataArray, dimensions: set[str]) -> None:
    """Raise ``ValueError`` unless a variable is over these dimensions, and perhaps `capacity`."""
    fits = set(variable.dims) - {"capacity"} == dimensions
    check(fits, f"`{variable.name}` is over {variable.dims}", " and ".join(sorted(dimensions)))


def check_signs(name: str, values: np.ndarray) -> None:
    """Raise ``ValueError`` for a value other than +1 and -1.

    >>> check_signs("outcome `a`", np.array([1, 0]))
    Traceback (most recent call last):
    ValueError: outcome `a` holds 0: expected +1 or -1 everywhere
    """
    check_only(name, values, (1, -1), "+1 or -1 everywhere")


def check_only(name: str, values: np.ndarray, valid: tuple[int, int], expected: str) -> None:
    """Raise ``ValueError`` for a value that is neither of these two."""
    wrong = np.asarray((values != valid[0]) & (values != valid[1]))
    if values.dtype.kind == "c":
        wrong[...] = True
    if wrong.any():
        raise ValueError(f"{name} holds {values[wrong].tolist()[0]!r}: expected {expected}")


def _check_cluster(cluster: xr.DataArray) -> None:
    """Raise ``ValueError`` unless each replica has a cluster."""
    check(cluster.dims == ("replica",), f"`cluster` is over {cluster.dims}", "one for each replica")
    missing = cluster.isnull().values | (cluster.values == "")
    first = missing.argmax()
    check(not missing[first], f"`cluster` {first} is {cluster.values.tolist()[first]!r}", "a name")
