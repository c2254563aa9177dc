"""Calls the reader's training in every context of every replica, and keeps what is finished."""

from __future__ import annotations

import inspect
import itertools
import json
import math
import numbers
import random
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import xarray as xr
from tqdm import tqdm

from ncnet.checks import check_integer, plain_number
from ncnet.chsh import report
from ncnet.chsh.outcomes import DIMENSIONS
from ncnet.experiment import kept
from ncnet.experiment.trained import Reader, Trained, dataset
from ncnet.files import claim, expanded, is_storable_text, storable

ARGUMENTS = ("alice_setting", "bob_setting", "seed")
RESERVED = ("coordinates", "CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_NCProperties")
"""Names of attributes that xarray and netCDF keep for themselves."""
LOSS_TOLERANCE = 1e-3
"""Relative difference up to which two losses count as one: another machine rounds otherwise."""
NO_LOSS = 1e-9
"""Two losses below this are one as well."""
FEWEST_ALIKE = 3
"""Replicas from which on it is remarkable that all are alike, failures included."""


def run(
    train_context: Callable,
    *,
    replicas: int,
    seed: int = 0,
    capacities: Iterable[float] | None = None,
    capacity_name: str = "capacity",
    paired: bool = True,
    folder: Path | str | None = None,
    described: Mapping | None = None,
    tolerance: float = 0.0,
) -> xr.Dataset:
    """Train replicas 0 ... `replicas` - 1 in all four contexts, by a function of the reader's.

    The function is called as ``train_context(alice_setting, bob_setting, seed)``, with settings 1
    or 2: it trains one network from scratch on Alice's task of that setting and Bob's, and returns
    which items either head gets right. All that is random in it follows from `seed`, which the four
    contexts of a replica share: they start from the same weights and see items in the same order.

    Parameters
    ----------
    train_context
        Returns a pair ``(a, b)``, each [items], or a `Trained` that holds more: whether the head is
        right on the item, not what it predicts (``predicted == label``). Of one training after
        another the same items are expected, in the same order. A bound method, a partial or any
        other callable will do.
    replicas
        Number of networks in each context. A replica depends on `seed` and its number alone: 100
        replicas are the first 100 of 1,000. `ncnet.chsh.by_capacity` asks for a multiple of 32.
    seed
        Of the experiment; `replica_seed` makes each replica's from it.
    capacities
        Sizes of the shared trunk, such as widths, to train at one after the other: the function is
        then called with a fourth argument, the capacity.
    capacity_name
        What they are: the name of their column in tables.
    paired
        Whether Alice's k-th item and Bob's are the same, or partners. If not, a correlator is the
        mean over replicas of the product of both heads' means.
    folder
        Where each context is kept as soon as it is finished: repeated, a run that was cut off goes
        on from there. It holds contexts of one `seed` and one `described`; more replicas and
        capacities may be added. What a function does cannot be read off it. So first one of the
        finished contexts, drawn by chance, is trained again, and a line says in how many of its
        outcomes it differs. A change that shows in a few contexts alone can be missed so: say all
        that matters in `described`.
    described
        What the outcomes depend on, such as the network, the number of steps or the version of the
        data; any values that JSON holds. A folder needs it, and one made with something else is
        refused. It becomes attributes of the Dataset, as far as netCDF and zarr hold them: true and
        false become 1 and 0, dicts and other lists than of numbers or of texts their text in JSON.
    tolerance
        Largest share of its outcomes in which a context of `folder` may differ when it is trained
        again: 0, unless stated. Trainings on a GPU rarely repeat. At 0 no loss may differ by more
        than a thousandth of it either, since easy tasks give the same outcomes whatever the
        training; above 0, losses are not compared.

    Returns
    -------
    xarray.Dataset
        What `ncnet.chsh.report` reads: `a` and `b`, +-1, over (`capacity`, if there are any,)
        `alice_setting`, `bob_setting`, `replica` and `item`, training items first; `alice_loss`,
        `bob_loss` and `diverged` where losses were returned; coordinates `split` of the items, and
        `replica_seed`. It can be saved and read back equal by ``to_netcdf(path,
        engine="h5netcdf")`` and ``to_zarr``.

    Raises
    ------
    ValueError
        Before any training, for an argument that cannot be used, or a folder of another `described`
        or seed; after one, for a folder of which a context comes out differently. After the first
        training that shows it, for outcomes that are not of the form above, or other items than
        before; the line names the context.
    Exception
        Whatever `train_context` raises, with a note that names the context.

    Warns
    -----
    RuntimeWarning
        If all of three or more replicas came out the same, failures included, as where the function
        does not use its seed: they are then one replica, counted many times.

    Examples
    --------
    Heads that get three of four items right, each its own, whatever the other's task:

    >>> def train_context(alice_setting, bob_setting, seed):
    ...     wrong = np.random.default_rng(seed).integers(4, size=4)
    ...     a, b = np.ones((2, 4), bool)
    ...     a[wrong[alice_setting - 1]] = b[wrong[1 + bob_setting]] = False
    ...     return a, b
    >>> outcomes = run(train_context, replicas=20)
    >>> dict(outcomes.sizes)
    {'alice_setting': 2, 'bob_setting': 2, 'replica': 20, 'item': 4}
    >>> from ncnet import chsh
    >>> chsh.report(outcomes).delta
    0.0
    """
    capacities = None if capacities is None else _checked_capacities(capacities)
    _check_callable(train_context, ARGUMENTS if capacities is None else (*ARGUMENTS, "capacity"))
    replicas = check_integer("replicas", replicas, at_least=1)
    seed = check_integer("seed", seed, at_least=0)
    _check_name(capacity_name)
    if not isinstance(paired, (bool, np.bool_)):
        raise ValueError(f"`paired` is {paired!r}: expected true or false")
    described = _checked_description(described or {})
    tolerance = _checked_share("tolerance", tolerance)
    if folder is not None:
        swept = None if capacities is None else capacity_name
        common = {"seed": seed, "paired": bool(paired), "capacity_name": swept}
        folder = _claimed(folder, common | {"described": described})
    reader = Reader("train_context", paired=paired)
    training = _Training(train_context, seed, reader, folder, tolerance)
    contexts = [
        _Context(*place, capacity_name)
        for place in itertools.product(capacities or [None], range(replicas), (1, 2), (1, 2))
    ]
    if folder is not None:
        training.begin(contexts)
    found = [
        training.result(context)
        for context in tqdm(contexts, "contexts", leave=False, disable=None)
    ]
    networks = {"replica": np.arange(replicas), "alice_setting": [1, 2], "bob_setting": [1, 2]}
    if capacities is not None:
        networks = {"capacity": capacities} | networks
    outcomes = dataset(found, networks, capacity_name=capacity_name, paired=paired)
    _warn_of_one_replica(outcomes)
    seeds = [replica_seed(seed, replica) for replica in range(replicas)]
    outcomes = outcomes.assign_coords(replica_seed=("replica", seeds))
    return outcomes.assign_attrs(storable({"seed": seed, **described}))


