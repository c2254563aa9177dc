"""What the README shows and says."""

import re
from pathlib import Path

import ncnet
from ncnet.figures.__main__ import README_FIGURE, write

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def test_every_local_file_that_it_shows_or_links_exists():
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert linked
    assert not [path for path in linked if not (ROOT / path).exists()]


def test_its_figure_is_drawn_from_the_recorded_results(tmp_path):
    write(tmp_path / "headline.svg")
    assert (tmp_path / "headline.svg").read_bytes() == README_FIGURE.read_bytes()


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
    for page in ("index.md", "rerun.md"):
        assert example in (ROOT / "book" / page).read_text()
