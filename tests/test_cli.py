"""The command line: what it prints and writes, with which status it ends, and what it refuses."""

import gzip
import hashlib
import html
import io
import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

import ncnet
from ncnet import cli, commands
from ncnet.chsh import from_table, report
from ncnet.printing import printable

# Alice and Bob agree but in context (2,2): S is 4 in every replica.
TABLE = pd.DataFrame(
    [
        (context, replica, item, sign, -sign if context == 22 else sign)
        for context in (11, 12, 21, 22)
        for replica in range(40)
        for item, sign in enumerate((1, -1 if replica % 2 else 1))
    ],
    columns=["context", "replica", "item", "a", "b"],
)
CSV = TABLE.to_csv(index=False).encode()
LOCAL = TABLE.assign(a=1, b=1)
FORMS = {
    "csv": CSV,
    "semicolons.csv": TABLE.to_csv(index=False, sep=";").encode(),
    "tsv": TABLE.to_csv(index=False, sep="\t").encode(),
    "csv.gz": gzip.compress(CSV),
    "jsonl": TABLE.to_json(orient="records", lines=True).encode(),
    "parquet": TABLE.to_parquet(index=False),
}
HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A1",
    "\x1b[31m",
    "two\nlines",
    "\u202eback",
]


@pytest.fixture(autouse=True)
def _undrawn(request, monkeypatch):
    """Take matplotlib away from all tests that are not slow: a picture takes half a second."""
    if not request.node.get_closest_marker("slow"):
        monkeypatch.setitem(sys.modules, "matplotlib", None)


@pytest.fixture
def ncnet_(capsys, tmp_path, monkeypatch):
    """Return the command, which returns its status, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        try:
            status = cli.main(list(map(str, arguments)))
        except SystemExit as ended:
            status = ended.code
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def written(tmp_path):
    """Return a function that writes a table and returns its path."""

    def write(table, name="outcomes.csv"):
        path = tmp_path / name
        path.write_bytes(table if isinstance(table, bytes) else table.to_csv(index=False).encode())
        return path

    return write


def numbers(ncnet_, *arguments):
    status, out, _ = ncnet_("report", *arguments, "--json")
    assert status == 0
    return json.loads(out)


class Page(HTMLParser):
    """What a page holds: its tags with their attributes, and its text."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_the_text_is_that_of_the_report(ncnet_, written):
    status, out, err = ncnet_("report", written(TABLE))
    assert (status, err) == (0, "")
    assert out.startswith(str(report(from_table(TABLE))))


def test_all_adds_the_rarer_rows(ncnet_, written):
    _, out, _ = ncnet_("report", written(TABLE), "--all")
    assert out.startswith(str(report(from_table(TABLE)).full()))


def test_json_holds_all_numbers(ncnet_, written):
    found = numbers(ncnet_, written(TABLE), "--level", ".9", "--seed", "7")
    expected = json.loads(json.dumps(report(from_table(TABLE), level=0.9, seed=7).numbers()))
    assert found.items() >= expected.items()


def test_each_option_reaches_the_report(ncnet_, written):
    table = TABLE.assign(split=TABLE["item"].map({0: "training", 1: "held_out"}))
    options = {"split": "held_out", "readout": "solved", "level": 0.8, "seed": 3}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    found = numbers(ncnet_, written(table), *words)
    assert found.items() >= report(from_table(table), **options).numbers().items()


def test_a_level_gets_the_resamples_that_it_needs(ncnet_, written):
    path = written(TABLE)
    assert "resamples" not in numbers(ncnet_, path, "--level", ".99")
    assert numbers(ncnet_, path, "--level", ".01")["level"] == 0.01
    found = numbers(ncnet_, path, "--level", ".998")
    expected = report(from_table(TABLE), level=0.998, resamples=20_000).numbers()
    assert found["resamples"] == 20_000
    assert found.items() >= json.loads(json.dumps(expected)).items()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_table_gives_the_same(ncnet_, written, form):
    found = numbers(ncnet_, written(FORMS[form], f"outcomes.{form}"))
    plain = numbers(ncnet_, written(TABLE))
    assert {k for k in plain if found[k] != plain[k]} <= {"input", "sha256"}