def replica_seed(seed: int, replica: int) -> int:
    """Return the seed, below 2**31, with which a replica's four contexts are trained.

    For training one of them again by hand; any library takes it. Different replicas have
    independent seeds, whatever the seed of the experiment (`numpy.random.SeedSequence`).

    Examples
    --------
    >>> replica_seed(0, 0), replica_seed(0, 1)
    (1610069009, 673228719)
    """
    seed = check_integer("seed", seed, at_least=0)
    replica = check_integer("replica", replica, at_least=0)
    sequence = np.random.SeedSequence(seed, spawn_key=(replica,))
    return int(sequence.generate_state(1, np.uint32)[0]) % 2**31


@dataclass(frozen=True)
class _Context:
    capacity: float | None
    replica: int
    alice_setting: int
    bob_setting: int
    capacity_name: str

    def __str__(self) -> str:
        text = f"context ({self.alice_setting},{self.bob_setting}) of replica {self.replica}"
        return text if self.capacity is None else f"{text} at {self.capacity_name} {self.capacity}"

    def path(self, folder: Path) -> Path:
        if self.capacity is not None:
            folder /= f"capacity_{float(self.capacity)!r}".removesuffix(".0")
        name = f"context_{self.alice_setting}{self.bob_setting}.npz"
        return folder / f"replica_{self.replica:03}" / name

    @classmethod
    def at(cls, path: Path, folder: Path, capacity_name: str) -> _Context:
        """Return the context that is kept at a path of the folder."""
        *capacity, replica, name = path.relative_to(folder).parts
        value = float(capacity[0].removeprefix("capacity_")) if capacity else None
        whole = value is not None and value.is_integer()
        number = int(replica.removeprefix("replica_"))
        i, j = name.removeprefix("context_").removesuffix(".npz")
        return cls(int(value) if whole else value, number, int(i), int(j), capacity_name)


