"""Tasks and models from a hub, which a mirror on this machine stands in for."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from pyarrow import parquet

from ncnet.datasets import hub, load
from ncnet.datasets.catalogue import LANGUAGES, PUBLISHED
from ncnet.datasets.published import items_by_key
from tests.hub_mirror import HubMirror

pytest.importorskip("huggingface_hub", reason="the package that talks to the hub is not there")

OF_TASK = {name: facts for group, facts in PUBLISHED.items() for name in group.tasks}
CARD = "---\nconfigs:\n{}---\n"
CONFIGURATIONS = dict.fromkeys(("commonsense_qa", "mathqa"), "default")
CONFIGURATION = "- config_name: {0}\n  data_files:\n{1}"
SPLIT = "  - split: {0}\n    path: {1}/{0}-*\n"


def table(rows):
    content = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), content)
    return content.getvalue()


def repository(configurations):
    """Return the files of a data set, {configuration: {split: rows}}, laid out as on the hub."""
    files, described = {}, ""
    for name, splits in configurations.items():
        folder = "data" if name == "default" else name
        described += CONFIGURATION.format(name, "".join(SPLIT.format(s, folder) for s in splits))
        for split, rows in splits.items():
            files[f"{folder}/{split}-00000-of-00001.parquet"] = table(rows)
    return files | {"README.md": CARD.format(described).encode()}


def films(first=0):
    def rows(start):
        return [
            {"sentence": f"film {k}", "label": k % 2, "idx": k} for k in range(start, start + 20)
        ]

    return {"train": rows(first), "validation": rows(100), "test": rows(200)}


def news():
    def rows(start):
        return [
            {"sentence1": f"a {k}", "sentence2": f"b {k}", "label": k % 2, "idx": k}
            for k in range(start, start + 20)
        ]

    return {"train": rows(0), "validation": rows(100), "test": rows(200)}


def common_sense():
    def rows(start, letters):
        return [
            {
                "id": f"{k:x}",
                "question": f"question {k}",
                "question_concept": "concept",
                "choices": {"label": list("ABCDE"), "text": [f"{k}-{c}" for c in "ABCDE"]},
                "answerKey": letters[k % len(letters)],
            }
            for k in range(start, start + 20)
        ]

    return {"train": rows(0, "ABCDE"), "validation": rows(100, "ABCDE"), "test": rows(200, [""])}


def maths():
    def rows(start):
        good = [
            {
                "Problem": f"problem {k}",
                "Rationale": "because",
                "options": f"a ) {k} , b ) 2 , 000 , c ) 3 , d ) data inadequate , e ) none",
                "correct": "abcde"[k % 5],
            }
            for k in range(start, start + 20)
        ]
        return [*good, good[0] | {"Problem": "dirty", "options": "a ) 1 , b ) 2"}]

    return {f"default/{s}/0000.parquet": table(rows(n)) for s, n in (("train", 0), ("test", 100))}


def pairs(language):
    def rows(start):
        good = [
            {
                "id": k,
                "sentence1": f"{language} a {k}",
                "sentence2": f"{language} b {k}",
                "label": k % 2,
            }
            for k in range(start, start + 20)
        ]
        return [*good, good[0] | {"id": 900, "sentence1": "NS"}, good[0] | {"id": 901, "label": -1}]

    return {"train": rows(1), "validation": rows(1), "test": rows(1001)}


def add_all(mirror):
    """Put small data sets of all tasks into the mirror; return the commit of each repository."""
    mirror.add("dataset", "allenai/math_qa", {"math_qa.py": b"raise SystemExit"})
    return {
        "nyu-mll/glue": mirror.add(
            "dataset", "nyu-mll/glue", repository({"sst2": films(), "mrpc": news()})
        ),
        "tau/commonsense_qa": mirror.add(
            "dataset", "tau/commonsense_qa", repository({"default": common_sense()})
        ),
        "allenai/math_qa": mirror.add(
            "dataset", "allenai/math_qa", maths(), at="refs/convert/parquet"
        ),
        "google-research-datasets/paws-x": mirror.add(
            "dataset",
            "google-research-datasets/paws-x",
            repository({language: pairs(language) for language in LANGUAGES}),
        ),
    }


LOAD = """
import json, os, sys
from ncnet.datasets import load
from ncnet.datasets.hub import Unavailable
for line in sys.stdin:
    names, environment = json.loads(line)
    os.environ.update(environment)
    try:
        tasks = load(names, items=15, held_out=10, seed=0)
    except Unavailable as error:
        found = str(error)
    else:
        found = {
            name: {"source": task.source, "items": [
                [item.key, item.label, item.text, item.pair, item.choices]
                for item in task.training + task.held_out
            ]}
            for name, task in tasks.items()
        }
    print(json.dumps(found), flush=True)
