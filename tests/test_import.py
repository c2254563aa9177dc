import subprocess
import sys

import pytest

EXTRAS = (
    *("matplotlib", "platformdirs", "pydantic", "sklearn", "threadpoolctl", "torch"),
    *("datasets", "peft", "transformers", "yaml"),
)
"""What extras bring and the statistics do without."""


def run(code, without=()):
    """Run `code` as if the packages `without` were not installed; return what it printed."""
    code = f"import sys; sys.modules.update(dict.fromkeys({without}))\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_import_pulls_in_nothing_of_an_extra_and_no_scipy():
    loaded = set(run("import ncnet; print(*sys.modules)").split())
    assert "ncnet.chsh" in loaded
    assert not loaded & {*EXTRAS, "scipy"}


@pytest.mark.slow
@pytest.mark.parametrize("module", ["chsh", "cli", "experiment", "games"])
def test_no_extra_is_needed_by(module):
    run(f"import ncnet.{module}", without=EXTRAS)


def test_train_comes_when_asked_for():
    import ncnet

    with pytest.raises(AttributeError, match="'ncnet' has no attribute 'trian'"):
        _ = ncnet.trian
    pytest.importorskip("torch")
    assert ncnet.train is __import__("ncnet.ensemble", fromlist=["train"]).train


CAUGHT = """
try:
    {}
except ImportError as error:
    print(error)
    assert error.__suppress_context__ == {}
"""
ASKED = ["import ncnet; ncnet.train", "from ncnet import train"]


@pytest.mark.slow
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("missing", ["torch", "platformdirs"])
def test_training_without_its_extra_says_how_to_get_it(asked, missing):
    if missing == "platformdirs":
        pytest.importorskip("torch")
    assert run(CAUGHT.format(asked, True), without=[missing]) == (
        f'ncnet.train needs {missing}, which comes with an extra: pip install "ncnet[train]"\n'
    )


@pytest.mark.slow
@pytest.mark.parametrize("asked", ASKED)
def test_training_without_anything_else_says_just_what_is_missing(asked):
    pytest.importorskip("torch")
    told = run(CAUGHT.format(asked, False), without=["ncnet.ensemble.network"])
    assert told == "import of ncnet.ensemble.network halted; None in sys.modules\n"
