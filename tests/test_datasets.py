"""Tasks from a folder, and those made here."""

import gzip
import json
import os
import re
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnet.datasets import TASKS, Item, load, toy
from ncnet.datasets.catalogue import LANGUAGES, PUBLISHED, Choice, Pair, options
from ncnet.datasets.hub import Unavailable

REAL = os.environ.get("NCNET_DATA")
ROWS = {name: published.row_model for group, published in PUBLISHED.items() for name in group.tasks}
TOYS = tuple(name for group in toy.GROUPS for name in group.tasks)


@pytest.fixture(autouse=True)
def no_folder_from_outside(monkeypatch):
    monkeypatch.delenv("NCNET_DATA", raising=False)


def sentence(k):
    return {"text_a": f"sentence {k}", "label": k % 2}


def pair(k):
    return {"text_a": f"first {k}", "text_b": f"second {k}", "label": int(k % 3 == 0)}


def question(k):
    return {"question": f"question {k}", "choices": [f"{k}-{c}" for c in range(5)], "label": k % 5}


def translated(k, language):
    return {
        "id": 2 * k,
        "text_a": f"{language} first {k}",
        "text_b": f"{language} second {k}",
        "label": int(k % 3 == 0),
    }


def write(folder, name, rows):
    path = folder / f"{name}.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return path


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "sst2/train", map(sentence, range(60)))
    write(tmp_path, "sst2/dev", map(sentence, range(100, 130)))
    write(tmp_path, "mrpc/train", map(pair, range(60)))
    write(tmp_path, "mrpc/test", map(pair, range(100, 130)))
    for name, held_out in (("commonsense_qa", "dev"), ("mathqa", "test")):
        write(tmp_path, f"{name}/train", map(question, range(60)))
        write(tmp_path, f"{name}/{held_out}", map(question, range(100, 130)))
    for place, language in enumerate(LANGUAGES):
        # Each language lacks one pair, and has them in an order of its own.
        kept = [k for k in range(60) if k != place]
        rows = [translated(k, language) for k in np.random.default_rng(place).permutation(kept)]
        write(tmp_path, f"paws_x/{language}/dev", rows_of_python(rows))
        held_out = [translated(k, language) for k in range(100, 130)]
        write(tmp_path, f"paws_x/{language}/test", held_out)
    return tmp_path


def rows_of_python(rows):
    return [row | {"id": int(row["id"])} for row in rows]


@pytest.mark.slow
def test_importing_it_loads_nothing_large():
    large = {"torch", "datasets", "huggingface_hub", "transformers"}
    code = f"import ncnet.datasets, sys; print({large} & {{*sys.modules}})"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert printed.stdout.strip() == "set()", printed.stderr


def test_all_tasks_of_a_folder_load(folder):
    tasks = load(tuple(ROWS), items=20, held_out=10, seed=0, folder=folder)
    assert tuple(tasks) == tuple(ROWS)
    for name, task in tasks.items():
        row = ROWS[name]
        assert (len(task.training), len(task.further), len(task.held_out)) == (20, 0, 10)
        assert (task.name, task.classes) == (name, 5 if row is Choice else 2)
        assert task.multiple_choice == (row is Choice)
        paired = issubclass(row, Pair)
        assert all((item.pair is not None) == paired for item in task.training)
        assert len({item.key for item in task.training + task.held_out}) == 30


def test_items_hold_what_their_line_does(folder):
    tasks = load(["sst2", "mrpc", "mathqa"], items=9, held_out=1, seed=0, folder=folder)
    for name, make in (("sst2", sentence), ("mrpc", pair), ("mathqa", question)):
        for item in tasks[name].training:
            row = make(int(item.key.removeprefix("train:")))
            assert item.text == row.get("question", row.get("text_a"))
            assert (item.pair, list(item.choices)) == (row.get("text_b"), row.get("choices", []))
            assert item.label == row["label"]


