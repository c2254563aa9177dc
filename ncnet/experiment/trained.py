"""Reads what a training gives for one context, compares it with the others, and keeps it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from ncnet.checks import check, check_once
from ncnet.chsh.columns import CODINGS
from ncnet.chsh.outcomes import SPLITS, as_array, as_dataset
from ncnet.experiment.networks import Axes, on_axes
from ncnet.files import is_storable_text, replace, storable
from ncnet.printing import shown

LABELS = {"training": "items", "held_out": "held_out_items"}
"""The field of `Trained` that names the items of a split."""
LOSS_NAMES = ("alice_loss", "bob_loss")
"""The fields of `Trained` for each head's loss."""
PARTIES = ("Alice", "Bob")


@dataclass(frozen=True, eq=False)
class Trained:
    """The result of one context: which items either head gets right, and perhaps more.

    A function that knows of training items alone may return the pair ``(a, b)``.
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

    def fields(self) -> dict[str, object]:
        """Return what is given, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def splits(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return the pairs that are given, by split."""
        return {name: pair for name, pair in self.fields().items() if name in SPLITS}

    def right(self) -> np.ndarray:
        """Return whether each head is right on each item of all splits, [2, items]."""
        return np.concatenate([*self.splits().values()], axis=1) > 0


class Checker:
    """Checks what trainings returned, each by itself and beside the first.

    Parameters
    ----------
    source
        Name of the function that returned it, for messages.
    paired
        Whether the items of both tasks are partners: others have no names.
    """

    def __init__(self, source: str, *, paired: bool = True):
        self._source, self._paired = source, paired
        self._first: tuple[Trained, str] | None = None
        self._wrong: tuple[int, str] | None = None

    def check(self, returned: object, where: str) -> Trained:
        """Return what was returned, as numpy arrays.

        Outcomes keep the coding they came in, as booleans or int8.

        Raises
        ------
        ValueError
            For anything but outcomes in one coding, or other items than those before; the line
            begins with `where`.
        """
        try:
            trained = self._read(returned)
            self._first = self._first or (trained, where)
            self._check_coding(trained, where)
            self._check_alike(trained, where)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        return trained

    def _read(self, returned: object) -> Trained:
        if not isinstance(returned, Trained):
            if not _is_pair(returned):
                raise ValueError(
                    f"`{self._source}` returned {shown(returned)}: expected a pair (a, b), or "
                    "`ncnet.experiment.Trained`"
                )
            returned = Trained(returned)
        given = {"training": returned.training} | returned.fields()
        fields = {name: FIELDS[name](f"`{name}`", value) for name, value in given.items()}
        names = [name for name in LABELS.values() if name in fields]
        found = f"`{''.join(names[:1])}` is given"
        check(self._paired or not names, found, "none, as paired=False says")
        for split, name in LABELS.items():
            counts = len(fields.get(name, ())), len(fields.get(split, [()])[0])
            found = f"`{name}` are {counts[0]}, items of `{split}` {counts[1]}"
            check(name not in names or counts[0] == counts[1], found, "as many of each")
        labels = np.concatenate([fields[name] for name in names] or [()])
        check_once("item", labels.tolist())  # 0 and "0" are the same
        losses = [name for name in LOSS_NAMES if name in fields]
        check(len(losses) != 1, f"`{''.join(losses)}` is given alone", "both losses or neither")
        return Trained(**fields)

    def _check_coding(self, trained: Trained, where: str) -> None:
        """Refuse 0 beside -1, in one context or in two."""
        for split, pair in trained.splits().items():
            for party, outcomes in zip(PARTIES, pair, strict=True):
                coded = outcomes.dtype != bool
                for wrong in [number for number in (0, -1) if coded and number in outcomes]:
                    self._wrong = self._wrong or (wrong, f"{party}'s `{split}` in {where}")
                    first, place = self._wrong
                    found = f"{party}'s `{split}` holds {wrong}, {place} holds {first}"
                    check(wrong == first, found, "one coding, 0 and 1 or -1 and +1")

    def _check_alike(self, trained: Trained, where: str) -> None:
        """Refuse other fields than those of the first context, or other items."""
        first, place = self._first
        fields, before = trained.fields(), first.fields()
        for name in FIELDS:
            giving, lacking = (where, place) if name in fields else (place, where)
            found = f"`{name}` is given in {giving}, and not in {lacking}"
            check((name in fields) == (name in before), found, "it in every context or in none")
        for split, (a, _) in trained.splits().items():
            count = len(before[split][0])
            found = f"`{split}` has {len(a)} items, in {place} it has {count}"
            check(len(a) == count, found, "as many in every context")
        for name in [name for name in LABELS.values() if name in fields]:
            labels = zip(fields[name].tolist(), before[name].tolist(), strict=True)
            for k, (label, other) in enumerate(labels):
                if label != other:
                    raise ValueError(
                        f"number {k} of `{name}` is {shown(label)}, in {place} it is "
                        f"{shown(other)}: expected the same items in the same order in every "
                        "context (does a loader shuffle?)"
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
    k = int(np.argmin(valid))
    found = f"item {k} of {name} is {shown(array[[k]].tolist()[0])}"
    check(valid[k], found, f"whether the head is right, as {CODINGS}")
    return array if array.dtype == bool else array.astype(np.int8)


def _labels(name: str, labels: object) -> np.ndarray:
    labels = _array(name, labels)
    if labels.dtype == object:
        labels = np.array(labels.tolist())  # such as texts of pandas
    fits = labels.ndim == 1 and labels.dtype.kind in "biufU"
    found = f"{name} has shape {labels.shape} and type {labels.dtype}"
    check(fits, found, "one number or name an item")
    unfit = [label for label in labels.tolist() if not is_storable_text(str(label))]
    check(not unfit, f"{name} holds what no file can, {shown(unfit[:1])}", "plain text")
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
FIELDS |= dict.fromkeys(LOSS_NAMES, _loss)
"""The function that reads each field of `Trained`."""


def outcomes_on_axes(
    trained: Sequence[Trained], axes: Axes, *, capacity_name: str, paired: bool
) -> xr.Dataset:
    """Return what a `Checker` let through as one Dataset, from all `network_keys` in order."""
    first = trained[0]
    sizes = {split: len(pair[0]) for split, pair in first.splits().items()}
    capacities = np.array(axes["capacity"])
    if capacities.dtype == object:  # such as fractions
        capacities = capacities.astype(float)
    coordinates = {
        "capacity": ("capacity", capacities, {"capacity_name": capacity_name}),
        "split": ("item", np.repeat(list(sizes), list(sizes.values()))),
    }
    labels = [first.fields().get(LABELS[split]) for split in sizes]
    if all(names is not None for names in labels):
        coordinates["item"] = np.concatenate(labels)
    results = []
    for one in trained:
        losses = {name: loss for name, loss in one.fields().items() if name in LOSS_NAMES}
        a, b = np.where(one.right(), np.int8(1), np.int8(-1))
        results.append({"a": a, "b": b} | losses)
    outcomes = on_axes(results, axes, coordinates).assign_attrs(storable({"paired": paired}))
    if LOSS_NAMES[0] in outcomes:
        outcomes["diverged"] = ~np.isfinite(outcomes["alice_loss"] + outcomes["bob_loss"])
    return as_dataset(outcomes)


def save(path: Path, trained: Trained) -> None:
    """Write what a training gave to a file, whole or not at all."""
    arrays = trained.fields()
    for split in trained.splits():
        arrays[f"{split}_a"], arrays[f"{split}_b"] = arrays.pop(split)
    content = io.BytesIO()
    np.savez(content, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, content.getvalue())


def load(path: Path) -> Trained:
    """Return what a training gave from the file that `save` wrote.

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