"""


def start(code, environment):
    kept = {k: v for k, v in os.environ.items() if k != "NCNET_DATA" and "proxy" not in k.lower()}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=kept | environment,
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def run(code, environment):
    """Return what a new process prints, as JSON."""
    with start(code, environment) as process:
        printed, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return json.loads(printed)


@contextmanager
def new_process(environment):
    """Return a function that loads tasks in a new process, which may say nothing besides.

    It may be called again, with changes of the environment.
    """
    with start(LOAD, environment) as process:

        def load(*names, **changed):
            print(json.dumps([names, changed]), file=process.stdin, flush=True)
            line = process.stdout.readline()
            assert line, process.stderr.read()
            return json.loads(line)

        yield load
        _, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (0, "")


@pytest.mark.slow
def test_all_tasks_load_from_the_hub(tmp_path):
    with HubMirror() as mirror:
        commits = add_all(mirror)
        with new_process(mirror.environment(tmp_path)) as load:
            tasks = load(*OF_TASK)
        for name, task in tasks.items():
            assert task["source"] == {
                "repository": OF_TASK[name].repository.name,
                "revision": commits[OF_TASK[name].repository.name],
                "configuration": CONFIGURATIONS.get(name, name.removeprefix("paws_x/")),
            }
        assert not [
            line for line in mirror.requests if line.startswith("GET") and "math_qa.py" in line
        ]
    for name, expected in (
        ("sst2", lambda k: ["film {}", None, []]),
        ("mrpc", lambda k: ["a {}", "b {}", []]),
        ("commonsense_qa", lambda k: ["question {}", None, [f"{{}}-{c}" for c in "ABCDE"]]),
        (
            "mathqa",
            lambda k: ["problem {}", None, ["{}", "2 , 000", "3", "data inadequate", "none"]],
        ),
        ("paws_x/ko", lambda k: ["ko a {}", "ko b {}", []]),
    ):
        for key, label, *texts in tasks[name]["items"]:
            split, number = key.split(":")
            assert split in OF_TASK[name].splits
            first = 0 if name.startswith("paws") or split == "train" else 100
            first = 200 if (name, split) == ("mrpc", "test") else first
            k = first + int(number)
            assert json.dumps(texts) == json.dumps(expected(k)).replace("{}", str(k))
            assert label == k % (5 if texts[2] else 2)
    keys = {name: [item[0] for item in task["items"]] for name, task in tasks.items()}
    assert all(keys[f"paws_x/{language}"] == keys["paws_x/en"] for language in LANGUAGES)


@pytest.fixture(scope="module")
def read_once(tmp_path_factory):
    """Read a task from a hub; return what was read, and the folder of the caches."""
    folder = tmp_path_factory.mktemp("read_once")
    with HubMirror() as mirror:
        first = mirror.add("dataset", "nyu-mll/glue", repository({"sst2": films()}))
        with new_process(mirror.environment(folder)) as load:
            before = load("sst2")
    assert before["sst2"]["source"]["revision"] == first
    return before, folder


@pytest.mark.slow
def test_what_was_read_once_is_read_again_without_the_hub(read_once, tmp_path):
    before, folder = read_once
    shutil.copytree(folder, tmp_path, symlinks=True, dirs_exist_ok=True)
    with ExitStack() as processes:
        with HubMirror() as mirror:
            environment = mirror.environment(tmp_path)
            load = processes.enter_context(new_process(environment))
            moved = mirror.add("dataset", "nyu-mll/glue", repository({"sst2": films(first=1000)}))
            assert load("sst2") == before
            assert mirror.requests == []
            elsewhere = load("sst2", XDG_CACHE_HOME=str(tmp_path / "another cache"))
            assert elsewhere["sst2"]["source"]["revision"] == moved
        assert load("sst2", XDG_CACHE_HOME=environment["XDG_CACHE_HOME"]) == before


@pytest.mark.slow
def test_without_a_hub_a_first_load_says_what_to_do(tmp_path):
    mirror = HubMirror()
    environment = mirror.environment(tmp_path)
    with new_process(environment) as load:
        gone = load("sst2")
        with mirror:
            missing = load("sst2")
    with new_process(environment | {"HF_HUB_OFFLINE": "1"}) as load:
        offline = load("sst2")
    start = "cannot get the dataset `nyu-mll/glue` (main) from the Hugging Face hub: "
    end = "; connect, or give a folder that has the task (`folder`, or NCNET_DATA)"
    assert missing == f"{start}it has none that is public (status 404){end}"
    for line, reason in ((gone, "Connection refused"), (offline, "HF_HUB_OFFLINE")):
        assert line.startswith(start)
        assert line.endswith(end)
        assert reason in line
        assert "\n" not in line


@pytest.mark.slow
def test_a_pin_without_its_files_is_not_served_from_another_commit(read_once, tmp_path):
    shutil.copytree(read_once[1], tmp_path, symlinks=True, dirs_exist_ok=True)
    with HubMirror() as mirror:
        gone = mirror.environment(tmp_path)
    pins = tmp_path / "cache" / "ncnet" / "revisions.json"
    pins.write_text(json.dumps({"datasets/nyu-mll/glue@main": "f" * 40}), encoding="utf-8")
    with new_process(gone) as load:
        line = load("sst2")
    assert line.startswith(f"cannot get the dataset `nyu-mll/glue` at commit {'f' * 40} from ")
    assert f"cache has commit {read_once[0]['sst2']['source']['revision']}: to read that" in line


BY_ANOTHER_PROGRAM = """
from huggingface_hub import snapshot_download
for name, branch in (("nyu-mll/glue", "main"), ("allenai/math_qa", "refs/convert/parquet")):
    snapshot_download(name, repo_type="dataset", revision=branch)
