"""What is returned can be saved and read back: netCDF, zarr, and the tables of it."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import example, given
from hypothesis import strategies as st

import ncnet
from ncnet import chsh, experiment, games
from ncnet.experiment import Trained
from ncnet.files import is_storable_text, storable
from tests.strategies import correlated_outcomes, singlet_correlators

# What zarr says of its newest format, in which text has no final form yet.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*does not have a Zarr V3 specification"),
    pytest.mark.filterwarnings("ignore:.*not part in the Zarr format 3 specification"),
]


def as_netcdf(dataset, folder):
    dataset.to_netcdf(folder / "outcomes.nc", engine="h5netcdf")
    return xr.load_dataset(folder / "outcomes.nc", engine="h5netcdf")


def as_zarr(dataset, folder):
    dataset.to_zarr(folder / "outcomes.zarr")
    return xr.open_zarr(folder / "outcomes.zarr").load()


def trained(**options):
    pytest.importorskip("torch")
    options = {"hidden_size": 2, "replicas": 5, "seed": 0, "steps": 4} | options
    return ncnet.train(games.overlap(), **options)


def train_context(i, j, seed, width=1):
    generator = np.random.default_rng([i, j, seed, int(4 * min(width, 9))])
    loss = float(generator.random()) if generator.random() < 0.9 else float("nan")
    pairs = generator.random((2, 2, 6)) < 0.7
    return Trained(tuple(pairs[0]), tuple(pairs[1]), list("uvwxyz"), range(6), loss, 1.0)


def run(function=train_context, **options):
    return experiment.train(function, **({"replicas": 12} | options))


def tabled(**columns):
    a, b = correlated_outcomes(singlet_correlators(), replicas=12, items=3, seed=0)
    index = pd.MultiIndex.from_product(
        [(11, 12, 21, 22), range(12), range(3)], names=["context", "replica", "item"]
    )
    table = pd.DataFrame({"a": a.ravel() > 0, "b": b.ravel() > 0}, index).reset_index()
    return chsh.from_table(table.assign(**{n: f(table) for n, f in columns.items()}))


DATASETS = {
    "train": trained,
    "train, traced": lambda: trained(trace_steps=[0, 2], trace=["loss", "gradients", "weights"]),
    "train, along steps": lambda: trained(steps=[0, 2, 4], seed=2**70),
    "run": run,
    "run, pairs": lambda: run(lambda i, j, seed: train_context(i, j, seed).training, paired=False),
    "run, capacities": lambda: run(capacities=[0.5, 1, np.inf], capacity_name="share"),
    "run, configuration": lambda: run(
        configuration={"steps": 9, "data": {"rows": [1]}, "augmented": True}
    ),
    "from_table": tabled,
    "from_table, named": lambda: tabled(
        replica=lambda t: "seed " + t["replica"].astype(str),
        item=lambda t: t["item"].map({0: "NA", 1: "null", 2: "é"}),
        cluster=lambda t: t["replica"] // 3,
        split=lambda t: np.where(t["item"] == 2, "held_out", "training"),
    ),
    "from_table, numbered": lambda: tabled(
        replica=lambda t: t["replica"] / 4, capacity=lambda t: 0.5
    ),
}


@pytest.fixture(scope="module", params=DATASETS)
def dataset(request):
    return DATASETS[request.param]()


@pytest.mark.parametrize("saved", [as_netcdf, as_zarr])
def test_what_is_saved_is_read_back_equal(dataset, saved, tmp_path):
    back = saved(dataset, tmp_path)
    assert back.identical(dataset)
    for name, variable in dataset.variables.items():
        assert variable.dtype.kind != "O"
        # Older versions of zarr give text back as objects.
        assert back[name].dtype.kind in variable.dtype.kind.replace("U", "UO")
    if "capacity" in dataset.dims:
        back, dataset = back.isel(capacity=0), dataset.isel(capacity=0)
    ours, theirs = (chsh.report(one, resamples=1000) for one in (dataset, back))
    assert str(ours) == str(theirs)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.mark.slow
@given(described=st.dictionaries(st.from_regex("[a-z]{3}", fullmatch=True), VALUES, max_size=5))
@example(described={"aaa": "\0"})
def test_attributes_are_saved_whatever_json_they_are(described, tmp_path_factory):
    attributes = storable(described)
    back = as_netcdf(xr.Dataset(attrs=attributes), tmp_path_factory.mktemp("attributes"))
    assert back.identical(xr.Dataset(attrs=attributes))
    for name, value in described.items():
        kept = attributes[name]
        cannot_be_kept = isinstance(value, str) and not is_storable_text(value)
        if cannot_be_kept or type(kept) is not type(value):
            kept = json.loads(kept) if isinstance(kept, str) else type(value)(kept)
        assert repr(kept) == repr(value)


def test_numbers_of_numpy_are_numbers(tmp_path):
    configuration = {"steps": np.int64(3), "rate": np.float32(0.5), "data": {"rows": np.int8(2)}}
    options = {"seed": np.int64(3), "paired": np.True_, "replicas": np.int64(2)}
    for _ in range(2):  # the second reads what the first kept
        found = run(folder=tmp_path, configuration=configuration, **options)
    expected = run(seed=3, replicas=2, configuration={"steps": 3, "rate": 0.5, "data": {"rows": 2}})
    assert found.identical(expected)
    assert found.attrs == {"paired": 1, "seed": 3, "steps": 3, "rate": 0.5, "data": '{"rows": 2}'}
    assert [type(value) for value in found.attrs.values()] == [int, int, int, float, str]


@pytest.mark.parametrize("name", ["", "coordinates", "NAME", "a\0b", "\ud800"])
def test_names_that_netcdf_has_no_place_for_are_refused(name):
    with pytest.raises(ValueError, match="expected a name that netCDF can give an attribute"):
        run(configuration={name: 1})


@pytest.mark.parametrize(
    ("items", "held_out", "named"),
    [([0, 1], ["0", "x"], "0"), ([0.0, 1.0], [2, 1], "1.0"), (["a", "b"], ["b", "c"], "b")],
)
def test_items_that_would_be_equal_as_written_are_refused(items, held_out, named):
    pairs = ([1, 0], [1, 1])
    given = Trained(pairs, pairs, items, held_out)
    with pytest.raises(ValueError, match=f"item `{named}` is there twice: expected each once"):
        run(lambda i, j, seed: given)


def test_items_that_no_file_can_hold_are_refused():
    given = Trained(([1, 0], [1, 1]), items=["a", "b\0c"])
    with pytest.raises(ValueError, match="`items` holds what no file can"):
        run(lambda i, j, seed: given)


def as_frame(outcomes, folder):
    return outcomes.to_dataframe()


def as_csv(outcomes, folder):
    outcomes.to_dataframe().to_csv(folder / "outcomes.csv")
    return folder / "outcomes.csv"


def as_parquet(outcomes, folder):
    frame = outcomes.to_dataframe()
    frame.attrs = dict(outcomes.attrs)
    frame.to_parquet(folder / "outcomes")
    return folder / "outcomes"


@pytest.mark.parametrize("written", [as_frame, as_csv, as_parquet])
def test_a_table_of_a_dataset_is_read_back(dataset, written, tmp_path):
    if "step" in dataset.dims:
        with pytest.raises(ValueError, match=r"rows 0 and 1 both have .* `step`, are not"):
            chsh.from_table(written(dataset, tmp_path))
        return
    back = chsh.from_table(written(dataset, tmp_path))
    for name, variable in dataset.variables.items():
        if written is not as_csv or name != "replica":  # in a text, 0.25 is a name
            np.testing.assert_array_equal(back[name], variable)
    if written is as_parquet:
        assert back.attrs == dataset.attrs | {"coding": "+1 and -1"}
    back = back.assign_attrs(paired=dataset.attrs.get("paired", 1))
    if "capacity" in dataset.dims:
        back, dataset = back.isel(capacity=-1), dataset.isel(capacity=-1)
    for readout in ("correct", "prediction") if "alice_target" in dataset else ("correct",):
        ours, theirs = (chsh.report(x, readout=readout, resamples=1000) for x in (dataset, back))
        assert str(ours) == str(theirs)
