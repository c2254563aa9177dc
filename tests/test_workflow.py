"""The workflow that checks every change and publishes the book."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
# The base loader reads every value as text: YAML's own rules take the key `on` for true.
WORKFLOW = yaml.load((ROOT / ".github/workflows/book.yml").read_text(), yaml.BaseLoader)
BUILD, PUBLISH = WORKFLOW["jobs"]["build"], WORKFLOW["jobs"]["publish"]
ACTIONS = {
    step["uses"].split("@")[0]: step for step in BUILD["steps"] + PUBLISH["steps"] if "uses" in step
}
MAIN_ONLY = "github.ref == 'refs/heads/main'"


def test_every_push_and_pull_request_runs_what_a_change_must_pass():
    assert WORKFLOW["on"] == ["push", "pull_request"]
    assert "if" not in BUILD
    [step] = [step for step in BUILD["steps"] if step.get("run") == "bash .ci/run"]
    assert "if" not in step
    assert step["env"]["PIP_EXTRA_INDEX_URL"] in (ROOT / "environment.yml").read_text()
    assert (ROOT / ".ci/run").is_file()


def test_it_uses_the_python_and_the_file_of_the_lock():
    settings = ACTIONS["actions/setup-python"]["with"]
    lock = ROOT / settings["cache-dependency-path"]
    assert f"pip-compile with Python {settings['python-version']}\n" in lock.read_text()


def test_it_looks_for_the_browsers_that_the_browser_test_looks_for():
    tested = (ROOT / "tests/test_book_in_browser.py").read_text()
    names = re.findall(r'"([\w-]+)"', re.search(r"map\(shutil\.which, \((.*?)\)\)", tested)[1])
    looks = [step["run"] for step in BUILD["steps"] if "command -v" in step.get("run", "")]
    assert looks == [" || ".join(f"command -v {name}" for name in names)]


def test_the_book_that_make_builds_is_published_from_main_alone():
    upload = ACTIONS["actions/upload-pages-artifact"]
    built = re.search(r"file://.+?/(book/\S+)/index\.html", (ROOT / "Makefile").read_text())[1]
    assert upload["with"]["path"] == built
    assert upload["if"] == PUBLISH["if"] == MAIN_ONLY
    assert PUBLISH["needs"] == "build"
    assert "actions/deploy-pages" in ACTIONS


def test_only_the_publication_may_write():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "permissions" not in BUILD
    assert PUBLISH["permissions"] == {"pages": "write", "id-token": "write"}
    assert PUBLISH["environment"]["name"] == "github-pages"


@pytest.mark.parametrize("job", WORKFLOW["jobs"])
def test_every_job_ends(job):
    assert 0 < int(WORKFLOW["jobs"][job]["timeout-minutes"]) <= 60