print("null")
"""


@pytest.mark.slow
def test_what_another_program_has_fetched_is_read_without_the_hub(tmp_path):
    with HubMirror() as mirror:
        commits = add_all(mirror)
        environment = mirror.environment(tmp_path)
        run(BY_ANOTHER_PROGRAM, environment)
        with new_process(environment | {"XDG_CACHE_HOME": str(tmp_path / "other")}) as load:
            expected = load("sst2", "mathqa")
    with new_process(environment) as load:
        assert load("sst2", "mathqa") == expected
        (part,) = tmp_path.glob("hf/hub/datasets--nyu-mll--glue/snapshots/*/sst2/train*")
        part.unlink()
        line = load("sst2", XDG_CACHE_HOME=str(tmp_path / "another"))
    assert expected["sst2"]["source"]["revision"] == commits["nyu-mll/glue"]
    assert f"; the hub's cache has this commit without sst2/{part.name}; connect" in line
    pinned = json.loads((tmp_path / "cache/ncnet/revisions.json").read_text(encoding="utf-8"))
    assert set(pinned.values()) == {commits["nyu-mll/glue"], commits["allenai/math_qa"]}


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """Return a function that puts commits into a hub's cache, and a hub that is gone."""
    huggingface_hub = pytest.importorskip("huggingface_hub")

    def gone(*arguments, **options):
        raise ConnectionError("gone")

    def put(folder, *commits, **branches):
        for commit in commits:
            (tmp_path / folder / "snapshots" / commit).mkdir(parents=True)
        (tmp_path / folder / "refs").mkdir()
        for branch, commit in branches.items():
            (tmp_path / folder / "refs" / branch).write_text(commit, encoding="utf-8")

    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", gone)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    return put


@pytest.mark.parametrize(
    ("commits", "branches", "found"),
    [
        (("a1", "b2"), {"main": "b2"}, "b2"),
        (("a1",), {}, "a1"),
        (("a1", "b2"), {}, None),
        (("a1",), {"main": "b2"}, None),
        (("a1",), {"another": "a1"}, None),
        (("a1", "b2"), {"another": "a1"}, "b2"),
    ],
)
def test_without_a_hub_or_a_pin_the_commit_is_that_of_the_cache(
    tmp_path, cached, commits, branches, found
):
    cached("models--a--b", *commits, **branches)
    if found:
        assert hub.revision("a/b", kind="model", folder=tmp_path) == found
        pins = json.loads((tmp_path / "revisions.json").read_text(encoding="utf-8"))
        assert pins == {"models/a/b@main": found}
    else:
        with pytest.raises(hub.Unavailable, match=" and ".join(commits)):
            hub.revision("a/b", kind="model", folder=tmp_path)
        assert not (tmp_path / "revisions.json").exists()


