"""Parameters come out of a command as they went in: through the shell, papermill and the checks."""

import contextlib
import re
import runpy
import shlex
import subprocess
import sys
import typing
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import nbformat
import papermill.cli
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from papermill.translators import papermill_translators

from ncnet import parameters, results, runs
from ncnet.companion import batch, notebooks

ROOT = Path(__file__).resolve().parents[1]
MODELS = notebooks.NOTEBOOKS
FLOATS = {
    "learning_rate": st.floats(0, 1e6, exclude_min=True),
    "lambdas": st.lists(st.floats(0, 1), min_size=1, max_size=3, unique=True),
    "noise": st.floats(0, 100, exclude_min=True),
    "label_noise": st.floats(0, 0.5),
    "set_aside": st.floats(0.2, 0.8),
    "shuffled": st.floats(0, 1),
    "rates": st.lists(st.floats(0, 1000, exclude_min=True), max_size=2, unique=True),
    "ratio": st.integers(1, 100).map(lambda times: 1 / times),
    "looks": st.just([]),  # the defaults have a rank without them
}
# What YAML 1.1, papermill's -p or a shell reads as something else.
TRAPS = [
    "yes",
    "null",
    "1e5",
    "010",
    "1:30",
    "2020-01-01",
    "-y",
    "$HOME",
    "!!",
    "a'b",
    'a"b',
    "a\\",
]
FOLDERS = st.sampled_from(TRAPS) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0/~"), max_size=40
)
# A reader's prompt, and the lines that go on after a backslash.
SHOWN = re.compile(r"^(?:# )?\$ (.*papermill notebooks/(?:.*\\\n)*.*)$", re.MULTILINE)
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("book/*.md"), *ROOT.glob("notebooks/*.py")]
COMMANDS = [
    command.replace("\n# ", "\n")
    for page in sorted(PAGES)
    for command in SHOWN.findall(page.read_text(encoding="utf-8"))
]
RECORDED = [
    path
    for path in sorted(results.FOLDER.rglob("*.json"))
    if '"command": "papermill' in path.read_text(encoding="utf-8")
]


def defaults(notebook):
    """Return what the parameters cell of a notebook defines."""
    cells = nbformat.read(ROOT / "notebooks" / f"{notebook}.ipynb", as_version=4).cells
    [source] = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", ())]
    namespace = {}
    exec(source, {}, namespace)
    return namespace


def chosen_by(arguments):
    """Return the notebook that papermill is asked to run, and its parameters after the check."""
    with mock.patch("papermill.cli.execute_notebook") as execute:
        papermill.cli.papermill.main(arguments, standalone_mode=False)
    asked = execute.call_args.kwargs
    notebook = Path(asked["input_path"]).stem
    namespace = defaults(notebook)
    translator = papermill_translators.find_translator("python3", "python")
    exec(translator.codify(asked["parameters"]), {}, namespace)
    chosen = parameters.validate(namespace, MODELS[notebook])
    assert namespace.items() >= chosen.items()  # which is what the notebook goes on with
    return notebook, chosen


@st.composite
def runs_of_notebooks(draw):
    """Draw a notebook that makes tables, and parameters of it that are valid."""
    notebook = draw(st.sampled_from([name for name, model in MODELS.items() if model.TABLES]))
    given = {"save_to": draw(FOLDERS)}
    for name, field in MODELS[notebook].model_fields.items():
        if "float" in str(field.annotation):
            given[name] = draw(FLOATS[name])
        elif str(field.annotation).startswith("list[typing.Literal"):
            choices = typing.get_args(*typing.get_args(field.annotation))
            given[name] = draw(st.lists(st.sampled_from(choices), min_size=1, unique=True))
    return notebook, parameters.validate(defaults(notebook) | given, MODELS[notebook])


@pytest.mark.slow
@given(run=runs_of_notebooks())
def test_a_command_gives_the_parameters_it_was_made_of(run, tmp_path_factory):
    with contextlib.chdir(tmp_path_factory.getbasetemp()):
        program, *arguments = shlex.split(runs.command(*run))
        assert program == "papermill"
        assert repr(chosen_by(arguments)) == repr(run)