@dataclass
class _Training:
    """The reader's training, and the folder with what it has given so far."""

    train_context: Callable
    seed: int
    reader: Reader
    folder: Path | None
    tolerance: float
    finished: frozenset[Path] = frozenset()

    def result(self, context: _Context) -> Trained:
        """Train one context, or take it from the folder if it was there at the beginning."""
        path = context.path(self.folder) if self.folder else None
        if path in self.finished:
            return self.reader.read(kept.read(path), str(context))
        trained = self.reader.read(self._call(context), str(context))
        if path and path.exists():
            self._compared(context, kept.read(path), trained)
        elif path:
            kept.write(path, trained)
        return trained

    def begin(self, contexts: Sequence[_Context]) -> None:
        """Train one of the folder's contexts again, and say in how much it comes out otherwise.

        It is one of `contexts`, if any of these is finished.
        """
        places = "replica_*/context_??.npz"
        if contexts[0].capacity is not None:
            places = f"capacity_*/{places}"
        # What comes to stand there later is another run's.
        self.finished = frozenset(self.folder.glob(places))
        if not self.finished:
            return
        asked = [context for context in contexts if context.path(self.folder) in self.finished]
        name = contexts[0].capacity_name
        others = (_Context.at(path, self.folder, name) for path in sorted(self.finished))
        context = random.SystemRandom().choice(asked or list(others))
        returned = self._call(context)
        before = kept.read(context.path(self.folder))
        tqdm.write(self._compared(context, before, returned))

    def _compared(self, context: _Context, before: Trained, returned: object) -> str:
        """Return in words how much two trainings of a context differ, or refuse the folder."""
        try:
            before = self.reader.read(before, str(context))
            again = self.reader.read(returned, f"{context} (trained again)")
        except ValueError as error:
            raise ValueError(f"{self.folder} does not fit this training: {error}") from None
        differ, losses = _differing(before, again)
        told = (
            f"{context}, trained again, differs in {differ.sum()} of {differ.size} outcomes (a "
            f"share of {differ.mean():.3g})"
        )
        if losses:
            told += f" and in a loss by {max(abs(x - y) for x, y in losses):.2g}"
        if differ.mean() > self.tolerance or (losses and not self.tolerance):
            raise ValueError(
                f"{self.folder} is refused: {told}, and `tolerance` is {self.tolerance:g}: choose "
                "another folder, or state a larger tolerance if trainings do not repeat, as on a "
                "GPU"
            )
        return told

    def _call(self, context: _Context) -> object:
        seed = replica_seed(self.seed, context.replica)
        arguments = [context.alice_setting, context.bob_setting, seed]
        if context.capacity is not None:
            arguments.append(context.capacity)
        try:
            return self.train_context(*arguments)
        except Exception as error:
            called = ", ".join(map(str, arguments))
            error.add_note(f"raised by `train_context` in {context}, called with ({called})")
            raise


