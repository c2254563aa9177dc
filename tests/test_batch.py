"""Batch files: what they mean, and what is refused before any run."""

import inspect
import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from ncnet import results, runs
from ncnet.companion import batch, figures
from ncnet.companion.batch import Costs, simulate
from ncnet.companion.batch.grid import LONGEST_NAME
from ncnet.companion.notebooks import NOTEBOOKS

ROOT = Path(__file__).resolve().parents[1]
RQ1 = """notebook: rq1
parameters: {replicas: 64, steps: 10}
grid:
  seed: [1, 2]
  hidden units:
    - {hidden_sizes: [2, 3], hidden_size: 2}
    - {hidden_sizes: [4], hidden_size: 4}
"""


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a batch file."""

    def written(text):
        path = tmp_path / "mine.yml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_every_combination_is_a_job(write):
    read = batch.read(write(RQ1))
    assert read.name == "mine"
    assert list(read.jobs) == ["1_2+3_2", "1_4", "2_2+3_2", "2_4"]
    job = read.jobs["2_4"]
    assert (job["seed"], job["hidden_sizes"], job["hidden_size"]) == (2, [4], 4)
    assert (job["replicas"], job["steps"], job["activation"]) == (64, 10, "tanh")
    assert read.varied["2_4"] == {"seed": 2, "hidden_sizes": [4], "hidden_size": 4}
    assert read.tables == ("capacity",)


def test_what_varies_is_what_its_jobs_are_given(write):
    """A number that YAML takes for text, and a whole one, are columns of floats."""
    read = batch.read(write("notebook: rq3\ngrid:\n  learning_rate: [2e-5, 1]\n"))
    assert [job["learning_rate"] for job in read.varied.values()] == [2e-5, 1.0]
    assert list(read.jobs) == ["2e-05", "1.0"]


def test_a_file_in_the_home_folder_may_be_named_as_such(write, monkeypatch):
    monkeypatch.setenv("HOME", str(write(RQ1).parent))
    assert batch.read("~/mine.yml").path.is_absolute()


def test_no_grid_is_one_job(write):
    assert list(batch.read(write("notebook: rq3\n")).jobs) == ["all"]


def test_names_of_jobs_are_short_and_differ(write):
    text = "notebook: rq3\ngrid:\n  hidden_sizes:\n"
    text += f"    - {list(range(1, 60))}\n    - {list(range(1, 61))}\n"
    names = list(batch.read(write(text)).jobs)
    assert len(names) == len({name.casefold() for name in names}) == 2
    assert all(len(name) <= LONGEST_NAME for name in names)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ":1: expected `notebook`, `parameters` and `grid`"),
        ("- rq1\n", ":1: expected `notebook`"),
        ("notebook: rq1\ngrid: [\n", ":3: this is not YAML"),
        (
            "notebook: rq1\nnotebook: rq1\n",
            ":2: `notebook`: it is there twice",
        ),
        ("grid: {}\n", ":1: entry `notebook` is missing"),
        (
            "notebook: rq33\n",
            ":1: entry `notebook` is 'rq33': unknown notebook `rq33`: did",
        ),
        (
            "notebook: batch\nparameters: {folder: results/small}\n",
            ":1: entry `notebook` is",
        ),
        ("notebook: rq1\ngird:\n  seed: [1]\n", ":3: unknown entry `gird`: did you mean `grid`?"),
        ("notebook: rq1\ngrid:\n  seed: []\n", ":3: entry `grid.seed` is []"),
        ("notebook: rq1\ngrid:\n  seed: 3\n", ":3: entry `grid.seed` is 3"),
        (
            "notebook: rq1\nresources:\n  memroy: 3\n",
            ":3: unknown entry `resources.memroy`: did you mean `memory`?",
        ),
        (
            "notebook: rq1\nparameters:\n\n  replica: 64\n",
            ":4: unknown parameter `replica`: did you mean `replicas`?",
        ),
        (
            "notebook: rq1\ngrid:\n  seed: [1]\n  gaem: [overlap]\n",
            ":4: unknown parameter `gaem`: did you mean `game`?",
        ),
        (RQ1.replace("hidden_size: 4", "hidden_siz: 4"), ":7: unknown parameter `hidden_siz`"),
        ("notebook: rq1\nparameters:\n  _seed: 1\n", ":3: unknown parameter `_seed`"),
        (
            "notebook: rq3\nparameters:\n  steps: 1e3\n",
            ":3: parameter `steps` is '1e3': it should be a valid integer",
        ),
        (
            "notebook: rq3\ngrid:\n  hidden_sizes:\n    - [2]\n    - [0]\n",
            ":5: parameter `hidden_sizes` is 0",
        ),
        (
            "notebook: rq3\ngrid:\n  activation: [tanh, sigmod]\n",
            ":3: parameter `activation` is 'sigmod': did you mean `sigmoid`?",
        ),
        (RQ1.replace("size: 4", "size: 3"), ":7: parameter `hidden_size` is 3: expected one of"),
        (RQ1 + "  game: [overlap]\n  steps: [1]\n", ":9: `steps` is also given by `parameters`"),
        (
            RQ1.replace(", hidden_size: 4", ""),
            ":7: {'hidden_sizes': [4]}: expected all of `hidden_size`, `hidden_sizes`",
        ),
        ("notebook: rq1\ngrid:\n  seed: [1,\n    1]\n", ":4: 1 is there twice"),
        ("notebook: rq1\nparameters: {save_to: x}\n", ":2: `save_to` is chosen by the batch"),
        (
            RQ1 + "record: {capacities: results/x}\n",
            ":8: unknown table `capacities`: did you",
        ),
        (RQ1 + "record: {capacity: results/x}\n", ":8: `results/x`: expected results/capacity, or"),
        (RQ1 + "record: {capacity: ../results/capacity}\n", ":8: `../results/capacity`: expected"),
        (
            RQ1.replace("[1, 2]", f"{list(range(251))}")
            + f"  learning_rate: {list(range(1, 201))}\n",
            ":4: 100,400 jobs: expected at most",
        ),
        (
            "notebook: rq3\ngrid:\n  learning_rate: [2e-5,\n    0.00002]\n",
            ":4: 2e-05 is there twice",
        ),
        ("notebook: rq3\ngrid:\n  learning_rate: [1, 1.0]\n", ":3: 1.0 is there twice"),
        (
            "notebook: rq3\ngrid:\n  seed: [1,\n    010]\n",
            ":4: `010`: expected no leading zeros and no colons",
        ),
        *(
            (f"notebook: rq3\ngrid:\n  learning_rate: [0.1,\n    {number}]\n", f":4: `{number}`: ")
            for number in ("010", "08", "00.2", "1:30", "2024-01-01", "2024-13-41")
        ),
        *(
            (f"notebook: rq3\nparameters: {{seed: !!{kind} x}}\n", ":2: `x`: ")
            for kind in ("int", "float", "bool", "timestamp")
        ),
        (f"notebook: rq3\nparameters: {{seed: {'1' * 5000}}}\n", ":2: `1111"),
        (
            f"notebook: rq3\nparameters: {{seed: {'[' * 3000 + ']' * 3000}}}\n",
            ": expected fewer lists",
        ),
        ("notebook: rq3\nresources: {minutes: 1:30}\n", ":2: `1:30`: expected no leading zeros"),
        ("notebook: rq1\n? [a, b]\n: 3\n", ":2: a key is no text: expected a name"),
        *(
            (f"notebook: rq1\ngrid:\n  {key}: [2]\n", f":3: `{key}`: a key is no text")
            for key in ("1", "yes", "~", "<<")
        ),
        ("notebook: rq1\ngrid: [1]\n", ":2: entry `grid` is [1]: it should be a mapping"),
        ("notebook: rq1\nresources: [1]\n", ":2: entry `resources` is [1]: it should be a mapping"),
        ("notebook: rq1\n---\na: 1\n", ":2: this is not YAML: expected a single document in the"),
        ("notebook: rq1\ngrid:\n  seed:\n    - {}\n    - 1\n", ":4: {}: expected names and values"),
        (
            "notebook: rq1\ngrid:\n  part:\n    - {seed: 1}\n    - {seed: 2, replicas: 32}\n",
            ":4: {'seed': 1}: expected all of `replicas`, `seed`",
        ),
        ("notebook: rq1\ngrid:\n  seed: &p [1, *p]\n", ":3: parameter `seed` is [1, [...]]"),
        ("notebook: rq1\x00\n", ": this is not YAML"),
        ("notebook: |\n  rq1\n  foo\n", ":1: entry `notebook` is 'rq1"),
        (
            "notebook: rq1\nresources:\n",
            ":2: entry `resources` is None",
        ),
        (
            "notebook: rq1\ngrid:\n  seed: [true, 1]\n",
            ":3: parameter `seed` is True: it should be a valid integer",
        ),
        (
            "notebook: rq6\ngrid:\n  record: [true, false]\n",
            ":3: `record` differs between jobs",
        ),
    ],
)
def test_what_no_run_would_accept_is_refused_by_line(write, text, line):
    with pytest.raises(batch.BatchError) as error:
        batch.read(write(text))
    message = str(error.value)
    assert f"mine.yml{line}" in message
    assert "\n" not in message


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(batch.BatchError, match=r"batch file .*none\.yml cannot be read"):
        batch.read(tmp_path / "none.yml")
    (tmp_path / "latin.yml").write_bytes("notebook: ü".encode("latin1"))
    with pytest.raises(batch.BatchError, match=r"batch file .*latin\.yml cannot be .* UTF-8"):
        batch.read(tmp_path / "latin.yml")


@pytest.mark.parametrize("path", sorted(ROOT.glob("batches/*.yml")), ids=lambda path: path.stem)
def test_shipped_batches_can_be_run_and_recorded(path):
    read = batch.read(path)
    assert read.record
    model = NOTEBOOKS[read.notebook]
    assert set(read.record) <= {*read.tables, "jobs"}
    asks_for_all = any(job.get("record") for job in read.jobs.values())
    assert not asks_for_all or not set(model.RECORDED) - set(read.record)
    batch.check_recordable(read)


def test_every_recorded_table_has_the_command_that_makes_it():
    made_by = {}
    for path in ROOT.glob("batches/*.yml"):
        read = batch.read(path)
        for where in read.record.values():
            made_by[ROOT / f"{where}.json"] = path.relative_to(ROOT)
    for path in results.FOLDER.rglob("*.json"):
        command = results.load(path.stem, folder=path.parent).provenance["command"]
        if command.startswith("python -m "):
            module = command.split()[2]
            places = (f"{module.replace('.', '/')}.py", f"{module.replace('.', '/')}/__main__.py")
            assert any((ROOT / place).exists() for place in places), command
        else:
            assert path in made_by, "no batch makes it"


def _studies(files):
    """Return the studies that files belong to."""
    places = [path.relative_to(ROOT).parts for path in files]
    return {parts[2] for parts in places if parts[:2] == ("ncnet", "studies") and len(parts) > 3}


OTHERS = {"rq1": {"multiverse"}, "rq3_multiverse": {"capacity"}, "rq4": {"ranks"}, "rq5": {"ranks"}}
"""Studies beside its own that a notebook reads."""


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_job_depends_on_its_notebook_the_core_and_the_studies_it_imports(notebook):
    files = batch.files_of(notebook)
    names = {path.relative_to(ROOT).as_posix() for path in files}
    assert {f"notebooks/{notebook}.ipynb", "ncnet/chsh/report.py", "ncnet/runs.py"} <= names
    assert {"ncnet/training/compiled.cpp", "ncnet/training/vectors.h"} <= names
    room = inspect.getmodule(NOTEBOOKS[notebook]).__name__.split(".")[2]
    of_companion = any(name.startswith("ncnet/companion/") for name in names)
    assert (_studies(files), of_companion) == (
        (set(), True) if notebook == "batch" else ({room} | OTHERS.get(notebook, set()), False)
    )


def _fake(read, folder, changes=()):
    """Write the jobs of a batch as their runs would."""
    for job, given in read.jobs.items():
        place = folder / "jobs" / job
        given = given | dict(changes) | {"save_to": place.as_posix()}
        table = pd.DataFrame({"hidden_size": given["hidden_sizes"], "s": 2.0})
        runs.Run(NOTEBOOKS[read.notebook], given).save("capacity", table)
        notebook = json.loads((ROOT / "notebooks" / "rq1.ipynb").read_text(encoding="utf-8"))
        notebook["metadata"]["papermill"] = {"start_time": "2026-01-01T00:00:00"}
        (place / "notebook.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        (place / "benchmark.tsv").write_text("s\tcpu_time\tmax_rss\n1\t1\t-\n", encoding="utf-8")


def test_jobs_are_joined_with_what_tells_them_apart(write, tmp_path):
    read = batch.read(write(RQ1))
    _fake(read, tmp_path)
    (tmp_path / runs.SHARED / "states").mkdir(parents=True)
    batch.gather(read, tmp_path)
    assert not (tmp_path / runs.SHARED).exists()
    joined = results.load("capacity", folder=tmp_path)
    assert joined.table["seed"].tolist() == [1, 1, 1, 2, 2, 2]
    assert joined.table["hidden_size"].tolist() == [2, 3, 4] * 2
    given = joined.provenance["parameters"]
    assert (given["seed"], given["hidden_sizes"]) == ([1, 2], [2, 3, 4])
    assert given["replicas"] == 64
    ran = results.load("jobs", folder=tmp_path).table
    assert ran["job"].tolist() == list(read.jobs)


def test_jobs_with_other_parameters_are_not_joined(write, tmp_path):
    read = batch.read(write(RQ1))
    _fake(read, tmp_path, {"steps": 11})
    with pytest.raises(batch.BatchError, match=r"job 1_2\+3_2 was made with other parameters"):
        batch.gather(read, tmp_path)


def test_a_damaged_job_is_not_joined(write, tmp_path):
    read = batch.read(write(RQ1))
    _fake(read, tmp_path)
    with (tmp_path / "jobs" / "2_4" / "capacity.parquet").open("ab") as table:
        table.write(b"more")
    with pytest.raises(batch.BatchError, match=r"job 2_4 is damaged: capacity\.parquet has ch"):
        batch.gather(read, tmp_path)
    shutil.rmtree(tmp_path / "jobs" / "1_4")
    with pytest.raises(batch.BatchError, match=r"job 1_4 is damaged: no recorded result `ca"):
        batch.gather(read, tmp_path)


def test_jobs_of_two_versions_are_not_joined(write, tmp_path):
    read = batch.read(write(RQ1))
    _fake(read, tmp_path)
    path = tmp_path / "jobs" / "2_4" / "capacity.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"torch": "', '"torch": "0.'), encoding="utf-8"
    )
    with pytest.raises(batch.BatchError, match=r"job 2_4 was made with torch 0\."):
        batch.gather(read, tmp_path)


def test_jobs_of_two_commits_say_so(write, tmp_path):
    read = batch.read(write(RQ1))
    _fake(read, tmp_path)
    told = [("a" * 40, True), ("b" * 40, False), ("a" * 40, True), ("c" * 40, True)]
    for job, (commit, clean) in zip(read.jobs, told, strict=True):
        _tell(tmp_path, job, commit=commit, clean=clean)
    batch.gather(read, tmp_path)
    provenance = results.load("capacity", folder=tmp_path).provenance
    assert provenance["commit"] == f"{'a' * 40}, {'b' * 40}, {'c' * 40}"
    assert provenance["clean"] is False
    for job in read.jobs:
        _tell(tmp_path, job, commit="a" * 40, clean=True)
    batch.gather(read, tmp_path)
    provenance = results.load("capacity", folder=tmp_path).provenance
    assert (provenance["commit"], provenance["clean"]) == ("a" * 40, True)
    _tell(tmp_path, "2_4", commit=None, clean=None)
    batch.gather(read, tmp_path)
    provenance = results.load("capacity", folder=tmp_path).provenance
    assert (provenance["commit"], provenance["clean"]) == (None, None)


def _tell(folder, job, **told):
    """Change what a job's provenance says."""
    path = folder / "jobs" / job / "capacity.json"
    provenance = json.loads(path.read_text(encoding="utf-8")) | told
    path.write_text(json.dumps(provenance), encoding="utf-8")


