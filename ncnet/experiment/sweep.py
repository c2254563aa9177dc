"""Calls the reader's training in every context of every replica, and keeps what is finished."""

import inspect
import math
import numbers
import random
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import xarray as xr
from tqdm import tqdm

from ncnet import renamed
from ncnet.checks import (
    check,
    check_integer,
    check_list,
    check_number,
    check_once,
    check_type,
    plain_number,
)
from ncnet.chsh import report
from ncnet.chsh.outcomes import DIMENSIONS, SETTINGS
from ncnet.experiment.networks import NetworkKey, network_keys, train_each
from ncnet.experiment.trained import LOSS_NAMES, Checker, Trained, load, outcomes_on_axes, save
from ncnet.files import expanded, is_storable_text, storable, write_or_compare
from ncnet.printing import shown

ARGUMENTS = ("alice_setting", "bob_setting", "seed")
DESCRIPTION = "experiment.json"
RESERVED = ("coordinates", "CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_NCProperties")
"""The names of attributes that xarray and netCDF keep for themselves."""
LOSS_TOLERANCE = 1e-3
"""The relative difference up to which two losses count as one: machines round differently."""
NO_LOSS = 1e-9
"""The difference up to which two losses count as one, however small they are."""
FEWEST_ALIKE = 3
"""The number of replicas from which on a warning tells that all are alike, failures included."""