def test_a_tilde_is_the_home_folder(ncnet_, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    (home / "table.csv").write_bytes(FORMS["csv"])
    expected = from_table(home / "table.csv")
    for path in ("~/table.csv", Path("~/table.csv")):
        assert from_table(path).identical(expected)
    assert ncnet_("report", "~/table.csv", "-o=~/report.html")[0] == 0
    assert (home / "report.html").exists()
    (tmp_path / "~table.csv").write_bytes(FORMS["csv"])
    assert ncnet_("report", "~table.csv")[0] == 0


def test_standard_input_is_a_table_of_any_form(ncnet_, monkeypatch):
    for content in FORMS.values():
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))
        found = numbers(ncnet_, "-")
        assert found["sha256"] == hashlib.sha256(content).hexdigest()
        assert found["s"] == 4


@pytest.mark.parametrize("form", ["csv", "csv.gz"])
def test_text_page_and_json_say_what_they_were_made_of(ncnet_, written, form):
    path = written(FORMS[form], f"outcomes.{form}")
    asked = ["--seed", "11", "--level", ".9", "-o", "report.html"]
    _, text, _ = ncnet_("report", path, *asked)
    _, as_json, _ = ncnet_("report", path, *asked, "--json")
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    found = json.loads(as_json)
    coding = from_table(TABLE).attrs["coding"]
    expected = {
        "input": path.name,
        "rows": len(TABLE),
        "coding": coding,
        "split": "training",
        "readout": "correct",
        "level": 0.9,
        "seed": 11,
        "ncnet": ncnet.__version__,
        "sha256": content,
    }
    assert found.items() >= expected.items()
    end = text[text.index("input: ") :].replace("\n", " ").strip().split("; ")
    page = Path("report.html").read_text(encoding="utf-8")
    for name, value in expected.items():
        assert f"{name}: {value}" in end
        assert f"<dt>{name}</dt><dd>{html.escape(str(value))}</dd>" in page


def test_columns_may_have_other_names(ncnet_, written):
    table = TABLE.rename(columns={"a": "=cmd|", "b": "x=y"})
    assert numbers(ncnet_, written(table), "--columns", "a==cmd|,b=x=y")["s"] == 4


def test_columns_may_be_given_again(ncnet_, written):
    path = written(TABLE.rename(columns={"a": "alice", "b": "bob"}))
    assert numbers(ncnet_, path, "--columns", "a=alice", "--columns", "b=bob")["s"] == 4
    assert numbers(ncnet_, path, "--columns", "a = alice, b = bob")["s"] == 4
    status, _, err = ncnet_("report", path, "--columns", "a=alice", "--columns", "b=bob,a=bob")
    assert status == 2
    assert re.fullmatch(r"ncnet report: error: --columns: column `a` is there twice: .+\n", err)


def test_a_capacity_can_be_asked_for_as_it_is_listed(ncnet_, written):
    path = written(pd.concat([TABLE.assign(capacity=1 / 3), LOCAL.assign(capacity=1000.5)]))
    _, _, err = ncnet_("report", path)
    listed = re.search(r"capacities, (\S+), (\S+):", err).groups()
    assert [numbers(ncnet_, path, "--capacity", one)["s"] for one in listed] == [4, 2]
    _, _, err = ncnet_("report", path, "--capacity", 0.3)
    assert err.endswith(f"{listed[0]}\n")
    _, _, err = ncnet_("report", path, "--capacity", "nan")
    assert err.endswith(f"`--capacity` is nan: expected a capacity, such as {listed[0]}\n")


@pytest.mark.parametrize("columns", ["a", "a=", "=x", "", "a=x,,b=y"])
def test_columns_are_pairs(ncnet_, columns):
    status, out, err = ncnet_("report", "-", "--columns", columns)
    assert (status, out) == (2, "")
    assert "a=alice_right" in err


def test_the_status_is_1_only_where_that_was_asked_for(ncnet_, written):
    assert ncnet_("report", written(TABLE))[0] == 0
    status, out, err = ncnet_("report", written(TABLE), "--fail-if", "above-2")
    assert status == 1
    assert out == ncnet_("report", written(TABLE))[1]
    assert "above 2" in err
    assert ncnet_("report", written(LOCAL), "--fail-if", "above-2")[::2] == (0, "")