def test_a_job_made_without_a_compiler_is_not_joined_to_others(write, tmp_path):
    read = batch.read(write(RQ1))
    _fake(read, tmp_path)
    versions = results.installed_versions()
    for job in read.jobs:
        _tell(tmp_path, job, versions=versions | {"compiler": "g++ 12.2.0"})
    versions.pop("compiler", None)
    _tell(tmp_path, "2_4", versions=versions)
    line = r"job 2_4 was made with no compiler, others with compiler g\+\+ 12\.2\.0"
    with pytest.raises(batch.BatchError, match=line):
        batch.gather(read, tmp_path)


def test_a_checksum_is_of_content_and_not_of_times(tmp_path):
    files = [tmp_path / "notebook.ipynb", tmp_path / "module.py"]
    for path in files:
        path.write_text("first", encoding="utf-8")
    before = batch.checksum(files)
    os.utime(files[1], (0, 0))
    assert batch.checksum(files) == before
    files[1].write_text("other", encoding="utf-8")
    os.utime(files[1], (0, 0))
    assert batch.checksum(files) != before


def test_rows_that_look_alike_have_the_name_of_their_job(write, tmp_path):
    text = "notebook: rq1\nparameters: {hidden_sizes: [2, 3]}\ngrid:\n  hidden_size: [2, 3]\n"
    read = batch.read(write(text))
    _fake(read, tmp_path)
    batch.gather(read, tmp_path)
    assert results.load("capacity", folder=tmp_path).table["job"].tolist() == ["2", "2", "3", "3"]