def test_a_repository_is_found_by_the_name_it_had_without_owner(tmp_path, cached):
    cached("models--bert-base-uncased", "a1", main="a1")
    cached("models--b", "b2", main="b2")
    name = "google-bert/bert-base-uncased"
    assert hub.revision(name, kind="model", folder=tmp_path) == "a1"
    assert hub.snapshot(name, "a1", kind="model").parts[-3] == "models--bert-base-uncased"
    with pytest.raises(hub.Unavailable, match=r"gone$"):
        hub.revision("a/b", kind="model", folder=tmp_path)


def test_a_commit_is_not_taken_for_another_nor_in_part(tmp_path, cached, monkeypatch):
    def gone(*arguments, **options):
        raise TimeoutError("gone")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", gone)
    cached("models--a--b", "a1")
    with pytest.raises(hub.Unavailable, match="cache has commit a1: to read that one, pin `models"):
        hub.download("a/b", "b2", ["config.json", "model.safetensors"])
    there = tmp_path / "models--a--b" / "snapshots" / "a1"
    (there / "config.json").touch()
    with pytest.raises(hub.Unavailable, match=r"this commit without model\.safetensors$"):
        hub.download("a/b", "a1", ["config.json", "model.safetensors"])
    (there / "model.safetensors").touch()
    assert hub.download("a/b", "a1", ["config.json", "model.safetensors"]) == there


MODEL = """
import json, sys
from ncnet.datasets import hub
commit = hub.revision("somebody/tiny-bert", kind="model")
from transformers import AutoModel, AutoTokenizer
with hub.errors_as_unavailable("the model `somebody/tiny-bert`"):
    model = AutoModel.from_pretrained("somebody/tiny-bert", revision=commit)
    tokenizer = AutoTokenizer.from_pretrained("somebody/tiny-bert", revision=commit)
width = model(**tokenizer("a cat", return_tensors="pt")).last_hidden_state.shape[-1]
print(json.dumps([commit, width, tokenizer.tokenize("a cat sat")]))
"""


REVISION = """
import json
from ncnet.datasets import hub
print(json.dumps(hub.revision("somebody/tiny-bert", kind="model")))
"""


