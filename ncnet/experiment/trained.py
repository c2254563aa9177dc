"""What a training gives for one context: read, checked, and compared with the other contexts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ncnet.chsh.columns import CODINGS
from ncnet.chsh.outcomes import DIMENSIONS, SPLITS, as_array, as_dataset
from ncnet.files import is_storable_text, storable

PARTIES = ("Alice", "Bob")
LABELS = {"training": "items", "held_out": "held_out_items"}
"""The field of `Trained` that names the items of a split."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What one trained context gives: which items either head gets right, and perhaps more.

    A function that has nothing but training items to tell of may return the pair ``(a, b)``.
    Arrays may be lists, numpy arrays or tensors, on any device.

    Attributes
    ----------
    training
        A pair ``(a, b)``, each [items]: whether Alice's head, and Bob's, is right on each training
        item after training, as true and false, 1 and 0, or +1 and -1. The k-th item of one is the
        partner of the k-th of the other, in all contexts.
    held_out
        The same for items that neither head was trained on.
    items, held_out_items
        [items] names or numbers of the items, each its own, in the order of the outcomes: contexts
        in which they differ, such as by a loader that shuffles, are then refused. They become the
        coordinate `item`.
    alice_loss, bob_loss
        Losses at the end of the training, of both heads or of neither. Where one is not finite the
        training counts as diverged.

    Examples
    --------
    >>> Trained(training=([True, True], [True, False]), alice_loss=0.1, bob_loss=0.4).bob_loss
    0.4
    """

    training: tuple[Sequence, Sequence]
    held_out: tuple[Sequence, Sequence] | None = None
    items: Sequence | None = None
    held_out_items: Sequence | None = None
    alice_loss: float | None = None
    bob_loss: float | None = None

    def splits(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return the pairs that are there, by split."""
        pairs = {split: getattr(self, split) for split in SPLITS}
        return {split: pair for split, pair in pairs.items() if pair is not None}


