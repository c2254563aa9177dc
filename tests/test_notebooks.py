"""Every notebook as a batch runs it: papermill, other parameters, from any directory."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from papermill import inspect_notebook

from ncnet import results
from ncnet.companion import batch, notebooks
from ncnet.parameters import ParameterError, validate

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
SMALL = {
    "rq1": {"hidden_sizes": [2, 3], "replicas": 64, "steps": 50},
    "rq2": {
        "games": ["separate"],
        "hidden_sizes": [1, 2],
        "hidden_size": 2,
        "lambdas": [0.5],
        "small_steps": True,
        "replicas": 32,
        "steps": 30,
        "log_interval": 3,
        "folds": 3,
        "permutations": 1,
        "seed": 7,
        "activation": "relu",
        "optimizer": "adam",
        "learning_rate": 0.05,
    },
    "rq3": {
        "hidden_sizes": [2, 3],
        "hidden_sizes_along_training": [2],
        "games": ["separate"],
        "replicas": 64,
        "steps": 30,
        "seed": 7,
    },
    "rq3_multiverse": {
        "trainings": 1,
        "hidden_sizes": [3],
        "replicas": 64,
        "steps": 500,
        "seed": 7,
    },
    "rq3_lora": {
        "family": "toy_languages",
        "ranks": [0, "full"],
        "replicas": 3,
        "items": 6,
        "held_out": 5,
        "layers": 2,
        "steps": 3,
        "seed": 7,
    },
    "rq4": {
        "populations": ["separate", "hard_apart"],
        "hidden_sizes": [1, 2],
        "replicas": 40,
        "training": 8,
        "held_out": 10,
        "label_noise": 0.1,
        "steps": 20,
        "seed": 7,
        "activation": "relu",
        "optimizer": "adam",
        "learning_rate": 0.05,
    },
    "rq5": {
        "populations": ["middling"],
        "hidden_sizes": [1, 2],
        "repetition_size": 20,
        "fresh_replicas": 20,
        "training": 8,
        "held_out": 10,
        "pair_size": 1,
        "pair_training": 8,
        "pair_replicas": 3,
        "steps": 20,
        "seed": 7,
    },
    "rq6": {
        "hidden_sizes": [2],
        "hidden_sizes_of_the_atlas": [1],
        "activations": ["relu"],
        "replicas": 32,
        "fresh_replicas": 64,
        "steps": 50,
        "seed": 7,
    },
    "calibration": {
        "models": ["PR box"],
        "replica_counts": [32],
        "simulations": 3,
        "seed": 7,
    },
    "your_model": {
        "hidden_sizes": [1, 2],
        "hidden_size": 2,
        "replicas": 3,
        "steps": 7,
        "learning_rate": 0.05,
        "seed": 7,
    },
    "batch": {"folder": "results/small"},
}
PICTURES = {"rq2": 8, "batch": 2}
"""Where there are not as many as cells that name a figure: of one game, and one a table."""


LOADED = """
import sys
from pathlib import Path

LOADED = Path(__file__).with_name("loaded.txt")

class Watch:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] == "ncnet":
            with LOADED.open("a", encoding="utf-8") as file:
                file.write(name + "\\n")