def test_sequences_are_one_a_text_or_one_a_choice():
    assert Item("a", 0, "t").sequences == (("t", None),)
    assert Item("a", 0, "t", "u").sequences == (("t", "u"),)
    assert Item("a", 0, "t", choices=("u", "v")).sequences == (("t", "u"), ("t", "v"))


def test_the_source_of_a_folder_is_the_digests_of_its_files(folder):
    tasks = load(["sst2", "paws_x/de"], items=1, held_out=1, seed=0, folder=folder)
    assert set(tasks["sst2"].source["files"]) == {"sst2/train.jsonl.gz", "sst2/dev.jsonl.gz"}
    assert len(tasks["paws_x/de"].source["files"]) == 14
    assert json.loads(json.dumps(tasks["sst2"].source)) == tasks["sst2"].source


def test_the_environment_names_the_folder_where_the_argument_does_not(folder, monkeypatch):
    monkeypatch.setenv("NCNET_DATA", str(folder))
    assert load(["sst2"], items=1, held_out=1, seed=0)["sst2"].source["folder"]
    with pytest.raises(Unavailable):
        load(["sst2"], items=1, held_out=1, seed=0, folder=folder / "elsewhere")


def test_a_tilde_is_the_home_folder(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    expected = load(["sst2"], items=1, held_out=1, seed=0, folder=folder)
    assert load(["sst2"], items=1, held_out=1, seed=0, folder=f"~/{folder.name}") == expected
    monkeypatch.setenv("NCNET_DATA", f"~/{folder.name}")
    assert load(["sst2"], items=1, held_out=1, seed=0) == expected


def test_languages_get_the_same_pairs_whichever_are_loaded(folder):
    names = [f"paws_x/{language}" for language in LANGUAGES]
    arguments = {"items": 30, "held_out": 20, "seed": 3, "folder": folder}
    together = load(names, **arguments)
    english = together["paws_x/en"]
    for name in names:
        [alone] = load([name], **arguments).values()
        assert alone == together[name]
        for part in ("training", "held_out"):
            ours, theirs = getattr(alone, part), getattr(english, part)
            assert [(i.key, i.label) for i in ours] == [(i.key, i.label) for i in theirs]
        language = name.partition("/")[2]
        assert all(item.text.startswith(language) for item in alone.training)
    whole = load(names[:1], **arguments | {"items": 53})["paws_x/en"]
    missing = {f"dev:{2 * k}" for k in range(len(LANGUAGES))}
    assert not missing & {item.key for item in whole.training}


def test_a_pair_labelled_differently_in_two_languages_is_left_out(folder):
    rows = [translated(k, "ko") for k in range(100, 130)]
    rows[4]["label"] = 1 - rows[4]["label"]
    write(folder, "paws_x/ko/test", rows)
    task = load(["paws_x/en"], items=1, held_out=29, seed=0, folder=folder)["paws_x/en"]
    assert "test:208" not in {item.key for item in task.held_out}


def test_items_that_say_the_same_are_used_once_and_not_held_out(folder):
    again = [sentence(k) for k in range(60)] + [sentence(3), {"text_a": "new", "label": 0}]
    write(folder, "sst2/train", again)
    write(folder, "sst2/dev", [sentence(5), sentence(200), sentence(200), sentence(201)])
    task = load(["sst2"], items=61, held_out=2, seed=0, folder=folder)["sst2"]
    assert max(Counter(item.text for item in task.training).values()) == 1
    assert {item.text for item in task.held_out} == {"sentence 200", "sentence 201"}
    with pytest.raises(ValueError, match="has 2 held-out items: expected 3, as"):
        load(["sst2"], items=1, held_out=3, seed=0, folder=folder)


def test_a_pair_in_the_other_order_says_the_same(folder):
    swapped = {"text_a": "second 7", "text_b": "first 7", "label": 0}
    write(folder, "mrpc/test", [swapped, pair(300)])
    [held_out] = load(["mrpc"], items=1, held_out=1, seed=0, folder=folder)["mrpc"].held_out
    assert held_out.text == "first 300"


@given(
    st.sampled_from(["toy/mood", "toy/which", "toy_pairs/dushan"]),
    st.integers(0, 5),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.tuples(st.integers(0, 20), st.integers(0, 20)),
    st.booleans(),
)
def test_fewer_items_are_the_first_of_more_and_depend_on_nothing_else(
    name, seed, items, held_out, balanced
):
    few, many = (
        load([name], items=n, held_out=m, seed=seed, further={name: m}, balanced=balanced)[name]
        for n, m in zip(sorted(items), sorted(held_out), strict=True)
    )
    assert many.training[: len(few.training)] == few.training
    assert many.held_out[: len(few.held_out)] == few.held_out
    assert many.further[: len(few.further)] == few.further
    parts = (many.training, many.further, many.held_out)
    contents = [item.content for part in parts for item in part]
    assert len(set(contents)) == len(contents)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("name", ["mrpc", "mathqa", "paws_x/fr"])
def test_so_they_are_of_a_folder(folder, name, balanced):
    def loaded(items, held_out, others=()):
        names = [name, *others]
        numbers = {"items": items, "held_out": held_out, "further": {name: 10}}
        return load(names, **numbers, seed=1, balanced=balanced, folder=folder)[name]

    few, many = loaded(12, 7), loaded(20, 10, ["sst2", "toy/sum"])
    assert many.training[:12] == few.training
    assert many.held_out[:7] == few.held_out
    assert many.further == few.further
    assert not {i.key for i in many.further} & {i.key for i in many.training}


def test_another_seed_draws_others(folder):
    first, second = (
        load(["mrpc", "toy/same"], items=20, held_out=5, seed=seed, folder=folder)
        for seed in (0, 1)
    )
    for name, task in first.items():
        assert task.training != second[name].training


@pytest.mark.parametrize("name", ["mrpc", "mathqa", "paws_x/ko", *TOYS])
def test_balanced_items_are_of_all_classes_alike(folder, name):
    for items in (20, 21):
        task = load(
            [name],
            items=items,
            held_out=10,
            seed=2,
            further={name: 10},
            balanced=True,
            folder=folder,
        )[name]
        for part in (task.training, task.further, task.held_out):
            counts = Counter(item.label for item in part)
            assert set(counts) == set(range(task.classes))
            assert max(counts.values()) - min(counts.values()) <= len(part) % task.classes


def test_further_items_are_as_many_as_each_task_asks(folder):
    further = {"paws_x/de": 3, "paws_x/en": 5}
    names = ["paws_x/en", "paws_x/de", "paws_x/ja"]
    tasks = load(names, items=4, held_out=0, seed=0, further=further, folder=folder)
    keys = {name: [item.key for item in task.further] for name, task in tasks.items()}
    assert [len(keys[name]) for name in names] == [5, 3, 0]
    assert keys["paws_x/en"][:3] == keys["paws_x/de"]


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"names": ["sst-2"]}, ("`sst-2`", "did you mean `sst2`?")),
        ({"names": ["paws_x/it"]}, ("`paws_x/it`", "did you mean `paws_x/")),
        ({"names": ["toy_pairs/bourn"]}, ("`toy_pairs/bourn`", "did you mean `toy_pairs/borun`?")),
        ({"names": ["toy/moody"]}, ("`toy/moody`", "did you mean `toy/mood`?")),
        ({"names": ["sst2", "mrpc", "sst2"]}, ("task `sst2` is there twice",)),
        ({"names": "sst2"}, ("`names` is 'sst2'", "a list of tasks")),
        ({"names": []}, ("`names` is []", "a list of tasks")),
        ({"names": 3}, ("`names` is 3", "a list of tasks")),
        ({"further": [1]}, ("`further` is of type list", "numbers by task")),
        ({"items": 0}, ("`items` is 0", "at least 1")),
        ({"held_out": -1}, ("`held_out` is -1", "at least 0")),
        ({"seed": 1.5}, ("`seed` is 1.5", "an integer")),
        ({"further": {"mrcp": 1}}, ("`further` `mrcp`", "one of `sst2`")),
        ({"further": {"sst2": -1}}, ("`further['sst2']` is -1", "at least 0")),
        ({"items": 61}, ("`sst2` has 60 training items", "expected 61")),
        ({"held_out": 31}, ("`sst2` has 30 held-out items", "expected 31")),
        ({"further": {"sst2": 61}}, ("`sst2` has 60 further items", "expected 61")),
        ({"items": 40, "further": {"sst2": 30}}, ("`sst2` has 10 items too few", "40", "30")),
        (
            {"names": ["mrpc"], "items": 41, "balanced": True},
            ("`mrpc` has 40 training items, drawn evenly from its classes", "expected 41"),
        ),
    ],
)
def test_a_wrong_argument_is_refused_in_one_line(folder, change, parts):
    arguments = {"names": ["sst2"], "items": 1, "held_out": 1, "seed": 0, "folder": folder}
    with pytest.raises(ValueError, match=re.escape(parts[0])) as caught:
        load(**arguments | change)
    assert all(part in str(caught.value) for part in parts)
    assert "\n" not in str(caught.value)