def tiny_bert(folder):
    """Return the files of a small BERT that has learned nothing."""
    from transformers import BertConfig, BertModel, BertTokenizer

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "sat"]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
    )
    BertModel(config).save_pretrained(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_models_are_pinned_likewise(tmp_path):
    (tmp_path / "model").mkdir()
    files = tiny_bert(tmp_path / "model")
    with HubMirror() as mirror:
        environment = mirror.environment(tmp_path)
        commit = mirror.add("model", "somebody/tiny-bert", files)
        loaded = run(MODEL, environment)
        assert loaded == [commit, 8, ["a", "cat", "sat"]]
        mirror.add("model", "somebody/tiny-bert", {"config.json": b"{}"})
        assert run(REVISION, environment) == commit


@pytest.fixture
def answers(monkeypatch):
    """Return the list of what a hub was asked, which has the commit c0ffee of every repository."""
    asked = []

    def answer(_, repository, *, repo_type, revision, timeout):
        asked.append((repository, repo_type, revision))
        return SimpleNamespace(sha="c0ffee")

    monkeypatch.setattr("huggingface_hub.HfApi.repo_info", answer)
    return asked


def test_pins_are_kept_and_read_without_the_hub(tmp_path, answers):
    for _ in range(2):
        assert hub.revision("a/b", kind="dataset", folder=tmp_path) == "c0ffee"
        assert hub.revision("a/b", kind="model", folder=tmp_path) == "c0ffee"
        assert hub.revision("a/b", kind="model", at="other", folder=tmp_path) == "c0ffee"
    assert answers == [
        ("a/b", "dataset", "main"),
        ("a/b", "model", "main"),
        ("a/b", "model", "other"),
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["revisions.json"]
    assert set(json.loads((tmp_path / "revisions.json").read_text(encoding="utf-8")).values()) == {
        "c0ffee"
    }


def test_damaged_pins_and_unknown_kinds_are_refused(tmp_path):
    for content in (b'{"datasets/a', b"[]", b"\xff"):
        (tmp_path / "revisions.json").write_bytes(content)
        with pytest.raises(ValueError, match=r"revisions\.json is damaged: expected a JSON object"):
            hub.revision("a/b", kind="dataset", folder=tmp_path)
    with pytest.raises(ValueError, match="unknown kind `models`: did you mean `model`"):
        hub.revision("a/b", kind="models", folder=tmp_path)


def test_a_python_without_the_packages_is_told_what_to_install(monkeypatch):
    line = r"^cannot get it: `{}` is not installed; run `pip install -e '\.\[lora\]'`$"
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(hub.Unavailable, match=line.format("peft")), hub.errors_as_unavailable("it"):
        import peft  # noqa: F401
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", None)
    with (
        pytest.raises(hub.Unavailable, match=line.format("huggingface_hub")),
        hub.errors_as_unavailable("it"),
    ):
        pass


def test_two_processes_that_pin_at_once_agree(tmp_path, monkeypatch):
    def slow(*arguments, **options):
        (tmp_path / "revisions.json").write_text(
            '{"models/a/b@main": "theirs", "models/c/d@main": "x"}', encoding="utf-8"
        )
        return SimpleNamespace(sha="ours")

    monkeypatch.setattr("huggingface_hub.HfApi.repo_info", slow)
    assert hub.revision("a/b", kind="model", folder=tmp_path) == "theirs"
    assert hub.revision("c/d", kind="model", folder=tmp_path) == "x"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (TimeoutError("timed out"), "timed out"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (
            OSError("We couldn't connect to the hub.\nCheck your connection."),
            "connect to the hub$",
        ),
        (FileNotFoundError("no such configuration"), "no such configuration"),
    ],
)
def test_what_the_hub_cannot_give_is_unavailable(error, line):
    with pytest.raises(hub.Unavailable, match=line), hub.errors_as_unavailable("it"):
        raise error


def test_other_errors_stay_what_they_are():
    full = OSError(28, "No space left on device")
    with pytest.raises(OSError, match="No space left") as caught, hub.errors_as_unavailable("it"):
        raise full
    assert caught.value is full


@pytest.mark.parametrize(
    ("name", "row", "line"),
    [
        ("sst2", {"sentence": "a"}, "no column 'label'"),
        (
            "sst2",
            {"sentence": "a", "label": -1},
            "`label` is -1: expected an integer of 0 to 1",
        ),
        (
            "commonsense_qa",
            common_sense()["test"][0],
            "`answerKey` is '': expected one of ['A', 'B', 'C', 'D', 'E']",
        ),
        (
            *("commonsense_qa", common_sense()["test"][0] | {"choices": None}),
            "`choices` is of type NoneType: expected letters and texts",
        ),
        (
            *("commonsense_qa", common_sense()["test"][0] | {"choices": {"label": None}}),
            "`choices.label` is of type NoneType: expected letters",
        ),
    ],
)
def test_a_row_that_is_not_as_described_is_refused_by_its_place(name, row, line):
    good = {"sst2": films(), "commonsense_qa": common_sense()}[name]["train"][:2]
    task = OF_TASK[name]
    read = map(task.repository.fields_of, [*good, row])
    with pytest.raises(ValueError) as caught:  # noqa: PT011, the line is compared
        items_by_key(task.row_model, "train", read, where="row", first=0)
    assert str(caught.value) == f"row 2: {line}"


def test_dirty_rows_count_as_rows():
    task = OF_TASK["mathqa"]
    good = {"Problem": "a", "options": "a ) 1 , b ) 2 , c ) 3 , d ) 4 , e ) 5", "correct": "a"}
    dirty = [good | {"options": None}, good | {"correct": None}]
    read = map(task.repository.fields_of, [*dirty, good])
    assert list(items_by_key(task.row_model, "train", read, where="row", first=0)) == ["train:2"]


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few make links")
def test_a_damaged_file_of_the_cache_is_to_be_deleted(tmp_path, cached, monkeypatch):
    """What a link points to: the hub would make the same link again."""
    cached("datasets--nyu-mll--glue", "a1", main="a1")
    monkeypatch.setattr(hub, "user_cache_path", lambda name: tmp_path)
    monkeypatch.delenv("NCNET_DATA", raising=False)
    blob = tmp_path / "blob"
    blob.write_bytes(table(films()["train"])[:-9])
    for split in ("train", "validation"):
        file = f"sst2/{split}-00000-of-00001.parquet"
        path = tmp_path / "datasets--nyu-mll--glue" / "snapshots" / "a1" / file
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(blob)
    with pytest.raises(ValueError, match=rf"^{re.escape(str(blob.resolve()))} is damaged: delete"):
        load(["sst2"], items=1, held_out=0, seed=0)