def test_notes_stand_in_every_form(ncnet_, written):
    path = written(TABLE.assign(colour="red"))
    status, out, err = ncnet_("report", path, "--json", "-o", "report.html")
    assert status == 0
    [note] = json.loads(out)["notes"]
    assert "colour" in note
    assert err == f"note: {note}\n"
    assert note in Page(Path("report.html")).text
    _, out, again = ncnet_("report", path)
    assert again == err
    assert out.index(f"\n\n{err}\n") < out.index("input: ")


def tags(name):
    return [tag for tag, _ in Page(Path(name)).tags]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no files of such names")
@pytest.mark.parametrize("name", HOSTILE)
def test_the_name_of_a_file_stays_text(ncnet_, written, name):
    name = name.replace("/", "-")
    status, out, err = ncnet_("report", written(TABLE, name), "-o", "report.html")
    assert (status, err) == (0, "")
    assert all(letter.isprintable() or letter == "\n" for letter in out)
    assert f"input: {printable(name)}; " in out.replace("\n", " ")
    assert numbers(ncnet_, name)["input"] == name
    assert "script" not in tags("report.html")
    assert printable(name) in Page(Path("report.html")).text
    _, _, err = ncnet_("report", f"{name}, which is not there")
    assert err == f"ncnet report: error: there is no file {printable(name)}, which is not there\n"


@pytest.mark.parametrize("name", HOSTILE)
def test_the_name_of_a_column_stays_text(ncnet_, written, name):
    path = written(TABLE.assign(**{name: 1}))
    status, out, err = ncnet_("report", path, "--json", "-o", "report.html")
    assert status == 0
    assert err.endswith("\n")
    assert err[:-1].isprintable()
    [note] = json.loads(out)["notes"]
    assert printable(note) in err
    assert "script" not in tags("report.html")
    assert printable(note) in Page(Path("report.html")).text