BAD_LINES = [
    ("sst2/train", "{", ("no JSON",)),
    ("sst2/train", "", ("no JSON",)),
    ("sst2/train", "[1]", ("a row is [1]", "fields by name")),
    ("sst2/train", "null", ("a row is None", "fields by name")),
    ("sst2/train", {"text_a": "a"}, ("no field `label`", "['text_a']")),
    ("sst2/train", {"label": 0}, ("no field `text_a`", "['label']")),
    ("sst2/train", {"text_a": " ", "label": 0}, ("`text_a` is ' '", "a text")),
    ("sst2/train", {"text_a": 5, "label": 0}, ("`text_a` is 5", "a text")),
    ("sst2/dev", {"text_a": "a", "label": 2}, ("`label` is 2", "0 to 1")),
    ("sst2/dev", {"text_a": "a", "label": -1}, ("`label` is -1", "0 to 1")),
    ("sst2/dev", {"text_a": "a", "label": True}, ("`label` is True", "an integer")),
    ("sst2/dev", {"text_a": "a", "label": "1"}, ("`label` is '1'", "an integer")),
    ("mrpc/train", {"text_a": "a", "label": 1}, ("no field `text_b`", "['text_a', 'label']")),
    ("mathqa/test", question(0) | {"label": 5}, ("`label` is 5", "0 to 4")),
    ("mathqa/test", question(0) | {"choices": ["a"] * 4}, ("`choices` is ['a', ", "5 texts")),
    ("mathqa/test", question(0) | {"choices": "abcde"}, ("`choices` is 'abcde'", "5 texts")),
    ("mathqa/test", question(0) | {"choices": ["a"] * 4 + [""]}, ("`choices` holds ''", "5 texts")),
    ("paws_x/zh/dev", pair(0), ("no field `id`",)),
    ("paws_x/zh/dev", [], ("a row is []", "fields by name")),
]