class Reader:
    """Reads what trainings returned; each is compared with the first.

    Parameters
    ----------
    source
        Who returned it, for messages.
    """

    def __init__(self, source: str, *, paired: bool = True):
        self._source, self._paired = source, paired
        self._first: tuple[str, Trained] | None = None
        self._wrong: tuple[str, int] | None = None

    def read(self, returned: object, where: str) -> Trained:
        """Return what was returned, as numpy arrays.

        Outcomes keep the coding they came in, as booleans or int8.

        Raises
        ------
        ValueError
            For anything but outcomes in one coding, or other items than those before.
        """
        given = self._as_trained(returned, where)
        fields = {}
        for split in SPLITS:
            pair, labels = getattr(given, split), getattr(given, LABELS[split])
            if pair is not None:
                fields[split] = self._pair(pair, split, where)
            if labels is not None:
                fields[LABELS[split]] = self._labels(labels, fields.get(split), split, where)
        for name in ("alice_loss", "bob_loss"):
            if getattr(given, name) is not None:
                fields[name] = _loss(getattr(given, name), name, where)
        read = Trained(**fields)
        _check_whole(read, where)
        if self._first is None:
            self._first = where, read
        _compare(read, where, *reversed(self._first))
        return read

    def _as_trained(self, returned: object, where: str) -> Trained:
        if isinstance(returned, Trained):
            return returned
        if isinstance(returned, (tuple, list)) and len(returned) == 2:
            return Trained(training=tuple(returned))
        found = f"a {type(returned).__name__}" if returned is not None else "None"
        if isinstance(returned, (tuple, list)):
            found += f" of {len(returned)}"
        raise ValueError(
            f"{where}: `{self._source}` returned {found}: expected a pair (a, b), or "
            "`ncnet.experiment.Trained`"
        )

    def _pair(self, pair: object, split: str, where: str) -> tuple[np.ndarray, np.ndarray]:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise ValueError(
                f"{where}: `{split}` is a {type(pair).__name__}: expected a pair (a, b)"
            )
        outcomes = []
        for party, values in zip(PARTIES, pair, strict=True):
            name = f"{party}'s {_words(split)} items"
            outcomes.append(_outcomes(values, name, where))
            self._check_coding(outcomes[-1], f"{name} in {where}")
        a, b = outcomes
        if len(a) != len(b):
            raise ValueError(
                f"{where}: Alice has {len(a)} {_words(split)} items, Bob {len(b)}: "
                "expected as many of each"
            )
        return a, b

    def _check_coding(self, values: np.ndarray, name: str) -> None:
        if values.dtype == bool:
            return
        for wrong in sorted({0, -1} & set(values.tolist()), reverse=True):
            if self._wrong is None:
                self._wrong = name, wrong
            if self._wrong[1] != wrong:
                raise ValueError(
                    f"{name} hold {wrong}, {self._wrong[0]} hold {self._wrong[1]}: expected one "
                    "coding throughout, 0 and 1 or -1 and +1"
                )

    def _labels(
        self, labels: object, pair: tuple[np.ndarray, np.ndarray] | None, split: str, where: str
    ) -> np.ndarray:
        name = LABELS[split]
        if not self._paired:
            raise ValueError(
                f"{where}: `{name}` are given, but with paired=False items have no partners: "
                "leave them out"
            )
        labels = _array(labels, f"`{name}`", where)
        if labels.dtype.kind == "O" and all(isinstance(label, str) for label in labels.ravel()):
            labels = labels.astype(str)
        if labels.ndim != 1 or labels.dtype.kind not in "biufU":
            raise ValueError(
                f"{where}: `{name}` have shape {labels.shape} and type {labels.dtype}: expected "
                "one number or name an item"
            )
        if labels.dtype.kind == "U" and not all(map(is_storable_text, labels.tolist())):
            raise ValueError(
                f"{where}: `{name}` hold what no file can, a zero character or half a letter: "
                "expected plain text"
            )
        count = 0 if pair is None else len(pair[0])
        if len(labels) != count:
            raise ValueError(
                f"{where}: `{name}` are {len(labels)}, {_words(split)} items {count}: "
                "expected as many of each"
            )
        return labels


def dataset(
    found: Sequence[Trained], networks: Mapping[str, Sequence], *, capacity_name: str, paired: bool
) -> xr.Dataset:
    """Return what a `Reader` read of all networks as one Dataset.

    Parameters
    ----------
    found
        In the order of the product of `networks`, the last of which varies fastest.
    networks
        Coordinates of the networks, by dimension: "alice_setting", "bob_setting", "replica" and
        perhaps "capacity".
    """
    shape = tuple(map(len, networks.values()))
    first = found[0]
    variables = {}
    for party, name in enumerate("ab"):
        right = [np.concatenate([p[party] for p in one.splits().values()]) > 0 for one in found]
        outcomes = np.where(right, np.int8(1), np.int8(-1))
        variables[name] = ((*networks, "item"), outcomes.reshape(*shape, -1))
    for name in ("alice_loss", "bob_loss"):
        if getattr(first, name) is not None:
            losses = np.array([getattr(one, name) for one in found])
            variables[name] = (tuple(networks), losses.reshape(shape))
    coordinates = dict(networks) | _item_coordinates(first)
    if "capacity" in networks:
        attributes = {"capacity_name": capacity_name}
        capacities = np.array(networks["capacity"])
        if capacities.dtype == object:  # such as fractions
            capacities = capacities.astype(float)
        coordinates["capacity"] = ("capacity", capacities, attributes)
    outcomes = xr.Dataset(variables, coordinates, storable({"paired": paired}))
    losses = [outcomes[name] for name in ("alice_loss", "bob_loss") if name in outcomes]
    if losses:
        outcomes["diverged"] = ~np.isfinite(sum(losses))
    return as_dataset(outcomes.transpose(..., *DIMENSIONS))


