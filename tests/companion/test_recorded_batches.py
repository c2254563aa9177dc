"""Recorded tables were made with the parameters that their batch files ask for today."""

import ast
import math
from pathlib import Path

import nbformat
import pytest

from ncnet import results
from ncnet.companion import batch
from ncnet.companion.replay.tables import REPLAYS
from ncnet.results import ROOT
from ncnet.studies.ranks import recorded

WITH_ITS_OWN = {"search", "search_counts", "multiverse"}
"""Tables that a notebook makes with parameters that it states itself."""
TO_COME = {
    Path("results", *folder, f"real_{what}")
    for folder in (("bert",),)
    for what in ("outcomes", "networks", "tasks")
}
"""Tables of runs that are planned, and not made yet; those of BERT need a GPU and a network."""
RECORDED = [
    (path.stem, Path(place))
    for path in sorted((ROOT / "batches").glob("*.yml"))
    for place in batch.read(path).record.values()
    if Path(place).stem not in WITH_ITS_OWN and Path(place) not in TO_COME
]


def defaults(notebook):
    """Return the parameters of a notebook as it is."""
    cells = nbformat.read(ROOT / "notebooks" / f"{notebook}.ipynb", as_version=4).cells
    [source] = [c.source for c in cells if "parameters" in c.metadata.get("tags", ())]
    return {line.target.id: ast.literal_eval(line.value) for line in ast.parse(source).body}


@pytest.mark.parametrize(("name", "place"), RECORDED, ids=[str(place) for _, place in RECORDED])
def test_a_batch_asks_for_what_its_recorded_table_was_made_with(name, place):
    """A default that changes must not change what the command of a recorded table remakes."""
    asked = batch.read(ROOT / "batches" / f"{name}.yml")
    jobs = [defaults(asked.notebook) | given for given in asked.jobs.values()]
    made = results.load(place.relative_to("results").as_posix()).provenance["parameters"]
    for parameter, value in made.items():
        values = [job[parameter] for job in jobs if parameter in job]
        if all(one == values[0] for one in values):
            assert value == values[0], parameter


OF_SOME = {
    *("along_training", "multiverse", "multiverse_longer", "multiverse_alone"),
    *("scatter", "noise_scatter", "sensing", "sensing_along_training", "oscillation"),
    *("grouping_pairs", "grouping_sets", "grouping", "small/jobs"),
}
"""Tables of some of the hidden sizes that their run was given, or of others."""


OF_SEVERAL_RUNS = recorded.TABLES.keys()
"""Tables of several runs, each with ranks of its own; what is noted of them is of the first."""


def as_recorded(value):
    """Return a value of a parameter as its column has it: the rank `full` is infinite."""
    return math.inf if value == "full" else value


@pytest.mark.parametrize("one", REPLAYS, ids=lambda one: one.table)
def test_a_recorded_table_has_all_that_its_run_was_given(one):
    """Replay makes again what is recorded; it would not miss what is not."""
    table, given = one.load().table, one.load().provenance["parameters"]
    left_out = ["replica", *["hidden_size"] * (one.table in OF_SOME)]
    left_out += ["rank"] * (one.table in OF_SEVERAL_RUNS)
    left_out += ["look"]  # at the end, too, whatever looks were asked for
    for column in set(table).difference(left_out):
        asked = given.get(f"{column}s")
        # Of tasks, none are all of the family.
        if isinstance(asked, list) and asked and column != "task":
            assert set(map(as_recorded, asked)) == set(table[column]), column
