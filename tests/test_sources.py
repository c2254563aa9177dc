"""A figure's data travel with it."""

import base64
import io
import re
from pathlib import Path

import IPython.display
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from ncnet import results, runs, sources
from ncnet.parameters import Notebook

ROOT = Path(__file__).resolve().parents[1]


class Example(Notebook):
    """Parameters of a notebook that saves no table."""

    NOTEBOOK = "rq1"
    TABLES = ()


@pytest.fixture
def shown(monkeypatch):
    """Return what is displayed, figure by figure."""
    outputs = []
    monkeypatch.setattr(
        IPython.display, "display", lambda figure, metadata: outputs.append((figure, metadata))
    )
    return outputs


def content(source):
    return io.BytesIO(base64.b64decode(source["content"]))


def test_live_data_come_with_parameters(shown):
    table = pd.DataFrame({"n": [2, 3], "s": [1.8, 2.3]})
    runs.Run(Example, {"seed": 3, "save_to": ""}).show("figure", s=table)
    [(figure, metadata)] = shown
    assert figure == "figure"
    found = metadata[sources.METADATA]
    assert found["parameters"] == {"seed": 3}
    [source] = found["sources"]
    assert (source["kind"], source["file"]) == ("live", "s.csv")
    pd.testing.assert_frame_equal(pd.read_csv(content(source)), table)


def test_a_recorded_table_is_named_and_not_copied(shown):
    sources.show("figure", capacity=results.load("capacity"))
    [(_, metadata)] = shown
    assert metadata[sources.METADATA] == {
        "sources": [{"kind": "recorded", "result": "capacity"}],
    }


def test_a_table_recorded_elsewhere_is_copied(tmp_path):
    table = pd.DataFrame({"s": [2.0]})
    results.save("capacity", table, parameters={}, command="", folder=tmp_path)
    source = sources.as_metadata("mine", results.load("capacity", folder=tmp_path))
    assert source["kind"] == "live"
    pd.testing.assert_frame_equal(pd.read_csv(content(source)), table)


def test_outcomes_of_many_replicas_are_parquet_and_complete():
    signs = np.random.default_rng(0).choice(np.array([-1, 1], np.int8), (2, 2, 1000, 8))
    dimensions = ("alice_setting", "bob_setting", "replica", "item")
    outcomes = xr.Dataset({"a": (dimensions, signs), "b": (dimensions, -signs)})
    source = sources.as_metadata("outcomes", outcomes)
    assert source["file"] == "outcomes.parquet"
    table = pd.read_parquet(content(source)).set_index(list(dimensions))
    assert len(table) == signs.size
    assert table.loc[(1, 0, 999, 3), "a"] == signs[1, 0, 999, 3]
    assert (table["b"] == -table["a"]).all()


def test_an_index_with_names_is_kept():
    table = pd.concat({"(1,1)": pd.DataFrame({"Alice": [0.5]})}, names=["context", "item"])
    assert content(sources.as_metadata("wrong", table)).readline() == b"context,item,Alice\n"


def test_what_is_not_drawn_is_left_out(shown):
    sources.show("figure", behind=None)
    assert shown[0][1][sources.METADATA] == {"sources": []}
    sources.show(None, s=pd.DataFrame())
    assert len(shown) == 1


def test_another_kind_of_source_is_refused():
    with pytest.raises(ValueError, match="`replicas` is of type list"):
        sources.as_metadata("replicas", [1, 2])


def cells_with_pictures():
    """Return the metadata line and code of every notebook cell and page cell with a picture."""
    for path in sorted((ROOT / "notebooks").glob("*.py")):
        for head, code in re.findall(
            r"^# %%([^\n]*mystnb=[^\n]*)\n(.*?)(?=^# %%|\Z)",
            path.read_text(encoding="utf-8"),
            re.M | re.S,
        ):
            if '"figure"' in head:
                yield path.name, head, code
    for path in sorted((ROOT / "book").glob("*.md")):
        for cell in re.findall(r"```\{code-cell\}.*?\n```", path.read_text(encoding="utf-8"), re.S):
            if "figure:" in cell:
                yield path.name, cell, cell


DRAWINGS = {"bounds", "network_and_contexts", "influence_and_signalling", "batch_diagram"}
"""Figures without data."""


def test_every_figure_is_shown_with_its_sources():
    cells = list(cells_with_pictures())
    assert len(cells) > 40
    bare = [
        (name, code)
        for name, _, code in cells
        if ".show(" not in code and not any(f"{one}(" in code for one in DRAWINGS)
    ]
    assert not bare


def test_every_picture_is_described_in_words():
    for name, head, _ in cells_with_pictures():
        if "landing-figure" in head:  # described within: tests/test_landing.py
            continue
        [alt] = re.findall(r'"?alt"?: "((?:[^"\\]|\\.)+)"', head)
        assert len(alt.split()) >= 8, (name, alt)
        assert not re.search(r"\.(svg|png)$", alt), (name, alt)