@pytest.mark.parametrize(("name", "bad", "parts"), BAD_LINES)
def test_a_bad_line_is_refused_by_file_and_line(folder, name, bad, parts):
    path = folder / f"{name}.jsonl.gz"
    rows = gzip.decompress(path.read_bytes()).decode().splitlines()
    rows[6] = bad if isinstance(bad, str) else json.dumps(bad)
    write(folder, name, rows)
    task = name.rpartition("/")[0]
    with pytest.raises(ValueError, match=rf"^{name}\.jsonl\.gz, line 7: ") as caught:
        load([task], items=1, held_out=1, seed=0, folder=folder)
    assert all(part in str(caught.value) for part in parts)
    assert "\n" not in str(caught.value)


def test_a_repeated_id_is_refused(folder):
    rows = [translated(k, "es") for k in (1, 2, 1)]
    write(folder, "paws_x/es/dev", rows)
    with pytest.raises(
        ValueError, match=r"^paws_x/es/dev\.jsonl\.gz, line 3: `id` is 2, as before"
    ):
        load(["paws_x/en"], items=1, held_out=1, seed=0, folder=folder)


def test_a_damaged_file_is_refused_by_the_line_where_it_ends(folder):
    path = folder / "sst2" / "train.jsonl.gz"
    rows = [json.dumps(sentence(k) | {"noise": os.urandom(40).hex()}) for k in range(4000)]
    whole = write(folder, "sst2/train", rows).read_bytes()

    def refusal():
        with pytest.raises(ValueError, match=r"^sst2/train\.jsonl\.gz, line \d+: ") as caught:
            load(["sst2"], items=1, held_out=1, seed=0, folder=folder)
        return str(caught.value)

    path.write_bytes(whole[: len(whole) // 2])
    cut = refusal()
    assert cut.endswith("the file is cut short; copy it again")
    assert 1000 < int(cut.split("line ")[1].split(":")[0]) < 3000
    path.write_bytes(b"no gzip at all")
    assert refusal().startswith("sst2/train.jsonl.gz, line 1: not a whole gzip file (Not a g")
    path.write_bytes(whole[:1000] + bytes(1000) + whole[2000:])
    assert "not a whole gzip file (Error -3 while decompressing data" in refusal()
    path.write_bytes(gzip.compress(b'{"text_a": "\xff", "label": 0}\n'))
    assert refusal().endswith("line 1: no UTF-8")


@pytest.mark.parametrize("name", ["sst2", "paws_x/en"])
def test_a_folder_that_lacks_a_task_says_what_to_do(tmp_path, name):
    with pytest.raises(Unavailable) as caught:
        load([name], items=1, held_out=1, seed=0, folder=tmp_path)
    line = str(caught.value)
    assert f"for task `{name}`" in line
    assert "NCNET_DATA" in line
    assert "hub" in line
    assert "\n" not in line


@pytest.mark.parametrize("name", TOYS)
def test_toy_tasks_draw_as_many_different_items_as_asked_for(name):
    tasks = load([name], items=1000, held_out=200, seed=0, further={name: 300})[name]
    assert tasks.source == {"generator": "ncnet.datasets.toy"}
    assert tasks == load([name], items=1000, held_out=200, seed=0, further={name: 300})[name]
    counts = Counter(item.label for item in tasks.training)
    assert len(counts) == tasks.classes
    assert max(abs(n / 1000 - 1 / tasks.classes) for n in counts.values()) < 0.06


def test_names_may_be_given_once_only():
    names = ["toy/same", "toy/mood"]
    given = {"items": 2, "held_out": 1, "seed": 0}
    assert load(iter(names), **given) == load(names, **given)


@pytest.mark.slow
def test_no_seed_draws_into_training_what_another_holds_out():
    [group] = [group for group in toy.GROUPS if group.name == "toy/same"]
    training = {d[0].content for d in islice(toy.stream(group, 0, "training"), 5000)}
    held_out = {d[0].content for d in islice(toy.stream(group, 1, "held_out"), 5000)}
    assert not training & held_out


def test_a_grammar_that_has_no_more_says_so(monkeypatch):
    monkeypatch.setattr(toy, "GIVE_UP", 50)
    with pytest.raises(
        ValueError, match=r"`toy_pairs/avelic` has [\d,]+ held-out items: expected 90,000"
    ):
        load(["toy_pairs/cimtar"], items=1, held_out=90_000, seed=0)


def test_toy_labels_are_right():
    names = ["toy/mood", "toy/same", "toy/which", "toy/sum"]
    mood, same, which, total = load(names, items=300, held_out=0, seed=4).values()
    for item in mood.training:
        assert (item.text.split()[1] in toy.GLAD) == (item.label == 1)
        assert (item.text.split()[1] in toy.GLOOMY) == (item.label == 0)
    for item in same.training:
        assert (sorted(item.text.split()) == sorted(item.pair.split())) == (item.label == 1)
    for item in which.training:
        facts, asked = item.text.removesuffix(" ?").split(" . who has the ")
        [animal] = [f.split()[1] for f in facts.split(" , ") if f.endswith(f" {asked}")]
        assert item.choices[item.label] == animal
    number = {word: n for n, word in enumerate(toy.NUMBERS)}
    for item in total.training:
        has, rest = item.text.split(" . ")[0].split(" , gets ")
        gets, eats = rest.split(" and eats ")
        left = number[has.split(" has ")[1].rsplit(" ", 1)[0]] + number[gets] - number[eats]
        assert number[item.choices[item.label]] == left
        assert len(set(item.choices)) == 5


def test_the_invented_languages_say_the_same_in_words_of_their_own():
    names = [name for name in TOYS if name.startswith("toy_pairs")]
    tasks = load(names, items=200, held_out=50, seed=0)
    words = {
        name: {
            word
            for item in task.training
            for text in (item.text, item.pair)
            for word in text.split()
        }
        for name, task in tasks.items()
    }
    assert all(len(spoken) == len(toy.VOCABULARY) for spoken in words.values())
    assert len(set.union(*words.values())) == len(names) * len(toy.VOCABULARY)
    first = tasks[names[0]]
    for name in names:
        language = name.partition("/")[2]
        meaning = {word: concept for concept, word in toy.WORDS[language].items()}
        for item, other in zip(tasks[name].training, first.training, strict=True):
            assert (item.key, item.label) == (other.key, other.label)
            said = dict(zip(toy.ORDERS[language], item.text.split(), strict=True))
            theirs = dict(zip(toy.ORDERS["avelic"], other.text.split(), strict=True))
            meant = {role: meaning[word] for role, word in said.items()}
            assert {r: toy.WORDS["avelic"][concept] for r, concept in meant.items()} == theirs
            assert sorted(item.text.split()) == sorted(item.pair.split())


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("a ) 1 , b ) 2 , c ) 3 , d ) 4 , e ) 5", ["1", "2", "3", "4", "5"]),
        ("a ) a ) 1 , b ) b ) 2 , c ) c ) 3 , d ) d ) 4 , e ) e ) 5", ["1", "2", "3", "4", "5"]),
        ("a)1,000,b)2,c)x , y,d)4,e)none", ["1,000", "2", "x , y", "4", "none"]),
        ("['a ) 1', 'b ) 2', 'c ) 3', 'd ) 4', 'e ) 5']", ["1", "2", "3", "4", "5"]),
        ("a ) 1 , b ) 2 , c ) 3 , d ) 4", None),
        ("a ) 1 , b ) , c ) 3 , d ) 4 , e ) 5", None),
        ("", None),
    ],
)
def test_choices_of_mathqa_come_apart(text, choices):
    assert options(text) == choices


@pytest.mark.skipif(REAL is None, reason="NCNET_DATA names no folder of published data sets")
@pytest.mark.parametrize("balanced", [False, True])
def test_the_published_tasks_load_from_a_real_folder(balanced):
    tasks = load(
        tuple(ROWS),
        items=500,
        held_out=400,
        seed=0,
        balanced=balanced,
        folder=Path(REAL or ""),
    )
    for task in tasks.values():
        parts = task.training + task.held_out
        assert {item.label for item in parts} == set(range(task.classes))
        training = {item.content for item in task.training}
        assert len(training) == 500
        assert not training & {item.content for item in task.held_out}
    english = tasks["paws_x/en"]
    for language in LANGUAGES:
        ours = tasks[f"paws_x/{language}"]
        for part in ("training", "held_out"):
            pairs = zip(getattr(ours, part), getattr(english, part), strict=True)
            assert all((i.key, i.label) == (j.key, j.label) for i, j in pairs)


def test_the_names_of_all_tasks_are_public():
    assert (*ROWS, *TOYS) == TASKS
