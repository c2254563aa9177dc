import re
import subprocess
import sys

import pytest

EXTRAS = (
    *("matplotlib", "platformdirs", "pydantic", "sklearn", "threadpoolctl", "torch"),
    *("peft", "transformers", "yaml"),
)
"""What extras bring and the statistics do without."""


def run(code, without=()):
    """Run `code` as if the packages `without` were not installed; return what it printed."""
    code = f"import sys; sys.modules.update(dict.fromkeys({without}))\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_import_pulls_in_nothing_of_an_extra_and_no_scipy():
    loaded = set(run("import ncnet; ncnet.chsh, ncnet.games; print(*sys.modules)").split())
    assert "ncnet.chsh" in loaded
    assert not loaded & {*EXTRAS, "scipy"}


@pytest.mark.slow
def test_statistics_command_and_experiments_need_no_extra():
    run("import ncnet.cli, ncnet.commands, ncnet.experiment, ncnet.plotting", without=EXTRAS)


@pytest.mark.slow
def test_the_package_names_what_it_brings_before_it_is_imported():
    assert set(run("import ncnet; print(*dir(ncnet))").split()) >= {"chsh", "games", "train"}
    assert run("from ncnet import chsh, games; print(chsh.__name__)") == "ncnet.chsh\n"
    loaded = set(run("import ncnet.cli, sys; print(*sys.modules)").split())
    assert not loaded & {"numpy", "pandas", "ncnet.chsh"}


def test_train_comes_when_asked_for():
    import ncnet

    with pytest.raises(AttributeError, match="'ncnet' has no attribute 'trian'"):
        _ = ncnet.trian
    pytest.importorskip("torch")
    assert ncnet.train is __import__("ncnet.training", fromlist=["train"]).train


ASKED = """
import ncnet
try:
    ncnet.train
except ImportError as error:
    print(error)
try:
    from ncnet import train
except ImportError as error:
    print(error)
"""
"""Training that cannot be had, asked for in both ways, and what is said to that."""


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["torch", "platformdirs"])
def test_training_without_its_extra_says_how_to_get_it(missing):
    if missing == "platformdirs":
        pytest.importorskip("torch")  # which is asked for first
    line = f'ncnet.train needs {missing}, which comes with an extra: pip install "ncnet[train]"'
    assert run(ASKED, without=[missing]) == f"{line}\n{line}\n"


@pytest.mark.slow
def test_training_without_anything_else_says_just_what_is_missing():
    pytest.importorskip("torch")
    line = "import of ncnet.training.network halted; None in sys.modules"
    assert run(ASKED, without=["ncnet.training.network"]) == f"{line}\n{line}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("from ncnet import chsh, experiment, games", ()),
        ("from ncnet import figures, parameters, results, runs", ("pydantic", "torch", "yaml")),
        ("from ncnet.probe import Probe, conflict_by_step, outcomes_by_step", ("torch",)),
        ("from ncnet.probe_callback import ProbeCallback", ("torch", "transformers")),
    ],
)
def test_what_a_reader_imports_is_where_it_was(line, needs):
    for package in needs:
        pytest.importorskip(package)
    names = {}
    exec(line, names)
    assert set(names) > set(re.findall(r"\w+", line.partition("import")[2]))


@pytest.mark.slow
def test_the_probe_has_one_class_under_both_names():
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from ncnet import probe, probe_callback
    from ncnet.experiment import callback
    from ncnet.experiment import probe as here

    assert probe.Probe is here.Probe
    assert probe.conflict_by_step is here.conflict_by_step
    assert probe_callback.ProbeCallback is callback.ProbeCallback