@pytest.mark.parametrize("column", ["replica", "item", "a"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_refusal_that_names_a_cell_stays_one_line(ncnet_, written, name, column):
    table = TABLE.astype({column: object})
    table.loc[1, column] = name
    status, out, err = ncnet_("report", written(table))
    assert (status, out) == (2, "")
    assert err[:-1].isprintable()


BAD = TABLE.assign(a=TABLE["a"].astype(object))
BAD.loc[50, "a"] = "x"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["outcomes.csv", "-o", "report.pdf"], "html"),
        (["outcomes.csv", "-o", "/nope/report.html"], "there is no folder /nope: expected one"),
        (["outcomes.csv", "-o", "."], "html"),
        (["outcomes.csv", "-o", "folder.html"], "folder"),
        (["bad.csv"], "row 50"),
        (["empty.csv"], "empty"),
        (["outcome.csv"], "outcome.csv"),
        (["."], "folder"),
        ([""], "path of a table"),
        (["https://a.org/b.csv"], "https://a.org/b.csv"),
        (["x" * 100_000], "name too long"),
        (["outcomes.csv", "-o", "x" * 100_000], "html"),
        ([], "TABLE"),
        (["outcomes.csv", "more.csv"], "more.csv"),
        (["outcomes.csv", "--levle", ".9"], "--level"),
        (["outcomes.csv", "--level", "2"], "level"),
        (["outcomes.csv", "--level", "x"], "level"),
        (["outcomes.csv", "--level", "nan"], "`--level` is nan: expected a number from 0.01 to 0"),
        (["outcomes.csv", "--level", "1e-300"], "`--level` is 1e-300: expected a number from"),
        (["outcomes.csv", "--level", ".99997"], "`--level` is 0.99997: expected"),
        (["outcomes.csv", "--seed", "-1"], "seed"),
        (["outcomes.csv", "--split", "heldout"], "held_out"),
        (["outcomes.csv", "--readout", "corect"], "correct"),
        (["outcomes.csv", "--capacity", "3"], "capacity"),
        (["outcomes.csv", "--fail-if", "below-2"], "above-2"),
        (["outcomes.csv", "--columns", "a=c"], "c"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(ncnet_, written, arguments, word):
    written(TABLE)
    written(BAD, "bad.csv")
    written(b"", "empty.csv")
    Path("folder.html").mkdir()
    status, out, err = ncnet_("report", *arguments)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"ncnet report: error: .+\n", err)
    assert word in err


def test_a_place_to_write_to_is_asked_before_any_work(ncnet_):
    _, _, err = ncnet_("report", "nothing.csv", "-o", "report.pdf")
    assert "html" in err
    _, _, err = ncnet_("train", "overlap", "--hidden-size", 0, "--replicas", 0, "-o", "table.txt")
    assert "parquet" in err


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="all may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_refused(ncnet_, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "locked" in ncnet_("report", "nothing.csv", "-o", "locked/report.html")[2]


def test_a_page_is_written_whole_or_not_at_all(ncnet_, written):
    Path("report.html").write_text("before", encoding="utf-8")
    assert ncnet_("report", written(BAD), "-o", "report.html")[0] == 2
    assert Path("report.html").read_text(encoding="utf-8") == "before"
    assert ncnet_("report", written(TABLE), "-o", "report.html")[0] == 0
    assert Path("report.html").read_text(encoding="utf-8").endswith("</html>\n")
    assert sorted(path.name for path in Path().iterdir()) == ["outcomes.csv", "report.html"]


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few make links")
def test_a_page_is_written_to_what_a_link_points_to(ncnet_, written, tmp_path):
    written(TABLE)
    (tmp_path / "elsewhere").mkdir()
    link, target = Path("report.html"), tmp_path / "elsewhere" / "page.html"
    link.symlink_to(target)
    assert ncnet_("report", "outcomes.csv", "-o", link)[0] == 0
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8").endswith("</html>\n")
    Path("null.html").symlink_to(os.devnull)
    assert "'null.html', a folder or a device" in ncnet_("report", "none.csv", "-o", "null.html")[2]
    target.parent.rename("gone")
    assert "elsewhere" in ncnet_("report", "outcomes.csv", "-o", link)[2]


def test_a_table_is_not_overwritten_by_its_report(ncnet_, written):
    path = written(TABLE, "table.html")
    before = path.read_bytes()
    Path("link.html").symlink_to(path)
    for output in ("table.html", "link.html"):
        status, _, error = ncnet_("report", "table.html", "-o", output)
        assert (status, path.read_bytes()) == (2, before)
        assert f"'{output}', the table itself" in error


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no such files")
@pytest.mark.parametrize("asked", [["/proc/self/mem"], ["outcomes.csv", "-o", "/proc/report.html"]])
def test_an_error_names_what_could_not_be_read_or_written(ncnet_, written, asked):
    written(TABLE)
    status, _, err = ncnet_("report", *asked)
    assert status == 2
    assert err.startswith(f"ncnet report: error: {asked[-1]}: ")


@pytest.mark.slow
def test_a_page_needs_nothing_else_and_runs_nothing(ncnet_, written):
    ncnet_("report", written(TABLE), "-o", "report.html")
    page = Page(Path("report.html"))
    tags = [tag for tag, _ in page.tags]
    assert not {"script", "link", "iframe", "object", "form", "a", "base"} & set(tags)
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("src", "data:").startswith("data:"), tag
    assert "url(" not in Path("report.html").read_text(encoding="utf-8")
    [policy] = [a["content"] for _, a in page.tags if "http-equiv" in a]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert ("html", {"lang": "en"}) in page.tags
    assert "viewport" in [a.get("name") for _, a in page.tags]


def test_a_page_begins_with_the_conclusion_and_closes_the_rarer_rows(ncnet_, written):
    ncnet_("report", written(TABLE), "-o", "report.html")
    page = Page(Path("report.html"))
    text = Path("report.html").read_text(encoding="utf-8")
    assert "above 2" in text[text.index("<title>") : text.index("</title>")]
    assert ("details", {}) in page.tags
    assert "All rows" in page.text
    assert "arcsine" not in text[: text.index("<details>")]
    assert "arcsine" in text[text.index("<details>") :]


@pytest.mark.slow
def test_the_picture_has_words_for_who_does_not_see_it(ncnet_, written):
    pytest.importorskip("matplotlib")
    ncnet_("report", written(TABLE), "-o", "report.html")
    [picture] = [a for tag, a in Page(Path("report.html")).tags if tag == "img"]
    assert "4.00" in picture["alt"]


def test_a_page_without_matplotlib_names_the_extra(ncnet_, written):
    assert ncnet_("report", written(TABLE), "-o", "report.html")[0] == 0
    page = Page(Path("report.html"))
    assert "img" not in [tag for tag, _ in page.tags]
    assert "ncnet[report]" in page.text


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_one_of_several_capacities_is_chosen(ncnet_, written, suffix):
    table = pd.concat([TABLE.assign(capacity=2), LOCAL.assign(capacity=3)])
    content = getattr(table, f"to_{suffix}")(index=False)
    content = content if isinstance(content, bytes) else content.encode()
    path = written(content, f"outcomes.{suffix}")
    assert numbers(ncnet_, path, "--capacity", 2)["s"] == 4
    found = numbers(ncnet_, path, "--capacity", 3)
    assert (found["s"], found["capacity"]) == (2, "3")
    _, _, err = ncnet_("report", path)
    assert "2, 3" in err
    _, _, err = ncnet_("report", path, "--capacity", 2.2)
    assert re.fullmatch(r"ncnet report: error: .*2\.2.* 2\n", err)


@pytest.mark.parametrize("command", ["report", "train"])
def test_the_examples_of_the_help_can_be_given(capsys, command, monkeypatch):
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    examples = re.findall(r"^  (?:.*\| )?ncnet (.+)$", text, re.MULTILINE)
    assert examples
    for name in ("report", "train"):
        monkeypatch.setattr(commands, name, lambda options: 0)
    for example in examples:
        assert cli.main(shlex.split(example)) == 0


def test_the_command_says_its_version_and_what_it_can_do(ncnet_):
    assert ncnet_("--version") == (0, f"ncnet {ncnet.__version__}\n", "")
    status, out, _ = ncnet_("--help")
    assert status == 0
    assert "report" in out
    assert "train" in out
    status, out, err = ncnet_()
    assert (status, out) == (2, "")
    assert "COMMAND" in err


@pytest.mark.slow
@pytest.mark.parametrize("name", ["outcomes.csv", "outcomes.parquet"])
def test_a_training_reports_and_writes_what_report_reads_back(ncnet_, name):
    pytest.importorskip("torch")
    asked = ["--hidden-size", 2, "--replicas", 64, "--seed", 1]
    status, out, _ = ncnet_("train", "overlap", *asked, "-o", name)
    assert status == 0
    outcomes = ncnet.train(ncnet.games.overlap(), hidden_size=2, replicas=64, seed=1)
    assert out.startswith(str(report(outcomes)))
    assert numbers(ncnet_, name).items() >= report(outcomes).numbers().items()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["overlpa", "--hidden-size", 3, "--replicas", 64], "overlap"),
        (["overlap", "--replicas", 64], "--hidden-size"),
        (["overlap", "--hidden-size", 3, "--replicas", 64, "-o", "table.xlsx"], "parquet"),
    ],
)
def test_a_training_that_cannot_be_is_refused_in_one_line(ncnet_, arguments, word):
    status, out, err = ncnet_("train", *arguments)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"ncnet train: error: .+\n", err)
    assert word in err


