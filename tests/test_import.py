import subprocess
import sys


def test_import_pulls_in_neither_encoders_nor_figures():
    code = "import sys, ncnet; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "ncnet.chsh" in loaded
    assert not loaded & {"transformers", "peft", "matplotlib", "scipy", "torch._dynamo"}


def test_chsh_needs_no_torch():
    code = """
import sys, pathlib, types
package = types.ModuleType("ncnet")
package.__path__ = [str(pathlib.Path("ncnet").resolve())]
sys.modules["ncnet"] = package
import ncnet.chsh
print("torch" in sys.modules)
"""
    root = __file__.rpartition("tests")[0]
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=root
    )
    assert done.stdout.strip() == "False"
