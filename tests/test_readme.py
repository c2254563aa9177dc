"""What the README shows and says."""

import math
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

import ncnet
from ncnet import cli, results
from ncnet.companion.figures.__main__ import README_FIGURE, write

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
NOTEBOOKS = ROOT / "notebooks"
MEASURED = results.load("benchmark_memory").table.set_index("notebook")
EAGER = results.load("benchmark_without_compiler").table.set_index("notebook")


def title(name):
    """Return the first heading of a notebook."""
    first = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells[0].source
    return first.splitlines()[0].removeprefix("# ")


def said(measured, name):
    """Return the seconds that a notebook is said to take."""
    return 10 * math.ceil(measured.loc[name, "processor_seconds"] / 10)


def test_every_local_file_that_it_shows_or_links_exists():
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert linked
    assert not [path for path in linked if not (ROOT / path).exists()]


def test_every_file_and_target_that_is_named_exists():
    named = re.findall(r"^\| (`[^|]+`) \|", CONTRIBUTING, re.MULTILINE)
    paths = re.findall(r"`([^`]+)`", " ".join(named))
    assert paths
    assert not [path for path in paths if not (ROOT / path).exists()]
    targets = re.findall(
        r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    for page in (README, CONTRIBUTING):
        assert not set(re.findall(r"[`$] ?make ([a-z0-9]+)", page)) - set(targets)


def test_every_notebook_has_its_title_and_the_time_that_was_measured():
    rows = re.findall(r"^\| \[`(\w+)`\]\((.+?)\) \| (.+?) \| (\d+) s \|$", README, re.MULTILINE)
    expected = {
        (path.stem, f"notebooks/{path.name}", title(path.stem))
        for path in NOTEBOOKS.glob("*.ipynb")
    }
    assert {row[:3] for row in rows} == expected
    for name, *_, seconds in rows:
        assert int(seconds) == said(MEASURED, name), name


def test_no_notebook_takes_longer_than_a_page_may():
    assert MEASURED["processor_seconds"].max() <= 25


@pytest.mark.parametrize("name", sorted(MEASURED.index))
def test_a_notebook_says_the_times_that_were_measured(name):
    cells = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells
    prose = "\n".join(cell.source for cell in cells)
    [said_there] = re.findall(r"^\*\*Time\.\*\*.*", prose, re.MULTILINE)
    # Less than half as long again is the machine, which was not equally fast at both times.
    ratio = EAGER.loc[name, "processor_seconds"] / MEASURED.loc[name, "processor_seconds"]
    longer = f", and {said(EAGER, name)} where there is no C++ compiler" if ratio > 1.5 else ""
    seconds = said(MEASURED, name)
    time = f"**Time.** This page takes {seconds} seconds of one processor{longer}."
    assert said_there == time


def test_every_notebook_fits_a_machine_of_binder():
    assert set(MEASURED.index) == {path.stem for path in NOTEBOOKS.glob("*.ipynb")}
    assert set(EAGER.index) == set(MEASURED.index)
    assert MEASURED["fits"].all()
    assert MEASURED["megabytes"].max() < 1000  # "under a gigabyte"


def test_its_figure_is_drawn_from_the_recorded_results(tmp_path):
    write(tmp_path / "headline.svg")
    assert (tmp_path / "headline.svg").read_bytes() == README_FIGURE.read_bytes()


NUMBER = r"-?\d+(?:[.,]\d+)*(?:e-\d+)?"


@pytest.mark.slow
def test_its_command_prints_what_it_shows(tmp_path, monkeypatch, capsys):
    """On another machine the last digits of a training may differ."""
    shown = re.search(r"^\$ ncnet report outcomes.csv\n(.*?)\nsha256", README, re.DOTALL | re.M)[1]
    training = re.search(r"`ncnet (train overlap .*?)`", README, re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    assert cli.main(training.split()) == 0
    capsys.readouterr()
    assert cli.main(["report", "outcomes.csv"]) == 0
    printed = capsys.readouterr().out.partition("\nsha256")[0]
    words = [re.sub(NUMBER, "#", text).split() for text in (shown, printed)]
    assert words[0] == words[1]
    tables = [text.partition("Statistics:")[2].partition("Heads")[0] for text in (shown, printed)]
    numbers = [np.array(re.findall(r"[-+]?\d\.\d{3}", table), float) for table in tables]
    np.testing.assert_allclose(numbers[0], numbers[1], atol=0.02)


def test_its_first_example_prints_a_report(capsys):
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    names = {}
    exec(example, names)
    report = ncnet.chsh.report(names["outcomes"])
    assert capsys.readouterr().out == f"{report}\n"
    assert report.verdict == "above 2"
    assert report.interval[0] < report.s < report.interval[1]


def test_the_book_shows_the_same_example():
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)[0]
    assert example in (ROOT / "book" / "rerun.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("page", "columns"), [("README.md", 100), ("book/rerun.md", 76)])
def test_no_shown_command_is_wider_than_its_box(page, columns):
    shown = r"```console\n(.*?)```"
    blocks = re.findall(shown, (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert lines
    assert not [line for line in lines if len(line) > columns]
