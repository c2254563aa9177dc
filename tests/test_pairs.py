"""Outcomes of pairs of tasks: what they hold, and the quartets that are looked up in them."""

import itertools

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from ncnet import chsh
from tests.refusals import refused
from tests.test_saving import as_netcdf, as_zarr

# What zarr says of its newest format, in which text has no final form yet.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*does not have a Zarr V3 specification"),
    pytest.mark.filterwarnings("ignore:.*not part in the Zarr format 3 specification"),
]

LANGUAGES = ("de", "en", "fr", "ja")
NAMES = st.lists(st.text("abZé/_", min_size=1, max_size=4), min_size=4, max_size=6, unique=True)


def drawn(names=LANGUAGES, *, seed=0, shape=(3, 5)):
    """Return outcomes of each task beside each other, and beside nothing (None), by chance."""
    generator = np.random.default_rng(seed)
    heads = [(s, t) for s in names for t in (*names, None) if s != t]
    return {head: generator.choice([-1, 1], size=shape) for head in heads}


def together(beside, **options):
    """Return the pairs of all tasks, whose names come in an order of their own."""
    names = dict.fromkeys(s for s, _ in beside)
    given = itertools.combinations(reversed(names), 2)
    return chsh.collect_pairs({(s, t): (beside[s, t], beside[t, s]) for s, t in given}, **options)


def apart(beside, **options):
    """Return all tasks, each alone, on a trunk that is frozen unless capacities are given."""
    given = {(s,): (x,) for (s, t), x in beside.items() if t is None}
    pairs = chsh.collect_pairs(given, **options)
    return pairs if "capacities" in options else pairs.assign_coords(capacity=0)


def assembled(beside, alice, bob, alone=False):
    """Return `a` and `b` of a quartet, [2, 2, ...], out of what was drawn."""
    contexts = list(itertools.product(alice, bob))
    a = np.stack([beside[s, None if alone else t] for s, t in contexts])
    b = np.stack([beside[t, None if alone else s] for s, t in contexts])
    return a.reshape(2, 2, *a.shape[1:]), b.reshape(2, 2, *b.shape[1:])


def s_of(outcomes):
    return float(chsh.s_value(chsh.correlators(outcomes)))


QUARTETS = st.permutations(LANGUAGES)
SEEDS = st.integers(0, 2**32)


@given(NAMES, SEEDS, st.data())
def test_a_quartet_that_is_looked_up_is_the_one_that_is_assembled(names, seed, data):
    beside = drawn(names, seed=seed)
    a1, a2, b1, b2 = data.draw(st.permutations(names))[:4]
    alone = data.draw(st.booleans())
    pairs = apart(beside) if alone else together(beside)
    found = chsh.quartet(pairs, alice=(a1, a2), bob=(b1, b2), alone=alone)
    expected = chsh.as_dataset(assembled(beside, (a1, a2), (b1, b2), alone))
    for name in ("a", "b"):
        assert found[name].dims == expected[name].dims
        assert found[name].dtype == np.int8
        np.testing.assert_array_equal(found[name], expected[name])
    assert found.attrs["alice_tasks"] == [a1, a2]
    assert found.attrs["bob_tasks"] == [b1, b2]


@pytest.mark.slow
@settings(max_examples=5)
@given(st.integers(4, 5), SEEDS, st.booleans())
def test_over_all_quartets_the_mean_of_s_is_twice_the_mean_correlator_of_a_pair(
    count, seed, paired
):
    names = "vwxyz"[:count]
    beside = drawn(names, seed=seed, shape=(2, 3))
    pairs = together(beside, paired=paired)
    every = [
        s_of(chsh.quartet(pairs, alice=tasks[:2], bob=tasks[2:]))
        for tasks in itertools.permutations(names, 4)
    ]
    found = [(beside[s, t], beside[t, s]) for s, t in itertools.combinations(names, 2)]
    correlators = [
        np.mean(x * y) if paired else np.mean(x.mean(axis=1) * y.mean(axis=1)) for x, y in found
    ]
    assert np.mean(every) == pytest.approx(2 * np.mean(correlators), abs=1e-12)


