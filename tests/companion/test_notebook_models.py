"""Every notebook has a model of its parameters, under its name."""

import re

import pytest
from pydantic import ValidationError

from ncnet.companion import notebooks
from ncnet.companion.notebooks import NOTEBOOKS
from ncnet.companion.parameters import Batch
from ncnet.results import ROOT


def test_every_notebook_has_its_parameters_and_no_other():
    assert set(NOTEBOOKS) == {path.stem for path in ROOT.glob("notebooks/*.ipynb")}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_goes_by_the_model_of_its_name(name):
    model = notebooks.of(name)
    source = (ROOT / "notebooks" / f"{name}.py").read_text(encoding="utf-8")
    assert f"from {model.__module__} import {model.__name__}\n" in source
    assert re.findall(r"\b(?:validate\(globals\(\), |Run\()(\w+)", source) == (
        [model.__name__] * (1 + bool(model.TABLES))
    )


def test_tables_have_names_of_their_own():
    tables = [name for model in NOTEBOOKS.values() for name in getattr(model, "RECORDED", ())]
    assert len(set(tables)) == len(tables)


def test_a_batch_that_is_not_finished_is_refused(tmp_path):
    with pytest.raises(ValidationError, match="no finished batch is there"):
        Batch(folder=str(tmp_path))
    (tmp_path / "jobs.json").write_text("{}", encoding="utf-8")
    assert Batch(folder=str(tmp_path)).folder == str(tmp_path)