@pytest.mark.slow
def test_what_train_refuses_is_one_line(ncnet_):
    pytest.importorskip("torch")
    status, out, err = ncnet_("train", "overlap", "--hidden-size", 0, "--replicas", 64)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"ncnet train: error: .*hidden_size.*\n", err)


def command(*arguments, before="", **options):
    """Start the command in a process of its own."""
    code = f"{before}\nimport sys\nfrom ncnet.cli import main\nsys.exit(main())"
    python = ["-c", code] if before else ["-m", "ncnet"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, *python, *arguments], **pipes, **options)


@pytest.mark.slow
def test_a_report_imports_neither_torch_nor_matplotlib():
    before = "import sys\nfor name in ('torch', 'matplotlib'): sys.modules[name] = None"
    process = command("report", "-", before=before)
    out, err = process.communicate(CSV)
    assert (process.returncode, err) == (0, b"")
    assert b"above 2" in out


@pytest.mark.slow
def test_a_training_without_torch_names_the_extra():
    asked = ["train", "overlap", "--hidden-size", "3", "--replicas", "64"]
    process = command(*asked, before="import sys\nsys.modules['torch'] = None")
    out, err = process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert re.fullmatch(rb"ncnet train: error: .*ncnet\[train\].*\n", err)


@pytest.mark.slow
def test_a_closed_pipe_is_no_error():
    process = command("report", "-", "--all", "--fail-if", "above-2")
    process.stdout.close()
    process.stdout = None  # or Windows would wait for what it says
    _, err = process.communicate(CSV)
    assert process.returncode == 1
    assert err.count(b"\n") == 1  # why it is 1