def test_tables_of_an_earlier_batch_of_that_name_are_gone(write, tmp_path):
    read = batch.read(write(RQ1))
    _fake(read, tmp_path)
    results.save("search", pd.DataFrame(), parameters={}, command="", folder=tmp_path)
    batch.gather(read, tmp_path)
    assert {path.stem for path in tmp_path.glob("*.json")} == {"capacity", "jobs"}


def test_half_a_grid_is_not_recorded(write):
    text = """notebook: rq3
parameters: {replicas: 1600}
grid:
  part:
    - {games: [overlap], hidden_sizes: [3, 6]}
    - {games: [separate], hidden_sizes: [3]}
record: {capacity: results/capacity}
"""
    with pytest.raises(batch.BatchError, match="jobs are no full grid of games, hidden_sizes"):
        batch.check_recordable(batch.read(write(text)))


def test_less_than_the_book_quotes_is_not_recorded(write, tmp_path):
    text = "notebook: rq3\nparameters: {replicas: 1600}\ngrid:\n  hidden_sizes: [[3], [4]]\n"
    read = batch.read(write(text + "record: {capacity: results/capacity}\n"))
    with pytest.raises(batch.BatchError, match="cannot be recorded: parameter `record` is True"):
        batch.record(read, tmp_path)
    batch.check_recordable(batch.read(write(text + "record: {capacity: results/small/capacity}\n")))
    with pytest.raises(batch.BatchError, match="no `record`: it should say which tables"):
        batch.record(batch.read(write(text)), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(results.FOLDER.rglob("*.json")), ids=lambda path: path.stem)
