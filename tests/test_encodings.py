"""Files and programs' words are UTF-8, whatever the locale of the machine."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (".ci", "benchmarks", "book/_ext", "ncnet", "notebooks", "tests")
SCRIPTS = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
TEXT = ("read_text", "write_text", "TextIOWrapper")
OPENING = ("open", "fdopen", "NamedTemporaryFile", "TemporaryFile")
RUNNING = ("run", "Popen", "check_output")


def leaves_the_encoding_open(call):
    name = getattr(call.func, "attr", getattr(call.func, "id", None))
    named = {keyword.arg for keyword in call.keywords}
    modes = [part.value for part in call.args if isinstance(part, ast.Constant)]
    as_text = any(re.fullmatch(r"[rwax]\+?t?", str(mode)) for mode in modes)
    return "encoding" not in named and (
        name in TEXT or (name in OPENING and as_text) or (name in RUNNING and "text" in named)
    )


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("path.read_text()", True),
        ("path.read_text(encoding='utf-8')", False),
        ("path.open('w')", True),
        ("path.open('wb')", False),
        ("subprocess.run(command, text=True)", True),
        ("subprocess.run(command, encoding='utf-8')", False),
    ],
)
def test_the_rule_below_sees_an_encoding_that_is_left_open(call, found):
    assert leaves_the_encoding_open(ast.parse(call, mode="eval").body) is found


@pytest.mark.slow
def test_every_call_names_its_encoding():
    left_open = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
        for path in SCRIPTS
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and leaves_the_encoding_open(node)
    ]
    assert not left_open, "\n".join(left_open)


SAVED = """
import sys
from pathlib import Path
import pandas as pd
from ncnet import results
folder = Path(sys.argv[1])
parameters = {"name": "Z\\u00fcrich \\u6771\\u4eac"}
results.save("t", pd.DataFrame({"n": [1]}), parameters=parameters, command="", folder=folder)
found = results.load("t", folder=folder)
assert found.provenance["parameters"] == parameters
print(results.checkout(), found.provenance["machine"], found.provenance["checksum"])
"""


@pytest.mark.slow
def test_provenance_is_the_same_in_a_locale_of_ascii(tmp_path):
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    said = [
        subprocess.run(
            [sys.executable, "-c", SAVED, tmp_path],
            env=os.environ | locale,
            cwd=ROOT,
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for locale in ({"PYTHONUTF8": "1"}, ascii_only)
    ]
    assert said[0] == said[1]