def _item_coordinates(first: Trained) -> dict:
    sizes = {split: len(pair[0]) for split, pair in first.splits().items()}
    coordinates = {"split": ("item", np.repeat(list(sizes), list(sizes.values())))}
    labels = [getattr(first, LABELS[split]) for split in sizes]
    if all(named is not None for named in labels):
        coordinates["item"] = np.concatenate(labels)
    return coordinates


def _check_whole(read: Trained, where: str) -> None:
    """Refuse items that are there twice, and the loss of one head only."""
    labels = [named for name in LABELS.values() if (named := getattr(read, name)) is not None]
    if labels:
        names, counts = np.unique(np.concatenate(labels), return_counts=True)
        mixed = len({named.dtype.kind == "U" for named in labels}) > 1
        hint = "; beside names, numbers count as names" if mixed else ""
        for label in names[counts > 1][:1].tolist():
            raise ValueError(
                f"{where}: item {label!r} is named twice: expected each item once{hint}"
            )
    given = [name for name in ("alice_loss", "bob_loss") if getattr(read, name) is not None]
    if len(given) == 1:
        raise ValueError(f"{where}: `{given[0]}` is given alone: expected both losses or neither")


def _compare(read: Trained, where: str, first: Trained, before: str) -> None:
    """Refuse other items than those of the first context, or other fields."""
    for split, name in LABELS.items():
        counts = [len(one.splits().get(split, [[]])[0]) for one in (read, first)]
        if counts[0] != counts[1]:
            raise ValueError(
                f"{where} has {counts[0]} {_words(split)} items, {before} has {counts[1]}: "
                "expected as many in every context"
            )
        labels, others = getattr(read, name), getattr(first, name)
        if labels is None or others is None:
            continue
        for k in np.flatnonzero(labels != others)[:1]:
            raise ValueError(
                f"{where}: {_words(split)} item {k} is {labels[k].item()!r}, in {before} it is "
                f"{others[k].item()!r}: expected the same items in the same order in every context "
                "(does a loader shuffle?)"
            )
    for name in (*LABELS.values(), "alice_loss", "bob_loss"):
        if (getattr(read, name) is None) != (getattr(first, name) is None):
            there, lacking = (before, where) if getattr(read, name) is None else (where, before)
            raise ValueError(
                f"{there} gives `{name}`, {lacking} does not: expected it in every context or none"
            )


def _outcomes(values: object, name: str, where: str) -> np.ndarray:
    array = _array(values, name, where)
    if array.ndim != 1:
        guess = "" if array.shape else ", not their mean"
        if array.shape[1:] and array.shape[1] > 1:
            guess = ", not logits: whether their argmax is right"
        raise ValueError(
            f"{where}: {name} have shape {array.shape}: expected one outcome an item, "
            f"(items,){guess}"
        )
    if not len(array):
        raise ValueError(f"{where}: {name} are none: expected at least one")
    if array.dtype.kind in "biuf":
        valid = np.isin(array, (-1, 0, 1))
    else:
        valid = [isinstance(v, (bool, int, float)) and v in (-1, 0, 1) for v in array.tolist()]
    for k in np.flatnonzero(np.logical_not(valid))[:1]:
        raise ValueError(
            f"{where}: item {k} of {name} is {array.tolist()[k]!r}: expected whether the head is "
            f"right, as {CODINGS}"
        )
    return array if array.dtype == bool else array.astype(np.int8)


def _loss(value: object, name: str, where: str) -> float:
    array = _array(value, f"`{name}`", where)
    if array.size != 1 or array.dtype.kind not in "iuf":
        raise ValueError(
            f"{where}: `{name}` is of shape {array.shape} and type {array.dtype}: expected one "
            "number"
        )
    return float(array.item())


def _array(values: object, name: str, where: str) -> np.ndarray:
    try:
        return as_array(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{where}: {name} cannot be read as an array: {error}") from None


def _words(split: str) -> str:
    return split.replace("_", "-")