sys.meta_path.insert(0, Watch)
"""
"""Writes down each module of the package as it is loaded: a kernel may be ended at any time."""


def papermill(name, parameters, folder):
    (folder / "sitecustomize.py").write_text(LOADED, encoding="utf-8")
    command = [sys.executable, "-m", "papermill", NOTEBOOKS / f"{name}.ipynb", folder / "out.ipynb"]
    command += ["--no-progress-bar", "-k", "python3", "-y", json.dumps(parameters)]
    within = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", env=within)


def test_every_notebook_is_tried():
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == set(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_papermill_sees_every_parameter_and_the_defaults_are_valid(name):
    model = notebooks.of(name)
    found = inspect_notebook(NOTEBOOKS / f"{name}.ipynb")
    assert set(found) == set(model.model_fields)
    defaults = {key: ast.literal_eval(value["default"]) for key, value in found.items()}
    assert validate(dict(defaults), model) == defaults


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_runs_with_other_parameters(name, tmp_path):
    saves = {"save_to": "tables"} if notebooks.of(name).TABLES else {}
    done = papermill(name, SMALL[name] | saves, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    saved = {path.stem: path.parent for path in tmp_path.glob("tables/*.json")}
    assert set(saved) == set(notebooks.of(name).TABLES)
    assert not (tmp_path / "tables" / "parts").exists()
    loaded = (tmp_path / "loaded.txt").read_text(encoding="utf-8").split()
    declared = {path.relative_to(ROOT).with_suffix("").as_posix() for path in batch.files_of(name)}
    for module in set(loaded):
        place = module.replace(".", "/")
        assert {place, f"{place}/__init__"} & declared, "a change of it would run no batch again"
    for table, folder in saved.items():
        provenance = results.load(table, folder=folder).provenance
        assert "save_to" not in provenance["parameters"]
    notebook = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/svg+xml" in output.get("data", {})]
    named = ["figure" in cell.metadata.get("mystnb", {}) for cell in notebook.cells]
    assert len(pictures) == PICTURES.get(name, sum(named)) > 0
    assert not [output for output in outputs if output.get("name") == "stderr"]
    glued = {output.get("metadata", {}).get("scrapbook", {}).get("name") for output in outputs}
    prose = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    quoted = set(re.findall(r"\{glue:text\}`([^`:]+)", prose))
    assert quoted or name == "batch"  # which has no numbers in its prose
    assert not quoted - glued


@pytest.mark.parametrize(
    ("name", "parameters", "line"),
    [
        ("rq1", {"replica": 64}, "unknown parameter `replica`: did you mean `replicas`?"),
        ("rq1", {"hidden_size": 0}, "parameter `hidden_size` is 0"),
        ("rq2", {"log_interval": 5000}, "parameter `log_interval` is 5000: expected at most"),
        ("rq2", {"lambdas": [1.5]}, "parameter `lambdas` is 1.5"),
        (
            "rq3",
            {"hiden_sizes": [2]},
            "unknown parameter `hiden_sizes`: did you mean `hidden_sizes`?",
        ),
        ("rq3", {"steps": "many"}, "parameter `steps` is 'many'"),
        ("rq3_lora", {"encoder": "bert"}, "parameter `encoder` is 'bert': expected one of `bert-"),
        ("rq6", {"hidden_sizes_of_the_atlas": [2]}, "parameter `hidden_sizes_of_the_atlas` is [2]"),
        ("calibration", {"simulations": 0}, "parameter `simulations` is 0"),
        ("rq1", {"save_to": "/dev/null/x"}, "parameter `save_to` is '/dev/null/x': nothing can be"),
        (
            "batch",
            {"folder": "results/smal"},
            "parameter `folder` is 'results/smal': no finished batch is there: did you mean "
            "`results/small`?",
        ),
        (
            "rq3_multiverse",
            {"hidden_sizes": [1, 2]},
            "parameter `hidden_sizes` is [1, 2]: expected 3 among them",
        ),
    ],
)
def test_stops_at_bad_parameters_with_one_line(name, parameters, line, monkeypatch):
    """The first two code cells, with the cell that papermill would put between them."""
    monkeypatch.chdir(NOTEBOOKS)
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    defaults, validation = [c.source for c in notebook.cells if c.cell_type == "code"][:2]
    given = "\n".join(f"{key} = {value!r}" for key, value in parameters.items())
    names = {"__name__": "__main__"}
    exec(f"{defaults}\n{given}", names)
    with pytest.raises(ParameterError) as refused:
        exec(validation, names)
    assert str(refused.value).startswith(line)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.slow
def test_a_bad_parameter_ends_papermill_before_any_training(tmp_path):
    done = papermill("rq1", {"replica": 64}, tmp_path)
    assert done.returncode != 0
    assert "\nParameterError: unknown parameter `replica`: did you mean `replicas`?" in done.stderr
    notebook = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert not any("ncnet.train(" in c.source for c in notebook.cells if c.get("outputs"))
