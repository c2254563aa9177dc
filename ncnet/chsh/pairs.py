"""Outcomes of pairs of tasks: each pair is trained once, and quartets are looked up in them.

A context is a pair of tasks, whichever party each belongs to. So K tasks take K (K - 1) / 2
networks, one a pair, and every quartet of different tasks is four of these pairs: `as_pairs` says
how they stand in a Dataset, `quartet` how a context is found there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import xarray as xr

from ncnet.checks import check, check_choice, check_once, check_sizes, check_type
from ncnet.chsh.outcomes import (
    SETTINGS,
    as_array,
    as_dataset,
    check_dimensions,
    check_only,
    check_over,
    check_signs,
    normalised,
)
from ncnet.files import storable
from ncnet.printing import shown

DIMENSIONS = ("pair", "replica", "item")
NAMES = ("first_task", "second_task")
HEADS = ("first", "second")
LOSSES = ("first_loss", "second_loss")
PARTIES = {"a": "alice", "b": "bob"}
Pair = tuple[str, ...]
"""Two different tasks in canonical order, or one task alone."""


def sorted_pair(tasks: Sequence[str]) -> Pair:
    """Return the tasks of a pair in canonical order, sorted by name; or one task alone.

    Raises
    ------
    ValueError
        Unless these are one name, or two different ones, in a tuple or a list: whatever has no
        order does not say whose the first outcomes are.

    Examples
    --------
    >>> sorted_pair(("fr", "de"))
    ('de', 'fr')
    >>> sorted_pair(("fr", "fr"))
    Traceback (most recent call last):
    ValueError: task `fr` is paired with itself: expected two different tasks, or one alone
    """
    several = isinstance(tasks, (tuple, list)) and len(tasks) in (1, 2)
    check(several, f"a pair is {shown(tasks)}", "two names of tasks, or one, in a tuple")
    for name in tasks:
        named = isinstance(name, str) and name.strip() and name.isprintable()
        check(named, f"a task is {shown(name)}", "a name of printable letters")
    found = f"task `{tasks[0]}` is paired with itself"
    check(len(set(tasks)) == len(tasks), found, "two different tasks, or one alone")
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
          coordinate `capacity` of different numbers; a `cluster` over `replica`; an attribute
          `paired`; the losses of both heads, `first_loss` and `second_loss`, and whatever else
          either head has, named likewise; and what else belongs to a pair, over `pair` and more.

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
    check_type("pairs", pairs, xr.Dataset, "a Dataset")
    for name in HEADS:
        check_dimensions(pairs, name, DIMENSIONS)
    found = _names(pairs)
    for tasks in found:
        check(sorted_pair(tasks) == tasks, f"a pair is {tasks}", f"it sorted, {sorted_pair(tasks)}")
    _check_pairs_once(found)
    alone = np.array([len(tasks) == 1 for tasks in found])
    check_signs("outcome `first`", pairs["first"].values)
    check_signs("outcome `second`", pairs["second"].isel(pair=~alone).values)
    missing = pairs["second"].isel(pair=alone).values
    check_only("outcome `second` of a task alone", missing, (0, 0), "0, no outcome")
    for name in LOSSES:
        if name in pairs:
            check_over(pairs[name], {"pair", "replica"})
    if "target" in pairs:
        check_over(pairs["target"], {"task", "item"})
        check("task" in pairs.coords, "`target` has no coordinate `task`", "the tasks' names")
        tasks = pairs["task"].values.tolist()
        check_once("task", [_in_words(sorted_pair((task,))) for task in tasks])
        check_signs("`target`", pairs["target"].values)
        pairs = pairs.set_coords("target")
    if "capacity" in pairs.coords:
        capacities = pairs["capacity"].values
        different = capacities.dtype.kind in "iuf" and not np.isnan(capacities).any()
        different = different and np.unique(capacities).size == capacities.size
        check(different, f"`capacity` is {shown(capacities.tolist())}", "different numbers")
    return normalised(pairs, HEADS, DIMENSIONS)


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
        True where the k-th items of all tasks are the same, or partners.

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
        array = _array(f"`{_in_words(tasks)}`", values, {"task": len(tasks)} | sizes)
        sizes = dict(zip(dimensions, array.shape[1:], strict=True))
        own = array[[given.index(task) for task in tasks]]
        heads[tasks] = np.concatenate([own, np.zeros_like(own)])[:2]
    found = dict(zip(HEADS, np.stack(list(heads.values()), axis=1), strict=True))
    found = {name: (("pair", *dimensions), values) for name, values in found.items()}
    items = {"item": sizes.pop("item")}
    if diverged is not None:
        flags = _flags(diverged, heads, sizes)
        found["diverged"] = (("pair", *dimensions[:-1]), flags)
    split = ["training"] * items["item"] if split is None else _array("`split`", split, items)
    coordinates = {"split": ("item", split)}
    for place, name in enumerate(NAMES):
        coordinates[name] = ("pair", [(*tasks, "")[place] for tasks in heads])
    if targets is not None:
        _check_dict("targets", targets)
        for task in targets:
            check_choice("task", task, _tasks(heads))
        coordinates["task"] = list(targets)
        coordinates["target"] = (("task", "item"), _stacked("target", targets, items))
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
        `alice_loss` and `bob_loss`, and likewise what else either head has, `alice_target` and
        `bob_target` (where all four tasks have one) and what else belongs to a pair, with the
        coordinates of replicas, items and capacities. Attributes are those of the pairs, with
        `alice_tasks` and `bob_tasks`. One of tasks alone at capacity 0 can be joined to one of
        pairs at others: ``xr.concat([...], "capacity", data_vars="minimal")``.

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
    parties = {"alice": alice, "bob": bob}
    for party, tasks in parties.items():
        two = isinstance(tasks, (tuple, list)) and len(tasks) == 2
        check(two, f"`{party}` is {shown(tasks)}", "two tasks")
    chosen = (*alice, *bob)
    for task in chosen:
        check_choice("task", task, _tasks(places))
    check_once("task", chosen)
    if alone:
        _check_alone(pairs, itertools.product(alice, bob), places)
    heads = {"a": [], "b": []}
    for own, other in itertools.product(alice, bob):
        for name, task, partner in (("a", own, other), ("b", other, own)):
            tasks = sorted_pair((task,) if alone else (task, partner))
            _check_there(tasks, places)
            heads[name].append((places[tasks], tasks.index(task)))
    found = _looked_up(
        pairs, {name: np.array(read).reshape(2, 2, 2) for name, read in heads.items()}
    )
    if "target" in pairs and set(chosen) <= set(pairs["task"].values.tolist()):
        for party, tasks in parties.items():
            target = pairs["target"].transpose("task", "item").sel(task=list(tasks))
            found[f"{party}_target"] = ((f"{party}_setting", "item"), target.values)
    about = {f"{party}_tasks": list(tasks) for party, tasks in parties.items()}
    return as_dataset(found.assign_attrs(pairs.attrs | storable(about)))


def _looked_up(pairs: xr.Dataset, heads: Mapping[str, np.ndarray]) -> xr.Dataset:
    """Return what pairs have of heads [2, 2, (place of the pair, place in it)], by context."""
    found, of_heads = {}, _of_heads(pairs)
    alice, bob = (head[..., 0] for head in heads.values())
    if (alice == bob).all():  # of one network, what belongs to neither head
        at = {"pair": xr.Variable(list(SETTINGS), alice)}
        beside = {"diverged", *itertools.chain(*of_heads.values())}
        shared = [name for name in pairs if "pair" in pairs[name].dims and name not in beside]
        found |= {name: pairs[name].variable[at] for name in shared}
    for name, head in heads.items():
        at = {"pair": xr.Variable(list(SETTINGS), head[..., 0])}
        is_first = xr.Variable(list(SETTINGS), head[..., 1] == 0)
        for what, both in of_heads.items():
            first, second = (pairs[one].variable[at] for one in both)
            found[f"{PARTIES[name]}{what}" if what else name] = xr.where(is_first, first, second)
        if "diverged" in pairs:
            found["diverged"] = pairs["diverged"].variable[at] | found.get("diverged", False)
    beside = {
        name: coordinate.variable
        for name, coordinate in pairs.coords.items()
        if not {"pair", "task"} & set(coordinate.dims)
    }
    return xr.Dataset(found, beside | SETTINGS)


def _of_heads(pairs: xr.Dataset) -> dict[str, tuple[str, str]]:
    """Return what either head has: both variables, by what follows `first` and `second`."""
    first, second = HEADS
    follows = [name.removeprefix(first) for name in pairs if f"{name}".startswith(first)]
    both = {what: (f"{first}{what}", f"{second}{what}") for what in follows}
    return {what: names for what, names in both.items() if names[1] in pairs}


def _names(pairs: xr.Dataset) -> list[Pair]:
    """Return the names of the tasks of each pair, one where a task is alone."""
    for name in NAMES:
        over_pair = name in pairs.coords and pairs[name].dims == ("pair",)
        check(over_pair, f"pairs have no coordinate `{name}` over `pair`", "the names of tasks")
    both = zip(*(pairs[name].values.tolist() for name in NAMES), strict=True)
    return [tasks if tasks[1] != "" else tasks[:1] for tasks in both]


def _tasks(pairs: Iterable[Pair]) -> set[str]:
    """Return all tasks that some pairs have."""
    return {task for tasks in pairs for task in tasks}


def _in_words(tasks: Pair) -> str:
    """Return what messages call a pair, or a task alone."""
    return " beside ".join(tasks) if len(tasks) > 1 else f"{tasks[0]} alone"


def _check_dict(name: str, value: object) -> None:
    """Raise ``ValueError`` unless a value is a dict that is not empty."""
    several = isinstance(value, Mapping) and value
    check(several, f"`{name}` is {shown(value)}", "a dict that is not empty")


def _in_order(name: str, by_pair: Mapping[Pair, object]) -> dict[Pair, tuple[Pair, object]]:
    """Return pairs in canonical order, sorted, with their names as given and what they have."""
    _check_dict(name, by_pair)
    found = [(sorted_pair(given), (given, value)) for given, value in by_pair.items()]
    _check_pairs_once([tasks for tasks, _ in found])
    return dict(sorted(found, key=lambda pair: pair[0]))


def _check_pairs_once(pairs: Sequence[Pair]) -> None:
    """Raise ``ValueError`` for a pair that is there twice."""
    for tasks in pairs:
        check(pairs.count(tasks) == 1, f"pair `{_in_words(tasks)}` is there twice", "each once")


def _flags(
    diverged: Mapping[Pair, np.ndarray], trained: Iterable[Pair], sizes: Mapping[str, int]
) -> np.ndarray:
    """Return whether each network of the trained pairs diverged, [pairs, ...]."""
    flags = _in_order("diverged", diverged)
    for tasks in flags:
        _check_known(tasks, trained)
    for tasks in trained:
        check(tasks in flags, f"`diverged` lacks `{_in_words(tasks)}`", "it for every pair")
    return _stacked(
        "`diverged`", {_in_words(tasks): values for tasks, (_, values) in flags.items()}, sizes
    )


def _check_known(tasks: Pair, known: Iterable[Pair]) -> None:
    """Raise ``ValueError`` unless a pair is one of those known; the line names the nearest."""
    if tasks not in known:
        check_choice("pair", _in_words(tasks), map(_in_words, known))


def _check_there(tasks: Pair, there: Iterable[Pair]) -> None:
    """Raise ``ValueError`` unless a pair of known tasks is there; the line names its neighbours."""
    beside = [_in_words(one) for one in there if {*one} & {*tasks}]
    found = f"`{_in_words(tasks)}` is not among the pairs"
    check(tasks in there, found, f"it beside {shown(beside)}")


def _stacked(what: str, by_name: Mapping[str, object], sizes: Mapping[str, int]) -> np.ndarray:
    """Return the values of several names as one array, those of a name after the other's."""
    return np.stack([_array(f"{what} of `{name}`", x, sizes) for name, x in by_name.items()])


def _array(name: str, values: object, sizes: Mapping[str, int | None]) -> np.ndarray:
    """Return values as an array of these sizes, by dimension; None is any size."""
    try:
        array = as_array(values)
    except ValueError:  # of numpy, for rows of different lengths
        raise ValueError(f"{name} is ragged: expected rows of one length") from None
    check_sizes(name, array, sizes)
    return array


def _check_alone(
    pairs: xr.Dataset, contexts: Iterable[tuple[str, str]], places: Iterable[Pair]
) -> None:
    """Raise ``ValueError`` where tasks alone do not stand for the pairs of these contexts."""
    for tasks in map(sorted_pair, contexts):
        found = f"`{_in_words(tasks)}` was trained"
        check(tasks not in places, found, "this to be read, not both tasks alone")
    # Of a dimension without coordinate, `pairs["capacity"]` would be 0, 1 and so on.
    found = pairs["capacity"].values if "capacity" in pairs.coords else np.array("unknown")
    expected = "a coordinate `capacity` that is 0, of trunks not trained, to read tasks alone"
    check((found == 0).all(), f"the capacity is {shown(found.tolist())}", expected)