def test_any_table_can_be_drawn_and_labelled(path):
    table = results.load(path.stem, folder=path.parent).table
    # The drawing of ten thousand rows takes long, and is that of a thousand of them.
    drawn = figures.over_grid(table.iloc[:: max(1, len(table) // 1000)])
    assert (drawn is None) == (
        not {"s_low", "auc_low", "conflict_share_low", "correlation_low"} & set(table)
    )
    assert len(figures.labelled(table)) == len(table)


def test_progress_tells_done_from_cached_failed_and_not_run(write, tmp_path):
    read = batch.read(write(RQ1))
    before = batch.Progress(read, tmp_path)
    assert before.summary() == "batch mine: 0 jobs done, 0 cached, 0 failed, 4 not run"
    _fake(read, tmp_path)
    assert before.summary() == "batch mine: 4 jobs done, 0 cached, 0 failed, 0 not run"
    after = batch.Progress(read, tmp_path)
    assert after.summary() == "batch mine: 0 jobs done, 4 cached, 0 failed, 0 not run"
    outdated = batch.Progress(batch.read(write(RQ1.replace("steps: 10", "steps: 9"))), tmp_path)
    assert outdated.summary() == "batch mine: 0 jobs done, 0 cached, 0 failed, 4 not run"
    place = tmp_path / "jobs" / "2_4"
    (place / "capacity.json").unlink()
    (place / "notebook.ipynb").write_text("", encoding="utf-8")
    (place / "log.txt").write_text("more\nKilled\n", encoding="utf-8")
    failed = f"1 failed, 0 not run\n  failed: {place}/notebook.ipynb\n    Killed ({place}/log.txt)"
    assert after.summary() == f"batch mine: 0 jobs done, 3 cached, {failed}"


def test_progress_says_which_error_ended_a_notebook(write, tmp_path):
    read = batch.read(write(RQ1))
    progress = batch.Progress(read, tmp_path)
    _fake(read, tmp_path)
    error = {"output_type": "error", "ename": "ValueError", "evalue": "first\nsecond"}
    failed = json.dumps({"cells": [{"cell_type": "code", "outputs": [error]}]})
    report = tmp_path / "report.ipynb"
    report.write_text(failed, encoding="utf-8")
    assert progress.summary().endswith(f"  failed: {report}\n    ValueError: first")
    place = tmp_path / "jobs" / "2_4"
    (place / "capacity.json").unlink()
    (place / "notebook.ipynb").write_text(failed, encoding="utf-8")
    (place / "log.txt").write_text("ValueError: first\nsecond\n", encoding="utf-8")
    assert progress.summary().endswith(f"  failed: {place}/notebook.ipynb\n    ValueError: first")


def test_submissions_that_never_wait_take_what_their_jobs_take():
    free = Costs(submission=0, job=0, submitting=0)
    asked = {"jobs": 7, "job_seconds": 100, "jobs_a_submission": 7, "cores": 1, "submitted": 1}
    found = simulate(free, **asked, spread=0)
    assert found.submissions == 1
    # The last look comes up to `LONGEST` after the end.
    assert 700 <= 3600 * found.hours <= 700 + 180
    assert found.busy == pytest.approx(700 / (3600 * found.hours))


def test_a_seed_draws_other_times():
    asked = {"jobs": 20, "job_seconds": 60, "jobs_a_submission": 1, "cores": 2, "submitted": 2}
    one, again, other = (simulate(Costs(1, 1, 1), **asked, seed=seed).busy for seed in (0, 0, 1))
    assert one == again != other


def test_the_costs_of_submissions_add_up():
    costs = Costs(submission=8, job=2, submitting=0)
    assert costs.overhead(100, 4) == pytest.approx((8 + 4 * 2) / 400)
    together = costs.jobs_a_submission(30)
    assert costs.overhead(30, together) <= 0.1 < costs.overhead(30, together - 1)