@pytest.mark.parametrize("notation", ["{!r}", "{:.17g}", "{:.16e}", "{:.0e}"])
@given(rate=FLOATS["learning_rate"])
@example(rate=1e-5)
@example(rate=0.5)
def test_a_rate_in_any_notation_is_that_rate_in_every_job(notation, rate, tmp_path_factory):
    written = notation.format(rate)
    path = tmp_path_factory.getbasetemp() / "rate.yml"
    path.write_text(f"notebook: rq1\ngrid:\n  learning_rate: [{written}]\n", encoding="utf-8")
    [job] = batch.read(path).jobs.values()
    assert job["learning_rate"] == float(written)
    asked = ["notebooks/rq1.ipynb", "out.ipynb"]
    for given_by in (["-y", runs.to_yaml(job)], ["-p", "learning_rate", written]):
        _, chosen = chosen_by([*asked, *given_by])
        assert repr(chosen["learning_rate"]) == repr(float(written))


@pytest.mark.parametrize("command", COMMANDS)
def test_papermill_and_the_notebook_accept_what_the_book_shows(command, tmp_path, monkeypatch):
    """As bash gives it to papermill, which here says what it is given."""
    monkeypatch.chdir(tmp_path)
    said = "papermill() { printf '%s\\0' \"$@\" $'\\n'; }\n"
    done = subprocess.run(["bash", "-euc", said + command], capture_output=True, check=True)
    asked = [call.split("\0") for call in done.stdout.decode().split("\0\n\0")[:-1]]
    assert asked
    for arguments in asked:
        chosen_by(arguments)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_command_gives_the_recorded_parameters(path):
    provenance = results.load(path.stem, folder=path.parent).provenance
    _, *arguments = shlex.split(provenance["command"])
    _, chosen = chosen_by(arguments)
    made_with = provenance["parameters"]
    assert {name: chosen[name] for name in made_with} == made_with


PROVENANCE = " ".join(path.read_text(encoding="utf-8") for path in results.FOLDER.rglob("*.json"))


@pytest.mark.parametrize("file", sorted(set(re.findall(r"batch=([\w/.]+)", PROVENANCE))))
def test_a_recorded_command_names_a_batch_that_there_is(file):
    assert batch.read(ROOT / file).record


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m ([\w.]+)", PROVENANCE))))
def test_a_recorded_command_names_a_module_that_runs(module):
    if find_spec(module).submodule_search_locations:
        module += ".__main__"
    source = Path(find_spec(module).origin).read_text(encoding="utf-8")
    assert '\nif __name__ == "__main__":\n' in source


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("ncnet.atlas", "ncnet.studies.atlas.analysis"),
        ("ncnet.explorer", "ncnet.studies.atlas.explorer"),
        ("ncnet.ranks", "ncnet.studies.ranks.recorded"),
    ],
)
def test_a_study_records_by_the_short_name_of_its_command(
    name, where, monkeypatch, tmp_path, capsys
):
    recorded = []
    monkeypatch.setattr(f"{where}.record", lambda: recorded.append(where))
    # As a file: pytest's loader, which has a module whose examples ran before, gives no code.
    path = find_spec(name).origin
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_path(path, run_name="__main__")
    assert recorded == []
    monkeypatch.setattr(sys, "argv", [name])
    runpy.run_path(path, run_name="__main__")
    assert recorded == [where]
    # What is installed without a clone has no results/ of its own to write.
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    with pytest.raises(SystemExit, match="2"):
        runpy.run_path(path, run_name="__main__")
    assert recorded == [where]
    assert f"{tmp_path} is no clone" in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_the_command_of_replay_says_how_it_is_used():
    said = subprocess.check_output([sys.executable, "-m", "ncnet.replay", "--help"], cwd=ROOT)
    assert said.startswith(b"usage: python -m ncnet.replay ")
