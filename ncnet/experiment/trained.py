"""What a training gives for one context: read, checked, compared with the others, and kept."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from ncnet.checks import check, check_once
from ncnet.chsh.columns import CODINGS
from ncnet.chsh.outcomes import SPLITS, as_array, as_dataset
from ncnet.experiment.contexts import Networks, laid_out
from ncnet.files import is_storable_text, replace, storable
from ncnet.printing import shown

LABELS = {"training": "items", "held_out": "held_out_items"}
"""The field of `Trained` that names the items of a split."""
LOSSES = ("alice_loss", "bob_loss")
PARTIES = ("Alice", "Bob")


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

    def there(self) -> dict[str, object]:
        """Return the fields that are there, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def splits(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return the pairs that are there, by split."""
        return {name: pair for name, pair in self.there().items() if name in SPLITS}

    def right(self) -> np.ndarray:
        """Return whether each head is right on each item of all splits, [2, items]."""
        return np.concatenate([*self.splits().values()], axis=1) > 0


class Reader:
    """Reads what trainings returned; each is compared with the first.

    Parameters
    ----------
    source
        Who returned it, for messages.
    """

    def __init__(self, source: str, *, paired: bool = True):
        self._source, self._paired = source, paired
        self._first: tuple[Trained, str] | None = None
        self._mark: tuple[int, str] | None = None

    def read(self, returned: object, where: str) -> Trained:
        """Return what was returned, as numpy arrays.

        Outcomes keep the coding they came in, as booleans or int8.

        Raises
        ------
        ValueError
            For anything but outcomes in one coding, or other items than those before.
        """
        try:
            read = self._read(returned)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        self._first = self._first or (read, where)
        self._check_coding(read, where)
        _check_alike(read, where, *self._first)
        return read

    def _read(self, given: object) -> Trained:
        if not isinstance(given, Trained):
            if not _is_pair(given):
                raise ValueError(
                    f"`{self._source}` returned {shown(given)}: expected a pair (a, b), or "
                    "`ncnet.experiment.Trained`"
                )
            given = Trained(training=given)
        fields = {"training": given.training} | given.there()
        there = {name: FIELDS[name](f"`{name}`", value) for name, value in fields.items()}
        for split, name in LABELS.items():
            if name in there:
                check(self._paired, f"`{name}` is given", "none, as paired=False says")
                counts = len(there[name]), len(there.get(split, [()])[0])
                found = f"`{name}` are {counts[0]}, items of `{split}` {counts[1]}"
                check(counts[0] == counts[1], found, "as many of each")
        labels = [there[name] for name in LABELS.values() if name in there]
        check_once("item", np.concatenate(labels or [()]).tolist())
        losses = [name for name in LOSSES if name in there]
        check(len(losses) != 1, f"`{''.join(losses)}` is given alone", "both losses or neither")
        return Trained(**there)

    def _check_coding(self, read: Trained, where: str) -> None:
        for split, pair in read.splits().items():
            for party, outcomes in zip(PARTIES, pair, strict=True):
                coded = outcomes.dtype != bool
                for mark in [mark for mark in (0, -1) if coded and mark in outcomes]:
                    self._mark = self._mark or (mark, f"{party}'s `{split}` in {where}")
                    if mark != self._mark[0]:
                        raise ValueError(
                            f"{where}: {party}'s `{split}` holds {mark}, {self._mark[1]} holds "
                            f"{self._mark[0]}: expected one coding, 0 and 1 or -1 and +1"
                        )


def _check_alike(read: Trained, where: str, first: Trained, there: str) -> None:
    """Refuse other fields than those of the first context, or other items."""
    fields, before = read.there(), first.there()
    for name in [name for name in FIELDS if (name in fields) != (name in before)]:
        giving, lacking = (where, there) if name in fields else (there, where)
        raise ValueError(
            f"{where}: `{name}` is given in {giving}, and not in {lacking}: expected it in every "
            "context or in none"
        )
    for split, (a, _) in read.splits().items():
        count = len(before[split][0])
        found = f"{where}: `{split}` has {len(a)} items, in {there} it has {count}"
        check(len(a) == count, found, "as many in every context")
    for name in [name for name in LABELS.values() if name in fields]:
        labels, others = fields[name].tolist(), before[name].tolist()
        if labels != others:
            k = [label == other for label, other in zip(labels, others, strict=True)].index(False)
            raise ValueError(
                f"{where}: number {k} of `{name}` is {shown(labels[k])}, in {there} it is "
                f"{shown(others[k])}: expected the same items in the same order in every context "
                "(does a loader shuffle?)"
            )


def _is_pair(given: object) -> bool:
    return isinstance(given, (tuple, list)) and len(given) == 2


def _pair(name: str, pair: object) -> tuple[np.ndarray, np.ndarray]:
    if not _is_pair(pair):
        raise ValueError(f"{name} is {shown(pair)}: expected a pair (a, b)")
    a, b = (_outcomes(f"{party}'s {name}", pair[k]) for k, party in enumerate(PARTIES))
    check(len(a) == len(b), f"Alice's {name} has {len(a)} items, Bob's {len(b)}", "as many of each")
    return a, b


def _outcomes(name: str, values: object) -> np.ndarray:
    array = _array(name, values)
    expected = "one outcome an item, (items,), neither their mean nor logits"
    check(array.ndim == 1, f"{name} has shape {array.shape}", expected)
    check(len(array), f"the items of {name} are none", "at least one")
    if array.dtype.kind in "biuf":
        valid = np.isin(array, (-1, 0, 1))
    else:
        valid = [isinstance(v, (bool, int, float)) and v in (-1, 0, 1) for v in array.tolist()]
    if not np.all(valid):
        k = int(np.argmin(valid))
        raise ValueError(
            f"item {k} of {name} is {shown(array.tolist()[k])}: expected whether the head is "
            f"right, as {CODINGS}"
        )
    return array if array.dtype == bool else array.astype(np.int8)


def _labels(name: str, labels: object) -> np.ndarray:
    labels = _array(name, labels)
    if labels.dtype == object:
        labels = np.array(labels.tolist())  # such as texts of pandas
    fits = labels.ndim == 1 and labels.dtype.kind in "biufU"
    found = f"{name} has shape {labels.shape} and type {labels.dtype}"
    check(fits, found, "one number or name an item")
    unfit = [label for label in labels.tolist() if not is_storable_text(str(label))]
    if unfit:
        raise ValueError(f"{name} holds what no file can, {shown(unfit[:1])}: expected plain text")
    return labels


def _loss(name: str, value: object) -> float:
    loss = _array(name, value)
    fits = loss.size == 1 and loss.dtype.kind in "iuf"
    check(fits, f"{name} has shape {loss.shape} and type {loss.dtype}", "one number")
    return float(loss.item())


def _array(name: str, values: object) -> np.ndarray:
    try:
        return as_array(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} cannot be read as an array: {error}") from None


FIELDS = dict.fromkeys(SPLITS, _pair) | dict.fromkeys(LABELS.values(), _labels)
FIELDS |= dict.fromkeys(LOSSES, _loss)
"""What reads each field of `Trained`."""


def dataset(
    found: Sequence[Trained], networks: Networks, *, capacity_name: str, paired: bool
) -> xr.Dataset:
    """Return what a `Reader` read of all networks, in their order, as one Dataset."""
    sizes = {split: len(pair[0]) for split, pair in found[0].splits().items()}
    capacities = np.array(networks["capacity"])
    if capacities.dtype == object:  # such as fractions
        capacities = capacities.astype(float)
    coordinates = {
        "capacity": ("capacity", capacities, {"capacity_name": capacity_name}),
        "split": ("item", np.repeat(list(sizes), list(sizes.values()))),
    }
    labels = [found[0].there().get(LABELS[split]) for split in sizes]
    if all(named is not None for named in labels):
        coordinates["item"] = np.concatenate(labels)
    columns = []
    for one in found:
        losses = {name: loss for name, loss in one.there().items() if name in LOSSES}
        a, b = np.where(one.right(), np.int8(1), np.int8(-1))
        columns.append({"a": a, "b": b} | losses)
    outcomes = laid_out(columns, networks, coordinates).assign_attrs(storable({"paired": paired}))
    if LOSSES[0] in outcomes:
        outcomes["diverged"] = ~np.isfinite(outcomes["alice_loss"] + outcomes["bob_loss"])
    return as_dataset(outcomes)


def write(path: Path, trained: Trained) -> None:
    """Keep what a context gave, whole or not at all."""
    arrays = trained.there()
    for split, pair in trained.splits().items():
        del arrays[split]
        arrays[f"{split}_a"], arrays[f"{split}_b"] = pair
    content = io.BytesIO()
    np.savez(content, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, content.getvalue())


def read(path: Path) -> Trained:
    """Return what a context gave.

    Raises
    ------
    ValueError
        For a file that is damaged.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = dict(file)
        for split in SPLITS:
            if f"{split}_a" in arrays:
                arrays[split] = arrays.pop(f"{split}_a"), arrays.pop(f"{split}_b")
        return Trained(**arrays)
    except Exception as error:  # numpy raises many kinds where bits are wrong or missing
        raise ValueError(f"{path} is damaged ({error}): delete it") from None