@given(QUARTETS, SEEDS)
def test_exchanging_parties_or_settings_exchanges_them_in_the_outcomes(tasks, seed):
    pairs = together(drawn(seed=seed))
    alice, bob = tasks[:2], tasks[2:]
    outcomes = chsh.quartet(pairs, alice=alice, bob=bob)
    parties = chsh.quartet(pairs, alice=bob, bob=alice)
    dims = ("bob_setting", "alice_setting", "replica", "item")
    np.testing.assert_array_equal(parties["a"], outcomes["b"].transpose(*dims))
    np.testing.assert_array_equal(parties["b"], outcomes["a"].transpose(*dims))
    reversed_ = chsh.quartet(pairs, alice=alice[::-1], bob=bob)
    for name in ("a", "b"):
        np.testing.assert_array_equal(reversed_[name], outcomes[name].isel(alice_setting=[1, 0]))


@given(st.permutations(list(itertools.permutations(LANGUAGES, 2))), SEEDS)
def test_the_order_in_which_pairs_and_their_tasks_are_given_changes_nothing(heads, seed):
    beside = drawn(seed=seed)
    given = {}
    for s, t in heads:
        if (t, s) not in given:
            given[s, t] = beside[s, t], beside[t, s]
    xr.testing.assert_identical(chsh.collect_pairs(given), together(beside))


@given(QUARTETS, SEEDS)
def test_tasks_alone_let_nothing_through(tasks, seed):
    outcomes = chsh.quartet(apart(drawn(seed=seed)), alice=tasks[:2], bob=tasks[2:], alone=True)
    assert (chsh.s_per_replica(outcomes) <= 2).all()
    assert (outcomes.a == outcomes.a.isel(bob_setting=0)).all()
    assert (outcomes.b == outcomes.b.isel(alice_setting=0)).all()


def full(shape=(3, 5), **changed):
    """Return pairs, and tasks alone, with all that may stand beside outcomes."""
    beside = drawn(shape=shape)
    given = {(s, t): (x, beside[t, s]) for (s, t), x in beside.items() if t and s > t}
    given |= {(s,): (x,) for (s, t), x in beside.items() if t is None}
    generator = np.random.default_rng(1)
    options = {
        "split": ["training"] * 3 + ["held_out"] * 2,
        "diverged": {tasks[::-1]: generator.random(shape[:-1]) < 0.5 for tasks in given},
        "targets": {name: generator.choice([-1, 1], size=shape[-1]) for name in LANGUAGES},
        "paired": False,
    }
    pairs = chsh.collect_pairs(given, **(options | changed))
    return pairs.assign_coords(cluster=("replica", ["x", "x", "y"]))


CAPACITIES = {"shape": (2, 3, 5), "capacities": [0, np.inf], "capacity_name": "rank"}


def test_what_stands_beside_outcomes_comes_along():
    pairs = full(**CAPACITIES)
    outcomes = chsh.quartet(pairs, alice=("ja", "de"), bob=("en", "fr"))
    assert dict(outcomes.sizes) == {
        "capacity": 2,
        "alice_setting": 2,
        "bob_setting": 2,
        "replica": 3,
        "item": 5,
    }
    names = list(zip(pairs.first_task.values, pairs.second_task.values, strict=True))
    for i, own in enumerate(("ja", "de")):
        np.testing.assert_array_equal(outcomes.alice_target[i], pairs.target.sel(task=own))
        for j, other in enumerate(("en", "fr")):
            np.testing.assert_array_equal(outcomes.bob_target[j], pairs.target.sel(task=other))
            place = names.index(tuple(sorted([own, other])))
            np.testing.assert_array_equal(
                outcomes.diverged.isel(alice_setting=i, bob_setting=j),
                pairs.diverged.isel(pair=place),
            )
    assert outcomes.diverged.dtype == bool
    assert outcomes.capacity.attrs == {"capacity_name": "rank"}
    for name in ("split", "cluster", "capacity"):
        np.testing.assert_array_equal(outcomes[name], pairs[name])
    assert outcomes.attrs["paired"] == 0
    assert set(outcomes.coords) == {
        "alice_setting",
        "bob_setting",
        "split",
        "cluster",
        "capacity",
    }
    report = chsh.report(outcomes.isel(capacity=1), readout="prediction", resamples=1000)
    assert (report.replicas, report.held_out.items) == (3, 2)


