import subprocess
import sys

import pytest


def test_import_pulls_in_neither_encoders_nor_figures():
    code = "import sys, ncnet; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "ncnet.chsh" in loaded
    assert not loaded & {"transformers", "peft", "matplotlib", "scipy", "torch._dynamo"}


def test_chsh_needs_no_torch():
    code = "import sys; from ncnet import chsh; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


def test_train_comes_when_asked_for():
    import ncnet

    assert ncnet.train is __import__("ncnet.ensemble", fromlist=["train"]).train
    with pytest.raises(AttributeError, match="'ncnet' has no attribute 'trian'"):
        _ = ncnet.trian