def _differing(one: Trained, other: Trained) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Return where outcomes of two trainings differ, and the pairs of losses that do."""
    parts = [
        (x > 0) != (y > 0)
        for split, pair in one.splits().items()
        for x, y in zip(pair, other.splits()[split], strict=True)
    ]
    losses = [(getattr(one, name), getattr(other, name)) for name in ("alice_loss", "bob_loss")]
    return np.concatenate(parts), [pair for pair in losses if not _is_same_loss(*pair)]


def _is_same_loss(one: float | None, other: float | None) -> bool:
    if one is None:
        return True
    if not (math.isfinite(one) and math.isfinite(other)):
        return math.isfinite(one) == math.isfinite(other)
    return math.isclose(one, other, rel_tol=LOSS_TOLERANCE, abs_tol=NO_LOSS)


def _claimed(folder: Path | str, common: dict) -> Path:
    """Return the folder of this run, new or begun before, or refuse it."""
    if not str(folder):
        raise ValueError("`folder` is empty: expected a folder, or None for none")
    # A training may change the working directory.
    folder = expanded(folder).absolute()
    if not common["described"]:
        raise ValueError(
            f"`folder` is {folder}, and `described` says nothing: expected what the outcomes "
            'depend on, such as described={"steps": 500}'
        )
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"`folder` is {folder}, a file: expected a folder")
    claim(folder / kept.DESCRIPTION, common)
    return folder


def _checked_share(name: str, value: object) -> float:
    value = plain_number(value)
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:
        raise ValueError(f"`{name}` is {value!r}: expected a share, 0 to 1")
    return float(value)


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name:
        raise ValueError(f"`capacity_name` is {name!r}: expected a name")
    if name in _names_in_a_report():
        raise ValueError(
            f"`capacity_name` is {name!r}, which is something else in a report: expected a name "
            "such as `width`"
        )


@cache
def _names_in_a_report() -> frozenset[str]:
    ones = np.ones((2, 2, 1, 1))
    return frozenset({*report((ones, ones)).row(), *DIMENSIONS, *"ab"})


def _warn_of_one_replica(outcomes: xr.Dataset) -> None:
    told = [name for name in ("a", "b", "alice_loss", "bob_loss") if name in outcomes]
    if (
        outcomes.sizes["replica"] < FEWEST_ALIKE
        or (outcomes[["a", "b"]] > 0).all().to_array().all()
    ):
        return
    first = outcomes[told].isel(replica=0)
    if (outcomes[told] == first).all().to_array().all():
        warnings.warn(
            f"all {outcomes.sizes['replica']} replicas came out the same: does `train_context` use "
            "its seed?",
            RuntimeWarning,
            stacklevel=3,
        )


def _check_callable(train_context: object, arguments: tuple[str, ...]) -> None:
    call = f"train_context({', '.join(arguments)})"
    if not callable(train_context):
        raise ValueError(
            f"`train_context` is a {type(train_context).__name__}: expected a function, called "
            f"as {call}"
        )
    try:
        signature = inspect.signature(train_context)
    except ValueError:  # of some functions that are not written in Python
        return
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise ValueError(
            f"`train_context` takes {signature}, and is called as {call}: {error}"
        ) from None
    places = {name: place for place, name in enumerate(signature.parameters)}
    for place, name in enumerate(arguments):
        if places.get(name, place) != place:
            raise ValueError(
                f"`train_context` takes {signature}, and is called as {call}: `{name}` is at "
                "another place"
            )


def _checked_capacities(capacities: Iterable[float]) -> list[float]:
    if isinstance(capacities, (str, Mapping)) or not isinstance(capacities, Iterable):
        raise ValueError(f"`capacities` is {capacities!r}: expected a list of numbers")
    values = [plain_number(c) for c in capacities]
    if not values:
        raise ValueError("`capacities` is empty: expected at least one, or None for no sweep")
    for value in values:
        number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not number or not (abs(value) <= sys.float_info.max or abs(value) == math.inf):
            raise ValueError(f"`capacities` holds {value!r}: expected numbers")
    for value, count in Counter(map(float, values)).items():
        if count > 1:
            raise ValueError(f"`capacities` holds {value:g} twice: expected each once")
    return values


def _checked_description(described: Mapping) -> dict:
    if not isinstance(described, Mapping):
        raise ValueError(f"`described` is a {type(described).__name__}: expected a dict")
    for name in described:
        if not isinstance(name, str) or name in ("paired", "seed"):
            raise ValueError(
                f"`described` names {name!r}: expected names other than `paired` and `seed`, "
                "which are arguments"
            )
        if not name or name in RESERVED or not is_storable_text(name):
            raise ValueError(
                f"`described` names {name!r}: expected a name that netCDF can give an attribute"
            )
    try:
        written = json.loads(json.dumps(dict(described), default=_unwrapped))
    except (TypeError, ValueError) as error:
        raise ValueError(f"`described` cannot be written as JSON: {error}") from None
    for name in _keys(described):
        if not isinstance(name, str):
            raise ValueError(
                f"`described` names {name!r}, a {type(name).__name__}: expected text, as JSON does"
            )
    return written


def _keys(value: object) -> Iterator[object]:
    """Yield all keys in dicts and lists of dicts."""
    if isinstance(value, Mapping):
        yield from value
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _keys(part)


def _unwrapped(value: object) -> object:
    """Return what numpy wraps, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