def test_a_quartet_of_tasks_alone_diverged_where_either_did():
    beside = drawn(shape=(3, 5))
    flags = {("de",): [True, False, False], ("en",): [False, False, True]}
    flags |= {("fr",): [False, True, False], ("ja",): [False, False, False]}
    chosen = {"alice": ("ja", "de"), "bob": ("en", "fr")}
    outcomes = chsh.quartet(apart(beside, diverged=flags), **chosen, alone=True)
    expected = [[[0, 0, 1], [0, 1, 0]], [[1, 0, 1], [1, 1, 0]]]
    np.testing.assert_array_equal(outcomes.diverged, expected)


def test_a_quartet_has_targets_only_where_all_its_tasks_have_one():
    pairs = full()
    fewer = pairs.isel(task=pairs.task.values != "fr")
    found = chsh.quartet(fewer, alice=("ja", "de"), bob=("en", "fr"))
    assert not {"alice_target", "bob_target"} & set(found)
    xr.testing.assert_identical(
        found,
        chsh.quartet(pairs, alice=("ja", "de"), bob=("en", "fr")).drop_vars(
            ["alice_target", "bob_target"]
        ),
    )


@pytest.mark.parametrize("given", [{}, CAPACITIES], ids=["one", "capacities"])
@pytest.mark.parametrize("saved", [as_netcdf, as_zarr])
def test_pairs_that_are_saved_are_read_back_equal(given, saved, tmp_path):
    pairs = full(**given)
    for place, part in enumerate((pairs, pairs.isel(pair=pairs.second_task.values == ""))):
        folder = tmp_path / str(place)
        folder.mkdir()
        back = saved(part, folder)
        assert back.identical(part)
        for name, variable in part.variables.items():
            assert back[name].dtype.kind in variable.dtype.kind.replace("U", "UO")
        xr.testing.assert_identical(chsh.as_pairs(back), part)
    back = chsh.as_pairs(as_netcdf(pairs, tmp_path))
    chosen = {"alice": ("ja", "de"), "bob": ("en", "fr")}
    xr.testing.assert_identical(chsh.quartet(back, **chosen), chsh.quartet(pairs, **chosen))


def test_pairs_in_other_types_and_orders_are_the_same():
    pairs = full(**CAPACITIES)
    other = pairs.assign({name: pairs[name].astype(float) for name in ("first", "second")})
    other = other.transpose("item", "task", "replica", "pair", "capacity")
    found = chsh.as_pairs(other.isel(pair=slice(None, None, -1)))
    assert (found.first.dtype, found.second.dtype) == (np.int8, np.int8)
    chosen = {"alice": ("ja", "de"), "bob": ("en", "fr")}
    for name, variable in chsh.quartet(pairs, **chosen).variables.items():
        np.testing.assert_array_equal(chsh.quartet(found, **chosen)[name], variable)


def test_the_missing_outcomes_of_a_task_alone_are_refused_as_outcomes():
    pairs = full()
    alone = pairs.second_task.values == ""
    assert (pairs.second.values[alone] == 0).all()
    assert (pairs.second.values[~alone] != 0).all()
    for place in (alone, slice(None)):
        read = pairs.second.values[place][:4].reshape(2, 2, *pairs.second.shape[1:])
        with pytest.raises(ValueError, match="outcome `b` holds 0: expected"):
            chsh.report((np.ones_like(read), read))


def named(first, second):
    """Return what gives four pairs these names."""
    return lambda pairs: pairs.isel(pair=slice(4)).assign_coords(
        first_task=("pair", first), second_task=("pair", second)
    )


def held(name, place, value):
    """Return what puts another value into one place, along `pair`, of a variable."""

    def change(pairs):
        values = pairs[name].values.astype(float)
        values[place] = value
        return pairs.assign({name: (pairs[name].dims, values)})

    return change