@renamed.keywords(described="configuration")
def train(
    train_context: Callable,
    *,
    replicas: int,
    seed: int = 0,
    capacities: Iterable[float] | None = None,
    capacity_name: str = "capacity",
    paired: bool = True,
    folder: Path | str | None = None,
    configuration: Mapping | None = None,
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
        A function that returns a pair ``(a, b)``, each [items], or a `Trained` that holds more:
        whether the head is right on the item, not what it predicts (``predicted == label``). All
        trainings have to return the same items in the same order. A bound method, a partial or any
        other callable will do.
    replicas
        Number of networks in each context. A replica depends on `seed` and its number alone: 100
        replicas are the first 100 of 1,000. `ncnet.chsh.by_capacity` asks for a multiple of 32.
    seed
        Seed of the experiment, from which `replica_seed` makes each replica's.
    capacities
        Sizes of the shared trunk, such as widths, to train at one after the other: the function is
        then called with a fourth argument, the capacity.
    capacity_name
        Name of the capacities, as of their column in tables.
    paired
        Whether Alice's k-th item and Bob's are the same, or partners. If not, a correlator is the
        mean over replicas of the product of both heads' means.
    folder
        Folder that keeps each context as soon as it is finished: a call that was cut off and is
        repeated continues from it. It holds contexts of one `seed` and one `configuration`;
        more replicas and capacities may be added. What a function does cannot be read off it. So
        one of the finished contexts, drawn by chance, is trained again first, and a line says in
        how many of its outcomes it differs. A change that shows in a few contexts alone can be
        missed so: say all that matters in `configuration`.
    configuration
        All that the outcomes depend on, such as the network, the number of steps or the version of
        the data; any values that JSON holds. A folder needs it, and one made with something else is
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
        Outcomes for `ncnet.chsh.report`: `a` and `b`, +-1, over (`capacity`, if there are any,)
        `alice_setting`, `bob_setting`, `replica` and `item`, training items first; `alice_loss`,
        `bob_loss` and `diverged` where losses were returned; coordinates `split` of the items, and
        `replica_seed`. It can be saved and read back equal by ``to_netcdf(path,
        engine="h5netcdf")`` and ``to_zarr``.

    Raises
    ------
    ValueError
        Before any training, for an argument that cannot be used, or a folder of another
        `configuration` or seed; after one, for a folder of which a context comes out differently.
        After the first training that shows it, for outcomes that are not of the form above, or
        other items than before; the line names the context.
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
    >>> outcomes = train(train_context, replicas=20)
    >>> dict(outcomes.sizes)
    {'alice_setting': 2, 'bob_setting': 2, 'replica': 20, 'item': 4}
    >>> from ncnet import chsh
    >>> chsh.report(outcomes).delta
    0.0
    """
    arguments = ARGUMENTS
    if capacities is not None:
        capacities, arguments = _checked_capacities(capacities), (*ARGUMENTS, "capacity")
    _check_callable(train_context, arguments)
    replicas = check_integer("replicas", replicas, at_least=1)
    seed = check_integer("seed", seed, at_least=0)
    _check_name(capacity_name)
    check(isinstance(paired, (bool, np.bool_)), f"`paired` is {shown(paired)}", "true or false")
    configuration = _checked_configuration(configuration or {})
    tolerance = check_number("tolerance", tolerance, 0, 1)
    axes = {"capacity": capacities or [None], "replica": range(replicas), **SETTINGS}
    checker = Checker("train_context", paired=paired)
    training = _Training(train_context, seed, capacity_name, checker, tolerance)
    if folder is not None:
        common = {"seed": seed, "paired": bool(paired), "configuration": configuration}
        common["capacity_name"] = capacity_name if capacities else None
        training.resume(_checked_folder(folder, common), network_keys(axes))
    trained = train_each(training.result, axes)
    outcomes = outcomes_on_axes(trained, axes, capacity_name=capacity_name, paired=paired)
    if capacities is None:
        outcomes = outcomes.isel(capacity=0, drop=True)
    _warn_of_one_replica(outcomes)
    seeds = [replica_seed(seed, replica) for replica in range(replicas)]
    outcomes = outcomes.assign_coords(replica_seed=("replica", seeds))
    return outcomes.assign_attrs(storable({"seed": seed, **configuration}))


def replica_seed(seed: int, replica: int) -> int:
    """Return the seed, below 2**31, with which a replica's four contexts are trained.

    It serves to train one of them again by hand; any library takes it. Different replicas have
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


@dataclass
class _Training:
    """The reader's training, and the folder that keeps what it gave."""

    train_context: Callable
    seed: int
    capacity_name: str
    checker: Checker
    tolerance: float
    folder: Path | None = None
    finished: frozenset[Path] = frozenset()

    def resume(self, folder: Path, wanted: Sequence[NetworkKey]) -> None:
        """Train one of the folder's contexts again, and print by how much it differs.

        It is one of `wanted`, if any of these is finished.
        """
        self.folder = folder
        above = "replica_*" if wanted[0].capacity is None else "capacity_*/replica_*"
        # Files that appear later are those of another process.
        self.finished = frozenset(self.folder.glob(f"{above}/context_??.npz"))
        if self.finished:
            all_kept = [NetworkKey.at(path.relative_to(self.folder)) for path in self.finished]
            wanted = [key for key in wanted if self._path(key) in self.finished]
            key = random.SystemRandom().choice(wanted or all_kept)
            before = load(self._path(key))
            tqdm.write(self._difference(key, before, self._call(key)))

    def result(self, key: NetworkKey) -> Trained:
        """Train one context, or take it from the folder if it was there at the beginning."""
        path = self._path(key) if self.folder else None
        resumed = path in self.finished
        returned = load(path) if resumed else self._call(key)
        trained = self.checker.check(returned, key.label(self.capacity_name))
        if path and not resumed:
            if path.exists():
                self._difference(key, load(path), trained)
            else:
                save(path, trained)
        return trained

    def _difference(self, key: NetworkKey, before: Trained, returned: object) -> str:
        """Return in words how much two trainings of a context differ, or refuse the folder."""
        where = key.label(self.capacity_name)
        try:
            before = self.checker.check(before, where)
            again = self.checker.check(returned, f"{where} (trained again)")
        except ValueError as error:
            raise ValueError(f"{self.folder} does not fit this training: {error}") from None
        differ = before.right() != again.right()
        losses = np.array([[one.alice_loss, one.bob_loss] for one in (before, again)], float)
        finite = np.where(np.isfinite(losses), losses, np.nan)
        same = np.isclose(*finite, LOSS_TOLERANCE, NO_LOSS, equal_nan=True)
        line = (
            f"{where}, trained again, differs in {differ.sum()} of {differ.size} outcomes (a "
            f"share of {differ.mean():.3g})"
        )
        if not same.all():
            line += f" and in a loss by {abs(np.subtract(*losses[:, ~same])).max():.2g}"
        if differ.mean() > self.tolerance or not (same.all() or self.tolerance):
            raise ValueError(
                f"{self.folder} is refused: {line}, and `tolerance` is {self.tolerance:g}: choose "
                "another folder, or state a larger tolerance if trainings do not repeat, as on a "
                "GPU"
            )
        return line

    def _call(self, key: NetworkKey) -> object:
        capacity, replica, *settings = key
        arguments = *settings, replica_seed(self.seed, replica)
        if capacity is not None:
            arguments += (capacity,)
        try:
            return self.train_context(*arguments)
        except Exception as error:
            where = f"in {key.label(self.capacity_name)}, called with {arguments}"
            error.add_note(f"raised by `train_context` {where}")
            raise

    def _path(self, key: NetworkKey) -> Path:
        return self.folder / key.path("capacity").with_suffix(".npz")


def _checked_folder(folder: Path | str, common: dict) -> Path:
    """Return the folder, new or one of the same experiment, or refuse it."""
    check(str(folder), "`folder` is empty", "a folder, or None for none")
    # A training may change the working directory.
    folder = expanded(folder).absolute()
    found = f"`folder` is {folder}, and `configuration` says nothing"
    check(common["configuration"], found, "what outcomes depend on, such as {'steps': 500}")
    check(not folder.exists() or folder.is_dir(), f"`folder` is {folder}, a file", "a folder")
    write_or_compare(folder / DESCRIPTION, common)
    return folder


def _check_name(name: object) -> None:
    check(isinstance(name, str) and name, f"`capacity_name` is {shown(name)}", "a name")
    found = f"`capacity_name` is {name!r}, which is something else in a report"
    check(name not in _names_in_a_report(), found, "a name such as `width`")


@cache
def _names_in_a_report() -> frozenset[str]:
    ones = np.ones((2, 2, 1, 1))
    return frozenset({*report((ones, ones)).row(), *DIMENSIONS, "a", "b"})


def _warn_of_one_replica(outcomes: xr.Dataset) -> None:
    results = outcomes[[name for name in ("a", "b", *LOSS_NAMES) if name in outcomes]]
    all_right = bool((results[["a", "b"]] > 0).all().to_array().all())
    alike = bool((results == results.isel(replica=0)).all().to_array().all())
    replicas = outcomes.sizes["replica"]
    if replicas >= FEWEST_ALIKE and alike and not all_right:
        line = f"all {replicas} replicas came out the same: does `train_context` use its seed?"
        warnings.warn(line, RuntimeWarning, stacklevel=4)  # of whoever called `train`


def _check_callable(train_context: object, arguments: tuple[str, ...]) -> None:
    call, function = f"called as train_context({', '.join(arguments)})", "a function with these"
    found = f"`train_context` is {shown(train_context)}"
    check(callable(train_context), found, f"{function} arguments, {call}")
    try:
        signature = inspect.signature(train_context)
    except ValueError:  # of some functions that are not written in Python
        return
    found = f"`train_context` takes {signature}, and is {call}"
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise ValueError(f"{found}: {error}: expected {function} arguments") from None
    places = {name: place for place, name in enumerate(signature.parameters)}
    for place, name in enumerate(arguments):
        check(places.get(name, place) == place, found, f"`{name}` at place {place + 1}")


def _checked_capacities(capacities: Iterable[float]) -> list[float]:
    expected = "a list of numbers, at least one, or None for no sweep"
    values = [plain_number(c) for c in check_list("capacities", capacities, expected)]
    for value in values:
        number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        fits = number and (abs(value) <= sys.float_info.max or abs(value) == math.inf)
        check(fits, f"`capacities` holds {shown(value)}", "numbers")
    check_once("capacity", map(float, values))
    return values


def _checked_configuration(configuration: Mapping) -> dict:
    check_type("configuration", configuration, Mapping, "a dict")
    expected = "a name that netCDF can give an attribute, and none of the arguments"
    for name in configuration:
        fits = isinstance(name, str) and name and is_storable_text(name)
        fits = fits and name not in (*RESERVED, "paired", "seed")
        check(fits, f"`configuration` names {shown(name)}", expected)
    return _as_json(configuration)


def _as_json(value: object) -> object:
    """Return a value as JSON holds it, or refuse it."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, Mapping):
        for name in value:
            check(isinstance(name, str), f"`configuration` names {shown(name)}", "text, as in JSON")
        return {name: _as_json(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_json(one) for one in value]
    plain = value is None or isinstance(value, (bool, int, float, str))
    check(plain, f"`configuration` holds {shown(value)}", "what JSON can write")
    return value
