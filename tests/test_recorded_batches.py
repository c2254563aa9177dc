"""Recorded tables were made with the parameters that their batch files ask for today."""

import ast
from pathlib import Path

import nbformat
import pytest

from ncnet import batch, results

ROOT = Path(__file__).resolve().parents[1]
WITH_ITS_OWN = {"search", "search_counts"}
"""Tables that a notebook makes with parameters that it states itself."""
RECORDED = [
    (path.stem, Path(place))
    for path in sorted((ROOT / "batches").glob("*.yml"))
    for place in batch.read(path).record.values()
    if Path(place).stem not in WITH_ITS_OWN
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
    cells = [defaults(asked.notebook) | given for given in asked.cells.values()]
    made = results.load(place.relative_to("results").as_posix()).provenance["parameters"]
    for parameter, value in made.items():
        values = [cell[parameter] for cell in cells if parameter in cell]
        if all(one == values[0] for one in values):
            assert value == values[0], parameter