def test_targets_keep_the_order_of_their_dimensions():
    targets = {"de": [1, 1, -1], "en": [-1, 1, 1]}
    pairs = chsh.collect_pairs({("de", "en"): np.ones((2, 4, 3))}, targets=targets)
    assert pairs["target"].dims == ("task", "item")
    assert pairs["first"].dims == ("pair", "replica", "item")


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (lambda pairs: {}, ("`pairs` is of type dict", "a Dataset")),
        (lambda pairs: pairs.drop_vars("second"), ("outcome `second` is missing",)),
        (lambda pairs: pairs.isel(pair=0), ("outcome `first` has no dimension `pair`",)),
        (lambda pairs: pairs.isel(item=0), ("outcome `first` has no dimension `item`",)),
        (lambda pairs: pairs.expand_dims(step=2), ("outcome `first` has a dimension `step`",)),
        (lambda pairs: pairs.isel(replica=[]), ("outcome `first` is empty",)),
        (lambda pairs: pairs.drop_vars("first_task"), ("no coordinate `first_task` over `pair`",)),
        (lambda pairs: pairs.reset_coords("second_task"), ("no coordinate `second_task`",)),
        (lambda pairs: pairs.drop_vars("split"), ("no coordinate `split` over `item`",)),
        (named([*"abcd"], [*"ebfg"]), ("task `b` is paired with itself",)),
        (named([*"abca"], [*"efge"]), ("pair `a beside e` is there twice", "each once")),
        (named([*"abcd"], [*"efga"]), ("a pair is ('d', 'a')", "it sorted, ('a', 'd')")),
        (named(["a", "b", "", "d"], [*"efgh"]), ("a task is ''", "a name")),
        (named([1, 2, 3, 4], [5, 6, 7, 8]), ("a task is 1", "a name")),
        (lambda pairs: pairs.assign_coords(task=[1, 2, 3, 4]), ("a task is 1", "a name")),
        (held("first", 1, 0), ("outcome `first` holds 0.0", "+1 or -1")),
        (held("second", 1, 0), ("outcome `second` holds 0.0", "+1 or -1")),
        (held("second", 0, 1), ("outcome `second` of a task alone holds 1.0", "0")),
        (held("second", 0, np.nan), ("outcome `second` of a task alone holds nan", "0")),
        (held("target", 0, 0), ("`target` holds 0.0",)),
        (held("diverged", 0, 2), ("`diverged` holds 2.0", "true or false")),
        (lambda pairs: pairs.assign(diverged=("replica", [0, 1, 1])), ("`diverged` is over",)),
        (lambda pairs: pairs.assign(first_loss=pairs.first), ("`first_loss` is over",)),
        (lambda pairs: pairs.assign(target=pairs.first), ("`target` is over",)),
        (lambda pairs: pairs.drop_vars("task"), ("`target` has no coordinate `task`",)),
        (lambda pairs: pairs.isel(task=[0, 0, 1]), ("task `de alone` is there twice",)),
        (lambda pairs: pairs.expand_dims(capacity=[4, 4]), ("`capacity` is [4, 4]",)),
        (lambda pairs: pairs.assign_coords(capacity="4"), ("`capacity` is '4'",)),
        (lambda pairs: pairs.assign_attrs(paired="no"), ("attribute `paired` is 'no'",)),
        (lambda pairs: pairs.assign_coords(cluster=("item", [0] * 5)), ("`cluster` is over",)),
    ],
)
def test_what_is_no_dataset_of_pairs_is_refused(change, parts):
    pairs = full()
    assert pairs.second_task.values[:2].tolist() == ["", "en"]
    refused(lambda: chsh.quartet(change(pairs), alice=("de", "en"), bob=("fr", "ja")), parts)


ONES = np.ones((3, 5))
RAGGED = [[1] * 5, [1] * 4]


