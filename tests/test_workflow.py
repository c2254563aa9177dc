"""The workflows that check, publish, release and look ahead, and the forms beside them."""

import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / ".ci"))

import install  # noqa: E402
import print_book  # noqa: E402
import release_notes  # noqa: E402

FOLDER = ROOT / ".github" / "workflows"
# The base loader reads every value as text: YAML's own rules take the key `on` for true.
WORKFLOWS = {
    path.stem: yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)
    for path in FOLDER.glob("*.yml")
}
JOBS = {
    f"{name}.{job}": content
    for name, workflow in WORKFLOWS.items()
    for job, content in workflow["jobs"].items()
}
BUILD, PUBLISH = JOBS["book.build"], JOBS["book.publish"]
RELEASE = JOBS["release.release"]
STATISTICS = JOBS["report.statistics"]
NEWEST, OLDEST, REPLAY, TELL = (
    JOBS[f"weekly.{job}"] for job in ("newest", "oldest", "replay", "tell")
)
MAIN_ONLY = "github.ref == 'refs/heads/main'"
TRUSTED = {"checkout": "v7", "setup-python": "v7", "upload-pages-artifact": "v5"}
TRUSTED |= {"deploy-pages": "v5"}
WRITES = {
    "book.publish": {"pages": "write", "id-token": "write"},
    "release.release": {"contents": "write"},
    "weekly.tell": {"issues": "write"},
}


def commands(job):
    """Return what the steps of a job run, in order."""
    return [step["run"] for step in job["steps"] if "run" in step]


def action(job, name):
    """Return the one step of a job that uses an action of GitHub's."""
    [step] = [s for s in job["steps"] if s.get("uses", "").startswith(f"actions/{name}@")]
    return step


def targets():
    """Return the targets of the Makefile that its help lists."""
    return set(
        re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )


def test_these_workflows_are_there():
    assert set(WORKFLOWS) == {"book", "release", "report", "weekly"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_read_and_only_some_jobs_write(name):
    assert WORKFLOWS[name]["name"] == name
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}
    for job in WORKFLOWS[name]["jobs"]:
        assert JOBS[f"{name}.{job}"].get("permissions") == WRITES.get(f"{name}.{job}")


@pytest.mark.parametrize("job", JOBS)
def test_every_job_ends(job):
    longest = 150 if job == "weekly.replay" else 60
    assert 0 < int(JOBS[job]["timeout-minutes"]) <= longest


@pytest.mark.parametrize("job", JOBS)
def test_every_step_says_what_it_is_for_and_no_stranger_has_one(job):
    for step in JOBS[job]["steps"]:
        assert step["name"]
        assert ("uses" in step) != ("run" in step)
        if "uses" in step:
            owner, name, version = re.fullmatch(r"(.+)/(.+)@(.+)", step["uses"]).groups()
            assert owner == "actions"
            assert TRUSTED[name] == version


@pytest.mark.parametrize("job", JOBS)
def test_what_others_can_write_is_no_part_of_a_script(job):
    # The text of an expression would be run: it goes through the environment instead.
    assert "${{" not in "".join(commands(JOBS[job]))


@pytest.mark.parametrize("job", JOBS)
def test_no_step_leaves_a_token_in_the_checkout(job):
    for step in JOBS[job]["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"] == {"persist-credentials": "false"}


@pytest.mark.parametrize("job", JOBS)
def test_what_a_job_makes_is_a_target_of_the_makefile(job):
    made = re.findall(r"^make (\w+)$", "\n".join(commands(JOBS[job])), re.MULTILINE)
    assert set(made) <= targets()


def test_every_push_and_pull_request_runs_what_a_change_must_pass():
    assert WORKFLOWS["book"]["on"] == ["push", "pull_request"]
    assert "if" not in BUILD
    [step] = [step for step in BUILD["steps"] if step.get("run") == "bash .ci/run"]
    assert "if" not in step
    assert (ROOT / ".ci/run").is_file()


def test_every_push_tests_the_statistics_without_torch_on_three_systems():
    assert WORKFLOWS["report"]["on"] == ["push", "pull_request"]
    assert STATISTICS["strategy"]["matrix"] == {
        "system": ["ubuntu-latest", "macos-latest", "windows-latest"],
        "python": ["3.11", "3.13"],
    }
    assert STATISTICS["runs-on"] == "${{ matrix.system }}"
    python = action(STATISTICS, "setup-python")["with"]["python-version"]
    assert python == "${{ matrix.python }}"
    install, _, test = commands(STATISTICS)
    assert install == 'python -m pip install ".[report,test]"'
    # PowerShell reads an @ that is not quoted as its own.
    assert test == 'python -m pytest "@tests/statistics.txt"'
    assert f"`{test}`" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_torch_comes_without_a_gpu_as_on_binder():
    assert f"--extra-index-url {install.CPU_BUILDS}\n" in (ROOT / "environment.yml").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("job", ["book.build", "release.release"])
def test_it_uses_the_python_of_the_lock(job):
    python = action(JOBS[job], "setup-python")["with"]["python-version"]
    assert f"pip-compile with Python {python}\n" in (ROOT / "requirements.txt").read_text(
        encoding="utf-8"
    )


def test_it_looks_for_the_browser_and_driver_that_the_tests_look_for():
    tested = (ROOT / "tests/browser.py").read_text(encoding="utf-8")
    named = re.search(r"map\(shutil\.which, \((.*?)\)\)", tested)[1]
    names = tuple(re.findall(r'"([\w-]+)"', named))
    assert names == print_book.BROWSERS
    [looks] = [run for run in commands(BUILD) if "command -v" in run]
    browser, driver = looks.splitlines()
    assert browser == " || ".join(f"command -v {name}" for name in names)
    [needed] = re.findall(r'^CHROMEDRIVER = shutil.which\("(.+)"\)$', tested, re.MULTILINE)
    assert driver == f"command -v {needed}"


