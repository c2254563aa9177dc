"""Outcomes of pairs of tasks: each pair is trained once, and quartets are looked up in them.

A context is a pair of tasks, whichever party each belongs to. So K tasks take K (K - 1) / 2
networks, one a pair, and every quartet of different tasks is four of these pairs: `as_pairs` says
how they stand in a Dataset, `quartet` how a context is found there.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import xarray as xr

from ncnet.checks import suggestion
from ncnet.chsh.outcomes import as_array, as_dataset, check_dimensions, check_signs, checked
from ncnet.files import storable
from ncnet.printing import printable, shortened

DIMENSIONS = ("pair", "replica", "item")
SETTINGS = ("alice_setting", "bob_setting")
NAMES = ("first_task", "second_task")
Pair = tuple[str, ...]
"""Two different tasks in canonical order, or one task alone."""


def canonical(tasks: Sequence[str]) -> Pair:
    """Return the tasks of a pair in canonical order, sorted by name; or one task alone.

    Raises
    ------
    ValueError
        Unless these are one name, or two different ones, in a tuple or a list: whatever has no
        order does not say whose the first outcomes are.

    Examples
    --------
    >>> canonical(("fr", "de"))
    ('de', 'fr')
    >>> canonical(("fr", "fr"))
    Traceback (most recent call last):
    ValueError: task `fr` is paired with itself: expected two different tasks, or one alone
    """
    if not isinstance(tasks, (tuple, list)) or len(tasks) not in (1, 2):
        raise ValueError(
            f"a pair is {_shown(tasks)}: expected two names of tasks, or one, in a tuple"
        )
    for name in tasks:
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise ValueError(f"a task is {_shown(name)}: expected a name of printable letters")
    if len(set(tasks)) < len(tasks):
        raise ValueError(
            f"task `{tasks[0]}` is paired with itself: expected two different tasks, or one alone"
        )
    return tuple(sorted(tasks))


def as_pairs(pairs: xr.Dataset) -> xr.Dataset:
    """Return outcomes of pairs of tasks as a checked Dataset.

    Parameters
    ----------
    pairs
        With a dimension `pair`, each element of which is one network: two different tasks, or one
        task alone. It has

        - coordinates `first_task` and `second_task` over `pair`: the names of both tasks, sorted;
          of a task alone, `first_task` is its name and `second_task` is empty;
        - outcomes `first` and `second`, +-1 over (pair, replica, item) and possibly `capacity`:
          those of the first task's head and of the second task's. A task alone has its outcomes
          in `first`. There `second` is 0, which is no outcome: whatever reads outcomes refuses it;
        - a coordinate `split` over `item`, as all outcomes have;
        - perhaps a coordinate `target`, +-1 over (task, item), whose coordinate `task` has the
          names of all tasks that have one; `diverged` over (pair, replica) and `capacity`; a
          coordinate `capacity` of different numbers; a `cluster` over `replica`; and an attribute
          `paired`.

    Returns
    -------
    xarray.Dataset
        `first` and `second` as int8, dimensions in order; `target`, where it is there, a
        coordinate.

    Raises
    ------
    ValueError
        For a task that is paired with itself, a pair that is there twice or not in canonical
        order, a missing, surplus or empty dimension, a missing variable, or other values.

    Examples
    --------
    >>> ones = np.ones((2, 5, 8))
    >>> pairs = collect_pairs({("en", "de"): ones, ("en", "fr"): ones})
    >>> as_pairs(pairs.assign_coords(first_task=("pair", ["de", "fr"])))
    Traceback (most recent call last):
    ValueError: task `fr` is paired with itself: expected two different tasks, or one alone
    """
    if not isinstance(pairs, xr.Dataset):
        raise ValueError(f"pairs are a {type(pairs).__name__}: expected a Dataset")
    for name in ("first", "second"):
        check_dimensions(pairs, name, DIMENSIONS)
    found = _names(pairs)
    for tasks in found:
        if canonical(tasks) != tasks:
            raise ValueError(f"a pair is {tasks}: expected it sorted, {canonical(tasks)}")
        if found.count(tasks) > 1:
            raise ValueError(f"`{_said(tasks)}` is there twice: expected each pair once")
    _check_outcomes(pairs, np.array([len(tasks) == 1 for tasks in found]))
    if "diverged" in pairs and set(pairs["diverged"].dims) - {"capacity"} != {"pair", "replica"}:
        raise ValueError(f"`diverged` is over {pairs['diverged'].dims}: expected pair and replica")
    if "target" in pairs:
        _check_targets(pairs["target"])
        pairs = pairs.set_coords("target")
    if "capacity" in pairs.coords:
        _check_capacities(pairs["capacity"].values)
    return checked(pairs, ("first", "second"), DIMENSIONS)


def collect_pairs(
    outcomes: Mapping[Pair, Sequence[np.ndarray]],
    *,
    split: Sequence[str] | None = None,
    diverged: Mapping[Pair, np.ndarray] | None = None,
    targets: Mapping[str, np.ndarray] | None = None,
    capacities: Sequence[float] | None = None,
    capacity_name: str = "capacity",
    paired: bool = True,
) -> xr.Dataset:
    """Return outcomes of trained pairs of tasks as one Dataset, for `quartet` to read.

    Parameters
    ----------
    outcomes
        By the names of two tasks in a tuple, in any order, the outcomes of both, +-1, in the same
        order: two arrays [replicas, items]. By one name in a tuple, those of a task alone: one such
        array.
    split
        Of each item, "training" or "held_out". By default all are training items.
    diverged
        By the same names, in any order, whether each network diverged [replicas].
    targets
        By task, +-1 [items]; only tasks with two classes have them.
    capacities
        Where networks were trained at several: different numbers, infinity among them. Arrays of
        outcomes are then [capacities, replicas, items], those of `diverged` [capacities, replicas].
    capacity_name
        What they are: the name of their column in tables.
    paired
        Whether the k-th items of all tasks are the same, or partners.

    Returns
    -------
    xarray.Dataset
        As `as_pairs` describes it, sorted by names. Those of several capacities, each collected by
        itself, are joined by ``xr.concat([...], "capacity")``.

    Raises
    ------
    ValueError
        For a pair that is there twice, in whichever order, arrays that are not of one shape,
        targets or `diverged` of what has no outcomes, and all that `as_pairs` refuses.

    Examples
    --------
    >>> de, en, fr = (np.full((5, 8), sign) for sign in (1, -1, 1))
    >>> pairs = collect_pairs({("fr", "en"): (fr, en), ("en", "de"): (en, de), ("de",): (de,)})
    >>> list(zip(pairs.first_task.values.tolist(), pairs.second_task.values.tolist()))
    [('de', ''), ('de', 'en'), ('en', 'fr')]
    >>> pairs.second.isel(replica=0, item=0).values.tolist()
    [0, -1, 1]
    """
    dimensions = ("replica", "item") if capacities is None else ("capacity", "replica", "item")
    sizes: dict[str, int | None] = dict.fromkeys(dimensions)
    heads = {}
    for tasks, (given, values) in _in_order("outcomes", outcomes).items():
        array = _array(f"`{_said(tasks)}`", values, {"task": len(tasks)} | sizes)
        sizes = dict(zip(dimensions, array.shape[1:], strict=True))
        own = array[[given.index(task) for task in tasks]]
        heads[tasks] = np.concatenate([own, np.zeros_like(own)])[:2]
    dimensions = ("pair", *dimensions)
    both = np.stack(list(heads.values()), axis=1)
    found = {"first": (dimensions, both[0]), "second": (dimensions, both[1])}
    items = {"item": sizes.pop("item")}
    if diverged is not None:
        found["diverged"] = (dimensions[:-1], _flags(diverged, heads, sizes))
    split = ["training"] * items["item"] if split is None else _array("`split`", split, items)
    coordinates = {"split": ("item", split)}
    for place, name in enumerate(NAMES):
        coordinates[name] = ("pair", [(*tasks, "")[place] for tasks in heads])
    if targets is not None:
        coordinates["target"] = (("task", "item"), _targets(targets, heads, items))
        coordinates["task"] = list(targets)
    if capacities is not None:
        capacities = _array("`capacities`", capacities, {"capacity": sizes["capacity"]})
        coordinates["capacity"] = ("capacity", capacities, {"capacity_name": capacity_name})
    return as_pairs(xr.Dataset(found, coordinates, storable({"paired": paired})))


def quartet(
    pairs: xr.Dataset, *, alice: tuple[str, str], bob: tuple[str, str], alone: bool = False
) -> xr.Dataset:
    """Return the outcomes of four tasks in four contexts, looked up in those of pairs.

    With Alice's tasks ``("en", "fr")`` and Bob's ``("de", "ja")``, each context is one pair, and
    each party the head of its task::

        pair  first_task  second_task      context  Alice  Bob   a       b
           0  de          en                 (1,1)  en     de    second  first   of pair 0
           1  de          fr                 (1,2)  en     ja    first   second  of pair 4
           2  de          ja                 (2,1)  fr     de    second  first   of pair 1
           3  en          fr                 (2,2)  fr     ja    first   second  of pair 5
           4  en          ja
           5  fr          ja

    Parameters
    ----------
    pairs
        As `as_pairs` describes them.
    alice, bob
        Tasks of settings 1 and 2: four different ones.
    alone
        Read each head from its task alone instead, in both its contexts. This is right where heads
        cannot influence each other, as with a trunk that is not trained, and then only: S stays
        at or below 2 in every replica, whatever pairs would have given. So it is refused unless
        the pairs have a coordinate `capacity` that is 0 everywhere, and where one of the four
        pairs was trained. Where all trunks are frozen, ``pairs.assign_coords(capacity=0)`` says so.

    Returns
    -------
    xarray.Dataset
        What `report` and all else reads: `a` and `b`, and where pairs have them `diverged`,
        `alice_target` and `bob_target` (where all four tasks have one), with the coordinates of
        replicas, items and capacities. Attributes are those of the pairs, with `alice_tasks` and
        `bob_tasks`. One of tasks alone at capacity 0 can be joined to one of pairs at others:
        ``xr.concat([...], "capacity", data_vars="minimal")``.

    Raises
    ------
    ValueError
        For a task or a pair that is not there, a task that comes twice, or tasks alone where the
        trunk may have been trained.

    Examples
    --------
    >>> ones = np.ones((2, 5, 8))
    >>> names = ["de", "en", "fr", "ja"]
    >>> pairs = collect_pairs({(s, t): ones for s in names for t in names if s < t})
    >>> outcomes = quartet(pairs, alice=("en", "fr"), bob=("de", "ja"))
    >>> dict(outcomes.sizes)
    {'alice_setting': 2, 'bob_setting': 2, 'replica': 5, 'item': 8}
    >>> quartet(pairs, alice=("en", "fr"), bob=("de", "jp"))
    Traceback (most recent call last):
    ValueError: unknown task `jp`: did you mean `ja`?
    """
    pairs = as_pairs(pairs)
    places = {tasks: place for place, tasks in enumerate(_names(pairs))}
    _check_quartet(alice, bob, places)
    if alone:
        _check_alone(pairs, alice, bob, places)
    found = {"a": [], "b": []}
    for own, other in itertools.product(alice, bob):
        for name, task, partner in (("a", own, other), ("b", other, own)):
            tasks = canonical((task,) if alone else (task, partner))
            if tasks not in places:
                raise _unknown("pair", _said(tasks), map(_said, places))
            found[name].append((places[tasks], tasks.index(task)))
    heads = {name: np.array(read).reshape(2, 2, 2) for name, read in found.items()}
    return as_dataset(_looked_up(pairs, heads, alice, bob))


def _looked_up(
    pairs: xr.Dataset,
    heads: Mapping[str, np.ndarray],
    alice: tuple[str, str],
    bob: tuple[str, str],
) -> xr.Dataset:
    """Return the outcomes of these heads, (place of the pair, place in it) for each context."""
    networks = {name: {"pair": xr.Variable(SETTINGS, head[..., 0])} for name, head in heads.items()}
    found = {}
    for name, head in heads.items():
        first, second = (pairs[one].variable[networks[name]] for one in ("first", "second"))
        found[name] = xr.where(xr.Variable(SETTINGS, head[..., 1] == 0), first, second)
    if "diverged" in pairs:
        of_alice, of_bob = (pairs["diverged"].variable[of_party] for of_party in networks.values())
        found["diverged"] = of_alice | of_bob
    labels = pairs["task"].values.tolist() if "target" in pairs else []
    if {*alice, *bob} <= set(labels):
        for name, tasks in (("alice", alice), ("bob", bob)):
            target = pairs["target"].transpose("task", "item").values
            target = target[[labels.index(task) for task in tasks]]
            found[f"{name}_target"] = ((f"{name}_setting", "item"), target)
    kept = {
        name: coordinate.variable
        for name, coordinate in pairs.coords.items()
        if not {"pair", "task"} & set(coordinate.dims)
    }
    about = {"alice_tasks": list(alice), "bob_tasks": list(bob)}
    settings = {setting: [1, 2] for setting in SETTINGS}
    return xr.Dataset(found, kept | settings, pairs.attrs | storable(about))


def _names(pairs: xr.Dataset) -> list[Pair]:
    for name in NAMES:
        if name not in pairs.coords or pairs[name].dims != ("pair",):
            raise ValueError(f"pairs have no coordinate `{name}` over `pair`")
    both = zip(*(pairs[name].values.tolist() for name in NAMES), strict=True)
    return [tasks if tasks[1] != "" else tasks[:1] for tasks in both]


def _said(tasks: Pair) -> str:
    return " beside ".join(tasks) if len(tasks) > 1 else f"{tasks[0]} alone"


def _check_outcomes(pairs: xr.Dataset, alone: np.ndarray) -> None:
    check_signs("outcome `first`", pairs["first"].values)
    check_signs("outcome `second`", pairs["second"].isel(pair=~alone).values)
    surplus = pairs["second"].isel(pair=alone).values
    if (surplus != 0).any():
        value = surplus[surplus != 0].tolist()[0]
        raise ValueError(f"outcome `second` of a task alone is {value!r}: expected 0, no outcome")


def _check_targets(target: xr.DataArray) -> None:
    if set(target.dims) != {"task", "item"}:
        raise ValueError(f"`target` is over {target.dims}: expected task and item")
    if "task" not in target.coords or not target.get_index("task").is_unique:
        raise ValueError("`target` has no coordinate `task` with each task once")
    for task in target["task"].values.tolist():
        canonical((task,))
    check_signs("`target`", target.values)


def _check_capacities(values: np.ndarray) -> None:
    numbers = values.ravel().tolist()
    others = values.dtype.kind not in "iuf" or np.isnan(values).any()
    if others or len(set(numbers)) < len(numbers):
        raise ValueError(f"`capacity` is {_shown(numbers)}: expected different numbers")


def _in_order(name: str, by_pair: Mapping[Pair, object]) -> dict[Pair, tuple[Pair, object]]:
    """Return pairs in canonical order, sorted, with their names as given and what they have."""
    _check_mapping(name, by_pair)
    found = {}
    for given, value in by_pair.items():
        tasks = canonical(given)
        if tasks in found:
            raise ValueError(f"`{_said(tasks)}` is there twice: expected each pair once")
        found[tasks] = given, value
    return dict(sorted(found.items()))


def _check_mapping(name: str, value: object) -> None:
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"`{name}` is {_shown(value)}: expected a dict that is not empty")


def _flags(
    diverged: Mapping[Pair, np.ndarray], trained: Iterable[Pair], sizes: Mapping[str, int]
) -> np.ndarray:
    flags = _in_order("diverged", diverged)
    for tasks in flags:
        if tasks not in trained:
            raise _unknown("pair", _said(tasks), map(_said, trained))
    for tasks in trained:
        if tasks not in flags:
            raise ValueError(f"`diverged` lacks `{_said(tasks)}`: expected it for every pair")
    return np.stack(
        [
            _array(f"`diverged` of `{_said(tasks)}`", values, sizes)
            for tasks, (_, values) in flags.items()
        ]
    )


def _targets(
    targets: Mapping[str, np.ndarray], trained: Iterable[Pair], sizes: Mapping[str, int]
) -> np.ndarray:
    _check_mapping("targets", targets)
    _check_known(targets, trained)
    return np.stack(
        [_array(f"target of `{task}`", values, sizes) for task, values in targets.items()]
    )


def _array(name: str, values: object, sizes: Mapping[str, int | None]) -> np.ndarray:
    """Return values as an array of these sizes, by dimension; None is any size."""
    array, found = np.array(0), "is ragged"
    with contextlib.suppress(ValueError):  # which numpy raises for rows of different lengths
        array = as_array(values)
        found = f"has shape {array.shape}" if array.ndim else f"is {_shown(values)}"
    if array.ndim != len(sizes) or any(
        size not in (None, there) for size, there in zip(sizes.values(), array.shape, strict=True)
    ):
        expected = [d if size is None else f"{d}: {size}" for d, size in sizes.items()]
        raise ValueError(f"{name} {found}: expected ({', '.join(expected)})")
    return array


def _check_known(tasks: Iterable[str], trained: Iterable[Pair]) -> None:
    known = [task for pair in trained for task in pair]
    for task in tasks:
        if task not in known:
            raise _unknown("task", task, set(known))


def _unknown(kind: str, name: object, known: Iterable[str]) -> ValueError:
    """Return the refusal of a name: a line that stays short among many that are known."""
    line = f"unknown {kind} `{name}`{suggestion(name, known)}"
    return ValueError(shortened(printable(line), 200))


def _shown(value: object) -> str:
    return shortened(printable(repr(value)))


def _check_quartet(alice: object, bob: object, places: Iterable[Pair]) -> None:
    for party, tasks in (("alice", alice), ("bob", bob)):
        if not isinstance(tasks, (tuple, list)) or len(tasks) != 2:
            raise ValueError(f"`{party}` is {_shown(tasks)}: expected two tasks")
    tasks = [*alice, *bob]
    _check_known(tasks, places)
    for task in tasks:
        if tasks.count(task) > 1:
            raise ValueError(f"task `{task}` comes twice: expected four different tasks")


def _check_alone(
    pairs: xr.Dataset, alice: tuple[str, str], bob: tuple[str, str], places: Iterable[Pair]
) -> None:
    for tasks in itertools.product(alice, bob):
        if canonical(tasks) in places:
            raise ValueError(
                f"`{_said(tasks)}` was trained: expected this to be read, not both tasks alone"
            )
    # Of a dimension without coordinate, `pairs["capacity"]` would be 0, 1 and so on.
    found = pairs["capacity"].values.ravel().tolist() if "capacity" in pairs.coords else ["unknown"]
    for capacity in found:
        if capacity != 0:
            raise ValueError(
                f"the capacity is {capacity}: expected a coordinate `capacity` that is 0, of "
                "trunks that are not trained, to read tasks alone"
            )