@pytest.mark.parametrize(
    ("outcomes", "parts"),
    [
        ({}, ("`outcomes` is {}", "a dict")),
        ([ONES], ("`outcomes` is [array(", "a dict")),
        ({"de": [ONES]}, ("a pair is 'de'", "two names of tasks, or one, in a tuple")),
        ({1: [ONES]}, ("a pair is 1", "two names")),
        ({frozenset(("de", "en")): [ONES] * 2}, ("a pair is frozenset(", "two names")),
        ({("de", "en", "fr"): [ONES] * 3}, ("a pair is ('de', 'en', 'fr')", "two")),
        ({("de", "de"): [ONES] * 2}, ("task `de` is paired with itself",)),
        (
            {("de", "en"): [ONES] * 2, ("en", "de"): [ONES] * 2},
            ("pair `de beside en` is there",),
        ),
        ({("de", 1): [ONES] * 2}, ("a task is 1", "a name")),
        ({("de", " "): [ONES] * 2}, ("a task is ' '", "a name")),
        ({("de", "a\0"): [ONES] * 2}, ("a task is 'a", "x00'", "a name")),
        ({("de", "a\nb"): [ONES] * 2}, ("a task is 'a", "nb'", "a name")),
        ({("de", "a\udc00"): [ONES] * 2}, ("a task is 'a", "udc00'", "a name")),
        ({("de", "en"): 1}, ("`de beside en` is 1", "(task: 2, replica, item)")),
        ({("de", "en"): [ONES]}, ("`de beside en` has shape (1, 3, 5)", "(task: 2")),
        ({("de",): [ONES] * 2}, ("`de alone` has shape (2, 3, 5)", "(task: 1")),
        ({("de", "en"): [ONES, ONES[1:]]}, ("`de beside en` is ragged",)),
        ({("de",): [ONES[0]]}, ("`de alone` has shape (1, 5)",)),
        ({("de",): [ONES], ("en",): [ONES[1:]]}, ("`en alone` has", "1, replica: 3, item: 5)")),
        ({("de",): [0 * ONES]}, ("outcome `first` holds 0.0",)),
    ],
)
def test_outcomes_that_make_no_pairs_are_refused(outcomes, parts):
    refused(lambda: chsh.collect_pairs(outcomes), parts)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"split": ["training"] * 2}, ("`split` has shape (2,)", "(item: 5)")),
        ({"split": ["test"] * 5}, ("`split` holds 'test'",)),
        ({"split": "training"}, ("`split` is 'training'", "(item: 5)")),
        ({"diverged": [0] * 3}, ("`diverged` is [0, 0, 0]", "a dict")),
        ({"diverged": {frozenset(("de", "en")): [0] * 3}}, ("a pair is frozenset(",)),
        (
            {"diverged": {("de", "em"): [0] * 3}},
            ("unknown pair `de beside em`", "mean `de b"),
        ),
        ({"diverged": {("en",): [0] * 3}}, ("`diverged` lacks `de beside en`",)),
        (
            {"diverged": {("en", "de"): [0] * 2, ("en",): [0] * 3}},
            ("`diverged` of `de beside en`", "(2,)"),
        ),
        ({"targets": {}}, ("`targets` is {}", "a dict")),
        ({"targets": [[1] * 5]}, ("`targets` is [[1, 1, 1, 1, 1]]", "a dict")),
        ({"targets": {"em": [1] * 5}}, ("unknown task `em`", "did you mean `en`")),
        ({"targets": {1: [1] * 5}}, ("unknown task `1`", "one of `de`, `en`")),
        ({"targets": {"a\n" * 200: [1] * 5}}, ("unknown task `a\\na\\n",)),
        ({"targets": {"en": []}}, ("target of `en` has shape (0,)", "(item: 5)")),
        ({"targets": {"en": 1}}, ("target of `en` is 1", "(item: 5)")),
        ({"targets": {"en": RAGGED}}, ("target of `en` is ragged",)),
        ({"targets": {"en": ONES}}, ("target of `en` has shape (3, 5)",)),
        ({"targets": {"de": [2] * 5}}, ("`target` holds 2",)),
        ({"targets": {"de": ["1"] * 5}}, ("`target` holds '1'",)),
        ({"capacities": [1, 2]}, ("`de beside en` has shape (2, 3, 5)", "(task: 2, capacity")),
    ],
)
def test_what_does_not_fit_outcomes_is_refused(options, parts):
    refused(
        lambda: chsh.collect_pairs({("en",): [ONES], ("de", "en"): [ONES] * 2}, **options), parts
    )


@pytest.mark.parametrize("wrong", [["1", "2"], [1, np.nan], [1, 2j], [2, 2], [True, False], [1], 1])
def test_capacities_are_different_numbers_as_many_as_there_are(wrong):
    given = {("de",): [[ONES, ONES]]}
    found = chsh.collect_pairs(given, capacities=[4, np.inf])
    assert found.capacity.values.tolist() == [4, np.inf]
    with pytest.raises(ValueError, match=r"^`capacit(y|ies)` .*: expected .*$"):
        chsh.collect_pairs(given, capacities=wrong)