@pytest.mark.parametrize("job", ["book.build", "release.release"])
def test_the_pdf_is_made_small_and_before_the_book_that_carries_it(job):
    run = "\n".join(commands(JOBS[job]))
    assert "qpdf" in run
    if job == "book.build":
        assert run.index("qpdf") < run.index("make pdf") < run.index("bash .ci/run")
    else:
        assert re.search(
            r"^dist: pdf book ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
        )
        assert run.index("qpdf") < run.index("make dist")


def test_the_book_that_make_builds_is_published_from_main_alone():
    upload = action(BUILD, "upload-pages-artifact")
    built = re.search(
        r"file://.+?/(book/\S+)/index\.html", (ROOT / "Makefile").read_text(encoding="utf-8")
    )[1]
    assert upload["with"]["path"] == built
    assert upload["if"] == PUBLISH["if"] == MAIN_ONLY
    assert PUBLISH["needs"] == "build"
    assert PUBLISH["environment"]["name"] == "github-pages"
    assert action(PUBLISH, "deploy-pages")


def test_a_release_is_checked_before_it_is_made():
    assert WORKFLOWS["release"]["on"] == {"push": {"tags": ["v*"]}}
    run = commands(RELEASE)
    notes, check, files, make = (
        next(i for i, line in enumerate(run) if part in line)
        for part in ("release_notes.py", "bash .ci/run", "make dist", "gh release create")
    )
    assert notes < check < files < make == len(run) - 1
    given = [step["name"] for step in RELEASE["steps"] if "GH_TOKEN" in step.get("env", {})]
    assert given == ["Make the release"]


def test_newest_and_oldest_packages_are_tried_every_week():
    assert set(WORKFLOWS["weekly"]["on"]) == {"schedule", "workflow_dispatch"}
    [when] = WORKFLOWS["weekly"]["on"]["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", when["cron"])
    assert commands(NEWEST)[-1] == "bash .ci/run"
    # Make takes its stamp for an environment that is there already.
    stamp = re.search(
        r"^ENVIRONMENT := (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )[1]
    assert f"touch {stamp}\n" in commands(NEWEST)[0]
    assert "--resolution" not in commands(NEWEST)[0]
    assert "--resolution lowest-direct" in commands(OLDEST)[0]
    oldest = re.search(
        r">=(\S+)\"$", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )[1]
    assert action(OLDEST, "setup-python")["with"]["python-version"] == oldest
    assert NEWEST["strategy"]["matrix"]["python"] == [oldest, "3.12", "3.13"]
    python = action(NEWEST, "setup-python")["with"]["python-version"]
    assert python == "${{ matrix.python }}"
    assert OLDEST["env"] == {"HYPOTHESIS_PROFILE": "many"}
    assert NEWEST["env"] == OLDEST["env"] | {"TESTS": "weekly or not weekly"}
    assert '"many"' in (ROOT / "tests/conftest.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("job", ["weekly.newest", "weekly.oldest"])
def test_it_installs_all_that_the_lock_has_and_not_the_lock(job):
    install = commands(JOBS[job])[0]
    [extras] = re.findall(r"'\.\[(.+)\]'", install)
    [locked] = re.findall(
        r"^EXTRAS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert extras.split(",") == locked.split()
    assert "requirements" not in install


def test_recorded_tables_are_replayed_every_week_for_as_long_as_the_job_may_take():
    assert REPLAY["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert "make minilm e5" in commands(REPLAY)
    [seconds] = re.findall(r"make replay .*--seconds (\d+)", "\n".join(commands(REPLAY)))
    assert 7200 <= int(seconds) < 60 * int(REPLAY["timeout-minutes"]) - 600


def test_what_fails_is_told_in_one_issue_that_a_person_closes():
    assert TELL["if"] == "failure()"
    assert TELL["needs"] == ["newest", "oldest", "replay"]
    [run] = commands(TELL)
    assert "gh issue list --state open" in run
    assert "gh issue close" not in run


def test_release_notes_are_the_section_of_the_tag():
    changelog = (
        "## Unreleased\n\n- Soon.\n\n## 0.2.0 - 2026-12-01\n\n- New.\n\n## 0.1.0\n\n- Old.\n"
    )
    assert release_notes.notes("v0.2.0", "0.2.0", changelog) == "- New."
    assert release_notes.notes("v0.1.0", "0.1.0", changelog) == "- Old."


@pytest.mark.parametrize(
    ("tag", "changelog", "message"),
    [
        ("v0.2.1", "## 0.2.0\n\n- New.\n", "the tag is v0.2.1, but the version in pyproject.toml"),
        ("v0.2.0", "## Unreleased\n\n- New.\n", "CHANGELOG.md has no section on 0.2.0"),
        ("v0.2.0", "## 0.2.0\n\n## 0.1.0\n\n- Old.\n", "CHANGELOG.md has no section on 0.2.0"),
        ("v0.2.0", "## 0.2.01\n\n- Other.\n", "CHANGELOG.md has no section on 0.2.0"),
    ],
)
def test_a_release_without_notes_or_of_another_version_is_refused(tag, changelog, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        release_notes.notes(tag, "0.2.0", changelog)


def test_the_changelog_has_a_place_for_the_next_release():
    headings = re.findall(
        r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert headings[0].strip("[]") == "Unreleased"


@pytest.mark.parametrize("form", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.md")))
def test_an_issue_form_has_a_name_and_says_what_it_is_for(form):
    _, front, body = form.read_text(encoding="utf-8").split("---\n", 2)
    assert set(yaml.safe_load(front)) == {"name", "about"}
    assert body.strip()