FULL = pytest.param(
    "/dev/full", marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="")
)


@pytest.fixture
def stream(monkeypatch):
    """Return a function that closes a stream, as ``>&-`` does, or has it write to a full disk."""
    with ExitStack() as opened:

        def put(name, place):
            stream = place and opened.enter_context(Path(place).open("w", encoding="utf-8"))
            monkeypatch.setattr(sys, name, stream)

        yield put


@pytest.mark.parametrize("place", [None, FULL])
@pytest.mark.parametrize(
    "arguments", [["report", "outcomes.csv"], ["report", "--help"], ["--help"]]
)
def test_output_that_cannot_be_written_is_status_2(ncnet_, written, stream, place, arguments):
    written(TABLE)
    stream("stdout", place)
    status, _, err = ncnet_(*arguments)
    assert status == 2
    assert re.fullmatch(r"ncnet( report)?: error: standard output: .+\n", err)


@pytest.mark.parametrize("place", [None, FULL])
def test_a_status_needs_no_standard_error(ncnet_, written, stream, place):
    written(TABLE)
    stream("stderr", place)
    asked = ["--fail-if", "above-2"]
    assert ncnet_("report", "nothing.csv")[0] == 2
    assert ncnet_("report", "outcomes.csv", "--unknown")[0] == 2
    assert ncnet_("report", "outcomes.csv", *asked)[0] == 1
    stream("stdout", None)
    assert ncnet_("report", "outcomes.csv", *asked)[0] == 2


def test_input_that_cannot_be_read_is_status_2(ncnet_, monkeypatch):
    class Broken(io.BytesIO):
        def read(self, *size):
            raise OSError(5, "Input/output error")

    for stdin in (None, io.TextIOWrapper(Broken(), encoding="utf-8")):
        monkeypatch.setattr(sys, "stdin", stdin)
        status, out, err = ncnet_("report", "-", "--fail-if", "above-2")
        assert (status, out) == (2, "")
        assert re.fullmatch(r"ncnet report: error: standard input: .+\n", err)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_told_without_traceback(written, closed):
    name = "-" if closed == "<&-" else shlex.quote(str(written(TABLE)))
    line = f"{shlex.quote(sys.executable)} -m ncnet report {name} --fail-if above-2 {closed}"
    done = subprocess.run(["sh", "-c", line], capture_output=True)
    assert done.returncode == (1 if closed == "2>&-" else 2)
    assert done.stderr.count(b"\n") == (0 if "2" in closed else 1)


@pytest.mark.slow
def test_ctrl_c_during_imports_ends_quietly():
    before = """
import sys

class Interrupt:
    def find_spec(name, path=None, target=None):
        if name in ("numpy", "pandas", "xarray", "ncnet.chsh"):
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt)
"""
    process = command("report", "-", before=before)
    assert (process.communicate(), process.returncode) == ((b"", b""), 130)


def test_ctrl_c_ends_quietly(ncnet_, monkeypatch):
    class Interrupted(io.BytesIO):
        def read(self, *size):
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Interrupted(), encoding="utf-8"))
    assert ncnet_("report", "-") == (130, "", "")