def test_an_unknown_task_among_many_is_refused_in_a_short_line():
    given = {(f"task {k}", f"task {k + 1}"): [ONES] * 2 for k in range(40)}
    for options in ({"alice": ("xyz", "task 0")}, {"alice": ("task 0", "task 1")}):
        with pytest.raises(ValueError, match=r"^(unknown|`task).{,450}$"):
            chsh.quartet(chsh.collect_pairs(given), **options, bob=("task 2", "task 3"))


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"alice": ("de", "em")}, ("unknown task `em`", "did you mean `en`")),
        ({"alice": ("de", "fr")}, ("task `fr` is there twice", "each once")),
        ({"alice": ("de", "de")}, ("task `de` is there twice",)),
        ({"alice": "de"}, ("`alice` is 'de'", "two tasks")),
        ({"bob": ("fr",)}, ("`bob` is ('fr',)", "two tasks")),
        ({"bob": ("fr", "it")}, ("`en beside it` is not among the pairs", "it beside ['de")),
        ({"alone": True}, ("`de beside fr` was trained", "this to be read")),
    ],
)
def test_quartets_that_cannot_be_looked_up_are_refused(options, parts):
    given = {tasks: [ONES] * 2 for tasks in itertools.combinations(LANGUAGES, 2)}
    given |= {(name,): [ONES] for name in LANGUAGES} | {("de", "it"): [ONES] * 2}
    pairs = chsh.collect_pairs(given)
    refused(
        lambda: chsh.quartet(pairs, **({"alice": ("de", "en"), "bob": ("fr", "ja")} | options)),
        parts,
    )


def test_capacity_0_from_tasks_alone_is_joined_to_others_from_pairs():
    beside = drawn(shape=(1, 3, 5))
    targets = {name: beside[name, None][0, 0] for name in LANGUAGES}
    chosen = {"alice": ("de", "en"), "bob": ("fr", "ja")}
    frozen = apart(beside, capacities=[0], capacity_name="rank", targets=targets)
    adapted = together(beside, capacities=[4], capacity_name="rank", targets=targets)
    parts = [chsh.quartet(frozen, **chosen, alone=True), chsh.quartet(adapted, **chosen)]
    joined = xr.concat(parts, "capacity", data_vars="minimal")
    for capacity, part in zip((0, 4), parts, strict=True):
        xr.testing.assert_identical(joined.sel(capacity=[capacity]), part)


def test_pairs_of_several_capacities_are_joined_as_xarray_joins_by_itself():
    beside = drawn(shape=(2, 3, 5))
    targets = {name: beside[name, None][0, 0] for name in LANGUAGES}
    parts = [
        together({head: x[[place]] for head, x in beside.items()}, capacities=[c], targets=targets)
        for place, c in enumerate((4, np.inf))
    ]
    joined = together(beside, capacities=[4, np.inf], targets=targets)
    xr.testing.assert_identical(chsh.as_pairs(xr.concat(parts, "capacity")), joined)


def test_tasks_alone_are_read_only_where_asked_for_and_at_capacity_0():
    beside = drawn(shape=(2, 3, 5))
    chosen = {"alice": ("de", "en"), "bob": ("fr", "ja")}
    pairs = apart(beside, capacities=[0, 4])
    with pytest.raises(ValueError, match="`de beside fr` is not among the pairs: expected it"):
        chsh.quartet(pairs, **chosen)
    with pytest.raises(ValueError, match=r"the capacity is \[0, 4\]: expected"):
        chsh.quartet(pairs, **chosen, alone=True)
    frozen = pairs.sel(capacity=0)
    for unsaid in (frozen.drop_vars("capacity"), pairs.sel(capacity=[0]).drop_vars("capacity")):
        with pytest.raises(ValueError, match="the capacity is 'unknown': expected"):
            chsh.quartet(unsaid, **chosen, alone=True)
    frozen = chsh.quartet(frozen, **chosen, alone=True)
    assert frozen.sizes == {"alice_setting": 2, "bob_setting": 2, "replica": 3, "item": 5}
    without = pairs.isel(pair=pairs.first_task.values != "ja")
    with pytest.raises(ValueError, match="unknown task `ja`"):
        chsh.quartet(without.sel(capacity=0), **chosen, alone=True)


def test_pairs_that_read_alike_are_two():
    ones = np.ones((2, 3, 5))
    pairs = chsh.collect_pairs({("a", "b beside c"): ones, ("a beside b", "c"): ones})
    assert pairs.sizes["pair"] == 2
